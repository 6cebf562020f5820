"""The questions that a report asks, as SQL with its parameters bound: what is run is what is printed as evidence."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from corpora.store.adapted import ALL_FOLDS
from corpora.store.snapshot import sql_literal
from folate.core.weeks import Period

FUTURE_DATED_CONDITION = "coalesce(p.published_at > p.fetched_at + INTERVAL 1 DAY, false)"  # no post is published after it was fetched
_NAMED = "SELECT DISTINCT id, brand FROM mentions WHERE brand IN ({brands})"
_MENTIONS = """
SELECT m.brand, w.week, p.id, p.source, coalesce(p.author, p.id) AS author, p.rating,
  CASE WHEN coalesce(p.likes, p.replies, p.reposts) IS NOT NULL
    THEN coalesce(p.likes, 0) + coalesce(p.replies, 0) + coalesce(p.reposts, 0) END AS engagement,
  s.negative, s.neutral, s.positive,
  row_number() OVER (PARTITION BY m.brand, w.week, coalesce(d.cluster, p.id) ORDER BY p.published_at, p.id) = 1 AS counted
FROM ({named}) m
JOIN posts p ON p.id = m.id
JOIN (VALUES {weeks}) w(week, start, stop) ON p.published_at >= w.start AND p.published_at < w.stop
LEFT JOIN duplicates d ON d.id = p.id
LEFT JOIN sentiments s ON s.id = p.id AND s.brand = m.brand
""".strip()

_AUDITED = """
SELECT a.brand, p.id, a.label FROM audits a
JOIN posts p ON p.text_hash = a.text_hash AND p.published_at >= a.since AND p.published_at < a.until
WHERE a.label IS NOT NULL AND a.brand IN ({brands})
QUALIFY row_number() OVER (PARTITION BY a.brand, a.text_hash ORDER BY p.published_at, p.id, a.draw) = 1
""".strip()

SENTIMENT_MODELS_QUERY = "SELECT DISTINCT annotator, version FROM all_sentiments WHERE brand IS NOT NULL"  # those of texts that have changed among them
WEEKLY_MODELS_QUERY = """
SELECT m.brand, m.week, list(DISTINCT s.annotator || ' ' || s.version) AS models
FROM ({rows}) m JOIN sentiments s ON s.id = m.id AND s.brand = m.brand GROUP BY m.brand, m.week
""".strip()

ADAPTATIONS_QUERY = f"""
SELECT a.brand, a.labels FROM adaptations a
WHERE a.fold = {ALL_FOLDS} AND EXISTS (SELECT 1 FROM sentiments s WHERE s.brand = a.brand AND ends_with(s.version, a.name))
""".strip()
"""To how many labels of people the sentiments of brands are adapted, of adaptations in use."""

_MEASURES = {
    "mentions": "SELECT count(*) FROM ({rows}) WHERE brand = {brand}",
    "authors": "SELECT count(DISTINCT author) FROM ({rows}) WHERE counted AND brand = {brand}",
    "share_of_voice": "SELECT source, brand, count(DISTINCT author) AS authors FROM ({rows}) WHERE counted GROUP BY ALL ORDER BY ALL",
    "share_of_voice_raw": (
        "SELECT count(DISTINCT author) FILTER (brand = {brand}) / count(DISTINCT (brand, author)) FROM ({rows}) WHERE counted"
    ),
    "sentiment": (
        "SELECT id, source, author, negative, neutral, positive, label FROM ({rows}) LEFT JOIN ({audited}) USING (id, brand) "
        "WHERE counted AND negative IS NOT NULL AND brand = {brand} ORDER BY id"
    ),
    "labels": (
        "SELECT count(*) FROM ({rows}) JOIN ({audited}) USING (id, brand) WHERE counted AND negative IS NOT NULL AND brand = {brand}"
    ),
    "adapted_labels": f"SELECT coalesce(sum(labels), 0) FROM ({ADAPTATIONS_QUERY}) WHERE brand = {{brand}}",
    "rating": "SELECT avg(rating) FROM ({rows}) WHERE counted AND brand = {brand}",
    "engagement": "SELECT sum(engagement) FROM ({rows}) WHERE counted AND brand = {brand}",
    "engagement_per_post": "SELECT avg(engagement) FROM ({rows}) WHERE counted AND brand = {brand}",
    "posts_per_author": "SELECT count(*) / count(DISTINCT author) FROM ({rows}) WHERE counted AND brand = {brand}",
    "top_authors": "SELECT author, count(*) AS posts FROM ({rows}) WHERE counted AND brand = {brand} GROUP BY author ORDER BY ALL",
    "judgements": (
        "SELECT m.id, m.author, j.* EXCLUDE (id, text_hash, annotator, version, tags, share_read) "
        "FROM ({rows}) m JOIN judgements j ON j.id = m.id WHERE m.counted AND m.brand = {brand} ORDER BY m.id"
    ),
    "copies": "SELECT 1 - avg(counted::INT) FROM ({rows}) WHERE brand = {brand}",
}
_STANDARDISED = """
WITH a AS (SELECT source, brand, count(DISTINCT author) AS authors FROM ({rows}) WHERE counted GROUP BY ALL),
s AS (SELECT source, sum(authors) AS authors FROM a GROUP BY source), w(source, weight) AS (VALUES {weights})
SELECT coalesce(sum(weight * a.authors / s.authors) FILTER (brand = {brand}), 0) / (SELECT sum(weight) FROM s JOIN w USING (source))
FROM a JOIN s USING (source) JOIN w USING (source)
""".strip()
SENTIMENT_MEASURES = ("net_sentiment_polar", "net_sentiment_all", "negative", "neutral", "positive")
EMOTIONS = ("happy", "angry", "sad", "fear", "surprise", "neutral")
INTENTS = ("buy", "switch", "ask", "complain")
EMOTION_INTENT_MEASURES = (
    *(f"emotion_{name}" for name in EMOTIONS),
    *(f"intent_{name}" for name in INTENTS),
)
_TOGETHER = dict.fromkeys(SENTIMENT_MEASURES, "sentiment") | dict.fromkeys(
    EMOTION_INTENT_MEASURES, "judgements"
)  # measures that one query is behind


class NamedPeriod(Protocol):
    """A week, or other days in a row, with a name of its own (`str`)."""

    def bounds(self, timezone: str) -> tuple[datetime, datetime]: ...


def string_literals(values: Iterable[str]) -> str:
    """String literals, comma-separated, for IN (...); one that matches nothing when there are none."""
    return ", ".join(map(sql_literal, values)) or "NULL"


def in_condition(column: str, values: Iterable[str]) -> str:
    """The condition that a column has one of these values."""
    return f"{column} IN ({string_literals(values)})"


def timestamp_literal(value: datetime) -> str:
    return f"TIMESTAMPTZ {sql_literal(value.isoformat(sep=' '))}"


def window_bounds(weeks: Sequence[NamedPeriod], timezone: str) -> tuple[str, str]:
    """The first moment of `weeks`, oldest first, and the first after them."""
    return timestamp_literal(weeks[0].bounds(timezone)[0]), timestamp_literal(
        weeks[-1].bounds(timezone)[1]
    )


def period_values(weeks: Sequence[NamedPeriod], timezone: str) -> str:
    """A row for VALUES a week: its name, its first moment and the first after it."""
    return ", ".join(
        f"({sql_literal(str(week))}, {', '.join(window_bounds([week], timezone))})"
        for week in weeks
    )


def mentions_query(brands: Sequence[str], weeks: Sequence[NamedPeriod], timezone: str) -> str:
    """One row a brand mention (post x brand). `counted` is false for a copy of a text that the week already had on that brand."""
    return _MENTIONS.format(named=brand_posts_query(brands), weeks=period_values(weeks, timezone))


def brand_posts_query(brands: Sequence[str]) -> str:
    """Which post names which of `brands`, whenever it was written."""
    return _NAMED.format(brands=string_literals(brands))


def audit_labels_query(brands: Sequence[str]) -> str:
    """What people said in audits: one row a text and brand, at the post that was drawn or an earlier one of the same text."""
    return _AUDITED.format(brands=string_literals(brands))


def measure_query(
    name: str, brand: str, brands: Sequence[str], weeks: Sequence[Period], timezone: str
) -> str:
    """The query behind the measure `name` of `brand`: it gives the value itself where SQL can, else the rows it is computed from."""
    name, _, difference = name.partition(".")
    query = _MEASURES[_TOGETHER.get(name, name)]
    if difference:  # both weeks, told apart
        query = query.replace("SELECT ", "SELECT week, ", 1) + (
            "" if "ORDER BY" in query else " GROUP BY week ORDER BY week"
        )
    return query.format(
        rows=mentions_query(brands, weeks, timezone),
        brand=sql_literal(brand),
        audited=audit_labels_query([brand]),
    )


def share_of_voice_query(
    brand: str,
    brands: Sequence[str],
    week: Period,
    timezone: str,
    source_weights: Mapping[str, float],
) -> str:
    """The query that gives the share of voice of `brand` at fixed weights of the sources."""
    values = (
        ", ".join(
            f"({sql_literal(source)}, {weight!r})"
            for source, weight in sorted(source_weights.items())
        )
        or "('', 0)"
    )
    return _STANDARDISED.format(
        rows=mentions_query(brands, [week], timezone), weights=values, brand=sql_literal(brand)
    )


def week_posts_query(week: Period, timezone: str) -> str:
    """Every post of the week, about a brand or not; `counted` is false for a copy of one of the same week."""
    start, stop = window_bounds([week], timezone)
    return (
        "SELECT p.*, row_number() OVER (PARTITION BY coalesce(d.cluster, p.id) ORDER BY p.published_at, p.id) = 1 AS counted "
        f"FROM posts p LEFT JOIN duplicates d ON d.id = p.id WHERE p.published_at >= {start} AND p.published_at < {stop}"
    )


def posts_query(ids: Iterable[str]) -> str:
    return f"SELECT id, source, author, published_at, title, text, url FROM posts WHERE id IN ({string_literals(ids)}) ORDER BY id"


TOP_POSTS_QUERY = """
SELECT p.id, p.source, p.author, p.published_at, p.title, p.text, p.url, m.brand, m.engagement
FROM (
    FROM ({rows}) WHERE counted AND engagement IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY brand ORDER BY engagement DESC, id) <= {most}
) m JOIN posts p USING (id)
""".strip()

POST_ENGAGEMENT_QUERY = "SELECT coalesce(likes, 0) + coalesce(replies, 0) + coalesce(reposts, 0) AS engagement FROM posts WHERE id = {id}"

SOURCE_POSTS_QUERY = """
SELECT source, count(*) AS posts, 1 - avg(counted::INT) AS copies, list(id ORDER BY id)[:100] AS sample FROM {rows} GROUP BY source
""".strip()


def latest_crawls_query(week: Period, timezone: str) -> str:
    """The newest crawl of each query whose span of time touches the week; one that stopped before the week's end is partial."""
    start, stop = window_bounds([week], timezone)
    reached = "coalesce(until, finished_at)"
    return (
        "SELECT crawl, source, query, reason, requests, "
        f"CASE WHEN status = 'complete' AND {reached} < {stop} THEN 'partial' ELSE status END AS status "
        f"FROM crawls WHERE coalesce(since < {stop}, true) AND coalesce({reached} >= {start}, true) "
        "QUALIFY row_number() OVER (PARTITION BY source, query ORDER BY started_at DESC, crawl DESC) = 1 ORDER BY source, query"
    )


NEWEST_MOMENT_QUERY = "SELECT greatest((SELECT max(fetched_at) FROM posts), (SELECT max(finished_at) FROM crawls)) AS newest"
