"""The column names of a table in a text file, below lines that some programs write above them."""

import csv
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t")
# Lines among which the column names are searched for.
MAX_HEADER_LINES = 40
# A line that gives spreadsheet programs the delimiter.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)

ColumnPredicate = Callable[[Collection[str]], bool]
"""Return whether columns of these names are all that an import requires."""


@dataclass(frozen=True)
class TableHeader:
    """The row of column names of a table."""

    columns: tuple[str, ...]
    delimiter: str
    # Lines of the file up to the column names, these included.
    line_count: int
    # Lines above the column names that are something else, blank ones not counted.
    skipped_line_count: int


def find_header(lines: Sequence[str], has_required_columns: ColumnPredicate) -> TableHeader:
    """Find the column names among the first lines of a file.

    They are in the first line that is not blank, after one such as `sep=;`. Only where it lacks the
    required columns, they are in a later line: the first that has them, else the first after a
    blank line that is wider than all lines above.
    """
    start = 0
    delimiter = None
    separator = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if separator:
        start = 1
        delimiter = separator[1]
    headers = {}
    for index in range(start, min(len(lines), MAX_HEADER_LINES)):
        if lines[index].strip():
            headers[index] = _parse_header(lines, start, index, delimiter)
    if not headers:
        return TableHeader((), delimiter or DELIMITERS[0], len(lines), 0)
    for header in headers.values():
        if has_required_columns(header.columns):
            return header
    return _find_wider_header(lines, headers) or next(iter(headers.values()))


def _parse_header(
    lines: Sequence[str], start: int, index: int, delimiter: str | None
) -> TableHeader:
    """Parse line `index`, and those that its quotes span, as column names."""
    delimiter = delimiter or max(DELIMITERS, key=lines[index].count)
    reader = csv.reader(lines[index:MAX_HEADER_LINES], delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
        line_count = reader.line_num
    except csv.Error:  # a stray quote
        cells = lines[index].rstrip("\r\n").split(delimiter)
        line_count = 1
    skipped_line_count = sum(bool(line.strip()) for line in lines[start:index])
    return TableHeader(tuple(cells), delimiter, index + line_count, skipped_line_count)


def _find_wider_header(lines: Sequence[str], headers: dict[int, TableHeader]) -> TableHeader | None:
    """Return the first line after a blank one that has more cells than all above, or None."""
    widest = 0
    for index, header in headers.items():
        if widest and not lines[index - 1].strip() and len(header.columns) > widest:
            return header
        widest = max(widest, len(header.columns))
    return None
