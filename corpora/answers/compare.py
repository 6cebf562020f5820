"""Comparison: two or more queries side by side, and where their ratio is another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from corpora.answers.answer import Answer
from corpora.answers.parts import Parts, parts_of, unit_sizes
from corpora.answers.ranking import rounded
from corpora.answers.row_queries import both_nodes
from corpora.answers.searched import is_metadata, searched_posts
from corpora.answers.words import (
    SegmentPosts,
    all_posts,
    is_among,
    joined,
    posts_by_segment,
    split_by,
)
from corpora.query.canonical import canonical
from corpora.query.syntax import Filter, Query
from corpora.search.hits import SearchResult, Unit
from corpora.search.order import hits_of_posts
from corpora.search.view import CorpusView
from folate.core.errors import InputError
from nlp.stats.estimation import (
    author_weights,
    percentile_interval,
    resampling_units,
    weighted_sums,
)

PartField = Literal["source", "week"]

CONFIDENCE = 0.95
MAX_QUERIES = 20

DEFINITIONS = {
    "part": "all posts, or those of a source or a week",
    "compared": "one of the queries",
    "hits": "its hits there",
    "posts": "its posts there",
    "authors": "authors of these posts",
    "per_million": "hits per million units of the posts that were searched",
    "unit": "word, character or post",
    "ratio": "per_million divided by that of the first query",
    "low": "lower bound of the ratio: 95 %, by resampling authors",
    "high": "upper bound",
    "differs": "whether the ratio differs from that in all posts: 95 % for all parts together",
    "query": "selects the posts",
    "version": "of the corpus",
}


@dataclass(frozen=True)
class _Compared:
    """One of the queries: its matching posts, and those that were searched."""

    text: str
    query: Query
    result: SearchResult
    searched: Sequence[SegmentPosts]


@dataclass(frozen=True)
class _Measures:
    """Of the posts that were searched for one query: hits, length, and who wrote them."""

    documents: Sequence[SegmentPosts]
    # of each of these posts
    units: npt.NDArray[np.int64]
    hits: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.float64]

    def sums(
        self, parts: Parts, weights: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return hits and sizes by part, under each draw of weights: (draws, parts)."""
        pairs = zip(parts.numbers, self.documents, strict=True)
        numbers = joined([part[own.documents] for part, own in pairs], np.int64)
        shape = (parts.count,)
        return (
            weighted_sums(weights, self.units, self.hits, numbers, shape),
            weighted_sums(weights, self.units, self.sizes, numbers, shape),
        )


@dataclass(frozen=True)
class _Rates:
    """Rates of all queries in some parts, under each draw; the first draw is the estimate."""

    field: PartField | None
    parts: Parts
    # (draws, queries, parts)
    rates: npt.NDArray[np.float64]

    @cached_property
    def ratios(self) -> npt.NDArray[np.float64]:
        """The rates divided by those of the first query; NaN where that has no hits."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = self.rates / self.rates[:, :1]
        ratios[~np.isfinite(ratios)] = np.nan
        return ratios


def compare(
    view: CorpusView,
    queries: Sequence[str],
    *,
    by: Sequence[PartField] = ("source", "week"),
    all_parts: bool = False,
) -> Answer:
    """Return how often queries match, beside the first of them, in all posts and in parts of them.

    The parts are sources and weeks; those in which no ratio differs from that in all posts are left
    out, unless `all_parts`. A query is measured among the posts that its metadata admit (`folic
    brand:kraft`: the posts of kraft), one of metadata only among all posts. Raises InputError.
    """
    if not 2 <= len(queries) <= MAX_QUERIES:
        raise InputError(f"wanted 2 to {MAX_QUERIES} queries to compare, got {len(queries)}.")
    compared = [_search(view, text) for text in queries]
    units = {one.result.unit for one in compared}
    unit: Unit = next(iter(units)) if len(units) == 1 else "post"
    measures = _measure(compared, unit)
    weights = author_weights(1 + max(int(one.units.max(initial=0)) for one in measures))
    everything = _rates(view, None, measures, weights)
    by_part = [_rates(view, field, measures, weights) for field in by]
    tests = sum(rates.parts.count for rates in by_part) * (len(queries) - 1)
    rows = []
    left_out = 0
    for rates in (everything, *by_part):
        differs = _differing(rates, everything, tests)
        for part in range(rates.parts.count):
            if rates.field is None or all_parts or differs[:, part].any():
                rows += _part_rows(view, compared, rates, part, differs[:, part], unit)
            else:
                left_out += 1
    notes = [note for one in compared for note in one.result.notes]
    notes += _notes(view, compared, len(units) > 1, left_out)
    return Answer(
        "compare",
        " | ".join(queries),
        " | ".join(one.query.canonical for one in compared),
        view.version,
        rows,
        DEFINITIONS,
        tuple(dict.fromkeys(notes)),
    )


def _search(view: CorpusView, text: str) -> _Compared:
    query = view.parse(text)
    is_only_metadata = is_metadata(query.tree)
    searched = all_posts(view) if is_only_metadata else searched_posts(view, query)
    return _Compared(text, query, view.search(query), searched)


def _measure(compared: Sequence[_Compared], unit: Unit) -> list[_Measures]:
    keys = [_authors(one.searched) for one in compared]
    units, _ = resampling_units(np.concatenate(keys))
    by_query = split_by(units, [len(own) for own in keys])
    measures = []
    for one, own_units in zip(compared, by_query, strict=True):
        hits = []
        for hits_of_segment, posts in zip(one.result.segments, one.searched, strict=True):
            counts = np.zeros(posts.segment.document_count)
            per_post = 1 if unit == "post" else hits_of_posts(hits_of_segment)
            counts[hits_of_segment.documents] = per_post
            hits.append(counts[posts.documents])
        sizes = [unit_sizes(posts, unit).astype(np.float64) for posts in one.searched]
        measures.append(
            _Measures(one.searched, own_units, joined(hits, float), joined(sizes, float))
        )
    return measures


def _authors(posts: Sequence[SegmentPosts]) -> npt.NDArray[np.uint64]:
    return joined([part.segment.array("authors")[part.documents] for part in posts], np.uint64)


def _rates(
    view: CorpusView,
    field: PartField | None,
    measures: Sequence[_Measures],
    weights: npt.NDArray[np.float64],
) -> _Rates:
    posts = all_posts(view)
    if field is None:
        numbers = [np.zeros(part.segment.document_count, np.int64) for part in posts]
        parts = Parts(1, ["all"], numbers)
    else:
        parts = parts_of(posts, "sources" if field == "source" else "weeks")
    sums = [one.sums(parts, weights) for one in measures]
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.stack([hits / sizes for hits, sizes in sums], axis=1)
    return _Rates(field, parts, rates)


def _differing(rates: _Rates, everything: _Rates, tests: int) -> npt.NDArray[np.bool_]:
    """Return (queries, parts) where the ratio surely is another one than in all posts.

    By the normal approximation of the difference of the logarithms, whose error is that of the
    draws; with `tests` parts each has 1 / tests of the error.
    """
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / max(tests, 1) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        differences = np.log(rates.ratios) - np.log(everything.ratios)
        spread = differences[1:].std(axis=0)
        return np.asarray(np.abs(differences[0]) > z * spread)


def _part_rows(
    view: CorpusView,
    compared: Sequence[_Compared],
    rates: _Rates,
    part: int,
    differs: npt.NDArray[np.bool_],
    unit: Unit,
) -> list[dict[str, Any]]:
    name = rates.parts.names[part]
    condition = None if rates.field is None else Filter(rates.field, "=", name)
    rows = []
    for number, one in enumerate(compared):
        hits, posts, authors = _count(one.result, rates.parts, part, unit)
        ratios = rates.ratios[:, number, part]
        low, high = _bounds(ratios) if number else (None, None)
        has_test = rates.field is not None and number and low is not None
        rows.append(
            {
                "part": name if rates.field is None else f"{rates.field}:{name}",
                "compared": one.text,
                "hits": hits,
                "posts": posts,
                "authors": authors,
                "per_million": rounded(rates.rates[0, number, part] * 1_000_000),
                "unit": unit,
                "ratio": rounded(ratios[0]),
                "low": low,
                "high": high,
                "differs": bool(differs[number]) if has_test else None,
                "query": canonical(both_nodes(one.query.tree, condition)),
                "version": view.version,
            }
        )
    return rows


def _count(result: SearchResult, parts: Parts, part: int, unit: Unit) -> tuple[int, int, int]:
    """Return the hits, posts and authors of a result in a part."""
    hits = 0
    posts = 0
    authors = [np.empty(0, np.uint64)]
    for found, numbers in zip(result.segments, parts.numbers, strict=True):
        documents = found.documents[numbers[found.documents] == part]
        posts += len(documents)
        hits += int(np.count_nonzero(numbers[found.hit_documents] == part))
        authors.append(found.segment.array("authors")[documents])
    return (posts if unit == "post" else hits), posts, len(np.unique(np.concatenate(authors)))


def _bounds(ratios: npt.NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the interval of a ratio; None for none, or where nothing varies."""
    if not ratios[0] > 0 or np.isnan(ratios).any():
        return None, None
    low, high = percentile_interval(ratios[1:], CONFIDENCE)
    return rounded(low), rounded(high)


def _notes(
    view: CorpusView, compared: Sequence[_Compared], is_mixed: bool, left_out: int
) -> list[str]:
    notes = []
    if is_mixed:
        notes.append(
            "some queries match words and others characters or posts: posts are counted for all."
        )
    if left_out:
        notes.append(
            "sources and weeks left out, in which no ratio surely differs from that in all posts: "
            f"{left_out:,} (--all shows them)."
        )
    if len(compared) == 2:
        first, second = (posts_by_segment(view, one.result) for one in compared)
        shared = [
            SegmentPosts(one.segment, np.flatnonzero(is_among(one) & is_among(two)))
            for one, two in zip(first, second, strict=True)
        ]
        count = sum(len(part.documents) for part in shared)
        authors = len(np.unique(_authors(shared)))
        notes.append(f"posts that match both queries: {count:,}, authors of them: {authors:,}.")
    return notes
