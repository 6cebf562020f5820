"""Delimited text such as CSV: encoding and delimiter are detected, stray quotes are tolerated."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

from corpora.files import bounds
from corpora.files.encoding import (
    Opener,
    detect_encoding,
    is_garbled,
    open_text,
    replace_undecodable,
)
from corpora.files.header import MAX_HEADER_LINES, ColumnPredicate, find_header
from corpora.files.identity import strip_invisible
from corpora.files.rows import Reject, SourceRow
from folate.core.dates import AmbiguousDateOrderError, DateError, parse_date

# Also occurs within a file, where it was appended to another one.
_BYTE_ORDER_MARK = "\ufeff"
_MAX_RECORD_LINES = 500


@dataclass(frozen=True)
class DelimitedFile:
    """A text file of rows, after its header was read."""

    # Opens the file from its start.
    opener: Opener
    columns: tuple[str, ...]
    delimiter: str
    encoding: str
    # Lines of the file up to the header, this included.
    header_line_count: int
    # Lines above the header that are something else, blank ones not counted.
    skipped_line_count: int

    @classmethod
    def sniff(
        cls,
        opener: Opener,
        has_required_columns: ColumnPredicate = bool,
        encoding: str | None = None,
    ) -> "DelimitedFile":
        """Detect the encoding (unless it is given), the delimiter and the columns.

        Column names are searched for as in `find_header`. Raises UnicodeError for what is no text,
        OutOfBoundsError for a too long header.
        """
        encoding = detect_encoding(opener, encoding)
        with open_text(opener, encoding) as file:
            lines = [
                replace_undecodable(line).removeprefix(_BYTE_ORDER_MARK)
                for line in islice(bounds.read_bounded_lines(file), MAX_HEADER_LINES)
            ]
        if lines and bounds.is_truncated(lines[0]):
            raise bounds.OutOfBoundsError(
                f"wanted at most {bounds.MAX_ROW_CHARACTERS:,} characters in the row of column "
                "names, got more"
            )
        complete_lines = list(takewhile(lambda line: not bounds.is_truncated(line), lines))
        header = find_header(complete_lines, has_required_columns)
        bounds.check_column_names(header.columns)
        columns = tuple(unique_column_names(map(strip_invisible, header.columns)))
        return cls(
            opener,
            columns,
            header.delimiter,
            encoding,
            header.line_count,
            header.skipped_line_count,
        )

    def rows(self) -> Iterator[SourceRow | Reject]:
        """Yield every row below the header."""
        with open_text(self.opener, self.encoding) as file:
            lines = _LineSource(bounds.read_bounded_lines(file))
            for _ in range(self.header_line_count):
                lines.take()
            while line := lines.take():
                number = lines.number
                if bounds.is_truncated(line):
                    yield Reject(number, "too long", bounds.ROW_TOO_LONG_PROBLEM, {})
                elif line.strip():
                    cells = _read_record(line, lines, self.delimiter, len(self.columns))
                    yield _check_record(number, cells, self.columns, self.encoding)


class _LineSource:
    """The lines of a file, some of which can be put back."""

    def __init__(self, file: Iterable[str]) -> None:
        # Number of the last line taken.
        self.number = 0
        self._file = iter(file)
        self._returned_lines: deque[str] = deque()

    def take(self) -> str:
        """Return the next line, or "" at the end."""
        if self._returned_lines:
            line = self._returned_lines.popleft()
        else:
            line = next(self._file, "").removeprefix(_BYTE_ORDER_MARK)
        self.number += bool(line)
        return line

    def put_back(self, lines: list[str]) -> None:
        """Put lines back, so that `take` yields them again, in order, before the others."""
        self._returned_lines.extendleft(reversed(lines))
        self.number -= len(lines)


def _check_record(
    number: int, cells: list[str], columns: tuple[str, ...], encoding: str
) -> SourceRow | Reject:
    """Return the cells as a row, or why they are none."""
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(columns):
        # no cells are stored, since any may be the author's name
        problem = f"wanted {len(columns)}, got {len(cells)}"
        return Reject(number, "wrong number of cells", problem, {})
    values: dict[str, Any] = dict(zip(columns, cells, strict=True))
    joined = "".join(cells)
    # other encodings are checked cell by cell
    is_checked_at_once = joined.isascii() or encoding.startswith("utf")
    texts = [joined] if is_checked_at_once else cells
    if any(is_garbled(text, encoding) for text in texts):
        values = {name: replace_undecodable(cell) for name, cell in values.items()}
        problem = f"has bytes that are not {encoding}; --encoding names another"
        return Reject(number, "wrong encoding", problem, values)
    if "\0" in joined:
        return Reject(number, "unreadable row", "has a NUL character", values)
    if strip_invisible(cells[0]) == columns[0] and tuple(map(strip_invisible, cells)) == columns:
        return Reject(number, "repeated header", "the column names again", values)
    return SourceRow(number, values)


def _read_record(line: str, lines: _LineSource, delimiter: str, width: int) -> list[str]:
    """Return the cells of a record that starts with `line` and may span the next lines.

    A quote is stray that never closes, or closes within a cell, or spans lines that are all rows
    of their own: then the line is split at every delimiter. `width` is the number of columns.
    """
    if '"' not in line:
        return _split_line(line, delimiter)
    record = [line]
    cells = _parse_quoted(_extend_record(record, lines), delimiter)
    if cells is not None:
        if len(record) == 1:
            return cells
        if len(cells) == width and not _are_all_rows(record, delimiter, width):
            return cells
    lines.put_back(record[1:])
    return _split_line(line, delimiter)


def _extend_record(record: list[str], lines: _LineSource) -> Iterator[str]:
    """Yield the lines of `record`, then the next lines, which are appended to it on demand."""
    yield from record
    length = sum(map(len, record))
    while len(record) < _MAX_RECORD_LINES and length <= bounds.MAX_ROW_CHARACTERS:
        line = lines.take()
        if not line:
            return
        length += len(line)
        record.append(line)
        yield line


def _parse_quoted(lines: Iterable[str], delimiter: str) -> list[str] | None:
    """Return the cells of a record, reading as many lines as its quotes span.

    Return None where a quote is not closed or closes within a cell.
    """
    # the module's own limit of 131,072 characters is too low for long articles
    csv.field_size_limit(bounds.MAX_ROW_CHARACTERS)
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True), None)
    except csv.Error:
        return None


def _split_line(line: str, delimiter: str) -> list[str]:
    return line.rstrip("\r\n").split(delimiter)


def _are_all_rows(lines: list[str], delimiter: str, width: int) -> bool:
    """Return whether each line has as many cells as columns, and one of them is a date."""
    for line in lines:
        cells = _split_line(line, delimiter)
        if len(cells) != width or not any(_is_date_cell(cell) for cell in cells):
            return False
    return True


def _is_date_cell(cell: str) -> bool:
    cell = cell.strip('"')
    if len(cell) > bounds.MAX_DATE_CHARACTERS:
        return False
    try:
        parse_date(cell, "UTC", datetime.now(UTC))
    except AmbiguousDateOrderError:
        return True
    except DateError:
        return False
    return True


def unique_column_names(names: Iterable[str]) -> Iterator[str]:
    """Yield column names, the second of a name as `name (2)`."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        yield name if counts[name] == 1 else f"{name} ({counts[name]})"
