"""The rows of a sheet, from the elements of its XML part."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from corpora.files import bounds
from corpora.files.workbook.archive import ElementHandler
from corpora.files.workbook.shared_strings import RichText, SharedStrings
from corpora.files.workbook.styles import is_short_number, serial_to_moment


@dataclass(frozen=True)
class SheetRow:
    """A row of a sheet."""

    # As a spreadsheet program shows it.
    number: int
    # Values by column, counted from 0; empty where the row has a problem.
    cells: dict[int, Any]
    # Why the row can't be read.
    problem: str | None = None


@dataclass(slots=True)
class _Cell:
    """A cell as written in the sheet."""

    # Attribute `t`: "s" shared string, "n" number, "e" error, …
    kind: str
    # Attribute `s`: the number of its style.
    style: str
    text: RichText = field(default_factory=RichText)
    has_formula: bool = False


@dataclass(slots=True)
class _RawRow:
    """A row as written in the sheet: its cells by column, and why it can't be read."""

    number: int
    cells: dict[int, _Cell] = field(default_factory=dict)
    characters: int = 0
    problem: str | None = None

    def add_cell(self, column: int, cell: _Cell) -> None:
        self.characters += cell.text.length
        if not 0 <= column < bounds.MAX_COLUMNS:
            self.problem = "has a cell whose column can't be told"
        elif column in self.cells:
            self.problem = "has two cells in one column"
        elif self.characters > bounds.MAX_ROW_CHARACTERS:
            self.problem = bounds.ROW_TOO_LONG_PROBLEM
        if self.problem:
            self.cells.clear()
        else:
            self.cells[column] = cell


class SheetReader(ElementHandler):
    """Collects the rows of a sheet.

    Values are made one row at a time, since many cells may share one long text. `oddities` counts
    what the values don't show: hidden rows, merged cells, errors, formulas without a value.
    """

    def __init__(
        self,
        date_styles: Mapping[int, str],
        epoch: datetime,
        shared_strings: SharedStrings,
        oddities: Counter[str],
    ) -> None:
        self._date_styles = date_styles
        self._epoch = epoch
        self._shared_strings = shared_strings
        self._oddities = oddities
        self._complete_rows: list[_RawRow] = []
        self._row: _RawRow | None = None
        self._cell: _Cell | None = None
        self._last_row_number = 0
        self._last_column = -1

    def take_rows(self) -> Iterator[SheetRow]:
        """Yield the rows completed since the last call, without blank ones."""
        raw_rows = self._complete_rows
        self._complete_rows = []
        for raw in raw_rows:
            row = self._convert_row(raw)
            if row.problem or any(value not in (None, "") for value in row.cells.values()):
                yield row

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._cell is not None:
            self._cell.has_formula |= name == "f"
            self._cell.text.start(name)
        elif name == "c" and self._row is not None:
            self._start_cell(attributes)
        elif name == "row":
            self._start_row(attributes)
        elif name == "mergeCell":
            self._oddities["merged"] += 1

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        if reference := attributes.get("r"):
            self._last_column = _column_index(reference.rstrip("0123456789"))
        else:
            self._last_column += 1
        self._cell = _Cell(attributes.get("t", "n"), attributes.get("s", "0"))

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        number = attributes.get("r", "")
        if is_short_number(number):
            self._last_row_number = int(number)
        else:
            self._last_row_number += 1
        self._row = _RawRow(self._last_row_number)
        self._last_column = -1
        self._oddities["hidden"] += attributes.get("hidden") in ("1", "true")

    def end(self, name: str) -> None:
        if name == "c" and self._row is not None and self._cell is not None:
            if not self._row.problem:
                self._row.add_cell(self._last_column, self._cell)
            self._cell = None
        elif name == "row" and self._row is not None:
            self._complete_rows.append(self._row)
            self._row = None
        elif self._cell is not None:
            self._cell.text.end(name)

    def text(self, data: str) -> None:
        if self._cell is not None:
            self._cell.text.append(data)

    def _convert_row(self, raw: _RawRow) -> SheetRow:
        cells: dict[int, Any] = {}
        length = 0
        try:
            for column, cell in raw.cells.items():
                value = self._cell_value(cell)
                cells[column] = value
                length += len(value) if isinstance(value, str) else 0
                if length > bounds.MAX_ROW_CHARACTERS:
                    return SheetRow(raw.number, {}, bounds.ROW_TOO_LONG_PROBLEM)
        except ValueError as error:
            return SheetRow(raw.number, {}, str(error))
        return SheetRow(raw.number, cells, raw.problem)

    def _cell_value(self, cell: _Cell) -> Any:
        """Return a cell's value: None for a blank one or an error such as #N/A.

        Raises ValueError.
        """
        text = cell.text.value()
        if cell.kind == "e":
            self._oddities["errors"] += 1
            return None
        if not text:
            self._oddities["formulas"] += cell.has_formula
            return None
        if cell.kind == "s":
            return self._shared_strings[_parse_number(text, int)]
        if cell.kind in ("str", "inlineStr"):
            return text
        if cell.kind == "b":
            return text.strip() in ("1", "true")
        if cell.kind == "d":
            return _parse_iso_moment(text)
        number = _parse_number(text, float)
        date_kind = self._date_styles.get(int(cell.style)) if is_short_number(cell.style) else None
        if date_kind:
            return serial_to_moment(number, self._epoch, date_kind)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number


@lru_cache(maxsize=bounds.MAX_COLUMNS)
def _column_index(letters: str) -> int:
    """Return the number of a column, from 0, for its letters, such as AB; -1 if it has none."""
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        return -1
    column = 0
    for letter in letters.upper():
        column = 26 * column + ord(letter) - ord("A") + 1
    return column - 1


def _parse_number(text: str, number_type: type[Any]) -> Any:
    try:
        return number_type(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"wanted a number in a cell, got {text[:60]!r}") from error


def _parse_iso_moment(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text
