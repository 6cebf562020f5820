"""Trends: how often a query matches week by week or day by day, with intervals and gaps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import inf
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from corpora.answers import author_intervals, coverage
from corpora.answers.answer import Answer
from corpora.answers.author_intervals import CellSizes, rate_intervals
from corpora.answers.cells import (
    Axis,
    Grid,
    authors_by_cell,
    cell_sums,
    matching_posts,
    unit_sizes,
)
from corpora.answers.counts import DEFINITIONS as COUNT_DEFINITIONS
from corpora.answers.counts import cell_query, per_million
from corpora.answers.coverage import GAPS, Coverage, Ledger, Period, required_sources
from corpora.answers.metadata import GROUPED_FIELDS, require_fields
from corpora.answers.searched import searched_posts
from corpora.answers.trend_picture import draw_trend
from corpora.answers.words import SegmentPosts
from corpora.query.syntax import And, Filter, Node, Query
from corpora.search.hits import SearchResult, Unit
from corpora.search.view import CorpusView
from folate.core.text import join_names
from folate.core.weeks import Week, last_day

Step = Literal["week", "day"]

BY_FIELDS = tuple(name for name in GROUPED_FIELDS if name not in ("week", "day"))
"""What trends can be split by."""

_EPOCH = date(1970, 1, 1)
_MILLION = 1_000_000
_MAX_LISTED_GAPS = 8


@dataclass(frozen=True)
class _CellFigures:
    """The figures of each cell."""

    posts: npt.NDArray[np.int64]
    hits: npt.NDArray[np.int64]
    authors: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


def trend(view: CorpusView, query: str, by: str | None = None, step: Step = "week") -> Answer:
    """Count a query by week or day, and by one field of metadata if wanted. Raises InputError."""
    if by is not None:
        require_fields([by], BY_FIELDS, "split a trend by")
    parsed = view.parse(query)
    result = view.search(parsed)
    grid = Grid(view, [step] if by is None else [step, by])
    figures = _figures(view, parsed, result, grid)
    rows = list(_rows(view, parsed, grid, figures))
    language = view.config.language
    return Answer(
        name="trend",
        query=query,
        canonical=parsed.canonical,
        version=view.version,
        rows=rows,
        definitions=_definitions(step, by, result.unit),
        notes=(*result.notes, *_gap_notes(rows, step)),
        draw=lambda answer: draw_trend(answer, step, by, result.unit, language),
    )


def _figures(view: CorpusView, query: Query, result: SearchResult, grid: Grid) -> _CellFigures:
    matching = matching_posts(grid, result)
    sizes = _cell_sizes(grid, searched_posts(view, query), result.unit)
    low, high = rate_intervals(matching, sizes)
    return _CellFigures(
        posts=np.bincount(matching.cells, minlength=grid.size),
        hits=np.bincount(matching.cells, matching.hits, minlength=grid.size).astype(np.int64),
        authors=authors_by_cell(matching.cells, matching.authors, grid.size),
        sizes=sizes.totals,
        low=low * _MILLION,
        high=high * _MILLION,
    )


def _cell_sizes(grid: Grid, posts: Sequence[SegmentPosts], unit: Unit) -> CellSizes:
    totals = np.zeros(grid.size)
    squares = np.zeros(grid.size)
    for segment, documents in posts:
        sizes = unit_sizes(segment, documents, unit)
        total, square = cell_sums(grid, segment, documents, [sizes, sizes * sizes])
        totals += total
        squares += square
    return CellSizes(totals, squares)


def _rows(
    view: CorpusView, query: Query, grid: Grid, figures: _CellFigures
) -> Iterator[dict[str, Any]]:
    """Yield a row for each period, and for each value that some matching post has."""
    axis = grid.axes[0]
    width = grid.size // max(len(axis), 1)
    values = [0]
    if len(grid.axes) > 1:
        values = np.flatnonzero(figures.posts.reshape(len(axis), width).any(axis=0)).tolist()
    coverages = _Coverages(view, query, axis)
    for period in _asked_periods(query.tree, axis):
        for value in values:
            cell = period * width + value
            labels = grid.labels(cell)
            source = labels[1] if grid.axes[-1].field == "source" else None
            fields = [axis.field for axis in grid.axes]
            row: dict[str, Any] = dict(zip(fields, labels, strict=True))
            row |= _figures_of_cell(figures, cell, coverages.of(period, source))
            row["query"] = cell_query(query, fields, labels)
            row["version"] = view.version
            yield row


def _figures_of_cell(figures: _CellFigures, cell: int, covered: Coverage) -> dict[str, Any]:
    has_posts = covered != "none"
    has_rates = covered not in GAPS and figures.sizes[cell] > 0
    hits = int(figures.hits[cell])
    return {
        "posts": int(figures.posts[cell]) if has_posts else None,
        "hits": hits if has_posts else None,
        "per_million": per_million(hits, float(figures.sizes[cell])) if has_rates else None,
        "low": round(float(figures.low[cell]), 3) if has_rates else None,
        "high": round(float(figures.high[cell]), 3) if has_rates else None,
        "authors": int(figures.authors[cell]) if has_posts else None,
        "size": int(figures.sizes[cell]) if has_posts else None,
        "coverage": covered,
    }


class _Coverages:
    """The coverage of periods: what was crawled, or at least has posts."""

    def __init__(self, view: CorpusView, query: Query, axis: Axis) -> None:
        self._axis = axis
        self._segments = view.segments
        self._days = 7 if axis.field == "week" else 1
        self._ledger = Ledger(view.snapshot, view.config.timezone)
        self._sources = required_sources(query.tree)
        self._found: dict[tuple[int, str | None], Coverage] = {}
        self._periods_with_posts: dict[frozenset[str] | None, npt.NDArray[np.bool_]] = {}

    def of(self, period: int, source: str | None) -> Coverage:
        """Return the coverage of a period, given its number, by one source or by all asked."""
        key = (period, source)
        if key not in self._found:
            self._found[key] = self._find(period, source)
        return self._found[key]

    def _find(self, number: int, source: str | None) -> Coverage:
        sources = self._sources if source is None else frozenset({source})
        first = self._axis.first_days[number]
        covered = self._ledger.coverage(Period(first, first + self._days), sources)
        if covered != "unrecorded":
            return covered
        if sources not in self._periods_with_posts:
            self._periods_with_posts[sources] = self._with_posts(sources)
        return "unrecorded" if self._periods_with_posts[sources][number] else "none"

    def _with_posts(self, sources: frozenset[str] | None) -> npt.NDArray[np.bool_]:
        """Return for each period whether it has a post of sources, None for any source."""
        flags = np.zeros(len(self._axis), bool)
        for segment in self._segments:
            documents = segment.live_documents
            if sources is not None:
                found = [segment.documents_with(f"source:{name}") for name in sorted(sources)]
                documents = np.intersect1d(documents, np.concatenate(found))
            bounds = self._axis.bounds(segment, documents)
            if bounds is None:
                flags[self._axis.values(segment, documents).codes] = True
            else:
                flags |= np.diff(bounds) > 0
        return flags


def _asked_periods(tree: Node, axis: Axis) -> list[int]:
    """Return the numbers of the periods that a query admits."""
    first, last = _day_bounds(tree)
    days = 7 if axis.field == "week" else 1
    return [
        number
        for number, start in enumerate(axis.first_days)
        if start + days > first and start <= last
    ]


def _day_bounds(tree: Node) -> tuple[float, float]:
    """Return the first and the last day that the weeks and days of a query admit."""
    match tree:
        case Filter(field="week" | "day", operator=operator, value=value, until=until):
            last = until if operator == ".." else value
            return _first_day(value) if value else -inf, _last_day(last) if last else inf
        case And(items):
            bounds = [_day_bounds(item) for item in items]
            return max(low for low, _ in bounds), min(high for _, high in bounds)
    return -inf, inf


def _first_day(period: str) -> int:
    monday_or_day = Week.parse(period).monday if "W" in period else date.fromisoformat(period)
    return (monday_or_day - _EPOCH).days


def _last_day(period: str) -> int:
    return (last_day(period) - _EPOCH).days


def _gap_notes(rows: Sequence[Mapping[str, Any]], step: Step) -> list[str]:
    gaps = {row[step] for row in rows if row["coverage"] in GAPS}
    if not gaps:
        return []
    names = []
    for is_gap, run in groupby(sorted({row[step] for row in rows}), gaps.__contains__):
        periods = list(run)
        if is_gap:
            names.append("..".join(dict.fromkeys((periods[0], periods[-1]))))
    listed = join_names(names, max_names=_MAX_LISTED_GAPS)
    return [f"gaps, as not all posts of the {step} were seen: {listed}"]


def _definitions(step: Step, by: str | None, unit: Unit) -> dict[str, str]:
    definitions: dict[str, str] = {step: f"the {step}, in the time zone of the project"}
    if by is not None:
        definitions[by] = f"metadata: {by}"
    definitions["posts"] = COUNT_DEFINITIONS["posts"]
    definitions["hits"] = COUNT_DEFINITIONS["hits"]
    definitions["per_million"] = f"hits per million {unit}s of all posts of the row"
    definitions["low"] = definitions["high"] = author_intervals.DEFINITION
    definitions["authors"] = COUNT_DEFINITIONS["authors"]
    definitions["size"] = f"{unit}s of all posts of the row"
    definitions["coverage"] = coverage.DEFINITION
    definitions["query"] = COUNT_DEFINITIONS["query"]
    definitions["version"] = COUNT_DEFINITIONS["version"]
    return definitions
