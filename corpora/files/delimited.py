"""CSV and its relatives: the encoding and the delimiter are found out, and stray quotes cost no rows."""

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

_MARK = "\ufeff"  # of byte order; also where a file was put behind another one
_LONGEST = 500  # lines of one quoted cell


@dataclass(frozen=True)
class DelimitedFile:
    """A text file of rows, after its header was read. `opener` opens it from its start; the header ends with the line `above`."""

    opener: Opener
    columns: tuple[str, ...]
    delimiter: str
    encoding: str
    header_line_count: int
    skipped_line_count: (
        int  # lines above the header that are something else, blank ones not counted
    )

    @classmethod
    def sniff(
        cls,
        opener: Opener,
        has_required_columns: ColumnPredicate = bool,
        encoding: str | None = None,
    ) -> "DelimitedFile":
        """Find out the encoding (unless it is given), the delimiter and the columns, which are in the first line where nothing tells
        what is needed. Raises UnicodeError for what is no text, OutOfBoundsError for a header that is longer than is read.
        """
        encoding = detect_encoding(opener, encoding)
        with open_text(opener, encoding) as file:
            lines = [
                replace_undecodable(line).removeprefix(_MARK)
                for line in islice(bounds.read_bounded_lines(file), MAX_HEADER_LINES)
            ]
        if lines and bounds.is_truncated(lines[0]):
            raise bounds.OutOfBoundsError(
                f"wanted at most {bounds.MAX_ROW_CHARACTERS:,} characters in the row of column names, got more"
            )
        header = find_header(
            list(takewhile(lambda line: not bounds.is_truncated(line), lines)), has_required_columns
        )
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
        """Every row below the header."""
        with open_text(self.opener, self.encoding) as file:
            remaining = _Lines(bounds.read_bounded_lines(file))
            for _ in range(self.header_line_count):
                remaining.take()
            while line := remaining.take():
                number = remaining.number
                if bounds.is_truncated(line):
                    yield Reject(number, "too long", bounds.ROW_TOO_LONG_PROBLEM, {})
                elif line.strip():
                    cells = _cells(line, remaining, self.delimiter, len(self.columns))
                    yield _row(number, cells, self.columns, self.encoding)


class _Lines:
    """Lines that can be put back."""

    def __init__(self, file: Iterable[str]) -> None:
        self._file = iter(file)
        self._ahead: deque[str] = deque()
        self.number = 0  # of the last line taken

    def take(self) -> str:
        """The next line, or "" at the end."""
        line = self._ahead.popleft() if self._ahead else next(self._file, "").removeprefix(_MARK)
        self.number += bool(line)
        return line

    def put_back(self, lines: list[str]) -> None:
        self._ahead.extendleft(reversed(lines))
        self.number -= len(lines)


def _row(
    number: int, cells: list[str], columns: tuple[str, ...], encoding: str
) -> SourceRow | Reject:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(columns):  # which cell is the author's name can't be told, so none is kept
        return Reject(
            number, "wrong number of cells", f"wanted {len(columns)}, got {len(cells)}", {}
        )
    values: dict[str, Any] = dict(zip(columns, cells, strict=True))
    whole = "".join(cells)
    parts = (
        [whole] if whole.isascii() or encoding.startswith("utf") else cells
    )  # other encodings are judged cell by cell
    if any(is_garbled(part, encoding) for part in parts):
        values = {name: replace_undecodable(cell) for name, cell in values.items()}
        return Reject(
            number,
            "wrong encoding",
            f"has bytes that are not {encoding}; --encoding names another",
            values,
        )
    if "\0" in whole:
        return Reject(number, "unreadable row", "has a NUL character", values)
    if strip_invisible(cells[0]) == columns[0] and tuple(map(strip_invisible, cells)) == columns:
        return Reject(number, "repeated header", "the column names again", values)
    return SourceRow(number, values)


def _cells(line: str, lines: _Lines, delimiter: str, width: int) -> list[str]:
    """The cells of a record that starts with `line` and may go on over the next lines.

    A quote that never closes, or closes amid a cell, or spans lines that are all rows of their own, is a stray one: then the line
    is taken as it stands.
    """
    if '"' not in line:
        return _split(line, delimiter)
    record = [line]
    cells = _strict(_growing(record, lines), delimiter)
    whole = len(record) == 1 or (
        cells is not None and len(cells) == width and not _all_rows(record, delimiter, width)
    )
    if cells is not None and whole:
        return cells
    lines.put_back(record[1:])
    return _split(line, delimiter)


def _growing(record: list[str], lines: _Lines) -> Iterator[str]:
    """The lines of `record`, then the next ones, which join it when they are asked for."""
    yield from record
    length = sum(map(len, record))
    while len(record) < _LONGEST and length <= bounds.MAX_ROW_CHARACTERS and (line := lines.take()):
        length += len(line)
        record.append(line)
        yield line


def _strict(lines: Iterable[str], delimiter: str) -> list[str] | None:
    """The cells of a record, with as many lines as its quotes span, or None where they do not come out even."""
    csv.field_size_limit(
        bounds.MAX_ROW_CHARACTERS
    )  # the module's own limit of 131,072 characters cuts long articles
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True), None)
    except csv.Error:
        return None


def _split(line: str, delimiter: str) -> list[str]:
    return line.rstrip("\r\n").split(delimiter)


def _all_rows(lines: list[str], delimiter: str, width: int) -> bool:
    """Whether each line looks like a whole row: as many cells as columns, and one of them a date."""
    rows = [_split(line, delimiter) for line in lines]
    return all(
        len(cells) == width and any(_is_date(cell.strip('"')) for cell in cells) for cells in rows
    )


def _is_date(cell: str) -> bool:
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
    """Column names, the second of a name as `name (2)`."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"
