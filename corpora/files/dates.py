"""Dates as people and programs write them, in Chinese and in English, with the precision they have."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from folate.post import Precision

Moment = tuple[datetime, Precision]

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # older than any post; 1970 is the zero of a clock that was not set
_PARTS: tuple[Precision, ...] = ("hour", "minute", "second")
_CLOCK = (
    r"(?:(?:[T\s]+|(?<=[日号]))(?P<half>上午|下午|中午|凌晨|早上|晚上|am|pm)?\s*(?P<h>\d{1,2})[时点]?"
    r"(?:(?:[:：]|(?<=[时点]))(?P<m>\d{1,2})分?)?(?:(?:[:：]|(?<=分))(?P<s>\d{1,2})(?:\.\d+)?秒?)?\s*(?P<tail>am|pm)?)?"
)
_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
_MONTHS = {
    name: number for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_SHAPES = tuple(
    re.compile(shape + r",?" + _CLOCK + _ZONE, re.IGNORECASE)
    for shape in (
        r"(?P<y>\d{4})\s*[-/.年]\s*(?P<mo>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*[日号]?",
        r"(?P<mo>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]",
        _MONTH + r"\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})",
        r"(?P<d>\d{1,2})(?:st|nd|rd|th)?\s+" + _MONTH + r",?\s+(?P<y>\d{4})",
        r"(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<y>\d{4})",
    )
)
_TWITTER = re.compile(r"[a-z]{3} ([a-z]{3}) (\d{1,2}) ([\d:]{8}) ([+-]\d{4}) (\d{4})", re.IGNORECASE)  # also Weibo's API
_EPOCHS = ((1e9, 1.0), (1e12, 1e3), (1e15, 1e6))  # seconds, milliseconds, microseconds since 1970: 2001 to 2286


def read_date(value: object, zone: str, now: datetime) -> Moment:
    """The moment in UTC and its precision. A date without a time is the start of that day in `zone` (an IANA name).

    A date without a year is the last such day that is not after `now`. Raises ValueError, saying what is wrong.
    """
    try:
        return _read(value, zone, now)
    except OverflowError as error:
        raise ValueError("out of range") from error


def _read(value: object, zone: str, now: datetime) -> Moment:
    if isinstance(value, datetime):
        return _place(value, zone), "day" if _is_midnight(value) else "second"
    if isinstance(value, date):
        return _place(datetime(value.year, value.month, value.day), zone), "day"  # noqa: DTZ001  # _place gives the zone
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(float(value), str(value), zone)
    if isinstance(value, str):
        return _text(value.strip(), zone, now.astimezone(ZoneInfo(zone)).date())
    raise ValueError("neither a date nor a time")


@lru_cache(maxsize=65_536)  # many posts share a day
def _text(text: str, zone: str, today: date) -> Moment:
    try:
        return _place(datetime.fromisoformat(text), zone), _iso_precision(text)
    except ValueError:
        pass
    for shape in _SHAPES:
        if match := shape.fullmatch(text):
            return _shaped(match, zone, today)
    if match := _TWITTER.fullmatch(text):
        month, day, clock, offset, year = match.groups()
        return _place(parsedate_to_datetime(f"{day} {month} {year} {clock} {offset}"), zone), "second"
    if re.fullmatch(r"\d{8,17}(\.\d+)?", text):
        return _number(float(text), text, zone)
    try:
        return _place(parsedate_to_datetime(text), zone), "second"
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError("no known way to write a date") from error


def _iso_precision(text: str) -> Precision:
    clock = re.sub(r"(Z|[+-]\d{2}(:?\d{2})?)$", "", text[10:]) if "-" in text[:8] else text[9:]
    digits = sum(char.isdigit() for char in clock)
    return "day" if not digits else _PARTS[min(2, (digits - 1) // 2)]


def _shaped(match: re.Match[str], zone: str, today: date) -> Moment:
    part = match.groupdict()
    year, month, day = _day(part, today)
    midnight = datetime(year, month, day)  # noqa: DTZ001  # _place gives the zone
    moment = midnight.replace(minute=int(part["m"] or 0), second=int(part["s"] or 0)) + timedelta(hours=_hour(part))
    given = sum(part[name] is not None for name in ("h", "m", "s"))
    offset = (part["zone"] or "").upper()
    if offset:
        moment = datetime.fromisoformat(moment.isoformat() + ("Z" if offset in ("Z", "UTC", "GMT") else offset))
    return _place(moment, zone), _PARTS[given - 1] if given else "day"


def _day(part: dict[str, str | None], today: date) -> tuple[int, int, int]:
    if part.get("a") and part.get("b"):
        return int(part["y"] or 0), *_month_and_day(int(part["a"] or 0), int(part["b"] or 0))
    name = part.get("month")
    month, day = _MONTHS[name.lower()] if name else int(part["mo"] or 0), int(part["d"] or 0)
    if part.get("y"):
        return int(part["y"] or 0), month, day
    for year in range(today.year, today.year - 9, -1):  # 29 February may be eight years away
        if _exists(year, month, day) and date(year, month, day) <= today:
            return year, month, day
    raise ValueError("no such day")


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _month_and_day(first: int, second: int) -> tuple[int, int]:
    """5/17/2020 and 17/5/2020 are clear; 5/6/2020 is not."""
    if first == second or second > 12 >= first:
        return first, second
    if first > 12 >= second:
        return second, first
    raise ValueError("day and month can't be told apart")


def _hour(part: dict[str, str | None]) -> int:
    """Hours since the day began; 24 and more for 晚上12:30, which is half an hour into the next day. Raises ValueError."""
    hour = int(part["h"] or 0)
    half = (part["half"] or part["tail"] or "").lower()
    if hour > 23:
        raise ValueError("no such hour")
    if half == "晚上" and hour % 12 < 5:  # evenings begin at five: the small hours after this one
        return hour % 12 + 24 if hour <= 12 else hour
    if half in ("pm", "下午", "晚上", "中午") and hour < 12 and not (half == "中午" and hour >= 10):
        return hour + 12
    return 0 if half in ("am", "上午", "凌晨", "早上") and hour == 12 else hour


def _number(value: float, written: str, zone: str) -> Moment:
    for least, per_second in _EPOCHS:
        if least <= value < 10 * least:
            return datetime.fromtimestamp(value / per_second, UTC), "second"
    if math.isfinite(value) and re.fullmatch(r"(19|20)\d{6}(\.0)?", written):
        return _place(datetime.strptime(written[:8], "%Y%m%d"), zone), "day"  # noqa: DTZ007  # _place gives the zone
    raise ValueError("neither seconds nor milliseconds since 1970")


def _is_midnight(value: datetime) -> bool:
    """A cell that holds a day comes as its midnight."""
    return value.tzinfo is None and (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)


def _place(moment: datetime, zone: str) -> datetime:
    """In UTC; clocks without an offset are those of `zone`."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def latest(now: datetime) -> datetime:
    """Posts dated after this are from the future; a day's grace for clocks and zones."""
    return now + timedelta(days=1)
