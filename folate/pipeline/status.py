"""What a project contains: posts and annotations by source, and which steps are still to be run."""

from typing import Any

from folate.core.weeks import Week
from folate.pipeline.annotate.text import text_version
from folate.pipeline.project import Project
from folate.pipeline.steps import get_step

MAX_LISTED_WEEKS = 8
"""Weeks that are named of those in which topics were sought."""

SOURCE_STATUS_QUERY = """
    SELECT p.source, count(*) AS posts, count(t.id) AS read, count(*) - count(t.id) AS unread,
           count(s.id) AS with_sentiment, count(e.id) AS with_vector, count(w.id) AS tagged,
           count(d.id) AS copies,
           min(p.published_at) AS first, max(p.published_at) AS last,
           last_crawl.status AS last_crawl
    FROM posts p
    LEFT JOIN (SELECT id FROM texts WHERE version = $version) t USING (id)
    LEFT JOIN (SELECT id FROM sentiments WHERE brand IS NULL) s USING (id)
    LEFT JOIN (SELECT id FROM embeddings) e USING (id)
    LEFT JOIN (SELECT id FROM word_tags WHERE ends_with(version, '+' || $version)) w USING (id)
    LEFT JOIN duplicates d USING (id)
    LEFT JOIN (
        SELECT source, string_agg(DISTINCT status, ', ' ORDER BY status) AS status
        FROM crawls
        JOIN (SELECT source, max(crawl) AS crawl FROM crawls GROUP BY source) USING (source, crawl)
        GROUP BY source
    ) last_crawl USING (source)
    GROUP BY p.source, last_crawl.status
    ORDER BY p.source
"""

# An older Folate stored topics without a row in the table searches.
_TOPIC_SEARCHES_QUERY = """
    SELECT week, topics, baseline_weeks >= least_weeks AS known FROM searches
    UNION ALL
    SELECT week, count(*) AS topics, true AS known FROM topics
    WHERE week NOT IN (SELECT week FROM searches) GROUP BY week
    ORDER BY week DESC LIMIT $most
"""


def source_status(project: Project) -> list[dict[str, Any]]:
    """Return one row per source: posts and annotations, first and last week, last crawl."""
    timezone = project.config.timezone
    parameters = {"version": text_version(project)}
    table = project.store.snapshot().sql(SOURCE_STATUS_QUERY, parameters)
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        row["first"] = str(Week.from_datetime(row["first"], timezone))
        row["last"] = str(Week.from_datetime(row["last"], timezone))
    return rows


def status_notes(project: Project, rows: list[dict[str, Any]]) -> list[str]:
    """Return notes on what to run next, given the rows of `source_status`.

    They count the posts that are not annotated, and list the weeks in which topics were sought.
    """
    annotate_command = get_step("annotate").command
    unread_count = sum(row["unread"] for row in rows)
    without_sentiment_count = sum(row["posts"] - row["with_sentiment"] for row in rows)
    notes = []
    if unread_count:
        notes.append(f"{unread_count:,} posts have not been read: '{annotate_command}' does that.")
    if without_sentiment_count:
        notes.append(
            f"{without_sentiment_count:,} posts have not been judged for sentiment: "
            f"'{annotate_command}' does that."
        )
    searches = (
        project.store.snapshot()
        .sql(_TOPIC_SEARCHES_QUERY, {"most": MAX_LISTED_WEEKS + 1})
        .to_pylist()
    )
    if not searches:
        command = get_step("topics").command
        return [*notes, f"topics were never sought: '{command}' seeks those of a week."]
    weeks = []
    for row in searches[:MAX_LISTED_WEEKS]:
        count = row["topics"] if row["known"] else "too few weeks before"
        weeks.append(f"{row['week']} ({count})")
    earlier = " and earlier weeks" if len(searches) > MAX_LISTED_WEEKS else ""
    return [*notes, f"topics were sought in {', '.join(weeks)}{earlier}."]
