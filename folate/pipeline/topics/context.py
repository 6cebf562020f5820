"""Context of topics from the store: what their authors write, and recurrence in earlier years."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.weeks import Period
from nlp.text.term_matcher import re2_pattern
from nlp.topics import Discovery, Topic, context, holidays
from nlp.topics.topic import FLAG_SEASONAL
from reports.queries import FUTURE_DATED_CONDITION

# Earlier years in which a topic is searched.
MAX_YEARS_BACK = 3
WEEKS_PER_YEAR = 52
# The original posts of a period with their sentiment, brands, aspects and intents. Aspects and
# intents are null where the post was not annotated with them.
_ANNOTATED_POSTS_QUERY = f"""
    SELECT p.id, coalesce(p.author, p.id) AS author, s.negative, s.positive,
           coalesce(m.brands, []) AS brands,
           CASE WHEN j.id IS NOT NULL THEN coalesce(a.aspects, []) END AS aspects,
           CASE WHEN j.buy IS NOT NULL THEN list_filter(list_value(
               CASE WHEN j.buy >= 0.5 THEN 'buy' END,
               CASE WHEN j.switch >= 0.5 THEN 'switch' END,
               CASE WHEN j.ask >= 0.5 THEN 'ask' END,
               CASE WHEN j.complain >= 0.5 THEN 'complain' END),
               lambda x: x IS NOT NULL) END AS intents
    FROM posts p
    JOIN texts t USING (id)
    LEFT JOIN sentiments s ON s.id = p.id AND s.brand IS NULL
    LEFT JOIN judgements j ON j.id = p.id
    LEFT JOIN (SELECT id, list(DISTINCT aspect) AS aspects FROM aspects GROUP BY id) a
        ON a.id = p.id
    LEFT JOIN (SELECT id, list(DISTINCT brand) AS brands FROM mentions GROUP BY id) m
        ON m.id = p.id
    LEFT JOIN duplicates d ON d.id = p.id
    WHERE p.published_at >= $since AND p.published_at < $until
        AND coalesce(d.cluster, p.id) = p.id AND NOT {FUTURE_DATED_CONDITION}
"""
# Authors of each of the weeks that begin at $starts, in total and by term.
_WEEKLY_AUTHORS_QUERY = f"""
    SELECT count(DISTINCT author) AS everyone, {{counts}}
    FROM (SELECT unnest($starts) AS begins)
    LEFT JOIN (
        SELECT p.published_at, coalesce(p.author, p.id) AS author,
               concat_ws(chr(10), p.title, p.text) AS said
        FROM posts p
        WHERE p.published_at >= list_min($starts)
            AND p.published_at < list_max($starts) + INTERVAL 7 DAY
            AND NOT {FUTURE_DATED_CONDITION}
    ) ON published_at >= begins AND published_at < begins + INTERVAL 7 DAY
    GROUP BY begins ORDER BY begins
"""


def add_context(
    discovery: Discovery, snapshot: Snapshot, config: Config, period: Period
) -> list[Topic]:
    """Add sentiment, intents, aspects and co-mentioned brands to each topic of a discovery.

    Topics that rose in the same weeks of an earlier year get the flag of seasonal topics.
    """
    tested = [topic for topic in discovery.topics if topic.q is not None]
    recurring_ids = _find_recurring_topics(tested, snapshot, config, period)
    topics = []
    for topic in _add_contrasts(discovery, snapshot, config, period):
        if topic.id in recurring_ids and FLAG_SEASONAL not in topic.flags:
            topics.append(replace(topic, flags=(*topic.flags, FLAG_SEASONAL)))
        else:
            topics.append(topic)
    return topics


def _add_contrasts(
    discovery: Discovery, snapshot: Snapshot, config: Config, period: Period
) -> Iterator[Topic]:
    """Yield the topics with the contrasts of their authors to the period's other authors."""
    if not discovery.topics:
        return
    since, until = period.bounds(config.timezone)
    posts = snapshot.sql(_ANNOTATED_POSTS_QUERY, {"since": since, "until": until})
    for topic in discovery.topics:
        if topic.state == "gone":
            yield topic
            continue
        topic_posts = pa.array(discovery.topic_posts[topic.id], pa.string())
        inside, outside = context.split_by_topic(posts, topic_posts)
        contrasts = {
            "sentiment": context.sentiment_contrast(inside, outside),
            "goes_with": context.odds_contrasts(inside, outside, "brands"),
            "aspects": context.share_contrasts(inside, outside, "aspects"),
            "intents": context.share_contrasts(inside, outside, "intents"),
        }
        yield replace(topic, detail={**topic.detail, **contrasts})


def _find_recurring_topics(
    topics: Sequence[Topic], snapshot: Snapshot, config: Config, span: Period
) -> set[str]:
    """Return the ids of the topics whose leading term rose in the same weeks of an earlier year."""
    if not topics:
        return set()
    counts = [
        f"count(DISTINCT author) FILTER (regexp_matches(said, $p{i})) AS n{i}"
        for i in range(len(topics))
    ]
    patterns = {
        f"p{i}": re2_pattern([topic.terms[0].removeprefix("#")], plurals=True)
        for i, topic in enumerate(topics)
    }
    recurring_ids: set[str] = set()
    for years_back in range(1, MAX_YEARS_BACK + 1):
        starts = _comparison_weeks(span, config, years_back)
        table = snapshot.sql(
            _WEEKLY_AUTHORS_QUERY.format(counts=", ".join(counts)), {"starts": starts} | patterns
        )
        total_authors = table.column("everyone").to_pylist()
        for i, topic in enumerate(topics):
            if holidays.recurs_yearly(
                table.column(f"n{i}").to_pylist(),
                total_authors,
                config.topics.min_authors,
                config.topics.min_gain,
            ):
                recurring_ids.add(topic.id)
    return recurring_ids


def _comparison_weeks(period: Period, config: Config, years_back: int) -> list[datetime]:
    """Return the starts of the weeks to compare with in an earlier year, oldest first.

    These are the weeks around the same week of that year, after as many baseline weeks as now.
    """
    same_week = WEEKS_PER_YEAR * years_back
    oldest = same_week + holidays.MAX_SHIFT_WEEKS + config.topics.baseline_weeks
    latest = same_week - holidays.MAX_SHIFT_WEEKS
    return [
        (period - weeks_back).bounds(config.timezone)[0]
        for weeks_back in range(oldest, latest - 1, -1)
    ]
