"""Dates as programs write them: ISO 8601, mail, APIs, spreadsheets, seconds since 1970.

The commonest forms of files are among them; the grammar reads these too, in five times the time.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from folate.core.dates.absolute import FULL_MONTH_NUMBERS, MONTH_NUMBERS
from folate.core.dates.day_and_clock import parse_full_text
from folate.core.dates.moments import (
    PRECISIONS,
    DateError,
    ImpossibleDateError,
    TimestampWithPrecision,
    midnight_to_utc,
    require_valid_day,
    to_utc,
)
from folate.core.dates.order import DateOrder
from folate.core.post import TimePrecision

_ISO_REGEX = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<clock>\d\d(?::\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?)"
    r"(?: ?(?P<zone>Z|[+-]\d\d:?\d\d))?)?",
    re.ASCII,
)
_YEAR_FIRST_REGEX = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日)"
    r"(?: (\d{1,2}):(\d\d)(?::(\d\d))?)?",
    re.ASCII,
)
_MONTH_FIRST_REGEX = re.compile(
    r"(?:([A-Za-z]{3,9}) (\d{1,2}), (\d{4})|(\d{1,2})[/-](\d{1,2})[/-](\d{4}))"
    r"(?:,? (\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([AaPp])[Mm])?)?",
    re.ASCII,
)
_MAIL_REGEX = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(?P<day>\d{1,2}) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4})"
    r" (?P<clock>\d\d:\d\d:\d\d) (?P<zone>GMT|[+-]\d{4})",
    re.ASCII,
)
_WEIBO_REGEX = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>\d{2}) (?P<clock>\d\d:\d\d:\d\d)"
    r" (?P<zone>[+-]\d{4}) (?P<year>\d{4})",
    re.ASCII,
)
_COMPACT_REGEX = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d)(?::?(\d\d)(?::?(\d\d)(\.\d{1,9})?)?)?)?"
    r"( ?(?:Z|[+-]\d\d:?\d\d))?",
    re.ASCII,
)
_ISO_WEEK_REGEX = re.compile(r"(\d{4})-?W(\d\d)-?(\d)", re.ASCII)
_DIGITS_REGEX = re.compile(r"\d{5,19}(?:\.\d{1,9})?", re.ASCII)
_SCIENTIFIC_REGEX = re.compile(r"(\d)(?:\.(\d{1,18}))?e\+?(\d{1,2})", re.ASCII | re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# For each unit of time since 1970: microseconds, and its counts from 1990 to 2286.
_EPOCH_UNITS = (
    (1_000_000.0, 631_152_000, 10**10),
    (1_000.0, 631_152_000_000, 10**13),
    (1.0, 631_152_000_000_000, 10**16),
    (0.001, 631_152_000_000_000_000, 10**19),
)
# Days since 1899-12-30 from 1954 to 2119.
_SPREADSHEET_DAYS = range(20_000, 80_000)
_MICROSECONDS_PER_SECOND = 1_000_000
_MICROSECONDS_PER_HOUR = 3.6e9
_MAX_OFFSET = "1200"  # of the zones in mails and of Weibo, as hours and minutes
# Layouts of a day and a clock in digits, by the number of digits.
_DIGIT_LAYOUTS: dict[int, tuple[str, TimePrecision]] = {
    8: ("%Y%m%d", "day"),
    12: ("%Y%m%d%H%M", "minute"),
    14: ("%Y%m%d%H%M%S", "second"),
}


def parse_machine_format(
    text: str, timezone: str, now: datetime, date_order: DateOrder | None = None
) -> TimestampWithPrecision | None:
    """Parse a text that is a date in the form of a program; None for what the grammar must parse.

    Arguments are those of `parse_date`. Raises DateError for such a form that is no date.
    """
    if match := _ISO_REGEX.fullmatch(text):
        return _parse_iso(match, timezone)
    if match := _YEAR_FIRST_REGEX.fullmatch(text):
        return _parse_year_first(match, timezone)
    if match := _MONTH_FIRST_REGEX.fullmatch(text):
        return _parse_month_first(match, timezone, date_order)
    if match := _MAIL_REGEX.fullmatch(text) or _WEIBO_REGEX.fullmatch(text):
        return _parse_day_month_year(match)
    if match := _ISO_WEEK_REGEX.fullmatch(text):
        year, week, weekday = map(int, match.groups())
        day = require_valid_day(lambda: date.fromisocalendar(year, week, weekday))
        return midnight_to_utc(day, ZoneInfo(timezone)), "day"
    if match := _SCIENTIFIC_REGEX.fullmatch(text):
        return _parse_scientific(match, timezone)
    if _DIGITS_REGEX.fullmatch(text):
        return parse_number(float(text) if "." in text else int(text), timezone)
    if (match := _COMPACT_REGEX.fullmatch(text)) and 1900 <= int(match[1]) < 2100:
        return _parse_compact(match, timezone, now)
    return None


def parse_number(value: float, timezone: str) -> TimestampWithPrecision:
    """Parse seconds to nanoseconds since 1970, or the digits of a day and a clock: 20260308.

    Raises DateError for another number.
    """
    for microseconds, min_count, end_count in _EPOCH_UNITS:
        if min_count <= value < end_count:
            return _EPOCH + timedelta(microseconds=value * microseconds), "second"
    digits = str(int(value)) if value == int(value) else ""
    if len(digits) in _DIGIT_LAYOUTS and digits.startswith(("19", "20")):
        return _parse_digits(digits, timezone)
    if _SPREADSHEET_DAYS.start <= value < _SPREADSHEET_DAYS.stop:
        raise DateError("the number of a spreadsheet's day; format the column as a date")
    raise DateError("neither seconds nor milliseconds since 1970")


def _parse_iso(match: re.Match[str], timezone: str) -> TimestampWithPrecision | None:
    clock = match["clock"]
    text = match["day"] + (f"T{clock}" if clock else "") + (match["zone"] or "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        if clock and clock.startswith("24"):
            return None
        raise ImpossibleDateError("no such day or hour") from error
    colon_count = clock.count(":") if clock else -1
    return to_utc(moment, ZoneInfo(timezone)), PRECISIONS[2 - colon_count]


def _parse_year_first(match: re.Match[str], timezone: str) -> TimestampWithPrecision | None:
    """Parse 2026/3/8 12:30; None for what the grammar must parse, such as 24:00."""
    year, month, day, zh_month, zh_day, *clock = match.groups()
    return _local_timestamp(
        (int(year), int(month or zh_month), int(day or zh_day)), clock, timezone
    )


def _parse_month_first(
    match: re.Match[str], timezone: str, date_order: DateOrder | None
) -> TimestampWithPrecision | None:
    """Parse March 8, 2026 3:20 PM and 3/13/2026; None for what the grammar must parse."""
    name, named_day, named_year, first, second, last, hour, minute, seconds, am_pm = match.groups()
    if name:
        month = FULL_MONTH_NUMBERS.get(name.lower(), 0)
        day = int(named_day)
        year = int(named_year)
    else:
        month = int(first)
        day = int(second)
        year = int(last)
        if date_order == "dmy" or (date_order is None and month > 12):
            month, day = day, month
        elif date_order is None and day <= 12:
            return None
    if am_pm and int(hour) > 12:
        return None
    if am_pm:
        hour = str(int(hour) % 12 + (12 if am_pm in "pP" else 0))
    return _local_timestamp((year, month, day), (hour, minute, seconds), timezone)


def _local_timestamp(
    year_month_day: tuple[int, int, int], clock: Sequence[str | None], timezone: str
) -> TimestampWithPrecision | None:
    """Return the moment of a day and the digits of hour, minute and second in `timezone`.

    Returns None when there is no such moment.
    """
    hour, minute, second = clock
    try:
        moment = datetime(  # noqa: DTZ001  # to_utc adds the zone
            *year_month_day, int(hour or 0), int(minute or 0), int(second or 0)
        )
    except ValueError:
        return None
    precision: TimePrecision = "day"
    if second:
        precision = "second"
    elif minute:
        precision = "minute"
    return to_utc(moment, ZoneInfo(timezone)), precision


def _parse_day_month_year(match: re.Match[str]) -> TimestampWithPrecision | None:
    """Parse the date of a mail or of Weibo's API; None for what the grammar must parse."""
    month = MONTH_NUMBERS.get(match["month"].lower(), 0)
    offset = match["zone"].replace("GMT", "+0000")
    if offset[1:] > _MAX_OFFSET:
        return None
    text = f"{match['year']}-{month:02}-{int(match['day']):02}T{match['clock']}{offset}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC), "second"
    except ValueError:
        return None


def _parse_compact(match: re.Match[str], timezone: str, now: datetime) -> TimestampWithPrecision:
    """Parse 20260308T123000Z and 2026030812 by the grammar of dates with separators."""
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    clock = ":".join(filter(None, (hour, minute, second))) + (fraction or "")
    is_hour_only = bool(hour and not minute)
    if is_hour_only:
        clock += ":00"
    text = f"{year}-{month}-{day} {clock}{offset or ''}"
    moment, precision = parse_full_text(text, timezone, now, None, allow_relative=False)
    return moment, "hour" if is_hour_only else precision


def _parse_scientific(match: re.Match[str], timezone: str) -> TimestampWithPrecision:
    """Parse 1.773500000000E+12; raise DateError where a spreadsheet rounded off over a second."""
    fraction = match[2] or ""
    shift = int(match[3]) - len(fraction)
    value = int(match[1] + fraction) * 10**shift if 0 <= shift <= 18 else 0
    for microseconds, min_count, end_count in _EPOCH_UNITS:
        if not min_count <= value < end_count:
            continue
        rounded_microseconds = 10**shift * microseconds
        if rounded_microseconds > _MICROSECONDS_PER_SECOND:
            hours = rounded_microseconds / _MICROSECONDS_PER_HOUR
            raise DateError(f"a number rounded to {hours:.2g} hours; write all its digits")
    return parse_number(value, timezone)


def _parse_digits(digits: str, timezone: str) -> TimestampWithPrecision:
    layout, precision = _DIGIT_LAYOUTS[len(digits)]
    try:
        moment = datetime.strptime(digits, layout)  # noqa: DTZ007  # to_utc adds the zone
    except ValueError as error:
        raise ImpossibleDateError("no such day") from error
    return to_utc(moment, ZoneInfo(timezone)), precision
