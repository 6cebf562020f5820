"""Hits of a query: where in the corpus it matches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions, Segment

Unit = Literal["word", "character", "post"]
"""What the length of a hit is counted in: "word" where a part of the query matches whole words,
"character" where it has only words and phrases of the plain form, "post" where it has only
metadata."""


@dataclass(frozen=True)
class SegmentHits:
    """The posts that match in one segment, and the hits in them.

    Only live documents are in it. Hits are sorted by start, end and then first word, and are
    distinct. Where the unit is "post", each matching post has one hit: all of its text.
    """

    segment: Segment
    # numbers of the matching documents, rising
    documents: Positions
    # document of each hit
    hit_documents: Positions
    # character positions of each hit, [start, end)
    starts: Positions
    ends: Positions
    # word positions [first, last) of the words that the hit touches; first == last where the hit
    # touches no word, or the document has none
    first_words: Positions
    last_words: Positions

    @property
    def hit_count(self) -> int:
        return len(self.starts)


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
