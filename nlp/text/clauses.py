"""The clause around a mention: where one judgement ends and the next begins, in Chinese and in English."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter

TextSpan = tuple[int, int]

_CUT = re.compile(
    r"""
      [，。！？；：!?;…～~\n\r]+              # marks that always end a clause (the enumeration comma 、 does not)
    | ,(?!\d) | :(?=\s)                       # a comma, not the one in 1,000; a colon, not the one in 10:30 or a link
    | \.(?=\s|$) | \.\.+                      # a full stop, not the one in 2.5
    | (?<![不非])但是? (?!愿) | 不过(?!如此|是) | (?<![忘冷退])却 | 可是 | 然而 | 而(?=[^且已后言])
    | (?<![a-z])(?:but|whereas|however|although|though)(?![a-z])
    | (?<![a-z])(?<!a[ ])(?<!for[ ])while(?![a-z])
    """,
    re.VERBOSE | re.IGNORECASE,
)


def split_clauses(text: str) -> list[TextSpan]:
    """Every clause of a text that is not blank, in order; at least one, which is all of a text without any."""
    cuts = [(0, 0), *(cut.span() for cut in _CUT.finditer(text)), (len(text), len(text))]
    between = [(left[1], right[0]) for left, right in pairwise(cuts)]
    return [span for span in between if text[slice(*span)].strip()] or [(0, len(text))]


def target_clauses(text: str, targets: Sequence[Sequence[TextSpan]]) -> list[list[TextSpan]]:
    """For each target, a list of mentions [start, end) in code points of ``text``: the distinct clauses that hold its mentions."""
    cuts = [cut.span() for cut in _CUT.finditer(text)] if targets else []
    return [sorted({_around(span, cuts, len(text)) for span in spans}) for spans in targets]


def _around(mention: TextSpan, cuts: Sequence[TextSpan], length: int) -> TextSpan:
    """From the last cut before the mention to the first one after it; a cut inside the mention (a brand named But) is none."""
    before = bisect_right(cuts, mention[0], key=itemgetter(1))
    after = bisect_left(cuts, mention[1], key=itemgetter(0))
    return cuts[before - 1][1] if before else 0, cuts[after][0] if after < len(cuts) else length
