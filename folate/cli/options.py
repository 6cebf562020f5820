"""Options that commands share, and how data is printed."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import click

from folate.cli.terminal import print_data, print_stderr, print_text
from folate.core.errors import ConfigError
from folate.core.spreadsheet import CsvWriter
from folate.core.text import escape_json, printable_text, truncate_text
from folate.core.weeks import Period, SevenDays, Week

F = TypeVar("F", bound=Callable[..., Any])


class PeriodType(click.ParamType[Period]):
    """A week or the last of seven days, as its class parses them."""

    def __init__(self, name: str, period_class: type[Week] | type[SevenDays]) -> None:
        self.name, self.period_class = name, period_class

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Period:
        if isinstance(value, self.period_class):
            return value
        try:
            return self.period_class.parse(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)


WEEK_TYPE, DAY_TYPE = PeriodType("week", Week), PeriodType("day", SevenDays)


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
        type=WEEK_TYPE,
        required=True,
        metavar="YYYY-Www",
        help="An ISO week, such as 2026-W10.",
    )(command)


def period_options(command: F) -> F:
    """`--week` and `--day`, of which `one_span` wants one."""
    command = click.option(
        "--day",
        type=DAY_TYPE,
        metavar="YYYY-MM-DD",
        help="The seven days up to a day, for a daily run.",
    )(command)
    return click.option(
        "--week", type=WEEK_TYPE, metavar="YYYY-Www", help="An ISO week, such as 2026-W10."
    )(command)


def require_one_period(week: Week | None, day: SevenDays | None) -> Period:
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
MAX_CELL_LENGTH = 500  # characters of a cell of a table; the other formats have it whole


def print_rows(rows: Iterable[Mapping[str, Any]], output_format: str) -> None:
    """Print rows of plain values to standard output in one of DATA_FORMATS."""
    {"table": _table, "json": _json, "jsonl": _jsonl, "csv": _csv}[output_format](list(rows))


def to_plain_text(value: Any) -> str:
    """What JSON has no type for, as text."""
    text: str = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text


def _json(rows: list[Mapping[str, Any]]) -> None:
    print_data(
        escape_json(json.dumps(rows, ensure_ascii=False, indent=2, default=to_plain_text)) + "\n"
    )


def _jsonl(rows: list[Mapping[str, Any]]) -> None:
    for row in rows:
        print_data(escape_json(json.dumps(row, ensure_ascii=False, default=to_plain_text)) + "\n")


def _csv(rows: list[Mapping[str, Any]]) -> None:
    if not rows:
        return
    text = StringIO()
    writer = CsvWriter(text, to_plain_text)
    writer.write_row(rows[0])
    for row in rows:
        writer.write_row(row.values())
    if sys.stdout.isatty():
        print_text(text.getvalue().removesuffix("\n"))  # nobody reads it back from a screen
    else:
        print_data(text.getvalue())


def _table(rows: list[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print_stderr("nothing to show.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        number = all(isinstance(row[name], int | float) or row[name] is None for row in rows)
        table.add_column(
            Text(printable_text(name)), justify="right" if number else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(
            *(
                Text(printable_text(truncate_text(_cell(value), MAX_CELL_LENGTH)))
                for value in row.values()
            )
        )
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
    return to_plain_text(value)
