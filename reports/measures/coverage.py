"""How many posts of a report's weeks are annotated: nothing is said of those that are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.weeks import Period
from reports import queries
from reports.context import RECENT_WEEKS, RELATION_WEEKS, ReportContext
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.messages import MessageParts, Messages

_COUNTS_QUERY = """
SELECT w.week, count(*) AS posts, count(*) FILTER (t.id IS NULL) AS unread, count(*) \
FILTER (s.id IS NULL) AS unjudged,
  count(*) FILTER (r.id IS NULL) AS unseen, min(p.id, {most}) AS posts_sample,
  min(p.id, {most}) FILTER (t.id IS NULL) AS unread_sample, min(p.id, {most}) \
FILTER (s.id IS NULL) AS unjudged_sample
FROM posts p
JOIN (VALUES {weeks}) w(week, start, stop) ON p.published_at >= w.start AND p.published_at < w.stop
LEFT JOIN (SELECT id FROM texts {reader}) t ON t.id = p.id
LEFT JOIN texts r ON r.id = p.id
LEFT JOIN (SELECT DISTINCT id FROM sentiments) s ON s.id = p.id
GROUP BY w.week ORDER BY w.week
""".strip()


@dataclass(frozen=True, kw_only=True)
class AnnotationCoverage:
    """The posts of some weeks, and how many of them are not annotated."""

    posts: Figure
    unread: Figure
    """Without language, words and brands, or with those of other settings than folate.toml has."""
    unjudged: Figure
    """Without a sentiment."""


@dataclass(frozen=True, kw_only=True)
class ReportCoverage:
    """The coverage of the weeks that the sections of a report are about."""

    week: AnnotationCoverage
    perception: AnnotationCoverage
    """The weeks of perception and people."""
    moves: AnnotationCoverage
    """The weeks of switching between brands."""


@dataclass(frozen=True)
class WeekCounts:
    """Posts of one week."""

    posts: int = 0
    unread: int = 0
    """Not annotated with the settings of today."""
    unjudged: int = 0
    """Without a sentiment."""
    unseen: int = 0
    """Not annotated with any settings."""
    posts_sample: list[str] | None = None
    """The smallest MAX_SAMPLE_POSTS ids; None for none. The other samples alike."""
    unread_sample: list[str] | None = None
    unjudged_sample: list[str] | None = None

    @property
    def is_fully_unread(self) -> bool:
        """Whether no post of the week is annotated, so that nothing of it can be counted."""
        return self.posts == self.unseen


def count_posts_by_week(
    snapshot: Snapshot, weeks: Sequence[Period], timezone: str, reader_version: str
) -> Mapping[str, WeekCounts]:
    """Count the posts of each week, by its name.

    `reader_version` is the version of `texts` that folate.toml asks for; empty: any.
    """
    counts = {str(week): WeekCounts() for week in weeks}
    for row in snapshot.sql(_counts_query(weeks, timezone, reader_version)).to_pylist():
        week = row.pop("week")
        counts[week] = WeekCounts(**row)
    return counts


def report_coverage(
    week_counts: Mapping[str, WeekCounts], context: ReportContext
) -> ReportCoverage:
    """Sum the counts over the weeks of each section; `week_counts` are of `count_posts_by_week`."""
    return ReportCoverage(
        week=_sum_weeks(week_counts, context, 1),
        perception=_sum_weeks(week_counts, context, RECENT_WEEKS),
        moves=_sum_weeks(week_counts, context, RELATION_WEEKS),
    )


def _sum_weeks(
    week_counts: Mapping[str, WeekCounts], context: ReportContext, count: int
) -> AnnotationCoverage:
    """Sum the counts of the last `count` weeks."""
    weeks = context.last_weeks(count)
    counts = [week_counts[str(week)] for week in weeks]
    query = _counts_query(weeks, context.timezone, context.reader_version)

    def figure(measure: str, column: str) -> Figure:
        total = sum(getattr(week, column) for week in counts)
        sample: list[str] = []
        for week in counts:
            sample += getattr(week, f"{column}_sample") or ()
        return context.figure(
            measure,
            total,
            n=total,
            query=f"SELECT coalesce(sum({column}), 0) FROM ({query})",
            subject=str(count),
            posts=sorted(sample),
        )

    return AnnotationCoverage(
        posts=figure("window_posts", "posts"),
        unread=figure("unread_posts", "unread"),
        unjudged=figure("unjudged_posts", "unjudged"),
    )


def no_results_message(
    key: str, coverage: AnnotationCoverage, missing: Figure, message: Messages
) -> MessageParts:
    """Return the message `key`, which says that there is none of something.

    It is limited to the posts that are annotated: `missing` counts those that are not, which is
    `coverage.unread`, or `coverage.unjudged` for what a model predicts.
    """
    if not coverage.posts.value:
        return (message("page.none_posts"),)
    if missing.value == coverage.posts.value:
        return tuple(message.parts("page.none_read", posts=coverage.posts))
    none_message = message(key)
    if missing.value:
        message_parts = message.parts(
            "page.none_partly", posts=coverage.posts, missing=missing, none=(none_message,)
        )
        return tuple(message_parts)
    return (none_message,)


def unjudged_posts_message(coverage: AnnotationCoverage, message: Messages) -> MessageParts:
    """Say how many of the posts have no sentiment, where some have none."""
    if coverage.unjudged.value == coverage.posts.value:
        return tuple(message.parts("page.none_read", posts=coverage.posts))
    return tuple(message.parts("page.unjudged", missing=coverage.unjudged, posts=coverage.posts))


def _counts_query(weeks: Sequence[Period], timezone: str, reader_version: str) -> str:
    reader = f"WHERE version = {sql_literal(reader_version)}" if reader_version else ""
    return _COUNTS_QUERY.format(
        weeks=queries.period_values(weeks, timezone), reader=reader, most=MAX_SAMPLE_POSTS
    )
