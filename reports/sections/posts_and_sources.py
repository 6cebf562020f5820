"""The lists of a report: the week's posts, the most engaging ones, and its sources."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpora.store.snapshot import sql_literal
from reports import queries
from reports.context import ReportContext
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.sections.quotes import Quote, quote_from_row

MAX_TOP_POSTS = 3
"""Most posts of each brand that a report shows."""

INCOMPLETE_STATUSES = ("failed", "partial", "saturated")
"""Statuses of a source that was not crawled in full, the worst first."""

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TopPost:
    """One of the posts about a brand with the most likes, replies and reposts."""

    brand: str
    quote: Quote
    engagement: Figure


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """A source in the week: its posts and how complete its crawls are."""

    name: str
    status: str
    """complete, saturated, partial or failed, after its worst crawl; imported where it has posts
    and was never crawled; uncrawled where no crawl reached the week."""
    posts: Figure
    copies: Figure
    queries: Figure
    complete: Figure
    reasons: tuple[str, ...]
    """Why queries are incomplete, as the crawl's ledger says it."""


def count_week_posts(context: ReportContext) -> Figure:
    """Count the posts of the week, whatever they are about."""
    posts_query = context.week_posts_query()
    [counts] = context.rows(
        f"SELECT count(*) AS n, (list(id ORDER BY id)[:{MAX_SAMPLE_POSTS}]) AS sample "
        f"FROM ({posts_query})"
    )
    return context.figure(
        "week_posts",
        counts["n"],
        n=counts["n"],
        query=f"SELECT count(*) FROM ({posts_query})",
        posts=counts["sample"] or (),
    )


def find_top_posts(context: ReportContext) -> tuple[TopPost, ...]:
    """Find the most engaging posts about each brand, each text once.

    Posts whose source shows no likes, replies or reposts take no part.
    """
    mentions = context.mentions_query([context.week])
    rows = context.rows(queries.TOP_POSTS_QUERY.format(rows=mentions, most=MAX_TOP_POSTS))
    brand_index = {brand: index for index, brand in enumerate(context.brand_ids)}
    rows.sort(key=lambda row: (brand_index[row["brand"]], -row["engagement"], row["id"]))
    return tuple(_top_post(context, row) for row in rows)


def _top_post(context: ReportContext, row: Row) -> TopPost:
    engagement = context.figure(
        "engagement",
        row["engagement"],
        n=1,
        query=queries.POST_ENGAGEMENT_QUERY.format(id=sql_literal(row["id"])),
        brand=row["brand"],
        posts=(row["id"],),
    )
    return TopPost(brand=row["brand"], quote=quote_from_row(row), engagement=engagement)


def find_sources(context: ReportContext) -> tuple[SourceLine, ...]:
    """Describe every source of folate.toml, of the crawls and of the week's posts, by name."""
    posts_query = f"({context.week_posts_query()})"
    post_counts = {
        row["source"]: row
        for row in context.rows(queries.SOURCE_POSTS_QUERY.format(rows=posts_query))
    }
    crawls: defaultdict[str, list[Row]] = defaultdict(list)
    for row in context.rows(queries.latest_crawls_query(context.week, context.timezone)):
        crawls[row["source"]].append(row)
    crawled = {row["source"] for row in context.rows("SELECT DISTINCT source FROM crawls")}
    names = {source.name for source in context.config.sources} | crawled | set(post_counts)
    return tuple(
        _source_line(context, name, post_counts.get(name), crawls[name], name in crawled)
        for name in sorted(names)
    )


def _source_line(
    context: ReportContext, name: str, counts: Row | None, crawls: Sequence[Row], is_crawled: bool
) -> SourceLine:
    """Make the line of a source.

    `counts` is a row of SOURCE_POSTS_QUERY, `crawls` are rows of `latest_crawls_query`.
    """
    posts_query = f"({context.week_posts_query()}) WHERE source = {sql_literal(name)}"
    crawls_query = (
        f"SELECT * FROM ({queries.latest_crawls_query(context.week, context.timezone)}) "
        f"WHERE source = {sql_literal(name)}"
    )
    post_count = counts["posts"] if counts else 0
    post_ids = counts["sample"] if counts else ()
    # copies are found when posts are annotated
    copy_share = counts["copies"] if counts and not context.is_week_unread else None
    complete_count = sum(crawl["status"] == "complete" for crawl in crawls)
    reasons = {
        crawl["reason"] for crawl in crawls if crawl["reason"] and crawl["status"] != "complete"
    }
    return SourceLine(
        name=name,
        status=_source_status(crawls, is_crawled, has_posts=bool(counts)),
        posts=context.figure(
            "source_posts",
            post_count,
            n=post_count,
            query=f"SELECT count(*) FROM {posts_query}",
            posts=post_ids,
        ),
        copies=context.figure(
            "source_copies",
            copy_share,
            n=post_count,
            query=f"SELECT 1 - avg(counted::INT) FROM {posts_query}",
            posts=post_ids,
        ),
        queries=context.figure(
            "source_queries",
            len(crawls) if is_crawled else None,
            n=len(crawls),
            query=crawls_query,
        ),
        complete=context.figure(
            "source_complete",
            complete_count if is_crawled else None,
            n=len(crawls),
            query=crawls_query,
        ),
        reasons=tuple(sorted(reasons)),
    )


def _source_status(crawls: Sequence[Row], is_crawled: bool, has_posts: bool) -> str:
    """Return the worst status of the crawls, or why there is none."""
    statuses = {crawl["status"] for crawl in crawls}
    for status in (*INCOMPLETE_STATUSES, "complete"):
        if status in statuses:
            return status
    if statuses:
        return "failed"
    return "imported" if has_posts and not is_crawled else "uncrawled"
