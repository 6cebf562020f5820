"""Order of day, month and year in dates of numbers only, such as 3/8/2026."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from folate.core.dates.moments import MAX_DATE_LENGTH, AmbiguousDateOrderError, ImpossibleDateError
from folate.core.numerals import normalize_numerals

DateOrder = Literal["mdy", "dmy", "ymd"]
"""Which of month, day and year comes first, second and third in 3/8/2026."""

END_OF_DATE_PATTERN = r"(?!\d|[-/.]\d)"
"""Lookahead: 2020/5/171 and 1.2.3.4 contain no date."""

NUMBERS_ONLY_PATTERN = (
    r"(?P<abc>(?<![a-z\d])(?<!\d[./-])(?P<abc_a>\d{1,2})(?P<abc_sep>[-/.]) ?(?P<abc_b>\d{1,2})"
    rf"(?P=abc_sep) ?(?P<abc_c>\d{{4}}|\d{{1,2}})(?!:){END_OF_DATE_PATTERN})"
)
_NUMBERS_ONLY_REGEX = re.compile(NUMBERS_ONLY_PATTERN, re.IGNORECASE | re.ASCII)

# Years: a year of two digits that comes first is at most this old.
_MAX_LEADING_YEAR_AGE = 10
# The first year of two digits that POSIX counts as 19xx.
_FIRST_YEAR_OF_1900S = 70


@dataclass
class DateOrderEvidence:
    """Counts of the dates of one file or page by the order of day and month they allow."""

    # Dates that are valid in one order only, by that order.
    unambiguous_counts: Counter[DateOrder] = field(default_factory=Counter)
    # Dates that are different days in different orders.
    ambiguous_count: int = 0

    def add_value(self, value: object, now: datetime) -> None:
        """Count every date of numbers only in `value`, a cell of the date column."""
        if not isinstance(value, str):
            return
        for match in _NUMBERS_ONLY_REGEX.finditer(normalize_numerals(value[:MAX_DATE_LENGTH])):
            days = _days_by_order(match, now)
            if len(days) == 1:
                self.unambiguous_counts.update(days.keys())
            elif len(set(days.values())) > 1:
                self.ambiguous_count += 1

    @property
    def order(self) -> DateOrder | None:
        """The one order that all dates allow; None without evidence or when it conflicts."""
        return next(iter(self.unambiguous_counts)) if len(self.unambiguous_counts) == 1 else None

    def __str__(self) -> str:
        counts = ", ".join(
            f"{order} by {count:,} dates" for order, count in self.unambiguous_counts.most_common()
        )
        if self.order:
            return f"{counts}, {self.ambiguous_count:,} ambiguous"
        if counts:
            return f"conflicting: {counts}; {self.ambiguous_count:,} ambiguous not read"
        return f"no date shows the order; {self.ambiguous_count:,} ambiguous not read"


def is_ambiguous_date(value: object, now: datetime) -> bool:
    """Return whether a value is a date like 3/8/2026, which needs the order of other dates."""
    if not isinstance(value, str) or value[:4].isdecimal():  # most dates start with the year
        return False
    if value.isascii() and not ("/" in value or "-" in value or "." in value):
        return False
    match = _NUMBERS_ONLY_REGEX.search(normalize_numerals(value[:MAX_DATE_LENGTH]))
    return match is not None and len(set(_days_by_order(match, now).values())) > 1


def resolve_ordered_day(match: re.Match[str], date_order: DateOrder | None, now: datetime) -> date:
    """Return the day of a match of NUMBERS_ONLY_PATTERN, by `date_order` where it is known.

    Without an order, a date that is valid in one order only is that day, and 8.3.2026 is 8 March.
    Raises ImpossibleDateError, or AmbiguousDateOrderError where two orders give different days.
    """
    days = _days_by_order(match, now)
    if date_order:
        if date_order not in days:
            raise ImpossibleDateError(f"no such day in the order {date_order}")
        return days[date_order]
    if not days:
        raise ImpossibleDateError("no such day")
    if len(set(days.values())) == 1:
        return next(iter(days.values()))
    if match["abc_sep"] == "." and "dmy" in days and "ymd" not in days:
        return days["dmy"]
    raise AmbiguousDateOrderError(
        "day and month can't be told apart; --dates says which comes first"
    )


def expand_two_digit_year(two_digits: int) -> int:
    """Return the year of two digits from 1970 to 2069, as POSIX does (but for 69).

    >>> expand_two_digit_year(26), expand_two_digit_year(98)
    (2026, 1998)
    """
    return two_digits + (2000 if two_digits < _FIRST_YEAR_OF_1900S else 1900)


def _days_by_order(match: re.Match[str], now: datetime) -> dict[DateOrder, date]:
    """Return the valid days that a date such as 3/8/26 means, by order."""
    first = int(match["abc_a"])
    second = int(match["abc_b"])
    third = int(match["abc_c"])
    year = third
    candidates: list[tuple[DateOrder, int, int, int]] = []
    if len(match["abc_c"]) < 4:
        # A year has two or four digits; 0 is no year, so that no day is valid.
        year = expand_two_digit_year(third) if len(match["abc_c"]) == 2 else 0
        leading_year = expand_two_digit_year(first)
        if now.year - _MAX_LEADING_YEAR_AGE <= leading_year <= now.year:
            candidates.append(("ymd", leading_year, second, third))
        if year > now.year:
            year = 0
    candidates.append(("mdy", year, first, second))
    candidates.append(("dmy", year, second, first))
    days: dict[DateOrder, date] = {}
    for order, *year_month_day in candidates:
        try:
            days[order] = date(*year_month_day)
        except ValueError:
            continue
    return days
