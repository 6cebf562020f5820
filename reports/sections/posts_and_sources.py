"""The parts of a report that are lists of things: top posts, sources and how complete they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpora.store.snapshot import Snapshot, sql_literal
from reports import queries
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.measures.brands import ReportContext
from reports.sections.quotes import Quote, quote_from_row

MAX_TOP_POSTS = 3  # of each brand
_WORST_FIRST = ("failed", "partial", "saturated", "complete")


@dataclass(frozen=True, kw_only=True)
class TopPost:
    """One of the posts about a brand that drew the most likes, replies and reposts."""

    brand: str
    quote: Quote
    engagement: Figure


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """A source in this week: what was asked of it, whether it all came, and what it gave."""

    name: str
    status: (
        str  # complete, saturated, partial, failed; imported; uncrawled: no crawl reached this week
    )
    posts: Figure
    copies: Figure
    queries: Figure
    complete: Figure
    reasons: tuple[str, ...]  # as the ledger has them


def week_posts(snapshot: Snapshot, context: ReportContext) -> Figure:
    """How many posts the corpus has of the week."""
    rows = queries.week_posts_query(context.week, context.config.timezone)
    found = snapshot.sql(
        f"SELECT count(*) AS n, (list(id ORDER BY id)[:{MAX_SAMPLE_POSTS}]) AS sample FROM ({rows})"
    ).to_pylist()[0]
    return Figure(
        measure="week_posts", week=str(context.week), value=found["n"], n=found["n"], versions=context.versions,
        query=f"SELECT count(*) FROM ({rows})", posts=tuple(found["sample"] or ()),
    )  # fmt: skip


def top_posts(snapshot: Snapshot, context: ReportContext) -> tuple[TopPost, ...]:
    """The most engaging posts about each brand, one a text; posts whose source shows no likes, replies or reposts take no part."""
    mentions = queries.mentions_query(context.brand_ids, [context.week], context.config.timezone)
    rows = snapshot.sql(
        queries.TOP_POSTS_QUERY.format(rows=mentions, most=MAX_TOP_POSTS)
    ).to_pylist()
    rows.sort(
        key=lambda row: (context.brand_ids.index(row["brand"]), -row["engagement"], row["id"])
    )
    return tuple(
        TopPost(brand=row["brand"], quote=quote_from_row(row), engagement=_engagement(row, context))
        for row in rows
    )


def _engagement(row: Mapping[str, Any], asked: ReportContext) -> Figure:
    return Figure(
        measure="engagement", week=str(asked.week), brand=row["brand"], value=row["engagement"], n=1, versions=asked.versions,
        query=queries.POST_ENGAGEMENT_QUERY.format(id=sql_literal(row["id"])), posts=(row["id"],),
    )  # fmt: skip


def sources(snapshot: Snapshot, context: ReportContext) -> tuple[SourceLine, ...]:
    """Every source of the project file, of the ledger and of this week's posts, by name."""
    posts = f"({queries.week_posts_query(context.week, context.config.timezone)})"
    counted = {
        row["source"]: row
        for row in snapshot.sql(queries.SOURCE_POSTS_QUERY.format(rows=posts)).to_pylist()
    }
    ledger: dict[str, list[dict[str, Any]]] = {}
    for row in snapshot.sql(
        queries.latest_crawls_query(context.week, context.config.timezone)
    ).to_pylist():
        ledger.setdefault(row["source"], []).append(row)
    crawled = set(snapshot.sql("SELECT DISTINCT source FROM crawls").column("source").to_pylist())
    names = sorted({source.name for source in context.config.sources} | crawled | set(counted))
    return tuple(
        _source(name, counted.get(name), ledger.get(name, []), name in crawled, context)
        for name in names
    )


def _source(
    name: str, posts: Mapping[str, Any] | None, ledger: list[dict[str, Any]], crawled: bool, asked: ReportContext
) -> SourceLine:  # fmt: skip
    zone = asked.config.timezone
    week_posts = (
        f"({queries.week_posts_query(asked.week, zone)}) WHERE source = {sql_literal(name)}"
    )
    n = posts["posts"] if posts else 0
    sample = tuple(posts["sample"]) if posts else ()
    asked_of = f"SELECT * FROM ({queries.latest_crawls_query(asked.week, zone)}) WHERE source = {sql_literal(name)}"

    def figure(
        measure: str, value: float | None, n: int, query: str, posts: tuple[str, ...] = ()
    ) -> Figure:
        return Figure(
            measure=measure,
            week=str(asked.week),
            value=value,
            n=n,
            query=query,
            versions=asked.versions,
            posts=posts,
        )

    read = str(asked.week) not in asked.unread_weeks  # copies are sought when posts are read
    done = sum(row["status"] == "complete" for row in ledger)
    return SourceLine(
        name=name,
        status=_status(ledger, crawled, bool(posts)),
        posts=figure("source_posts", n, n, f"SELECT count(*) FROM {week_posts}", sample),
        copies=figure(
            "source_copies",
            posts["copies"] if posts and read else None,
            n,
            f"SELECT 1 - avg(counted::INT) FROM {week_posts}",
            sample,
        ),
        queries=figure("source_queries", len(ledger) if crawled else None, len(ledger), asked_of),
        complete=figure("source_complete", done if crawled else None, len(ledger), asked_of),
        reasons=tuple(
            sorted(
                {row["reason"] for row in ledger if row["reason"] and row["status"] != "complete"}
            )
        ),
    )


def _status(ledger: list[dict[str, Any]], crawled: bool, has_posts: bool) -> str:
    """The worst of the source's latest crawls of this week."""
    found = {row["status"] for row in ledger}
    if found:
        return next((status for status in _WORST_FIRST if status in found), "failed")
    return "imported" if has_posts and not crawled else "uncrawled"
