"""What a project holds, source by source."""

from typing import Any

from folate.core.weeks import Week
from folate.pipeline.annotate.text import text_version
from folate.pipeline.project import Project

MAX_LISTED_WEEKS = 8  # most that topics were sought in and that are named
SOURCE_STATUS_QUERY = """
    SELECT p.source, count(*) AS posts, count(t.id) AS read, count(*) - count(t.id) AS unread,
           count(s.id) AS with_sentiment, count(d.id) AS copies,
           min(p.published_at) AS first, max(p.published_at) AS last, last_crawl.status AS last_crawl
    FROM posts p
    LEFT JOIN (SELECT id FROM texts WHERE version = $version) t USING (id)
    LEFT JOIN (SELECT id FROM sentiments WHERE brand IS NULL) s USING (id)
    LEFT JOIN duplicates d USING (id)
    LEFT JOIN (
        SELECT source, string_agg(DISTINCT status, ', ' ORDER BY status) AS status
        FROM crawls JOIN (SELECT source, max(crawl) AS crawl FROM crawls GROUP BY source) USING (source, crawl)
        GROUP BY source
    ) last_crawl USING (source)
    GROUP BY p.source, last_crawl.status
    ORDER BY p.source
"""


_SOUGHT = """
    SELECT week, topics, baseline_weeks >= least_weeks AS known FROM searches
    UNION ALL
    SELECT week, count(*) AS topics, true AS known FROM topics WHERE week NOT IN (SELECT week FROM searches) GROUP BY week
    ORDER BY week DESC LIMIT $most
"""  # an older Folate kept topics, and not that they were sought


def source_status(project: Project) -> list[dict[str, Any]]:
    """One row a source: posts, how many are read, first and last week, and how its last crawl went."""
    zone = project.config.timezone
    rows = (
        project.store.snapshot()
        .sql(SOURCE_STATUS_QUERY, {"version": text_version(project)})
        .to_pylist()
    )
    return [
        row
        | {
            "first": str(Week.from_datetime(row["first"], zone)),
            "last": str(Week.from_datetime(row["last"], zone)),
        }
        for row in rows
    ]


def status_notes(project: Project, rows: list[dict[str, Any]]) -> list[str]:
    """What the rows of `status` leave open: posts that wait to be read, and in which weeks topics were sought, newest first."""
    unread, unjudged = (
        sum(row["unread"] for row in rows),
        sum(row["posts"] - row["with_sentiment"] for row in rows),
    )
    told = [
        f"{count:,} posts have not been {what}: 'folate annotate' does that."
        for count, what in ((unread, "read"), (unjudged, "judged for sentiment"))
        if count
    ]
    searches = project.store.snapshot().sql(_SOUGHT, {"most": MAX_LISTED_WEEKS + 1}).to_pylist()
    if not searches:
        return [*told, "topics were never sought: 'folate topics' seeks those of a week."]
    weeks = [
        f"{row['week']} ({row['topics'] if row['known'] else 'too few weeks before'})"
        for row in searches[:MAX_LISTED_WEEKS]
    ]
    return [
        *told,
        f"topics were sought in {', '.join(weeks)}{' and earlier weeks' if len(searches) > MAX_LISTED_WEEKS else ''}.",
    ]
