"""Chosen hits of a search in any order, and what is read for all of them at once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions
from corpora.search.hits import SearchResult, SegmentHits
from corpora.search.order import Order, hit_order

Chosen = npt.NDArray[np.integer[Any]] | slice
"""Numbers of elements."""


@dataclass(frozen=True)
class HitList:
    """Hits of a search; those of `of_result` are in the order of publication."""

    result: SearchResult
    order: Order

    @classmethod
    def of_result(cls, result: SearchResult) -> "HitList":
        """Return all hits by moment of publication, then by id of the post, start and end."""
        return cls(result, hit_order(result))

    def __len__(self) -> int:
        return len(self.order)

    def take(self, chosen: Chosen) -> "HitList":
        """Return the hits with these numbers, in that order."""
        order = Order(self.order.segments[chosen], self.order.indexes[chosen])
        return HitList(self.result, order)

    @cached_property
    def parts(self) -> list[tuple[Positions, SegmentHits]]:
        """The hits by segment: their places in this list, and the hits."""
        return [
            (places, self.result.segments[number].chosen(indexes))
            for number, places, indexes in self.order.runs()
        ]

    def strings(self, of_hits: Callable[[SegmentHits], list[str]]) -> list[str]:
        """Return a string for each hit."""
        if len(self.parts) == 1:
            return of_hits(self.parts[0][1])
        values = np.empty(len(self), object)
        for places, hits in self.parts:
            values[places] = of_hits(hits)
        strings: list[str] = values.tolist()
        return strings

    def numbers(self, of_hits: Callable[[SegmentHits], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return a number, or a row of numbers, for each hit."""
        if not self.parts:
            return np.empty(0, np.int64)
        arrays = [of_hits(hits) for _, hits in self.parts]
        if len(arrays) == 1:
            return arrays[0]
        values = np.empty((len(self), *arrays[0].shape[1:]), arrays[0].dtype)
        for (places, _), array in zip(self.parts, arrays, strict=True):
            values[places] = array
        return values

    def ids(self) -> list[str]:
        """Return the id of the post of each hit."""
        return self.strings(lambda hits: hits.segment.ids(hits.hit_documents))


def document_spans(hits: SegmentHits) -> tuple[Positions, Positions]:
    """Return the character positions of the document of each hit: its first and its end."""
    offsets = hits.segment.array("char_offsets")
    documents = hits.hit_documents
    return offsets[documents], offsets[documents + 1] - 1
