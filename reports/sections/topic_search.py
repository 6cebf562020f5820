"""The last search for topics of a week: whether it is up to date, and what a report says if not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.config import Config
from folate.core.weeks import Period, preceding_periods
from reports import queries
from reports.context import ReportContext
from reports.figures import Figure, FigureSentence
from reports.messages import Messages

TopicSearchStatus = Literal["empty", "never", "unrecorded", "outdated", "short", "current"]

_WINDOW_QUERY = """
SELECT count(*) FILTER (p.published_at >= {start}) AS posts, count(*) \
FILTER (p.published_at < {start}) AS baseline_posts,
  CAST(bit_xor(md5_number_lower(p.id || coalesce(p.text_hash, ''))) AS VARCHAR) AS digest
FROM posts p {read} WHERE p.published_at >= {since} AND p.published_at < {stop} AND NOT {skewed}
""".strip()
_SINCE_QUERY = (
    "SELECT {column} - (SELECT {column} FROM searches WHERE week = {week}) FROM ({window})"
)


@dataclass(frozen=True, kw_only=True)
class TopicSearch:
    """The last search for topics in a week."""

    status: TopicSearchStatus
    """empty: the week has no posts; never: there was no search; unrecorded: the search did not
    record its posts, as in early versions; outdated: posts or settings have changed since; short:
    too few weeks of baseline; current: none of these."""
    versions: Mapping[str, int] | None = None
    """Versions of the tables that it read."""
    min_baseline_weeks: int | None = None
    """Weeks of baseline below which there is no search."""
    configured_baseline_weeks: int | None = None
    """Weeks of baseline that folate.toml asks for."""
    baseline_weeks: Figure | None = None
    """Weeks of baseline that had posts."""
    posts_since: Figure | None = None
    """Posts of the week that are new since the search."""
    baseline_since: Figure | None = None
    """Posts of the baseline that are new since the search."""


def window_counts(
    snapshot: Snapshot, config: Config, period: Period, exclude_unread: bool
) -> dict[str, Any]:
    """Count the posts of `period` and of its baseline, with a digest of their texts.

    `exclude_unread` leaves out posts without a row in `texts`, which a search does not see. Posts
    dated after they were fetched take no part.
    """
    window_query = _window_query(config, period, exclude_unread)
    return dict(snapshot.sql(window_query).to_pylist()[0])


def settings_digest(config: Config) -> str:
    """Return a digest of the settings that decide which topics are found and tracked."""
    brands = [(brand.id, brand.aliases) for brand in config.brands]
    segments = [(segment.id, segment.terms) for segment in config.segments]
    settings = (config.timezone, config.topics, config.watch, brands, segments, config.nlp.words)
    return blake2b(repr(settings).encode(), digest_size=8).hexdigest()


def find_topic_search(context: ReportContext, week_posts: Figure) -> TopicSearch:
    """Load the last search for the topics of the report's week.

    `week_posts` counts the posts of the week.
    """
    week = sql_literal(str(context.week))
    searches = context.rows(f"SELECT * FROM searches WHERE week = {week}")
    if not week_posts.value:
        return TopicSearch(status="empty")
    if not searches:
        has_topics = context.rows(f"SELECT 1 FROM topics WHERE week = {week} LIMIT 1")
        return TopicSearch(status="unrecorded" if has_topics else "never")
    counts = window_counts(context.snapshot, context.config, context.week, exclude_unread=False)
    return _compare_search(context, searches[0], counts)


def _compare_search(
    context: ReportContext, search: Mapping[str, Any], counts: Mapping[str, Any]
) -> TopicSearch:
    """Compare a row of `searches` with the window as it is now."""
    week = sql_literal(str(context.week))
    window = _window_query(context.config, context.week, exclude_unread=False)

    def figure(measure: str, value: int, query: str) -> Figure:
        return context.figure(measure, value, n=abs(value), query=query)

    def figure_since(measure: str, column: str) -> Figure:
        query = _SINCE_QUERY.format(column=column, week=week, window=window)
        return figure(measure, counts[column] - search[column], query)

    return TopicSearch(
        status=_search_status(context.config, search, counts),
        versions=json.loads(search["versions"]),
        min_baseline_weeks=search["least_weeks"],
        configured_baseline_weeks=search["wanted_weeks"],
        baseline_weeks=figure(
            "topic_baseline",
            search["baseline_weeks"],
            f"SELECT baseline_weeks FROM searches WHERE week = {week}",
        ),
        posts_since=figure_since("topic_posts_since", "posts"),
        baseline_since=figure_since("topic_baseline_since", "baseline_posts"),
    )


def _search_status(
    config: Config, search: Mapping[str, Any], counts: Mapping[str, Any]
) -> TopicSearchStatus:
    """Return the status of a stored search of a week with posts."""
    for column in ("posts", "baseline_posts", "digest"):
        if counts[column] != search[column]:
            return "outdated"
    if search["settings"] != settings_digest(config):
        return "outdated"
    return "short" if search["baseline_weeks"] < search["least_weeks"] else "current"


def incomplete_topics_sentence(
    topic_search: TopicSearch, week_posts: Figure, message: Messages
) -> FigureSentence | None:
    """Return a sentence that says why topics of the week may be missing; None when none are."""
    if topic_search.status == "current":
        return None
    if topic_search.status == "short":
        assert topic_search.baseline_weeks is not None  # noqa: S101  # a stored search has it
        return message.sentence(
            "topic_short",
            weeks=topic_search.baseline_weeks,
            least=(str(topic_search.min_baseline_weeks),),
            wanted=(str(topic_search.configured_baseline_weeks),),
        )
    if topic_search.status == "outdated":
        return _outdated_topics_sentence(topic_search, week_posts, message)
    return message.sentence(f"topic_{topic_search.status}", posts=week_posts)


def _outdated_topics_sentence(
    topic_search: TopicSearch, week_posts: Figure, message: Messages
) -> FigureSentence:
    posts_since = topic_search.posts_since
    baseline_since = topic_search.baseline_since
    if posts_since and (posts_since.value or 0) > 0:
        return message.sentence("topic_outdated", since=posts_since, posts=week_posts)
    if baseline_since and (baseline_since.value or 0) > 0:
        return message.sentence("topic_outdated_baseline", since=baseline_since)
    return message.sentence("topic_changed", posts=week_posts)


def _window_query(config: Config, period: Period, exclude_unread: bool) -> str:
    start, stop = queries.window_bounds([period], config.timezone)
    baseline = preceding_periods(period, config.topics.baseline_weeks)
    return _WINDOW_QUERY.format(
        start=start,
        stop=stop,
        since=queries.timestamp_literal(baseline[0].bounds(config.timezone)[0]),
        read="JOIN texts t ON t.id = p.id" if exclude_unread else "",
        skewed=queries.FUTURE_DATED_CONDITION,
    )
