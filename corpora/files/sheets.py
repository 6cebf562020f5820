"""Files as rows: CSV, JSONL, XLSX and Parquet behind one record."""

import gzip
import json
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.files.delimited import Delimited
from corpora.files.encoding import Opener, find_encoding, is_garbled, open_text
from corpora.files.header import Needed
from corpora.files.rejects import Reject, Row
from folate.core.encoding import UnknownEncodingError
from folate.errors import InputError

_BROKEN = (OSError, EOFError, BadZipFile, ParseError, KeyError, UnicodeError, zlib.error, pa.ArrowException)


@dataclass(frozen=True)
class Sheet:
    """The names of a file's columns; `rows` reads it, each time from its start."""

    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row | Reject]]
    skipped: int = 0  # lines above the column names
    encoding: str | None = None  # of a text file

    def notes(self) -> list[str]:
        """Sentences on what a person who looks at the file may not expect."""
        notes = [f"{self.skipped:,} lines above the header were skipped"] if self.skipped else []
        if self.encoding and not self.encoding.startswith("utf"):
            notes.append(f"it was read as {self.encoding}; --encoding names another")
        return notes


def open_sheet(path: Path, has_needed: Needed, encoding: str | None = None) -> Sheet:
    """Open a file by its extension (`.gz` may follow), a text in this encoding, or in the one that is found by reading.

    `has_needed` tells a row of column names from what stands above it. Raises InputError when the file can't be read as that, or
    is empty.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])
    if kind not in _ENDINGS:
        raise InputError(f"wanted a file whose name ends in {', '.join(_ENDINGS)} (.gz may follow), got {path.name!r}.")
    try:
        if kind in _JSON:
            sheet = _jsonl(path, encoding)
        elif kind in _TABLES:
            sheet = _csv(path, has_needed, encoding)
        else:
            sheet = _OPENERS[kind](path)
    except UnknownEncodingError as error:
        raise InputError(f"{path.name!r} can't be read: {error}; name it with --encoding.") from error
    except _BROKEN as error:
        raise InputError(f"{path.name!r} can't be read as {kind}: {error}.") from error
    if not any(sheet.columns):
        raise InputError(f"{path.name!r} is empty: wanted a row of column names and rows.")
    return replace(sheet, rows=lambda: _to_the_end(path, sheet.rows()))


def _to_the_end(path: Path, rows: Iterator[Row | Reject]) -> Iterator[Row | Reject]:
    """The rows; a file that breaks off says after which."""
    last = 0
    try:
        for row in rows:
            last = row.number if isinstance(row, Row) else row.row
            yield row
    except _BROKEN as error:
        raise InputError(f"{path.name!r} can't be read after row {last}: {error}; rows before it are taken.") from error


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _csv(path: Path, has_needed: Needed, encoding: str | None) -> Sheet:
    table = Delimited.sniff(partial(_open, path), has_needed, encoding)
    return Sheet(table.columns, table.rows, table.skipped, table.encoding)


def _jsonl(path: Path, encoding: str | None) -> Sheet:
    """Any line may bring a key that no earlier one has, so all are read for the columns first."""
    opener = partial(_open, path)
    encoding = find_encoding(opener, encoding)
    rows = partial(_json_rows, opener, encoding)
    columns: dict[str, None] = {}
    lines = objects = 0
    for row in rows():
        lines += 1
        if isinstance(row, Row):
            objects += 1
            columns |= dict.fromkeys(row.values)
    if lines and not objects:
        raise InputError(f"{path.name!r} can't be read as .jsonl: none of its {lines} lines is a JSON object.")
    return Sheet(tuple(columns), rows, encoding=encoding)


def _json_rows(opener: Opener, encoding: str) -> Iterator[Row | Reject]:
    with open_text(opener, encoding) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _json_row(number, line.removeprefix("\ufeff"), encoding)


def _json_row(number: int, line: str, encoding: str) -> Row | Reject:
    if is_garbled(line, encoding):
        return Reject(number, "wrong encoding", f"has bytes that are not {encoding}; --encoding names another", {})
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Reject(number, "unreadable row", f"not JSON: {error}", {})
    if not isinstance(values, dict):
        return Reject(number, "unreadable row", f"wanted a JSON object, got a {type(values).__name__}", {})  # no value: it may be a name
    return Row(number, values)


def _xlsx(path: Path) -> Sheet:
    with closing(_xlsx_rows(path)) as rows:
        _, header = next(rows, (0, ()))
    columns = tuple("" if cell is None else str(cell).strip() for cell in header)

    def below_header() -> Iterator[Row]:
        for number, cells in islice(_xlsx_rows(path), 1, None):
            yield Row(number, {name: cell for name, cell in zip(columns, cells, strict=False) if name})

    return Sheet(columns, below_header)


def _xlsx_rows(path: Path) -> Generator[tuple[int, tuple[Any, ...]], None, None]:
    """Number and cells of the rows of the first sheet that are not empty."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    with closing(book):
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
            if any(cell is not None for cell in cells):
                yield number, cells


def _parquet(path: Path) -> Sheet:
    return Sheet(tuple(pq.read_schema(path).names), partial(_parquet_rows, path))


def _parquet_rows(path: Path) -> Iterator[Row]:
    with pq.ParquetFile(path) as file:
        batches = (batch.to_pylist() for batch in file.iter_batches(batch_size=10_000))
        for number, values in enumerate(chain.from_iterable(batches), 1):
            yield Row(number, values)


_TABLES = (".csv", ".tsv", ".txt")
_JSON = (".jsonl", ".ndjson")
_OPENERS: dict[str, Callable[[Path], Sheet]] = {".xlsx": _xlsx, ".parquet": _parquet}
_ENDINGS = (*_TABLES, *_JSON, *_OPENERS)
