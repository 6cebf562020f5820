"""Answers: tables with the query, the version and the definitions that they come from."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.metadata import version as package_version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from folate.core.files import write_atomically

if TYPE_CHECKING:
    import pandas as pd

_LIBRARIES = ("folate", "numpy", "pyarrow", "duckdb", "deltalake")
MAX_NOTEBOOK_ROWS = 20
"""Rows that a notebook shows."""
# Numbers that are shown without decimals, and not as powers of ten.
_LEAST_WHOLE, _MOST_WHOLE = 1_000, 10**12


@dataclass(frozen=True)
class Answer:
    """One table: rows of plain values, and where they come from.

    Rows all have the same keys in the same order. `query` of a row is a query whose posts are those
    that the row counts.
    """

    # name of the question, such as "count"
    name: str
    # as typed; of a question with two queries both
    query: str
    canonical: str
    # of the corpus (`Corpus.version`)
    version: str
    rows: Sequence[Mapping[str, Any]]
    # column -> what it is, with its unit and formula
    definitions: Mapping[str, str]
    # sentences for the user
    notes: tuple[str, ...] = ()
    # returns an SVG picture of the answer; None where a table says more
    draw: Callable[["Answer"], str] | None = field(default=None, repr=False)
    # columns with the same value in all rows, which a table on a screen shows once, below
    shared: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as a data frame."""
        import pandas as pd

        records = [dict(row) for row in self.rows]
        frame = pd.DataFrame.from_records(records, columns=self.columns)
        for name in self.columns:
            values = [record[name] for record in records if record[name] is not None]
            # a missing count must not turn the others into floating-point numbers
            if len(values) < len(records) and values and all(type(v) is int for v in values):
                frame[name] = frame[name].astype("Int64")
        return frame

    @property
    def columns(self) -> list[str]:
        """The names of the columns, also where there is no row."""
        return list(self.rows[0]) if self.rows else list(self.definitions)

    def provenance(self) -> dict[str, Any]:
        """Return what is needed to get the same answer again."""
        libraries = {name: package_version(name) for name in _LIBRARIES}
        return {
            "question": self.name,
            "query": self.query,
            "canonical": self.canonical,
            "version": self.version,
            "definitions": dict(self.definitions),
            "libraries": {"python": platform.python_version(), **libraries},
        }

    def plot(self) -> "Picture":
        """Return a picture of the answer as SVG. Raises InputError where there is none."""
        from folate.core.errors import InputError

        if self.draw is None:
            raise InputError(f"{self.name} has no picture: its table says more.")
        return Picture(self.draw(self))

    def __str__(self) -> str:
        return f"{self.name} of {self.canonical}: {len(self.rows):,} rows, version {self.version}"

    def _repr_html_(self) -> str:
        hidden = {"version", *self.shared}
        names = [name for name in self.columns if name not in hidden]
        shown = list(islice(self.rows, MAX_NOTEBOOK_ROWS))
        head = "".join(_html_cell("th", name, name, escape(name)) for name in names)
        body = "".join(_html_row(row, names) for row in shown)
        is_cut = len(shown) < len(self.rows)
        below = [f"{len(shown):,} of {len(self.rows):,} rows"] if is_cut else []
        below += self.notes
        if self.rows:
            below += [f"{name} {_cell(self.rows[0][name])}" for name in self.shared]
        below.append(f"version {self.version}")
        caption = f"{self.name}: {self.canonical}"
        return (
            f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table><p>{escape(' · '.join(below))}</p>"
        )


class Picture(str):
    """A picture as the text of an SVG file; a notebook shows it."""

    def _repr_svg_(self) -> str:
        return str(self)

    def save(self, path: "str | Path") -> None:
        """Write the picture to a file, whole or not at all. Raises OSError."""
        write_atomically(Path(path), str(self))


def _html_row(row: Mapping[str, Any], names: Sequence[str]) -> str:
    cells = "".join(_html_cell("td", name, row[name], escape(_cell(row[name]))) for name in names)
    return f"<tr>{cells}</tr>"


def _html_cell(element: str, name: str, value: Any, text: str) -> str:
    """Return a cell; numbers, and what is left of a hit, end at its right edge."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    side = "right" if is_number or name == "left" else "left"
    shown = f"<b>{text}</b>" if name == "hit" and element == "td" else text
    return f'<{element} align="{side}" style="text-align:{side}">{shown}</{element}>'


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if _LEAST_WHOLE <= abs(value) < _MOST_WHOLE else f"{value:.4g}"
