"""Names in posts that are no name of a brand: candidates for the brand list."""

from dataclasses import dataclass

from folate.pipeline.project import Project
from nlp.extract.brands import BrandLinker

MIN_NAME_AUTHORS = 5
"""Authors that must use an account name before it is shown: it may be a private person's."""
MAX_SHOWN_NAMES = 10
"""Names that are shown."""
_MAX_CANDIDATES = 500
"""Most frequent names that are compared with the brands."""

_POST_COUNTS_QUERY = """
    SELECT count(*) AS posts, count(*) FILTER (WHERE m.id IS NULL) AS without_brand
    FROM (SELECT DISTINCT id FROM texts) t LEFT JOIN (SELECT DISTINCT id FROM mentions) m USING (id)
"""
_NAMES_QUERY = r"""
    WITH used AS (
        SELECT id, lower(unnest(regexp_extract_all(
            translate(text, '＠', '@'), '@[\p{L}\p{N}_-]{1,30}'
        ))) AS name
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
    """The annotated posts without a brand, and the most frequent names that no brand has."""

    # annotated posts
    posts: int
    # those of them that name no brand
    without_brand: int
    # @names and hashtags with the number of their authors, most frequent first
    names: tuple[tuple[str, int], ...]

    @property
    def summary(self) -> str:
        """One sentence for the user; empty when no post is annotated."""
        if not self.posts:
            return ""
        counts = f"{self.without_brand:,} of {self.posts:,} posts that were read name no brand"
        if not self.names:
            return f"{counts}."
        names = ", ".join(f"{name} ({authors:,} people)" for name, authors in self.names)
        return f"{counts}; the commonest @names and hashtags that no brand has: {names}."


def find_unlinked_names(project: Project) -> UnlinkedNames:
    """Find the most frequent @names and hashtags that are no name of a brand. Raises StoreError."""
    snapshot = project.store.snapshot()
    counts = snapshot.sql(_POST_COUNTS_QUERY).to_pylist()[0]
    parameters = {"least": MIN_NAME_AUTHORS, "limit": _MAX_CANDIDATES}
    rows = snapshot.sql(_NAMES_QUERY, parameters).to_pylist()
    linker = BrandLinker(project.config.brands)
    names = [(row["name"], row["people"]) for row in rows if not linker.find_mentions(row["name"])]
    return UnlinkedNames(counts["posts"], counts["without_brand"], tuple(names[:MAX_SHOWN_NAMES]))
