"""Texts of any length to windows that the encoder takes: nothing is cut off, memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from nlp.sentiment.clauses import Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SLICE = 20_000  # code points tokenised at once


@dataclass(frozen=True)
class Window:
    """Part of text ``text``: its tokens, the two special ones included, and the code points that each covers (special ones none)."""

    text: int
    ids: list[int]
    offsets: list[Span]

    @property
    def weight(self) -> int:
        """Tokens of the text in this window, at least one: its weight in the text's mean."""
        return max(len(self.ids) - 2, 1)


def windows(texts: Sequence[str], tokenizer: Tokenizer, size: int) -> list[Window]:
    """The windows of every text, at most ``size`` tokens each; a longer text gives windows of equal size. Each text gives at least one."""
    first, last = tokenizer.encode("").ids
    made = []
    for number, (ids, offsets) in enumerate(_tokens(texts, tokenizer)):
        count = max(-(-len(ids) // (size - 2)), 1)
        cuts = [len(ids) * part // count for part in range(count + 1)]
        for start, end in pairwise(cuts):
            made.append(Window(number, [first, *ids[start:end], last], [(0, 0), *offsets[start:end], (0, 0)]))
    return made


def _tokens(texts: Sequence[str], tokenizer: Tokenizer) -> Iterator[tuple[list[int], list[Span]]]:
    """Token ids and offsets of each text; a very long text is tokenised in slices."""
    pieces = [(text[start : start + _SLICE], start) for text in texts for start in range(0, max(len(text), 1), _SLICE)]
    encoded = iter(tokenizer.encode_batch([piece for piece, _ in pieces], add_special_tokens=False))
    for text in texts:
        ids: list[int] = []
        offsets: list[Span] = []
        for start in range(0, max(len(text), 1), _SLICE):
            encoding = next(encoded)
            ids += encoding.ids
            offsets += [(a + start, b + start) for a, b in encoding.offsets] if start else encoding.offsets
        yield ids, offsets


def buckets(parts: Sequence[Window], tokens: int) -> Iterator[list[int]]:
    """Indices of windows of like length together, about ``tokens`` tokens a bucket, shortest first."""
    order = sorted(range(len(parts)), key=lambda index: len(parts[index].ids))
    bucket: list[int] = []
    for index in order:
        if bucket and (len(bucket) + 1) * len(parts[index].ids) > tokens:
            yield bucket
            bucket = []
        bucket.append(index)
    if bucket:
        yield bucket
