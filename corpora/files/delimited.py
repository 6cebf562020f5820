"""CSV and its relatives: the encoding and the delimiter are found out, and stray quotes cost no rows."""

import codecs
import csv
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any

from corpora.files.dates import read_date
from corpora.files.rejects import Reject, Row
from folate.errors import InputError

_DELIMITERS = (",", ";", "\t")
_SAMPLE = 10_000  # lines by which the encoding is judged
_LONGEST = 500  # lines of one quoted cell, about
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Delimited:
    """A text file of rows, after its header was read. `opener` opens it from its start."""

    opener: Callable[[], IO[bytes]]
    columns: tuple[str, ...]
    delimiter: str
    encoding: str

    @classmethod
    def sniff(cls, opener: Callable[[], IO[bytes]]) -> "Delimited":
        """Find out the encoding, the delimiter and the columns. Raises InputError for what is no text."""
        encoding = _encoding(opener)
        with _decoded(opener, encoding) as file:
            header = file.readline()
        delimiter = max(_DELIMITERS, key=header.count)
        cells = _strict(header, delimiter) or header.rstrip("\r\n").split(delimiter)
        return cls(opener, tuple(_distinct(cell.strip() for cell in cells)), delimiter, encoding)

    def rows(self) -> Iterator[Row | Reject]:
        """Every row below the header."""
        with _decoded(self.opener, self.encoding) as file:
            lines = _Lines(file)
            lines.take()
            while line := lines.take():
                if line.strip():
                    number = lines.number
                    cells = _cells(line, lines, self.delimiter, len(self.columns))
                    yield _row(number, cells, self.columns, self.encoding)


def _decoded(opener: Callable[[], IO[bytes]], encoding: str) -> io.TextIOWrapper:
    """Bytes that are not of this encoding become lone surrogates: their rows are rejected, not the file."""
    return io.TextIOWrapper(opener(), encoding=encoding, errors="surrogateescape", newline="")


class _Lines:
    """Lines that can be put back."""

    def __init__(self, file: Iterable[str]) -> None:
        self._file = iter(file)
        self._ahead: deque[str] = deque()
        self.number = 0  # of the last line taken

    def take(self) -> str:
        """The next line, or "" at the end."""
        line = self._ahead.popleft() if self._ahead else next(self._file, "")
        self.number += bool(line)
        return line

    def put_back(self, lines: list[str]) -> None:
        self._ahead.extendleft(reversed(lines))
        self.number -= len(lines)


def _row(number: int, cells: list[str], columns: tuple[str, ...], encoding: str) -> Row | Reject:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    values: dict[str, Any] = dict(zip(columns, cells, strict=False))
    if any("\udc80" <= char <= "\udcff" for char in "".join(cells) if char > "\ud7ff"):
        return Reject(
            number, "wrong encoding", f"has bytes that are not {encoding}", {name: _readable(cell) for name, cell in values.items()}
        )
    if len(cells) != len(columns):
        detail = f"wanted {len(columns)}, got {len(cells)}"
        return Reject(number, "wrong number of cells", detail, values | {"": cells[len(columns) :]})
    if tuple(cell.strip() for cell in cells) == columns:
        return Reject(number, "repeated header", "the column names again", values)
    return Row(number, values)


def _cells(line: str, lines: _Lines, delimiter: str, width: int) -> list[str]:
    """The cells of a record that starts with `line` and may go on over the next lines.

    A quote that never closes, or closes amid a cell, or spans lines that are all rows of their own, is a stray one: then the line
    is taken as it stands.
    """
    if '"' not in line:
        return line.rstrip("\r\n").split(delimiter)
    taken: list[str] = []
    record = line
    while _is_open(record, delimiter) and len(taken) < _LONGEST:
        more = list(_up_to_quote(lines))
        if not more:
            break
        taken += more
        record += "".join(more)
    cells = _strict(record, delimiter)
    whole = not taken or (cells is not None and len(cells) == width and not _all_rows([line, *taken], delimiter, width))
    if cells is not None and whole:
        return cells
    lines.put_back(taken)
    return line.rstrip("\r\n").split(delimiter)


def _up_to_quote(lines: _Lines) -> Iterator[str]:
    """The next lines to the first that has a quote: none before it can close a cell."""
    for _ in range(_LONGEST):
        line = lines.take()
        if line:
            yield line
        if not line or '"' in line:
            return


def _strict(record: str, delimiter: str) -> list[str] | None:
    """The cells of a whole record, or None where its quotes do not come out even."""
    try:
        rows = list(csv.reader([record], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _is_open(record: str, delimiter: str) -> bool:
    """Whether one more quote would make a record of it."""
    return _strict(record, delimiter) is None and _strict(record + '"', delimiter) is not None


def _all_rows(lines: list[str], delimiter: str, width: int) -> bool:
    """Whether each line looks like a whole row: as many cells as columns, and one of them a date."""
    rows = [line.rstrip("\r\n").split(delimiter) for line in lines]
    return all(len(cells) == width and any(_is_date(cell.strip('"')) for cell in cells) for cells in rows)


def _is_date(cell: str) -> bool:
    try:
        read_date(cell, "UTC", datetime.now(UTC))
    except ValueError:
        return False
    return True


def _encoding(opener: Callable[[], IO[bytes]]) -> str:
    """UTF-8, UTF-16 or GB18030, by its mark or by which of them most lines are."""
    with opener() as file:
        sample = list(islice(file, _SAMPLE))
    start = b"".join(sample[:1])
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if any(b"\0" in line for line in sample):
        raise InputError("wanted text, got a binary file.")
    foreign = [line for line in sample if not line.isascii()]
    return "utf-8" if 2 * sum(_decodes(line) for line in foreign) >= len(foreign) else "gb18030"


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _readable(cell: str) -> str:
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """Column names, the second of a name as `name (2)`."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"
