"""Options that commands share, and how data is printed."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import click

from folate.cli.terminal import say, say_data, tell
from folate.core.errors import ConfigError
from folate.core.spreadsheet import CsvWriter
from folate.core.text import cut, escaped_json, printable
from folate.core.weeks import SevenDays, Span, Week

F = TypeVar("F", bound=Callable[..., Any])


class SpanType(click.ParamType[Span]):
    """A week or the last of seven days, as its class parses them."""

    def __init__(self, name: str, kind: type[Week] | type[SevenDays]) -> None:
        self.name, self.kind = name, kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Span:
        if isinstance(value, self.kind):
            return value
        try:
            return self.kind.parse(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)


WEEK, DAY = SpanType("week", Week), SpanType("day", SevenDays)


def project_option(command: F) -> F:
    """`--project DIR` and `--debug`: every command has them."""
    command = click.option(
        "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
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
    return click.option(
        "--week",
        type=WEEK,
        required=True,
        metavar="YYYY-Www",
        help="An ISO week, such as 2026-W10.",
    )(command)


def span_options(command: F) -> F:
    """`--week` and `--day`, of which `one_span` wants one."""
    command = click.option(
        "--day", type=DAY, metavar="YYYY-MM-DD", help="The seven days up to a day, for a daily run."
    )(command)
    return click.option(
        "--week", type=WEEK, metavar="YYYY-Www", help="An ISO week, such as 2026-W10."
    )(command)


def one_span(week: Week | None, day: SevenDays | None) -> Span:
    """The week or the seven days that were asked for. Raises UsageError when it was neither or both."""
    span = week or day
    if span is None or (week and day):
        raise click.UsageError(
            "wanted --week or --day, one of them, such as --week 2026-W10 or --day 2026-03-05.",
            click.get_current_context(),
        )
    return span


def format_option(*formats: str) -> Callable[[F], F]:
    """`--format`, the first of `formats` being the default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How data is printed.",
    )


DATA_FORMATS = ("table", "json", "jsonl", "csv")
LONGEST_CELL = 500  # characters of a cell of a table; the other formats have it whole


def emit(rows: Iterable[Mapping[str, Any]], form: str) -> None:
    """Print rows of plain values to standard output in one of DATA_FORMATS."""
    {"table": _table, "json": _json, "jsonl": _jsonl, "csv": _csv}[form](list(rows))


def plain(value: Any) -> str:
    """What JSON has no type for, as text."""
    text: str = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text


def _json(rows: list[Mapping[str, Any]]) -> None:
    say_data(escaped_json(json.dumps(rows, ensure_ascii=False, indent=2, default=plain)) + "\n")


def _jsonl(rows: list[Mapping[str, Any]]) -> None:
    for row in rows:
        say_data(escaped_json(json.dumps(row, ensure_ascii=False, default=plain)) + "\n")


def _csv(rows: list[Mapping[str, Any]]) -> None:
    if not rows:
        return
    text = StringIO()
    writer = CsvWriter(text, plain)
    writer.write(rows[0])
    for row in rows:
        writer.write(row.values())
    if sys.stdout.isatty():
        say(text.getvalue().removesuffix("\n"))  # nobody reads it back from a screen
    else:
        say_data(text.getvalue())


def _table(rows: list[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        tell("nothing to show.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        number = all(isinstance(row[name], int | float) or row[name] is None for row in rows)
        table.add_column(
            Text(printable(name)), justify="right" if number else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(printable(cut(_cell(value), LONGEST_CELL))) for value in row.values()))
    width = None if sys.stdout.isatty() else 160
    Console(width=width, highlight=False).print(table)


def _cell(value: Any) -> str:
    """One cell of a table: lists joined, floats to three digits, missing empty."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return plain(value)
