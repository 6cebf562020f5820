"""Saved queries: how many authors wrote matching posts, and how many were expected to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.config import CONFIG_FILE, VolumeRule
from folate.core.errors import ConfigError
from folate.core.weeks import Period, preceding_periods
from nlp.stats.surges import Surge, estimate_surge
from nlp.text.segment import Segmenter
from nlp.text.term_matcher import re2_pattern
from reports.figures import MAX_SAMPLE_POSTS, Figure, versions_json
from reports.queries import period_values, string_literals

BASELINE_WEEKS = 8
# The same flag as that of topics.
SHORT_BASELINE_FLAG = "short baseline"
# One row for each annotated post of the weeks: whether it matches the query (`found`), and whether
# it is the first of its duplicates in the week (`counted`). The text of both queries is the
# evidence of a figure and decides its id: a backslash joins what is one line of the query.
_POSTS_QUERY = """
SELECT w.week, p.id, p.source, p.published_at, coalesce(p.author, p.id) AS author, {found} AS found,
  row_number() OVER (\
PARTITION BY w.week, coalesce(d.cluster, p.id) ORDER BY p.published_at, p.id) = 1 AS counted
FROM posts p JOIN texts t ON t.id = p.id
JOIN (VALUES {weeks}) w(week, start, stop) ON p.published_at >= w.start AND p.published_at < w.stop
LEFT JOIN duplicates d ON d.id = p.id
""".strip()
# Distinct authors by week and source: of all posts, and of those that match the query.
_COUNTS_QUERY = """
SELECT week, source, count(DISTINCT author) AS everyone, \
count(DISTINCT author) FILTER (found) AS authors FROM ({rows}) WHERE counted
GROUP BY ALL ORDER BY ALL
""".strip()
_EARLIEST_BY_AUTHOR = (
    "QUALIFY row_number() OVER (PARTITION BY author ORDER BY published_at, id) = 1 "
    "ORDER BY published_at, id"
)


@dataclass(frozen=True)
class QueryVolume:
    """The number of authors who wrote posts that match a query in one period."""

    authors: Figure
    # How many authors the baseline weeks predict.
    expected: Figure
    surge: Surge
    # The earliest matching post of each author, at most MAX_SAMPLE_POSTS.
    post_ids: tuple[str, ...]


def measure_query_volume(
    snapshot: Snapshot, rule: VolumeRule, period: Period, timezone: str
) -> QueryVolume | None:
    """Compare the query of `rule` in `period` with the BASELINE_WEEKS before it.

    Returns None if too few of these weeks have posts. Raises ConfigError for a search word that
    has no letters.
    """
    weeks = [*preceding_periods(period, BASELINE_WEEKS), period]
    counts = snapshot.sql(_counts_query(rule, weeks, timezone)).to_pylist()
    sources = sorted({row["source"] for row in counts})
    authors = np.zeros((len(weeks), len(sources)), dtype=np.int64)
    all_authors = np.zeros_like(authors)
    week_index = {str(week): index for index, week in enumerate(weeks)}
    for row in counts:
        cell = week_index[row["week"]], sources.index(row["source"])
        authors[cell] = row["authors"]
        all_authors[cell] = row["everyone"]
    surge = estimate_surge(authors, all_authors)
    if surge is None:
        return None
    baseline_counts = all_authors[:-1].sum(axis=0)
    baseline_sources = [
        source for source, count in zip(sources, baseline_counts, strict=True) if count
    ]
    return _create_volume(snapshot, rule, weeks, timezone, surge=surge, sources=baseline_sources)


def _create_volume(
    snapshot: Snapshot,
    rule: VolumeRule,
    weeks: list[Period],
    timezone: str,
    *,
    surge: Surge,
    sources: list[str],
) -> QueryVolume:
    """Create the figures of a surge; only posts of `sources` are counted in the last week."""
    posts_query = _posts_query(rule, weeks[-1:], timezone)
    matching_posts = (
        f"({posts_query}) WHERE found AND counted AND source IN ({string_literals(sources)})"
    )
    sample_query = f"SELECT id FROM {matching_posts} {_EARLIEST_BY_AUTHOR} LIMIT {MAX_SAMPLE_POSTS}"
    post_ids = tuple(snapshot.sql(sample_query).column("id").to_pylist())
    post_count = snapshot.sql(f"SELECT count(*) AS n FROM {matching_posts}")["n"][0].as_py()
    has_short_baseline = surge.baseline_weeks < BASELINE_WEEKS
    common_fields: dict[str, Any] = {
        "week": str(weeks[-1]),
        "brand": rule.brand or None,
        "versions": versions_json(snapshot.versions),
        "posts": post_ids,
        "flags": (SHORT_BASELINE_FLAG,) if has_short_baseline else (),
    }
    authors = Figure(
        measure="query_authors",
        value=surge.observed,
        n=post_count,
        query=f"SELECT count(DISTINCT author) FROM {matching_posts}",
        **common_fields,
    )
    expected = Figure(
        measure="query_expected",
        value=surge.expected,
        low=surge.low,
        high=surge.high,
        n=surge.baseline_weeks,
        query=_counts_query(rule, weeks, timezone),
        **common_fields,
    )
    return QueryVolume(authors, expected, surge, post_ids)


def _counts_query(rule: VolumeRule, weeks: list[Period], timezone: str) -> str:
    return _COUNTS_QUERY.format(rows=_posts_query(rule, weeks, timezone))


def _posts_query(rule: VolumeRule, weeks: list[Period], timezone: str) -> str:
    return _POSTS_QUERY.format(found=_match_condition(rule), weeks=period_values(weeks, timezone))


def _match_condition(rule: VolumeRule) -> str:
    """Return the SQL condition of a post that matches the query; `true` for an empty query."""
    conditions = []
    if rule.words:
        conditions.append(_any_word_condition(rule.words))
    if rule.brand:
        conditions.append(
            f"p.id IN (SELECT id FROM mentions WHERE brand = {sql_literal(rule.brand)})"
        )
    if rule.sources:
        conditions.append(f"p.source IN ({string_literals(rule.sources)})")
    return " AND ".join(conditions) or "true"


def _any_word_condition(words: Sequence[str]) -> str:
    """Return the SQL condition of a post that contains any of the words (`nlp.text.term_matcher`).

    Raises ConfigError for a word without letters.
    """
    for word in words:
        if not Segmenter().words(word):
            raise ConfigError(
                f"{CONFIG_FILE}: wanted words to look for, got {word!r}, which holds none."
            )
    text = "concat_ws(chr(10), p.title, p.text)"
    return f"regexp_matches({text}, {sql_literal(re2_pattern(words))})"
