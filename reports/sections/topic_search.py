"""When topics were sought in a week, in which posts, and what can be said when none rose: nothing, where none was sought."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.config import Config
from folate.core.weeks import Period, preceding_periods
from reports import queries
from reports.figures import Figure, FigureSentence
from reports.measures.brands import ReportContext
from reports.messages import Messages

TopicSearchStatus = Literal["empty", "never", "unrecorded", "outdated", "short", "current"]
_WINDOW = """
SELECT count(*) FILTER (p.published_at >= {start}) AS posts, count(*) FILTER (p.published_at < {start}) AS baseline_posts,
  CAST(bit_xor(md5_number_lower(p.id || coalesce(p.text_hash, ''))) AS VARCHAR) AS digest
FROM posts p {read} WHERE p.published_at >= {since} AND p.published_at < {stop} AND NOT {skewed}
""".strip()
_SINCE = "SELECT {column} - (SELECT {column} FROM searches WHERE week = {week}) FROM ({window})"


@dataclass(frozen=True, kw_only=True)
class TopicSearch:
    """The last search for topics in a week.

    status: empty (the week has no posts), never (nobody sought), unrecorded (by a Folate that did not note in which posts), outdated
    (posts, or the settings of topics, have changed since), short (too few weeks to compare with), current.
    """

    status: TopicSearchStatus
    versions: Mapping[str, int] | None = None  # of the tables that it read
    min_baseline_weeks: int | None = None  # of baseline, below which nothing is sought
    configured_baseline_weeks: int | None = None  # of baseline, by folate.toml
    baseline_weeks: Figure | None = None  # that had posts
    posts_since: Figure | None = None  # of the week, that it did not read
    baseline_since: Figure | None = None  # of the weeks before


def window_counts(
    snapshot: Snapshot, config: Config, period: Period, exclude_unread: bool
) -> dict[str, Any]:
    """Count the posts that topics of `span` rest on, in it and in its baseline, with a digest of their texts.

    `read_only` leaves out those that nobody has read, which a search does not see. Posts dated after they were fetched take no part.
    """
    return dict(snapshot.sql(_window(config, period, exclude_unread)).to_pylist()[0])


def settings_digest(config: Config) -> str:
    """A digest of what in folate.toml decides which topics are found and which of them are tracked."""
    brands = [(brand.id, brand.aliases) for brand in config.brands]
    segments = [(segment.id, segment.terms) for segment in config.segments]
    asked = (config.timezone, config.topics, config.watch, brands, segments, config.nlp.words)
    return blake2b(repr(asked).encode(), digest_size=8).hexdigest()


def find_topic_search(
    snapshot: Snapshot, context: ReportContext, week_posts: Figure
) -> TopicSearch:
    """What is known of the search for the topics of the report's week; `posts` counts the posts of the week."""
    week = sql_literal(str(context.week))
    rows = snapshot.sql(f"SELECT * FROM searches WHERE week = {week}").to_pylist()
    if not week_posts.value:
        return TopicSearch(status="empty")
    if not rows:
        stored = snapshot.sql(f"SELECT 1 FROM topics WHERE week = {week} LIMIT 1").num_rows
        return TopicSearch(status="unrecorded" if stored else "never")
    return _search(
        rows[0],
        window_counts(snapshot, context.config, context.week, exclude_unread=False),
        context,
    )


def _search(row: Mapping[str, Any], now: Mapping[str, Any], asked: ReportContext) -> TopicSearch:
    week, window = sql_literal(str(asked.week)), _window(asked.config, asked.week, read_only=False)

    def figure(measure: str, value: int, query: str) -> Figure:
        return Figure(
            measure=measure,
            week=str(asked.week),
            value=value,
            n=abs(value),
            query=query,
            versions=asked.versions,
        )

    since = {name: now[name] - row[name] for name in ("posts", "baseline_posts")}
    changed = (
        any(since.values())
        or now["digest"] != row["digest"]
        or row["settings"] != settings_digest(asked.config)
    )
    short = row["baseline_weeks"] < row["least_weeks"]
    return TopicSearch(
        status="outdated" if changed else "short" if short else "current",
        versions=json.loads(row["versions"]),
        min_baseline_weeks=row["least_weeks"],
        configured_baseline_weeks=row["wanted_weeks"],
        baseline_weeks=figure(
            "topic_baseline",
            row["baseline_weeks"],
            f"SELECT baseline_weeks FROM searches WHERE week = {week}",
        ),
        posts_since=figure(
            "topic_posts_since",
            since["posts"],
            _SINCE.format(column="posts", week=week, window=window),
        ),
        baseline_since=figure(
            "topic_baseline_since",
            since["baseline_posts"],
            _SINCE.format(column="baseline_posts", week=week, window=window),
        ),
    )


def incomplete_topics_sentence(
    topic_search: TopicSearch, week_posts: Figure, message: Messages
) -> FigureSentence | None:
    """Why the topics of the week are not all known: a sentence; None when they are."""
    if topic_search.status == "current":
        return None
    if topic_search.status == "short":
        weeks, least = topic_search.baseline_weeks, topic_search.min_baseline_weeks
        assert weeks is not None  # noqa: S101  # a search that was recorded has it
        return message.sentence(
            "topic_short",
            weeks=weeks,
            least=(str(least),),
            wanted=(str(topic_search.configured_baseline_weeks),),
        )
    if topic_search.status == "outdated":
        if topic_search.posts_since and (topic_search.posts_since.value or 0) > 0:
            return message.sentence(
                "topic_outdated", since=topic_search.posts_since, posts=week_posts
            )
        if topic_search.baseline_since and (topic_search.baseline_since.value or 0) > 0:
            return message.sentence("topic_outdated_baseline", since=topic_search.baseline_since)
        return message.sentence("topic_changed", posts=week_posts)
    return message.sentence(f"topic_{topic_search.status}", posts=week_posts)


def _window(config: Config, span: Period, read_only: bool) -> str:
    start, stop = queries.window_bounds([span], config.timezone)
    since = queries.timestamp_literal(
        preceding_periods(span, config.topics.baseline_weeks)[0].bounds(config.timezone)[0]
    )
    read = "JOIN texts t ON t.id = p.id" if read_only else ""
    return _WINDOW.format(
        start=start, stop=stop, since=since, read=read, skewed=queries.FUTURE_DATED_CONDITION
    )
