"""A report as a workbook, one sheet a table."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING
from unicodedata import east_asian_width
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from folate.core.text import printable_text
from reports.build import Report
from reports.figures import UNMEASURABLE_FLAG, Figure
from reports.messages import Messages, load_messages
from reports.render.tables import ReportTable, TableCell, report_tables

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.worksheet.worksheet import Worksheet

NUMBER_FORMATS: dict[str, tuple[float, str]] = {  # what a value is multiplied by to read as on the page, and its number format
    "count": (1, "#,##0"), "share": (1, "0.0%"), "relative": (1, "+0%;-0%;0%"), "times": (1, "0.0"), "rate": (1, "0.0"),
    "score": (1, "0.0"), "position": (1, "0.00"), "net": (100, "+0.0;-0.0;0.0"), "rating": (100, "0.0"), "points": (100, "+0.0;-0.0;0.0"),
    "net points": (100, "+0.0;-0.0;0.0"), "rating points": (100, "+0.0;-0.0;0.0"),
}  # fmt: skip
_NARROWEST, _WIDEST = 9, 60  # characters
_LONGEST = 32_767  # characters that a cell can hold
_DECIMALS = 6  # beyond it stands what a float adds to a product
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP file knows


def render_workbook(report: Report) -> bytes:
    """The workbook. Text is stored as text, whatever it begins with; numbers lead to their evidence. The same report, the same bytes."""
    from openpyxl import Workbook

    say, book, all_tables = load_messages(report.language), Workbook(), report_tables(report)
    book.remove(book.worksheets[0])
    book.properties.title = printable_text(
        say("page.title", project=report.project, week=str(report.week))
    )
    book.properties.creator = "Folate"
    titles = _sheet_titles([table.title for table in all_tables])
    evidence = {
        figure.id: f"'{titles[-1]}'!A{row}" for row, figure in enumerate(report.figures, start=2)
    }
    for title, table in zip(titles, all_tables, strict=True):
        _fill(book.create_sheet(title), table, {} if table.id == "evidence" else evidence, say)
    return _settled(book, report.week.bounds(report.timezone)[1])


def _sheet_titles(titles: Sequence[str]) -> list[str]:
    """At most 31 characters, none that a sheet can't have, each once whatever its case."""
    found: list[str] = []
    for title in titles:
        name = re.sub(r"[\[\]:*?/\\']", " ", printable_text(title))[:28].strip() or "-"
        used = sum(other.casefold().startswith(name.casefold()) for other in found)
        found.append(f"{name} {used + 1}" if used else name)
    return found


@dataclass(frozen=True, slots=True)
class _Number:
    """The value of a figure, or one of its bounds."""

    figure: Figure
    value: float | None


def _shown(figure: Figure, say: Messages) -> _Number | str:
    """The value of a figure; the words why there is none where only an audit could give it."""
    return (
        say.number(figure) if UNMEASURABLE_FLAG in figure.flags else _Number(figure, figure.value)
    )


def _fill(sheet: "Worksheet", table: ReportTable, evidence: dict[str, str], say: Messages) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.hyperlink import Hyperlink

    for place, (name, cells) in enumerate(_columns(table, say), start=1):
        head = _put(sheet, 1, place, name)
        head.font, head.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        for line, value in enumerate(cells, start=2):
            cell = _put(sheet, line, place, value)
            cell.alignment = Alignment(wrap_text=isinstance(value, str), vertical="top")
            if (
                isinstance(value, _Number)
                and value.value is not None
                and value.figure.id in evidence
            ):  # a link would fill an empty cell
                cell.hyperlink = Hyperlink(ref=cell.coordinate, location=evidence[value.figure.id])
        sheet.column_dimensions[get_column_letter(place)].width = _width([name, *cells])
    if not table.rows:
        _put(sheet, 2, 1, table.empty_text)
    sheet.freeze_panes = "A2"


def _columns(table: ReportTable, say: Messages) -> Iterator[tuple[str, list[_Number | TableCell]]]:
    """Header and cells of each column; one of figures with intervals is followed by their bounds."""
    for place, name in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        yield name, [_shown(cell, say) if isinstance(cell, Figure) else cell for cell in cells]
        if any(isinstance(cell, Figure) and cell.low is not None for cell in cells):
            yield (
                say("table.low", name=name),
                [_Number(cell, cell.low) if isinstance(cell, Figure) else None for cell in cells],
            )
            yield (
                say("table.high", name=name),
                [_Number(cell, cell.high) if isinstance(cell, Figure) else None for cell in cells],
            )


def _put(sheet: "Worksheet", row: int, column: int, value: _Number | TableCell) -> "SheetCell":
    """Write one cell. A string stays one: it is marked as text (an apostrophe, as a person would type it), never as a formula."""
    cell: SheetCell = sheet.cell(row, column)  # type: ignore[assignment]  # no cell is merged
    if isinstance(value, _Number):
        factor, cell.number_format = NUMBER_FORMATS[value.figure.unit]
        cell.value = None if value.value is None else round(value.value * factor, _DECIMALS)
    elif isinstance(value, str):
        cell.value = printable_text(value.replace("\n", " "))[:_LONGEST]
        cell.data_type, cell.quotePrefix = "s", True
    elif not isinstance(value, Figure):
        cell.value = value
    return cell


def _width(cells: Sequence[_Number | TableCell]) -> int:
    """Of the widest cell, in characters; a Chinese one takes the room of two."""
    widths = [
        sum(2 if east_asian_width(char) in "WF" else 1 for char in cell)
        for cell in cells
        if isinstance(cell, str)
    ]
    return min(max([_NARROWEST, *widths]) + 2, _WIDEST)


def _settled(book: "Workbook", moment: datetime) -> bytes:
    """The file's bytes, without the time when they were made."""
    made, settled = BytesIO(), BytesIO()
    book.properties.created = moment.astimezone(UTC).replace(tzinfo=None)
    book.save(made)
    stamp = f"{book.properties.created:%Y-%m-%dT%H:%M:%SZ}</dcterms:modified>".encode()
    with ZipFile(made) as source, ZipFile(settled, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"(?<=>)[^<>]*</dcterms:modified>", stamp, data)
            target.writestr(ZipInfo(name, _EPOCH), data, ZIP_DEFLATED)
    return settled.getvalue()
