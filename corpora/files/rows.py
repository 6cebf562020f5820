"""A row of a file, and a row that could not become a post."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

RejectReason = Literal[
    "no text", "no date", "unreadable date", "date in the future", "date too early", "unreadable value", "unreadable row",
    "wrong number of cells", "repeated header", "duplicate row", "wrong encoding", "bad source", "unknown kind",
    "id repeated with another text", "too long", "too many sources",
]  # fmt: skip
REJECT_REASONS: tuple[str, ...] = get_args(RejectReason)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Its number as an editor shows it (the line of a text file or of a sheet; in Parquet counted from 1), and its cells."""

    number: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken: why, in fixed words and in detail, and what it held in columns that fields take, authors as keyed
    hashes; nothing where it is not known which of its cells is the author. `unused` names its other columns."""

    row: int
    reason: RejectReason
    detail: str
    values: dict[str, Any]
    unused: tuple[str, ...] = ()
