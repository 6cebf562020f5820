"""Renders a report as an Excel workbook with one sheet for each table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len

from folate.core.measures import Unit
from folate.core.text import printable_text
from reports.build import Report
from reports.figures import UNMEASURABLE_FLAG, Figure
from reports.messages import Messages, load_messages
from reports.render.tables import ReportTable, TableCell, report_tables

if TYPE_CHECKING:  # imported when a workbook is rendered: most commands write none
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet


class CellFormat(NamedTuple):
    """How values of one unit are written."""

    factor: float  # by which the value is multiplied, so that it reads as on the page
    number_format: str


NUMBER_FORMATS: dict[Unit, CellFormat] = {
    "count": CellFormat(1, "#,##0"),
    "share": CellFormat(1, "0.0%"),
    "relative": CellFormat(1, "+0%;-0%;0%"),
    "times": CellFormat(1, "0.0"),
    "rate": CellFormat(1, "0.0"),
    "per million": CellFormat(1, "#,##0.0"),
    "score": CellFormat(1, "0.0"),
    "position": CellFormat(1, "0.00"),
    "net": CellFormat(100, "+0.0;-0.0;0.0"),
    "rating": CellFormat(100, "0.0"),
    "points": CellFormat(100, "+0.0;-0.0;0.0"),
    "net points": CellFormat(100, "+0.0;-0.0;0.0"),
    "rating points": CellFormat(100, "+0.0;-0.0;0.0"),
}
# Limits of Excel.
MAX_CELL_LENGTH = 32_767  # UTF-16 code units of a text
MAX_SHEET_LINKS = 65_530
_MAX_TITLE_LENGTH = 28  # characters of a sheet's name, of 31: the rest numbers equal names
_MIN_COLUMN_WIDTH = 9  # characters
_MAX_COLUMN_WIDTH = 60
_PIXELS_PER_CHARACTER = 7  # of a digit in the default font
_DECIMALS = 6  # further digits are rounding errors of the multiplication
_DATE_FORMAT = "yyyy-mm-dd"


def render_workbook(report: Report) -> bytes:
    """Render the workbook; the same report gives the same bytes.

    A text is always stored as text, never as a formula, a number or a link. Each number links to
    its row in the sheet of evidence. A text longer than MAX_CELL_LENGTH is cut and ends with an
    ellipsis, and a sheet has at most MAX_SHEET_LINKS links; the comments in the document
    properties say how many texts were cut and how many links were left out.
    """
    from xlsxwriter import Workbook

    message = load_messages(report.language)
    tables = report_tables(report)
    titles = _create_sheet_titles([table.title for table in tables])
    buffer = BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with Workbook(buffer, options) as workbook:
        writer = _WorkbookWriter(workbook, message, _link_targets(report, titles[-1]))
        for title, table in zip(titles, tables, strict=True):
            writer.write_table(title, table)
        _, period_end = report.week.bounds(report.timezone)
        title = message("page.title", project=report.project, week=str(report.week))
        workbook.set_properties(
            {
                "title": printable_text(title),
                "author": "Folate",
                "created": period_end.astimezone(UTC).replace(tzinfo=None),
                "comments": writer.describe_omissions(),
            }
        )
    return buffer.getvalue()


def _create_sheet_titles(titles: Sequence[str]) -> list[str]:
    """Return valid and distinct names of sheets: Excel allows 31 characters and ignores case."""
    sheet_titles: list[str] = []
    for title in titles:
        name = re.sub(r"[\[\]:*?/\\']", " ", printable_text(title))
        name = name[:_MAX_TITLE_LENGTH].strip() or "-"
        equal_names = [
            other for other in sheet_titles if other.casefold().startswith(name.casefold())
        ]
        sheet_titles.append(f"{name} {len(equal_names) + 1}" if equal_names else name)
    return sheet_titles


def _link_targets(report: Report, evidence_title: str) -> dict[str, str]:
    """Return the link to the row of each figure in the sheet of evidence, by figure id."""
    targets = {}
    for row_number, figure in enumerate(report.figures, start=2):
        targets[figure.id] = f"internal:'{evidence_title}'!A{row_number}"
    return targets


@dataclass(frozen=True, slots=True)
class _FigureNumber:
    """The value of a figure, or one of its bounds, as the content of a cell."""

    figure: Figure
    value: float | None


_CellContent = _FigureNumber | TableCell


@dataclass
class _WorkbookWriter:
    """Writes tables as sheets of one workbook."""

    workbook: "Workbook"
    message: Messages
    link_targets: Mapping[str, str]
    _formats: dict[str, "Format"] = field(default_factory=dict)
    _truncated_texts: int = 0
    _omitted_links: int = 0

    def write_table(self, sheet_title: str, table: ReportTable) -> None:
        sheet = self.workbook.add_worksheet(sheet_title)
        sheet.freeze_panes(1, 0)
        # The evidence is where links lead to.
        link_targets = {} if table.id == "evidence" else self.link_targets
        sheet_writer = _SheetWriter(self, sheet, link_targets)
        for column, (title, cells) in enumerate(_table_columns(table, self.message)):
            sheet_writer.write_text(0, column, title, "heading")
            for row, content in enumerate(cells, start=1):
                sheet_writer.write_cell(row, column, content)
            width = _column_width([title, *cells])
            sheet.set_column_pixels(column, column, _PIXELS_PER_CHARACTER * width)
        if not table.rows:
            sheet_writer.write_text(1, 0, table.empty_text, "note")

    def get_format(self, name: str) -> "Format":
        """Return the format of a heading, a text or a note, or that of a number format."""
        if name not in self._formats:
            self._formats[name] = self.workbook.add_format(_format_properties(name))
        return self._formats[name]

    def truncate_text(self, text: str) -> str:
        """Return `text` on one line, cut to what a cell can hold."""
        line = printable_text(text.replace("\n", " "))
        truncated = _truncate_utf16(line, MAX_CELL_LENGTH)
        if truncated != line:
            self._truncated_texts += 1
        return truncated

    def count_omitted_link(self) -> None:
        self._omitted_links += 1

    def describe_omissions(self) -> str:
        """Return which contents exceeded the limits of Excel; empty if none did."""
        omissions = []
        if self._truncated_texts:
            omissions.append(
                f"{self._truncated_texts} texts were cut to {MAX_CELL_LENGTH:,} characters."
            )
        if self._omitted_links:
            omissions.append(
                f"{self._omitted_links} numbers have no link: "
                f"a sheet can have {MAX_SHEET_LINKS:,} links."
            )
        return " ".join(omissions)


@dataclass
class _SheetWriter:
    """Writes the cells of one sheet."""

    book_writer: _WorkbookWriter
    sheet: "Worksheet"
    link_targets: Mapping[str, str]
    _link_count: int = 0

    def write_cell(self, row: int, column: int, content: _CellContent) -> None:
        """Write one cell; nothing is written for None and for a figure without value."""
        if isinstance(content, str):
            self.write_text(row, column, content, "text")
        elif isinstance(content, _FigureNumber):
            self._write_figure(row, column, content)
        elif isinstance(content, date):
            date_format = self.book_writer.get_format(_DATE_FORMAT)
            self.sheet.write_datetime(row, column, content, date_format)
        elif isinstance(content, int):
            self.sheet.write_number(row, column, content, self.book_writer.get_format("General"))

    def write_text(self, row: int, column: int, text: str, format_name: str) -> None:
        """Write a string as a string, whatever it begins with."""
        line = self.book_writer.truncate_text(text)
        self.sheet.write_string(row, column, line, self.book_writer.get_format(format_name))

    def _write_figure(self, row: int, column: int, number: _FigureNumber) -> None:
        if number.value is None:
            return
        factor, number_format = NUMBER_FORMATS[number.figure.unit]
        cell_format = self.book_writer.get_format(number_format)
        self._write_evidence_link(row, column, number.figure.id, cell_format)
        value = round(number.value * factor, _DECIMALS)
        self.sheet.write_number(row, column, value, cell_format)

    def _write_evidence_link(
        self, row: int, column: int, figure_id: str, cell_format: "Format"
    ) -> None:
        """Link a cell to the evidence; its text is replaced by the number written afterwards."""
        target = self.link_targets.get(figure_id)
        if target is None:
            return
        if self._link_count == MAX_SHEET_LINKS:
            self.book_writer.count_omitted_link()
            return
        self._link_count += 1
        self.sheet.write_url(row, column, target, cell_format, string=figure_id)


def _format_properties(name: str) -> dict[str, Any]:
    """Return the properties of a cell format: of a text, or of numbers with this number format.

    `quote_prefix` marks a text like the apostrophe that a person types: it stays a text when the
    cell is edited.
    """
    if name == "heading":
        return {"bold": True, "text_wrap": True, "valign": "top", "quote_prefix": True}
    if name == "text":
        return {"text_wrap": True, "valign": "top", "quote_prefix": True}
    if name == "note":
        return {"quote_prefix": True}
    return {"num_format": name, "valign": "top"}


def _table_columns(
    table: ReportTable, message: Messages
) -> Iterator[tuple[str, list[_CellContent]]]:
    """Yield title and cells of each column; figures with intervals have two more for the bounds."""
    for index, title in enumerate(table.columns):
        cells = [row[index] for row in table.rows]
        yield title, [_value_content(cell, message) for cell in cells]
        if any(isinstance(cell, Figure) and cell.low is not None for cell in cells):
            low_contents: list[_CellContent] = [_bound_content(cell, "low") for cell in cells]
            yield message("table.low", name=title), low_contents
            high_contents: list[_CellContent] = [_bound_content(cell, "high") for cell in cells]
            yield message("table.high", name=title), high_contents


def _value_content(cell: TableCell, message: Messages) -> _CellContent:
    """Return the value of a figure, or the reason if only an audit could give it."""
    if not isinstance(cell, Figure):
        return cell
    if UNMEASURABLE_FLAG in cell.flags:
        return message.number(cell)
    return _FigureNumber(cell, cell.value)


def _bound_content(cell: TableCell, bound: str) -> _FigureNumber | None:
    if not isinstance(cell, Figure):
        return None
    return _FigureNumber(cell, cell.low if bound == "low" else cell.high)


def _column_width(cells: Sequence[_CellContent]) -> int:
    """Return the width of a column in characters, within limits; a Chinese character is two."""
    widths = [cell_len(cell) for cell in cells if isinstance(cell, str)]
    return min(max([_MIN_COLUMN_WIDTH, *widths]) + 2, _MAX_COLUMN_WIDTH)


def _truncate_utf16(text: str, max_length: int) -> str:
    """Cut `text` to `max_length` UTF-16 code units, the last of which is then an ellipsis."""
    if 2 * len(text) <= max_length:  # a character has at most two units
        return text
    encoded = text.encode("utf-16-le", "surrogatepass")
    if len(encoded) <= 2 * max_length:
        return text
    return encoded[: 2 * (max_length - 1)].decode("utf-16-le", "ignore") + "…"
