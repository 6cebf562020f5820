"""The record: Delta Lake tables in a folder, written by several processes at once, read at a version.

Every change is one commit. It is planned against a version of its table and refused when another commit came first; then it is
planned again. So each key stands once whatever runs beside it, and what returned is on the disk.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError

from corpora import migrations
from corpora.plans import plan_posts, plan_rows, same_key
from corpora.rows import Rows, conform, from_posts
from corpora.schema import POSTS, TABLES, Table
from corpora.snapshot import Snapshot, scan
from folate.errors import StoreError, possible
from folate.post import Post

BATCH = 20_000  # posts in one commit
_ATTEMPTS = 40
_LONGEST_PAUSE = 2.0  # seconds
_NO_REBASE = CommitProperties(max_commit_retries=0)  # a plan holds for the version it was made on
_WRITER = WriterProperties(compression="ZSTD", compression_level=1)
_FOREVER = "interval 36500 days"  # reports name versions; only `vacuum` forgets them
_PENDING = """
    FROM posts p ANTI JOIN (SELECT id, text_hash FROM {table} WHERE annotator = $annotator AND version = $version) USING (id, text_hash)
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Upserted:
    """How many rows an upsert added, changed, left as they were, and removed."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0

    def __add__(self, other: "Upserted") -> "Upserted":
        return Upserted(
            self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged, self.removed + other.removed
        )


class Store:
    """The tables of `corpora.schema` under one folder; each is made when it is first written."""

    def __init__(self, root: Path) -> None:
        """Raises StoreError when the store has another schema than this code."""
        migrations.check(root)
        self.root = root

    def upsert(self, table: str, rows: Rows, complete: Iterable[str] = ()) -> Upserted:
        """Insert `rows` or replace those with their keys, in one commit; rows that would change nothing write nothing.

        Of several rows with one key the last wins. `complete` names posts all of whose rows are given: their stored rows of
        other keys are removed (a mention that a better dictionary no longer finds). Raises StoreError.
        """
        kind = _table(table)
        fresh = conform(kind, rows)
        ids = pa.table({"id": pa.array(list(complete), pa.string())})
        if kind is POSTS:
            return self._change(kind, fresh, ids, lambda con: plan_posts(con, time.time_ns() // 1000))
        return self._change(kind, fresh, ids, lambda con: plan_rows(con, kind))

    def upsert_posts(self, posts: Iterable[Post]) -> Upserted:
        """Insert posts or update the stored ones, a commit for every 20,000. Raises StoreError.

        A newer sight never erases what was known (`corpora.plans.plan_posts`).
        """
        total, rest = Upserted(), iter(posts)
        while batch := list(islice(rest, BATCH)):
            total += self.upsert("posts", from_posts(batch, datetime.now(UTC)))
        return total

    def replace(self, table: str, rows: Rows, where: Mapping[str, str]) -> None:
        """Put `rows` in place of all rows that have the values of `where` (all rows, when it is empty), in one commit.

        Raises StoreError, also when a row has other values.
        """
        kind = _table(table)
        fresh = conform(kind, rows)
        for column, value in where.items():
            if set(fresh[column].to_pylist()) - {value}:
                raise StoreError(f"wanted only rows with {column} = {value!r} for {table!r}, got others.")
        predicate = " AND ".join(f"{column} = {_quoted(value)}" for column, value in where.items()) or None
        self._commit(kind, lambda stored: _overwrite(stored, fresh, predicate))

    def versions(self) -> dict[str, int]:
        """The newest version of every table that was ever written."""
        return {name: DeltaTable(self.root / name).version() for name in TABLES if self._exists(name)}

    def snapshot(self, versions: Mapping[str, int] | None = None) -> Snapshot:
        """The store at `versions` (a table that they do not name is empty), or as it is now. Raises StoreError."""
        return Snapshot(self.root, self.versions() if versions is None else versions)

    def pending(self, table: str, annotator: str, version: str, size: int = 10_000) -> Iterator[pa.RecordBatch]:
        """Posts without a row of this annotator and version for their present text, in batches. Raises StoreError."""
        params = {"annotator": annotator, "version": version}
        return self.snapshot().stream(f"SELECT p.* {_PENDING.format(table=_table(table).name)}", params, size)

    def count_pending(self, table: str, annotator: str, version: str) -> int:
        """How many posts `pending` would give."""
        params = {"annotator": annotator, "version": version}
        return int(self.snapshot().sql(f"SELECT count(*) AS n {_PENDING.format(table=_table(table).name)}", params)["n"][0].as_py())

    def compact(self) -> None:
        """Merge the small files that many small upserts leave."""
        for name in self.versions():
            self._commit(_table(name), lambda stored: stored.optimize.compact(writer_properties=_WRITER, commit_properties=_NO_REBASE))

    def vacuum(self, hours: int = 168) -> int:
        """Delete files that have been out of use for `hours`, but none of a version that evidence names; how many went.

        Versions that lost files can't be read any more.
        """
        kept = self._versions_in_evidence()
        deleted = 0
        for name in self.versions():
            stored = DeltaTable(self.root / name)
            deleted += len(
                stored.vacuum(hours, dry_run=False, enforce_retention_duration=False, keep_versions=sorted(kept.get(name, set())))
            )
        return deleted

    def _versions_in_evidence(self) -> dict[str, set[int]]:
        kept: dict[str, set[int]] = {}
        for row in self.snapshot().sql("SELECT DISTINCT versions FROM evidence WHERE versions IS NOT NULL")["versions"].to_pylist():
            for name, version in json.loads(row).items():
                kept.setdefault(name, set()).add(version)
        return kept

    def _exists(self, name: str) -> bool:
        return bool(DeltaTable.is_deltatable(str(self.root / name)))

    def _change(self, table: Table, fresh: pa.Table, complete: pa.Table, plan: Callable[[duckdb.DuckDBPyConnection], pa.Table]) -> Upserted:
        """Plan and write until no other commit came between."""
        if not fresh.num_rows and not complete.num_rows:
            return Upserted()
        _check_keys(table, fresh)

        def attempt(stored: DeltaTable) -> Upserted:
            with duckdb.connect() as con:
                _relations(con, table, stored, fresh, complete)
                rows = plan(con)
            _write(table, stored, rows)
            fates = pc.value_counts(rows["fate"]).to_pylist()
            counts = {fate["values"]: fate["counts"] for fate in fates}
            return Upserted(counts.get("new", 0), counts.get("changed", 0), counts.get("same", 0), counts.get("gone", 0))

        return self._commit(table, attempt)

    def _commit(self, table: Table, change: Callable[[DeltaTable], T]) -> T:
        """Run `change` on the newest version of `table`, again when another commit came first. Raises StoreError."""
        for attempt in range(_ATTEMPTS):
            try:
                return change(self._open(table))
            except CommitFailedError:
                time.sleep(min(_LONGEST_PAUSE, 0.02 * 2**attempt) * random.random())  # noqa: S311  # writers must not retry in step
        raise StoreError(f"gave up writing {table.name!r} after {_ATTEMPTS} conflicts with other writers; run it again.")

    def _open(self, table: Table) -> DeltaTable:
        """The newest version of `table`, made if need be."""
        if not self._exists(table.name):
            migrations.stamp(self.root, len(migrations.MIGRATIONS))
            _create(self.root / table.name, table)
        return DeltaTable(self.root / table.name)


def _create(path: Path, table: Table) -> None:
    DeltaTable.create(
        path, table.schema, mode="ignore", partition_by=list(table.partitions) or None, commit_properties=_NO_REBASE,
        configuration={
            "delta.logRetentionDuration": _FOREVER, "delta.deletedFileRetentionDuration": _FOREVER,
            "delta.dataSkippingStatsColumns": ",".join(table.key),  # statistics of texts would bloat the log
        },
    )  # fmt: skip


def _relations(con: duckdb.DuckDBPyConnection, table: Table, stored: DeltaTable, fresh: pa.Table, complete: pa.Table) -> None:
    """The relations that a plan reads."""
    con.execute("SET TimeZone = 'UTC'")
    con.register("fresh", fresh.append_column("nth", pa.array(range(fresh.num_rows), pa.int64())))
    con.register("complete", complete)
    sources = pc.unique(fresh["source"]).to_pylist() if table is POSTS else None
    files = stored.file_uris(file_pruning_predicate=[("source", "in", sources)] if sources else None)
    first = table.key[0]
    con.execute(
        f"CREATE TEMP TABLE stored AS SELECT * FROM ({scan(table, files)}) "
        f"WHERE {first} IN (SELECT {first} FROM fresh UNION ALL SELECT id FROM complete)"
    )


def _write(table: Table, stored: DeltaTable, plan: pa.Table) -> None:
    """One commit: an append when every row is new, else a merge; none when nothing changes."""
    rows = plan.filter(pc.not_equal(plan["fate"], "same"))
    if not rows.num_rows:
        return
    if set(pc.unique(rows["fate"]).to_pylist()) == {"new"}:
        write_deltalake(
            stored, rows.drop_columns("fate").cast(table.schema), mode="append", writer_properties=_WRITER, commit_properties=_NO_REBASE
        )
        return
    columns = {name: f'f."{name}"' for name in table.schema.names}
    merger = stored.merge(
        rows.cast(table.schema.append(pa.field("fate", pa.string()))), _match(table, rows), "f", "s",
        writer_properties=_WRITER, commit_properties=_NO_REBASE,
    )  # fmt: skip
    merger.when_matched_delete("f.fate = 'gone'").when_matched_update(columns).when_not_matched_insert(columns).execute()


def _match(table: Table, rows: pa.Table) -> str:
    """The join of a merge, with the partitions it may touch spelled out so that no others are read."""
    touched = rows.filter(pc.not_equal(rows["fate"], "new"))
    pruned = [
        f"s.{column} IN ({', '.join(_quoted(value) for value in pc.unique(touched[column]).sort().to_pylist())})"
        for column in table.partitions
    ]
    return " AND ".join([*pruned, same_key(table, "s", "f")])


def _overwrite(stored: DeltaTable, rows: pa.Table, predicate: str | None) -> None:
    write_deltalake(stored, rows, mode="overwrite", predicate=predicate, writer_properties=_WRITER, commit_properties=_NO_REBASE)


def _check_keys(table: Table, rows: pa.Table) -> None:
    if rows[table.key[0]].null_count:
        raise StoreError(f"wanted {table.key[0]!r} in every row for {table.name!r}, got {rows[table.key[0]].null_count} without.")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _table(name: str) -> Table:
    try:
        return TABLES[name]
    except KeyError as error:
        raise StoreError(f"the store has no table {name!r}; {possible(name, TABLES)}") from error
