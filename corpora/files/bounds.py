"""Limits on what is read of one file, so that no file can exhaust the machine.

Real exports stay far below.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

# Chosen so that an import needs less than 1.5 GB of memory in all. The largest exports that were
# seen have 2,000,000 rows.
MAX_ROWS = 5_000_000
# Lines of a text file: a quoted cell may have many, and some are blank.
MAX_LINES = 50_000_000
# As many as a spreadsheet has.
MAX_COLUMNS = 16_384
MAX_COLUMN_NAME_CHARACTERS = 1_000
# A novel.
MAX_CELL_CHARACTERS = 1_000_000
MAX_DATE_CHARACTERS = 200
# Of all cells of a row together.
MAX_ROW_CHARACTERS = 4_000_000
# Bytes of a file, unpacked; also characters of all its cells.
MAX_FILE_BYTES = 4 * 2**30
# Each source is a folder of the store.
MAX_SOURCES = 1_000
# Lists and objects within one another, in one row of JSON.
MAX_NESTING_LEVELS = 100
_BUFFER_BYTES = 2**16


class OutOfBoundsError(Exception):
    """A file exceeds a limit; the message says which."""


class _LineReader(Protocol):
    def readline(self, size: int, /) -> str: ...


def read_bounded_lines(file: _LineReader) -> Iterator[str]:
    """Yield the lines of a text.

    A line of more than `MAX_ROW_CHARACTERS` is truncated to one character more (`is_truncated`).
    Raises OutOfBoundsError after `MAX_LINES` lines.
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
    """Return whether a line of `read_bounded_lines` was truncated."""
    return len(line) > MAX_ROW_CHARACTERS


ROW_TOO_LONG_PROBLEM = f"wanted at most {MAX_ROW_CHARACTERS:,} characters in a row, got more"


def find_excess(values: Mapping[str, Any]) -> str | None:
    """Return which limit a row exceeds, or None."""
    # fast for nearly all rows: all names together, and all cells, are no longer than one may be
    if (
        len(values) <= MAX_COLUMNS
        and sum(map(len, values)) <= MAX_COLUMN_NAME_CHARACTERS
        and count_characters(values) <= MAX_CELL_CHARACTERS
    ):
        return None
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
    # a list is faster than a generator
    return sum([len(cell) for cell in values.values() if isinstance(cell, str)])


def check_column_names(names: Sequence[str]) -> None:
    """Raise OutOfBoundsError for too many or too long names of columns."""
    if len(names) > MAX_COLUMNS:
        raise OutOfBoundsError(f"wanted at most {MAX_COLUMNS:,} columns, got {len(names):,}")
    if (longest := max(map(len, names), default=0)) > MAX_COLUMN_NAME_CHARACTERS:
        raise OutOfBoundsError(
            f"wanted a first row of column names, of at most {MAX_COLUMN_NAME_CHARACTERS:,} "
            f"characters each, got a cell of {longest:,} characters"
        )


def is_nested_too_deep(value: Any) -> bool:
    """Return whether lists and objects are nested more than `MAX_NESTING_LEVELS` deep.

    It needs no recursion, however deep they are.
    """
    containers = [value]
    for _ in range(MAX_NESTING_LEVELS):
        inner_containers: list[Any] = []
        for container in containers:
            items = container.values() if isinstance(container, dict) else container
            inner_containers += [item for item in items if isinstance(item, dict | list)]
        if not inner_containers:
            return False
        containers = inner_containers
    return True


class _ByteReader(Protocol):
    def read1(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


def bounded_reader(file: _ByteReader) -> io.BufferedReader:
    """Return a reader that raises OutOfBoundsError after `MAX_FILE_BYTES`."""
    return io.BufferedReader(_BoundedFile(file), _BUFFER_BYTES)


class _BoundedFile(io.RawIOBase):
    def __init__(self, file: _ByteReader) -> None:
        super().__init__()
        self._file = file
        self._bytes_left = MAX_FILE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # read1 gives what can be read before the place where a compressed file breaks off
        chunk = self._file.read1(len(buffer))
        self._bytes_left -= len(chunk)
        if self._bytes_left < 0:
            raise OutOfBoundsError(f"wanted at most {MAX_FILE_BYTES:,} bytes, unpacked, got more")
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._file.close()
        super().close()
