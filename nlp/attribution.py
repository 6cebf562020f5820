"""Which brand a part of a post speaks of."""

from collections.abc import Mapping, Sequence

from nlp.sentiment.clauses import Span, split


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


def stretches(text: str, mentions: Mapping[str, Sequence[Span]]) -> list[tuple[Span, list[str]]]:
    """The parts of a post that speak of different brands, clauses in a row about the same ones as one, and whose each is.

    >>> stretches("甲很好吃，乙太甜，也贵", {"a": [(0, 1)], "b": [(5, 6)]})
    [((0, 4), ['a']), ((5, 11), ['b'])]
    """
    found: list[tuple[Span, list[str]]] = []
    for start, end in split(text):
        brands = brands_of(start, end, mentions)
        if found and found[-1][1] == brands:
            found[-1] = ((found[-1][0][0], end), brands)
        else:
            found.append(((start, end), brands))
    return found
