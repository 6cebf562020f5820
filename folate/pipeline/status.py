"""What a project holds, source by source."""

from typing import Any

from folate.pipeline.texts import text_version
from folate.pipeline.workspace import Workspace
from folate.weeks import Week

HOLDINGS = """
    SELECT p.source, count(*) AS posts, count(t.id) AS read, count(s.id) AS with_sentiment, count(d.id) AS copies,
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


def status(workspace: Workspace) -> list[dict[str, Any]]:
    """One row a source: posts, how many are read, first and last week, and how its last crawl went."""
    zone = workspace.config.timezone
    rows = workspace.store.snapshot().sql(HOLDINGS, {"version": text_version(workspace)}).to_pylist()
    return [row | {"first": str(Week.of(row["first"], zone)), "last": str(Week.of(row["last"], zone))} for row in rows]
