"""Delta tables on a disk, by name: where they are and which files a version of one has."""

from pathlib import Path

from deltalake import DeltaTable

from corpora.schema import Table
from folate.errors import StoreError

_UNUSABLE = frozenset("[]^|\\%*?")  # deltalake 1.6 takes a folder for a URL, DuckDB for a pattern


def check(root: Path) -> None:
    """Raises StoreError when Delta can't keep tables in a folder of this name."""
    if found := sorted(_UNUSABLE & set(str(root.absolute()))):
        raise StoreError(f"wanted a folder without {' '.join(sorted(_UNUSABLE))} in its path, got {found[0]!r} in {str(root)!r}.")


def address(root: Path, name: str) -> str:
    """The table's folder as Delta wants it: as a URL."""
    return (root / name).absolute().as_uri()


def exists(root: Path, name: str) -> bool:
    return (root / name / "_delta_log").is_dir() and bool(DeltaTable.is_deltatable(address(root, name)))


def files(root: Path, table: Table, delta: DeltaTable, sources: list[str] | None = None) -> list[str]:
    """Paths of the Parquet files of a version of `table`, of these sources only where it is partitioned by source."""
    wanted = [("source", "in", sources)] if sources else None
    depth = len(table.partitions) + 1
    folder = (root / table.name).absolute()
    # Delta gives the folder's name in URL form, and the rest as it is on the disk
    return [str(folder.joinpath(*uri.split("/")[-depth:])) for uri in delta.file_uris(file_pruning_predicate=wanted)]
