"""The store at fixed versions, read with SQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cached_property
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
import pyarrow as pa

from corpora.store import delta_tables
from corpora.store.adapted_sentiments import ADAPTED_SENTIMENTS_SQL
from corpora.store.damage import find_first_fault
from corpora.store.schema import TABLES, TableDefinition
from folate.core.errors import InputError, StoreError, suggestion
from folate.core.post import repair_surrogates
from folate.core.text import quote_name

# Tables of annotations. Their rows are valid for the text that they were made of: a view joins
# them to the present text of each post, and the view `all_NAME` has them all.
PER_TEXT_TABLES = (
    "texts",
    "word_tags",
    "embeddings",
    "mentions",
    "comparisons",
    "sentiments",
    "aspects",
    "judgements",
)
# Seconds that one query may take; counting a million posts by week takes 0.4 (docs/store.md).
MAX_QUERY_SECONDS = 300.0
# Memory of all queries to a snapshot; nothing is spilled to a disk.
MAX_QUERY_MEMORY = "4GB"
_INTERRUPT_SECONDS = 0.1
_SETTINGS = {
    "python_enable_replacements": False,  # no Python variable is a table
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
    "memory_limit": MAX_QUERY_MEMORY,
}
_SETUP_QUERY_ERRORS = (
    duckdb.PermissionException,
    duckdb.InterruptException,
    duckdb.OutOfMemoryException,
    duckdb.ParserException,
)
# Errors of a query; no file, however damaged, causes them.
_QUERY_ERRORS = (*_SETUP_QUERY_ERRORS, duckdb.BinderException, duckdb.CatalogException)
# Errors of these exact types are caused by the data, never by a query.
_DATA_ERRORS = (
    duckdb.Error,
    duckdb.IOException,
    duckdb.InternalException,
    duckdb.SerializationException,
)
_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "int32": "INTEGER",
    "bool": "BOOLEAN",
    "double": "DOUBLE",
    "float": "FLOAT",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
    "list<item: string>": "VARCHAR[]",
    "list<item: int32>": "INTEGER[]",
    "binary": "BLOB",
}

QueryParameters = Mapping[str, Any] | Sequence[Any]


class Snapshot:
    """Every table of the store as a read-only view of a fixed version.

    What others write meanwhile is not visible.
    """

    def __init__(
        self,
        root: Path,
        versions: Mapping[str, int],
        max_query_seconds: float = MAX_QUERY_SECONDS,
        files: Mapping[str, Sequence[str]] | None = None,
        *,
        is_lazy: bool = False,
    ) -> None:
        """Pin the version of each table that `versions` names; other tables are empty.

        A query that takes longer than `max_query_seconds` is stopped. Of a table that `files`
        names, only these files of its version are read. With `is_lazy` the tables are opened with
        the first query, which then raises what else is raised here: StoreError.
        """
        self.versions = dict(versions)
        self._root = root
        self._max_query_seconds = max_query_seconds
        # Subqueries in brackets, and what is read instead of each.
        self._subquery_sources: tuple[tuple[str, str], ...] = ()
        self._chosen_files = files or {}
        if not is_lazy:
            _ = self._con

    @cached_property
    def files_by_table(self) -> dict[str, Sequence[str]]:
        """The data files of each table, or those that were chosen. Raises StoreError."""
        files: dict[str, Sequence[str]] = {}
        for name, version in self.versions.items():
            chosen = self._chosen_files.get(name)
            files[name] = data_files(self._root, name, version) if chosen is None else chosen
        return files

    @cached_property
    def _con(self) -> duckdb.DuckDBPyConnection:
        """The connection, with a view of each table and nothing else to read or to change."""
        files = self.files_by_table
        connection = duckdb.connect(config=_SETTINGS)
        with self._translate_errors(_SETUP_QUERY_ERRORS):
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            _create_views(connection, files)
            _seal(connection, list(chain.from_iterable(files.values())))
        return connection

    @contextmanager
    def materialize(
        self, name: str, query: str, params: QueryParameters | None = None
    ) -> Iterator[None]:
        """Keep the rows of one SELECT in memory as the table `name` until the block ends.

        Queries name the table like any other. Raises InputError for a query that can't be answered,
        StoreError for a damaged store.
        """
        with self._translate_errors():
            self._con.cursor().sql(self._parse_select(query, params), params=params).to_table(name)
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
        bracketed = [(f"({subquery})", f"({source})") for subquery, source in sources.items()]
        snapshot._subquery_sources = (*self._subquery_sources, *bracketed)
        return snapshot

    def sql(self, query: str, params: QueryParameters | None = None) -> pa.Table:
        """Return the rows of one SELECT in DuckDB's dialect.

        `?` or `$name` in it are bound to `params`. Raises InputError, StoreError.
        """
        with self._translate_errors():
            statement = self._parse_select(query, params)
            cursor = self._con.cursor()
            with self._limit_time(cursor):
                return cursor.sql(statement, params=params).to_arrow_table()

    def stream(
        self, query: str, params: QueryParameters | None = None, batch_size: int = 10_000
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one SELECT in batches of at most `batch_size` rows.

        Each batch may take `max_query_seconds`. Raises InputError, StoreError.
        """
        with self._translate_errors():
            statement = self._parse_select(query, params)
            cursor = self._con.cursor()
            with self._limit_time(cursor):
                batches = cursor.sql(statement, params=params).to_arrow_reader(batch_size)
            while True:
                with self._limit_time(cursor):
                    batch = next(batches, None)
                if batch is None:
                    return
                yield batch

    def explain(self, query: str) -> str:
        """Return DuckDB's plan for one SELECT, which is not run. Raises InputError, StoreError."""
        with self._translate_errors():
            plan: str = self._con.cursor().sql(self._parse_select(query, None)).explain()
            return plan

    def _parse_select(self, query: str, params: QueryParameters | None) -> duckdb.Statement:
        """Parse the one statement of a query, with the sources of its subqueries.

        Raises InputError unless it is a SELECT: everything else could write.
        """
        values = [query, *(params.values() if isinstance(params, Mapping) else params or ())]
        if any(isinstance(value, str) and repair_surrogates(value) != value for value in values):
            raise InputError("wanted a query in Unicode, got half a surrogate pair.")
        for subquery, source in reversed(self._subquery_sources):  # later ones may contain earlier
            query = _replace_outside_literals(query, subquery, source)
        statements = self._con.extract_statements(query)
        if len(statements) != 1 or not _is_select(statements[0]):
            raise InputError(
                f"wanted one SELECT, got {quote_name(query.strip())}; "
                "nothing else can be asked of a snapshot."
            )
        return statements[0]

    @contextmanager
    def _limit_time(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Stop the query that runs within the block when it takes too long.

        Raises InputError then.
        """
        is_finished = Event()
        is_late = Event()

        def interrupt_when_late() -> None:
            if is_finished.wait(self._max_query_seconds):
                return
            is_late.set()
            cursor.interrupt()
            # DuckDB forgets an interrupt that comes before the query has begun
            while not is_finished.wait(_INTERRUPT_SECONDS):
                cursor.interrupt()

        watcher = Thread(target=interrupt_when_late, daemon=True)
        watcher.start()
        try:
            yield
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            if not is_late.is_set():
                raise
            raise InputError(
                f"the query took longer than {self._max_query_seconds:g} seconds and was stopped: "
                "ask for less."
            ) from error
        finally:
            is_finished.set()
            watcher.join()

    @contextmanager
    def _translate_errors(
        self, query_errors: tuple[type[Exception], ...] = _QUERY_ERRORS
    ) -> Iterator[None]:
        """Turn errors within the block into InputError or StoreError.

        `query_errors` are the query's fault. For others the store is searched for a damaged file.
        """
        try:
            yield
        except query_errors as error:
            raise InputError(
                f"the query can't be answered: {delta_tables.summarize_error(error)}."
            ) from error
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            is_data_error = type(error) in _DATA_ERRORS or not isinstance(error, duckdb.Error)
            names_a_file = str(self._root.absolute()) in str(error)
            is_deep = is_data_error or names_a_file
            if fault := find_first_fault(self._root, self.versions, deep=is_deep):
                raise fault.to_error() from error
            if is_data_error:
                raise StoreError(
                    f"the store can't be read: {delta_tables.summarize_error(error)}; "
                    f"run 'folate check' on {self._root.parent}."
                ) from error
            raise InputError(
                f"the query can't be answered: {delta_tables.summarize_error(error)}."
            ) from error


def _create_views(
    connection: duckdb.DuckDBPyConnection, files_by_table: Mapping[str, Sequence[str]]
) -> None:
    """Create a view for each table, and for annotations also one of rows of earlier texts."""
    for name, table in TABLES.items():
        view = f"all_{name}" if name in PER_TEXT_TABLES else name
        rows = scan_sql(table, files_by_table.get(name, []))
        connection.execute(f"CREATE VIEW {view} AS {rows}")
    is_adapted = bool(connection.sql("SELECT 1 FROM adaptations LIMIT 1").fetchall())
    for name in PER_TEXT_TABLES:
        # a join, as ids of posts are unique: unlike a semi-join it can be done last, on few rows
        rows = f"SELECT a.* FROM all_{name} a JOIN posts USING (id, text_hash)"
        if name == "sentiments" and is_adapted:
            rows = ADAPTED_SENTIMENTS_SQL
        connection.execute(f"CREATE VIEW {name} AS {rows}")


def _seal(connection: duckdb.DuckDBPyConnection, paths: list[str]) -> None:
    """Forbid access to all but the pinned files: queries are typed by people."""
    connection.execute(f"SET allowed_paths = {_list_literal(paths)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


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


def data_files(root: Path, name: str, version: int) -> list[str]:
    """Return the files of a version of a table. Raises StoreError."""
    if name not in TABLES:
        raise StoreError(f"the store has no table {name!r}; {suggestion(name, TABLES)}")
    delta = delta_tables.open_table(root, name, version)
    return delta_tables.data_file_paths(root, TABLES[name], delta)


def scan_sql(table: TableDefinition, files: Sequence[str]) -> str:
    """Return SQL that reads Parquet files of `table`, with its columns in order.

    A column that is newer than a file is missing in its rows.
    """
    names = ", ".join(_quote_column(field.name) for field in table.schema)
    typed_nulls = [
        f"CAST(NULL AS {_DUCKDB_TYPES[str(field.type)]}) AS {_quote_column(field.name)}"
        for field in table.schema
    ]
    empty = f"SELECT {', '.join(typed_nulls)} WHERE false"
    if not files:
        return empty
    is_partitioned = bool(table.partition_columns)
    options = (
        f"hive_partitioning = {is_partitioned}, hive_types_autocast = false, union_by_name = true"
    )
    scan = f"FROM read_parquet({_list_literal(files)}, {options})"
    return f"SELECT {names} FROM ({empty} UNION ALL BY NAME {scan})"


def _quote_column(name: str) -> str:
    return f'"{name}"'


def sql_literal(value: str) -> str:
    """Return a string literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _list_literal(values: Sequence[str]) -> str:
    return f"[{', '.join(map(sql_literal, values))}]"
