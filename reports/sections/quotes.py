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
    """A post as a report shows it: an excerpt, where, when, and a hash for who."""

    id: str
    text: str
    source: str
    author: str | None
    published_at: datetime
    url: str | None  # http and https only


def load_quotes(snapshot: Snapshot, ids: Iterable[str]) -> dict[str, Quote]:
    return {
        row["id"]: quote_from_row(row)
        for row in snapshot.sql(queries.posts_query(sorted(set(ids)))).to_pylist()
    }


def quote_from_row(row: Mapping[str, Any]) -> Quote:
    url = row["url"] if row["url"] and row["url"].startswith(("https://", "http://")) else None
    return Quote(
        id=row["id"], text=excerpt(post_body(row["title"], row["text"])), source=row["source"], author=row["author"],
        published_at=row["published_at"], url=url,
    )  # fmt: skip
