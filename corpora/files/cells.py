"""Cells as values of a Post. Each reader takes any cell that is not missing and raises ValueError, saying what is wrong."""

import math
from typing import Any

from folate.core.post import repair_surrogates

_MISSING = frozenset({"", "nan", "null", "none", "nat", "n/a", "na", "\\n", "-", "--"})
_LONGEST = 10_000  # characters of a cell that are kept of a row that was rejected
_TRUTH = {
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
    """True for what files write where there is nothing. (A text may well be "null": see `is_blank`.)"""
    if isinstance(cell, str):
        return cell.strip().lower() in _MISSING
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def is_blank(cell: object) -> bool:
    return (
        cell is None
        or (isinstance(cell, float) and math.isnan(cell))
        or (isinstance(cell, str) and not cell.strip())
    )


def cell_to_text(cell: object) -> str:
    """A string as it stands; a number as people write it (a spreadsheet holds the id 17 as 17.0)."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, dict | list | tuple | bytes):
        raise ValueError(
            f"wanted one value, got a {type(cell).__name__}"
        )  # not what is in it: it may be a name
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def cell_to_bool(cell: object) -> bool:
    """True or false, also as 1 and 0, yes and no, 是 and 否."""
    try:
        return _TRUTH[cell_to_text(cell).strip().lower()]
    except KeyError as error:
        raise ValueError(f"wanted true or false, got {str(cell)[:60]!r}") from error


def storable_value(value: Any) -> Any:
    """A value of JSON whose strings UTF-8 can hold; of a long string its start."""
    if isinstance(value, dict):
        return {storable_value(key): storable_value(held) for key, held in value.items()}
    if isinstance(value, list):
        return [storable_value(held) for held in value]
    if not isinstance(value, str):
        return value
    if len(value) > _LONGEST:
        return repair_surrogates(f"{value[:_LONGEST]}… ({len(value):,} characters)")
    return repair_surrogates(value)
