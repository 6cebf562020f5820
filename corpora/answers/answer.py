"""Answers: tables with the query, the version and the definitions that they come from."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.metadata import version as package_version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_LIBRARIES = ("folate", "numpy", "pyarrow", "duckdb", "deltalake")
MAX_NOTEBOOK_ROWS = 20
"""Rows that a notebook shows."""


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

    def plot(self) -> str:
        """Return a picture of the answer as SVG. Raises InputError where there is none."""
        from folate.core.errors import InputError

        if self.draw is None:
            raise InputError(f"{self.name} has no picture: its table says more.")
        return self.draw(self)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = ""
        for row in self.rows[:MAX_NOTEBOOK_ROWS]:
            cells = "".join(f"<td>{escape(_cell(value))}</td>" for value in row.values())
            body += f"<tr>{cells}</tr>"
        caption = f"{len(self.rows):,} rows · {self.canonical} · version {self.version}"
        return (
            f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
