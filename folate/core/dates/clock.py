"""Times of day beside a date: 12:30, 3:20 PM, 晚上8点半, noon."""

import re
from datetime import timedelta

from folate.core.dates.moments import ImpossibleDateError
from folate.core.post import TimePrecision

MAX_CLOCK_DISTANCE = 15
"""Characters between a day and its time of day."""

_MORNING_WORDS = ("am", "上午", "早上", "早晨", "清晨", "清早", "凌晨", "午前", "午夜")
_AFTERNOON_WORDS = ("pm", "下午", "午后", "傍晚", "黄昏")
# The small hours of a night are of the next day: 半夜1点.
_NIGHT_WORDS = ("晚上", "晚间", "夜里", "夜晚", "夜间", "深夜", "半夜", "晚")
_NOON_WORDS = ("中午", "正午")
_MIDNIGHT = "午夜"  # before and after twelve at night

DAY_PART_PATTERN = "|".join(
    sorted(
        _MORNING_WORDS + _AFTERNOON_WORDS + _NIGHT_WORDS + _NOON_WORDS,
        key=len,
        reverse=True,
    )
)
"""Alternatives of the words for parts of the day, the longest first."""

_CLOCK_REGEX = re.compile(
    rf"(?:(?P<day_part>{DAY_PART_PATTERN}) ?)?(?<![\d:.+-])(?P<hour>\d{{1,2}})(?:"
    r":(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"|(?P<hour_sign>[点时])(?![赞评击播]) ?(?:(?P<quarters>半|[13] ?刻)"
    r"|(?P<zh_minute>\d{1,2})(?: ?分)?(?: ?(?P<zh_second>\d{1,2}) ?秒)?|整|钟)?)?(?![\d:])"
    r"(?: ?(?P<am_pm>[ap]\.?m\b\.?))?"
    r"|(?P<named>\bnoon\b|\bmidnight\b|正午|午夜)",
    re.IGNORECASE | re.ASCII,
)


def find_clock_after(text: str, start: int) -> re.Match[str] | None:
    """Find the first time of day at most MAX_CLOCK_DISTANCE behind `start`."""
    for match in _CLOCK_REGEX.finditer(text, start):
        if match.start() - start > MAX_CLOCK_DISTANCE:
            return None
        if _is_clock(match):
            return match
    return None


def find_clock_before(text: str, end: int) -> re.Match[str] | None:
    """Find the last time of day right before `end`, as in 3:20 PM · Mar 8, 2026."""
    last_clock = None
    for match in _CLOCK_REGEX.finditer(text, max(0, end - 2 * MAX_CLOCK_DISTANCE), end):
        if _is_clock(match):
            last_clock = match
    if last_clock and end - last_clock.end() <= MAX_CLOCK_DISTANCE:
        return last_clock
    return None


def parse_clock(match: re.Match[str]) -> tuple[timedelta, TimePrecision]:
    """Return the time since midnight of a match of a clock, and its precision.

    It is more than a day for 晚上12:30, which is 00:30 of the next day. Raises
    ImpossibleDateError.
    """
    if named := match["named"]:
        return timedelta(hours=12 if named.lower() in ("noon", "正午") else 0), "minute"
    hour = int(match["hour"])
    minute_digits = match["minute"] or match["zh_minute"]
    if quarters := match["quarters"]:
        minute_digits = "30" if quarters == "半" else str(int(quarters[0]) * 15)
    second_digits = match["second"] or match["zh_second"]
    microseconds = int(f"{match['fraction'] or 0:0<6}"[:6])
    minutes = int(minute_digits or 0)
    seconds = int(second_digits or 0)
    is_end_of_day = hour == 24 and minutes == seconds == microseconds == 0
    if (hour > 23 and not is_end_of_day) or minutes > 59 or seconds > 59:
        raise ImpossibleDateError("no such hour")
    day_part = (match["day_part"] or match["am_pm"] or "").lower().replace(".", "")
    since_midnight = timedelta(
        hours=_hours_since_midnight(hour, day_part),
        minutes=minutes,
        seconds=seconds,
        microseconds=microseconds,
    )
    precision: TimePrecision = "hour"
    if second_digits:
        precision = "second"
    elif minute_digits:
        precision = "minute"
    return since_midnight, precision


def _is_clock(match: re.Match[str]) -> bool:
    """Return whether a match is more than a bare number."""
    return any(match[name] for name in ("minute", "am_pm", "hour_sign", "named"))


def _hours_since_midnight(hour: int, day_part: str) -> int:
    """Return `hour` of a part of the day in hours since midnight, 24 and more after a night.

    Evenings begin at five; smaller hours of a night are of the next day.
    """
    is_night = day_part in _NIGHT_WORDS
    if is_night and hour <= 12 and hour % 12 < 5:
        return hour % 12 + 24
    if (is_night or day_part in _AFTERNOON_WORDS) and hour < 12:
        return hour + 12
    if day_part in _NOON_WORDS and hour < 10:
        return hour + 12
    if day_part == _MIDNIGHT and 9 <= hour < 12:
        return hour + 12
    is_morning = day_part in _MORNING_WORDS
    if is_morning and hour > 12 and not (day_part == _MIDNIGHT and hour > 20):
        raise ImpossibleDateError("an hour of the afternoon said to be one of the morning")
    return 0 if is_morning and hour == 12 else hour
