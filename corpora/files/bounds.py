"""How much of one file is read. Real exports stay far below; a file that was made to exhaust the machine does not."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

# chosen so that an import needs less than 1.5 GB of memory in all; exports of 2,000,000 rows are the largest that were seen
ROWS = 5_000_000  # rows of one file
LINES = 50_000_000  # lines of one text file: a quoted cell may have many, and some are blank
COLUMNS = 16_384  # columns of one file: as many as a spreadsheet has
NAME = 1_000  # characters of the name of a column
CELL = 1_000_000  # characters of one cell: a novel
DATE = 200  # characters of a date
LINE = 4_000_000  # characters of one row, all its cells together
BYTES = 4 * 2**30  # bytes of one file, unpacked, and characters of all its cells
SOURCES = 1_000  # names of sources in one file: each is a folder of the store
LEVELS = 100  # of lists and objects in one another, in one row of JSON
_BUFFER = 2**16  # bytes that are read at once


class OutOfBoundsError(Exception):
    """A file holds more than is read; the message says what was wanted and what was got."""


class _Lines(Protocol):
    def readline(self, size: int, /) -> str: ...


def read_lines(file: _Lines) -> Iterator[str]:
    """Give the lines of a text. Of a line with more than LINE characters the first LINE + 1 are given: see `is_cut`.

    Raises OutOfBoundsError after LINES lines.
    """
    count = 0
    while line := file.readline(LINE + 1):
        count += 1
        if count > LINES:
            raise OutOfBoundsError(f"wanted at most {LINES:,} lines, got more")
        yield line
        while is_cut(line) and not line.endswith(("\n", "\r")):
            line = file.readline(LINE + 1) or "\n"


def is_cut(line: str) -> bool:
    """Tell whether a line of `read_lines` is longer than is read."""
    return len(line) > LINE


TOO_LONG = f"wanted at most {LINE:,} characters in a row, got more"


def excess(values: Mapping[str, Any]) -> str | None:
    """Say what of a row is more than is read, or None."""
    if len(values) <= COLUMNS and sum(map(len, values)) <= NAME and characters(values) <= CELL:
        return None  # nearly all rows: all names together, and all cells, are no longer than one may be
    if len(values) > COLUMNS:
        return f"wanted at most {COLUMNS:,} cells in a row, got {len(values):,}"
    if (longest := max(map(len, values), default=0)) > NAME:
        return f"wanted names of at most {NAME:,} characters, got {longest:,}"
    lengths = [len(cell) for cell in values.values() if isinstance(cell, str)]
    if (longest := max(lengths, default=0)) > CELL:
        return f"wanted at most {CELL:,} characters in a cell, got {longest:,}"
    return TOO_LONG if sum(lengths) > LINE else None


def characters(values: Mapping[str, Any]) -> int:
    """Count the characters in the cells of a row."""
    return sum(
        [len(cell) for cell in values.values() if isinstance(cell, str)]
    )  # faster than a generator


def check_columns(names: Sequence[str]) -> None:
    """Raise OutOfBoundsError for more or longer names of columns than are read."""
    if len(names) > COLUMNS:
        raise OutOfBoundsError(f"wanted at most {COLUMNS:,} columns, got {len(names):,}")
    if (longest := max(map(len, names), default=0)) > NAME:
        raise OutOfBoundsError(
            f"wanted a first row of column names, of at most {NAME:,} characters each, got a cell of {longest:,} characters"
        )


def is_deeper_than_read(value: Any) -> bool:
    """Tell whether more than LEVELS lists and objects stand in one another. Needs no recursion, however deep they are."""
    level = [value]
    for _ in range(LEVELS):
        level = [
            inner for outer in level for inner in _contents(outer) if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _contents(value: Any) -> Sequence[Any]:
    return list(value.values()) if isinstance(value, dict) else value


class _Bytes(Protocol):
    def read1(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


def buffered(file: _Bytes) -> io.BufferedReader:
    """Give the bytes of a file, of which more than BYTES raise OutOfBoundsError."""
    return io.BufferedReader(_Bounded(file), _BUFFER)


class _Bounded(io.RawIOBase):
    def __init__(self, file: _Bytes) -> None:
        super().__init__()
        self._file = file
        self._left = BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._file.read1(len(buffer))  # what can be read before a break
        self._left -= len(chunk)
        if self._left < 0:
            raise OutOfBoundsError(f"wanted at most {BYTES:,} bytes, unpacked, got more")
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._file.close()
        super().close()
