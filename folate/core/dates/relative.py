"""Dates relative to the time of reading: 3 小时前, 1 day ago, just now, 上周, last month, 周三."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from folate.core.dates.moments import (
    PRECISIONS,
    DateError,
    DateMatch,
    ImpossibleDateError,
    TimestampWithPrecision,
    subtract_months,
    truncate_to_utc,
)
from folate.core.post import TimePrecision

_AMOUNTS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "a few": 3,
    "几": 3,
    "a couple of": 2,
    "half a": 0.5,
    "half an": 0.5,
    "半": 0.5,
}
# Alternatives of each unit of time.
_UNIT_ALTERNATIVES: tuple[tuple[str, str], ...] = (
    ("second", r"seconds?|secs?|s|秒钟?"),
    ("minute", r"minutes?|mins?|m|分钟?"),
    ("quarter", r"刻钟?"),
    ("hour", r"hours?|hrs?|h|小时|钟头"),
    ("day", r"days?|d|天|日"),
    ("week", r"weeks?|wks?|w|周|星期|礼拜"),
    ("month", r"months?|mths?|mos?|月"),
    ("year", r"years?|yrs?|y|年"),
)
_UNIT_REGEXES = {
    unit: re.compile(alternatives, re.IGNORECASE | re.ASCII)
    for unit, alternatives in _UNIT_ALTERNATIVES
}
_SECONDS_PER_UNIT = {"second": 1, "minute": 60, "quarter": 900, "hour": 3600}
_DAYS_PER_UNIT = {"day": 1, "week": 7}
_MONTHS_PER_UNIT = {"month": 1, "year": 12}
_UNIT_PRECISIONS: dict[str, TimePrecision] = {
    "second": "second",
    "minute": "minute",
    "quarter": "minute",
    "hour": "hour",
}
_NEXT_FINER: dict[TimePrecision, TimePrecision] = {
    "day": "hour",
    "hour": "minute",
    "minute": "second",
    "second": "second",
}

_ALL_UNITS = "|".join(alternatives for _, alternatives in _UNIT_ALTERNATIVES).split("|")

UNIT_PATTERN = "|".join(sorted(_ALL_UNITS, key=len, reverse=True))
"""Alternatives of every unit of time, the longest first."""

_LONG_UNIT_PATTERN = "|".join(
    unit for unit in UNIT_PATTERN.split("|") if len(unit) > 1 or not unit.isascii()
)
_NUMBER_WORD_PATTERN = (
    r"(?:half an?|a few|a couple of|an?|one|two|three|four|five|six|seven|eight|nine|ten"
    r"|eleven|twelve)(?![a-z])"
)
_AMOUNT_PATTERN = (
    r"(?:(?<![\d.,:/+\-\u2044几多一二两三四五六七八九十百千a-z])"
    rf"(?:\d{{1,5}}(?:\.\d{{1,3}})?|{_NUMBER_WORD_PATTERN}|几|半))"
    rf" ?个?(?: and a half|半)? ?(?:(?:{UNIT_PATTERN})(?![a-z])\.?)(?: and a half|半)?"
)
_AMOUNT_REGEX = re.compile(
    rf"(?P<number>(?<![\d.])\d{{1,5}}(?:\.\d{{1,3}})?|{_NUMBER_WORD_PATTERN}|几|半) ?个?"
    rf"(?P<half> and a half|半)? ?(?P<unit>{UNIT_PATTERN})(?![a-z])\.?"
    r"(?P<half_after> and a half|半)?",
    re.IGNORECASE | re.ASCII,
)
_AGO_REGEX = re.compile(
    rf"(?:{_AMOUNT_PATTERN}(?:,? and |[, 又零]{{0,2}})){{1,6}}"
    r"(?:ago\b|(?:之|以)?前(?![天日年后半晚夜]))",
    re.IGNORECASE | re.ASCII,
)
_BARE_AGE_REGEX = re.compile(
    r"(?:\d{1,3} ?(?:[smhdwy]|mo|min|hr|yr|mos|mins|hrs|yrs)(?![a-z])\.? ?){1,3}",
    re.IGNORECASE | re.ASCII,
)
# An amount that ends right before those that were joined: "1 year plus 2 months ago".
_CUT_OFF_REGEX = re.compile(
    r"\d ?(?:" + _LONG_UNIT_PATTERN + r")[ ,&+]{0,3}(?:[a-z]{1,5}[ ,]{1,2})?$",
    re.IGNORECASE | re.ASCII,
)
_CUT_OFF_LENGTH = 30  # characters before the amounts in which one is searched for
_NOW_REGEX = re.compile(
    r"刚刚|刚才|\bjust now\b|\b(?:a )?moments? ago\b|\b(?:a few )?seconds ago\b"
    r"|\bless than a minute ago\b|^now$",
    re.IGNORECASE | re.ASCII,
)
_LAST_PERIOD_REGEX = re.compile(
    r"(?P<zh>(?:上上|上)个?)(?P<zh_unit>周|星期|礼拜|月)(?![一二三四五六日天\d])(?! \d)"
    r"|(?P<year>去年|前年)(?! ?\d)|\blast (?P<en>week|month|year)\b",
    re.IGNORECASE | re.ASCII,
)

_WEEKDAY_NUMBERS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_WEEKDAY_NUMBERS |= {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
WEEKDAY_NAME_PATTERN = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)"
)
WEEKDAY_REGEX = re.compile(
    r"(?<![下每])(?<!下个)(?P<week>(?:(?:上上|上|本|这)个?)?)"
    r"(?:周|星期|礼拜)(?P<zh>[一二三四五六日天])"
    r"|\b(?<!next )(?<!every )(?P<last>(?:last |this )?)"
    r"(?P<en>(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    rf"{WEEKDAY_NAME_PATTERN}(?=\.?,? (?:at )?\d{{1,2}}:\d))\b",
    re.IGNORECASE | re.ASCII,
)


def find_relative_date(text: str, timezone: str, now: datetime) -> DateMatch | None:
    """Find the first age in `text`, such as 刚刚, 1 day, 3 hours ago or 上周, counted from `now`.

    Days are those of `timezone`. Returns None without one. Raises DateError for amounts of time
    that can't be added up.
    """
    local_now = now.astimezone(ZoneInfo(timezone))
    bare_text = text.strip("·•|()- ")
    if bare_text and _BARE_AGE_REGEX.fullmatch(bare_text):
        timestamp = _subtract_amounts(local_now, _AMOUNT_REGEX.finditer(bare_text))
        return DateMatch(timestamp, [(0, len(text))])
    if match := _AGO_REGEX.search(text):
        text_before = text[max(0, match.start() - _CUT_OFF_LENGTH) : match.start()]
        if _CUT_OFF_REGEX.search(text_before):
            raise DateError("amounts of time that can't be added up")
        timestamp = _subtract_amounts(local_now, _AMOUNT_REGEX.finditer(match[0]))
        return DateMatch(timestamp, [match.span()])
    if match := _NOW_REGEX.search(text):
        return DateMatch((truncate_to_utc(local_now, "minute"), "minute"), [match.span()])
    if match := _LAST_PERIOD_REGEX.search(text):
        return DateMatch((_subtract_period(match, local_now), "day"), [match.span()])
    return None


def resolve_weekday(match: re.Match[str], today: date) -> date:
    """Return the day of a match of WEEKDAY_REGEX: the latest such day up to `today`.

    上周五 is the Friday of the last week, 本周五 that of this week, `last Friday` never today.
    Raises ImpossibleDateError for a day of this week after `today`.
    """
    weekday = _WEEKDAY_NUMBERS[match["zh"] or match["en"][:3].lower()]
    week = match["week"].rstrip("个") if match["zh"] else ""
    if week:
        monday = today - timedelta(days=today.weekday() + 7 * week.count("上"))
        day = monday + timedelta(days=weekday)
    else:
        day = today - timedelta(days=(today.weekday() - weekday) % 7)
        if (match["last"] or "").lower().startswith("last") and day == today:
            day -= timedelta(days=7)
    if day > today:
        raise ImpossibleDateError("a day of this week that has not come")
    return day


def _subtract_period(match: re.Match[str], local_now: datetime) -> datetime:
    """Return the day a week, month or year (or two: 上上周, 前年) before `local_now`."""
    unit = (match["en"] or "").lower()
    if match["year"]:
        unit = "year"
    elif not unit:
        unit = "month" if match["zh_unit"] == "月" else "week"
    count = (match["zh"] or "上").count("上")
    if match["year"] == "前年":
        count = 2
    if unit == "week":
        return truncate_to_utc(local_now - timedelta(weeks=count), "day")
    day = subtract_months(local_now.date(), count * _MONTHS_PER_UNIT[unit])
    return truncate_to_utc(datetime.combine(day, time(), local_now.tzinfo), "day")


def _subtract_amounts(
    local_now: datetime, amounts: Iterable[re.Match[str]]
) -> TimestampWithPrecision:
    """Subtract matches of _AMOUNT_REGEX from `local_now`, truncated to the finest unit of them.

    Months and years are calendar months, days are wall-clock days; hours are elapsed time, also
    across a change to or from daylight saving time.
    """
    months = days = seconds = 0.0
    precision: TimePrecision = "day"
    for match in amounts:
        amount = _parse_amount(match)
        unit = _parse_unit(match["unit"])
        if unit in _MONTHS_PER_UNIT:
            months += amount * _MONTHS_PER_UNIT[unit]
        elif unit in _DAYS_PER_UNIT:
            days += amount * _DAYS_PER_UNIT[unit]
        else:
            seconds += amount * _SECONDS_PER_UNIT[unit]
            is_whole = amount == int(amount)
            unit_precision = _UNIT_PRECISIONS[unit]
            if not is_whole:
                unit_precision = _NEXT_FINER[unit_precision]
            precision = min(precision, unit_precision, key=PRECISIONS.index)
    days += months % 1 * 30
    if days % 1:
        precision = min(precision, "hour", key=PRECISIONS.index)
        seconds += days % 1 * 86_400
    day = subtract_months(local_now.date(), int(months)) - timedelta(days=int(days))
    moment = datetime.combine(day, local_now.timetz())
    if seconds:
        moment = (moment.astimezone(UTC) - timedelta(seconds=seconds)).astimezone(local_now.tzinfo)
    return truncate_to_utc(moment, precision), precision


def _parse_unit(text: str) -> str:
    return next(unit for unit, regex in _UNIT_REGEXES.items() if regex.fullmatch(text))


def _parse_amount(match: re.Match[str]) -> float:
    number = match["number"].lower()
    amount = _AMOUNTS[number] if number in _AMOUNTS else float(number)
    return amount + 0.5 * bool(match["half"]) + 0.5 * bool(match["half_after"])
