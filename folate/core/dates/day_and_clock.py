"""Dates with their clocks and time zones in a text: the search for a day and what is beside it."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from folate.core.dates.absolute import (
    DAY_REGEX,
    ERA_TIMEZONES,
    MONTH_PATTERN,
    resolve_matched_day,
)
from folate.core.dates.clock import (
    DAY_PART_PATTERN,
    MAX_CLOCK_DISTANCE,
    find_clock_after,
    find_clock_before,
    parse_clock,
)
from folate.core.dates.moments import (
    MAX_DATE_LENGTH,
    DateError,
    DateMatch,
    ImpossibleDateError,
    TimestampWithPrecision,
    to_utc,
)
from folate.core.dates.order import DateOrder
from folate.core.dates.relative import (
    WEEKDAY_NAME_PATTERN,
    WEEKDAY_REGEX,
    find_relative_date,
    resolve_weekday,
)
from folate.core.dates.zones import UnknownTimezoneError, timezone_at
from folate.core.numerals import normalize_numerals
from folate.core.post import TimePrecision

_NO_REFERENCE_TIME = "told from when it was shown, and no column fetched_at says when that was"
_BEIJING_TIME = "北京时间"

# The C library's form, with the year behind the clock: Sun Mar 08 12:30:00 CST 2026.
_CTIME_REGEX = re.compile(
    rf"({MONTH_PATTERN} \d{{1,2}})( \d{{1,2}}:\d{{2}}(?::\d{{2}})?(?: ?[ap]m)?)"
    r"( [a-z+-][a-z\d:+-]{0,11})?( \d{4})(?![\d:])",
    re.IGNORECASE | re.ASCII,
)
_NIGHT_EXPANSIONS = {
    "昨晚": "昨天晚上",
    "昨夜": "昨天晚上",
    "今晚": "今天晚上",
    "今早": "今天早上",
    "前晚": "前天晚上",
}
_NIGHT_REGEX = re.compile("|".join(_NIGHT_EXPANSIONS))
# A zone before the day: UTC+8 2026-03-08 12:30.
_LEADING_ZONE_REGEX = re.compile(
    r"\b(?:UTC|GMT)(?: ?[+-] ?\d{1,2}(?::?\d{2})?)?(?=[ ,:()]{1,2}$)", re.ASCII
)
_OFFSET_REGEX = re.compile(r"[+-]\d\d:\d\d")
_LUNAR_REGEX = re.compile("农历|農曆|阴历|陰曆|旧历|正月|腊月")
# The form of access logs: 08/Mar/2026:12:30:00.
_ACCESS_LOG_REGEX = re.compile(r"(/\d{4}):(?=\d\d:)", re.ASCII)
# What may stand beside a date without a meaning of its own.
_FILLER_REGEX = re.compile(
    rf"{WEEKDAY_NAME_PATTERN}(?![a-z])\.?|(?:周|星期|礼拜)[一二三四五六日天]"
    r"|\((?:[一二三四五六日天月火水木金土])\)"
    rf"|\b(?:at|on|the|about|over|almost|around|t)\b|{DAY_PART_PATTERN}"
    r"|[于的约]|大约|北京时间|[\s,;·|@()\[\].-]",
    re.IGNORECASE | re.ASCII,
)


class _TimezoneMatch(NamedTuple):
    """A time zone written in a text, and where."""

    tz: tzinfo
    span: tuple[int, int]


def parse_full_text(
    text: str,
    timezone: str,
    now: datetime,
    date_order: DateOrder | None,
    *,
    allow_relative: bool,
) -> TimestampWithPrecision:
    """Parse a text that is a date and nothing else. Raises DateError."""
    if len(text) > MAX_DATE_LENGTH:
        raise DateError(f"longer than {MAX_DATE_LENGTH} characters")
    text = _normalize_forms(normalize_numerals(text), timezone)
    date_match = _search_date(text, timezone, now, date_order, allow_relative=allow_relative)
    if date_match is None:
        raise DateError("no known way to write a date")
    other_text = _text_between(text, date_match.spans)
    if unknown_text := _FILLER_REGEX.sub(" ", other_text).strip():
        raise DateError(f"a date and something that is none: {unknown_text[:40]!r}")
    return date_match.timestamp


def find_in_text(
    text: str,
    timezone: str,
    shown_at: datetime,
    date_order: DateOrder | None,
    *,
    is_cut: bool,
) -> TimestampWithPrecision | None:
    """Find the first date of `text`, whose numerals are normalized. Returns None without one.

    `is_cut` says that the text goes on: a date at its very end is refused with a DateError.
    """
    text = _normalize_forms(text, timezone)
    date_match = _search_date(text, timezone, shown_at, date_order, allow_relative=True)
    if date_match and is_cut and max(end for _, end in date_match.spans) >= len(text):
        raise DateError("a date that may go on behind the characters read")
    return date_match.timestamp if date_match else None


def _text_between(text: str, spans: list[tuple[int, int]]) -> str:
    """Return `text` without `spans`, its parts joined by spaces."""
    pieces = []
    previous_end = 0
    for start, end in sorted(spans):
        pieces.append(text[previous_end:start])
        previous_end = end
    pieces.append(text[previous_end:])
    return " ".join(pieces)


def _normalize_forms(text: str, timezone: str) -> str:
    """Rewrite rare forms as common ones: 昨晚 as 昨天晚上, a year behind the clock before it.

    Raises UnknownTimezoneError for an unknown zone between such a clock and its year, and
    DateError for lunar dates.
    """

    def move_year_first(match: re.Match[str]) -> str:
        day, clock, zone, year = match.groups(default="")
        if zone and not timezone_at(zone, 0, timezone):
            raise UnknownTimezoneError(f"no known time zone: {zone.strip()}")
        return f"{day}{year}{clock}{zone}"

    if _LUNAR_REGEX.search(text):
        raise DateError("a day of the lunar calendar")
    text = _NIGHT_REGEX.sub(lambda match: _NIGHT_EXPANSIONS[match[0]], text)
    return _CTIME_REGEX.sub(move_year_first, _ACCESS_LOG_REGEX.sub(r"\1 ", text))


def _search_date(
    text: str,
    timezone: str,
    now: datetime,
    date_order: DateOrder | None,
    *,
    allow_relative: bool,
) -> DateMatch | None:
    """Find the first date in `text`.

    A weekday counts only where there is no other date: most stand beside one. Raises DateError for
    relative dates where they are not allowed, and for days that don't exist.
    """
    relative_date = find_relative_date(text, timezone, now) if allow_relative else None
    first_error = None
    for match in DAY_REGEX.finditer(text):
        if relative_date and relative_date.spans[0][0] < match.start():
            return relative_date
        if match.lastgroup == "word" and not allow_relative:
            raise DateError(_NO_REFERENCE_TIME)
        try:
            return _resolve_day_match(text, match, timezone, now, date_order)
        except ImpossibleDateError as error:
            first_error = first_error or error
    if relative_date:
        return relative_date
    weekday = WEEKDAY_REGEX.search(text)
    if first_error and not weekday:
        raise first_error
    if not allow_relative and (weekday or find_relative_date(text, timezone, now)):
        raise DateError(_NO_REFERENCE_TIME)
    if weekday is None:
        return None
    return _combine_day_and_clock(
        text, weekday.span(), lambda today: resolve_weekday(weekday, today), timezone, now
    )


def _resolve_day_match(
    text: str,
    match: re.Match[str],
    timezone: str,
    now: datetime,
    date_order: DateOrder | None,
) -> DateMatch:
    """Combine the day of a match of DAY_REGEX with the clock and the zone beside it."""
    if match.lastgroup == "short" and timezone in ERA_TIMEZONES:
        raise DateError("a year of two digits that may be one of an era")

    def resolve_day(today: date) -> date:
        return resolve_matched_day(match, today, date_order, now)

    return _combine_day_and_clock(text, match.span(), resolve_day, timezone, now)


def _combine_day_and_clock(
    text: str,
    day_span: tuple[int, int],
    resolve_day: Callable[[date], date],
    timezone: str,
    now: datetime,
) -> DateMatch:
    """Combine the day at `day_span` with the clock beside it and the zone behind that.

    `resolve_day` returns the day, given the current day in that zone.
    """
    day_start, day_end = day_span
    clock = find_clock_after(text, day_end) or find_clock_before(text, day_start)
    zone = _find_timezone(text, day_span, clock, timezone)
    tz = zone.tz if zone else ZoneInfo(timezone)
    day = resolve_day(now.astimezone(tz).date())
    spans = [day_span]
    moment = datetime.combine(day, time())
    precision: TimePrecision = "day"
    if clock:
        since_midnight, precision = parse_clock(clock)
        moment += since_midnight
        spans.append(clock.span())
    if zone:
        spans.append(zone.span)
    return DateMatch((to_utc(moment, tz), precision), spans)


def _find_timezone(
    text: str, day_span: tuple[int, int], clock: re.Match[str] | None, timezone: str
) -> _TimezoneMatch | None:
    """Find the zone behind the clock or the day, before the day, or 北京时间 anywhere."""
    for start in _possible_zone_starts(text, day_span, clock):
        if match := timezone_at(text, start, timezone):
            tz, end = match
            return _TimezoneMatch(tz, (start, end))
    return None


def _possible_zone_starts(
    text: str, day_span: tuple[int, int], clock: re.Match[str] | None
) -> Iterator[int]:
    day_start, day_end = day_span
    if clock:
        yield clock.end()
        if clock.end() <= day_start:
            yield day_end
    elif not text[day_end:].startswith(("+", "-")) or _OFFSET_REGEX.match(text, day_end):
        yield day_end
    search_start = max(0, day_start - MAX_CLOCK_DISTANCE)
    if leading_zone := _LEADING_ZONE_REGEX.search(text, search_start, day_start):
        yield leading_zone.start()
    if not text.isascii() and _BEIJING_TIME in text:
        yield text.index(_BEIJING_TIME)
