"""Posts in cells: the combinations of values of metadata that counts are made for."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.answers.metadata import FieldValues, day_name, field_values, week_name
from corpora.index.segment import Positions, Segment
from corpora.query.fields import FIELDS, PART_SEPARATOR
from corpora.search.hits import SearchResult, SegmentHits, Unit
from corpora.search.order import mondays
from corpora.search.view import CorpusView
from folate.core.errors import InputError

Counts = npt.NDArray[np.int64]

MAX_CELLS = 20_000_000
"""Combinations of values that posts can be counted by."""

# Cells up to which the authors of each are sorted by themselves.
_FEW_CELLS = 5_000


class Axis:
    """The values of one field in a whole corpus, numbered in alphabetical order."""

    def __init__(self, view: CorpusView, field: str) -> None:
        self.field = field
        if self.is_single:
            self._first, last = _day_range(view.segments)
            step = 7 if field == "week" else 1
            days = np.arange(self._first, last + 1)
            self._code_of_day = (days - self._first) // step
            name_of = week_name if field == "week" else day_name
            # of each value
            self.first_days: list[int] = days[::step].tolist()
            self.names = [name_of(day) for day in self.first_days]
        else:
            found = [field_values(segment, field, _NONE).names for segment in view.segments]
            self.names = sorted({name for names in found for name in names})
        self._codes = {name: code for code, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    @property
    def is_single(self) -> bool:
        """Whether each post has one value."""
        return self.field in ("week", "day")

    def values(self, segment: Segment, documents: Positions) -> FieldValues:
        """Return the values of documents with the numbers of this axis."""
        if self.is_single:
            codes = self._code_of_day[days_of(segment, documents) - self._first]
            return FieldValues(np.arange(len(documents)), codes, self.names)
        found = field_values(segment, self.field, documents)
        numbers = np.array([self._codes[name] for name in found.names], np.int64)
        values = FieldValues(found.places, numbers[found.codes], self.names)
        return self._with_wider(values) if FIELDS[self.field].finds_longer else values

    def bounds(self, segment: Segment, documents: Positions) -> Counts | None:
        """Return where among documents each period begins, and the end.

        None if they are not in the order of days, as where clocks were turned back at midnight.
        """
        days = days_of(segment, documents)
        if not np.all(days[1:] >= days[:-1]):
            return None
        starts = np.searchsorted(days, np.array(self.first_days, days.dtype))
        return np.append(starts, len(documents))

    def _with_wider(self, values: FieldValues) -> FieldValues:
        """Add to each value those that a query for them would find, too: 广东 to 广东 广州."""
        wider = [
            [code for code, name in enumerate(self.names) if self._finds(name, longer)]
            for longer in self.names
        ]
        counts = np.array([len(codes) for codes in wider], np.int64)
        bounds = np.concatenate([[0], np.cumsum(counts)])
        all_codes = np.array([code for codes in wider for code in codes], np.int64)
        repeats = counts[values.codes]
        places = np.repeat(values.places, repeats)
        ends = np.cumsum(repeats)
        within = np.arange(int(repeats.sum())) - np.repeat(ends - repeats, repeats)
        codes = all_codes[np.repeat(bounds[values.codes], repeats) + within]
        pairs = np.unique(places * max(len(self), 1) + codes)
        return FieldValues(pairs // max(len(self), 1), pairs % max(len(self), 1), self.names)

    def _finds(self, value: str, longer: str) -> bool:
        if self.field == "tag":
            return longer == value or longer.startswith(f"{value} {PART_SEPARATOR} ")
        return value in longer


_NONE = np.empty(0, np.int64)


class Grid:
    """The cells of some fields."""

    def __init__(self, view: CorpusView, fields: Sequence[str]) -> None:
        """Number the cells. Raises InputError for too many."""
        self.fields = tuple(fields)
        self.axes = [Axis(view, field) for field in fields]
        self.size = prod(map(len, self.axes))
        self._cells_of_segments: dict[int, FieldValues] = {}
        if self.size > MAX_CELLS:
            raise InputError(
                f"{' x '.join(fields)} are {self.size:,} combinations, and at most "
                f"{MAX_CELLS:,} can be counted: ask for fewer fields."
            )

    def labels(self, cell: int) -> list[str]:
        """Return the value of each field in a cell."""
        labels = []
        for axis in reversed(self.axes):
            cell, code = divmod(cell, len(axis))
            labels.append(axis.names[code])
        return labels[::-1]

    def cells(self, segment: Segment, documents: Positions) -> FieldValues:
        """Return the cells of documents: a document is in one for each combination it has."""
        if len(documents) < segment.document_count:
            return self._find_cells(segment, documents)
        # matching posts and searched posts are often both all of them
        key = id(segment)
        if key not in self._cells_of_segments:
            self._cells_of_segments[key] = self._find_cells(segment, documents)
        return self._cells_of_segments[key]

    def _find_cells(self, segment: Segment, documents: Positions) -> FieldValues:
        found = self.axes[0].values(segment, documents)
        is_whole = self.axes[0].is_single
        for axis in self.axes[1:]:
            values = axis.values(segment, documents)
            places, cells = found.places, found.codes
            if axis.is_single:
                cells = cells * len(axis) + values.codes[places]
            elif is_whole:
                places = values.places
                cells = cells[places] * len(axis) + values.codes
                is_whole = False
            else:
                places, cells = _combine(places, cells, values, len(documents), len(axis))
            found = FieldValues(places, cells, ())
        return found


def _combine(
    places: Positions, cells: Counts, values: FieldValues, document_count: int, size: int
) -> tuple[Positions, Counts]:
    """Combine each cell of a document with each of its values on a further axis of this size."""
    order = np.argsort(values.places, kind="stable")
    counts_of_documents = np.bincount(values.places, minlength=document_count)
    starts = np.cumsum(counts_of_documents) - counts_of_documents
    counts = counts_of_documents[places]
    ends = np.cumsum(counts)
    within = np.arange(int(counts.sum())) - np.repeat(ends - counts, counts)
    chosen = order[np.repeat(starts[places], counts) + within]
    return np.repeat(places, counts), np.repeat(cells, counts) * size + values.codes[chosen]


@dataclass(frozen=True)
class MatchingPosts:
    """The matching posts of a search, once for each cell that they are in."""

    cells: Counts
    hits: Counts
    # units of the post
    sizes: Counts
    authors: npt.NDArray[np.uint64]
    # posts that are in no cell
    without_cell: int


def matching_posts(grid: Grid, result: SearchResult) -> MatchingPosts:
    """Return the matching posts of a search by cell."""
    cells, hits, sizes, authors = [], [], [], []
    outside = 0
    for part in result.segments:
        found = grid.cells(part.segment, part.documents)
        documents = part.documents[found.places]
        cells.append(found.codes)
        hits.append(hit_counts(part)[found.places])
        sizes.append(unit_sizes(part.segment, documents, result.unit))
        authors.append(part.segment.array("authors")[documents])
        has_cell = np.zeros(len(part.documents), bool)
        has_cell[found.places] = True
        outside += int(np.count_nonzero(~has_cell))
    return MatchingPosts(
        cells=np.concatenate([_NONE, *cells]),
        hits=np.concatenate([_NONE, *hits]),
        sizes=np.concatenate([_NONE, *sizes]),
        authors=np.concatenate([np.empty(0, np.uint64), *authors]),
        without_cell=outside,
    )


def cell_sums(
    grid: Grid, segment: Segment, documents: Positions, values: Sequence[Counts]
) -> list[Counts]:
    """Return in each cell the sums of some values of documents, whose numbers rise."""
    if len(grid.axes) == 1 and grid.axes[0].is_single:
        bounds = grid.axes[0].bounds(segment, documents)
        if bounds is not None:
            return [_stretch_sums(of_documents, bounds) for of_documents in values]
    found = grid.cells(segment, documents)
    sums = []
    for of_documents in values:
        # sums of whole numbers below 2**53 are exact
        total = np.bincount(found.codes, of_documents[found.places], minlength=grid.size)
        sums.append(total.astype(np.int64))
    return sums


def _stretch_sums(values: Counts, bounds: Counts) -> Counts:
    """Return the sum of the values from each bound to the next; the bounds cover all of them."""
    sums = np.zeros(len(bounds) - 1, np.int64)
    is_filled = bounds[1:] > bounds[:-1]
    if is_filled.any():
        sums[is_filled] = np.add.reduceat(values, bounds[:-1][is_filled])
    return sums


def unit_sizes(segment: Segment, documents: Positions, unit: Unit) -> Counts:
    """Return the size of each document in `unit`."""
    if unit == "post":
        return np.ones(len(documents), np.int64)
    offsets = segment.array("word_offsets" if unit == "word" else "char_offsets")
    # a separator follows each document
    separators = 0 if unit == "word" else 1
    if len(documents) == segment.document_count:
        return np.diff(offsets) - separators
    return np.asarray(offsets[documents + 1] - offsets[documents] - separators, np.int64)


def hit_counts(hits: SegmentHits) -> Counts:
    """Return the number of hits in each matching document."""
    counts = np.bincount(hits.hit_documents, minlength=hits.segment.document_count)
    return np.asarray(counts[hits.documents], np.int64)


def authors_by_cell(cells: Counts, authors: npt.NDArray[np.uint64], size: int) -> Counts:
    """Return the number of distinct authors in each of `size` cells."""
    counts = np.zeros(size, np.int64)
    if size < 2**16:
        order = np.argsort(cells.astype(np.uint16), kind="stable")
    else:
        order = np.argsort(cells, kind="stable")
    sorted_cells = cells[order]
    sorted_authors = authors[order]
    bounds = np.append(np.flatnonzero(np.diff(sorted_cells, prepend=-1)), len(cells))
    if len(bounds) > _FEW_CELLS:
        order = np.lexsort((sorted_authors, sorted_cells))
        cells, authors = sorted_cells[order], sorted_authors[order]
        is_new = np.append(True, (np.diff(cells) != 0) | (authors[1:] != authors[:-1]))
        return np.bincount(cells[is_new[: len(cells)]], minlength=size)
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        counts[sorted_cells[first]] = distinct_count(sorted_authors[first:last])
    return counts


def distinct_count(values: npt.NDArray[Any]) -> int:
    """Return how many distinct values there are; far faster than numpy's unique."""
    ordered = np.sort(values)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + bool(len(ordered))


def days_of(segment: Segment, documents: Positions) -> npt.NDArray[np.int32]:
    """Return the days of documents, in days since 1970-01-01."""
    days: npt.NDArray[np.int32] = segment.array("days")
    return days if len(documents) == len(days) else days[documents]


def _day_range(segments: Sequence[Segment]) -> tuple[int, int]:
    """Return the Monday before the first post, and the day of the last post."""
    days = [segment.array("days") for segment in segments if segment.document_count]
    if not days:
        return 0, -1
    first = min(int(values.min()) for values in days)
    return int(mondays(np.array([first]))[0]), max(int(values.max()) for values in days)
