"""The saved queries of folate.toml: how much of the week's posts they find, and its change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from corpora.search.view import CorpusView
from folate.core.errors import FolateError
from folate.core.text import to_single_line
from nlp.stats.estimation import (
    Floats,
    author_weights,
    benjamini_hochberg,
    min_detectable_change,
    percentile_interval,
    resampling_units,
    two_sided_p_value,
    weighted_sums,
)
from reports.context import NO_INTERVAL, TRAILING_WEEKS, ReportContext
from reports.figures import (
    CHANGE_SUFFIX,
    DETECTABLE_SUFFIX,
    MAX_SAMPLE_POSTS,
    Change,
    Figure,
)
from reports.measures.brands import FALSE_DISCOVERY_RATE, MIN_AUTHORS, MIN_CHANGE
from reports.measures.query_posts import Flags, QueryPosts, read_query_posts

CorpusOpener = Callable[[], CorpusView]
"""Opens the corpus at the versions of a report's snapshot."""

RATE_MEASURE = "saved_rate"
WEEK_MEASURES = ("saved_posts", "saved_authors", "saved_hits", RATE_MEASURE)
"""Figures of a saved query in the report's week, in the order of their columns."""

_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SavedQuery:
    """A saved query in a report: its figures, or why there are none."""

    name: str
    canonical: str = ""
    # one sentence of an error; empty where the query was answered
    problem: str = ""
    # of WEEK_MEASURES
    figures: Mapping[str, Figure] = field(default_factory=dict)
    # of RATE_MEASURE, to the week before
    changes: Mapping[str, Change] = field(default_factory=dict)
    # hits per million by week, oldest first
    trend: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class _Rates:
    """Hits per million by week and draw, and how the last week differs from the one before."""

    # (1 + draws, weeks)
    levels: Floats
    # (1 + draws,), on the sources with posts in both weeks; None where it can't be known
    change: Floats | None
    has_all_sources: bool


def find_saved_queries(
    context: ReportContext, open_corpus: CorpusOpener | None
) -> tuple[SavedQuery, ...]:
    """Ask every saved query of folate.toml, in its order.

    A query, or a corpus, that fails is said in its place. Changes are tested together.
    """
    queries = context.config.queries
    if not queries or open_corpus is None:
        return ()
    try:
        view = open_corpus()
    except (FolateError, OSError) as error:
        return tuple(_failed(name, text, error) for name, text in queries.items())
    answers = [_ask(context, view, name, text) for name, text in queries.items()]
    return _with_tested_changes(answers)


@dataclass(frozen=True)
class _Answer:
    saved: SavedQuery
    # a change before it is tested, with its standard error
    change: Change | None = None
    standard_error: float = 0.0


def _failed(name: str, text: str, error: Exception) -> SavedQuery:
    return SavedQuery(name=name, canonical=to_single_line(text), problem=to_single_line(str(error)))


def _ask(context: ReportContext, view: CorpusView, name: str, text: str) -> _Answer:
    weeks = context.last_weeks(TRAILING_WEEKS)
    try:
        query = view.parse(text)
        posts = read_query_posts(view, query, weeks)
    except (FolateError, OSError) as error:
        return _Answer(_failed(name, text, error))
    asked = _AskedQuery(context, name, posts)
    saved = SavedQuery(
        name=name,
        canonical=query.canonical,
        figures=asked.week_figures(),
        trend=tuple(asked.rate(week) for week in range(len(weeks))),
    )
    return _Answer(saved, *asked.change())


class _AskedQuery:
    """Makes the figures of one query."""

    def __init__(self, context: ReportContext, name: str, posts: QueryPosts) -> None:
        self.context = context
        self.name = name
        self.posts = posts
        self.rates = _measure_rates(posts)

    def week_figures(self) -> dict[str, Figure]:
        """Return the figures of the report's week, by measure."""
        last = len(self.posts.weeks) - 1
        is_found = self._is_found(last)
        values = {
            "saved_posts": int(is_found.sum()),
            "saved_authors": len(np.unique(self.posts.author[is_found])),
            "saved_hits": int(self.posts.hits[is_found].sum()),
        }
        figures = {
            measure: self._figure(measure, value, [last], flags=self._flags(last, is_total=True))
            for measure, value in values.items()
        }
        return figures | {RATE_MEASURE: self.rate(last)}

    def rate(self, week: int) -> Figure:
        """Return the hits per million units of a week, with its interval."""
        draws = self.rates.levels[:, week]
        has_few_authors = self._author_count(self._is_found(week)) < MIN_AUTHORS
        flags = self._flags(week, is_total=False)
        is_known = bool(np.isfinite(draws).all())
        return self._figure(
            RATE_MEASURE,
            float(draws[0]) if is_known else None,
            [week],
            interval=NO_INTERVAL
            if has_few_authors or not is_known
            else percentile_interval(draws[1:]),
            flags=(*flags, "few") if has_few_authors else flags,
        )

    def change(self) -> tuple[Change | None, float]:
        """Return the change to the week before, not tested yet, and its standard error."""
        last = len(self.posts.weeks) - 1
        weeks = [last - 1, last]
        draws = self.rates.change
        authors = [self._author_count(self._is_found(week)) for week in weeks]
        if draws is None or min(authors) < MIN_AUTHORS or any(map(self._is_unread, weeks)):
            return None, 0.0
        source_flags = () if self.rates.has_all_sources else ("common_sources",)
        figure = self._figure(
            RATE_MEASURE + CHANGE_SUFFIX,
            float(draws[0]),
            weeks,
            interval=percentile_interval(draws[1:]),
            flags=source_flags,
        )
        standard_error = float(draws[1:].std())
        smallest = max(MIN_CHANGE, min_detectable_change(standard_error))
        detectable = replace(
            figure, measure=RATE_MEASURE + DETECTABLE_SUFFIX, value=smallest, low=None, high=None
        )
        return Change(figure=figure, detectable=detectable, significant=False), standard_error

    def _figure(
        self,
        measure: str,
        value: float | None,
        weeks: Sequence[int],
        *,
        interval: tuple[float | None, float | None] = NO_INTERVAL,
        flags: tuple[str, ...] = (),
    ) -> Figure:
        is_unread = any(map(self._is_unread, weeks))
        is_found = np.isin(self.posts.week, weeks) & self.posts.matches
        counts = [int(self._is_found(week).sum()) for week in weeks]
        return self.context.figure(
            measure,
            None if is_unread else value,
            n=min(counts),
            query=self.posts.in_weeks([self.posts.weeks[week] for week in weeks]),
            subject=f"@{self.name}",
            interval=NO_INTERVAL if is_unread else interval,
            posts=self.posts.post_ids(is_found, MAX_SAMPLE_POSTS),
            flags=flags,
            week=self.posts.weeks[weeks[-1]],
        )

    def _is_found(self, week: int) -> Flags:
        return np.asarray((self.posts.week == week) & self.posts.matches)

    def _author_count(self, chosen: Flags) -> int:
        return len(np.unique(self.posts.author[chosen]))

    def _is_unread(self, week: int) -> bool:
        is_unread = str(self.posts.weeks[week]) in self.context.unread_weeks
        return is_unread and self.posts.needs_annotations

    def _flags(self, week: int, *, is_total: bool) -> tuple[str, ...]:
        """Return the caveats of a level: keys of [flag] in the messages."""
        flags: list[str] = []
        is_partly_read = str(self.posts.weeks[week]) in self.context.partly_read_weeks
        if is_partly_read and self.posts.needs_annotations:
            flags.append("unread")
        if self.posts.weeks[week] == self.context.week:
            # half a week shows a rate as well as a whole one
            flags += [flag for flag in self.context.flags if is_total or flag != "partial"]
        return tuple(flags)


def _measure_rates(posts: QueryPosts) -> _Rates:
    """Compute the hits per million of every week, under every draw of authors."""
    shape = len(posts.weeks), max(1, len(posts.sources))
    cell = posts.week * shape[1] + posts.source
    units, unit_count = resampling_units(posts.author)
    weights = author_weights(unit_count)
    hits = weighted_sums(weights, units, posts.hits.astype(float), cell, shape)
    sizes = weighted_sums(weights, units, posts.size.astype(float), cell, shape)
    is_common = (sizes[0, -2:] > 0).all(axis=0)
    has_all_sources = bool((is_common == (sizes[0, -2:] > 0).any(axis=0)).all())
    levels = _per_million(hits.sum(axis=2), sizes.sum(axis=2))
    compared = _per_million(
        hits[:, -2:, is_common].sum(axis=2), sizes[:, -2:, is_common].sum(axis=2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        change = compared[:, 1] / compared[:, 0] - 1
    return _Rates(levels, change if np.isfinite(change).all() else None, has_all_sources)


def _per_million(hits: Floats, sizes: Floats) -> Floats:
    """Return hits per million units; NaN where there are none."""
    return np.where(sizes > 0, hits * _MILLION / np.maximum(sizes, 1e-300), np.nan)


def _with_tested_changes(answers: Sequence[_Answer]) -> tuple[SavedQuery, ...]:
    """Mark the changes that exclude 0, are large enough, and survive a test of all together."""
    tested = [answer for answer in answers if answer.change]
    p_values = [
        two_sided_p_value(answer.change.figure.value or 0.0, answer.standard_error)
        for answer in tested
        if answer.change
    ]
    survives = benjamini_hochberg(np.array(p_values), FALSE_DISCOVERY_RATE)
    survives_by_name = {
        answer.saved.name: bool(survived) for answer, survived in zip(tested, survives, strict=True)
    }
    saved_queries = []
    for answer in answers:
        saved = answer.saved
        if answer.change:
            change = _tested(answer.change, survives_by_name[saved.name])
            saved = replace(saved, changes={RATE_MEASURE: change})
        saved_queries.append(saved)
    return tuple(saved_queries)


def _tested(change: Change, survives_test: bool) -> Change:
    figure = change.figure
    excludes_zero = (figure.low or 0.0) > 0 or (figure.high or 0.0) < 0
    is_large = abs(figure.value or 0.0) >= MIN_CHANGE
    return replace(change, significant=survives_test and excludes_zero and is_large)
