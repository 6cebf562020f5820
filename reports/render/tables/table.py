"""One table of a report, for whatever form prints it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from reports.build import Report
from reports.figures import Figure
from reports.messages import MessageParts, Messages
from reports.sections.quotes import Quote

TableCell = str | int | date | Figure | None


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """One table under one title. Numbers of the data are Figures; every string may be hostile. Raises ValueError for uneven rows."""

    id: str  # the same in every language
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    lead: str = ""  # what it shows
    empty_text: str = ""  # said in place of the rows, when there are none

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(
                f"wanted {len(self.columns)} cells in every row of the table {self.id!r}, got other numbers."
            )


TableBuilder = Callable[[Report, Messages], Iterator[ReportTable]]
"""Makes the tables of one section of a report."""


def column_titles(message: Messages, *columns: str) -> tuple[str, ...]:
    """Titles of columns, of [table] in the messages."""
    return tuple(message(f"table.{column}") for column in columns)


def parts_to_text(parts: MessageParts) -> str:
    """The parts of a message as one string."""
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def brand_labels(report: Report) -> dict[str, str]:
    """Brand -> how it is printed."""
    return {brand.id: brand.label for brand in report.brands}


def quote_cells(quote: Quote, timezone: str) -> tuple[TableCell, ...]:
    """The cells of a quote: text, source, day, address."""
    return (
        quote.text,
        quote.source,
        quote.published_at.astimezone(ZoneInfo(timezone)).date(),
        quote.url,
    )


QUOTE_COLUMNS = ("quote", "source", "date", "address")
"""Their columns."""
