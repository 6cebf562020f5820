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
    """`rows` with exactly the columns and types of `table`; a column they lack is missing throughout. Raises StoreError."""
    try:
        if not isinstance(rows, pa.Table):
            return _from_mappings(table, list(rows))
        _check_columns(table, rows.column_names)
        columns = [
            rows[field.name].cast(field.type)
            if field.name in rows.column_names
            else pa.nulls(rows.num_rows, field.type)
            for field in table.schema
        ]
    except pa.ArrowException as error:
        raise StoreError(f"rows for {table.name!r} do not have its types: {error}.") from error
    return pa.Table.from_arrays(columns, schema=table.schema)


def posts_to_arrow(posts: Sequence[Post], now: datetime) -> pa.Table:
    """Posts as rows of the table `posts`; the month is that of `fetched_at`, or of `now`."""
    columns = list(zip(*map(_FIELDS_AND_HASH, posts), strict=True))
    arrays = [
        pa.array(values, POSTS.schema.field(name).type)
        for name, values in zip((*POST_FIELDS, "text_hash"), columns, strict=True)
    ]
    seen = pc.fill_null(arrays[POST_FIELDS.index("fetched_at")], now.astimezone(UTC))
    return pa.Table.from_arrays(
        [*arrays, pc.strftime(seen, "%Y-%m")], names=[*POST_FIELDS, "text_hash", "month"]
    ).select(POSTS.schema.names)


def _from_mappings(table: TableDefinition, rows: list[Mapping[str, Any]]) -> pa.Table:
    for row in rows:
        _check_columns(table, row)
    return pa.Table.from_pylist(rows, schema=table.schema)


def _check_columns(table: TableDefinition, names: Iterable[str]) -> None:
    for name in names:
        if name not in table.schema.names:
            raise StoreError(
                f"the table {table.name!r} has no column {name!r}; {suggestion(name, table.schema.names)}"
            )
