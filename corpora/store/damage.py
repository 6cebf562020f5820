"""Checks of a store for damage: the tables' logs, the files that they name, and their contents."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.store import commits, delta_tables, migrations
from corpora.store.schema import POSTS, TABLES, TableDefinition
from folate.core.errors import StoreError
from folate.core.post import hash_text, post_body

_RESTORE_REMEDY = "restore the folder of the table from a backup"
_IMPORT_REMEDY = "run 'folate import' or 'folate crawl' again for what is missing"
_ROWS_PER_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One damaged file."""

    file: Path
    # What is wrong with it; continues a sentence that begins with its path.
    what: str
    # What is lost by it.
    lost: str
    # What to do.
    remedy: str
    # Whether only a check that reads every page sees the damage.
    deep: bool = False

    def to_error(self) -> StoreError:
        """Return the error to raise in a command that needs the file."""
        return commits.damaged_file_error(self.file, f"{self.what} ({self.lost})", self.deep)


def find_store_faults(root: Path, deep: bool = False) -> Iterator[Fault]:
    """Check every table of the store at `root`, and yield what is damaged.

    `deep` reads every page of every file, else only the footers are read.
    """
    try:
        commits.read_commit_records(root)
    except StoreError as error:
        yield Fault(
            root / commits.COMMITS_FILE,
            f"can't be used: {error}".rstrip("."),
            lost="nothing that is stored, but that lost entries of the logs are noticed",
            remedy="restore it from a backup, or delete it",
        )
        return
    yield from _find_schema_faults(root)
    for table in TABLES.values():
        yield from _find_table_faults(root, table, None, deep)


def _find_schema_faults(root: Path) -> Iterator[Fault]:
    """Check that the schema number is readable and is this code's."""
    try:
        delta_tables.check_path(root)
        migrations.read_schema_number(root)
    except StoreError as error:
        number = json.dumps({"schema": len(migrations.MIGRATIONS)})
        yield Fault(
            root / migrations.SCHEMA_FILE,
            f"can't be used: {error}".rstrip("."),
            lost="nothing that is stored",
            remedy=(
                f"restore it from a backup, or write {number} into it if this version of Folate "
                "was the last to write the store"
            ),
        )
        return
    try:
        migrations.check_schema_number(root)
    except StoreError as error:
        yield Fault(
            root / migrations.SCHEMA_FILE,
            f"does not fit: {error}".rstrip("."),
            lost="nothing",
            remedy="do what it says, then check again",
        )


def find_first_fault(
    root: Path, versions: Mapping[str, int | None], deep: bool = False
) -> Fault | None:
    """Return the first fault of these versions of tables (None: the newest), or None."""
    for name, version in versions.items():
        for fault in _find_table_faults(root, TABLES[name], version, deep):
            return fault
    return None


def _find_table_faults(
    root: Path, table: TableDefinition, version: int | None, deep: bool
) -> Iterator[Fault]:
    """Check a version of a table: its log, then the files that the log names."""
    faults = [*_find_log_faults(root, table.name), *_find_unreadable_entries(root, table.name)]
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
            lost="the whole table",
            remedy=_RESTORE_REMEDY,
        )
        return
    for file, _ in files:
        shallow_problem = delta_tables.find_size_problem(file)
        shallow_problem = shallow_problem or _find_footer_problem(file.path, table)
        problem = shallow_problem
        if deep and not problem:
            problem = _find_page_problem(file.path, table)
        if problem:
            rows = "its rows" if file.row_count is None else f"{file.row_count:,} rows"
            yield Fault(
                file.path,
                problem,
                lost=f"{rows} of the table {table.name!r}",
                remedy=f"{_RESTORE_REMEDY}, or {_IMPORT_REMEDY}",
                deep=not shallow_problem,
            )


def _find_log_faults(root: Path, name: str) -> Iterator[Fault]:
    """Check for log entries that are missing, empty or of another size, and for a missing log."""
    records = commits.read_commit_records(root).get(name, {})
    sizes = commits.log_entry_sizes(root, name)
    for version, what in commits.find_log_faults(root, name):
        after = records.get(version)
        before = records.get(version - 1)
        lost = f"what was written to the table {name!r} as version {version}"
        if after and before and after.row_count is not None and before.row_count is not None:
            lost += f": it went from {before.row_count:,} to {after.row_count:,} rows"
        remedy = _RESTORE_REMEDY
        if version == max((*records, *sizes)):
            commits_path = root / commits.COMMITS_FILE
            remedy += (
                f", or delete this file and the lines of {name!r} in {commits_path} "
                f"to go on without it, and {_IMPORT_REMEDY}"
            )
        yield Fault(commits.log_entry_path(root, name, version), what, lost, remedy)
    if not records and not sizes and any((root / name).rglob("*.parquet")):
        yield Fault(
            root / name / commits.DELTA_LOG_FOLDER,
            "is missing",
            lost=f"the whole table {name!r}",
            remedy=_RESTORE_REMEDY,
        )


def _find_unreadable_entries(root: Path, name: str) -> Iterator[Fault]:
    """Check for log entries of the right size, and checkpoints, that can't be read."""
    faulty_versions = {version for version, _ in commits.find_log_faults(root, name)}
    for version in sorted(commits.log_entry_sizes(root, name).keys() - faulty_versions):
        path = commits.log_entry_path(root, name, version)
        if not _is_log_entry(path):
            lost = f"what was written to the table {name!r} as version {version}"
            yield Fault(path, "is not an entry of a Delta log", lost, _RESTORE_REMEDY)
    for path in sorted((root / name / commits.DELTA_LOG_FOLDER).glob("*.checkpoint*.parquet")):
        if problem := _find_parquet_problem(path):
            yield Fault(
                path,
                problem,
                lost="nothing: the entries hold the same",
                remedy=f"delete it and {path.with_name('_last_checkpoint')}",
            )


def _is_log_entry(path: Path) -> bool:
    """Return whether each line is an object of one action, as the Delta protocol wants it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        actions = [
            json.loads(line, parse_constant=_refuse_constant) for line in lines if line.strip()
        ]
    except (ValueError, OSError, RecursionError):
        return False
    return bool(actions) and all(isinstance(action, dict) and action for action in actions)


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _find_footer_problem(path: Path, table: TableDefinition) -> str | None:
    """Return what the footer of a Parquet file of a table shows to be wrong with it, or None."""
    if problem := _find_parquet_problem(path):
        return problem
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
    for field in schema:
        if not _is_declared(field, table):
            return (
                f"has the column {field.name!r}, which the table {table.name!r} does not have, "
                "or has with another type"
            )
    return None


def _is_declared(field: pa.Field, table: TableDefinition) -> bool:
    if field.name not in table.schema.names:
        return False
    declared_type = table.schema.field(field.name).type
    return bool(_without_layout(field.type) == _without_layout(declared_type))


def _without_layout(data_type: pa.DataType) -> pa.DataType:
    """Return the type in its plain layout: Delta merges write other layouts of texts and lists."""
    if pa.types.is_large_string(data_type) or pa.types.is_string_view(data_type):
        return pa.string()
    if (
        pa.types.is_list(data_type)
        or pa.types.is_large_list(data_type)
        or pa.types.is_list_view(data_type)
        or pa.types.is_large_list_view(data_type)
    ):
        return pa.list_(_without_layout(data_type.value_type))
    return data_type


def _find_parquet_problem(path: Path) -> str | None:
    try:
        with pq.ParquetFile(path):
            return None
    except (OSError, pa.ArrowException) as error:
        return f"is not a readable Parquet file ({delta_tables.summarize_error(error)})"


def _find_page_problem(path: Path, table: TableDefinition) -> str | None:
    """Read every row of a file, and compare texts of posts with their stored digest."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_PER_BATCH):
                if table is POSTS and (changed := _count_changed_texts(batch)):
                    return f"holds {changed:,} posts whose text is not the one that was written"
    except (OSError, pa.ArrowException, ValueError) as error:
        return f"can't be read to its end ({delta_tables.summarize_error(error)})"
    return None


def _count_changed_texts(batch: pa.RecordBatch) -> int:
    columns = [batch.column(name).to_pylist() for name in ("title", "text", "subject", "text_hash")]
    changed = 0
    for title, text, subject, text_hash in zip(*columns, strict=True):
        changed += hash_text(post_body(title, text), subject) != text_hash
    return changed
