"""Dates as sites print them, in Chinese and English, to a moment in UTC and how precise it is.

What is relative (3 天前, yesterday) is resolved against the time of the fetch, what has no offset is read in the
source's time zone, and what lacks a year is the latest such date that was not in the future.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from folate.post import Precision

Moment = tuple[datetime, Precision]

_FIRST_YEAR = 1990  # of the web: what is older stands for a missing date
_LONGEST = 300  # characters that can tell a date

_MONTHS = {name: i for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)}
_MONTH = r"(?P<name>jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_CLOCK = re.compile(
    r"(?P<half>上午|下午|晚上|凌晨|中午)?\s*(?<![\d:])(?P<hour>\d{1,2})"
    r"(?:[:：时時點点](?P<minute>\d{2}|半)(?:[:：分](?P<second>\d{2}))?|(?P<sharp>[时時點点]))?(?![\d:])"
    r"\s*(?P<ampm>[ap]\.?m\b\.?)?|(?P<word>noon|midnight)",
    re.I,
)
_OFFSET = re.compile(r"(?:UTC|GMT|Z)\b|(?<=[\d ])(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})(?!\d)")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:Z|[+-]\d{2}:?\d{2})?(?!\d)")
_DATES = [
    re.compile(r"(?<!\d)(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?(?!\d)"),
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+{_MONTH},?\s+(?P<year>\d{{4}})", re.I),
    re.compile(rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})", re.I),
    re.compile(rf"{_MONTH}\s+(?P<day>\d{{1,2}})\s+[\d:]+\s+(?:[+-]\d{{4}}\s+|[A-Z]{{3,4}}\s+)?(?P<year>\d{{4}})", re.I),  # Weibo, ctime
    re.compile(r"(?<!\d)(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})(?!\d)"),
    re.compile(r"(?<![\d-])(?P<month>\d{1,2})\s*[-月]\s*(?P<day>\d{1,2})\s*日?(?![\d-])"),
    re.compile(rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)", re.I),
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}})\s+{_MONTH}", re.I),
]
_AGO = re.compile(
    r"(?P<n>\d+|几|半|an?|one|a few)\s*[个個]?\s*(?P<unit>秒钟?|分[钟鐘]|小[时時]|天|日|周|星期|月|年"
    r"|sec(?:ond)?s?|min(?:ute)?s?|h(?:ou)?rs?|days?|weeks?|months?|years?)\s*(?:之?前|ago)",
    re.I,
)
_UNITS: list[tuple[str, timedelta, Precision]] = [
    ("秒s", timedelta(seconds=1), "second"),
    ("分", timedelta(minutes=1), "minute"),
    ("小h", timedelta(hours=1), "hour"),
    ("天日d", timedelta(days=1), "day"),
    ("周星w", timedelta(weeks=1), "day"),
    ("年y", timedelta(days=365), "day"),
]
_DAYS = [(re.compile(r"前天"), 2), (re.compile(r"昨天|昨日|\byesterday\b", re.I), 1), (re.compile(r"今天|今日|\btoday\b", re.I), 0)]
_WEEKDAY = re.compile(r"\b(mon|tues|wednes|thurs|fri|satur|sun)day\b", re.I)
_WEEKDAYS = ["mon", "tues", "wednes", "thurs", "fri", "satur", "sun"]
_NOW = re.compile(r"刚刚|剛剛|just now|moments? ago|a few seconds ago", re.I)


def moment(text: str | None, fetched_at: datetime, zone: str) -> Moment | None:
    """The moment that `text` tells, in UTC, with its precision; None when it tells none.

    `text` may hold other words around the date (发表于 …, "by … on …"). `fetched_at` is aware, `zone` an IANA name.
    """
    if not text:
        return None
    now = fetched_at.astimezone(ZoneInfo(zone))
    for read in (_iso, _relative, _near_day, _dated):
        try:
            found = read(text[:_LONGEST], now)
            if found and found[0].year >= _FIRST_YEAR:
                return found[0].astimezone(UTC), found[1]
        except (ValueError, OverflowError):  # 31 February, hour 25, year 9999
            continue
    return None


def epoch(text: str | None) -> Moment | None:
    """Seconds, or milliseconds, since 1970; None when it is not such a number."""
    if not text or not re.fullmatch(r"\d{9,13}", text):
        return None
    return datetime.fromtimestamp(int(text) / (1000 if len(text) > 11 else 1), UTC), "second"


def _iso(text: str, now: datetime) -> Moment | None:
    match = _ISO.search(text)
    if not match:
        return None
    value = datetime.fromisoformat(match[0].replace(",", ".").replace(" +", "+").replace(" Z", "Z"))
    precision: Precision = "second" if match[0].count(":") - bool(re.search(r"[+-]\d\d:\d\d$", match[0])) > 1 else "minute"
    return (value if value.tzinfo else value.replace(tzinfo=now.tzinfo)).replace(microsecond=0), precision


def _relative(text: str, now: datetime) -> Moment | None:
    if _NOW.search(text):
        return _cut(now, "minute"), "minute"
    match = _AGO.search(text)
    if not match:
        return None
    step, precision = _unit(match["unit"].lower())
    number = match["n"].lower()
    if number == "半":
        step, number, precision = step / 2, "1", "minute" if precision == "hour" else precision
    steps = int(number) if number.isdigit() else 3 if number in ("几", "a few") else 1
    since = now if precision == "day" else now.astimezone(UTC)  # hours are counted through a change of the clocks
    return _cut((since - steps * step).astimezone(now.tzinfo), precision), precision


def _unit(word: str) -> tuple[timedelta, Precision]:
    if word.startswith(("mon", "月")):
        return timedelta(days=30), "day"
    if word.startswith("min"):
        return timedelta(minutes=1), "minute"
    return next((step, precision) for initials, step, precision in _UNITS if word[0] in initials)


def _near_day(text: str, now: datetime) -> Moment | None:
    """昨天 12:30, Today at 5:01 PM, Monday at 3 p.m."""
    for pattern, back in _DAYS:
        match = pattern.search(text)
        if match:
            return _at(now.date() - timedelta(days=back), text[match.end() :], now)
    match = _WEEKDAY.search(text)
    if match and not re.search(r"\d{4}", text):
        back = (now.weekday() - _WEEKDAYS.index(match[1].lower())) % 7
        return _at(now.date() - timedelta(days=back), text[match.end() :], now)
    return None


def _dated(text: str, now: datetime) -> Moment | None:
    for pattern in _DATES:
        match = pattern.search(text)
        if match:
            fields = match.groupdict()
            month = int(fields["month"]) if fields.get("month") else _MONTHS[fields["name"][:3].lower()]
            day = _day(fields.get("year"), month, int(fields["day"]), now)
            return _at(day, text[: match.start()][-12:] + _rest(match, text), now)
    return None


def _rest(match: re.Match[str], text: str) -> str:
    """What follows the day: the clock of `Jun 15 11:44:46 +0800 2019` stands inside the match."""
    inside = re.search(r"\d{1,2}:\d{2}.*", match[0])
    return f" {inside[0][: -len(match['year'])]} " if inside else " " + text[match.end() :]


def _day(year: str | None, month: int, day: int, now: datetime) -> date:
    if year:
        return date(int(year), month, day)
    for candidate in range(now.year, now.year - 5, -1):  # 29 February needs up to four years
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if found <= now.date() + timedelta(days=1):
            return found
    raise ValueError("no such day")


def _at(day: date, text: str, now: datetime) -> Moment:
    """`day` at the clock that `text` shows, if any."""
    for match in _CLOCK.finditer(text[:60]):
        if match["word"]:
            return datetime.combine(day, time(12 if match["word"].lower() == "noon" else 0), now.tzinfo), "minute"
        if match["minute"] or match["ampm"] or (match["half"] and match["sharp"]):
            clock, days = _time(match)
            value = datetime.combine(day + timedelta(days=days), clock, now.tzinfo)
            offset = _OFFSET.search(text, match.end())
            return (value.replace(tzinfo=_fixed(offset)) if offset else value), "second" if match["second"] else "minute"
    return datetime.combine(day, time(), now.tzinfo), "day"


def _time(match: re.Match[str]) -> tuple[time, int]:
    """The time shown, and how many days after the date shown: 晚上12:30 is in the night that follows."""
    hour, half = int(match["hour"]), match["half"] or (match["ampm"] or "")[:1].lower()
    minute = 30 if match["minute"] == "半" else int(match["minute"] or 0)
    midnight = half == "晚上" and hour in (0, 12)
    if midnight or (hour == 12 and half in ("a", "上午", "凌晨")):
        hour = 0
    elif (hour < 12 and half in ("p", "下午", "晚上")) or (hour < 10 and half == "中午"):
        hour += 12
    return time(hour, minute, int(match["second"] or 0)), int(midnight)


def _fixed(match: re.Match[str]) -> tzinfo:
    if not match["sign"]:
        return UTC
    offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
    return timezone(-offset if match["sign"] == "-" else offset)


def _cut(value: datetime, precision: Precision) -> datetime:
    """`value` without what is finer than `precision`."""
    finer = ("microsecond", "second", "minute", "hour")[: ("second", "minute", "hour", "day").index(precision) + 1]
    return value.replace(**dict.fromkeys(finer, 0))  # type: ignore[arg-type]
