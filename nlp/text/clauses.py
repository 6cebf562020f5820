"""Clauses: the parts of a text, Chinese or English, that express one opinion each."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter

TextSpan = tuple[int, int]

_BOUNDARY = re.compile(
    r"""
      [，。！？；：!?;…～~\n\r]+      # marks that always end a clause; the comma 、 does not
    | ,(?!\d) | :(?=\s)               # a comma, not in 1,000; a colon, not in 10:30 or a link
    | \.(?=\s|$) | \.\.+              # a full stop, not in 2.5
    | (?<![不非])但是? (?!愿) | 不过(?!如此|是) | (?<![忘冷退])却 | 可是 | 然而 | 而(?=[^且已后言])
    | (?<![a-z])(?:but|whereas|however|although|though)(?![a-z])
    | (?<![a-z])(?<!a[ ])(?<!for[ ])while(?![a-z])
    """,
    re.VERBOSE | re.IGNORECASE,
)


def split_clauses(text: str) -> list[TextSpan]:
    """Return the spans of the clauses of a text that are not blank, in order.

    A text without any has one clause, which is all of it.
    """
    boundaries = [match.span() for match in _BOUNDARY.finditer(text)]
    edges = [(0, 0), *boundaries, (len(text), len(text))]
    clauses = [(left[1], right[0]) for left, right in pairwise(edges)]
    return [span for span in clauses if text[slice(*span)].strip()] or [(0, len(text))]


def target_clauses(text: str, targets: Sequence[Sequence[TextSpan]]) -> list[list[TextSpan]]:
    """Return for each target the distinct clauses that contain its mentions, in order.

    A target is a list of mentions, spans [start, end) in code points of `text`.
    """
    boundaries = [match.span() for match in _BOUNDARY.finditer(text)] if targets else []
    length = len(text)
    clauses = []
    for mentions in targets:
        spans = {_enclosing_clause(mention, boundaries, length) for mention in mentions}
        clauses.append(sorted(spans))
    return clauses


def _enclosing_clause(mention: TextSpan, boundaries: Sequence[TextSpan], length: int) -> TextSpan:
    """Return the span from the last boundary before a mention to the first one after it.

    A boundary inside of the mention (a brand named But) does not count.
    """
    before = bisect_right(boundaries, mention[0], key=itemgetter(1))
    after = bisect_left(boundaries, mention[1], key=itemgetter(0))
    start = boundaries[before - 1][1] if before else 0
    end = boundaries[after][0] if after < len(boundaries) else length
    return start, end
