"""Concordances in the terminal: every hit begins in the same cell, also beside wide characters."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from folate.cli.options import PIPE_WIDTH, to_plain_text
from folate.core.text import printable_text

_GAP = "  "
_MIN_CONTEXT_WIDTH = 10
_MAX_VALUE_WIDTH = 24
# Lines that the widths of columns are found from; longer values of later lines are cut.
_MEASURED_LINES = 1_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Layout:
    """Widths in cells."""

    left: int
    # of the hit and the text right of it
    right: int
    # of the metadata
    values: Sequence[int]


def print_concordance(rows: Iterable[Row], shown: Sequence[str], context: int) -> None:
    """Print the lines of a concordance with some metadata and the id behind each.

    `context` is the most characters of text on each side. Lines are printed as they are read.
    """
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    iterator = iter(rows)
    measured = list(islice(iterator, _MEASURED_LINES))
    layout = _measure(measured, shown, context, console.width)
    for row in chain(measured, iterator):
        console.print(_line(row, shown, layout), no_wrap=True, crop=False, overflow="ignore")


def _measure(rows: Sequence[Row], shown: Sequence[str], context: int, width: int) -> _Layout:
    values = []
    for name in shown:
        longest = max((cell_len(_value(row[name])) for row in rows), default=0)
        values.append(min(longest, _MAX_VALUE_WIDTH))
    longest_id = max((cell_len(printable_text(row["id"])) for row in rows), default=0)
    hit = max((cell_len(_one_line(row["hit"])) for row in rows), default=0)
    others = sum(values) + longest_id + len(_GAP) * (len(values) + 1)
    room = max(width - others - 2 * len(_GAP), 2 * _MIN_CONTEXT_WIDTH)
    # wide characters take two cells
    left = min((room - min(hit, room // 3)) // 2, 2 * context)
    return _Layout(left, room - left, values)


def _line(row: Row, shown: Sequence[str], layout: _Layout) -> Text:
    hit = _first_cells(_one_line(row["hit"]), layout.right)
    # the hit and the text right of it are parted by two spaces
    rest = max(layout.right - cell_len(hit), 0)
    right = set_cell_size(_one_line(row["right"]), rest)
    line = Text(last_cells(_one_line(row["left"]), layout.left))
    line.append(_GAP).append(hit, style="bold").append(_GAP).append(right)
    for name, width in zip(shown, layout.values, strict=True):
        line.append(_GAP).append(set_cell_size(_first_cells(_value(row[name]), width), width))
    return line.append(_GAP).append(printable_text(row["id"]))


def _one_line(text: str) -> str:
    return printable_text(" ".join(text.split()))


def _value(value: Any) -> str:
    return "" if value is None else printable_text(to_plain_text(value))


def _first_cells(text: str, width: int) -> str:
    """Return the start of a text in at most `width` cells, with an ellipsis where it is cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…"


def last_cells(text: str, width: int) -> str:
    """Return the end of a text in exactly `width` cells, filled up with spaces at its start."""
    start = 0
    total = cell_len(text)
    while total > width or (start < len(text) and start and not cell_len(text[start])):
        start += 1
        total = cell_len(text[start:])
    return " " * (width - total) + text[start:]
