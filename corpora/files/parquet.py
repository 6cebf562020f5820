"""Rows of Parquet files, read in a separate process (`parquet_rows`).

So no file can exhaust the memory of this process, or end it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import pyarrow as pa

from corpora.files import bounds
from corpora.files.delimited import unique_column_names
from corpora.files.rows import Reject, SourceRow

# Address space of the process; Python and Arrow take some 500 MiB of it before they read anything.
_MAX_READER_BYTES = 1280 * 2**20
_READER_SCRIPT = Path(__file__).with_name("parquet_rows.py")
# Errors for values that Python has no type for.
_VALUE_ERRORS = (ValueError, OverflowError, KeyError, TypeError, pa.ArrowException)


class ParquetError(Exception):
    """A Parquet file is damaged, or the file is none; the message says how."""


def read_column_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns, the second of a name as `name (2)`. Raises ParquetError."""
    with _open_stream(path) as (schema, _):
        return _column_names(schema)


def read_rows(path: Path) -> Iterator[SourceRow | Reject]:
    """Yield every row. Raises ParquetError."""
    number = 0
    with _open_stream(path) as (schema, batches):
        names = _column_names(schema)
        for batch in batches:
            for values in _row_values(batch):
                number += 1
                yield _build_row(number, names, values)


def _build_row(number: int, names: tuple[str, ...], values: list[Any] | str) -> SourceRow | Reject:
    if isinstance(values, str):
        return Reject(number, "unreadable row", values, {})
    *cells, is_too_long = values
    if is_too_long:
        return Reject(number, "too long", bounds.ROW_TOO_LONG_PROBLEM, {})
    return SourceRow(number, dict(zip(names, map(_decode_bytes, cells), strict=True)))


def _row_values(batch: Any) -> Iterator[list[Any] | str]:
    """Yield the cells of each row, or why they can't be Python values."""
    try:
        yield from map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))
    except _VALUE_ERRORS:
        for index in range(batch.num_rows):
            try:
                yield [column[index].as_py() for column in batch.columns]
            except _VALUE_ERRORS as error:
                yield f"has a value that can't be read: {' '.join(str(error).split())[:200]}"


def _decode_bytes(cell: Any) -> Any:
    """Decode bytes that are UTF-8: older writers do not mark texts."""
    if not isinstance(cell, bytes):
        return cell
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell


def _column_names(schema: Any) -> tuple[str, ...]:
    if len(schema) <= 1:
        return ()
    names = schema.metadata[b"names"].decode("utf-8", "replace").split("\0")
    return tuple(unique_column_names(names))


@contextmanager
def _open_stream(path: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Start the reading process, and yield the schema and the batches that it writes.

    The process ends with the block. Raises ParquetError, also from the batches.
    """
    command = [
        sys.executable,
        "-P",
        str(_READER_SCRIPT),
        str(path),
        *map(str, (_MAX_READER_BYTES, 4 * bounds.MAX_ROW_CHARACTERS, bounds.MAX_COLUMNS)),
    ]
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    with (
        TemporaryFile() as error_output,
        subprocess.Popen(  # noqa: S603  # our own script
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=error_output,
            env=environment,
        ) as reader,
    ):
        try:
            stream = pa.ipc.open_stream(reader.stdout)
            yield stream.schema, _read_batches(stream, reader, error_output)
        except pa.ArrowException as error:  # the stream broke off
            raise ParquetError(_describe_failure(reader.wait(), error_output)) from error
        finally:
            reader.kill()


def _read_batches(
    stream: Any, reader: "subprocess.Popen[bytes]", error_output: IO[bytes]
) -> Iterator[Any]:
    yield from stream
    if code := reader.wait():
        raise ParquetError(_describe_failure(code, error_output))


def _describe_failure(code: int, error_output: IO[bytes]) -> str:
    """Return why the reading process ended with `code`."""
    error_output.seek(0)
    if code < 0:
        return f"the reading process was ended by {signal.Signals(-code).name}"
    lines = error_output.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:500].rstrip(".") if lines else "the reading process broke off"
