"""Sentences of a text, Chinese or English."""

import re

_END = re.compile(
    r"""
      [。！？!?…～]+[”’"'」』）)\]]*     # marks that end a sentence, and what closes behind them
    | \.+["'”’)\]]*(?=\s|\Z)            # a full stop, not in 2.5 or example.org
    | \n+
    """,
    re.VERBOSE,
)


def sentence_starts(text: str) -> list[int]:
    """Return the offsets at which the sentences of a folded text begin, 0 among them.

    >>> sentence_starts("很好。 不贵! ok")
    [0, 3, 7]
    """
    starts = [0, *(match.end() for match in _END.finditer(text))]
    # behind the last mark there may be nothing
    return starts[:-1] if len(starts) > 1 and starts[-1] == len(text) else starts
