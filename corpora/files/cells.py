"""Conversion of cells to values of a Post.

Each reader takes any cell that is not missing, and raises ValueError with what is wrong.
"""

import math
from typing import Any

from folate.core.post import repair_surrogates

_MISSING_WORDS = frozenset({"", "nan", "null", "none", "nat", "n/a", "na", "\\n", "-", "--"})
# Characters of a cell that are stored of a rejected row.
_MAX_STORED_CHARACTERS = 10_000
_BOOLEAN_WORDS = {
    "true": True,
    "1": True,
    "yes": True,
    "y": True,
    "是": True,
    "false": False,
    "0": False,
    "no": False,
    "n": False,
    "否": False,
}


def is_missing(cell: object) -> bool:
    """Return whether a cell means no value, such as "null" (but a text may be that: `is_blank`)."""
    if isinstance(cell, str):
        return cell.strip().lower() in _MISSING_WORDS
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def is_blank(cell: object) -> bool:
    """Return whether a cell is empty or white space."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def cell_to_text(cell: object) -> str:
    """Return a cell as text; a whole number without a point (spreadsheets store 17 as 17.0)."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, dict | list | tuple | bytes):
        # without its contents: they may be a person's name
        raise ValueError(f"wanted one value, got a {type(cell).__name__}")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def cell_to_bool(cell: object) -> bool:
    """Return a cell as a boolean; also 1 and 0, yes and no, 是 and 否."""
    try:
        return _BOOLEAN_WORDS[cell_to_text(cell).strip().lower()]
    except KeyError as error:
        raise ValueError(f"wanted true or false, got {str(cell)[:60]!r}") from error


def storable_value(value: Any) -> Any:
    """Return a JSON value whose strings are valid in UTF-8; long strings are truncated."""
    if isinstance(value, dict):
        return {storable_value(key): storable_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable_value(item) for item in value]
    if not isinstance(value, str):
        return value
    if len(value) > _MAX_STORED_CHARACTERS:
        return repair_surrogates(f"{value[:_MAX_STORED_CHARACTERS]}… ({len(value):,} characters)")
    return repair_surrogates(value)
