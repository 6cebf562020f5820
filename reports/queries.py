"""SQL that several sections of a report share. What is run is what is printed as evidence."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from corpora.store.adapted_sentiments import ALL_FOLDS
from corpora.store.snapshot import sql_literal
from folate.core.weeks import Period
from reports.figures import MAX_SAMPLE_POSTS

FUTURE_DATED_CONDITION = "coalesce(p.published_at > p.fetched_at + INTERVAL 1 DAY, false)"
"""Condition that a post `p` is dated after it was fetched, so that its date is wrong."""

_BRAND_POSTS_QUERY = "SELECT DISTINCT id, brand FROM mentions WHERE brand IN ({brands})"
_MENTIONS_QUERY = """
SELECT m.brand, w.week, p.id, p.source, coalesce(p.author, p.id) AS author, p.rating,
  CASE WHEN coalesce(p.likes, p.replies, p.reposts) IS NOT NULL
    THEN coalesce(p.likes, 0) + coalesce(p.replies, 0) + coalesce(p.reposts, 0) END AS engagement,
  s.negative, s.neutral, s.positive,
  row_number() OVER (PARTITION BY m.brand, w.week, coalesce(d.cluster, p.id) \
ORDER BY p.published_at, p.id) = 1 AS counted
FROM ({named}) m
JOIN posts p ON p.id = m.id
JOIN (VALUES {weeks}) w(week, start, stop) ON p.published_at >= w.start AND p.published_at < w.stop
LEFT JOIN duplicates d ON d.id = p.id
LEFT JOIN sentiments s ON s.id = p.id AND s.brand = m.brand
""".strip()

_AUDIT_LABELS_QUERY = """
SELECT a.brand, p.id, a.label FROM audits a
JOIN posts p ON p.text_hash = a.text_hash AND p.published_at >= a.since AND p.published_at < a.until
WHERE a.label IS NOT NULL AND a.brand IN ({brands})
QUALIFY row_number() OVER (PARTITION BY a.brand, a.text_hash ORDER BY p.published_at, p.id, \
a.draw) = 1
""".strip()

SENTIMENT_MODELS_QUERY = (
    "SELECT DISTINCT annotator, version FROM all_sentiments WHERE brand IS NOT NULL"
)
"""The models that predicted sentiment, of texts that have changed since as well."""

WEEKLY_MODELS_QUERY = """
SELECT m.brand, m.week, list(DISTINCT s.annotator || ' ' || s.version) AS models
FROM ({rows}) m JOIN sentiments s ON s.id = m.id AND s.brand = m.brand GROUP BY m.brand, m.week
""".strip()

ADAPTATIONS_QUERY = f"""
SELECT a.brand, a.labels FROM adaptations a
WHERE a.fold = {ALL_FOLDS} AND EXISTS (SELECT 1 FROM sentiments s WHERE s.brand = a.brand \
AND ends_with(s.version, a.name))
""".strip()
"""The number of labels that the sentiment of a brand is adapted to, of adaptations in use."""

TOP_POSTS_QUERY = """
SELECT p.id, p.source, p.author, p.published_at, p.title, p.text, p.url, m.brand, m.engagement
FROM (
    FROM ({rows}) WHERE counted AND engagement IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY brand ORDER BY engagement DESC, id) <= {most}
) m JOIN posts p USING (id)
""".strip()

POST_ENGAGEMENT_QUERY = (
    "SELECT coalesce(likes, 0) + coalesce(replies, 0) + coalesce(reposts, 0) AS engagement "
    "FROM posts WHERE id = {id}"
)

SOURCE_POSTS_QUERY = (
    "SELECT source, count(*) AS posts, 1 - avg(counted::INT) AS copies, "
    f"list(id ORDER BY id)[:{MAX_SAMPLE_POSTS}] AS sample FROM {{rows}} GROUP BY source"
)

NEWEST_MOMENT_QUERY = (
    "SELECT greatest((SELECT max(fetched_at) FROM posts), (SELECT max(finished_at) FROM crawls)) "
    "AS newest"
)
"""The last moment that the corpus was crawled at."""


class NamedPeriod(Protocol):
    """A week, or other consecutive days, whose name is its `str()`."""

    def bounds(self, timezone: str) -> tuple[datetime, datetime]: ...


def string_literals(values: Iterable[str]) -> str:
    """Return comma-separated string literals for IN (...); for none NULL, which matches nothing."""
    return ", ".join(map(sql_literal, values)) or "NULL"


def in_condition(column: str, values: Iterable[str]) -> str:
    """Return the condition that a column has one of these values."""
    return f"{column} IN ({string_literals(values)})"


def timestamp_literal(value: datetime) -> str:
    """Return an aware moment as a literal of SQL."""
    return f"TIMESTAMPTZ {sql_literal(value.isoformat(sep=' '))}"


def window_bounds(weeks: Sequence[NamedPeriod], timezone: str) -> tuple[str, str]:
    """Return literals of the first moment of `weeks`, oldest first, and of the first after them."""
    start = weeks[0].bounds(timezone)[0]
    stop = weeks[-1].bounds(timezone)[1]
    return timestamp_literal(start), timestamp_literal(stop)


def period_values(weeks: Sequence[NamedPeriod], timezone: str) -> str:
    """Return a row for VALUES for each week: its name, its first moment and the first after it."""
    rows = []
    for week in weeks:
        start, stop = window_bounds([week], timezone)
        rows.append(f"({sql_literal(str(week))}, {start}, {stop})")
    return ", ".join(rows)


def mentions_query(brands: Sequence[str], weeks: Sequence[NamedPeriod], timezone: str) -> str:
    """Return the SELECT of brand mentions: one row for each post, brand and week.

    `counted` is false for a copy of a text that the week already had on that brand.
    """
    named = brand_posts_query(brands)
    return _MENTIONS_QUERY.format(named=named, weeks=period_values(weeks, timezone))


def brand_posts_query(brands: Sequence[str]) -> str:
    """Return the SELECT of which post names which of `brands`, of all weeks."""
    return _BRAND_POSTS_QUERY.format(brands=string_literals(brands))


def audit_labels_query(brands: Sequence[str]) -> str:
    """Return the SELECT of the labels of audits, one row for each text and brand.

    Its post is the one that was drawn, or an earlier one with the same text.
    """
    return _AUDIT_LABELS_QUERY.format(brands=string_literals(brands))


def week_posts_query(week: Period, timezone: str) -> str:
    """Return the SELECT of all posts of a week; `counted` is false for copies within the week."""
    start, stop = window_bounds([week], timezone)
    return (
        "SELECT p.*, row_number() OVER (PARTITION BY coalesce(d.cluster, p.id) "
        "ORDER BY p.published_at, p.id) = 1 AS counted "
        "FROM posts p LEFT JOIN duplicates d ON d.id = p.id "
        f"WHERE p.published_at >= {start} AND p.published_at < {stop}"
    )


def posts_query(post_ids: Iterable[str]) -> str:
    """Return the SELECT of what a quote needs of these posts."""
    return (
        "SELECT id, source, author, published_at, title, text, url FROM posts "
        f"WHERE id IN ({string_literals(post_ids)}) ORDER BY id"
    )


def latest_crawls_query(week: Period, timezone: str) -> str:
    """Return the SELECT of the newest crawl of each query that touches the week.

    One that stopped before the end of the week is partial.
    """
    start, stop = window_bounds([week], timezone)
    reached = "coalesce(until, finished_at)"
    return (
        "SELECT crawl, source, query, reason, requests, "
        f"CASE WHEN status = 'complete' AND {reached} < {stop} "
        "THEN 'partial' ELSE status END AS status "
        f"FROM crawls WHERE coalesce(since < {stop}, true) "
        f"AND coalesce({reached} >= {start}, true) "
        "QUALIFY row_number() OVER "
        "(PARTITION BY source, query ORDER BY started_at DESC, crawl DESC) = 1 "
        "ORDER BY source, query"
    )
