"""Pictures of tables of words: bars, and dots with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from corpora.answers import svg
from corpora.answers.answer import Answer
from folate.core.text import excerpt

MAX_ROWS = 30
"""Rows of one picture; the others are in the table only, and the picture says so."""

_WIDTH = 760
_LEFT, _RIGHT, _TOP, _BOTTOM = 190, 70, 66, 48
_ROW_HEIGHT = 20
_MAX_NAME_LENGTH = 24
# Characters of a note, in Latin letters.
_LINE_LENGTH = 110
# Highest bound that is drawn, as a multiple of the highest value.
_MAX_BOUND = 1.5


@dataclass(frozen=True)
class _Frame:
    """The place of rows, one under the other, and of values from left to right."""

    rows: Sequence[Mapping[str, Any]]
    lowest: float
    highest: float

    def x(self, value: float) -> float:
        """Return the horizontal place of a value."""
        share = (value - self.lowest) / (self.highest - self.lowest or 1)
        return _LEFT + min(max(share, 0), 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, row: int) -> float:
        """Return the vertical place of the middle of a row."""
        return _TOP + (row + 0.5) * _ROW_HEIGHT

    @property
    def bottom(self) -> float:
        return _TOP + len(self.rows) * _ROW_HEIGHT


def draw_bars(answer: Answer, name: str, value: str, unit: str) -> str:
    """Return bars of the column `value` for the first rows, which the column `name` names."""
    rows = [row for row in answer.rows if row[value] is not None][:MAX_ROWS]
    frame = _Frame(rows, 0, max((row[value] for row in rows), default=1) or 1)
    parts = []
    for number, row in enumerate(rows):
        y = frame.y(number)
        hover = f"{row[name]}: {row[value]:,.4g}"
        width = frame.x(row[value]) - _LEFT
        parts.append(svg.bar(_LEFT, y - 7, width, 14, hover))
        parts.append(svg.text(_LEFT + width + 6, y + 4, f"{row[value]:,.4g}"))
    return _picture(answer, frame, (_heading(answer), name, unit), parts)


def draw_values(answer: Answer, name: str, value: str, unit: str) -> str:
    """Return a dot for the column `value` of the first rows: for scales that do not begin at 0."""
    rows = [row for row in answer.rows if row[value] is not None][:MAX_ROWS]
    values = [row[value] for row in rows] or [0, 1]
    margin = (max(values) - min(values)) / 20
    frame = _Frame(rows, min(values) - margin, max(values))
    parts = []
    for number, row in enumerate(rows):
        x, y = frame.x(row[value]), frame.y(number)
        parts.append(svg.level(y, _LEFT, x, "grid"))
        parts.append(svg.dot(x, y, f"{row[name]}: {row[value]:,.4g}"))
        parts.append(svg.text(x + 10, y + 4, f"{row[value]:,.4g}"))
    return _picture(answer, frame, (_heading(answer), name, unit), parts)


def draw_intervals(
    answer: Answer, name: str, bounds: tuple[str, str, str], unit: str, heading: str
) -> str:
    """Return a dot with its interval for the first rows.

    `bounds` are the columns of the value and of its lower and upper bound; a bound of None, or a
    far one, is beyond the picture: an arrow shows it.
    """
    value, low, high = bounds
    rows = list(answer.rows[:MAX_ROWS])
    lowest = min([0.0, *(row[low] for row in rows if row[low] is not None)])
    highest = max([0.0, *(row[high] for row in rows if row[high] is not None)])
    # a few rows of hardly any evidence would make all others narrow
    widest = max([0.0, *(row[value] for row in rows)]) * _MAX_BOUND
    frame = _Frame(rows, lowest, min(highest or widest, widest) or 1)
    parts = []
    for number, row in enumerate(rows):
        y = frame.y(number)
        left = frame.lowest if row[low] is None else row[low]
        right = frame.highest if row[high] is None else row[high]
        figures = f"{row[value]:,.3g} [{_bound(row[low], '-∞')}, {_bound(row[high], '∞')}]"
        parts.append(svg.level(y, frame.x(left), frame.x(right)))
        if row[low] is None or row[low] < frame.lowest:
            parts.append(svg.arrow(frame.x(frame.lowest), y, -1))
        if row[high] is None or row[high] > frame.highest:
            parts.append(svg.arrow(frame.x(frame.highest), y, 1))
        parts.append(svg.dot(frame.x(row[value]), y, f"{row[name]}: {figures}"))
    return _picture(answer, frame, (heading, name, unit), parts)


def _bound(value: float | None, unknown: str) -> str:
    return unknown if value is None else f"{value:,.3g}"


def _heading(answer: Answer) -> str:
    return answer.canonical or f"{answer.name}: all posts"


def _picture(
    answer: Answer, frame: _Frame, texts: tuple[str, str, str], marks: Sequence[str]
) -> str:
    heading, name, unit = texts
    parts = [svg.title(16, 26, heading), svg.text(16, 46, unit)]
    if not frame.rows:
        lines = wrap(" ".join(["No row to draw.", *answer.notes]), _LINE_LENGTH)
        for number, line in enumerate(lines):
            parts.append(svg.text(16, _TOP + (number + 1) * _ROW_HEIGHT, line))
        return svg.document(_WIDTH, _TOP + (len(lines) + 1) * _ROW_HEIGHT, heading, parts)
    for value in svg.round_values(frame.lowest, frame.highest):
        css_class = "zero" if value == 0 else "grid"
        parts.append(svg.upright(frame.x(value), _TOP - 4, frame.bottom, css_class))
        parts.append(svg.text(frame.x(value), frame.bottom + 16, f"{value:,.4g}", "middle"))
    for number, row in enumerate(frame.rows):
        label = excerpt(str(row[name]), _MAX_NAME_LENGTH)
        parts.append(svg.text(_LEFT - 10, frame.y(number) + 4, label, "name end"))
    parts += marks
    hidden = len(answer.rows) - len(frame.rows)
    if hidden:
        parts.append(svg.text(16, frame.bottom + 38, f"{hidden:,} more in the table"))
    return svg.document(_WIDTH, frame.bottom + _BOTTOM, f"{heading} · {unit}", parts)
