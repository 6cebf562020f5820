"""A row of a file, and a row that is no post."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

RejectReason = Literal[
    "no text",
    "no date",
    "unreadable date",
    "date in the future",
    "date too early",
    "unreadable value",
    "unreadable row",
    "wrong number of cells",
    "repeated header",
    "duplicate row",
    "wrong encoding",
    "bad source",
    "unknown kind",
    "id repeated with another text",
    "too long",
    "too many sources",
]
REJECT_REASONS: tuple[str, ...] = get_args(RejectReason)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row of a file: its cells by column name."""

    # As an editor shows it: the line of a text file or of a sheet; in Parquet counted from 1.
    number: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not imported."""

    row: int
    reason: RejectReason
    detail: str
    # Cells of columns that fields are read from, authors as keyed hashes; empty where it is unknown
    # which cell is the author.
    values: dict[str, Any]
    # Names of its other columns.
    unused: tuple[str, ...] = ()
