"""The store: Delta Lake tables in a folder, written by several processes, read at a version.

Every change is one commit. It is planned against a version of its table; when another commit comes
first, it is refused and planned again. So each key has one row whatever runs at the same time, and
what a method returned from is on the disk.
"""

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from operator import add
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from corpora.store import commits, delta_tables, delta_writes, migrations
from corpora.store.arrow import RowInput, conform_rows, posts_to_arrow
from corpora.store.batches import batch_posts, split_by_partitions
from corpora.store.damage import find_first_fault
from corpora.store.merge import plan_posts, plan_rows
from corpora.store.schema import POSTS, TABLES, TableDefinition
from corpora.store.snapshot import (
    MAX_QUERY_SECONDS,
    PER_TEXT_TABLES,
    Snapshot,
    scan_sql,
    sql_literal,
)
from folate.core.errors import StoreError, suggestion
from folate.core.post import Post

STORE_FOLDER = "corpus"
"""The folder of the store in a project's folder."""

# Bytes left free on the disk: logs, checkpoints, and rows of partitions that a merge rewrites.
_SPARE_BYTES = 4_000_000
_MAX_COMMIT_ATTEMPTS = 40
_MAX_RETRY_SECONDS = 2.0
T = TypeVar("T")


@dataclass(frozen=True)
class UpsertCounts:
    """Outcome of an upsert: inserted + updated + unchanged + repeated is the number of its rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    # Rows with the key of another row of the batch.
    repeated: int = 0
    # Stored rows that were deleted.
    removed: int = 0

    def __add__(self, other: "UpsertCounts") -> "UpsertCounts":
        return UpsertCounts(*map(add, astuple(self), astuple(other)))


class Store:
    """The tables of `corpora.store.schema` under one folder; each is created when first written."""

    def __init__(self, root: Path) -> None:
        """Open the store at `root`, which need not exist yet.

        Raises StoreError when the store has another schema than this code, or Delta can't keep
        tables in such a folder.
        """
        delta_tables.check_path(root)
        migrations.check_schema_number(root)
        self.root = root

    def upsert(self, table: str, rows: RowInput, complete_ids: Iterable[str] = ()) -> UpsertCounts:
        """Insert `rows` or replace those with their keys, in one commit.

        Of several rows with one key the last wins; rows that would change nothing write nothing.
        `complete_ids` are posts all of whose rows are given: their stored rows of other keys are
        removed (a mention that a better dictionary no longer finds). Raises StoreError.
        """
        definition = _find_table(table)
        incoming = conform_rows(definition, rows)
        complete = pa.table({"id": pa.array(list(complete_ids), pa.string())})

        def plan(con: duckdb.DuckDBPyConnection) -> pa.Table:
            if definition is POSTS:
                return plan_posts(con, time.time_ns() // 1000)
            return plan_rows(con, definition)

        return self._commit_plan(definition, incoming, complete, plan)

    def upsert_posts(self, posts: Iterable[Post]) -> UpsertCounts:
        """Insert posts or update the stored ones, a commit for every batch. Raises StoreError.

        A newer observation never erases what was known (`corpora.store.merge.plan_posts`).
        """
        total = UpsertCounts()
        for batch in batch_posts(posts):
            rows = posts_to_arrow(batch, datetime.now(UTC))
            for partition_rows in split_by_partitions(rows):
                total += self.upsert("posts", partition_rows)
        return total

    def replace(self, table: str, rows: RowInput, where: Mapping[str, str]) -> None:
        """Put `rows` in place of all rows that have the values of `where`, in one commit.

        An empty `where` means all rows. Raises StoreError, also when a row has other values.
        """
        definition = _find_table(table)
        incoming = conform_rows(definition, rows)
        for column, value in where.items():
            if set(incoming[column].to_pylist()) - {value}:
                raise StoreError(
                    f"wanted only rows with {column} = {value!r} for {table!r}, got others."
                )
        _check_disk_space(self.root, incoming)
        conditions = [f"{column} = {sql_literal(value)}" for column, value in where.items()]
        predicate = " AND ".join(conditions) or None
        self._commit(
            definition, lambda stored: delta_writes.overwrite_rows(stored, incoming, predicate)
        )

    def versions(self) -> dict[str, int]:
        """Return the newest version of every table that was ever written."""
        return {
            name: delta_tables.newest_version(self.root, name)
            for name in TABLES
            if delta_tables.table_exists(self.root, name)
        }

    def snapshot(
        self,
        versions: Mapping[str, int] | None = None,
        max_query_seconds: float = MAX_QUERY_SECONDS,
        *,
        is_lazy: bool = False,
    ) -> Snapshot:
        """Return the store at `versions`, or as it is now. Raises StoreError.

        A table that `versions` does not name is empty. A query to the snapshot that takes longer
        than `max_query_seconds` is stopped. With `is_lazy`, tables are opened with the first query.
        """
        pinned_versions = self.versions() if versions is None else versions
        return Snapshot(self.root, pinned_versions, max_query_seconds, is_lazy=is_lazy)

    def pending_posts(
        self,
        table: str,
        annotator: str,
        version: str,
        batch_size: int = 10_000,
        required_reader: tuple[str, str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield posts without a row of this annotator and version for their present text.

        `required_reader` is the annotator and version of `texts` that must have processed the
        present text: other posts wait for that. Raises StoreError.
        """
        query, params = _pending_query(table, annotator, version, required_reader)
        return self.snapshot().stream(f"SELECT p.* {query}", params, batch_size)

    def count_pending_posts(
        self,
        table: str,
        annotator: str,
        version: str,
        required_reader: tuple[str, str] | None = None,
    ) -> int:
        """Count the posts that `pending_posts` would yield. Raises StoreError."""
        query, params = _pending_query(table, annotator, version, required_reader)
        return int(self.snapshot().sql(f"SELECT count(*) AS n {query}", params)["n"][0].as_py())

    def compact(self, tables: Iterable[str] | None = None) -> None:
        """Merge the small files that many small upserts leave, of some tables or of all.

        Raises StoreError.
        """
        for name in self.versions() if tables is None else tables:
            self._commit(_find_table(name), delta_writes.merge_small_files)

    def vacuum(self, retention_hours: int = 168) -> int:
        """Delete files out of use for `retention_hours`, and return how many.

        Files of versions that evidence names stay. Versions that lost files can't be read any more.
        """
        evidence_versions = self._versions_in_evidence()
        deleted = 0
        for name in self.versions():
            stored = delta_tables.open_table(self.root, name)
            with delta_tables.translate_read_errors(self.root, name):
                deleted_files = stored.vacuum(
                    retention_hours,
                    dry_run=False,
                    enforce_retention_duration=False,
                    keep_versions=sorted(evidence_versions.get(name, set())),
                )
            deleted += len(deleted_files)
        return deleted

    def _versions_in_evidence(self) -> dict[str, set[int]]:
        query = "SELECT DISTINCT versions FROM evidence WHERE versions IS NOT NULL"
        versions_by_table: dict[str, set[int]] = {}
        for versions_json in self.snapshot().sql(query)["versions"].to_pylist():
            for name, version in json.loads(versions_json).items():
                versions_by_table.setdefault(name, set()).add(version)
        return versions_by_table

    def _commit_plan(
        self,
        table: TableDefinition,
        incoming: pa.Table,
        complete: pa.Table,
        plan: Callable[[duckdb.DuckDBPyConnection], pa.Table],
    ) -> UpsertCounts:
        """Plan and write until no other commit comes between."""
        if not incoming.num_rows and not complete.num_rows:
            return UpsertCounts()
        _check_keys(table, incoming)
        _check_disk_space(self.root, incoming)
        sources = None
        if "source" in table.partition_columns:
            sources = pc.unique(incoming["source"]).to_pylist()

        def attempt(stored: DeltaTable) -> UpsertCounts:
            with duckdb.connect() as con:
                files = delta_tables.data_file_paths(self.root, table, stored, sources)
                _register_relations(con, table, files, incoming, complete)
                planned_rows = plan(con)
            delta_writes.write_plan(table, stored, planned_rows)
            return _count_actions(planned_rows, incoming.num_rows)

        return self._commit(table, attempt)

    def _commit(self, table: TableDefinition, change: Callable[[DeltaTable], T]) -> T:
        """Run `change` on the newest version of `table`, again when another commit comes first.

        Raises StoreError.
        """
        for attempt in range(_MAX_COMMIT_ATTEMPTS):
            try:
                outcome = change(self._open_or_create(table))
            except CommitFailedError:
                # random, since writers must not retry at the same time
                seconds = min(_MAX_RETRY_SECONDS, 0.02 * 2**attempt) * random.random()  # noqa: S311
                time.sleep(seconds)
            except (DeltaError, OSError, duckdb.Error, pa.ArrowException) as error:
                raise self._write_error(table, error) from error
            else:
                self._record_commit(table)
                return outcome
        raise StoreError(
            f"gave up writing {table.name!r} after {_MAX_COMMIT_ATTEMPTS} conflicts with other "
            "writers; run it again."
        )

    def _open_or_create(self, table: TableDefinition) -> DeltaTable:
        """Open the newest version of `table`; create the table and the store if need be."""
        if not delta_tables.table_exists(self.root, table.name):
            if migrations.read_schema_number(self.root) is None:
                migrations.write_schema_number(self.root, len(migrations.MIGRATIONS))
            delta_writes.create_table(delta_tables.table_uri(self.root, table.name), table)
        return delta_tables.open_table(self.root, table.name)

    def _record_commit(self, table: TableDefinition) -> None:
        """Record what the log of `table` now has, so that a lost entry is noticed."""
        log_sizes = commits.log_entry_sizes(self.root, table.name)
        records = commits.read_commit_records(self.root).get(table.name, {})
        if not log_sizes.keys() - records.keys():
            return
        stored = delta_tables.open_table(self.root, table.name)
        files = delta_tables.data_files(self.root, table, stored)
        row_count = sum(file.row_count or 0 for file, _ in files)
        commits.record_commits(self.root, table.name, row_count)

    def _write_error(self, table: TableDefinition, error: Exception) -> StoreError:
        """Return the error to raise for a failed change: it names the damaged file, if any."""
        is_deep = isinstance(error, duckdb.Error)
        if fault := find_first_fault(self.root, {table.name: None}, deep=is_deep):
            return fault.to_error()
        return StoreError(
            f"the table {table.name!r} in {self.root} can't be written "
            f"({delta_tables.summarize_error(error)}): see that the disk has room and may be "
            "written to, then run it again; 'folate check' says whether anything is damaged."
        )


def _register_relations(
    con: duckdb.DuckDBPyConnection,
    table: TableDefinition,
    files: list[str],
    incoming: pa.Table,
    complete: pa.Table,
) -> None:
    """Give the connection the relations that a plan reads (see `corpora.store.merge`)."""
    con.execute("SET TimeZone = 'UTC'")
    batch_index = pa.array(range(incoming.num_rows), pa.int64())
    con.register("incoming", incoming.append_column("batch_index", batch_index))
    con.register("complete", complete)
    first_key = table.key_columns[0]
    con.execute(
        f"CREATE TEMP TABLE stored AS SELECT * FROM ({scan_sql(table, files)}) WHERE {first_key} "
        f"IN (SELECT {first_key} FROM incoming UNION ALL SELECT id FROM complete)"
    )


def _count_actions(plan: pa.Table, incoming_count: int) -> UpsertCounts:
    actions = Counter(plan["action"].to_pylist())
    distinct_count = actions["insert"] + actions["update"] + actions["keep"]
    return UpsertCounts(
        inserted=actions["insert"],
        updated=actions["update"],
        unchanged=actions["keep"],
        repeated=incoming_count - distinct_count,
        removed=actions["delete"],
    )


def _check_disk_space(root: Path, rows: pa.Table) -> None:
    """Raise StoreError when the disk has no room for `rows`.

    Delta's writer would print stack frames of its own on the terminal then.
    """
    folder = Path("/")
    for path in (root.absolute(), *root.absolute().parents):
        if path.is_dir():
            folder = path
            break
    free_bytes = shutil.disk_usage(folder).free
    needed_bytes = _SPARE_BYTES + 2 * rows.nbytes
    if free_bytes < needed_bytes:
        raise StoreError(
            f"wanted {needed_bytes:,} free bytes on the disk of {root} to write "
            f"{rows.num_rows:,} rows, got {free_bytes:,}."
        )


def _check_keys(table: TableDefinition, rows: pa.Table) -> None:
    """Raise StoreError when a row lacks the first key column or a partition column."""
    for name in (table.key_columns[0], *table.partition_columns):
        if missing_count := rows[name].null_count:
            raise StoreError(
                f"wanted {name!r} in every row for {table.name!r}, got {missing_count} rows "
                "without."
            )


def _pending_query(
    table: str, annotator: str, version: str, required_reader: tuple[str, str] | None
) -> tuple[str, dict[str, str]]:
    """Return the FROM clause for posts that wait for an annotation, and its parameters."""
    if table not in PER_TEXT_TABLES:
        raise StoreError(
            f"wanted a table of annotations, got {table!r}; {suggestion(table, PER_TEXT_TABLES)}"
        )
    annotated = (
        f"SELECT id, text_hash FROM all_{table} WHERE annotator = $annotator AND version = $version"
    )
    query = f"FROM posts p ANTI JOIN ({annotated}) USING (id, text_hash)"
    params = {"annotator": annotator, "version": version}
    if required_reader is None:
        return query, params
    read = "SELECT id, text_hash FROM texts WHERE annotator = $reader AND version = $reader_version"
    reader, reader_version = required_reader
    params |= {"reader": reader, "reader_version": reader_version}
    return f"{query} SEMI JOIN ({read}) USING (id, text_hash)", params


def _find_table(name: str) -> TableDefinition:
    try:
        return TABLES[name]
    except KeyError as error:
        raise StoreError(f"the store has no table {name!r}; {suggestion(name, TABLES)}") from error
