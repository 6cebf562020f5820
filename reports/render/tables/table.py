"""One table of a report, for whatever form prints it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from reports.build import Report
from reports.measures.figures import Figure
from reports.messages import Catalogue, Parts
from reports.sections.posts_and_sources import Quote

Cell = str | int | date | Figure | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table under one title. Numbers of the data are Figures; every string may be hostile. Raises ValueError for uneven rows."""

    id: str  # the same in every language
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    lead: str = ""  # what it shows
    empty: str = ""  # said in place of the rows, when there are none

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(
                f"wanted {len(self.columns)} cells in every row of the table {self.id!r}, got other numbers."
            )


Section = Callable[[Report, Catalogue], Iterator[Table]]
"""Makes the tables of one section of a report."""


def names(say: Catalogue, *columns: str) -> tuple[str, ...]:
    """Titles of columns, of [table] in the messages."""
    return tuple(say(f"table.{column}") for column in columns)


def plain(parts: Parts) -> str:
    """The parts of a message as one string."""
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def labels(report: Report) -> dict[str, str]:
    """Brand -> how it is printed."""
    return {brand.id: brand.label for brand in report.brands}


def quoted(quote: Quote, zone: str) -> tuple[Cell, ...]:
    """The cells of a quote: text, source, day, address."""
    return quote.text, quote.source, quote.published_at.astimezone(ZoneInfo(zone)).date(), quote.url


QUOTED = ("quote", "source", "date", "address")
"""Their columns."""
