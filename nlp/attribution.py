"""Which brand a part of a post speaks of."""

from collections.abc import Mapping, Sequence

Span = tuple[int, int]


def brands_of(start: int, end: int, mentions: Mapping[str, Sequence[Span]]) -> list[str]:
    """The brands that the part [start, end) of a post is about, sorted; `mentions` are the spans of each brand, in code points.

    Those named in the part; else the one named last before it, as a reader would take it; else the one named first after it; else
    those without a span (the page is about them). Empty where the post has no brand.

    >>> brands_of(5, 9, {"a": [(0, 2)], "b": [(12, 14)], "page": []})
    ['a']
    """
    inside = [brand for brand, spans in mentions.items() if any(first < end and last > start for first, last in spans)]
    if inside:
        return sorted(inside)
    placed = [(first, last, brand) for brand, spans in mentions.items() for first, last in spans]
    before = [(last, brand) for _, last, brand in placed if last <= start]
    after = [(first, brand) for first, _, brand in placed if first >= end]
    if before or after:
        nearest = max(before)[0] if before else min(after)[0]
        return sorted({brand for place, brand in before or after if place == nearest})
    return sorted(brand for brand, spans in mentions.items() if not spans)
