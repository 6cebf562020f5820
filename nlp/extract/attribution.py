"""Which brand a part of a post speaks of."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from operator import itemgetter

from nlp.text.clauses import TextSpan, split_clauses


def attributed_brands(
    start: int, end: int, mentions: Mapping[str, Sequence[TextSpan]]
) -> list[str]:
    """The brands that the part [start, end) of a post is about, sorted; `mentions` are the spans of each brand, in code points.

    Those named in the part; else the one named last before it, as a reader would take it; else the one named first after it; else
    those without a span (the page is about them). Empty where the post has no brand.

    >>> brands_of(5, 9, {"a": [(0, 2)], "b": [(12, 14)], "page": []})
    ['a']
    """
    return _Mentions(mentions).of(start, end)


class _Mentions:
    """The mentions of a post, sorted: a part is asked about in the time of a binary search and of what it names."""

    def __init__(self, mentions: Mapping[str, Sequence[TextSpan]]) -> None:
        self._placed = sorted(
            (first, last, brand) for brand, spans in mentions.items() for first, last in spans
        )
        self._ends = sorted((last, brand) for _, last, brand in self._placed)
        self._longest = max((last - first for first, last, _ in self._placed), default=0)
        self._page = sorted(brand for brand, spans in mentions.items() if not spans)

    def of(self, start: int, end: int) -> list[str]:
        """The brands of the part [start, end), as `brands_of` says."""
        low = bisect_left(self._placed, start - self._longest, key=itemgetter(0))
        high = bisect_left(self._placed, end, key=itemgetter(0))
        inside = {brand for _, last, brand in self._placed[low:high] if last > start}
        if inside:
            return sorted(inside)
        before = bisect_right(self._ends, start, key=itemgetter(0))
        if before:
            nearest = self._ends[before - 1][0]
            return sorted(
                {
                    brand
                    for _, brand in self._ends[
                        bisect_left(self._ends, nearest, key=itemgetter(0)) : before
                    ]
                }
            )
        if high < len(self._placed):
            nearest = self._placed[high][0]
            return sorted(
                {
                    brand
                    for _, _, brand in self._placed[
                        high : bisect_right(self._placed, nearest, key=itemgetter(0))
                    ]
                }
            )
        return self._page


def split_by_brand(
    text: str, mentions: Mapping[str, Sequence[TextSpan]]
) -> list[tuple[TextSpan, list[str]]]:
    """The parts of a post that speak of different brands, clauses in a row about the same ones as one, and whose each is.

    >>> stretches("甲很好吃，乙太甜，也贵", {"a": [(0, 1)], "b": [(5, 6)]})
    [((0, 4), ['a']), ((5, 11), ['b'])]
    """
    found: list[tuple[TextSpan, list[str]]] = []
    sorted_mentions = _Mentions(mentions)
    for start, end in split_clauses(text):
        brands = sorted_mentions.of(start, end)
        if found and found[-1][1] == brands:
            found[-1] = ((found[-1][0][0], end), brands)
        else:
            found.append(((start, end), brands))
    return found
