"""How much of one file is read. Real exports stay far below; a file that was made to exhaust the machine does not."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

# chosen so that an import needs less than 1.5 GB of memory in all; exports of 2,000,000 rows are the largest that were seen
MAX_ROWS = 5_000_000  # rows of one file
MAX_LINES = 50_000_000  # lines of one text file: a quoted cell may have many, and some are blank
MAX_COLUMNS = 16_384  # columns of one file: as many as a spreadsheet has
MAX_COLUMN_NAME_CHARACTERS = 1_000  # characters of the name of a column
MAX_CELL_CHARACTERS = 1_000_000  # characters of one cell: a novel
MAX_DATE_CHARACTERS = 200  # characters of a date
MAX_ROW_CHARACTERS = 4_000_000  # characters of one row, all its cells together
MAX_FILE_BYTES = 4 * 2**30  # bytes of one file, unpacked, and characters of all its cells
MAX_SOURCES = 1_000  # names of sources in one file: each is a folder of the store
MAX_NESTING_LEVELS = 100  # of lists and objects in one another, in one row of JSON
_BUFFER = 2**16  # bytes that are read at once


class OutOfBoundsError(Exception):
    """A file holds more than is read; the message says what was wanted and what was got."""


class _Lines(Protocol):
    def readline(self, size: int, /) -> str: ...


def read_bounded_lines(file: _Lines) -> Iterator[str]:
    """Give the lines of a text. Of a line with more than LINE characters the first LINE + 1 are given: see `is_cut`.

    Raises OutOfBoundsError after LINES lines.
    """
    count = 0
    while line := file.readline(MAX_ROW_CHARACTERS + 1):
        count += 1
        if count > MAX_LINES:
            raise OutOfBoundsError(f"wanted at most {MAX_LINES:,} lines, got more")
        yield line
        while is_truncated(line) and not line.endswith(("\n", "\r")):
            line = file.readline(MAX_ROW_CHARACTERS + 1) or "\n"


def is_truncated(line: str) -> bool:
    """Tell whether a line of `read_lines` is longer than is read."""
    return len(line) > MAX_ROW_CHARACTERS


ROW_TOO_LONG_PROBLEM = f"wanted at most {MAX_ROW_CHARACTERS:,} characters in a row, got more"


def find_excess(values: Mapping[str, Any]) -> str | None:
    """Say what of a row is more than is read, or None."""
    if (
        len(values) <= MAX_COLUMNS
        and sum(map(len, values)) <= MAX_COLUMN_NAME_CHARACTERS
        and count_characters(values) <= MAX_CELL_CHARACTERS
    ):
        return None  # nearly all rows: all names together, and all cells, are no longer than one may be
    if len(values) > MAX_COLUMNS:
        return f"wanted at most {MAX_COLUMNS:,} cells in a row, got {len(values):,}"
    if (longest := max(map(len, values), default=0)) > MAX_COLUMN_NAME_CHARACTERS:
        return f"wanted names of at most {MAX_COLUMN_NAME_CHARACTERS:,} characters, got {longest:,}"
    lengths = [len(cell) for cell in values.values() if isinstance(cell, str)]
    if (longest := max(lengths, default=0)) > MAX_CELL_CHARACTERS:
        return f"wanted at most {MAX_CELL_CHARACTERS:,} characters in a cell, got {longest:,}"
    return ROW_TOO_LONG_PROBLEM if sum(lengths) > MAX_ROW_CHARACTERS else None


def count_characters(values: Mapping[str, Any]) -> int:
    """Count the characters in the cells of a row."""
    return sum(
        [len(cell) for cell in values.values() if isinstance(cell, str)]
    )  # faster than a generator


def check_column_names(names: Sequence[str]) -> None:
    """Raise OutOfBoundsError for more or longer names of columns than are read."""
    if len(names) > MAX_COLUMNS:
        raise OutOfBoundsError(f"wanted at most {MAX_COLUMNS:,} columns, got {len(names):,}")
    if (longest := max(map(len, names), default=0)) > MAX_COLUMN_NAME_CHARACTERS:
        raise OutOfBoundsError(
            f"wanted a first row of column names, of at most {MAX_COLUMN_NAME_CHARACTERS:,} characters each, got a cell of {longest:,} characters"
        )


def is_nested_too_deep(value: Any) -> bool:
    """Tell whether more than LEVELS lists and objects stand in one another. Needs no recursion, however deep they are."""
    level = [value]
    for _ in range(MAX_NESTING_LEVELS):
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


def bounded_reader(file: _Bytes) -> io.BufferedReader:
    """Give the bytes of a file, of which more than BYTES raise OutOfBoundsError."""
    return io.BufferedReader(_Bounded(file), _BUFFER)


class _Bounded(io.RawIOBase):
    def __init__(self, file: _Bytes) -> None:
        super().__init__()
        self._file = file
        self._left = MAX_FILE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._file.read1(len(buffer))  # what can be read before a break
        self._left -= len(chunk)
        if self._left < 0:
            raise OutOfBoundsError(f"wanted at most {MAX_FILE_BYTES:,} bytes, unpacked, got more")
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._file.close()
        super().close()
