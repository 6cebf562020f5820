"""Attribution of parts of a post to the brands they are about."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from operator import itemgetter

from nlp.text.clauses import TextSpan, split_clauses


def attributed_brands(
    start: int, end: int, mentions: Mapping[str, Sequence[TextSpan]]
) -> list[str]:
    """Return the brands that the part [start, end) of a post is about, sorted.

    `mentions` has the spans of each brand, in code points. The part is about the brands named in
    it; else about the one named last before it, as a reader would take it; else about the one named
    first after it; else about those without a span (the page is about them). Empty where the post
    has no brand.

    >>> attributed_brands(5, 9, {"a": [(0, 2)], "b": [(12, 14)], "page": []})
    ['a']
    """
    return _Mentions(mentions).brands_between(start, end)


class _Mentions:
    """The mentions of a post, sorted, so that a part finds its brands by binary search."""

    def __init__(self, mentions: Mapping[str, Sequence[TextSpan]]) -> None:
        brand_spans: list[tuple[int, int, str]] = []
        for brand, spans in mentions.items():
            brand_spans += [(start, end, brand) for start, end in spans]
        self._spans = sorted(brand_spans)
        self._ends = sorted((end, brand) for _, end, brand in self._spans)
        self._max_length = max((end - start for start, end, _ in self._spans), default=0)
        self._page_brands = sorted(brand for brand, spans in mentions.items() if not spans)

    def brands_between(self, start: int, end: int) -> list[str]:
        """Return the brands of the part [start, end), by the rules of `attributed_brands`."""
        low = bisect_left(self._spans, start - self._max_length, key=itemgetter(0))
        high = bisect_left(self._spans, end, key=itemgetter(0))
        inside = {brand for _, span_end, brand in self._spans[low:high] if span_end > start}
        if inside:
            return sorted(inside)
        before = bisect_right(self._ends, start, key=itemgetter(0))
        if before:
            nearest_end = self._ends[before - 1][0]
            first = bisect_left(self._ends, nearest_end, key=itemgetter(0))
            return sorted({brand for _, brand in self._ends[first:before]})
        if high < len(self._spans):
            nearest_start = self._spans[high][0]
            last = bisect_right(self._spans, nearest_start, key=itemgetter(0))
            return sorted({brand for _, _, brand in self._spans[high:last]})
        return self._page_brands


def split_by_brand(
    text: str, mentions: Mapping[str, Sequence[TextSpan]]
) -> list[tuple[TextSpan, list[str]]]:
    """Split a post where it changes from some brands to others.

    Returns the parts in order, each with its span and its brands; clauses in a row about the same
    brands are one part.

    >>> split_by_brand("甲很好吃，乙太甜，也贵", {"a": [(0, 1)], "b": [(5, 6)]})
    [((0, 4), ['a']), ((5, 11), ['b'])]
    """
    parts: list[tuple[TextSpan, list[str]]] = []
    sorted_mentions = _Mentions(mentions)
    for start, end in split_clauses(text):
        brands = sorted_mentions.brands_between(start, end)
        if parts and parts[-1][1] == brands:
            part_start = parts[-1][0][0]
            parts[-1] = ((part_start, end), brands)
        else:
            parts.append(((start, end), brands))
    return parts
