"""Counts as sites print them."""

import re
from decimal import Decimal
from typing import Any

_COUNT = re.compile(r"(\d+(?:[,，]\d{3})*(?:\.\d+)?)\s*([kKmM万萬亿億wW]?)\s*\+?")
_MOST = 10**12  # more is not a count, and no table holds it
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "w": 10**4, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}


def count(value: Any) -> int | None:
    """`1.2万` is 12000, `10万+` 100000, `1,204` 1204, `3k` 3000; None for a label (赞), nothing, or a negative number.

    >>> count("1.2万"), count(7), count("转发")
    (12000, 7, None)
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value if 0 <= value <= _MOST else None
    match = _COUNT.fullmatch(str(value).strip())
    if not match:
        return None
    number = Decimal(re.sub("[,，]", "", match[1])) * _UNITS[match[2].lower()]
    return int(number) if number <= _MOST else None
