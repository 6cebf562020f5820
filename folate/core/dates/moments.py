"""Moments in UTC with their precision, and the errors of dates that can't be read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from folate.core.post import TimePrecision

TimestampWithPrecision = tuple[datetime, TimePrecision]

PRECISIONS: tuple[TimePrecision, ...] = ("second", "minute", "hour", "day")
"""Precisions of a timestamp, the finest first."""

MAX_DATE_LENGTH = 100
"""Characters of a date at most; JavaScript's, with the long name of the zone, has about 70."""


class DateError(ValueError):
    """A date that can't be read; the message says why."""


class AmbiguousDateOrderError(DateError):
    """A date in which day and month can't be distinguished."""


class ImpossibleDateError(DateError):
    """A text in the form of a date that names no day or hour, such as month 13."""


@dataclass
class DateMatch:
    """A moment found in a text."""

    timestamp: TimestampWithPrecision
    # The parts of the text that name it, as (start, end).
    spans: list[tuple[int, int]]


def to_utc(moment: datetime, tz: tzinfo) -> datetime:
    """Convert `moment` to UTC; one without an offset is local time in `tz`."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=tz)).astimezone(UTC)


def midnight_to_utc(day: date, tz: tzinfo) -> datetime:
    """Return the start of `day` in `tz`, in UTC."""
    return to_utc(datetime.combine(day, time()), tz)


def truncate_to_utc(moment: datetime, precision: TimePrecision) -> datetime:
    """Set the fields of `moment` that are finer than `precision` to zero; convert to UTC."""
    truncated = moment.replace(microsecond=0)
    if precision != "second":
        truncated = truncated.replace(second=0)
    if precision in ("hour", "day"):
        truncated = truncated.replace(minute=0)
    if precision == "day":
        truncated = truncated.replace(hour=0)
    return truncated.astimezone(UTC)


def subtract_months(day: date, months: int) -> date:
    """Return the same day `months` earlier, or the last day of that month.

    Raises DateError before the year 1.
    """
    year, month_index = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        raise DateError("before the first year")
    for last_day in (day.day, 30, 29, 28):
        try:
            return date(year, month_index + 1, min(last_day, day.day))
        except ValueError:
            continue
    raise DateError("no such day")


def require_valid_day(make_day: Callable[[], date]) -> date:
    """Call `make_day`; raise ImpossibleDateError instead of its ValueError."""
    try:
        return make_day()
    except ValueError as error:
        raise ImpossibleDateError("no such day") from error
