"""SQL over the tables of the store, at a version."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from corpora.store.schema import TABLES
from corpora.store.snapshot import Snapshot
from folate.core.errors import InputError
from folate.core.text import join_names


def select_rows(snapshot: Snapshot, query: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one SELECT in DuckDB's dialect. Raises InputError, StoreError.

    Columns need different names.
    """
    for batch in snapshot.stream(query):
        counts = Counter(batch.schema.names)
        repeated = [name for name, count in counts.items() if count > 1]
        if repeated:
            raise InputError(
                f"wanted columns with different names, got {join_names(repeated)} twice: "
                "name them with AS."
            )
        yield from batch.to_pylist()


def table_columns() -> list[dict[str, Any]]:
    """Return a row for each column of each table: table, column, type."""
    return [
        {"table": table.name, "column": field.name, "type": str(field.type)}
        for table in TABLES.values()
        for field in table.schema
    ]
