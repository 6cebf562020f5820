"""Reliability of the ids in a file.

Spreadsheet programs round long numbers and leave errors in cells: such ids identify no post.
"""

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpora.files.cells import is_missing
from corpora.files.rows import Reject, SourceRow

_INVISIBLE = (
    "\ufeff\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069"
)
_PLACEHOLDER_ID = re.compile(
    r"[+-]?\d(?:[.,]\d+)?E\+\d{1,3}|[+-]?\d[.,]\d+E\d{1,3}"  # 4.75E+15
    r"|\#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!"
    r"|UNKNOWN!|GETTING_DATA|\#+)|Err:\d{3}"
    r"|0+(?:\.0+)?|-1|\?+|—+"
    r"|\(?(?:null|none|nil|blank|empty|undefined|unknown|nan|n\.a\.)\)?|无|暂无|空|未知",
    re.IGNORECASE,
)
# A spreadsheet keeps 15 digits of a number.
_ROUNDED_ID = re.compile(r"\d{12,}0000")
_MIN_LONG_ID_DIGITS = 16
# Share of the long ids that may look rounded; 1 of 10,000 does by chance.
_MAX_ROUNDED_SHARE = 0.5


def strip_invisible(text: str) -> str:
    """Strip spaces and zero-width characters, which copying leaves around names and ids."""
    text = text.strip()
    return text if text.isascii() else text.strip(_INVISIBLE).strip()


def is_placeholder_id(text: str) -> bool:
    """Return whether an id is a placeholder for none, such as #N/A, 0 or 4.75E+15."""
    return _PLACEHOLDER_ID.fullmatch(text) is not None


@dataclass(frozen=True)
class IdSurvey:
    """What one pass over a whole file shows of its ids.

    Keys are those of `row_id_key`.
    """

    # Ids whose rows differ in text and in author or date: they identify no single post.
    ambiguous_keys: frozenset[int] = frozenset()
    # Ids whose rows differ in text only: they are states of one post.
    edited_keys: frozenset[int] = frozenset()
    # Whether long ids were rounded by a spreadsheet program.
    has_rounded_ids: bool = False

    def is_invalid_id(self, text: str) -> bool:
        """Return whether an id identifies no post: a placeholder or a rounded number."""
        return is_placeholder_id(text) or (
            self.has_rounded_ids and _ROUNDED_ID.fullmatch(text) is not None
        )


def row_id_key(values: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]]) -> int | None:
    """Return a number for the id and the source of a row, or None for a row without an id.

    It is the same throughout a process.
    """
    cell = _first_value(values, columns.get("id", ()))
    return None if cell is None else _hash_id(strip_invisible(str(cell)), values, columns)


def _hash_id(text: str, values: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]]) -> int:
    source = _first_value(values, columns["source"]) if "source" in columns else None
    return hash((text, str(source)))


def survey_ids(
    rows: Iterable[SourceRow | Reject], columns: Mapping[str, tuple[str, ...]]
) -> IdSurvey:
    """Read the ids of a file; needs 24 bytes of memory per row.

    `columns` are the columns of each field, of which the first that is not empty counts.
    """
    keys = array("q")
    content_hashes = array("q")
    context_hashes = array("q")
    content_columns = (*columns.get("title", ()), *columns.get("text", ()))
    context_columns = (*columns.get("author", ()), *columns.get("published_at", ()))
    long_count = 0
    rounded_count = 0
    for row in rows:
        cell = _first_value(row.values, columns["id"]) if isinstance(row, SourceRow) else None
        if cell is None:
            continue
        text = strip_invisible(str(cell))
        if len(text) >= _MIN_LONG_ID_DIGITS:
            long_count += text.isdecimal()
            rounded_count += _ROUNDED_ID.fullmatch(text) is not None
        keys.append(_hash_id(text, row.values, columns))
        content_hashes.append(_hash_cells(row.values, content_columns))
        context_hashes.append(_hash_cells(row.values, context_columns))
    varying_content = _find_varying_keys(keys, content_hashes)
    varying_context = _find_varying_keys(keys, context_hashes)
    return IdSurvey(
        ambiguous_keys=varying_content & varying_context,
        edited_keys=varying_content - varying_context,
        has_rounded_ids=rounded_count > _MAX_ROUNDED_SHARE * long_count,
    )


def _find_varying_keys(keys: "array[int]", values: "array[int]") -> frozenset[int]:
    """Return the keys that occur with more than one value."""
    pairs = np.unique(
        np.column_stack([np.asarray(keys, np.int64), np.asarray(values, np.int64)]), axis=0
    )
    unique_keys, counts = np.unique(pairs[:, 0], return_counts=True)
    return frozenset(unique_keys[counts > 1].tolist())


def _hash_cells(values: Mapping[str, Any], columns: Iterable[str]) -> int:
    return hash(tuple([str(values.get(column)).strip() for column in columns]))


def _first_value(values: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    for column in columns:
        if not is_missing(cell := values.get(column)):
            return cell
    return None
