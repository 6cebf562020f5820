"""Parts of a corpus: its authors, its sources or its weeks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from corpora.answers.words import SegmentPosts, joined, split_by
from corpora.index.segment import Positions, Segment
from corpora.search.hits import SegmentHits, Unit
from corpora.search.order import mondays
from folate.core.weeks import Week

PartKind = Literal["authors", "sources", "weeks"]

SOURCE_KEY = "source:"

_EPOCH = date(1970, 1, 1)
_NO_PART = -1
_KEY_TYPES = {"authors": np.uint64, "sources": np.int64, "weeks": np.int64}


@dataclass(frozen=True)
class Parts:
    """The part that each post is in: numbers from 0 to before `count`."""

    count: int
    # in the order of the numbers; authors have none
    names: Sequence[str]
    # for each segment, the part of each document; -1 for documents that were not asked for
    numbers: Sequence[Positions]


def parts_of(posts: Sequence[SegmentPosts], kind: PartKind) -> Parts:
    """Divide posts by author, source or week; posts without a source are one part, ""."""
    sources = sorted({"", *(name for part in posts for name in _source_names(part.segment))})
    keys = [_part_keys(part, kind, sources) for part in posts]
    distinct, numbers = np.unique(joined(keys, _KEY_TYPES[kind]), return_inverse=True)
    by_part = split_by(numbers, [len(part.documents) for part in posts])
    by_segment = []
    for part, own in zip(posts, by_part, strict=True):
        of_documents = np.full(part.segment.document_count, _NO_PART, np.int64)
        of_documents[part.documents] = own
        by_segment.append(of_documents)
    return Parts(len(distinct), _names(distinct.tolist(), kind, sources), by_segment)


def unit_sizes(posts: SegmentPosts, unit: Unit) -> npt.NDArray[np.int64]:
    """Return the length of each post, in words, characters or posts."""
    if unit == "post":
        return np.ones(len(posts.documents), np.int64)
    bounds = posts.segment.array("word_offsets" if unit == "word" else "char_offsets")
    lengths = bounds[posts.documents + 1] - bounds[posts.documents]
    # characters are followed by a separator
    return np.asarray(lengths if unit == "word" else lengths - 1, np.int64)


def part_sizes(parts: Parts, posts: Sequence[SegmentPosts], unit: Unit) -> npt.NDArray[np.int64]:
    """Return the size of each part, in words, characters or posts."""
    sizes = np.zeros(parts.count)
    for numbers, part in zip(parts.numbers, posts, strict=True):
        # sums of whole numbers below 2 ** 53 are exact
        sizes += np.bincount(numbers[part.documents], unit_sizes(part, unit), parts.count)
    return sizes.astype(np.int64)


def part_hits(parts: Parts, hits: Sequence[SegmentHits]) -> npt.NDArray[np.int64]:
    """Return the hits in each part; `hits` has the segments in the order of the parts."""
    counts = np.zeros(parts.count, np.int64)
    for numbers, part in zip(parts.numbers, hits, strict=True):
        counts += np.bincount(numbers[part.hit_documents], minlength=parts.count)
    return counts


def _part_keys(
    posts: SegmentPosts, kind: PartKind, sources: Sequence[str]
) -> npt.NDArray[np.generic]:
    if kind == "authors":
        return np.asarray(posts.segment.array("authors")[posts.documents])
    if kind == "weeks":
        return mondays(posts.segment.array("days")[posts.documents])
    numbers = np.zeros(posts.segment.document_count, np.int64)
    for name in _source_names(posts.segment):
        numbers[posts.segment.documents_with(SOURCE_KEY + name)] = sources.index(name)
    return numbers[posts.documents]


def _source_names(segment: Segment) -> list[str]:
    keys = [key for key in segment.fields if key.startswith(SOURCE_KEY)]
    return [key.removeprefix(SOURCE_KEY) for key in keys]


def _names(keys: Sequence[int], kind: PartKind, sources: Sequence[str]) -> list[str]:
    match kind:
        case "weeks":
            return [str(Week.from_date(_EPOCH + timedelta(days=day))) for day in keys]
        case "sources":
            return [sources[number] for number in keys]
    return []
