"""Rows of a file, whether CSV, JSONL, XLSX or Parquet."""

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
from corpora.files.rows import Reject, RejectReason, SourceRow
from corpora.files.workbook import Workbook, WorkbookError
from folate.core.encoding import UnknownEncodingError
from folate.core.errors import InputError, suggestion

# What reading a damaged file raises.
_READ_ERRORS = (
    OSError,
    EOFError,
    UnicodeError,
    zlib.error,
    OutOfBoundsError,
    ParquetError,
    WorkbookError,
)
# These are compressed inside; a .gz around them is not read.
_COMPRESSED_TYPES = (".xlsx", ".parquet")
_ODDITY_NOTES = {
    "unnamed": "{} cells stand in columns without a name and were not read",
    "errors": "{} cells hold an error such as #N/A and count as missing",
    "formulas": (
        "{} formulas have no value in the file: open it in a spreadsheet program and save it"
    ),
    "merged": "{} blocks of cells are merged: only the first cell of each has the value",
    "hidden": "{} hidden rows were read like the others",
}


@dataclass(frozen=True)
class TabularFile:
    """A file of rows, after its column names were read."""

    columns: tuple[str, ...]
    # Reads the rows, each time from the start of the file.
    rows: Callable[[], Iterator[SourceRow | Reject]]
    # Lines above the column names.
    skipped_line_count: int = 0
    # Of a text file.
    encoding: str | None = None
    # Names of the other sheets of a workbook.
    unread_sheets: tuple[str, ...] = ()
    # Counts of the keys of `_ODDITY_NOTES`, updated while the rows are read.
    oddities: Counter[str] = field(default_factory=Counter)

    def notes(self) -> list[str]:
        """Return sentences on what a reader of the file may not expect, as far as it was read."""
        notes = []
        if self.skipped_line_count:
            notes.append(f"{self.skipped_line_count:,} lines above the header were skipped")
        if self.encoding and not self.encoding.startswith("utf"):
            notes.append(f"it was read as {self.encoding}; --encoding names another")
        notes += [
            sentence.format(f"{self.oddities[name]:,}")
            for name, sentence in _ODDITY_NOTES.items()
            if self.oddities[name]
        ]
        return notes


def open_tabular_file(
    path: Path,
    has_required_columns: ColumnPredicate = bool,
    encoding: str | None = None,
    sheet_name: str | None = None,
) -> TabularFile:
    """Open a file of rows by its extension; `.gz` may follow that of a text file.

    A text file is read in `encoding`, or in the one that is detected; a workbook at the sheet
    `sheet_name`, or at its first visible one. `has_required_columns` tells a row of column names
    from lines above it. Raises InputError when the file can't be read, is empty, or has no such
    sheet.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_packed = suffixes[-1:] == [".gz"] and len(suffixes) > 1
    kind = suffixes[-2] if is_packed else "".join(suffixes[-1:])
    if kind not in _FILE_TYPES or (is_packed and kind in _COMPRESSED_TYPES):
        raise InputError(
            f"wanted a file whose name ends in {', '.join(_FILE_TYPES)} "
            f"(.gz may follow that of a text), got {path.name!r}."
        )
    if sheet_name is not None and kind != ".xlsx":
        raise InputError(
            f"wanted a workbook (.xlsx) to read the sheet {sheet_name!r} of, got {path.name!r}."
        )
    try:
        _check_file_type(path, kind)
        if kind in _JSON_TYPES:
            opened = _open_json_lines(path, encoding)
        elif kind in _DELIMITED_TYPES:
            opened = _open_delimited(path, has_required_columns, encoding)
        else:
            is_workbook = kind == ".xlsx"
            opened = _open_workbook(path, sheet_name) if is_workbook else _open_parquet(path)
    except UnknownEncodingError as error:
        raise InputError(
            f"{path.name!r} can't be read: {error}; name it with --encoding."
        ) from error
    except _READ_ERRORS as error:
        raise InputError(f"{path.name!r} can't be read as {kind}: {error}.") from error
    if not any(opened.columns):
        other_sheets = ""
        if opened.unread_sheets:
            names = _join_sheet_names(opened.unread_sheets)
            other_sheets = f"; its other sheets are {names} (--sheet names one)"
        raise InputError(
            f"{path.name!r} is empty: wanted a row of column names and rows{other_sheets}."
        )
    return replace(opened, rows=lambda: _enforce_bounds(path, opened.rows()))


def _join_sheet_names(names: tuple[str, ...]) -> str:
    joined = ", ".join(repr(name[:60]) for name in names[:20])
    if len(names) > 20:
        joined += f" and {len(names) - 20:,} more"
    return joined


def _check_file_type(path: Path, kind: str) -> None:
    """Raise OSError for a file whose first bytes are of another type than its name says."""
    with path.open("rb") as file:
        start = file.read(MAGIC_BYTE_COUNT)
    if path.suffix.lower() == ".gz" and start:
        if not start.startswith(b"\x1f\x8b"):
            packed_as = mismatched_file_type(start, kind) or "plain text"
            raise OSError(f"it is not packed with gzip but {packed_as}")
        with gzip.open(path) as unpacked:
            start = unpacked.read(MAGIC_BYTE_COUNT)
    if start and (actual := mismatched_file_type(start, kind)):
        raise OSError(f"it is {actual}")


def _enforce_bounds(path: Path, rows: Iterator[SourceRow | Reject]) -> Iterator[SourceRow | Reject]:
    """Yield the rows, with those that are too long as rejects.

    Raises InputError, with the number of the last row, for a file that breaks off or never ends.
    """
    last_number = 0
    count = 0
    characters = 0
    try:
        for row in rows:
            last_number = row.number if isinstance(row, SourceRow) else row.row
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
    except _READ_ERRORS as error:
        raise InputError(
            f"{path.name!r} can't be read after row {last_number:,}: {error}; "
            "rows before it are taken."
        ) from error


def _open_bytes(path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return bounds.bounded_reader(gzip.open(path))
    return bounds.bounded_reader(path.open("rb"))


def _open_delimited(
    path: Path, has_required_columns: ColumnPredicate, encoding: str | None
) -> TabularFile:
    table = DelimitedFile.sniff(partial(_open_bytes, path), has_required_columns, encoding)
    return TabularFile(table.columns, table.rows, table.skipped_line_count, table.encoding)


def _open_json_lines(path: Path, encoding: str | None) -> TabularFile:
    """Read all lines for their keys, the columns: any line may have a key that no earlier one has.

    Of a file that breaks off, the lines before the break are read.
    """
    opener = partial(_open_bytes, path)
    encoding = detect_encoding(opener, encoding)
    rows = partial(_read_json_rows, opener, encoding)
    columns: dict[str, None] = {}
    line_count = 0
    object_count = 0
    try:
        for row in rows():
            line_count += 1
            if isinstance(row, SourceRow) and not bounds.find_excess(row.values):
                object_count += 1
                columns |= dict.fromkeys(row.values)
                if len(columns) > bounds.MAX_COLUMNS:
                    raise OutOfBoundsError(
                        f"wanted at most {bounds.MAX_COLUMNS:,} names of columns, "
                        f"got more by line {row.number:,}"
                    )
    except (OSError, EOFError, zlib.error):  # `rows` raises it again
        if not object_count:
            raise
    if line_count and not object_count:
        raise InputError(
            f"{path.name!r} can't be read as .jsonl: "
            f"none of its {line_count:,} lines is a JSON object."
        )
    return TabularFile(tuple(columns), rows, encoding=encoding)


def _read_json_rows(opener: Opener, encoding: str) -> Iterator[SourceRow | Reject]:
    with open_text(opener, encoding) as file:
        for number, line in enumerate(bounds.read_bounded_lines(file), 1):
            if line.strip():
                yield _parse_json_row(number, line.removeprefix("\ufeff"), encoding)


def _parse_json_row(number: int, line: str, encoding: str) -> SourceRow | Reject:
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
        # no value in the message: it may be a person's name
        problem = f"wanted a JSON object, got a {type(values).__name__}"
        return Reject(number, "unreadable row", problem, {})
    return too_deep if bounds.is_nested_too_deep(values) else SourceRow(number, values)


def _open_workbook(path: Path, sheet_name: str | None = None) -> TabularFile:
    """Open the sheet of this name, or the first visible one. Raises InputError."""
    book = Workbook.open(path)
    if sheet_name is not None and sheet_name not in book.sheet_parts:
        raise InputError(
            f"{path.name!r} has no sheet {sheet_name!r}; {suggestion(sheet_name, book.sheet_parts)}"
        )
    name = next(iter(book.sheet_parts)) if sheet_name is None else sheet_name
    header = next(book.rows(name, Counter()), None)
    if header is not None and header.problem:
        raise WorkbookError(
            f"row {header.number:,}, wanted as that of the column names, {header.problem}"
        )
    header_cells = header.cells if header else {}
    names: dict[int, str] = {}
    for column, cell in header_cells.items():
        if cell is not None and (column_name := str(cell).strip()):
            names[column] = column_name
    bounds.check_column_names(tuple(names.values()))
    columns = dict(zip(names, unique_column_names(names.values()), strict=True))
    oddities = Counter[str]()
    rows = partial(_read_sheet_rows, book, name, columns, oddities)
    unread_sheets = tuple(sheet for sheet in book.sheet_parts if sheet != name)
    return TabularFile(
        tuple(columns.values()), rows, unread_sheets=unread_sheets, oddities=oddities
    )


def _read_sheet_rows(
    book: Workbook, sheet: str, columns: dict[int, str], oddities: Counter[str]
) -> Iterator[SourceRow | Reject]:
    """Yield the rows below the header; `columns` are their names by number."""
    oddities.clear()
    rows = book.rows(sheet, oddities)
    next(rows, None)
    for row in rows:
        if row.problem:
            is_too_long = row.problem == bounds.ROW_TOO_LONG_PROBLEM
            reason: RejectReason = "too long" if is_too_long else "unreadable row"
            yield Reject(row.number, reason, row.problem, {})
            continue
        oddities["unnamed"] += sum(
            column not in columns and cell not in (None, "") for column, cell in row.cells.items()
        )
        if not row.cells.keys().isdisjoint(columns):
            values = {name: row.cells.get(column) for column, name in columns.items()}
            yield SourceRow(row.number, values)


def _open_parquet(path: Path) -> TabularFile:
    columns = parquet.read_column_names(path)
    bounds.check_column_names(columns)
    return TabularFile(columns, partial(parquet.read_rows, path))


_DELIMITED_TYPES = (".csv", ".tsv", ".txt")
_JSON_TYPES = (".jsonl", ".ndjson")
_FILE_TYPES = (*_DELIMITED_TYPES, *_JSON_TYPES, ".xlsx", ".parquet")
