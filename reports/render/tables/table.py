"""A table of a report, independent of the format in which it is rendered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from folate.core.measures import brand_table_columns
from reports.build import Report
from reports.figures import Change, Figure
from reports.messages import MessageParts, Messages
from reports.sections.quotes import Quote

TableCell = str | int | date | Figure | None
TableRow = tuple[TableCell, ...]
SHARE_OF_VOICE_COLUMNS = brand_table_columns("voice")
QUOTE_COLUMNS = ("quote", "source", "date", "address")
"""The columns of `quote_cells`."""


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """One table with its title.

    Measured numbers are Figures. Any string may come from the web and must be escaped. Raises
    ValueError if a row has another number of cells than there are columns.
    """

    # The same in every language.
    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    # A sentence about the content of the table.
    lead: str = ""
    # The text in place of the rows, if there are none.
    empty_text: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(
                f"wanted {len(self.columns)} cells in every row of the table {self.id!r}, "
                "got other numbers."
            )


TableBuilder = Callable[[Report, Messages], Iterator[ReportTable]]
"""Creates the tables of one section of a report."""


def column_titles(message: Messages, *columns: str) -> tuple[str, ...]:
    """Return the titles of columns: messages of the section [table]."""
    return tuple(message(f"table.{column}") for column in columns)


def parts_to_text(parts: MessageParts) -> str:
    """Join the parts of a message to one string."""
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def brand_labels(report: Report) -> dict[str, str]:
    """Return the label of each brand by its id."""
    return {brand.id: brand.label for brand in report.brands}


def change_cells(change: Change | None, message: Messages) -> tuple[str, Figure | None]:
    """Return direction and size of a change."""
    if change is None:
        return message("change.missing"), None
    return message(f"direction.{change.direction}"), change.figure


def quote_cells(quote: Quote, timezone: str) -> TableRow:
    """Return the cells of a quote: text, source, date, and address of the post."""
    published_on = quote.published_at.astimezone(ZoneInfo(timezone)).date()
    return (quote.text, quote.source, published_on, quote.url)
