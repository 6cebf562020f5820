"""What is damaged in a store, what is lost by it, and what to do: the tables' logs, the files that they name, and what is in them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.store import commits, delta_tables, migrations
from corpora.store.schema import POSTS, TABLES, TableDefinition
from folate.core.errors import StoreError
from folate.core.post import hash_text, post_body

_FROM_BACKUP = "restore the folder of the table from a backup"
_NEXT = "run 'folate import' or 'folate crawl' again for what is missing"
_BATCH = 10_000  # rows that are read at once


@dataclass(frozen=True, slots=True)
class Fault:
    """One damaged file: what is wrong with it, what is lost by it, and what to do."""

    file: Path
    what: str  # goes on after its path
    lost: str
    remedy: str
    deep: bool = False  # only seen where every page is read

    def to_error(self) -> StoreError:
        """The error of a command that needs the file."""
        return commits.damaged_file_error(self.file, f"{self.what} ({self.lost})", self.deep)


def find_store_faults(root: Path, deep: bool = False) -> Iterator[Fault]:
    """Look at every table of the store at `root`; every page of every file is read if `deep`, else the footers."""
    try:
        commits.read_commit_records(root)
    except StoreError as error:
        lost = "nothing that is stored, but that lost entries of the logs are noticed"
        yield Fault(
            root / commits.COMMITS_FILE,
            f"can't be used: {error}".rstrip("."),
            lost,
            "restore it from a backup, or delete it",
        )
        return
    yield from _of_schema(root)
    for table in TABLES.values():
        yield from _of_table(root, table, None, deep)


def _of_schema(root: Path) -> Iterator[Fault]:
    """A schema number that is gone or unreadable, or that is not this code's."""
    try:
        delta_tables.check_path(root)
        migrations.read_schema_number(root)
    except StoreError as error:
        number = json.dumps({"schema": len(migrations.MIGRATIONS)})
        remedy = f"restore it from a backup, or write {number} into it if this version of Folate was the last to write the store"
        yield Fault(
            root / migrations.SCHEMA_FILE,
            f"can't be used: {error}".rstrip("."),
            "nothing that is stored",
            remedy,
        )
        return
    try:
        migrations.check_schema_number(root)
    except StoreError as error:
        yield Fault(
            root / migrations.SCHEMA_FILE,
            f"does not fit: {error}".rstrip("."),
            "nothing",
            "do what it says, then check again",
        )


def find_first_fault(
    root: Path, versions: Mapping[str, int | None], deep: bool = False
) -> Fault | None:
    """Return the first fault of these versions of tables (None: the newest), or None."""
    return next(
        chain.from_iterable(
            _of_table(root, TABLES[name], version, deep) for name, version in versions.items()
        ),
        None,
    )


def _of_table(
    root: Path, table: TableDefinition, version: int | None, deep: bool
) -> Iterator[Fault]:
    faults = [*_of_log(root, table.name), *_of_entries(root, table.name)]
    yield from faults
    if faults or not commits.log_entry_sizes(root, table.name):
        return
    try:
        delta = delta_tables.open_table(root, table.name, version)
        files = delta_tables.data_files(root, table, delta)
    except StoreError as error:
        yield Fault(
            root / table.name / commits.DELTA_LOG_FOLDER,
            f"can't be read: {error}".rstrip("."),
            "the whole table",
            _FROM_BACKUP,
        )
        return
    for file, _ in files:
        shallow = delta_tables.find_size_problem(file) or _wrong_inside(file.path, table)
        if what := shallow or (_unreadable_pages(file.path, table) if deep else None):
            rows = "its rows" if file.row_count is None else f"{file.row_count:,} rows"
            lost, remedy = f"{rows} of the table {table.name!r}", f"{_FROM_BACKUP}, or {_NEXT}"
            yield Fault(file.path, what, lost, remedy, deep=not shallow)


def _of_log(root: Path, name: str) -> Iterator[Fault]:
    """Entries that are missing, empty or of another size than they were written with, and a log that is gone."""
    known, present = (
        commits.read_commit_records(root).get(name, {}),
        commits.log_entry_sizes(root, name),
    )
    for version, what in commits.find_log_faults(root, name):
        after, before = known.get(version), known.get(version - 1)
        lost = f"what was written to the table {name!r} as version {version}"
        if after and before and after.row_count is not None and before.row_count is not None:
            lost += f": it went from {before.row_count:,} to {after.row_count:,} rows"
        remedy = _FROM_BACKUP
        if version == max((*known, *present)):
            remedy += f", or delete this file and the lines of {name!r} in {root / commits.COMMITS_FILE} to go on without it, and {_NEXT}"
        yield Fault(commits.log_entry_path(root, name, version), what, lost, remedy)
    if not known and not present and any((root / name).rglob("*.parquet")):
        yield Fault(
            root / name / commits.DELTA_LOG_FOLDER,
            "is missing",
            f"the whole table {name!r}",
            _FROM_BACKUP,
        )


def _of_entries(root: Path, name: str) -> Iterator[Fault]:
    """Entries of the log that have their size and can't be read, and checkpoints."""
    told = {version for version, _ in commits.find_log_faults(root, name)}
    for version in sorted(commits.log_entry_sizes(root, name).keys() - told):
        path = commits.log_entry_path(root, name, version)
        if not _is_log_entry(path):
            lost = f"what was written to the table {name!r} as version {version}"
            yield Fault(path, "is not an entry of a Delta log", lost, _FROM_BACKUP)
    for path in sorted((root / name / commits.DELTA_LOG_FOLDER).glob("*.checkpoint*.parquet")):
        if what := _unreadable(path):
            yield Fault(
                path,
                what,
                "nothing: the entries hold the same",
                f"delete it and {path.with_name('_last_checkpoint')}",
            )


def _is_log_entry(path: Path) -> bool:
    """Whether each line is an object of one action, as the Delta protocol wants them."""
    try:
        actions = [
            json.loads(line, parse_constant=_refuse)
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
    except (ValueError, OSError, RecursionError):
        return False
    return bool(actions) and all(isinstance(action, dict) and action for action in actions)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _wrong_inside(path: Path, table: TableDefinition) -> str | None:
    """What the footer of a Parquet file of a table shows to be wrong with it, or None."""
    if what := _unreadable(path):
        return what
    with pq.ParquetFile(path) as file:
        wrong = [field.name for field in file.schema_arrow if not _fits(field, table)]
    if wrong:
        return f"has the column {wrong[0]!r}, which the table {table.name!r} does not have, or has with another type"
    return None


def _fits(field: pa.Field, table: TableDefinition) -> bool:
    if field.name not in table.schema.names:
        return False
    return bool(_plain(field.type) == _plain(table.schema.field(field.name).type))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type whatever its layout in memory: Delta writes other layouts of texts and lists when it merges."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if (
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    ):
        return pa.list_(_plain(kind.value_type))
    return kind


def _unreadable(path: Path) -> str | None:
    try:
        with pq.ParquetFile(path):
            return None
    except (OSError, pa.ArrowException) as error:
        return f"is not a readable Parquet file ({delta_tables.summarize_error(error)})"


def _unreadable_pages(path: Path, table: TableDefinition) -> str | None:
    """Read every row; posts are compared with the digest of their text that stands beside them."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH):
                if table is POSTS and (wrong := _other_texts(batch)):
                    return f"holds {wrong:,} posts whose text is not the one that was written"
    except (OSError, pa.ArrowException, ValueError) as error:
        return f"can't be read to its end ({delta_tables.summarize_error(error)})"
    return None


def _other_texts(batch: pa.RecordBatch) -> int:
    columns = [batch.column(name).to_pylist() for name in ("title", "text", "subject", "text_hash")]
    return sum(
        hash_text(post_body(title, text), subject) != digest
        for title, text, subject, digest in zip(*columns, strict=True)
    )
