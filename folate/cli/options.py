"""Options that several commands have, and the printing of rows."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from textwrap import indent
from typing import Any, Literal, TypeVar

import click

from folate.cli.terminal import print_data, print_stderr, print_text
from folate.core.errors import ConfigError
from folate.core.spreadsheet import CsvWriter
from folate.core.text import escape_json, printable_text, truncate_text
from folate.core.weeks import Period, SevenDays, Week

F = TypeVar("F", bound=Callable[..., Any])


class PeriodType(click.ParamType[Period]):
    """A click type for a week, or for the last of seven days."""

    def __init__(self, name: str, period_class: type[Week] | type[SevenDays]) -> None:
        self.name = name
        self.period_class = period_class

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Period:
        if isinstance(value, self.period_class):
            return value
        try:
            return self.period_class.parse(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)


WEEK_TYPE = PeriodType("week", Week)
DAY_TYPE = PeriodType("day", SevenDays)


def project_option(command: F) -> F:
    """Add `--project` and `--debug`, which every command has."""
    command = click.option(
        "--debug", is_flag=True, expose_value=False, help="On an error, show the traceback."
    )(command)
    return click.option(
        "--project",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        show_default="here",
        help="The project's folder.",
    )(command)


def week_option(command: F) -> F:
    """Add `--week`, which is required."""
    return click.option(
        "--week",
        type=WEEK_TYPE,
        required=True,
        metavar="YYYY-Www",
        help="An ISO week, such as 2026-W10.",
    )(command)


def period_options(command: F) -> F:
    """Add `--week` and `--day`; `require_one_period` checks that one of them is given."""
    command = click.option(
        "--day",
        type=DAY_TYPE,
        metavar="YYYY-MM-DD",
        help="The last of seven days, for a daily run.",
    )(command)
    return click.option(
        "--week", type=WEEK_TYPE, metavar="YYYY-Www", help="An ISO week, such as 2026-W10."
    )(command)


def require_one_period(week: Week | None, day: SevenDays | None) -> Period:
    """Return the week or the seven days. Raises UsageError unless exactly one is given."""
    period = week or day
    if period is None or (week and day):
        raise click.UsageError(
            "wanted --week or --day, one of them, such as --week 2026-W10 or --day 2026-03-05.",
            click.get_current_context(),
        )
    return period


def format_option(*formats: str) -> Callable[[F], F]:
    """Add `--format`; the first of `formats` is the default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Output format.",
    )


DATA_FORMATS = ("table", "json", "jsonl", "csv")
SMALL_VALUE = 0.001
"""Smaller numbers are shown in a table with two significant digits, such as 3.2e-12."""

LARGE_VALUE = 10_000
"""Larger numbers are shown in a table without decimals."""

PIPE_WIDTH = 160
"""Cells of a line that is not written to a terminal."""

QUERY_COLUMN = "query"
"""The column that a table leaves out first where a terminal is too narrow."""

_MIN_TEXT_WIDTH = 16

MAX_CELL_LENGTH = 500
"""Characters of a table cell; longer values are cut. Other formats print all of it."""


def print_rows(rows: Iterable[Mapping[str, Any]], output_format: str) -> None:
    """Print rows of plain values to standard output in one of DATA_FORMATS.

    All formats but the table are written row by row as `rows` are made.
    """
    match output_format:
        case "table":
            _print_table(list(rows))
        case "json":
            _print_json(rows)
        case "jsonl":
            _print_jsonl(rows)
        case "csv":
            _print_csv(rows)
        case _:
            raise KeyError(output_format)


def to_plain_text(value: Any) -> str:
    """Return a value that JSON has no type for as text."""
    text: str = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text


def _print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    before = "[\n"
    for row in rows:
        print_data(before + indent(_to_json(row, 2), "  "))
        before = ",\n"
    print_data("[]\n" if before == "[\n" else "\n]\n")


def _print_jsonl(rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        print_data(_to_json(row, None) + "\n")


def _to_json(row: Mapping[str, Any], spaces: int | None) -> str:
    """Return a row as JSON, which has neither infinity nor NaN: they become null."""
    text = json.dumps(row, ensure_ascii=False, indent=spaces, default=to_plain_text)
    if "Infinity" in text or "NaN" in text:
        finite = json.loads(text, parse_constant=_null)
        text = json.dumps(finite, ensure_ascii=False, indent=spaces)
    return escape_json(text)


def _null(_constant: str) -> None:
    """Stand for a number that JSON does not have."""


def _print_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    # nobody reads it back from a screen
    out = _ScreenText() if sys.stdout.isatty() else _ProgramText()
    writer = CsvWriter(out, to_plain_text)
    is_first = True
    for row in rows:
        if is_first:
            writer.write_row(row)
        writer.write_row(row.values())
        is_first = False


class _ScreenText:
    """A sink for rows that a person reads."""

    def write(self, text: str) -> None:
        print_text(text.removesuffix("\n"))


class _ProgramText:
    """A sink for rows that a program reads."""

    def write(self, text: str) -> None:
        print_data(text)


def _print_table(rows: list[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print_stderr("nothing to show.")
        return
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    columns = [_Column.of_rows(name, rows) for name in rows[0]]
    note = ""
    if not _fits(columns, console.width):
        columns = [column.narrowed() for column in columns]
        left_out = [column for column in columns if column.name == QUERY_COLUMN]
        if sys.stdout.isatty() and left_out and not _fits(columns, console.width):
            columns.remove(left_out[0])
            note = f"note: queries of rows don't fit into {console.width} cells; see --format csv."
    is_exact = _fits(columns, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.is_numeric else "left"
        no_wrap = column.is_numeric and is_exact
        table.add_column(Text(column.header), justify=justify, overflow="fold", no_wrap=no_wrap)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, cells))
    console.print(table)
    if note:
        print_stderr(note)


@dataclass(frozen=True)
class _Column:
    """A column of a table, as it is shown."""

    name: str
    header: str
    cells: Sequence[str]
    is_numeric: bool
    # least width in cells that the table needs for it
    width: int

    @classmethod
    def of_rows(cls, name: str, rows: Sequence[Mapping[str, Any]]) -> "_Column":
        """Return the column of a name in its full width."""
        is_numeric = all(row[name] is None or isinstance(row[name], int | float) for row in rows)
        texts = [truncate_text(_format_cell(row[name]), MAX_CELL_LENGTH) for row in rows]
        cells = [printable_text(text) for text in texts]
        header = printable_text(name)
        return cls(name, header, cells, is_numeric, _widest([header, *cells]))

    def narrowed(self) -> "_Column":
        """Return the column with its header on several lines; text may be folded, numbers not."""
        if not self.is_numeric:
            least = max(_MIN_TEXT_WIDTH, _widest([self.header]))
            return replace(self, width=min(self.width, least))
        parts = self.header.replace("_", "_\n").split("\n")
        width = _widest([*parts, *self.cells])
        lines = [""]
        for part in parts:
            if len(lines[-1]) + len(part) <= width:
                lines[-1] += part
            else:
                lines.append(part)
        return replace(self, header="\n".join(lines), width=width)


def _fits(columns: Sequence[_Column], width: int) -> bool:
    return sum(column.width for column in columns) + 2 * (len(columns) - 1) <= width


def _widest(texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)


def _format_cell(value: Any) -> str:
    """Return a table cell: lists joined, floats with three digits, None empty."""
    if value is None:
        return ""
    if isinstance(value, float):
        if 0 < abs(value) < SMALL_VALUE:
            return f"{value:.2g}"
        if LARGE_VALUE < abs(value) < inf:
            return f"{value:.0f}"
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list | tuple):
        return ", ".join(_format_cell(item) for item in value)
    return to_plain_text(value)
