"""Relations between brands: who moves from whom, who is preferred to whom, and who is named together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.weeks import Period
from nlp.stats.estimation import wilson_interval
from reports import queries
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.measures.brands import ReportContext
from reports.sections.quotes import Quote, load_quotes

MIN_SHARE_PEOPLE = 20  # people behind a share (METHODS: no switching share below it)
MAX_SWITCHING_QUOTES = 4
_STATED = """
SELECT c.id, c.other, c.brand, c.kind, coalesce(p.author, p.id) AS author FROM comparisons c JOIN posts p USING (id)
LEFT JOIN duplicates d USING (id)
WHERE c.brand IN ({brands}) AND c.other IN ({brands}) AND c.kind = {kind} AND p.published_at >= {start} AND p.published_at < {stop}
AND (d.id IS NULL OR d.cluster = d.id)
""".strip()
_PAIRS = """
SELECT other, brand, count(DISTINCT author) AS people, (list(DISTINCT id ORDER BY id)[:{most}]) AS sample
FROM ({rows}) GROUP BY ALL ORDER BY ALL
""".strip()
_TOGETHER = """
SELECT a.brand AS one, b.brand AS other, count(*) AS posts, (list(a.id ORDER BY a.id)[:{most}]) AS sample
FROM ({rows}) a JOIN ({rows}) b ON a.id = b.id AND a.brand < b.brand WHERE a.counted AND b.counted GROUP BY ALL ORDER BY ALL
""".strip()


@dataclass(frozen=True, kw_only=True)
class BrandComparison:
    """From `other` to `brand`: people who say that they move, or that they prefer it; `share` among those who leave `other`, or who
    compare the two. A share of fewer than 20 people has no value."""

    from_brand: str
    to_brand: str
    people: Figure
    share: Figure


@dataclass(frozen=True, kw_only=True)
class CoMention:
    """Posts that name two brands."""

    one: str
    other: str
    posts: Figure


@dataclass(frozen=True, kw_only=True)
class BrandRelations:
    """Switching and preference over a window of weeks."""

    weeks: tuple[Period, ...]
    switches: tuple[BrandComparison, ...]
    preferred: tuple[BrandComparison, ...]
    together: tuple[CoMention, ...]
    quotes: tuple[Quote, ...]  # of switches, those of our own brand first


def find_brand_relations(
    snapshot: Snapshot, context: ReportContext, weeks: Sequence[Period]
) -> BrandRelations:
    """What the posts of `weeks` (oldest first) state about two brands of the project."""
    switches = _pairs(snapshot, context, weeks, "switch")
    own = context.config.own_brand.id if context.config.own_brand else ""
    chosen = sorted(
        switches,
        key=lambda pair: (own not in (pair.from_brand, pair.to_brand), -(pair.people.value or 0)),
    )
    ids = list(dict.fromkeys(id_ for pair in chosen for id_ in pair.people.posts[:2]))[
        :MAX_SWITCHING_QUOTES
    ]
    found = load_quotes(snapshot, ids)
    return BrandRelations(
        weeks=tuple(weeks),
        switches=switches,
        preferred=_pairs(snapshot, context, weeks, "better"),
        together=_together(snapshot, context, weeks),
        quotes=tuple(found[id_] for id_ in ids if id_ in found),
    )


def _pairs(
    snapshot: Snapshot, asked: ReportContext, weeks: Sequence[Period], kind: str
) -> tuple[BrandComparison, ...]:
    start, stop = queries.window_bounds(weeks, asked.config.timezone)
    rows = _STATED.format(
        brands=queries.string_literals(asked.brand_ids),
        kind=sql_literal(kind),
        start=start,
        stop=stop,
    )
    query = _PAIRS.format(rows=rows, most=MAX_SAMPLE_POSTS)
    counted = snapshot.sql(query).to_pylist()
    people = {(row["other"], row["brand"]): row["people"] for row in counted}
    return tuple(_pair(row, kind, _base(people, row, kind), query, asked) for row in counted)


def _base(people: dict[tuple[str, str], int], row: dict[str, Any], kind: str) -> int:
    """Of whom the people of a pair are a share: all who leave the same brand, or all who compare the two."""
    if kind == "switch":
        return sum(count for (other, _), count in people.items() if other == row["other"])
    return int(row["people"] + people.get((row["brand"], row["other"]), 0))


def _pair(
    row: dict[str, Any], kind: str, base: int, query: str, asked: ReportContext
) -> BrandComparison:
    def figure(
        measure: str,
        value: float | None,
        n: int,
        low: float | None = None,
        high: float | None = None,
    ) -> Figure:
        return Figure(
            measure=measure, week=str(asked.week), brand=row["brand"], subject=row["other"], value=value, n=n, low=low, high=high,
            query=query, versions=asked.versions, posts=tuple(row["sample"]), flags=() if value is not None else ("few people",),
        )  # fmt: skip

    count, share = (
        ("switchers", "switch_share") if kind == "switch" else ("preferring", "preferred_share")
    )
    enough = base >= MIN_SHARE_PEOPLE
    bounds = wilson_interval(row["people"], base) if enough else (None, None)
    return BrandComparison(
        from_brand=row["other"], to_brand=row["brand"], people=figure(count, row["people"], row["people"]),
        share=figure(share, row["people"] / base if enough else None, base, *bounds),
    )  # fmt: skip


def _together(
    snapshot: Snapshot, asked: ReportContext, weeks: Sequence[Period]
) -> tuple[CoMention, ...]:
    query = _TOGETHER.format(
        rows=queries.mentions_query(asked.brand_ids, list(weeks), asked.config.timezone),
        most=MAX_SAMPLE_POSTS,
    )
    return tuple(
        CoMention(
            one=row["one"], other=row["other"],
            posts=Figure(
                measure="co_mentions", week=str(asked.week), brand=row["one"], subject=row["other"], value=row["posts"], n=row["posts"],
                query=query, versions=asked.versions, posts=tuple(row["sample"]),
            ),
        )
        for row in snapshot.sql(query).to_pylist()
    )  # fmt: skip
