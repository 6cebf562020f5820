"""Rows as Arrow tables of the declared schema."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from corpora.store.schema import POSTS, TableDefinition
from folate.core.errors import StoreError, suggestion
from folate.core.post import POST_FIELDS, Post

RowInput: TypeAlias = pa.Table | Iterable[Mapping[str, Any]]

_FIELDS_AND_HASH = attrgetter(*POST_FIELDS, "text_hash")


def conform_rows(table: TableDefinition, rows: RowInput) -> pa.Table:
    """Return `rows` with exactly the columns and types of `table`.

    A column that they lack has no values. Raises StoreError for other columns or types.
    """
    try:
        if not isinstance(rows, pa.Table):
            return _mappings_to_arrow(table, list(rows))
        _check_columns(table, rows.column_names)
        columns = []
        for field in table.schema:
            if field.name in rows.column_names:
                columns.append(rows[field.name].cast(field.type))
            else:
                columns.append(pa.nulls(rows.num_rows, field.type))
    except pa.ArrowException as error:
        raise StoreError(f"rows for {table.name!r} do not have its types: {error}.") from error
    return pa.Table.from_arrays(columns, schema=table.schema)


def posts_to_arrow(posts: Sequence[Post], now: datetime) -> pa.Table:
    """Convert posts to rows of the table `posts`; `now` dates those without `fetched_at`."""
    names = [*POST_FIELDS, "text_hash"]
    columns = zip(*map(_FIELDS_AND_HASH, posts), strict=True)
    arrays = [
        pa.array(values, POSTS.schema.field(name).type)
        for name, values in zip(names, columns, strict=True)
    ]
    observed_at = pc.fill_null(arrays[POST_FIELDS.index("fetched_at")], now.astimezone(UTC))
    months = pc.strftime(observed_at, "%Y-%m")
    rows = pa.Table.from_arrays([*arrays, months], names=[*names, "month"])
    return rows.select(POSTS.schema.names)


def _mappings_to_arrow(table: TableDefinition, rows: list[Mapping[str, Any]]) -> pa.Table:
    for row in rows:
        _check_columns(table, row)
    return pa.Table.from_pylist(rows, schema=table.schema)


def _check_columns(table: TableDefinition, names: Iterable[str]) -> None:
    for name in names:
        if name not in table.schema.names:
            raise StoreError(
                f"the table {table.name!r} has no column {name!r}; "
                f"{suggestion(name, table.schema.names)}"
            )
