"""The store at fixed versions, read with SQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
import pyarrow as pa

from corpora.store import adapted, delta_tables
from corpora.store.damage import find_first_fault
from corpora.store.schema import TABLES, TableDefinition
from folate.core.errors import InputError, StoreError, suggestion
from folate.core.post import repair_surrogates
from folate.core.text import quote_name

PER_TEXT_TABLES = (
    "texts",
    "mentions",
    "comparisons",
    "sentiments",
    "aspects",
    "judgements",
)  # rows hold for the text they were made of
MAX_QUERY_SECONDS = 300.0  # seconds that one question may take; counting a million posts by week takes 0.4 (docs/store.md)
_AGAIN = 0.1  # seconds between two interrupts
MAX_QUERY_MEMORY = (
    "4GB"  # most that all questions to a snapshot may hold; nothing is spilled to a disk
)
_SETTINGS = {
    "python_enable_replacements": False,  # no Python variable is a table
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
    "memory_limit": MAX_QUERY_MEMORY,
}
_OF_QUERIES_ONLY = (
    duckdb.PermissionException,
    duckdb.InterruptException,
    duckdb.OutOfMemoryException,
    duckdb.ParserException,
)
_OF_QUERIES = (
    *_OF_QUERIES_ONLY,
    duckdb.BinderException,
    duckdb.CatalogException,
)  # no file, however damaged, brings these
_OF_DATA = (
    duckdb.Error,
    duckdb.IOException,
    duckdb.InternalException,
    duckdb.SerializationException,
)  # a query does not
_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "int32": "INTEGER", "bool": "BOOLEAN", "double": "DOUBLE", "float": "FLOAT",
          "timestamp[us, tz=UTC]": "TIMESTAMPTZ", "list<item: string>": "VARCHAR[]"}  # fmt: skip

QueryParameters = Mapping[str, Any] | Sequence[Any]


class Snapshot:
    """Every table of the store as a view, pinned: what others write meanwhile does not show. Reading only."""

    def __init__(
        self, root: Path, versions: Mapping[str, int], max_query_seconds: float = MAX_QUERY_SECONDS
    ) -> None:
        """Pin the version of each table that `versions` names; other tables are empty. Raises StoreError.

        A question that takes longer than `seconds` is stopped.
        """
        self.versions, self._root = dict(versions), root
        pinned = {name: _pinned(root, name, version) for name, version in self.versions.items()}
        self._seconds = max_query_seconds
        self._con = duckdb.connect(config=_SETTINGS)
        with self._answering(_OF_QUERIES_ONLY):
            self._con.execute("SET GLOBAL TimeZone = 'UTC'")
            self._show(pinned)
            self._seal([uri for uris in pinned.values() for uri in uris])
        self._sources: tuple[tuple[str, str], ...] = ()

    @contextmanager
    def materialize(
        self, name: str, query: str, params: QueryParameters | None = None
    ) -> Iterator[None]:
        """Keep the rows of one SELECT in memory as the table `name` until the block ends.

        Queries name the table like any other. Raise InputError for a query that can't be answered,
        StoreError for a damaged store.
        """
        with self._answering():
            self._con.cursor().sql(self._read(query, params), params=params).to_table(name)
        try:
            yield
        finally:
            self._con.execute(f"DROP TABLE {name}")

    def reading_subqueries_from(self, sources: Mapping[str, str]) -> "Snapshot":
        """Return this snapshot with shortcuts for subqueries whose rows are already in memory.

        `sources` maps a SELECT to another SELECT with the same rows, usually over a table of
        `materialize`. The returned snapshot runs the second wherever a query has the first as
        a subquery in brackets. The text of a query, which is printed as evidence, stays complete
        and gives the same rows on any snapshot. This snapshot does not change.
        """
        snapshot = copy(self)
        snapshot._sources = (
            *self._sources,
            *((f"({subquery})", f"({source})") for subquery, source in sources.items()),
        )
        return snapshot

    def sql(self, query: str, params: QueryParameters | None = None) -> pa.Table:
        """The rows of one SELECT in DuckDB's dialect; `?` or `$name` stand for `params`. Raises InputError, StoreError."""
        with self._answering():
            statement, cursor = self._read(query, params), self._con.cursor()
            with self._in_time(cursor):
                return cursor.sql(statement, params=params).to_arrow_table()

    def stream(
        self, query: str, params: QueryParameters | None = None, batch_size: int = 10_000
    ) -> Iterator[pa.RecordBatch]:
        """The same, in batches of at most `size` rows, each of which may take as long as a question. Raises InputError, StoreError."""
        with self._answering():
            statement, cursor = self._read(query, params), self._con.cursor()
            with self._in_time(cursor):
                batches = cursor.sql(statement, params=params).to_arrow_reader(batch_size)
            while True:
                with self._in_time(cursor):
                    batch = next(batches, None)
                if batch is None:
                    return
                yield batch

    def explain(self, query: str) -> str:
        """How DuckDB would answer one SELECT, which is not run. Raises InputError, StoreError."""
        with self._answering():
            plan: str = self._con.cursor().sql(self._read(query, None)).explain()
            return plan

    def _read(self, query: str, params: QueryParameters | None) -> duckdb.Statement:
        """Parse the one statement of a query. Raise InputError unless it is a SELECT: all else could write."""
        values = [query, *(params.values() if isinstance(params, Mapping) else params or ())]
        if any(isinstance(value, str) and repair_surrogates(value) != value for value in values):
            raise InputError("wanted a query in Unicode, got half a surrogate pair.")
        for subquery, source in reversed(self._sources):  # later ones may contain earlier ones
            query = _replace_outside_literals(query, subquery, source)
        statements = self._con.extract_statements(query)
        if len(statements) != 1 or not _is_select(statements[0]):
            raise InputError(
                f"wanted one SELECT, got {quote_name(query.strip())}; nothing else can be asked of a snapshot."
            )
        return statements[0]

    @contextmanager
    def _in_time(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Stop what runs within the block when it takes too long. Raises InputError then."""
        done, late = Event(), Event()

        def watch() -> None:
            if not done.wait(self._seconds):
                late.set()
                cursor.interrupt()
                while not done.wait(
                    _AGAIN
                ):  # DuckDB forgets an interrupt that comes before the query has begun
                    cursor.interrupt()

        watcher = Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            if not late.is_set():
                raise
            raise InputError(
                f"the query took longer than {self._seconds:g} seconds and was stopped: ask for less."
            ) from error
        finally:
            done.set()
            watcher.join()

    @contextmanager
    def _answering(self, of_queries: tuple[type[Exception], ...] = _OF_QUERIES) -> Iterator[None]:
        """Tell what a query is to blame for (`of_queries`) from what the store is: it is looked for a damaged file then."""
        try:
            yield
        except of_queries as error:
            raise InputError(
                f"the query can't be answered: {delta_tables.summarize_error(error)}."
            ) from error
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            of_data = type(error) in _OF_DATA or not isinstance(error, duckdb.Error)
            of_a_file = str(self._root.absolute()) in str(error)
            if fault := find_first_fault(self._root, self.versions, deep=of_data or of_a_file):
                raise fault.to_error() from error
            if of_data:
                raise StoreError(
                    f"the store can't be read: {delta_tables.summarize_error(error)}; run 'folate check' on {self._root.parent}."
                ) from error
            raise InputError(
                f"the query can't be answered: {delta_tables.summarize_error(error)}."
            ) from error

    def _show(self, files: Mapping[str, Sequence[str]]) -> None:
        for name, table in TABLES.items():
            self._con.execute(
                f"CREATE VIEW {'all_' if name in PER_TEXT_TABLES else ''}{name} AS {scan_sql(table, files.get(name, []))}"
            )
        for name in (
            PER_TEXT_TABLES
        ):  # joined, as a post stands once: unlike a semi-join that can be done last, on few rows
            rows = f"SELECT a.* FROM all_{name} a JOIN posts USING (id, text_hash)"
            if (
                name == "sentiments"
                and self._con.sql("SELECT 1 FROM adaptations LIMIT 1").fetchall()
            ):
                rows = adapted.ADAPTED_SENTIMENTS_SQL
            self._con.execute(f"CREATE VIEW {name} AS {rows}")

    def _seal(self, files: list[str]) -> None:
        """From here on nothing but the pinned files can be reached: queries are typed by people."""
        self._con.execute(f"SET allowed_paths = {_listed(files)}")
        self._con.execute("SET enable_external_access = false")
        self._con.execute("SET lock_configuration = true")


def _is_select(statement: duckdb.Statement) -> bool:
    try:
        return bool(statement.type == duckdb.StatementType.SELECT)
    except ValueError:  # a statement that DuckDB's Python has no name for
        return False


def _replace_outside_literals(query: str, subquery: str, source: str) -> str:
    """Replace `subquery` by `source` except within string literals, which are data."""
    replaced, *remaining = query.split(subquery)
    for text in remaining:
        is_within_literal = replaced.count("'") % 2 == 1
        replaced += (subquery if is_within_literal else source) + text
    return replaced


def _pinned(root: Path, name: str, version: int) -> list[str]:
    """The files of a version of a table. Raises StoreError."""
    if name not in TABLES:
        raise StoreError(f"the store has no table {name!r}; {suggestion(name, TABLES)}")
    return delta_tables.data_file_paths(
        root, TABLES[name], delta_tables.open_table(root, name, version)
    )


def scan_sql(table: TableDefinition, files: Sequence[str]) -> str:
    """SQL that reads the Parquet files of a version of `table`, with its columns in order. Files older than a column lack it."""
    names = ", ".join(_name(field.name) for field in table.schema)
    declared = ", ".join(
        f"CAST(NULL AS {_TYPES[str(field.type)]}) AS {_name(field.name)}" for field in table.schema
    )
    empty = f"SELECT {declared} WHERE false"
    if not files:
        return empty
    options = f"hive_partitioning = {bool(table.partition_columns)}, hive_types_autocast = false, union_by_name = true"
    return f"SELECT {names} FROM ({empty} UNION ALL BY NAME FROM read_parquet({_listed(files)}, {options}))"


def _name(column: str) -> str:
    return f'"{column}"'


def sql_literal(value: str) -> str:
    """A string literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(map(sql_literal, values))}]"
