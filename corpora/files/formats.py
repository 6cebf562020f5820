"""Files as rows: CSV, JSONL, XLSX and Parquet behind one record."""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO

from corpora.files import bounds, parquet
from corpora.files.bounds import OutOfBoundsError
from corpora.files.delimited import DelimitedFile, unique_column_names
from corpora.files.encoding import Opener, detect_encoding, is_garbled, open_text
from corpora.files.header import ColumnPredicate
from corpora.files.magic import MAGIC_BYTE_COUNT, mismatched_file_type
from corpora.files.parquet import ParquetError
from corpora.files.rows import Reject, SourceRow
from corpora.files.workbook import Workbook, WorkbookError
from folate.core.encoding import UnknownEncodingError
from folate.core.errors import InputError, suggestion

_BROKEN = (
    OSError,
    EOFError,
    UnicodeError,
    zlib.error,
    OutOfBoundsError,
    ParquetError,
    WorkbookError,
)
_PACKED_APART = (".xlsx", ".parquet")  # these pack what is in them; a .gz around them is not read
_ODDITIES = {
    "unnamed": "{} cells stand in columns without a name and were not read",
    "errors": "{} cells hold an error such as #N/A and count as missing",
    "formulas": "{} formulas have no value in the file: open it in a spreadsheet program and save it",
    "merged": "{} blocks of cells are merged: only the first cell of each has the value",
    "hidden": "{} hidden rows were read like the others",
}


@dataclass(frozen=True)
class TabularFile:
    """The names of a file's columns; `rows` reads it, each time from its start."""

    columns: tuple[str, ...]
    rows: Callable[[], Iterator[SourceRow | Reject]]
    skipped_line_count: int = 0  # lines above the column names
    encoding: str | None = None  # of a text file
    unread_sheets: tuple[str, ...] = ()  # names of the other sheets of a workbook
    oddities: Counter[str] = field(
        default_factory=Counter
    )  # of _ODDITIES, counted while the rows are read

    def notes(self) -> list[str]:
        """Sentences on what a person who looks at the file may not expect, as far as it was read."""
        notes = (
            [f"{self.skipped_line_count:,} lines above the header were skipped"]
            if self.skipped_line_count
            else []
        )
        if self.encoding and not self.encoding.startswith("utf"):
            notes.append(f"it was read as {self.encoding}; --encoding names another")
        notes += [
            sentence.format(f"{self.oddities[name]:,}")
            for name, sentence in _ODDITIES.items()
            if self.oddities[name]
        ]
        return notes


def open_tabular_file(
    path: Path,
    has_required_columns: ColumnPredicate = bool,
    encoding: str | None = None,
    sheet_name: str | None = None,
) -> TabularFile:
    """Open a file by its extension (`.gz` may follow that of a text): a text in this encoding, or in the one that is found by
    reading; a workbook at `sheet`, or at its first visible one.

    `has_needed` tells a row of column names from what stands above it. Raises InputError when the file can't be read as that, is
    empty, or has no sheet of that name.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_packed = suffixes[-1:] == [".gz"] and len(suffixes) > 1
    kind = suffixes[-2] if is_packed else "".join(suffixes[-1:])
    if kind not in _ENDINGS or (is_packed and kind in _PACKED_APART):
        raise InputError(
            f"wanted a file whose name ends in {', '.join(_ENDINGS)} (.gz may follow that of a text), got {path.name!r}."
        )
    if sheet_name is not None and kind != ".xlsx":
        raise InputError(
            f"wanted a workbook (.xlsx) to read the sheet {sheet_name!r} of, got {path.name!r}."
        )
    try:
        _check_kind(path, kind)
        if kind in _JSON:
            opened = _jsonl(path, encoding)
        elif kind in _TABLES:
            opened = _csv(path, has_required_columns, encoding)
        else:
            opened = _xlsx(path, sheet_name) if kind == ".xlsx" else _parquet(path)
    except UnknownEncodingError as error:
        raise InputError(
            f"{path.name!r} can't be read: {error}; name it with --encoding."
        ) from error
    except _BROKEN as error:
        raise InputError(f"{path.name!r} can't be read as {kind}: {error}.") from error
    if not any(opened.columns):
        others = (
            f"; its other sheets are {_listed(opened.unread_sheets)} (--sheet names one)"
            if opened.unread_sheets
            else ""
        )
        raise InputError(f"{path.name!r} is empty: wanted a row of column names and rows{others}.")
    return replace(opened, rows=lambda: _within_bounds(path, opened.rows()))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name[:60]) for name in names[:20]) + (
        f" and {len(names) - 20:,} more" if len(names) > 20 else ""
    )


def _check_kind(path: Path, kind: str) -> None:
    """Raises OSError for a file that is plainly something else than its name says."""
    with path.open("rb") as file:
        start = file.read(MAGIC_BYTE_COUNT)
    if path.suffix.lower() == ".gz" and start:
        if not start.startswith(b"\x1f\x8b"):
            raise OSError(
                f"it is not packed with gzip but {mismatched_file_type(start, kind) or 'plain text'}"
            )
        with gzip.open(path) as unpacked:
            start = unpacked.read(MAGIC_BYTE_COUNT)
    if start and (actual := mismatched_file_type(start, kind)):
        raise OSError(f"it is {actual}")


def _within_bounds(path: Path, rows: Iterator[SourceRow | Reject]) -> Iterator[SourceRow | Reject]:
    """The rows, with those that are too long as rejects; a file that breaks off, or never ends, says after which."""
    last = count = characters = 0
    try:
        for row in rows:
            last = row.number if isinstance(row, SourceRow) else row.row
            count += 1
            if count > bounds.MAX_ROWS:
                raise OutOfBoundsError(f"wanted at most {bounds.MAX_ROWS:,} rows, got more")
            if not isinstance(row, SourceRow):
                yield row
                continue
            characters += bounds.count_characters(row.values)
            if characters > bounds.MAX_FILE_BYTES:
                raise OutOfBoundsError(
                    f"wanted at most {bounds.MAX_FILE_BYTES:,} characters in all cells, got more"
                )
            problem = bounds.find_excess(row.values)
            yield Reject(row.number, "too long", problem, {}) if problem else row
    except _BROKEN as error:
        raise InputError(
            f"{path.name!r} can't be read after row {last:,}: {error}; rows before it are taken."
        ) from error


def _open(path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return bounds.bounded_reader(gzip.open(path))
    return bounds.bounded_reader(path.open("rb"))


def _csv(path: Path, has_needed: ColumnPredicate, encoding: str | None) -> TabularFile:
    table = DelimitedFile.sniff(partial(_open, path), has_needed, encoding)
    return TabularFile(table.columns, table.rows, table.skipped_line_count, table.encoding)


def _jsonl(path: Path, encoding: str | None) -> TabularFile:
    """Any line may bring a key that no earlier one has, so all are read for the columns first, or those before a break."""
    opener = partial(_open, path)
    encoding = detect_encoding(opener, encoding)
    rows = partial(_json_rows, opener, encoding)
    columns: dict[str, None] = {}
    lines = objects = 0
    try:
        for row in rows():
            lines += 1
            if isinstance(row, SourceRow) and not bounds.find_excess(row.values):
                objects += 1
                columns |= dict.fromkeys(row.values)
                if len(columns) > bounds.MAX_COLUMNS:
                    raise OutOfBoundsError(
                        f"wanted at most {bounds.MAX_COLUMNS:,} names of columns, got more by line {row.number:,}"
                    )
    except (OSError, EOFError, zlib.error):  # `rows` will meet and tell it again
        if not objects:
            raise
    if lines and not objects:
        raise InputError(
            f"{path.name!r} can't be read as .jsonl: none of its {lines:,} lines is a JSON object."
        )
    return TabularFile(tuple(columns), rows, encoding=encoding)


def _json_rows(opener: Opener, encoding: str) -> Iterator[SourceRow | Reject]:
    with open_text(opener, encoding) as file:
        for number, line in enumerate(bounds.read_bounded_lines(file), 1):
            if line.strip():
                yield _json_row(number, line.removeprefix("\ufeff"), encoding)


def _json_row(number: int, line: str, encoding: str) -> SourceRow | Reject:
    if bounds.is_truncated(line):
        return Reject(number, "too long", bounds.ROW_TOO_LONG_PROBLEM, {})
    if is_garbled(line, encoding):
        return Reject(
            number,
            "wrong encoding",
            f"has bytes that are not {encoding}; --encoding names another",
            {},
        )
    too_deep = Reject(
        number,
        "unreadable row",
        f"wanted at most {bounds.MAX_NESTING_LEVELS} lists and objects in one another, got more",
        {},
    )
    try:
        values = json.loads(line)
    except RecursionError:
        return too_deep
    except ValueError as error:
        return Reject(number, "unreadable row", f"not JSON: {error}", {})
    if not isinstance(values, dict):
        return Reject(
            number, "unreadable row", f"wanted a JSON object, got a {type(values).__name__}", {}
        )  # no value: it may be a name
    return too_deep if bounds.is_nested_too_deep(values) else SourceRow(number, values)


def _xlsx(path: Path, wanted: str | None = None) -> TabularFile:
    """The sheet of this name, or the first visible one. Raises InputError when there is none of this name."""
    book = Workbook.open(path)
    if wanted is not None and wanted not in book.sheet_parts:
        raise InputError(
            f"{path.name!r} has no sheet {wanted!r}; {suggestion(wanted, book.sheet_parts)}"
        )
    name = next(iter(book.sheet_parts)) if wanted is None else wanted
    header = next(book.rows(name, Counter()), None)
    if header is not None and header.problem:
        raise WorkbookError(
            f"row {header.number:,}, wanted as that of the column names, {header.problem}"
        )
    named = (
        {column: str(cell).strip() for column, cell in header.cells.items() if cell is not None}
        if header
        else {}
    )
    named = {column: cell for column, cell in named.items() if cell}
    bounds.check_column_names(tuple(named.values()))
    columns = dict(zip(named, unique_column_names(named.values()), strict=True))
    oddities = Counter[str]()
    rows = partial(_xlsx_rows, book, name, columns, oddities)
    others = tuple(other for other in book.sheet_parts if other != name)
    return TabularFile(tuple(columns.values()), rows, unread_sheets=others, oddities=oddities)


def _xlsx_rows(
    book: Workbook, sheet: str, columns: dict[int, str], oddities: Counter[str]
) -> Iterator[SourceRow | Reject]:
    """The rows below the header."""
    oddities.clear()
    rows = book.rows(sheet, oddities)
    next(rows, None)
    for row in rows:
        if row.problem:
            yield Reject(
                row.number,
                "too long" if row.problem == bounds.ROW_TOO_LONG_PROBLEM else "unreadable row",
                row.problem,
                {},
            )
            continue
        oddities["unnamed"] += sum(
            column not in columns and cell not in (None, "") for column, cell in row.cells.items()
        )
        if not row.cells.keys().isdisjoint(columns):
            yield SourceRow(
                row.number, {name: row.cells.get(column) for column, name in columns.items()}
            )


def _parquet(path: Path) -> TabularFile:
    columns = parquet.read_column_names(path)
    bounds.check_column_names(columns)
    return TabularFile(columns, partial(parquet.read_rows, path))


_TABLES = (".csv", ".tsv", ".txt")
_JSON = (".jsonl", ".ndjson")
_ENDINGS = (*_TABLES, *_JSON, ".xlsx", ".parquet")
