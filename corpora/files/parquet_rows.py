"""Reads a Parquet file in a process of its own, whose memory is limited: `python parquet_rows.py FILE LIMIT ROW`.

A page of a few bytes can hold gigabytes, and no reader can be told to stop. Writes an Arrow stream to standard output: small
batches without dictionaries at the top level, and a last column that is true for rows of more than ROW bytes, which are
missing but for that. Ends with 1 and a sentence on standard error when the file can't be read. Imports nothing of ours.
"""

import resource
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_BATCH = 1_000  # rows that are decoded at once, at most
_METADATA = 64 * 2**20  # bytes of a string, and entries of a list, in the metadata


def main(path: str, memory: int, row: int, columns: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    texts = _text_columns(path)
    file = pq.ParquetFile(
        path, read_dictionary=texts, buffer_size=2**20, thrift_string_size_limit=_METADATA
    )
    names = file.schema_arrow.names
    if len(names) > columns:
        sys.exit(f"wanted at most {columns:,} columns, got {len(names):,}")
    schema = pa.schema(
        [pa.field(str(nth), _plain(kind)) for nth, kind in enumerate(file.schema_arrow.types)]
    )
    flagged = schema.append(pa.field("too long", pa.bool_())).with_metadata(
        {"names": "\0".join(names)}
    )
    with pa.ipc.new_stream(sys.stdout.buffer, flagged) as out:
        for batch in file.iter_batches(_BATCH, use_threads=False):
            for piece in _pieces(batch, row):
                out.write_batch(_decoded(piece, flagged, row))


def _text_columns(path: str) -> list[str]:
    """Top-level columns of texts: they are read as dictionaries, so that one long text of many rows is held once."""
    schema = pq.read_schema(path)
    return [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or pa.types.is_binary(field.type)
    ]


def _plain(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _pieces(batch: Any, limit: int) -> Iterator[Any]:
    """The batch in pieces of at most `limit` bytes without dictionaries, or of one row."""
    if batch.num_rows <= 1 or _size(batch) <= limit:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half), limit)
    yield from _pieces(batch.slice(half), limit)


def _size(batch: Any) -> int:
    """Bytes of the batch without dictionaries at the top level."""
    return sum(_column_size(column) for column in batch.columns)


def _column_size(column: Any) -> int:
    if pa.types.is_dictionary(column.type) and (
        pa.types.is_string(column.type.value_type) or pa.types.is_binary(column.type.value_type)
    ):
        lengths = pc.binary_length(column.dictionary)
        return int(pc.sum(pc.cast(lengths, pa.int64()).take(column.indices)).as_py() or 0)
    return int(column.nbytes)


def _decoded(piece: Any, schema: Any, limit: int) -> Any:
    too_long = piece.num_rows == 1 and _size(piece) > limit
    if too_long:
        columns = [pa.nulls(1, field.type) for field in list(schema)[:-1]]
    else:
        columns = [
            column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            for column in piece.columns
        ]
    return pa.record_batch(
        [*columns, pa.array([too_long] * piece.num_rows, pa.bool_())], schema=schema
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1], *map(int, sys.argv[2:]))
    except MemoryError:
        sys.exit("reading it needs more memory than an honest file does")
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError) as error:
        sys.exit(" ".join(str(error).split()) or type(error).__name__)
