"""Delta tables on a disk, by name: where they are and which files a version of one has."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from corpora.store import commits
from corpora.store.schema import TableDefinition
from folate.core.errors import StoreError
from folate.core.text import truncate_text

_UNUSABLE = frozenset("[]^|\\%*?")  # deltalake 1.6 takes a folder for a URL, DuckDB for a pattern
_LONGEST_CAUSE = 200  # characters of a library's message that are passed on


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a version of a table, as the log has it."""

    path: Path
    size_bytes: int  # bytes
    row_count: int | None


def check_path(root: Path) -> None:
    """Raises StoreError when Delta can't keep tables in a folder of this name."""
    if found := sorted(_UNUSABLE & set(str(root.absolute()))):
        raise StoreError(
            f"wanted a folder without {' '.join(sorted(_UNUSABLE))} in its path, got {found[0]!r} in {str(root)!r}."
        )


def table_uri(root: Path, name: str) -> str:
    """The table's folder as Delta wants it: as a URL."""
    return (root / name).absolute().as_uri()


def table_exists(root: Path, name: str) -> bool:
    """Whether the table was ever written. Raises StoreError when it was, and its log is damaged."""
    commits.check_log(root, name)
    return bool(commits.log_entry_sizes(root, name))


def open_table(root: Path, name: str, version: int | None = None) -> DeltaTable:
    """Open a table that exists, at `version` or the newest. Raises StoreError."""
    commits.check_log(root, name)
    with translate_read_errors(root, name, version):
        return DeltaTable(table_uri(root, name), version=version)


@contextmanager
def translate_read_errors(root: Path, name: str, version: int | None = None) -> Iterator[None]:
    """Turn what Delta raises within the block into a StoreError that names the table."""
    try:
        yield
    except (DeltaError, OSError, ValueError) as error:
        of_version = "" if version is None else f"version {version} of "
        raise StoreError(
            f"{of_version}the table {name!r} in {root} can't be read ({summarize_error(error)}): "
            "run 'folate check', which says what is damaged, what is lost and what to do."
        ) from error


def summarize_error(error: Exception) -> str:
    """Return the first line of a library's message, cut, without its full stop: what follows are frames, or the query again."""
    return truncate_text(str(error).partition("\n")[0], _LONGEST_CAUSE).strip().rstrip(".")


def data_files(
    root: Path, table: TableDefinition, delta: DeltaTable
) -> list[tuple[DataFile, str | None]]:
    """Return the files of the version of `table` that is open, each with its source where the table is partitioned by source."""
    folder = (root / table.name).absolute()
    with translate_read_errors(root, table.name):
        rows = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    return [  # the log has paths in URL form once more than they are on the disk
        (
            DataFile(folder / unquote(row["path"]), row["size_bytes"], row.get("num_records")),
            row.get("partition.source"),
        )
        for row in rows
    ]


def data_file_paths(
    root: Path,
    table: TableDefinition,
    delta: DeltaTable,
    sources: Sequence[str | None] | None = None,
) -> list[str]:
    """Return the paths of the Parquet files of a version of `table`, of these sources only where it is partitioned by source.

    Raises StoreError when one is missing or has another size than it was written with: its rows would be gone or other ones.
    """
    found = [
        file
        for file, source in data_files(root, table, delta)
        if sources is None or source in sources
    ]
    for file in found:
        if fault := find_size_problem(file):
            raise commits.damaged_file_error(
                file.path, f"{fault}, and rows of the table {table.name!r} are in it"
            )
    return [str(file.path) for file in found]


def find_size_problem(file: DataFile) -> str | None:
    """Return what is wrong with a file as far as the folder tells, or None."""
    try:
        size = file.path.stat().st_size
    except OSError as error:
        return (
            "is missing"
            if isinstance(error, FileNotFoundError)
            else f"can't be read ({error.strerror})"
        )
    return (
        None
        if size == file.size_bytes
        else f"has {size:,} bytes and was written with {file.size_bytes:,}"
    )
