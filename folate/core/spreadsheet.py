"""CSV that spreadsheets open without running formulas, and that CSV readers parse row by row."""

import csv
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

# Characters that spreadsheets trim from the start of a cell.
_TRIMMED = r"[^\S\r\n]|[\u200b-\u200d\u2060\ufeff\x00-\x08\x0e-\x1f]"
_FORMULA = re.compile(rf"(?:\A|(?<=[\r\n]))(?=(?:{_TRIMMED})*[=+\-@＝＋－＠]|[\t\r])")


class TextSink(Protocol):
    """A file or another object that text can be written to."""

    def write(self, text: str, /) -> Any: ...


class CsvWriter:
    """Writer of comma-separated rows that end with a line feed.

    A cell with a comma, a quote or any line break is quoted.
    """

    def __init__(self, out: TextSink, format_value: Callable[[Any], str] = str) -> None:
        """Write to `out`; `format_value` formats values other than strings, numbers and lists."""
        # The csv module quotes cells with a character of its line terminator: hence both of them.
        self._writer = csv.writer(_LineFeedSink(out), lineterminator="\r\n")
        self._format_value = format_value

    def write_row(self, values: Iterable[Any]) -> None:
        """Write one row."""
        self._writer.writerow([csv_cell(value, self._format_value) for value in values])


class _LineFeedSink:
    """A sink that ends rows with a line feed instead of a carriage return and a line feed."""

    def __init__(self, out: TextSink) -> None:
        self._out = out

    def write(self, row: str) -> None:
        self._out.write(row.removesuffix("\r\n") + "\n")


def csv_cell(value: Any, format_value: Callable[[Any], str] = str) -> Any:
    """Return a value as a cell: a number unchanged, a list or dict as JSON, else escaped text."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=format_value)
    elif not isinstance(value, str):
        is_plain_datetime = isinstance(value, datetime) and format_value is str
        value = value.isoformat() if is_plain_datetime else format_value(value)
    return escape_formula(value)


def escape_formula(text: str) -> str:
    """Put an apostrophe before every line of a cell that a spreadsheet would run as a formula.

    Such a line begins with = + - @ (also the full-width ones of Chinese and Japanese keyboards), a
    tab or a carriage return, maybe after spaces, a byte order mark or zero-width characters, which
    spreadsheets trim. Source: OWASP, CSV Injection.
    """
    return _FORMULA.sub("'", text)
