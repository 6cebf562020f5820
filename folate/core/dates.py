"""Times as people, sites and programs write them, in Chinese and in English, to a moment in UTC.

The grammar is our own. dateutil takes an unknown time zone for none and 5/6 for May, dateparser
fills what is missing from today and needs milliseconds a date; neither knows 晚上12:30.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from folate.core.numerals import normalize_numerals
from folate.core.post import TimePrecision
from folate.core.zones import UnknownTimezoneError, timezone_at

TimestampWithPrecision = tuple[datetime, TimePrecision]
DateOrder = Literal["mdy", "dmy", "ymd"]
"""Which of month, day and year comes first, second and third in 3/8/2026."""

DateRejectReason = Literal["date in the future", "date too early"]

MIN_POST_TIME = datetime(
    1990, 1, 1, tzinfo=UTC
)  # before the web; 1970 and 1980 are clocks never set
_GRACE = timedelta(days=1)  # for clocks that are wrong and zones that are not known
_LONGEST_DATE = 100  # characters; JavaScript's, with the zone's long name, has some 70
_LONGEST_TEXT = 300  # characters around a date
_GAP = 15  # characters between a day and its clock
_RECENT = 10  # years; a year of two digits that comes first is not older

_NUMBER_WORDS = [
    "a",
    "an",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_AMOUNTS = dict(zip(_NUMBER_WORDS, (1, 1, *range(1, 13)), strict=True))
_AMOUNTS |= {"a few": 3, "几": 3, "a couple of": 2, "half a": 0.5, "half an": 0.5, "半": 0.5}
_UNITS: tuple[tuple[str, str], ...] = (  # the last that fits
    ("second", r"seconds?|secs?|s|秒钟?"),
    ("minute", r"minutes?|mins?|m|分钟?"),
    ("quarter", r"刻钟?"),
    ("hour", r"hours?|hrs?|h|小时|钟头"),
    ("day", r"days?|d|天|日"),
    ("week", r"weeks?|wks?|w|周|星期|礼拜"),
    ("month", r"months?|mths?|mos?|月"),
    ("year", r"years?|yrs?|y|年"),
)
_UNIT_NAMES = {name: re.compile(pattern, re.IGNORECASE | re.ASCII) for name, pattern in _UNITS}
_SECONDS = {"second": 1, "minute": 60, "quarter": 900, "hour": 3600}
_DAYS_OF = {"day": 1, "week": 7}
_MONTHS_OF = {"month": 1, "year": 12}
_FINEST: tuple[TimePrecision, ...] = ("second", "minute", "hour", "day")
_EXACTNESS: dict[str, TimePrecision] = {
    "second": "second",
    "minute": "minute",
    "quarter": "minute",
    "hour": "hour",
}
_FINER: dict[TimePrecision, TimePrecision] = {
    "day": "hour",
    "hour": "minute",
    "minute": "second",
    "second": "second",
}
_UNIT = "|".join(sorted((u for _, p in _UNITS for u in p.split("|")), key=len, reverse=True))
_LONG_UNITS = "|".join(unit for unit in _UNIT.split("|") if len(unit) > 1 or not unit.isascii())
_WORDY = r"(?:half an?|a few|a couple of|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?![a-z])"
_PART = (
    rf"(?:(?<![\d.,:/+\-\u2044几多一二两三四五六七八九十百千a-z])(?:\d{{1,5}}(?:\.\d{{1,3}})?|{_WORDY}|几|半))"
    rf" ?个?(?: and a half|半)? ?(?:(?:{_UNIT})(?![a-z])\.?)(?: and a half|半)?"
)

_MONTHS = dict(
    zip(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        range(1, 13),
        strict=True,
    )
)
_MONTH_NAMES = (
    _MONTHS
    | {  # also in full
        name: _MONTHS[name[:3]]
        for name in [
            "january",
            "february",
            "march",
            "april",
            "june",
            "july",
            "august",
            "sept",
            "september",
            "october",
            "november",
            "december",
        ]
    }
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z\u00c0-\u024f])"
)
_ORDINAL = r"(?:st|nd|rd|th)?"
_AFTER = r"(?!\d|[-/.]\d)"  # 2020/5/171 and 1.2.3.4 hold no date
_ERAS = {"民国": 1911, "平成": 1988, "令和": 2018}  # years before the first of the era
_OWN_ERAS = frozenset({"Asia/Taipei", "ROC", "Asia/Tokyo", "Japan"})  # 15年 is no 2015 there
_NUMBERS_ONLY = (
    r"(?P<abc>(?<![a-z\d])(?<!\d[./-])(?P<abc_a>\d{1,2})(?P<abc_sep>[-/.]) ?(?P<abc_b>\d{1,2})"
    rf"(?P=abc_sep) ?(?P<abc_c>\d{{4}}|\d{{1,2}})(?!:){_AFTER})"
)
_FROM_DIGITS = (
    r"(?P<ymd>(?<!\d)(?<!\d[./-])(?P<ymd_y>\d{4}) ?[-/.年] ?(?P<ymd_m>\d{1,2}) ?[-/.月] ?"
    rf"(?P<ymd_d>\d{{1,2}})(?: ?[日号]|{_AFTER}))",
    rf"(?P<dn>(?<![\d.,:/-])(?P<dn_d>\d{{1,2}}){_ORDINAL}\.?(?: of)?[ /-]?{_MONTH}\.?"
    r"(?:,?[ /-]{1,2}(?P<dn_y>\d{4}(?![\d点时])|\d{2}(?=$|,| \d{1,2}:)))?(?![-/\d]))",
    _NUMBERS_ONLY,
    r"(?P<md>(?<![\d年])(?<!年 )(?P<md_m>\d{1,2}) ?月 ?(?P<md_d>\d{1,2})(?: ?[日号]|(?!\d)))",
    r"(?P<short>(?<![\d和成正治国])(?P<short_y>\d{2}) ?年 ?(?P<short_m>\d{1,2}) ?月 ?"
    r"(?P<short_d>\d{1,2})(?: ?[日号]|(?!\d)))",
    rf"(?P<yn>(?<!\d)(?P<yn_y>\d{{4}})[ /,-]{{1,2}}{_MONTH}\.?[ /-](?P<yn_d>\d{{1,2}}){_ORDINAL}"
    r"(?![\d:]))",
    r"(?P<hyphen>(?<![a-z\d./:-])(?P<hyphen_m>\d{1,2})-(?P<hyphen_d>\d{1,2})(?![\d./:-])"
    rf"(?! ?(?:{_UNIT}|楼|个)(?![a-z])))",
)
_FROM_MONTHS = (
    rf"(?P<mn>(?<![a-z]){_MONTH}\.? ?(?P<mn_d>\d{{1,2}}){_ORDINAL}(?![\d:])"
    r"(?:,? ?(?P<mn_y>\d{4})(?![\d:]))?)"
)
_FROM_WORDS = (
    r"(?P<era>(?:中华)?(?P<era_name>民国|令和|平成) ?(?P<era_y>\d{1,3}|元) ?[年/.-] ?(?P<era_m>\d{1,2})"
    r" ?[月/.-] ?(?P<era_d>\d{1,2})(?: ?[日号]|(?!\d)))",
    r"(?P<said>(?P<said_year>今年|去年|前年) ?(?P<said_m>\d{1,2}) ?月 ?(?P<said_d>\d{1,2}) ?[日号]?)",
    r"(?P<monthly>(?P<monthly_month>上个?月|本月|这个?月) ?(?P<monthly_d>\d{1,2}) ?[日号])",
    r"(?P<word>大前天|前天|昨天|昨日|今天|今日|\bthe day before yesterday\b"
    r"|\b(?:day before )?yesterday\b|\btoday\b)",
)
_DAY = re.compile(  # the lookaheads spare most attempts
    rf"(?=\d)(?:{'|'.join(_FROM_DIGITS)})|(?=[jfmasond][a-z]{{2}})(?:{_FROM_MONTHS})"
    rf"|(?=[ytd中民令平今去前上本这大昨])(?:{'|'.join(_FROM_WORDS)})",
    re.IGNORECASE | re.ASCII,
)
_CTIME = re.compile(  # Sun Mar 08 12:30:00 CST 2026: the year behind the clock
    rf"({_MONTH} \d{{1,2}})( \d{{1,2}}:\d{{2}}(?::\d{{2}})?(?: ?[ap]m)?)( [a-z+-][a-z\d:+-]{{0,11}})?"
    r"( \d{4})(?![\d:])",
    re.IGNORECASE | re.ASCII,
)
_ORDERED = re.compile(_NUMBERS_ONLY, re.IGNORECASE | re.ASCII)
_WORDS = {"大前天": 3, "前天": 2, "day before yesterday": 2, "the day before yesterday": 2}
_WORDS |= {"昨天": 1, "昨日": 1, "yesterday": 1, "今天": 0, "今日": 0, "today": 0}
_LAST_NIGHT = {
    "昨晚": "昨天晚上",
    "昨夜": "昨天晚上",
    "今晚": "今天晚上",
    "今早": "今天早上",
    "前晚": "前天晚上",
}
_NIGHT = re.compile("|".join(_LAST_NIGHT))
_ZONE_BEFORE = re.compile(  # UTC+8 2026-03-08 12:30
    r"\b(?:UTC|GMT)(?: ?[+-] ?\d{1,2}(?::?\d{2})?)?(?=[ ,:()]{1,2}$)", re.ASCII
)
_LUNAR = re.compile("农历|農曆|阴历|陰曆|旧历|正月|腊月")
_LOG = re.compile(r"(/\d{4}):(?=\d\d:)", re.ASCII)

_WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_WEEKDAYS |= {char: n for n, char in enumerate("一二三四五六日")} | {"天": 6}
_WEEKDAY_NAME = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)"
)
_WEEKDAY = re.compile(
    r"(?<![下每])(?<!下个)(?P<week>(?:(?:上上|上|本|这)个?)?)(?:周|星期|礼拜)(?P<zh>[一二三四五六日天])"
    rf"|\b(?<!next )(?<!every )(?P<last>(?:last |this )?)(?P<en>(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    rf"{_WEEKDAY_NAME}(?=\.?,? (?:at )?\d{{1,2}}:\d))\b",
    re.IGNORECASE | re.ASCII,
)

_EARLY = frozenset(["am", "上午", "早上", "早晨", "清晨", "清早", "凌晨", "午前", "午夜"])
_LATE = frozenset(["pm", "下午", "午后", "傍晚", "黄昏"])
_NIGHTS = frozenset(
    ["晚上", "晚间", "夜里", "夜晚", "夜间", "深夜", "半夜", "晚"]
)  # 半夜1点 follows that day
_NOON = frozenset(["中午", "正午"])
_HALF = "|".join(sorted(_EARLY | _LATE | _NIGHTS | _NOON, key=len, reverse=True))
_CLOCK = re.compile(
    rf"(?:(?P<half>{_HALF}) ?)?(?<![\d:.+-])(?P<hour>\d{{1,2}})(?:"
    r":(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"|(?P<sharp>[点时])(?![赞评击播]) ?(?:(?P<part>半|[13] ?刻)"
    r"|(?P<zh_minute>\d{1,2})(?: ?分)?(?: ?(?P<zh_second>\d{1,2}) ?秒)?|整|钟)?)?(?![\d:])(?: ?(?P<tail>[ap]\.?m\b\.?))?"
    r"|(?P<named>\bnoon\b|\bmidnight\b|正午|午夜)",
    re.IGNORECASE | re.ASCII,
)
_FILLER = re.compile(
    rf"{_WEEKDAY_NAME}(?![a-z])\.?|(?:周|星期|礼拜)[一二三四五六日天]|\((?:[一二三四五六日天月火水木金土])\)"
    rf"|\b(?:at|on|the|about|over|almost|around|t)\b|{_HALF}|[于的约]|大约|北京时间|[\s,;·|@()\[\].-]",
    re.IGNORECASE | re.ASCII,
)

_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<clock>\d\d(?::\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?)"
    r"(?: ?(?P<zone>Z|[+-]\d\d:?\d\d))?)?",
    re.ASCII,
)
# the commonest forms of files, which the grammar reads too, in a fifth of its time
_NUMERIC = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日)"
    r"(?: (\d{1,2}):(\d\d)(?::(\d\d))?)?",
    re.ASCII,
)
_ENGLISH = re.compile(
    r"(?:([A-Za-z]{3,9}) (\d{1,2}), (\d{4})|(\d{1,2})[/-](\d{1,2})[/-](\d{4}))"
    r"(?:,? (\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([AaPp])[Mm])?)?",
    re.ASCII,
)
_MAIL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(?P<day>\d{1,2}) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4})"
    r" (?P<clock>\d\d:\d\d:\d\d) (?P<zone>GMT|[+-]\d{4})",
    re.ASCII,
)
_WEIBO = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>\d{2}) (?P<clock>\d\d:\d\d:\d\d)"
    r" (?P<zone>[+-]\d{4}) (?P<year>\d{4})",
    re.ASCII,
)
_COMPACT = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d)(?::?(\d\d)(?::?(\d\d)(\.\d{1,9})?)?)?)?"
    r"( ?(?:Z|[+-]\d\d:?\d\d))?",
    re.ASCII,
)
_ISO_WEEK = re.compile(r"(\d{4})-?W(\d\d)-?(\d)", re.ASCII)
_DIGITS = re.compile(r"\d{5,19}(?:\.\d{1,9})?", re.ASCII)
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d{1,18}))?e\+?(\d{1,2})", re.ASCII | re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCHS = (  # microseconds of one unit; units since 1970 from 1990 to 2286
    (1_000_000.0, 631_152_000, 10**10),
    (1_000.0, 631_152_000_000, 10**13),
    (1.0, 631_152_000_000_000, 10**16),
    (0.001, 631_152_000_000_000_000, 10**19),
)
_SPREADSHEET_DAYS = 20_000, 80_000  # since 1899-12-30: 1954 to 2119

_AGO = re.compile(
    rf"(?:{_PART}(?:,? and |[, 又零]{{0,2}})){{1,6}}"
    r"(?:ago\b|(?:之|以)?前(?![天日年后半晚夜]))",
    re.IGNORECASE | re.ASCII,
)
_SHOWN_ALONE = re.compile(
    r"(?:\d{1,3} ?(?:[smhdwy]|mo|min|hr|yr|mos|mins|hrs|yrs)(?![a-z])\.? ?){1,3}",
    re.IGNORECASE | re.ASCII,
)
_CUT_OFF = re.compile(  # another amount before those that could be joined
    r"\d ?(?:" + _LONG_UNITS + r")[ ,&+]{0,3}(?:[a-z]{1,5}[ ,]{1,2})?$", re.IGNORECASE | re.ASCII
)
_ONE_PART = re.compile(
    rf"(?P<number>(?<![\d.])\d{{1,5}}(?:\.\d{{1,3}})?|{_WORDY}|几|半) ?个?(?P<half> and a half|半)? ?"
    rf"(?P<unit>{_UNIT})(?![a-z])\.?(?P<half_after> and a half|半)?",
    re.IGNORECASE | re.ASCII,
)
_NOW = re.compile(
    r"刚刚|刚才|\bjust now\b|\b(?:a )?moments? ago\b|\b(?:a few )?seconds ago\b"
    r"|\bless than a minute ago\b|^now$",
    re.IGNORECASE | re.ASCII,
)
_LAST = re.compile(
    r"(?P<zh>(?:上上|上)个?)(?P<zh_unit>周|星期|礼拜|月)(?![一二三四五六日天\d])(?! \d)"
    r"|(?P<year>去年|前年)(?! ?\d)|\blast (?P<en>week|month|year)\b",
    re.IGNORECASE | re.ASCII,
)


class DateError(ValueError):
    """A date that can't be read; the message says why."""


class AmbiguousDateOrderError(DateError):
    """Day and month can't be told apart, and nothing says which comes first."""


class _ImpossibleError(DateError):
    """What looks like a date is none: month 13, hour 25."""


def parse_date(
    value: object,
    timezone: str,
    now: datetime,
    date_order: DateOrder | None = None,
    *,
    allow_relative: bool = False,
) -> TimestampWithPrecision:
    """Read a value that is a date and nothing else: a moment in UTC and its precision.

    A clock without an offset is one of `zone` (an IANA name), a date without a clock the start of
    that day there. A date without a year is the latest such day that is not ahead of `now`.
    `order` reads 3/8/2026, when it is known. What is told from the time of reading (3 天前,
    yesterday) is read only where `relative` says that `now` is the time at which it was shown.
    Raises DateError, saying what is wrong.
    """
    try:
        return _read(value, timezone, now, date_order, allow_relative)
    except (OverflowError, UnknownTimezoneError) as error:
        raise DateError(str(error) or "out of range") from error


def find_date(
    text: str | None, timezone: str, shown_at: datetime, date_order: DateOrder | None = None
) -> TimestampWithPrecision | None:
    """Find the first date in a text of a page that may hold other words (发表于 …, by … on …).

    Reads what `read_date` does, relative dates from `shown_at`. Returns None when the text tells
    no date. Raises DateError when it tells one that can't be read: an unknown time zone, or 5/6/2020.
    """
    if not text:
        return None
    start = text[:_LONGEST_TEXT]
    is_cut = len(text) > _LONGEST_TEXT
    try:
        return _whole(start.strip(), timezone, shown_at, date_order) or _find(
            normalize_numerals(start), timezone, shown_at, date_order, is_cut
        )
    except (OverflowError, UnknownTimezoneError) as error:
        raise DateError(str(error) or "out of range") from error


def date_reject_reason(moment: datetime, now: datetime) -> DateRejectReason | None:
    """Say why no post is of this moment, in the words of a reject; None when one may be."""
    if moment > now + _GRACE:
        return "date in the future"
    return "date too early" if moment < MIN_POST_TIME else None


@dataclass
class DateOrderEvidence:
    """What the dates of one file or page say about the order of day and month in them.

    `only` counts the dates that can be read in one order only, `ambiguous` the others.
    """

    unambiguous_counts: Counter[DateOrder] = field(default_factory=Counter)
    ambiguous_count: int = 0

    def add_value(self, value: object, now: datetime) -> None:
        """Count a value of the date column, if it is such a date."""
        shown = normalize_numerals(value[:_LONGEST_DATE]) if isinstance(value, str) else ""
        for match in _ORDERED.finditer(shown):
            readings = _readings(match, now)
            if len(readings) == 1:
                self.unambiguous_counts.update(readings.keys())
            elif len(set(readings.values())) > 1:
                self.ambiguous_count += 1

    @property
    def order(self) -> DateOrder | None:
        """The one order that all dates allow; None without evidence or when it conflicts."""
        return next(iter(self.unambiguous_counts)) if len(self.unambiguous_counts) == 1 else None

    def __str__(self) -> str:
        shown = ", ".join(
            f"{order} by {count:,} dates" for order, count in self.unambiguous_counts.most_common()
        )
        if self.order:
            return f"{shown}, {self.ambiguous_count:,} ambiguous"
        if shown:
            return f"conflicting: {shown}; {self.ambiguous_count:,} ambiguous not read"
        return f"no date shows the order; {self.ambiguous_count:,} ambiguous not read"


def is_ambiguous_date(value: object, now: datetime) -> bool:
    """Whether a value is a date like 3/8/2026, whose order only the other dates may tell."""
    if not isinstance(value, str) or value[:4].isdecimal():  # most dates: the year is first
        return False
    if value.isascii() and not ("/" in value or "-" in value or "." in value):
        return False
    match = _ORDERED.search(normalize_numerals(value[:_LONGEST_DATE]))
    return match is not None and len(set(_readings(match, now).values())) > 1


def _read(
    value: object, zone: str, now: datetime, order: DateOrder | None, relative: bool
) -> TimestampWithPrecision:
    if isinstance(value, str):
        text = value.strip()
        if not relative:
            return _written(text, zone, now, order)
        return _whole(text, zone, now, order) or _grammar(text, zone, now, order, relative=True)
    if isinstance(value, datetime):
        return _in_utc(value, ZoneInfo(zone)), "day" if _is_midnight(value) else "second"
    if isinstance(value, date):
        return _in_utc(datetime.combine(value, time()), ZoneInfo(zone)), "day"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise DateError("no finite number")
        return _number(value, zone)
    raise DateError("neither a date nor a time")


@lru_cache(maxsize=65_536)  # many posts of a file share a day
def _written(
    text: str, zone: str, now: datetime, order: DateOrder | None
) -> TimestampWithPrecision:
    return _whole(text, zone, now, order) or _grammar(text, zone, now, order, relative=False)


def _whole(
    text: str, zone: str, now: datetime, order: DateOrder | None = None
) -> TimestampWithPrecision | None:
    """Read the forms of programs that leave nothing to find out: ISO 8601 and numbers."""
    if match := _ISO.fullmatch(text):
        return _iso(match, zone)
    if match := _NUMERIC.fullmatch(text):
        return _numeric(match, zone)
    if match := _ENGLISH.fullmatch(text):
        return _english(match, zone, order)
    if match := _MAIL.fullmatch(text) or _WEIBO.fullmatch(text):
        return _named(match)
    if match := _ISO_WEEK.fullmatch(text):
        year, week, weekday = map(int, match.groups())
        day = _checked(lambda: date.fromisocalendar(year, week, weekday))
        return _in_utc(datetime.combine(day, time()), ZoneInfo(zone)), "day"
    if match := _SCIENTIFIC.fullmatch(text):
        return _scientific(match, zone)
    if _DIGITS.fullmatch(text):
        return _number(float(text) if "." in text else int(text), zone)
    if (match := _COMPACT.fullmatch(text)) and 1900 <= int(match[1]) < 2100:
        return _compact(match, zone, now)
    return None


def _iso(match: re.Match[str], zone: str) -> TimestampWithPrecision | None:
    clock = match["clock"]
    text = match["day"] + (f"T{clock}" if clock else "") + (match["zone"] or "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        if clock and clock.startswith("24"):
            return None
        raise _ImpossibleError("no such day or hour") from error
    colons = clock.count(":") if clock else -1
    return _in_utc(moment, ZoneInfo(zone)), _FINEST[2 - colons]


def _numeric(match: re.Match[str], zone: str) -> TimestampWithPrecision | None:
    """Read 2026/3/8 12:30; None for what the grammar must judge, such as 24:00."""
    year, month, day, zh_month, zh_day, hour, minute, second = match.groups()
    return _local(year, int(month or zh_month), int(day or zh_day), hour, minute, second, zone)


def _english(
    match: re.Match[str], zone: str, order: DateOrder | None
) -> TimestampWithPrecision | None:
    """Read March 8, 2026 3:20 PM and 3/13/2026; None for what the grammar must judge."""
    name, day, year, first, second, last, hour, minute, seconds, half = match.groups()
    if name:
        month, day_number = _MONTH_NAMES.get(name.lower(), 0), int(day)
    else:
        month, day_number, year = int(first), int(second), last
        if order == "dmy" or (order is None and month > 12):
            month, day_number = day_number, month
        elif order is None and day_number <= 12:
            return None
    if half and int(hour) < 13:
        hour = str(int(hour) % 12 + 12 * (half in "pP"))
    elif half:
        return None
    return _local(year, month, day_number, hour, minute, seconds, zone)


def _local(
    year: str, month: int, day: int, hour: str, minute: str, second: str, zone: str
) -> TimestampWithPrecision | None:
    """A moment by a clock of `zone`; None when there is none."""
    try:
        moment = datetime(  # noqa: DTZ001  # _in_utc gives the zone
            int(year), month, day, int(hour or 0), int(minute or 0), int(second or 0)
        )
    except ValueError:
        return None
    precision: TimePrecision = "second" if second else "minute" if minute else "day"
    return _in_utc(moment, ZoneInfo(zone)), precision


def _named(match: re.Match[str]) -> TimestampWithPrecision | None:
    """Read the date of a mail or of Weibo's API; None for what the grammar must judge."""
    month = _MONTHS.get(match["month"].lower(), 0)
    offset = match["zone"].replace("GMT", "+0000")
    if offset[1:] > "1200":
        return None
    text = f"{match['year']}-{month:02}-{int(match['day']):02}T{match['clock']}{offset}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC), "second"
    except ValueError:
        return None


def _compact(match: re.Match[str], zone: str, now: datetime) -> TimestampWithPrecision:
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    clock = ":".join(filter(None, (hour, minute, second))) + (fraction or "")
    if hour and not minute:
        clock += ":00"
    moment, precision = _grammar(
        f"{year}-{month}-{day} {clock}{offset or ''}", zone, now, None, relative=False
    )
    return moment, "hour" if hour and not minute else precision


def _scientific(match: re.Match[str], zone: str) -> TimestampWithPrecision:
    """Read 1.773500000000E+12; what a spreadsheet has rounded to more than a second is refused."""
    fraction = match[2] or ""
    exponent = int(match[3])
    shift = exponent - len(fraction)
    value = int(match[1] + fraction) * 10**shift if 0 <= shift <= 18 else 0
    for microseconds, least, most in _EPOCHS:
        if least <= value < most and 10**shift * microseconds > 1_000_000:
            raise DateError(
                f"a number rounded to {10**shift * microseconds / 3.6e9:.2g} hours; write all its digits"
            )
    return _number(value, zone)


def _number(value: float, zone: str) -> TimestampWithPrecision:
    """Read seconds to nanoseconds since 1970, or the digits of a day, 20260308, and of a clock."""
    for microseconds, least, most in _EPOCHS:
        if least <= value < most:
            return _EPOCH + timedelta(microseconds=value * microseconds), "second"
    digits = str(int(value)) if value == int(value) else ""
    if len(digits) in (8, 12, 14) and digits.startswith(("19", "20")):
        if moment := _compact_digits(digits, zone):
            return moment
        raise _ImpossibleError("no such day")
    if _SPREADSHEET_DAYS[0] <= value < _SPREADSHEET_DAYS[1]:
        raise DateError("the number of a spreadsheet's day; format the column as a date")
    raise DateError("neither seconds nor milliseconds since 1970")


def _compact_digits(digits: str, zone: str) -> TimestampWithPrecision | None:
    layout = "%Y%m%d%H%M%S"[: {8: 6, 12: 10, 14: 12}[len(digits)]]
    try:
        moment = datetime.strptime(digits, layout)  # noqa: DTZ007  # _in_utc gives the zone
    except ValueError:
        return None
    precision: TimePrecision = {8: "day", 12: "minute", 14: "second"}[len(digits)]  # type: ignore[assignment]
    return _in_utc(moment, ZoneInfo(zone)), precision


@dataclass
class _Found:
    """A moment and the parts of the text that tell it, as (start, end)."""

    moment: TimestampWithPrecision
    parts: list[tuple[int, int]]


def _grammar(
    text: str, zone: str, now: datetime, order: DateOrder | None, *, relative: bool
) -> TimestampWithPrecision:
    """Read a text that is a date and nothing else."""
    if len(text) > _LONGEST_DATE:
        raise DateError(f"longer than {_LONGEST_DATE} characters")
    shown = _arranged(normalize_numerals(text), zone)
    found = _search(shown, zone, now, order, relative=relative)
    if found is None:
        raise DateError("no known way to write a date")
    rest = []
    last = 0
    for start, end in sorted(found.parts):
        rest.append(shown[last:start])
        last = end
    rest.append(shown[last:])
    if left := _FILLER.sub(" ", " ".join(rest)).strip():
        raise DateError(f"a date and something that is none: {left[:40]!r}")
    return found.moment


def _find(
    shown: str, zone: str, shown_at: datetime, order: DateOrder | None, is_cut: bool
) -> TimestampWithPrecision | None:
    """Read the first date of a text; one that touches a cut end may go on behind it."""
    shown = _arranged(shown, zone)
    found = _search(shown, zone, shown_at, order, relative=True)
    if found and is_cut and max(end for _, end in found.parts) >= len(shown):
        raise DateError("a date that may go on behind the characters read")
    return found.moment if found else None


def _arranged(shown: str, zone: str) -> str:
    """Bring some forms to those of the others: 昨晚 is 昨天晚上, a year behind the clock goes before it.

    Raises UnknownZoneError for what stands between such a clock and its year and is no zone.
    """

    def with_year_first(match: re.Match[str]) -> str:
        day, clock, written, year = match.groups(default="")
        if written and not timezone_at(written, 0, zone):
            raise UnknownTimezoneError(f"no known time zone: {written.strip()}")
        return f"{day}{year}{clock}{written}"

    if _LUNAR.search(shown):
        raise DateError("a day of the lunar calendar")
    shown = _NIGHT.sub(lambda match: _LAST_NIGHT[match[0]], shown)
    return _CTIME.sub(with_year_first, _LOG.sub(r"\1 ", shown))


def _search(
    shown: str, zone: str, now: datetime, order: DateOrder | None, *, relative: bool
) -> _Found | None:
    """Find the first date that `shown` tells, weekdays last: they mostly stand beside a day."""
    ago = _relative(shown, zone, now) if relative else None
    impossible = None
    for match in _DAY.finditer(shown):
        if ago and ago.parts[0][0] < match.start():
            return ago
        if match.lastgroup == "word" and not relative:
            raise DateError(_NOT_SAID)
        try:
            return _dated(shown, match, zone, now, order)
        except _ImpossibleError as error:
            impossible = impossible or error
    if ago:
        return ago
    weekday = _WEEKDAY.search(shown)
    if impossible and not weekday:
        raise impossible
    if not relative and (weekday or _relative(shown, zone, now)):
        raise DateError(_NOT_SAID)
    return _on_weekday(shown, weekday, zone, now) if weekday else None


_NOT_SAID = "told from when it was shown, and no column fetched_at says when that was"


def _dated(
    shown: str, match: re.Match[str], zone: str, now: datetime, order: DateOrder | None
) -> _Found:
    """Read the day of `match` with the clock and the zone beside it."""
    if match.lastgroup == "short" and zone in _OWN_ERAS:
        raise DateError("a year of two digits that may be one of an era")
    return _placed(shown, match.span(), lambda today: _day(match, today, order, now), zone, now)


def _on_weekday(shown: str, match: re.Match[str], zone: str, now: datetime) -> _Found:
    return _placed(shown, match.span(), lambda today: _weekday(match, today), zone, now)


def _placed(
    shown: str,
    span: tuple[int, int],
    day_of: Callable[[date], date],
    zone: str,
    now: datetime,
) -> _Found:
    """Put a day, the clock beside it and the zone behind that together.

    `day_of` gives the day, told what day it is now in that zone.
    """
    start, end = span
    clock = _clock_after(shown, end) or _clock_before(shown, start)
    zone_from = clock.end() if clock else end
    written = None
    if clock or not shown[end:].startswith(("+", "-")) or re.match(r"[+-]\d\d:\d\d", shown[end:]):
        written = timezone_at(shown, zone_from, zone)
    if written is None and clock and clock.end() <= start:
        written = timezone_at(shown, end, zone)
        zone_from = end
    if written is None and (before := _ZONE_BEFORE.search(shown, max(0, start - _GAP), start)):
        zone_from = before.start()
        written = timezone_at(shown, zone_from, zone)
    if written is None and not shown.isascii() and (beijing := shown.find("北京时间")) >= 0:
        written = timezone_at(shown, beijing, zone)
        zone_from = beijing
    moment_zone = written[0] if written else ZoneInfo(zone)
    day = day_of(now.astimezone(moment_zone).date())
    parts = [span]
    moment = datetime.combine(day, time())
    precision: TimePrecision = "day"
    if clock:
        hours, precision = _time(clock)
        moment += hours
        parts.append(clock.span())
    if written:
        parts.append((zone_from, written[1]))
    return _Found((_in_utc(moment, moment_zone), precision), parts)


def _clock_after(shown: str, end: int) -> re.Match[str] | None:
    for match in _CLOCK.finditer(shown, end):
        if match.start() - end > _GAP:
            return None
        if _is_clock(match):
            return match
    return None


def _clock_before(shown: str, start: int) -> re.Match[str] | None:
    """The last clock right before a day: 3:20 PM · Mar 8, 2026."""
    clocks = [m for m in _CLOCK.finditer(shown, max(0, start - 2 * _GAP), start) if _is_clock(m)]
    return clocks[-1] if clocks and start - clocks[-1].end() <= _GAP else None


def _is_clock(match: re.Match[str]) -> bool:
    return any(match[name] for name in ("minute", "tail", "sharp", "named"))


def _time(match: re.Match[str]) -> tuple[timedelta, TimePrecision]:
    """Time since the day began; more than a day for 晚上12:30, which lies in the next one."""
    if named := match["named"]:
        return timedelta(hours=12 if named.lower() in ("noon", "正午") else 0), "minute"
    hour = int(match["hour"])
    minute = match["minute"] or match["zh_minute"]
    if part := match["part"]:
        minute = "30" if part == "半" else str(int(part[0]) * 15)
    second = match["second"] or match["zh_second"]
    fraction = int(f"{match['fraction'] or 0:0<6}"[:6])
    minutes, seconds = int(minute or 0), int(second or 0)
    is_end_of_day = hour == 24 and minutes == seconds == fraction == 0
    if (hour > 23 and not is_end_of_day) or minutes > 59 or seconds > 59:
        raise _ImpossibleError("no such hour")
    hour = _hour(hour, (match["half"] or match["tail"] or "").lower().replace(".", ""))
    precision: TimePrecision = "second" if second else "minute" if minute else "hour"
    return timedelta(hours=hour, minutes=minutes, seconds=seconds, microseconds=fraction), precision


def _hour(hour: int, half: str) -> int:
    """Hours since the day began; evenings begin at five, and their small hours are after them."""
    if half in _NIGHTS and hour <= 12 and hour % 12 < 5:
        return hour % 12 + 24
    if half in _NIGHTS | _LATE and hour < 12:
        return hour + 12
    if half in _NOON and hour < 10:
        return hour + 12
    if half == "午夜" and 9 <= hour < 12:
        return hour + 12
    if half in _EARLY and hour > 12 and not (half == "午夜" and hour > 20):
        raise _ImpossibleError("an hour of the afternoon said to be one of the morning")
    return 0 if half in _EARLY and hour == 12 else hour


def _day(match: re.Match[str], today: date, order: DateOrder | None, now: datetime) -> date:
    """The day that a match of `_DAY` tells. Raises _ImpossibleError, AmbiguousOrderError."""
    shape = str(match.lastgroup)
    if shape == "abc":
        return _ordered_day(match, order, now)
    if shape == "word":
        return today - timedelta(days=_WORDS[match["word"].lower()])
    day = int(match[f"{shape}_d"])
    if shape == "monthly":
        months = 1 if match["monthly_month"].startswith("上") else 0
        month = _months_before(today.replace(day=1), months)
        return _checked(lambda: month.replace(day=day))
    if shape in ("yn", "dn", "mn"):
        name = re.search(_MONTH, match[0], re.IGNORECASE)
        month_number = _MONTHS[name[0][:3].lower()] if name else 0
    else:
        month_number = int(match[f"{shape}_m"])
    year = _year(match, shape, today)
    if year is None:
        return _latest(month_number, day, today)
    return _checked(lambda: date(year, month_number, day))


def _year(match: re.Match[str], shape: str, today: date) -> int | None:
    """The year that a match tells, or None."""
    if shape in ("hyphen", "md"):
        return None
    if shape == "said":
        return today.year - ("今年", "去年", "前年").index(match["said_year"])
    written = match[f"{shape}_y"]
    if written is None:
        return None
    if shape == "era":
        first = 1 if written == "元" else int(written)
        return _ERAS[match["era_name"]] + first
    return _full_year(int(written)) if len(written) == 2 else int(written)


def _full_year(two_digits: int) -> int:
    return two_digits + (2000 if two_digits < 70 else 1900)  # POSIX has 69 as the first of 1900


def _latest(month: int, day: int, today: date) -> date:
    """The latest day of this name that is not ahead; 29 February may be eight years away."""
    for year in range(today.year, today.year - 9, -1):
        try:
            candidate = date(year, month, day)
        except ValueError:
            continue
        if candidate <= today:
            return candidate
    raise _ImpossibleError("no such day")


def _ordered_day(match: re.Match[str], order: DateOrder | None, now: datetime) -> date:
    """3/8/2026 by the order given, or when only one makes a day; 8.3.2026 is day and month."""
    readings = _readings(match, now)
    if order:
        if order not in readings:
            raise _ImpossibleError(f"no such day in the order {order}")
        return readings[order]
    if not readings:
        raise _ImpossibleError("no such day")
    if len(set(readings.values())) == 1:
        return next(iter(readings.values()))
    if match["abc_sep"] == "." and "dmy" in readings and "ymd" not in readings:
        return readings["dmy"]
    raise AmbiguousDateOrderError(
        "day and month can't be told apart; --dates says which comes first"
    )


def _readings(match: re.Match[str], now: datetime) -> dict[DateOrder, date]:
    """The days that 3/8/26 may mean, by order."""
    a, b, c = (int(match[f"abc_{name}"]) for name in "abc")
    year = c
    orders: list[tuple[DateOrder, int, int, int]] = []
    if len(match["abc_c"]) < 4:
        year = _full_year(c) if len(match["abc_c"]) == 2 else 0  # no year has one digit
        if now.year - _RECENT <= _full_year(a) <= now.year:
            orders.append(("ymd", _full_year(a), b, c))
        if year > now.year:
            year = 0  # nobody writes of that year yet
    orders += [("mdy", year, a, b), ("dmy", year, b, a)]
    readings: dict[DateOrder, date] = {}
    for order, *parts in orders:
        try:
            readings[order] = date(*parts)
        except ValueError:
            continue
    return readings


def _weekday(match: re.Match[str], today: date) -> date:
    """The latest such day, today included; 上周五 is that of the last week, 本周五 of this one."""
    wanted = _WEEKDAYS[match["zh"] or match["en"][:3].lower()]
    weeks = match["week"].rstrip("个") if match["zh"] else ""
    if weeks:
        monday = today - timedelta(days=today.weekday() + 7 * weeks.count("上"))
        day = monday + timedelta(days=wanted)
    else:
        day = today - timedelta(days=(today.weekday() - wanted) % 7)
        if (match["last"] or "").lower().startswith("last") and day == today:
            day -= timedelta(days=7)
    if day > today:
        raise _ImpossibleError("a day of this week that has not come")
    return day


def _relative(shown: str, zone: str, now: datetime) -> _Found | None:
    """Read what is told from now: 刚刚, 1 day, 3 hours ago, 上周; the first such."""
    local = now.astimezone(ZoneInfo(zone))
    alone = shown.strip("·•|()- ")
    if alone and _SHOWN_ALONE.fullmatch(alone):
        return _Found(_before(local, _ONE_PART.finditer(alone)), [(0, len(shown))])
    if match := _AGO.search(shown):
        if _CUT_OFF.search(shown[max(0, match.start() - 30) : match.start()]):
            raise DateError("amounts of time that can't be added up")
        return _Found(_before(local, _ONE_PART.finditer(match[0])), [match.span()])
    if match := _NOW.search(shown):
        return _Found((_cut(local, "minute"), "minute"), [match.span()])
    if match := _LAST.search(shown):
        return _Found((_last(match, local), "day"), [match.span()])
    return None


def _last(match: re.Match[str], local: datetime) -> datetime:
    """Read 上周, 上上个月, 去年, last year as that many weeks, months or years before now."""
    unit = (match["en"] or "").lower() or {"月": "month"}.get(match["zh_unit"] or "", "week")
    count = (match["zh"] or "上").count("上")
    if match["year"]:
        unit, count = "year", ("去年", "前年").index(match["year"]) + 1
    if unit == "week":
        return _cut(local - timedelta(weeks=count), "day")
    day = _months_before(local.date(), count * _MONTHS_OF[unit])
    return _cut(datetime.combine(day, time(), local.tzinfo), "day")


def _before(local: datetime, parts: Iterable[re.Match[str]]) -> TimestampWithPrecision:
    """`local` less the sum of the parts, cut to how exact they are.

    Months and years are those of the calendar, days those of the wall clock, hours are counted
    through a change of the clocks.
    """
    months = days = seconds = 0.0
    precision: TimePrecision = "day"
    for part in parts:
        amount = _amount(part)
        unit = next(n for n, names in _UNIT_NAMES.items() if names.fullmatch(part["unit"]))
        if unit in _MONTHS_OF:
            months += amount * _MONTHS_OF[unit]
            continue
        if unit in _DAYS_OF:
            days += amount * _DAYS_OF[unit]
            continue
        seconds += amount * _SECONDS[unit]
        exact = _EXACTNESS[unit]
        exact = exact if amount == int(amount) else _FINER[exact]
        precision = min(precision, exact, key=_FINEST.index)
    days += months % 1 * 30
    if days % 1:
        precision = min(precision, "hour", key=_FINEST.index)
        seconds += days % 1 * 86_400
    day = _months_before(local.date(), int(months)) - timedelta(days=int(days))
    moment = datetime.combine(day, local.timetz())
    if seconds:
        moment = (moment.astimezone(UTC) - timedelta(seconds=seconds)).astimezone(local.tzinfo)
    return _cut(moment, precision), precision


def _amount(part: re.Match[str]) -> float:
    number = part["number"].lower()
    amount = _AMOUNTS[number] if number in _AMOUNTS else float(number)
    return amount + 0.5 * bool(part["half"]) + 0.5 * bool(part["half_after"])


def _months_before(day: date, months: int) -> date:
    """The same day that many months earlier, or the last one of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        raise DateError("before the first year")
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(last, day.day))
        except ValueError:
            continue
    raise DateError("no such day")


def _checked(make: Callable[[], date]) -> date:
    try:
        return make()
    except ValueError as error:
        raise _ImpossibleError("no such day") from error


def _cut(moment: datetime, precision: TimePrecision) -> datetime:
    """`moment` in UTC without what is finer than `precision`."""
    names: Sequence[str] = ("microsecond", "second", "minute", "hour")
    finer = names[: _FINEST.index(precision) + 1]
    return moment.replace(**dict.fromkeys(finer, 0)).astimezone(UTC)  # type: ignore[arg-type]


def _is_midnight(value: datetime) -> bool:
    """A cell that holds a day comes as its midnight."""
    return value.tzinfo is None and value.time() == time()


def _in_utc(moment: datetime, zone: tzinfo) -> datetime:
    """`moment` in UTC; a clock without an offset is one of `zone`."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
