"""The record: Delta Lake tables in a folder, written by several processes at once, read at a version.

Every change is one commit. It is planned against a version of its table and refused when another commit came first; then it is
planned again. So each key stands once whatever runs beside it, and what returned is on the disk.
"""

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from operator import add, attrgetter
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from corpora.store import commits, delta_tables, migrations
from corpora.store.arrow import RowInput, conform_rows, posts_to_arrow
from corpora.store.damage import find_first_fault
from corpora.store.merge import plan_posts, plan_rows, same_key_condition
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

POSTS_PER_COMMIT = 20_000  # posts in one commit
_BATCH_CHARACTERS = (
    16 * 2**20
)  # of all their fields: planning a commit needs some ten times as many bytes
_PARTITIONS = 200  # written in one commit: each has a Parquet writer of some 0.5 MB
_SPARE = 4_000_000  # bytes left free: logs, checkpoints, and rows of partitions that a merge writes again
_ATTEMPTS = 40
_LONGEST_PAUSE = 2.0  # seconds
_NO_REBASE = CommitProperties(max_commit_retries=0)  # a plan holds for the version it was made on
_WRITER = WriterProperties(compression="ZSTD", compression_level=1)
_FOREVER = "interval 36500 days"  # reports name versions; only `vacuum` forgets them
_TEXTS = attrgetter(
    "id", "url", "thread", "parent", "crawl", "title", "text", "language", "subject", "place"
)  # of any length
T = TypeVar("T")


@dataclass(frozen=True)
class UpsertCounts:
    """What became of the rows of an upsert: they sum to inserted + updated + unchanged + repeated. `removed` ones were stored."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0  # had the key of another row of the batch
    removed: int = 0

    def __add__(self, other: "UpsertCounts") -> "UpsertCounts":
        return UpsertCounts(*map(add, astuple(self), astuple(other)))


class Store:
    """The tables of `corpora.store.schema` under one folder; each is made when it is first written."""

    def __init__(self, root: Path) -> None:
        """Raises StoreError when the store has another schema than this code, or can't be kept in such a folder."""
        delta_tables.check_path(root)
        migrations.check_schema_number(root)
        self.root = root

    def upsert(self, table: str, rows: RowInput, complete_ids: Iterable[str] = ()) -> UpsertCounts:
        """Insert `rows` or replace those with their keys, in one commit; rows that would change nothing write nothing.

        Of several rows with one key the last wins. `complete` names posts all of whose rows are given: their stored rows of
        other keys are removed (a mention that a better dictionary no longer finds). Raises StoreError.
        """
        kind = _table(table)
        fresh = conform_rows(kind, rows)
        ids = pa.table({"id": pa.array(list(complete_ids), pa.string())})
        if kind is POSTS:
            return self._change(
                kind, fresh, ids, lambda con: plan_posts(con, time.time_ns() // 1000)
            )
        return self._change(kind, fresh, ids, lambda con: plan_rows(con, kind))

    def upsert_posts(self, posts: Iterable[Post]) -> UpsertCounts:
        """Insert posts or update the stored ones, a commit for every 20,000, or fewer where they are long. Raises StoreError.

        A newer sight never erases what was known (`corpora.store.merge.plan_posts`).
        """
        total = UpsertCounts()
        for batch in _batches(posts):
            rows = posts_to_arrow(batch, datetime.now(UTC))
            for part in _by_partitions(rows):
                total += self.upsert("posts", part)
        return total

    def replace(self, table: str, rows: RowInput, where: Mapping[str, str]) -> None:
        """Put `rows` in place of all rows that have the values of `where` (all rows, when it is empty), in one commit.

        Raises StoreError, also when a row has other values.
        """
        kind = _table(table)
        fresh = conform_rows(kind, rows)
        for column, value in where.items():
            if set(fresh[column].to_pylist()) - {value}:
                raise StoreError(
                    f"wanted only rows with {column} = {value!r} for {table!r}, got others."
                )
        _check_room(self.root, fresh)
        predicate = (
            " AND ".join(f"{column} = {sql_literal(value)}" for column, value in where.items())
            or None
        )
        self._commit(kind, lambda stored: _overwrite(stored, fresh, predicate))

    def versions(self) -> dict[str, int]:
        """The newest version of every table that was ever written."""
        return {
            name: delta_tables.open_table(self.root, name).version()
            for name in TABLES
            if delta_tables.table_exists(self.root, name)
        }

    def snapshot(
        self,
        versions: Mapping[str, int] | None = None,
        max_query_seconds: float = MAX_QUERY_SECONDS,
    ) -> Snapshot:
        """The store at `versions` (a table that they do not name is empty), or as it is now. Raises StoreError.

        A question to it that takes longer than `seconds` is stopped.
        """
        return Snapshot(
            self.root, self.versions() if versions is None else versions, max_query_seconds
        )

    def pending_posts(
        self,
        table: str,
        annotator: str,
        version: str,
        batch_size: int = 10_000,
        required_reader: tuple[str, str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Posts without a row of this annotator and version for their present text, in batches. Raises StoreError.

        `after` names the annotator and the version of `texts` that must have read the present text: other posts wait for that.
        """
        question, params = _pending(table, annotator, version, required_reader)
        return self.snapshot().stream(f"SELECT p.* {question}", params, batch_size)

    def count_pending_posts(
        self,
        table: str,
        annotator: str,
        version: str,
        required_reader: tuple[str, str] | None = None,
    ) -> int:
        """How many posts `pending` would give."""
        question, params = _pending(table, annotator, version, required_reader)
        return int(self.snapshot().sql(f"SELECT count(*) AS n {question}", params)["n"][0].as_py())

    def compact(self) -> None:
        """Merge the small files that many small upserts leave."""
        for name in self.versions():
            self._commit(
                _table(name),
                lambda stored: stored.optimize.compact(
                    writer_properties=_WRITER, commit_properties=_NO_REBASE
                ),
            )

    def vacuum(self, retention_hours: int = 168) -> int:
        """Delete files that have been out of use for `hours`, but none of a version that evidence names; how many went.

        Versions that lost files can't be read any more.
        """
        kept = self._versions_in_evidence()
        deleted = 0
        for name in self.versions():
            stored = delta_tables.open_table(self.root, name)
            with delta_tables.translate_read_errors(self.root, name):
                gone = stored.vacuum(
                    retention_hours,
                    dry_run=False,
                    enforce_retention_duration=False,
                    keep_versions=sorted(kept.get(name, set())),
                )
            deleted += len(gone)
        return deleted

    def _versions_in_evidence(self) -> dict[str, set[int]]:
        kept: dict[str, set[int]] = {}
        for row in (
            self.snapshot()
            .sql("SELECT DISTINCT versions FROM evidence WHERE versions IS NOT NULL")["versions"]
            .to_pylist()
        ):
            for name, version in json.loads(row).items():
                kept.setdefault(name, set()).add(version)
        return kept

    def _change(
        self,
        table: TableDefinition,
        fresh: pa.Table,
        complete: pa.Table,
        plan: Callable[[duckdb.DuckDBPyConnection], pa.Table],
    ) -> UpsertCounts:
        """Plan and write until no other commit came between."""
        if not fresh.num_rows and not complete.num_rows:
            return UpsertCounts()
        _check_keys(table, fresh)
        _check_room(self.root, fresh)

        def attempt(stored: DeltaTable) -> UpsertCounts:
            with duckdb.connect() as con:
                _relations(
                    con,
                    table,
                    delta_tables.data_file_paths(self.root, table, stored, _sources(table, fresh)),
                    fresh,
                    complete,
                )
                rows = plan(con)
            _write(table, stored, rows)
            return _tally(rows, fresh.num_rows)

        return self._commit(table, attempt)

    def _commit(self, table: TableDefinition, change: Callable[[DeltaTable], T]) -> T:
        """Run `change` on the newest version of `table`, again when another commit came first. Raises StoreError."""
        for attempt in range(_ATTEMPTS):
            try:
                outcome = change(self._open(table))
            except CommitFailedError:
                time.sleep(min(_LONGEST_PAUSE, 0.02 * 2**attempt) * random.random())  # noqa: S311  # writers must not retry in step
            except (DeltaError, OSError, duckdb.Error, pa.ArrowException) as error:
                raise self._why_not_written(table, error) from error
            else:
                self._note(table)
                return outcome
        raise StoreError(
            f"gave up writing {table.name!r} after {_ATTEMPTS} conflicts with other writers; run it again."
        )

    def _open(self, table: TableDefinition) -> DeltaTable:
        """The newest version of `table`, made if need be."""
        if not delta_tables.table_exists(self.root, table.name):
            if migrations.read_schema_number(self.root) is None:
                migrations.write_schema_number(self.root, len(migrations.MIGRATIONS))
            _create(delta_tables.table_uri(self.root, table.name), table)
        return delta_tables.open_table(self.root, table.name)

    def _note(self, table: TableDefinition) -> None:
        """Keep what the log of `table` now has, so that a lost entry is noticed."""
        present, known = (
            commits.log_entry_sizes(self.root, table.name),
            commits.read_commit_records(self.root).get(table.name, {}),
        )
        if present.keys() - known.keys():
            files = delta_tables.data_files(
                self.root, table, delta_tables.open_table(self.root, table.name)
            )
            commits.record_commits(
                self.root, table.name, sum(file.row_count or 0 for file, _ in files)
            )

    def _why_not_written(self, table: TableDefinition, error: Exception) -> StoreError:
        """The error to raise for a change that failed: it names the damaged file, if there is one."""
        if fault := find_first_fault(
            self.root, {table.name: None}, deep=isinstance(error, duckdb.Error)
        ):
            return fault.to_error()
        return StoreError(
            f"the table {table.name!r} in {self.root} can't be written ({delta_tables.summarize_error(error)}): see that the disk has room and may be "
            "written to, then run it again; 'folate check' says whether anything is damaged."
        )


def _create(address: str, table: TableDefinition) -> None:
    DeltaTable.create(
        address, table.schema, mode="ignore", partition_by=list(table.partition_columns) or None, commit_properties=_NO_REBASE,
        configuration={
            "delta.logRetentionDuration": _FOREVER, "delta.deletedFileRetentionDuration": _FOREVER,
            "delta.dataSkippingStatsColumns": ",".join(table.key_columns),  # statistics of texts would bloat the log
        },
    )  # fmt: skip


def _sources(table: TableDefinition, rows: pa.Table) -> list[str] | None:
    return pc.unique(rows["source"]).to_pylist() if "source" in table.partition_columns else None


def _relations(
    con: duckdb.DuckDBPyConnection,
    table: TableDefinition,
    files: list[str],
    fresh: pa.Table,
    complete: pa.Table,
) -> None:
    """The relations that a plan reads."""
    con.execute("SET TimeZone = 'UTC'")
    con.register("fresh", fresh.append_column("nth", pa.array(range(fresh.num_rows), pa.int64())))
    con.register("complete", complete)
    first = table.key_columns[0]
    con.execute(
        f"CREATE TEMP TABLE stored AS SELECT * FROM ({scan_sql(table, files)}) "
        f"WHERE {first} IN (SELECT {first} FROM fresh UNION ALL SELECT id FROM complete)"
    )


def _batches(posts: Iterable[Post]) -> Iterator[list[Post]]:
    """Posts in lists of at most BATCH, and of one post more than _BATCH_CHARACTERS."""
    batch: list[Post] = []
    characters = 0
    for post in posts:
        batch.append(post)
        characters += sum(len(value) for value in _TEXTS(post) if value)
        if len(batch) == POSTS_PER_COMMIT or characters > _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _by_partitions(posts: pa.Table) -> Iterator[pa.Table]:
    """Rows of posts in tables of at most _PARTITIONS partitions, rows of one id together and in their order.

    A post is in the partition of its first row: see `plan_posts`.
    """
    if (
        pc.count_distinct(pc.binary_join_element_wise(posts["source"], posts["month"], "/")).as_py()
        <= _PARTITIONS
    ):
        yield posts
        return
    partition_of: dict[str, int] = {}  # by id
    numbers: dict[tuple[str, str], int] = {}  # by partition, in the order in which they came
    columns = zip(*(posts[name].to_pylist() for name in ("id", "source", "month")), strict=True)
    parts = [
        partition_of.setdefault(key, numbers.setdefault((source, month), len(numbers)))
        // _PARTITIONS
        for key, source, month in columns
    ]
    for part in range(len(numbers) // _PARTITIONS + 1):
        yield posts.filter(pc.equal(pa.array(parts, pa.int64()), part))


def _write(table: TableDefinition, stored: DeltaTable, plan: pa.Table) -> None:
    """One commit: an append when every row is new, else a merge; none when nothing changes."""
    rows = plan.filter(pc.not_equal(plan["fate"], "same"))
    if not rows.num_rows:
        return
    if set(pc.unique(rows["fate"]).to_pylist()) == {"new"}:
        write_deltalake(
            stored,
            rows.drop_columns("fate").cast(table.schema),
            mode="append",
            writer_properties=_WRITER,
            commit_properties=_NO_REBASE,
        )
        return
    columns = {name: f'f."{name}"' for name in table.schema.names}
    merger = stored.merge(
        rows.cast(table.schema.append(pa.field("fate", pa.string()))), _match(table, rows), "f", "s",
        writer_properties=_WRITER, commit_properties=_NO_REBASE,
    )  # fmt: skip
    merger.when_matched_delete("f.fate = 'gone'").when_matched_update(
        columns
    ).when_not_matched_insert(columns).execute()


def _tally(plan: pa.Table, given: int) -> UpsertCounts:
    fates = Counter(plan["fate"].to_pylist())
    distinct = fates["new"] + fates["changed"] + fates["same"]
    return UpsertCounts(
        fates["new"], fates["changed"], fates["same"], given - distinct, fates["gone"]
    )


def _match(table: TableDefinition, rows: pa.Table) -> str:
    """The join of a merge, with the partitions it may touch spelled out so that no others are read."""
    touched = rows.filter(pc.not_equal(rows["fate"], "new"))
    pruned = [
        f"s.{column} IN ({', '.join(sql_literal(value) for value in pc.unique(touched[column]).sort().to_pylist())})"
        for column in table.partition_columns
    ]
    return " AND ".join([*pruned, same_key_condition(table, "s", "f")])


def _overwrite(stored: DeltaTable, rows: pa.Table, predicate: str | None) -> None:
    write_deltalake(
        stored,
        rows,
        mode="overwrite",
        predicate=predicate,
        writer_properties=_WRITER,
        commit_properties=_NO_REBASE,
    )


def _check_room(root: Path, rows: pa.Table) -> None:
    """Raise StoreError when the disk has no room for `rows`: Delta's writer leaves frames of its own on the terminal then."""
    folder = next(
        (path for path in (root.absolute(), *root.absolute().parents) if path.is_dir()), Path("/")
    )
    free, wanted = shutil.disk_usage(folder).free, _SPARE + 2 * rows.nbytes
    if free < wanted:
        raise StoreError(
            f"wanted {wanted:,} free bytes on the disk of {root} to write {rows.num_rows:,} rows, got {free:,}."
        )


def _check_keys(table: TableDefinition, rows: pa.Table) -> None:
    for name in (table.key_columns[0], *table.partition_columns):
        if missing := rows[name].null_count:
            raise StoreError(
                f"wanted {name!r} in every row for {table.name!r}, got {missing} rows without."
            )


def _pending(
    table: str, annotator: str, version: str, after: tuple[str, str] | None
) -> tuple[str, dict[str, str]]:
    """SQL after the columns of a question for posts that wait for an annotation, and its parameters."""
    if table not in PER_TEXT_TABLES:
        raise StoreError(
            f"wanted a table of annotations, got {table!r}; {suggestion(table, PER_TEXT_TABLES)}"
        )
    made = (
        f"SELECT id, text_hash FROM all_{table} WHERE annotator = $annotator AND version = $version"
    )
    waiting, params = (
        f"FROM posts p ANTI JOIN ({made}) USING (id, text_hash)",
        {"annotator": annotator, "version": version},
    )
    if after is None:
        return waiting, params
    read = "SELECT id, text_hash FROM texts WHERE annotator = $reader AND version = $reading"
    return f"{waiting} SEMI JOIN ({read}) USING (id, text_hash)", params | {
        "reader": after[0],
        "reading": after[1],
    }


def _table(name: str) -> TableDefinition:
    try:
        return TABLES[name]
    except KeyError as error:
        raise StoreError(f"the store has no table {name!r}; {suggestion(name, TABLES)}") from error
