"""The order of posts and hits in answers, which no division into segments changes, and counts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpora.index.segment import Positions
from corpora.search.hits import SearchResult, SegmentHits


@dataclass(frozen=True)
class Order:
    """The elements of all segments in one order: segment, and index in that segment, of each."""

    segments: npt.NDArray[np.int64]
    indexes: Positions

    def __len__(self) -> int:
        return len(self.indexes)

    def runs(self) -> Iterator[tuple[int, Positions, Positions]]:
        """Yield for each segment: its number, places in the order, and indexes there."""
        for segment in np.unique(self.segments).tolist():
            places = np.flatnonzero(self.segments == segment)
            yield segment, places, self.indexes[places]


def post_order(result: SearchResult) -> Order:
    """Return the matching posts by moment of publication and then by id.

    `indexes` are indexes of `SegmentHits.documents`.
    """
    counts = [len(hits.documents) for hits in result.segments]
    segments = np.repeat(np.arange(len(counts)), counts)
    indexes = _counted(counts)
    filled = [hits for hits in result.segments if len(hits.documents)]
    if len(filled) <= 1:
        return Order(segments, indexes)
    moments = np.concatenate([_moments(hits) for hits in result.segments])
    order = np.argsort(moments, kind="stable")
    _order_ties(result.segments, moments, order, segments, indexes)
    return Order(segments[order], indexes[order])


def hit_order(result: SearchResult) -> Order:
    """Return the hits by moment of publication, then by id of the post, start and end.

    `indexes` are indexes of the hits of a segment.
    """
    counts = [hits.hit_count for hits in result.segments]
    segments = np.repeat(np.arange(len(counts)), counts)
    indexes = _counted(counts)
    if sum(count > 0 for count in counts) <= 1:
        return Order(segments, indexes)
    posts = post_order(result)
    places = []
    for number, hits in enumerate(result.segments):
        place_of_post = np.empty(len(hits.documents), np.int64)
        own = np.flatnonzero(posts.segments == number)
        place_of_post[posts.indexes[own]] = own
        places.append(place_of_post[np.searchsorted(hits.documents, hits.hit_documents)])
    order = np.argsort(np.concatenate(places), kind="stable")
    return Order(segments[order], indexes[order])


@dataclass(frozen=True)
class GroupCounts:
    """Matching posts and hits by a key, such as a day or an author; keys rise."""

    keys: npt.NDArray[Any]
    posts: npt.NDArray[np.int64]
    hits: npt.NDArray[np.int64]


def counts_by_day(result: SearchResult) -> GroupCounts:
    """Count by day: days since 1970-01-01 in the time zone of the project."""
    return _counts(result, lambda hits: hits.segment.array("days")[hits.documents])


def counts_by_week(result: SearchResult) -> GroupCounts:
    """Count by ISO week: the key is the day of its Monday, in days since 1970-01-01."""
    return _counts(result, lambda hits: mondays(hits.segment.array("days")[hits.documents]))


def counts_by_author(result: SearchResult) -> GroupCounts:
    """Count by author: the key is `author_key`."""
    return _counts(result, lambda hits: hits.segment.array("authors")[hits.documents])


def mondays(days: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return the Monday of the week of each day; days count from 1970-01-01, a Thursday."""
    values = np.asarray(days, np.int64)
    return values - (values + 3) % 7


def hits_of_posts(hits: SegmentHits) -> npt.NDArray[np.int64]:
    """Return the number of hits in each matching post (`SegmentHits.documents`)."""
    first_hits = np.searchsorted(hits.hit_documents, hits.documents, "left")
    return np.diff(np.append(first_hits, hits.hit_count))


def _counts(
    result: SearchResult, keys_of: Callable[[SegmentHits], npt.NDArray[Any]]
) -> GroupCounts:
    if not result.segments:
        empty = np.empty(0, np.int64)
        return GroupCounts(empty, empty, empty)
    keys = np.concatenate([keys_of(hits) for hits in result.segments])
    hits = np.concatenate([hits_of_posts(hits) for hits in result.segments])
    distinct, groups = np.unique(keys, return_inverse=True)
    posts = np.bincount(groups, minlength=len(distinct))
    # sums of whole numbers below 2**53 are exact
    totals = np.bincount(groups, weights=hits, minlength=len(distinct)).astype(np.int64)
    return GroupCounts(distinct, posts, totals)


def _moments(hits: SegmentHits) -> npt.NDArray[np.int64]:
    moments: npt.NDArray[np.int64] = hits.segment.array("published")[hits.documents]
    return moments


def _counted(counts: Sequence[int]) -> Positions:
    """Return 0, 1, 2 … for each count in turn."""
    if not counts:
        return np.empty(0, np.int64)
    return np.concatenate([np.arange(count) for count in counts])


def _order_ties(
    segments: Sequence[SegmentHits],
    moments: npt.NDArray[np.int64],
    order: Positions,
    segment_numbers: npt.NDArray[np.int64],
    indexes: Positions,
) -> None:
    """Order posts of one moment by id, in place, where they are of several segments."""
    is_later = np.append(False, np.diff(moments[order]) > 0)
    groups = np.cumsum(is_later)
    # within one segment, posts are in order already
    numbers = segment_numbers[order]
    is_other = np.append(False, (numbers[1:] != numbers[:-1]) & ~is_later[1:])
    is_mixed = np.zeros(len(order), np.bool_)
    is_mixed[groups[is_other]] = True
    places = np.flatnonzero(is_mixed[groups])
    if not len(places):
        return
    members = order[places]
    ids = _ids(segments, segment_numbers[members], indexes[members])
    table = pa.table({"group": groups[places], "id": ids})
    by_id = pc.sort_indices(table, [("group", "ascending"), ("id", "ascending")])
    order[places] = members[by_id.to_numpy()]


def _ids(
    segments: Sequence[SegmentHits], numbers: npt.NDArray[np.int64], indexes: Positions
) -> pa.Array:
    """Return the ids of matching posts of several segments."""
    ids = np.empty(len(numbers), object)
    for number in np.unique(numbers).tolist():
        places = np.flatnonzero(numbers == number)
        hits = segments[number]
        ids[places] = hits.segment.ids(hits.documents[indexes[places]])
    return pa.array(ids, pa.string())
