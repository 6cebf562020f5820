"""Script that reads a Parquet file in a process with limited memory.

`python parquet_rows.py FILE MEMORY_BYTES ROW_BYTES COLUMNS` writes an Arrow stream to standard
output: small batches without dictionaries at the top level, and a last column that is true for
rows of more than ROW_BYTES, whose other columns are null. It ends with 1 and a sentence on standard
error when the file can't be read.

A page of a few bytes can expand to gigabytes, and no reader can be told to stop. The script imports
nothing else of Folate, so that it starts fast and in little memory.
"""

import resource
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Rows that are decoded at once.
_ROWS_PER_BATCH = 1_000
# Bytes of a string, and entries of a list, in the metadata.
_MAX_METADATA_SIZE = 64 * 2**20


def main(path: str, max_memory_bytes: int, max_row_bytes: int, max_columns: int) -> None:
    """Write the rows of the file at `path` to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (max_memory_bytes, max_memory_bytes))
    text_columns = _find_text_columns(path)
    file = pq.ParquetFile(
        path,
        read_dictionary=text_columns,
        buffer_size=2**20,
        thrift_string_size_limit=_MAX_METADATA_SIZE,
    )
    names = file.schema_arrow.names
    if len(names) > max_columns:
        sys.exit(f"wanted at most {max_columns:,} columns, got {len(names):,}")
    types = enumerate(file.schema_arrow.types)
    fields = [pa.field(str(index), _value_type(data_type)) for index, data_type in types]
    fields.append(pa.field("too long", pa.bool_()))
    schema = pa.schema(fields).with_metadata({"names": "\0".join(names)})
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as out:
        for batch in file.iter_batches(_ROWS_PER_BATCH, use_threads=False):
            for piece in _split_batch(batch, max_row_bytes):
                out.write_batch(_decode_batch(piece, schema, max_row_bytes))


def _find_text_columns(path: str) -> list[str]:
    """Return the top-level text columns.

    They are read as dictionaries, so that a long text of many rows is in memory once.
    """
    schema = pq.read_schema(path)
    return [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or pa.types.is_binary(field.type)
    ]


def _value_type(data_type: Any) -> Any:
    return data_type.value_type if pa.types.is_dictionary(data_type) else data_type


def _split_batch(batch: Any, max_bytes: int) -> Iterator[Any]:
    """Split a batch into pieces of at most `max_bytes` when decoded, or of one row."""
    if batch.num_rows <= 1 or _decoded_size(batch) <= max_bytes:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _split_batch(batch.slice(0, half), max_bytes)
    yield from _split_batch(batch.slice(half), max_bytes)


def _decoded_size(batch: Any) -> int:
    """Return the bytes of a batch without dictionaries at the top level."""
    return sum(_column_size(column) for column in batch.columns)


def _column_size(column: Any) -> int:
    if pa.types.is_dictionary(column.type) and (
        pa.types.is_string(column.type.value_type) or pa.types.is_binary(column.type.value_type)
    ):
        lengths = pc.binary_length(column.dictionary)
        return int(pc.sum(pc.cast(lengths, pa.int64()).take(column.indices)).as_py() or 0)
    return int(column.nbytes)


def _decode_batch(piece: Any, schema: Any, max_row_bytes: int) -> Any:
    """Decode the dictionaries of a batch, or null its columns if it is one row that is too long."""
    is_too_long = piece.num_rows == 1 and _decoded_size(piece) > max_row_bytes
    if is_too_long:
        columns = [pa.nulls(1, field.type) for field in list(schema)[:-1]]
    else:
        columns = [
            column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            for column in piece.columns
        ]
    flags = pa.array([is_too_long] * piece.num_rows, pa.bool_())
    return pa.record_batch([*columns, flags], schema=schema)


if __name__ == "__main__":
    try:
        main(sys.argv[1], *map(int, sys.argv[2:]))
    except MemoryError:
        sys.exit("reading it needs more memory than an honest file does")
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError) as error:
        sys.exit(" ".join(str(error).split()) or type(error).__name__)
