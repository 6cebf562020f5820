"""Delta tables on a disk: their location and the files of a version of one."""

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

# deltalake 1.6 takes a folder for a URL, DuckDB for a pattern.
_FORBIDDEN_CHARACTERS = frozenset("[]^|\\%*?")
# Characters of a library's message that are passed on.
_MAX_CAUSE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a version of a table, as the log describes it."""

    path: Path
    size_bytes: int
    # None where the log does not say.
    row_count: int | None


def check_path(root: Path) -> None:
    """Raise StoreError when Delta can't keep tables in a folder of this name."""
    forbidden = sorted(_FORBIDDEN_CHARACTERS & set(str(root.absolute())))
    if forbidden:
        raise StoreError(
            f"wanted a folder without {' '.join(sorted(_FORBIDDEN_CHARACTERS))} in its path, "
            f"got {forbidden[0]!r} in {str(root)!r}."
        )


def table_uri(root: Path, name: str) -> str:
    """Return the table's folder as a URL, as Delta wants it."""
    return (root / name).absolute().as_uri()


def table_exists(root: Path, name: str) -> bool:
    """Return whether the table was ever written. Raises StoreError when its log is damaged."""
    commits.check_log(root, name)
    return bool(commits.log_entry_sizes(root, name))


def newest_version(root: Path, name: str) -> int:
    """Return the newest version of a table that exists, which is that of its last log entry."""
    return max(commits.log_entry_sizes(root, name))


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
    """Return the first line of a library's message, truncated and without its full stop.

    Further lines are stack frames or repeat the query.
    """
    first_line = str(error).partition("\n")[0]
    return truncate_text(first_line, _MAX_CAUSE_CHARACTERS).strip().rstrip(".!")


def data_files(
    root: Path, table: TableDefinition, delta: DeltaTable
) -> list[tuple[DataFile, str | None]]:
    """Return the files of an open version of `table`, each with the source of its partition.

    The source is None where the table is not partitioned by source.
    """
    folder = (root / table.name).absolute()
    with translate_read_errors(root, table.name):
        rows = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    files = []
    for row in rows:
        path = folder / unquote(row["path"])  # the log quotes paths like URLs
        file = DataFile(path, row["size_bytes"], row.get("num_records"))
        files.append((file, row.get("partition.source")))
    return files


def data_file_paths(
    root: Path,
    table: TableDefinition,
    delta: DeltaTable,
    sources: Sequence[str | None] | None = None,
) -> list[str]:
    """Return the paths of the Parquet files of an open version of `table`.

    Given `sources`, only files of their partitions are returned. Raises StoreError when a file is
    missing or has another size than it was written with.
    """
    paths = []
    for file, source in data_files(root, table, delta):
        if sources is not None and source not in sources:
            continue
        if problem := find_size_problem(file):
            raise commits.damaged_file_error(
                file.path, f"{problem}, and rows of the table {table.name!r} are in it"
            )
        paths.append(str(file.path))
    return paths


def find_size_problem(file: DataFile) -> str | None:
    """Return why a file is missing or has another size than the log says, or None."""
    try:
        size = file.path.stat().st_size
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"can't be read ({error.strerror})"
    if size == file.size_bytes:
        return None
    return f"has {size:,} bytes and was written with {file.size_bytes:,}"
