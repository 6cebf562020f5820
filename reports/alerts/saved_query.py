"""A saved query over posts: how many people wrote what it finds, and how many would have in a usual week."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.config import CONFIG_FILE, VolumeRule
from folate.core.errors import ConfigError
from folate.core.weeks import Period, preceding_periods
from nlp.stats.surges import Surge, estimate_surge
from nlp.text.normalize import normalize_text
from nlp.text.patterns import HAN_RANGES
from nlp.text.segment import Segmenter
from reports.figures import MAX_SAMPLE_POSTS, Figure, versions_json
from reports.queries import period_values, string_literals

BASELINE_WEEKS = 8  # weeks
_CHINESE = re.compile(f"[{HAN_RANGES}]")
_SHORT = "short baseline"  # as topics flag it
_ROWS = """
SELECT w.week, p.id, p.source, p.published_at, coalesce(p.author, p.id) AS author, {found} AS found,
  row_number() OVER (PARTITION BY w.week, coalesce(d.cluster, p.id) ORDER BY p.published_at, p.id) = 1 AS counted
FROM posts p JOIN texts t ON t.id = p.id
JOIN (VALUES {weeks}) w(week, start, stop) ON p.published_at >= w.start AND p.published_at < w.stop
LEFT JOIN duplicates d ON d.id = p.id
""".strip()
_COUNTS = """
SELECT week, source, count(DISTINCT author) AS everyone, count(DISTINCT author) FILTER (found) AS authors FROM ({rows}) WHERE counted
GROUP BY ALL ORDER BY ALL
""".strip()


@dataclass(frozen=True)
class QueryVolume:
    """A judged query: the figures, what was seen, and the ids of its posts in the week, the earliest of each author."""

    authors: Figure
    expected: Figure
    surge: Surge
    post_ids: tuple[str, ...]


def measure_query_volume(
    snapshot: Snapshot, rule: VolumeRule, period: Period, timezone: str
) -> QueryVolume | None:
    """Judge the query of `rule` in `week` against the eight weeks before. None when too few of them have posts to know what is usual."""
    weeks = [*preceding_periods(period, BASELINE_WEEKS), period]
    counts = snapshot.sql(_COUNTS.format(rows=_rows(rule, weeks, timezone))).to_pylist()
    sources = sorted({row["source"] for row in counts})
    cells = np.zeros((2, len(weeks), len(sources)), dtype=np.int64)
    place = {str(each): number for number, each in enumerate(weeks)}
    for row in counts:
        cells[:, place[row["week"]], sources.index(row["source"])] = row["authors"], row["everyone"]
    judged = estimate_surge(cells[0], cells[1])
    if judged is None:
        return None
    known = [
        source for source, before in zip(sources, cells[1, :-1].sum(axis=0), strict=True) if before
    ]
    return _volume(snapshot, rule, weeks, timezone, judged, known)


def _volume(
    snapshot: Snapshot,
    rule: VolumeRule,
    weeks: list[Period],
    zone: str,
    judged: Surge,
    known: list[str],
) -> QueryVolume:
    found = f"({_rows(rule, weeks[-1:], zone)}) WHERE found AND counted AND source IN ({string_literals(known)})"
    earliest = "QUALIFY row_number() OVER (PARTITION BY author ORDER BY published_at, id) = 1 ORDER BY published_at, id"
    posts = tuple(
        snapshot.sql(f"SELECT id FROM {found} {earliest} LIMIT {MAX_SAMPLE_POSTS}")
        .column("id")
        .to_pylist()
    )
    common: dict[str, Any] = {
        "week": str(weeks[-1]), "brand": rule.brand or None, "versions": versions_json(snapshot.versions), "posts": posts,
        "flags": (_SHORT,) if judged.baseline_weeks < BASELINE_WEEKS else (),
    }  # fmt: skip
    every = snapshot.sql(f"SELECT count(*) AS n FROM {found}")["n"][0].as_py()
    authors = Figure(
        measure="query_authors", value=judged.observed, n=every, query=f"SELECT count(DISTINCT author) FROM {found}", **common
    )  # fmt: skip
    expected = Figure(
        measure="query_expected", value=judged.expected, low=judged.low, high=judged.high, n=judged.baseline_weeks,
        query=_COUNTS.format(rows=_rows(rule, weeks, zone)), **common,
    )  # fmt: skip
    return QueryVolume(authors, expected, judged, posts)


def _rows(rule: VolumeRule, weeks: list[Period], zone: str) -> str:
    """One row an annotated post of `weeks`: whether the query finds it, and whether it is no copy."""
    return _ROWS.format(found=_condition(rule), weeks=period_values(weeks, zone))


def _condition(rule: VolumeRule) -> str:
    conditions = []
    if rule.words:
        conditions.append(f"({' OR '.join(map(_holds, rule.words))})")
    if rule.brand:
        conditions.append(
            f"p.id IN (SELECT id FROM mentions WHERE brand = {sql_literal(rule.brand)})"
        )
    if rule.sources:
        conditions.append(f"p.source IN ({string_literals(rule.sources)})")
    return " AND ".join(conditions) or "true"


def _holds(word: str) -> str:
    """SQL for "the post holds this word": a Chinese one anywhere, however the text was cut into words; any other as whole words."""
    normal = normalize_text(word)
    words = Segmenter().words(normal)
    if not words:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted words to look for, got {word!r}, which holds none."
        )
    if _CHINESE.search(normal):
        return f"contains(array_to_string(t.words, ''), {sql_literal(normal.replace(' ', ''))})"
    return f"contains(' ' || array_to_string(t.words, ' ') || ' ', {sql_literal(' ' + ' '.join(words) + ' ')})"
