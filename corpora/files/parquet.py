"""Parquet files as rows, read in a process of its own (`parquet_rows`): no file can take this one's memory, or end it."""

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

_MEMORY = (
    1280 * 2**20
)  # bytes of addresses; Python and Arrow take some 500 MiB of them before they read anything
_READER = Path(__file__).with_name("parquet_rows.py")
_UNREADABLE = (
    ValueError,
    OverflowError,
    KeyError,
    TypeError,
    pa.ArrowException,
)  # of values that Python has no type for


class ParquetError(Exception):
    """A Parquet file is damaged, or none; the message says how."""


def read_column_names(path: Path) -> tuple[str, ...]:
    """Names of the columns, the second of a name as `name (2)`. Raises ParquetError."""
    with _reading(path) as (schema, _):
        return _names(schema)


def read_rows(path: Path) -> Iterator[SourceRow | Reject]:
    """Give every row. Raises ParquetError."""
    number = 0
    with _reading(path) as (schema, batches):
        names = _names(schema)
        for batch in batches:
            for values in _values(batch):
                number += 1
                yield _row(number, names, values)


def _row(number: int, names: tuple[str, ...], values: list[Any] | str) -> SourceRow | Reject:
    if isinstance(values, str):
        return Reject(number, "unreadable row", values, {})
    *cells, is_too_long = values
    if is_too_long:
        return Reject(number, "too long", bounds.ROW_TOO_LONG_PROBLEM, {})
    return SourceRow(number, dict(zip(names, map(_text, cells), strict=True)))


def _values(batch: Any) -> Iterator[list[Any] | str]:
    """Cells of each row, or why Python can't hold them."""
    try:
        yield from map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))
    except _UNREADABLE:
        for nth in range(batch.num_rows):
            try:
                yield [column[nth].as_py() for column in batch.columns]
            except _UNREADABLE as error:
                yield f"has a value that can't be read: {' '.join(str(error).split())[:200]}"


def _text(cell: Any) -> Any:
    """Bytes as text where they are UTF-8: older writers do not mark texts."""
    if not isinstance(cell, bytes):
        return cell
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell


def _names(schema: Any) -> tuple[str, ...]:
    return (
        tuple(unique_column_names(schema.metadata[b"names"].decode("utf-8", "replace").split("\0")))
        if len(schema) > 1
        else ()
    )


@contextmanager
def _reading(path: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The schema and the batches that the reading process gives; it ends with the context. Both raise ParquetError."""
    command = [
        sys.executable,
        "-P",
        str(_READER),
        str(path),
        *map(str, (_MEMORY, 4 * bounds.MAX_ROW_CHARACTERS, bounds.MAX_COLUMNS)),
    ]
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603  # our own script
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment,
        ) as reader,
    ):
        try:
            stream = pa.ipc.open_stream(reader.stdout)
            yield stream.schema, _batches(stream, reader, complaints)
        except pa.ArrowException as error:  # the stream broke off
            raise ParquetError(_reason(reader.wait(), complaints)) from error
        finally:
            reader.kill()


def _batches(
    stream: Any, reader: "subprocess.Popen[bytes]", complaints: IO[bytes]
) -> Iterator[Any]:
    yield from stream
    if code := reader.wait():
        raise ParquetError(_reason(code, complaints))


def _reason(code: int, complaints: IO[bytes]) -> str:
    complaints.seek(0)
    if code < 0:
        return f"the reading process was ended by {signal.Signals(-code).name}"
    last = complaints.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    return last[0][:500].rstrip(".") if last else "the reading process broke off"
