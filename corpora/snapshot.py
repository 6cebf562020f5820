"""The store at fixed versions, read with SQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from corpora import tables
from corpora.schema import TABLES, Table
from folate.errors import InputError, StoreError, possible

OF_ONE_TEXT = ("texts", "mentions", "comparisons", "sentiments", "aspects", "judgements")  # rows hold for the text they were made of
LONGEST = 300.0  # seconds that one question may take; a report's slowest takes about 3 on a million posts
MEMORY = "4GB"  # most that all questions to a snapshot may hold; nothing is spilled to a disk
_SETTINGS = {
    "python_enable_replacements": False,  # no Python variable is a table
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
    "memory_limit": MEMORY,
}
_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "int32": "INTEGER", "bool": "BOOLEAN", "double": "DOUBLE", "float": "FLOAT",
          "timestamp[us, tz=UTC]": "TIMESTAMPTZ", "list<item: string>": "VARCHAR[]"}  # fmt: skip

Parameters = Mapping[str, Any] | Sequence[Any]


class Snapshot:
    """Every table of the store as a view, pinned: what others write meanwhile does not show. Reading only."""

    def __init__(self, root: Path, versions: Mapping[str, int], seconds: float = LONGEST) -> None:
        """Pin the version of each table that `versions` names; other tables are empty. Raises StoreError.

        A question that takes longer than `seconds` is stopped.
        """
        self.versions = dict(versions)
        pinned = {name: _pinned(root, name, version) for name, version in self.versions.items()}
        self._seconds = seconds
        self._con = duckdb.connect(config=_SETTINGS)
        with _answering():
            self._con.execute("SET GLOBAL TimeZone = 'UTC'")
            self._show(pinned)
            self._seal([uri for uris in pinned.values() for uri in uris])
        self._held: tuple[tuple[str, str], ...] = ()  # a SELECT in brackets, what is read in its place

    @contextmanager
    def holding(self, rows: str, parts: Mapping[str, str]) -> Iterator[None]:
        """Within the block the rows of one SELECT are in memory, and each SELECT of `parts` that stands in brackets in a question is
        read from there: it must be the same as those of the rows that meet its condition. Raises InputError, StoreError.
        """
        before, name = self._held, f"held_{len(self._held)}"
        with _answering():
            self._ask(rows, None).to_table(name)
        self._held = (*before, *((f"({part})", f"(FROM {name} WHERE {condition})") for part, condition in parts.items()))
        try:
            yield
        finally:
            self._held = before
            self._con.execute(f"DROP TABLE {name}")

    def sql(self, query: str, params: Parameters | None = None) -> pa.Table:
        """The rows of one SELECT in DuckDB's dialect; `?` or `$name` stand for `params`. Raises InputError, StoreError."""
        with _answering():
            return self._ask(query, params).to_arrow_table()

    def stream(self, query: str, params: Parameters | None = None, size: int = 10_000) -> Iterator[pa.RecordBatch]:
        """The same, in batches of at most `size` rows. Raises InputError, StoreError."""
        with _answering():
            yield from self._ask(query, params).to_arrow_reader(size)

    def _ask(self, query: str, params: Parameters | None) -> duckdb.DuckDBPyRelation:
        for select, held in reversed(self._held):  # the later ones may have earlier ones in them
            query = query.replace(select, held)
        statements = self._con.extract_statements(query)
        if len(statements) != 1 or statements[0].type not in _READING:
            raise InputError(f"wanted one SELECT, got {query.strip()[:60]!r}; nothing else can be asked of a snapshot.")
        return self._con.cursor().sql(statements[0], params=params)

    def _show(self, files: Mapping[str, Sequence[str]]) -> None:
        for name, table in TABLES.items():
            self._con.execute(f"CREATE VIEW {'all_' if name in OF_ONE_TEXT else ''}{name} AS {scan(table, files.get(name, []))}")
        for name in OF_ONE_TEXT:  # joined, as a post stands once: unlike a semi-join that can be done last, on few rows
            self._con.execute(f"CREATE VIEW {name} AS SELECT a.* FROM all_{name} a JOIN posts USING (id, text_hash)")

    def _seal(self, files: list[str]) -> None:
        """From here on nothing but the pinned files can be reached: queries are typed by people."""
        self._con.execute(f"SET allowed_paths = {_listed(files)}")
        self._con.execute("SET enable_external_access = false")
        self._con.execute("SET lock_configuration = true")


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.InternalException, duckdb.OutOfMemoryException, OSError, pa.ArrowException) as error:
        raise StoreError(f"the store can't be read: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise InputError(f"the query can't be answered: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _pinned(root: Path, name: str, version: int) -> list[str]:
    """The files of a version of a table. Raises StoreError."""
    if name not in TABLES:
        raise StoreError(f"the store has no table {name!r}; {possible(name, TABLES)}")
    try:
        return tables.files(root, TABLES[name], DeltaTable(tables.address(root, name), version=version))
    except (DeltaError, OSError) as error:
        raise StoreError(f"version {version} of the table {name!r} can't be read: {_first_line(error)}") from error


def scan(table: Table, files: Sequence[str]) -> str:
    """SQL that reads the Parquet files of a version of `table`, with its columns in order. Files older than a column lack it."""
    names = ", ".join(_name(field.name) for field in table.schema)
    declared = ", ".join(f"CAST(NULL AS {_TYPES[str(field.type)]}) AS {_name(field.name)}" for field in table.schema)
    empty = f"SELECT {declared} WHERE false"
    if not files:
        return empty
    options = f"hive_partitioning = {bool(table.partitions)}, hive_types_autocast = false, union_by_name = true"
    return f"SELECT {names} FROM ({empty} UNION ALL BY NAME FROM read_parquet({_listed(files)}, {options}))"


def _name(column: str) -> str:
    return f'"{column}"'


def literal(value: str) -> str:
    """A string literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(map(literal, values))}]"
