"""Names that posts use and no brand of the project has: what a brand list may be missing."""

from dataclasses import dataclass

from folate.pipeline.project import Project
from nlp.extract.brands import BrandLinker

MIN_NAME_AUTHORS = 5
"""Authors that must use an account name before it is shown: it may be a person's."""
MAX_SHOWN_NAMES = 10
"""Names that are shown."""
_CANDIDATES = 500
"""Commonest names that are compared with the brands."""

_COUNTS = """
    SELECT count(*) AS posts, count(*) FILTER (WHERE m.id IS NULL) AS without_brand
    FROM (SELECT DISTINCT id FROM texts) t LEFT JOIN (SELECT DISTINCT id FROM mentions) m USING (id)
"""
_NAMES = r"""
    WITH used AS (
        SELECT id, lower(unnest(regexp_extract_all(translate(text, '＠', '@'), '@[\p{L}\p{N}_-]{1,30}'))) AS name
        FROM posts
        UNION
        SELECT id, '#' || unnest(hashtags) AS name FROM texts
    )
    SELECT name, count(DISTINCT coalesce(p.author, p.id)) AS people, count(DISTINCT id) AS posts
    FROM used JOIN posts p USING (id)
    GROUP BY name HAVING people >= $least ORDER BY people DESC, name LIMIT $limit
"""


@dataclass(frozen=True)
class UnlinkedNames:
    """Of the posts that were read: how many name no brand, and the commonest other names as (name, people)."""

    posts: int
    without_brand: int
    names: tuple[tuple[str, int], ...]

    @property
    def summary(self) -> str:
        """Say both in one sentence; empty when nothing was read."""
        if not self.posts:
            return ""
        said = f"{self.without_brand:,} of {self.posts:,} posts that were read name no brand"
        if not self.names:
            return f"{said}."
        listed = ", ".join(f"{name} ({people:,} people)" for name, people in self.names)
        return f"{said}; the commonest @names and hashtags that no brand has: {listed}."


def find_unlinked_names(project: Project) -> UnlinkedNames:
    """Count the posts without a brand, and find the commonest @names and hashtags that name none. Raises StoreError."""
    snapshot = project.store.snapshot()
    counts = snapshot.sql(_COUNTS).to_pylist()[0]
    rows = snapshot.sql(_NAMES, {"least": MIN_NAME_AUTHORS, "limit": _CANDIDATES}).to_pylist()
    linker = BrandLinker(project.config.brands)
    other = [(row["name"], row["people"]) for row in rows if not linker.find_mentions(row["name"])]
    return UnlinkedNames(counts["posts"], counts["without_brand"], tuple(other[:MAX_SHOWN_NAMES]))
