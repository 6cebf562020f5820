"""Relations of brands: who switches, who is preferred, and which brands are named together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpora.store.snapshot import sql_literal
from folate.core.weeks import Period
from nlp.stats.estimation import wilson_interval
from reports import queries
from reports.context import NO_INTERVAL, Interval, ReportContext
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.sections.quotes import Quote, load_quotes

MIN_SHARE_PEOPLE = 20
"""People below which no share of switching or preference is given."""

MAX_SWITCHING_QUOTES = 4
_QUOTES_OF_PAIR = 2

_COMPARISONS_QUERY = """
SELECT c.id, c.other, c.brand, c.kind, coalesce(p.author, p.id) AS author FROM comparisons c \
JOIN posts p USING (id)
LEFT JOIN duplicates d USING (id)
WHERE c.brand IN ({brands}) AND c.other IN ({brands}) AND c.kind = {kind} \
AND p.published_at >= {start} AND p.published_at < {stop}
AND (d.id IS NULL OR d.cluster = d.id)
""".strip()
_PAIRS_QUERY = """
SELECT other, brand, count(DISTINCT author) AS people, (list(DISTINCT id ORDER BY id)[:{most}]) \
AS sample
FROM ({rows}) GROUP BY ALL ORDER BY ALL
""".strip()
_CO_MENTIONS_QUERY = """
SELECT a.brand AS one, b.brand AS other, count(*) AS posts, (list(a.id ORDER BY a.id)[:{most}]) \
AS sample
FROM ({rows}) a JOIN ({rows}) b ON a.id = b.id AND a.brand < b.brand WHERE a.counted \
AND b.counted GROUP BY ALL ORDER BY ALL
""".strip()

_PAIR_MEASURES = {
    "switch": ("switchers", "switch_share"),
    "better": ("preferring", "preferred_share"),
}
"""Kind of comparison -> the measures of its people and of their share."""


@dataclass(frozen=True, kw_only=True)
class BrandComparison:
    """People who say that they switch from one brand to another, or that they prefer it."""

    from_brand: str
    to_brand: str
    people: Figure
    share: Figure
    """Share of them among all who leave `from_brand`, or among all who compare the two; without a
    value for fewer than MIN_SHARE_PEOPLE."""


@dataclass(frozen=True, kw_only=True)
class CoMention:
    """Posts that name two brands."""

    one: str
    other: str
    posts: Figure


@dataclass(frozen=True, kw_only=True)
class BrandRelations:
    """Switching, preference and co-mentions over some weeks."""

    weeks: tuple[Period, ...]
    switches: tuple[BrandComparison, ...]
    preferred: tuple[BrandComparison, ...]
    together: tuple[CoMention, ...]
    quotes: tuple[Quote, ...]
    """Quotes of switches, those of our own brand first."""


def find_brand_relations(context: ReportContext, weeks: Sequence[Period]) -> BrandRelations:
    """Find what posts of `weeks` (oldest first) say about two brands of the project."""
    switches = _find_comparisons(context, weeks, "switch")
    return BrandRelations(
        weeks=tuple(weeks),
        switches=switches,
        preferred=_find_comparisons(context, weeks, "better"),
        together=_find_co_mentions(context, weeks),
        quotes=_switching_quotes(context, switches),
    )


def _switching_quotes(
    context: ReportContext, switches: Sequence[BrandComparison]
) -> tuple[Quote, ...]:
    """Quote switches from or to our own brand first, then those of most people."""

    def rank(switch: BrandComparison) -> tuple[bool, float]:
        is_own = (context.own_brand_id or "") in (switch.from_brand, switch.to_brand)
        return not is_own, -(switch.people.value or 0)

    post_ids: dict[str, None] = {}
    for switch in sorted(switches, key=rank):
        post_ids.update(dict.fromkeys(switch.people.posts[:_QUOTES_OF_PAIR]))
    quoted_ids = list(post_ids)[:MAX_SWITCHING_QUOTES]
    quotes = load_quotes(context.snapshot, quoted_ids)
    return tuple(quotes[post] for post in quoted_ids if post in quotes)


def _find_comparisons(
    context: ReportContext, weeks: Sequence[Period], kind: str
) -> tuple[BrandComparison, ...]:
    """Find the pairs of brands that posts compare; `kind` is "switch" or "better"."""
    start, stop = queries.window_bounds(weeks, context.timezone)
    comparisons = _COMPARISONS_QUERY.format(
        brands=queries.string_literals(context.brand_ids),
        kind=sql_literal(kind),
        start=start,
        stop=stop,
    )
    query = _PAIRS_QUERY.format(rows=comparisons, most=MAX_SAMPLE_POSTS)
    rows = context.rows(query)
    people = {(row["other"], row["brand"]): row["people"] for row in rows}
    leavers: Counter[str] = Counter()
    for row in rows:
        leavers[row["other"]] += row["people"]
    pairs = []
    for row in rows:
        opposite = people.get((row["brand"], row["other"]), 0)
        base = leavers[row["other"]] if kind == "switch" else row["people"] + opposite
        pairs.append(_brand_comparison(context, row, kind, base, query))
    return tuple(pairs)


def _brand_comparison(
    context: ReportContext, row: Mapping[str, Any], kind: str, base: int, query: str
) -> BrandComparison:
    """Make the comparison of a row of `query`, whose people are a share of `base` people."""

    def figure(
        measure: str, value: float | None, n: int, interval: Interval = NO_INTERVAL
    ) -> Figure:
        return context.figure(
            measure,
            value,
            n=n,
            query=query,
            brand=row["brand"],
            subject=row["other"],
            interval=interval,
            posts=row["sample"],
            flags=() if value is not None else ("few people",),
        )

    people_measure, share_measure = _PAIR_MEASURES[kind]
    people = row["people"]
    if base >= MIN_SHARE_PEOPLE:
        share = figure(share_measure, people / base, base, wilson_interval(people, base))
    else:
        share = figure(share_measure, None, base)
    return BrandComparison(
        from_brand=row["other"],
        to_brand=row["brand"],
        people=figure(people_measure, people, people),
        share=share,
    )


def _find_co_mentions(context: ReportContext, weeks: Sequence[Period]) -> tuple[CoMention, ...]:
    query = _CO_MENTIONS_QUERY.format(rows=context.mentions_query(weeks), most=MAX_SAMPLE_POSTS)
    pairs = []
    for row in context.rows(query):
        posts = context.figure(
            "co_mentions",
            row["posts"],
            n=row["posts"],
            query=query,
            brand=row["one"],
            subject=row["other"],
            posts=row["sample"],
        )
        pairs.append(CoMention(one=row["one"], other=row["other"], posts=posts))
    return tuple(pairs)
