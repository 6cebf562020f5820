"""Grammar of absolute dates: 2026年3月8日, 8 March 2026, 民国115年3月8日, 3月8日, 昨天."""

import re
from datetime import date, datetime, timedelta

from folate.core.dates.moments import ImpossibleDateError, require_valid_day, subtract_months
from folate.core.dates.order import (
    END_OF_DATE_PATTERN,
    NUMBERS_ONLY_PATTERN,
    DateOrder,
    expand_two_digit_year,
    resolve_ordered_day,
)
from folate.core.dates.relative import UNIT_PATTERN

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
MONTH_NUMBERS = {name[:3]: number for number, name in enumerate(_MONTHS, start=1)}
"""Numbers of the months by the first three letters of their English names."""

FULL_MONTH_NUMBERS = {
    **MONTH_NUMBERS,
    **{name: number for number, name in enumerate(_MONTHS, start=1)},
    "sept": 9,
}
"""Numbers of the months by their English names, short or in full."""

MONTH_PATTERN = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z\u00c0-\u024f])"
)
_ORDINAL_PATTERN = r"(?:st|nd|rd|th)?"
# Years before the first year of an era.
_ERA_OFFSETS = {"民国": 1911, "平成": 1988, "令和": 2018}

ERA_TIMEZONES = frozenset({"Asia/Taipei", "ROC", "Asia/Tokyo", "Japan"})
"""Zones of countries that count the years of an era: 15年 is not 2015 there."""

# Each alternative is a group named for its form, with the groups FORM_y, FORM_m and FORM_d.
_DIGITS_FIRST_PATTERNS = (
    r"(?P<ymd>(?<!\d)(?<!\d[./-])(?P<ymd_y>\d{4}) ?[-/.年] ?(?P<ymd_m>\d{1,2}) ?[-/.月] ?"
    rf"(?P<ymd_d>\d{{1,2}})(?: ?[日号]|{END_OF_DATE_PATTERN}))",
    rf"(?P<dn>(?<![\d.,:/-])(?P<dn_d>\d{{1,2}}){_ORDINAL_PATTERN}\.?(?: of)?[ /-]?"
    rf"{MONTH_PATTERN}\.?"
    r"(?:,?[ /-]{1,2}(?P<dn_y>\d{4}(?![\d点时])|\d{2}(?=$|,| \d{1,2}:)))?(?![-/\d]))",
    NUMBERS_ONLY_PATTERN,
    r"(?P<md>(?<![\d年])(?<!年 )(?P<md_m>\d{1,2}) ?月 ?(?P<md_d>\d{1,2})(?: ?[日号]|(?!\d)))",
    r"(?P<short>(?<![\d和成正治国])(?P<short_y>\d{2}) ?年 ?(?P<short_m>\d{1,2}) ?月 ?"
    r"(?P<short_d>\d{1,2})(?: ?[日号]|(?!\d)))",
    rf"(?P<yn>(?<!\d)(?P<yn_y>\d{{4}})[ /,-]{{1,2}}{MONTH_PATTERN}\.?[ /-]"
    rf"(?P<yn_d>\d{{1,2}}){_ORDINAL_PATTERN}(?![\d:]))",
    r"(?P<hyphen>(?<![a-z\d./:-])(?P<hyphen_m>\d{1,2})-(?P<hyphen_d>\d{1,2})(?![\d./:-])"
    rf"(?! ?(?:{UNIT_PATTERN}|楼|个)(?![a-z])))",
)
_MONTH_FIRST_PATTERN = (
    rf"(?P<mn>(?<![a-z]){MONTH_PATTERN}\.? ?(?P<mn_d>\d{{1,2}}){_ORDINAL_PATTERN}(?![\d:])"
    r"(?:,? ?(?P<mn_y>\d{4})(?![\d:]))?)"
)
_WORD_FIRST_PATTERNS = (
    r"(?P<era>(?:中华)?(?P<era_name>民国|令和|平成) ?(?P<era_y>\d{1,3}|元) ?[年/.-] ?"
    r"(?P<era_m>\d{1,2}) ?[月/.-] ?(?P<era_d>\d{1,2})(?: ?[日号]|(?!\d)))",
    r"(?P<named_year>(?P<named_year_name>今年|去年|前年) ?(?P<named_year_m>\d{1,2}) ?月 ?"
    r"(?P<named_year_d>\d{1,2}) ?[日号]?)",
    r"(?P<monthly>(?P<monthly_month>上个?月|本月|这个?月) ?(?P<monthly_d>\d{1,2}) ?[日号])",
    r"(?P<word>大前天|前天|昨天|昨日|今天|今日|\bthe day before yesterday\b"
    r"|\b(?:day before )?yesterday\b|\btoday\b)",
)
# The lookaheads at the front spare most attempts.
DAY_REGEX = re.compile(
    rf"(?=\d)(?:{'|'.join(_DIGITS_FIRST_PATTERNS)})|(?=[jfmasond][a-z]{{2}})(?:{_MONTH_FIRST_PATTERN})"
    rf"|(?=[ytd中民令平今去前上本这大昨])(?:{'|'.join(_WORD_FIRST_PATTERNS)})",
    re.IGNORECASE | re.ASCII,
)

_DAYS_AGO_BY_WORD = {
    "大前天": 3,
    "前天": 2,
    "day before yesterday": 2,
    "the day before yesterday": 2,
    "昨天": 1,
    "昨日": 1,
    "yesterday": 1,
    "今天": 0,
    "今日": 0,
    "today": 0,
}
# Names of years; the index is how many years ago.
_YEAR_NAMES = ("今年", "去年", "前年")
# Years between two 29 Februaries at most, around 1900 or 2100.
_MAX_LEAP_DAY_AGE = 8


def resolve_matched_day(
    match: re.Match[str], today: date, date_order: DateOrder | None, now: datetime
) -> date:
    """Return the day that a match of DAY_REGEX names.

    A day without a year is the latest that is not after `today`. `date_order` is the order of
    dates of numbers only, if known. Raises ImpossibleDateError and AmbiguousDateOrderError.
    """
    form = str(match.lastgroup)
    if form == "abc":
        return resolve_ordered_day(match, date_order, now)
    if form == "word":
        return today - timedelta(days=_DAYS_AGO_BY_WORD[match["word"].lower()])
    day = int(match[f"{form}_d"])
    if form == "monthly":
        months_ago = 1 if match["monthly_month"].startswith("上") else 0
        first_of_month = subtract_months(today.replace(day=1), months_ago)
        return require_valid_day(lambda: first_of_month.replace(day=day))
    if form in ("yn", "dn", "mn"):
        month_name = re.search(MONTH_PATTERN, match[0], re.IGNORECASE)
        month = MONTH_NUMBERS[month_name[0][:3].lower()] if month_name else 0
    else:
        month = int(match[f"{form}_m"])
    year = _matched_year(match, form, today)
    if year is None:
        return _latest_past_day(month, day, today)
    return require_valid_day(lambda: date(year, month, day))


def _matched_year(match: re.Match[str], form: str, today: date) -> int | None:
    """Return the year that a match of `form` names; None when it names none."""
    if form in ("hyphen", "md"):
        return None
    if form == "named_year":
        return today.year - _YEAR_NAMES.index(match["named_year_name"])
    digits = match[f"{form}_y"]
    if digits is None:
        return None
    if form == "era":
        year_of_era = 1 if digits == "元" else int(digits)
        return _ERA_OFFSETS[match["era_name"]] + year_of_era
    return expand_two_digit_year(int(digits)) if len(digits) == 2 else int(digits)


def _latest_past_day(month: int, day: int, today: date) -> date:
    """Return the latest such day up to `today`. Raises ImpossibleDateError."""
    for year in range(today.year, today.year - _MAX_LEAP_DAY_AGE - 1, -1):
        try:
            candidate = date(year, month, day)
        except ValueError:
            continue
        if candidate <= today:
            return candidate
    raise ImpossibleDateError("no such day")
