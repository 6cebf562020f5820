"""Posts as a report shows them: an excerpt with its source, its date and a hash of its author."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from corpora.store.snapshot import Snapshot
from folate.core.post import post_body
from folate.core.text import excerpt
from reports import queries


@dataclass(frozen=True, kw_only=True)
class Quote:
    """An excerpt of a post, on one line, with its source and date."""

    id: str
    text: str
    source: str
    author: str | None
    """Keyed hash of the author; None where the source shows none."""
    published_at: datetime
    url: str | None
    """An http or https address; None for any other."""


def load_quotes(snapshot: Snapshot, post_ids: Iterable[str]) -> dict[str, Quote]:
    """Load the posts with these ids that the snapshot has, by id."""
    rows = snapshot.sql(queries.posts_query(sorted(set(post_ids)))).to_pylist()
    return {row["id"]: quote_from_row(row) for row in rows}


def quote_from_row(row: Mapping[str, Any]) -> Quote:
    """Make a quote of a row of `posts` with the columns of `queries.posts_query`."""
    is_web_url = row["url"] and row["url"].startswith(("https://", "http://"))
    return Quote(
        id=row["id"],
        text=excerpt(post_body(row["title"], row["text"])),
        source=row["source"],
        author=row["author"],
        published_at=row["published_at"],
        url=row["url"] if is_web_url else None,
    )
