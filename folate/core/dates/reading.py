"""The two modes of reading dates: a cell of a file that is a date, and a text of a page."""

import math
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from folate.core.dates.day_and_clock import find_in_text, parse_full_text
from folate.core.dates.machine_formats import parse_machine_format, parse_number
from folate.core.dates.moments import (
    DateError,
    TimestampWithPrecision,
    midnight_to_utc,
    to_utc,
)
from folate.core.dates.order import DateOrder
from folate.core.dates.zones import UnknownTimezoneError
from folate.core.numerals import normalize_numerals
from folate.core.post import TimePrecision

DateRejectReason = Literal["date in the future", "date too early"]

MIN_POST_TIME = datetime(1990, 1, 1, tzinfo=UTC)
"""Before the web there are no posts; 1970 and 1980 are the dates of clocks that were never set."""

# For wrong clocks and unknown zones.
_CLOCK_TOLERANCE = timedelta(days=1)
# Characters of a text of a page in which a date is searched for.
_MAX_TEXT_LENGTH = 300


def parse_date(
    value: object,
    timezone: str,
    now: datetime,
    date_order: DateOrder | None = None,
    *,
    allow_relative: bool = False,
) -> TimestampWithPrecision:
    """Parse a cell that is a date and nothing else: a moment in UTC and its precision.

    A clock without an offset is local time in `timezone` (an IANA name), a date without a clock
    the start of that day there. A date without a year is the latest such day that is not after
    `now`. `date_order` resolves 3/8/2026, where it is known. Dates relative to the time of
    reading (3 天前, yesterday) are allowed only with `allow_relative`, which says that `now` is
    the time at which the value was shown. Raises DateError, saying what is wrong.
    """
    try:
        return _parse_value(value, timezone, now, date_order, allow_relative=allow_relative)
    except (OverflowError, UnknownTimezoneError) as error:
        raise DateError(str(error) or "out of range") from error


def find_date(
    text: str | None, timezone: str, shown_at: datetime, date_order: DateOrder | None = None
) -> TimestampWithPrecision | None:
    """Find the first date in a text of a page with other words around it (发表于 …, by … on …).

    Dates are those of `parse_date`, relative ones counted from `shown_at`. Returns None for a text
    without a date. Raises DateError for one that can't be resolved: in an unknown time zone, or
    5/6/2020 without an order.
    """
    if not text:
        return None
    start = text[:_MAX_TEXT_LENGTH]
    is_cut = len(text) > _MAX_TEXT_LENGTH
    try:
        timestamp = parse_machine_format(start.strip(), timezone, shown_at, date_order)
        if timestamp:
            return timestamp
        return find_in_text(
            normalize_numerals(start), timezone, shown_at, date_order, is_cut=is_cut
        )
    except (OverflowError, UnknownTimezoneError) as error:
        raise DateError(str(error) or "out of range") from error


def date_reject_reason(moment: datetime, now: datetime) -> DateRejectReason | None:
    """Return why no post can be of `moment`, in the words of a reject; None when one can be."""
    if moment > now + _CLOCK_TOLERANCE:
        return "date in the future"
    return "date too early" if moment < MIN_POST_TIME else None


def _parse_value(
    value: object,
    timezone: str,
    now: datetime,
    date_order: DateOrder | None,
    *,
    allow_relative: bool,
) -> TimestampWithPrecision:
    if isinstance(value, str):
        text = value.strip()
        if not allow_relative:
            return _parse_absolute_text(text, timezone, now, date_order)
        return parse_machine_format(text, timezone, now, date_order) or parse_full_text(
            text, timezone, now, date_order, allow_relative=True
        )
    if isinstance(value, datetime):
        precision: TimePrecision = "day" if _is_naive_midnight(value) else "second"
        return to_utc(value, ZoneInfo(timezone)), precision
    if isinstance(value, date):
        return midnight_to_utc(value, ZoneInfo(timezone)), "day"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise DateError("no finite number")
        return parse_number(value, timezone)
    raise DateError("neither a date nor a time")


@lru_cache(maxsize=65_536)  # many posts of a file are of the same day
def _parse_absolute_text(
    text: str, timezone: str, now: datetime, date_order: DateOrder | None
) -> TimestampWithPrecision:
    return parse_machine_format(text, timezone, now, date_order) or parse_full_text(
        text, timezone, now, date_order, allow_relative=False
    )


def _is_naive_midnight(value: datetime) -> bool:
    """Return whether a cell is a midnight without a zone: spreadsheets store days so."""
    return value.tzinfo is None and value.time() == time()
