"""What the ids of a file are worth. Spreadsheet programs round long numbers and leave errors in cells: those name no post."""

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpora.files.cells import is_missing
from corpora.files.rows import Reject, SourceRow

_UNSEEN = "\ufeff\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
_NO_ID = re.compile(
    r"[+-]?\d(?:[.,]\d+)?E\+\d{1,3}|[+-]?\d[.,]\d+E\d{1,3}"  # 4.75E+15
    r"|\#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!|GETTING_DATA|\#+)|Err:\d{3}"
    r"|0+(?:\.0+)?|-1|\?+|—+|\(?(?:null|none|nil|blank|empty|undefined|unknown|nan|n\.a\.)\)?|无|暂无|空|未知",
    re.IGNORECASE,
)
_ROUNDED = re.compile(r"\d{12,}0000")  # a spreadsheet keeps 15 digits of a number
_MOST_ROUNDED = 0.5  # of the ids of 16 and more digits; 1 of 10,000 ends so by chance
_LONG = 16  # digits


def strip_invisible(text: str) -> str:
    """The text without spaces and characters of no width at its ends, which copying leaves around names and ids."""
    text = text.strip()
    return text if text.isascii() else text.strip(_UNSEEN).strip()


def is_placeholder_id(text: str) -> bool:
    """Whether a cell for an id holds what programs and people write where there is none."""
    return _NO_ID.fullmatch(text) is not None


@dataclass(frozen=True)
class IdSurvey:
    """What one reading of a whole file shows of its ids.

    `shared` and `edited` hold keys (see `key`) of ids whose rows differ in text: `shared` where they also differ in author or
    date, so that the id is that of no single post; `edited` where they do not, so that they are states of one post.
    """

    ambiguous_keys: frozenset[int] = frozenset()
    edited_keys: frozenset[int] = frozenset()
    has_rounded_ids: bool = False

    def is_invalid_id(self, text: str) -> bool:
        """Whether this cell names no post: by its look, or as one of rounded numbers."""
        return is_placeholder_id(text) or (
            self.has_rounded_ids and _ROUNDED.fullmatch(text) is not None
        )


def row_id_key(values: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]]) -> int | None:
    """A number for the id and the source that a row names, the same throughout a process; None without an id."""
    cell = _first(values, columns.get("id", ()))
    return None if cell is None else _key(strip_invisible(str(cell)), values, columns)


def _key(text: str, values: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]]) -> int:
    source = _first(values, columns["source"]) if "source" in columns else None
    return hash((text, str(source)))


def survey_ids(
    rows: Iterable[SourceRow | Reject], columns: Mapping[str, tuple[str, ...]]
) -> IdSurvey:
    """Read the ids of a file. Needs 24 bytes a row."""
    keys, texts, circumstances = array("q"), array("q"), array("q")
    said = (*columns.get("title", ()), *columns.get("text", ()))
    about = (*columns.get("author", ()), *columns.get("published_at", ()))
    long = rounded = 0
    for row in rows:
        cell = _first(row.values, columns["id"]) if isinstance(row, SourceRow) else None
        if cell is None:
            continue
        text = strip_invisible(str(cell))
        if len(text) >= _LONG:
            long += text.isdecimal()
            rounded += _ROUNDED.fullmatch(text) is not None
        keys.append(_key(text, row.values, columns))
        texts.append(_hash(row.values, said))
        circumstances.append(_hash(row.values, about))
    various, differing = _varying(keys, texts), _varying(keys, circumstances)
    return IdSurvey(various & differing, various - differing, rounded > _MOST_ROUNDED * long)


def _varying(keys: "array[int]", values: "array[int]") -> frozenset[int]:
    """The keys that stand with more than one value."""
    pairs = np.unique(
        np.column_stack([np.asarray(keys, np.int64), np.asarray(values, np.int64)]), axis=0
    )
    names, counts = np.unique(pairs[:, 0], return_counts=True)
    return frozenset(names[counts > 1].tolist())


def _hash(values: Mapping[str, Any], columns: Iterable[str]) -> int:
    return hash(tuple([str(values.get(column)).strip() for column in columns]))


def _first(values: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    for column in columns:
        if not is_missing(cell := values.get(column)):
            return cell
    return None
