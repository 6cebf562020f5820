"""Hits of a query: where in the corpus it matches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions, Segment
from corpora.search.lookup import documents_of, search_within

Spans = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""First positions, and positions after the last, of many stretches."""

Unit = Literal["word", "character", "post"]
"""What the length of a hit is counted in: "word" where a part of the query matches whole words,
"character" where it has only words and phrases of the plain form, "post" where it has only
metadata."""


class SegmentHits:
    """The posts that match in one segment, and the hits in them.

    Only live documents are in it. Hits are sorted by start, end and then first word, and are
    distinct. Where the unit is "post", each matching post has one hit: all of its text. What is not
    asked for is not computed: a count of millions of hits reads no offsets.
    """

    def __init__(
        self,
        segment: Segment,
        documents: Positions,
        *,
        characters: Spans | None = None,
        words: Spans | None = None,
        hit_documents: Positions | None = None,
    ) -> None:
        """Take the spans of the hits in characters, in words, or in both.

        Their documents need only be given where the spans are not in order.
        """
        self.segment = segment
        # numbers of the matching documents, rising
        self.documents = documents
        self._characters = characters
        self._words = words
        self._hit_documents = hit_documents

    @cached_property
    def hit_count(self) -> int:
        """The number of hits."""
        return len(self._firsts)

    @cached_property
    def hit_documents(self) -> Positions:
        """The document of each hit."""
        if self._hit_documents is not None:
            return self._hit_documents
        return documents_of(self._bounds, self._firsts)

    @property
    def _firsts(self) -> npt.NDArray[Any]:
        spans = self._characters if self._words is None else self._words
        assert spans is not None  # noqa: S101
        return spans[0]

    @property
    def _bounds(self) -> npt.NDArray[Any]:
        return self.segment.array("char_offsets" if self._words is None else "word_offsets")

    @cached_property
    def starts(self) -> Positions:
        """The first character position of each hit."""
        if self._characters is not None:
            return np.asarray(self._characters[0], np.int64)
        return self.segment.array("word_starts")[self.first_words].astype(np.int64)

    @cached_property
    def ends(self) -> Positions:
        """The character position after the last character of each hit."""
        if self._characters is not None:
            return np.asarray(self._characters[1], np.int64)
        if not self.hit_count:
            return np.empty(0, np.int64)
        last = self.last_words - 1
        ends = self.segment.array("word_starts")[last].astype(np.int64)
        ends += self.segment.array("word_lengths")[last]
        return ends

    @cached_property
    def first_words(self) -> Positions:
        """The position of the first word that each hit touches.

        It equals `last_words` where a hit touches no word, or its document has none.
        """
        return np.asarray(self._touched_words[0], np.int64)

    @cached_property
    def last_words(self) -> Positions:
        """The position after the last word that each hit touches."""
        return np.asarray(self._touched_words[1], np.int64)

    def chosen(self, indexes: Positions) -> "SegmentHits":
        """Return some of the hits, in the order of `indexes`; matching documents stay."""
        if "hit_documents" in self.__dict__ or self._hit_documents is not None:
            hit_documents = self.hit_documents[indexes]
        else:
            positions = self._firsts[indexes].astype(np.int64)
            hit_documents = np.searchsorted(self._bounds, positions, "right") - 1
        return SegmentHits(
            self.segment,
            self.documents,
            characters=None if self._characters is None else _take(self._characters, indexes),
            words=None if self._words is None else _take(self._words, indexes),
            hit_documents=hit_documents,
        )

    @cached_property
    def _touched_words(self) -> Spans:
        if self._words is not None:
            return self._words
        return words_touched(self.segment, self.hit_documents, self.starts, self.ends)


def words_touched(
    segment: Segment, documents: Positions, starts: Positions, ends: Positions
) -> tuple[Positions, Positions]:
    """Return the first word that each span of characters overlaps, and the one after the last."""
    offsets = segment.array("word_offsets")
    lows, highs = offsets[documents], offsets[documents + 1]
    word_starts = segment.array("word_starts")
    if not len(word_starts):
        return lows, lows
    # the last word that starts at or before the span, where it reaches into it
    firsts = np.maximum(search_within(word_starts, starts, lows, highs, "right") - 1, lows)
    inside = np.minimum(firsts, len(word_starts) - 1)
    word_ends = word_starts[inside].astype(np.int64) + segment.array("word_lengths")[inside]
    firsts += (word_ends <= starts) & (firsts < highs)
    return firsts, search_within(word_starts, ends, firsts, highs, "left")


def _take(spans: Spans, indexes: Positions) -> Spans:
    return spans[0][indexes], spans[1][indexes]


@dataclass(frozen=True)
class SearchResult:
    """The hits of a query in all segments, and the size of what was searched.

    The size is that of the posts that the metadata of the query admit, as far as every match must
    meet them (`folic brand:kraft`: the posts of kraft), in `unit`.
    """

    segments: Sequence[SegmentHits]
    unit: Unit
    size: int
    # posts of that size, and those of them without words (not annotated), which only character
    # searches reach
    searched_posts: int
    posts_without_words: int
    # sentences for the user, such as "12 of 40 posts have no words yet: run 'folate annotate'"
    notes: tuple[str, ...] = ()

    @property
    def hit_count(self) -> int:
        """The number of hits."""
        return sum(hits.hit_count for hits in self.segments)

    @property
    def post_count(self) -> int:
        """The number of matching posts."""
        return sum(len(hits.documents) for hits in self.segments)

    def authors(self) -> npt.NDArray[np.uint64]:
        """Return the keys of the distinct authors of the matching posts."""
        keys = [hits.segment.array("authors")[hits.documents] for hits in self.segments]
        return np.unique(np.concatenate(keys)) if keys else np.empty(0, np.uint64)


@dataclass(frozen=True)
class CostEstimate:
    """What a query will read, found without running it."""

    # entries of postings that are read, at most
    postings: int
    seconds: float
    # the parts of the query that cost most, with their postings
    parts: Mapping[str, int]
