"""CSV that spreadsheets open without running it, and that every reader of CSV reads back row by row."""

import csv
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

_TRIMMED = r"[^\S\r\n]|[\u200b-\u200d\u2060\ufeff\x00-\x08\x0e-\x1f]"  # what spreadsheets take away before they look
_FORMULA = re.compile(rf"(?:\A|(?<=[\r\n]))(?=(?:{_TRIMMED})*[=+\-@＝＋－＠]|[\t\r])")


class TextSink(Protocol):
    """Something that text can be written to."""

    def write(self, text: str, /) -> Any: ...


class CsvWriter:
    """Rows of CSV: comma-separated, ended by a line feed; a cell with a comma, a quote or any line break is quoted."""

    def __init__(self, out: TextSink, format_value: Callable[[Any], str] = str) -> None:
        """`plain` gives the text of values that are no string, number, list or table."""
        self._writer = csv.writer(
            _LineFeeds(out), lineterminator="\r\n"
        )  # it quotes the characters of its own line end
        self._plain = format_value

    def write_row(self, values: Iterable[Any]) -> None:
        """Write one row."""
        self._writer.writerow([csv_cell(value, self._plain) for value in values])


class _LineFeeds:
    """Ends with a line feed what the csv module ends with a carriage return and a line feed."""

    def __init__(self, out: TextSink) -> None:
        self._out = out

    def write(self, row: str) -> None:
        self._out.write(row.removesuffix("\r\n") + "\n")


def csv_cell(value: Any, format_value: Callable[[Any], str] = str) -> Any:
    """Return a value as a cell: numbers as they are, lists and tables as JSON, everything else as text that runs nowhere."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=format_value)
    elif not isinstance(value, str):
        value = (
            value.isoformat()
            if isinstance(value, datetime) and format_value is str
            else format_value(value)
        )
    return escape_formula(value)


def escape_formula(text: str) -> str:
    """Return `text` with an apostrophe before what a spreadsheet would run.

    That is a cell, or a line in it, that begins with = + - @ (also the wide ones of Chinese and Japanese keyboards), a tab or a
    carriage return, be it after spaces, a byte order mark or zero-width characters, which spreadsheets trim.
    Source: OWASP, CSV Injection.
    """
    return _FORMULA.sub("'", text)
