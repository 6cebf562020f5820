"""Where a table begins in a text file: what programs write above the row of column names is skipped, and said."""

import csv
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t")
MAX_HEADER_LINES = 40  # lines, among which the column names are sought
_SEPARATOR = re.compile(
    r'"?sep=(.)"?\s*', re.IGNORECASE
)  # a line that tells a spreadsheet program the delimiter

ColumnPredicate = Callable[[Collection[str]], bool]
"""Whether columns of these names are all that an import can't do without."""


@dataclass(frozen=True)
class TableHeader:
    """The column names of a table, its delimiter, and how many lines of the file end with them; `skipped` of these are something else."""

    columns: tuple[str, ...]
    delimiter: str
    line_count: int
    skipped_line_count: int


def find_header(lines: Sequence[str], has_required_columns: ColumnPredicate) -> TableHeader:
    """Find the column names among the first lines of a file.

    They are in the first line that is not blank, after one such as `sep=;`. Only where these lack what an import needs, they are
    in a later line: in the first that has it, else in the first after a blank line that is wider than all above.
    """
    start, delimiter = 0, None
    if lines and (separator := _SEPARATOR.fullmatch(lines[0])):
        start, delimiter = 1, separator[1]
    headers = {
        n: _header(lines, start, n, delimiter)
        for n in range(start, min(len(lines), MAX_HEADER_LINES))
        if lines[n].strip()
    }
    if not headers:
        return TableHeader((), delimiter or DELIMITERS[0], len(lines), 0)
    with_needed = (header for header in headers.values() if has_required_columns(header.columns))
    return (
        next(with_needed, None)
        or _wider_after_a_blank_line(lines, headers)
        or next(iter(headers.values()))
    )


def _header(lines: Sequence[str], start: int, n: int, delimiter: str | None) -> TableHeader:
    """Line `n`, and those that its quotes span, read as column names."""
    chosen = delimiter or max(DELIMITERS, key=lines[n].count)
    reader = csv.reader(lines[n:MAX_HEADER_LINES], delimiter=chosen, strict=True)
    try:
        cells, count = next(reader), reader.line_num
    except csv.Error:  # a stray quote
        cells, count = lines[n].rstrip("\r\n").split(chosen), 1
    skipped = sum(bool(line.strip()) for line in lines[start:n])
    return TableHeader(tuple(cells), chosen, n + count, skipped)


def _wider_after_a_blank_line(
    lines: Sequence[str], headers: dict[int, TableHeader]
) -> TableHeader | None:
    widest = 0
    for n, header in headers.items():
        if widest and not lines[n - 1].strip() and len(header.columns) > widest:
            return header
        widest = max(widest, len(header.columns))
    return None
