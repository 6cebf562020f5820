"""Why a topic matters, and whether it comes back every year: what the store has on its authors and on earlier years."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.weeks import Period
from nlp.topics import Discovery, Topic, context, holidays
from nlp.topics.grouping import contains_chinese
from nlp.topics.topic import FLAG_SEASONAL
from reports.queries import FUTURE_DATED_CONDITION

MAX_YEARS_BACK = 3  # earlier ones that are looked at
WEEKS_PER_YEAR = 52  # weeks
_JUDGED = f"""
    SELECT p.id, coalesce(p.author, p.id) AS author, s.negative, s.positive, coalesce(m.brands, []) AS brands,
           CASE WHEN j.id IS NOT NULL THEN coalesce(a.aspects, []) END AS aspects,
           CASE WHEN j.buy IS NOT NULL THEN list_filter(list_value(
               CASE WHEN j.buy >= 0.5 THEN 'buy' END, CASE WHEN j.switch >= 0.5 THEN 'switch' END,
               CASE WHEN j.ask >= 0.5 THEN 'ask' END, CASE WHEN j.complain >= 0.5 THEN 'complain' END),
               lambda x: x IS NOT NULL) END AS intents
    FROM posts p
    JOIN texts t USING (id)
    LEFT JOIN sentiments s ON s.id = p.id AND s.brand IS NULL
    LEFT JOIN judgements j ON j.id = p.id
    LEFT JOIN (SELECT id, list(DISTINCT aspect) AS aspects FROM aspects GROUP BY id) a ON a.id = p.id
    LEFT JOIN (SELECT id, list(DISTINCT brand) AS brands FROM mentions GROUP BY id) m ON m.id = p.id
    LEFT JOIN duplicates d ON d.id = p.id
    WHERE p.published_at >= $since AND p.published_at < $until AND coalesce(d.cluster, p.id) = p.id AND NOT {FUTURE_DATED_CONDITION}
"""
_YEARS_AGO = f"""
    SELECT count(DISTINCT author) AS everyone, {{counts}}
    FROM (SELECT unnest($starts) AS begins)
    LEFT JOIN (
        SELECT p.published_at, coalesce(p.author, p.id) AS author, lower(concat_ws(chr(10), p.title, p.text)) AS said
        FROM posts p
        WHERE p.published_at >= list_min($starts) AND p.published_at < list_max($starts) + INTERVAL 7 DAY AND NOT {FUTURE_DATED_CONDITION}
    ) ON published_at >= begins AND published_at < begins + INTERVAL 7 DAY
    GROUP BY begins ORDER BY begins
"""


def add_context(
    discovery: Discovery, snapshot: Snapshot, config: Config, period: Period
) -> list[Topic]:
    """The topics with what their authors feel, ask, speak of and name, and flagged where an earlier year had them too."""
    recurring = _recurring(
        [topic for topic in discovery.topics if topic.q is not None], snapshot, config, period
    )
    topics = []
    for topic in _judged(discovery, snapshot, config, period):
        flagged = topic.id in recurring and FLAG_SEASONAL not in topic.flags
        topics.append(replace(topic, flags=(*topic.flags, FLAG_SEASONAL)) if flagged else topic)
    return topics


def _judged(found: Discovery, snapshot: Snapshot, config: Config, span: Period) -> Iterator[Topic]:
    """The topics with what their authors feel, ask and compare, against the week's other authors."""
    since, until = span.bounds(config.timezone)
    rows = snapshot.sql(_JUDGED, {"since": since, "until": until}) if found.topics else None
    for topic in found.topics:
        if rows is None or topic.state == "gone":
            yield topic
            continue
        inside, outside = context.split_by_topic(
            rows, pa.array(found.topic_posts[topic.id], pa.string())
        )
        told = {
            "sentiment": context.sentiment_contrast(inside, outside), "goes_with": context.odds_contrasts(inside, outside, "brands"),
            "aspects": context.share_contrasts(inside, outside, "aspects"), "intents": context.share_contrasts(inside, outside, "intents"),
        }  # fmt: skip
        yield replace(topic, detail={**topic.detail, **told})


def _recurring(
    topics: Sequence[Topic], snapshot: Snapshot, config: Config, span: Period
) -> set[str]:
    """Ids of the topics whose leading name rose in the same weeks of an earlier year."""
    counts = [
        f"count(DISTINCT author) FILTER (regexp_matches(said, $p{i})) AS n{i}"
        for i in range(len(topics))
    ]
    patterns = {
        f"p{i}": _pattern(topic.terms[0].removeprefix("#")) for i, topic in enumerate(topics)
    }
    found: set[str] = set()
    for year in range(1, MAX_YEARS_BACK + 1 if topics else 1):
        weeks = range(
            WEEKS_PER_YEAR * year + holidays.MAX_SHIFT_WEEKS + config.topics.baseline_weeks,
            WEEKS_PER_YEAR * year - holidays.MAX_SHIFT_WEEKS - 1,
            -1,
        )
        starts = [(span - back).bounds(config.timezone)[0] for back in weeks]
        table = snapshot.sql(
            _YEARS_AGO.format(counts=", ".join(counts)), {"starts": starts} | patterns
        )
        everyone = table.column("everyone").to_pylist()
        for i, topic in enumerate(topics):
            if holidays.recurs_yearly(
                table.column(f"n{i}").to_pylist(),
                everyone,
                config.topics.min_authors,
                config.topics.min_gain,
            ):
                found.add(topic.id)
    return found


def _pattern(term: str) -> str:
    """A Latin term must not begin inside a longer word; it may end with a plural."""
    return (
        re.escape(term)
        if contains_chinese(term)
        else rf"(?:^|[^\p{{Latin}}\p{{N}}]){re.escape(term)}"
    )
