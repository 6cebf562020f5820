"""Which posts changed between two versions of the store, found from the logs of its tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from urllib.parse import unquote

import duckdb

from corpora.index.manifest import TableVersion
from corpora.store import commits
from corpora.store.schema import TABLES
from corpora.store.snapshot import Snapshot, scan_sql

COMPARED_COLUMNS: dict[str, tuple[str, ...]] = {
    "posts": (
        "id", "source", "kind", "author", "verified", "published_at", "title", "text", "rating",
        "place", "text_hash",
    ),
    "texts": (
        "id", "text_hash", "language", "words", "starts", "lengths", "hashtags", "segments",
    ),
    "word_tags": ("id", "text_hash", "lemmas", "parts"),
    "mentions": ("id", "text_hash", "brand"),
    "sentiments": (
        "id", "text_hash", "annotator", "version", "brand", "label", "negative", "neutral",
        "positive",
    ),
    "adaptations": (
        "brand", "fold", "name", "annotator", "model", "negative", "neutral", "positive",
    ),
    "aspects": ("id", "text_hash", "brand", "aspect", "label"),
    "judgements": (
        "id", "text_hash", "emotion", "buy", "switch", "ask", "complain", "tags",
    ),
    "duplicates": ("id",),
    "topics": ("id", "evidence"),
    "labels": ("id", "name", "rater", "text_hash", "belongs"),
}  # fmt: skip
"""The tables that documents are made of, and the columns that they depend on."""

_CHANGED_VALUE = {"adaptations": "brand", "topics": "unnest(evidence)"}


class UnknownChanges(Exception):
    """The log or the files no longer tell what changed."""


@dataclass
class _ChangedFiles:
    """The data files that commits added to a table and removed from it, without compaction."""

    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)


def table_versions(root: Path, versions: Mapping[str, int]) -> dict[str, TableVersion]:
    """Return the versions of the tables that documents are made of, with their digests."""
    return {
        name: TableVersion(versions[name], _entry_digest(root, name, versions[name]))
        for name in COMPARED_COLUMNS
        if name in versions
    }


def find_changed_posts(
    root: Path, snapshot: Snapshot, old: Mapping[str, TableVersion]
) -> list[str]:
    """Return the sorted ids of the posts whose documents may differ from those at `old`.

    `snapshot` is of the newer version. Raises UnknownChanges.
    """
    ids: set[str] = set()
    for name in COMPARED_COLUMNS:
        new_version = snapshot.versions.get(name)
        old_version = old.get(name)
        if old_version is not None and new_version is None:
            raise UnknownChanges
        if new_version is None:
            continue
        changed = _changed_values(root, name, old_version, new_version)
        if name == "adaptations":
            query = "SELECT DISTINCT id FROM all_sentiments WHERE brand IN (SELECT unnest($brands))"
            changed = snapshot.sql(query, {"brands": changed})["id"].to_pylist() if changed else []
        ids.update(changed)
    return sorted(ids)


def _changed_values(
    root: Path, name: str, old_version: TableVersion | None, new_version: int
) -> list[str]:
    """Return the ids of posts (of adaptations: the brands) whose rows differ in two versions."""
    first = 0
    if old_version is not None:
        if _entry_digest(root, name, old_version.number) != old_version.digest:
            raise UnknownChanges
        first = old_version.number + 1
    if new_version + 1 < first:
        raise UnknownChanges
    files = _ChangedFiles()
    for version in range(first, new_version + 1):
        _add_commit(commits.log_entry_path(root, name, version), files)
    both = files.added & files.removed
    folder = (root / name).absolute()
    added = [str(folder / path) for path in sorted(files.added - both)]
    removed = [str(folder / path) for path in sorted(files.removed - both)]
    return _differing_values(name, added, removed) if added or removed else []


def _add_commit(entry: Path, files: _ChangedFiles) -> None:
    """Add the files of one commit. Raises UnknownChanges."""
    try:
        lines = entry.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UnknownChanges from error
    for line in lines:
        actions = json.loads(line)
        for kind, paths in (("add", files.added), ("remove", files.removed)):
            action = actions.get(kind)
            if action and action["dataChange"]:
                if action.get("deletionVector"):
                    raise UnknownChanges
                paths.add(unquote(action["path"]))


def _differing_values(name: str, added: Sequence[str], removed: Sequence[str]) -> list[str]:
    """Return what is named by rows of which one list of files has more than the other."""
    table = TABLES[name]
    columns = ", ".join(COMPARED_COLUMNS[name])
    value = _CHANGED_VALUE.get(name, "id")
    query = f"SELECT {columns} FROM ({scan_sql(table, added)})"
    if removed:
        query = (
            f"SELECT {columns} FROM ("
            f"SELECT {columns}, 1 AS sign FROM ({scan_sql(table, added)}) UNION ALL "
            f"SELECT {columns}, -1 FROM ({scan_sql(table, removed)})"
            f") GROUP BY {columns} HAVING sum(sign) <> 0"
        )
    try:
        with duckdb.connect() as connection:
            rows = connection.sql(
                f"SELECT DISTINCT value FROM (SELECT {value} AS value FROM ({query}))"
            )
            return [row[0] for row in rows.fetchall() if row[0] is not None]
    except duckdb.Error as error:  # a file was deleted, or is damaged
        raise UnknownChanges from error


def _entry_digest(root: Path, name: str, version: int) -> str:
    """Return the digest of an entry of a table's log, "" where it is missing."""
    try:
        entry = commits.log_entry_path(root, name, version).read_bytes()
    except OSError:
        return ""
    return blake2b(entry, digest_size=8).hexdigest()
