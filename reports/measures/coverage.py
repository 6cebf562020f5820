"""How many posts of the weeks of a report have been read, so that nothing is said of those that nobody read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.weeks import Period
from reports import queries
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.measures.brands import ReportContext
from reports.messages import MessageParts, Messages

_COUNTS = """
SELECT w.week, count(*) AS posts, count(*) FILTER (t.id IS NULL) AS unread, count(*) FILTER (s.id IS NULL) AS unjudged,
  count(*) FILTER (r.id IS NULL) AS unseen, min(p.id, {most}) AS posts_sample,
  min(p.id, {most}) FILTER (t.id IS NULL) AS unread_sample, min(p.id, {most}) FILTER (s.id IS NULL) AS unjudged_sample
FROM posts p
JOIN (VALUES {weeks}) w(week, start, stop) ON p.published_at >= w.start AND p.published_at < w.stop
LEFT JOIN (SELECT id FROM texts {reader}) t ON t.id = p.id
LEFT JOIN texts r ON r.id = p.id
LEFT JOIN (SELECT DISTINCT id FROM sentiments) s ON s.id = p.id
GROUP BY w.week ORDER BY w.week
""".strip()
_MEASURES = {"posts": "window_posts", "unread": "unread_posts", "unjudged": "unjudged_posts"}


@dataclass(frozen=True, kw_only=True)
class AnnotationCoverage:
    """The posts of some weeks, and how many of them have not been read."""

    posts: Figure
    unread: Figure  # without language, words and brands, or read with other brands and words than those of folate.toml
    unjudged: Figure  # whose sentiment no model has read


@dataclass(frozen=True, kw_only=True)
class ReportCoverage:
    """The weeks that the sections of a report speak of."""

    week: AnnotationCoverage
    perception: AnnotationCoverage  # the four weeks of perception and people
    moves: AnnotationCoverage  # the nine weeks of moves between brands


@dataclass(frozen=True)
class WeekCounts:
    """Posts of one week; `unseen` ones were not read with any brands and words."""

    posts: int = 0
    unread: int = 0
    unjudged: int = 0
    unseen: int = 0
    posts_sample: list[str] | None = None  # ids, the smallest SAMPLE
    unread_sample: list[str] | None = None
    unjudged_sample: list[str] | None = None

    @property
    def is_fully_unread(self) -> bool:
        """Nothing of the week was read, so that nothing of it can be counted."""
        return self.posts == self.unseen


def count_posts_by_week(
    snapshot: Snapshot, weeks: Sequence[Period], timezone: str, reader_version: str
) -> Mapping[str, WeekCounts]:
    """Count the posts of each week. `reader` is the version that reads texts today; empty: any will do."""
    rows = snapshot.sql(_query(weeks, timezone, reader_version)).to_pylist()
    return {str(week): WeekCounts() for week in weeks} | {
        row.pop("week"): WeekCounts(**row) for row in rows
    }


def report_coverage(
    week_counts: Mapping[str, WeekCounts],
    context: ReportContext,
    perception_weeks: int,
    relation_weeks: int,
) -> ReportCoverage:
    """Sum the counts of the last weeks; `week_counts` has them oldest first, as `counts` gave them."""

    def summed(weeks: int) -> AnnotationCoverage:
        spans = [context.week - back for back in range(weeks - 1, -1, -1)]
        query = _query(spans, context.config.timezone, context.reader_version)

        def figure(name: str) -> Figure:
            total = sum(getattr(week_counts[str(span)], name) for span in spans)
            sample = sorted(
                id_
                for span in spans
                for id_ in getattr(week_counts[str(span)], f"{name}_sample") or ()
            )
            return Figure(
                measure=_MEASURES[name], week=str(context.week), subject=str(weeks), value=total, n=total, versions=context.versions,
                query=f"SELECT coalesce(sum({name}), 0) FROM ({query})", posts=tuple(sample),
            )  # fmt: skip

        return AnnotationCoverage(
            posts=figure("posts"), unread=figure("unread"), unjudged=figure("unjudged")
        )

    return ReportCoverage(
        week=summed(1), perception=summed(perception_weeks), moves=summed(relation_weeks)
    )


def no_results_message(
    key: str, coverage: AnnotationCoverage, missing: Figure, message: Messages
) -> MessageParts:
    """The message `key`, which says that there is none of something, as far as the posts were read that it would be in.

    `missing` counts those that were not: `reading.unread`, or `reading.unjudged` for what a model reads.
    """
    if not coverage.posts.value:
        return (message("page.none_posts"),)
    if missing.value == coverage.posts.value:
        return tuple(message.parts("page.none_read", posts=coverage.posts))
    if missing.value:
        return tuple(
            message.parts(
                "page.none_partly", posts=coverage.posts, missing=missing, none=(message(key),)
            )
        )
    return (message(key),)


def unjudged_posts_message(coverage: AnnotationCoverage, message: Messages) -> MessageParts:
    """How many of the posts no model has read, where it has not read them all."""
    if coverage.unjudged.value == coverage.posts.value:
        return tuple(message.parts("page.none_read", posts=coverage.posts))
    return tuple(message.parts("page.unjudged", missing=coverage.unjudged, posts=coverage.posts))


def _query(weeks: Sequence[Period], zone: str, reader: str) -> str:
    condition = f"WHERE version = {sql_literal(reader)}" if reader else ""
    return _COUNTS.format(
        weeks=queries.period_values(weeks, zone), reader=condition, most=MAX_SAMPLE_POSTS
    )
