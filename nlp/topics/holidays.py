"""Yearly holidays and the words people use for them, to flag seasonal topics."""

from collections.abc import Sequence
from datetime import date, timedelta

from borax.calendars import LunarDate

from folate.core.errors import InputError
from nlp.text.term_matcher import TermMatcher

# Weeks by which a lunar holiday mostly moves against the same ISO week of another year.
MAX_SHIFT_WEEKS = 2
# People write about a holiday for weeks before it and for some days after.
HOLIDAY_LEAD_TIME = timedelta(days=35)
HOLIDAY_TAIL_TIME = timedelta(days=10)
# First and last lunar year that `borax` has tables for.
LUNAR_YEARS = (1900, 2099)

# In all tables names are spelled as terms are: English plurals in -s as their singular
# (see `nlp.topics.candidates`). The first name is the one that `nearby_holiday` returns.

# (month, day) in the Gregorian calendar -> names. Qingming is a solar term on 4 or 5 April.
_FIXED_HOLIDAYS = {
    (1, 1): ("元旦", "跨年", "new year"),
    (2, 14): ("情人节", "valentine"),
    (3, 8): ("妇女节", "女神节", "三八节", "38节", "women's day"),
    (3, 15): ("315", "消费者权益日"),
    (4, 1): ("愚人节", "april fool"),
    (4, 5): ("清明",),
    (5, 1): ("劳动节", "五一", "labour day", "may day"),
    (5, 20): ("520",),
    (6, 1): ("儿童节", "六一", "children's day"),
    (6, 7): ("高考", "gaokao"),
    (6, 18): ("618",),
    (9, 1): ("开学", "back to school"),
    (9, 10): ("教师节", "teachers' day"),
    (10, 1): ("国庆", "十一假期", "黄金周", "national day"),
    (10, 31): ("万圣节", "halloween"),
    (11, 11): (
        "双十一",
        "双11",
        "光棍节",
        "singles' day",
        "singles day",
        "single day",
        "double 11",
        "double eleven",
    ),
    (12, 12): ("双十二", "双12", "double 12", "double twelve"),
    (12, 24): ("平安夜", "christmas eve"),
    (12, 25): ("圣诞", "christmas", "xmas"),
}

# (month, day) in the Chinese lunar calendar -> names.
_LUNAR_HOLIDAYS = {
    (1, 1): (
        "春节",
        "过年",
        "年货",
        "除夕",
        "拜年",
        "春晚",
        "新春",
        "spring festival",
        "chinese new year",
        "lunar new year",
    ),
    (1, 15): ("元宵", "汤圆", "lantern festival"),
    (5, 5): ("端午", "粽子", "龙舟", "dragon boat"),
    (7, 7): ("七夕", "qixi"),
    (8, 15): ("中秋", "月饼", "mid-autumn", "mid autumn", "mooncake"),
    (9, 9): ("重阳",),
    (12, 8): ("腊八", "laba festival"),
}

# (month, weekday from Monday = 0, occurrence in the month from 1) -> names.
_WEEKDAY_HOLIDAYS = {
    (5, 6, 2): ("母亲节", "mother's day"),
    (6, 6, 3): ("父亲节", "father's day"),
    (11, 3, 4): ("感恩节", "thanksgiving"),
}
_BLACK_FRIDAY_NAMES = ("black friday", "黑色星期五", "黑五")
_CYBER_MONDAY_NAMES = ("cyber monday",)

NamedDay = tuple[tuple[str, ...], date]
"""The names of a holiday and its day in one year."""


def nearby_holiday(terms: Sequence[str], first: date, last: date) -> str | None:
    """Return the first name of a holiday that a term mentions and that is near, else None.

    `first` and `last` are the days of the period. A holiday is near from `HOLIDAY_LEAD_TIME`
    before its day to `HOLIDAY_TAIL_TIME` after it. Years outside of `LUNAR_YEARS` have no lunar
    holidays; `lunar_calendar_note` says so.
    """
    said = "\n".join(terms)
    named_days = _holidays_of_year(first.year) + _holidays_of_year(first.year + 1)
    for names, day in sorted(named_days):
        is_near = day - HOLIDAY_LEAD_TIME <= last and first <= day + HOLIDAY_TAIL_TIME
        if is_near and TermMatcher(names, plurals=True).matches(said):
            return names[0]
    return None


def recurs_yearly(
    authors: Sequence[int], total_authors: Sequence[int], min_authors: int, min_gain: float
) -> bool:
    """Return whether a term rose in the same weeks of an earlier year.

    `authors` are the authors of the term by week, oldest first, and `total_authors` all authors of
    the same weeks. The last `2 * MAX_SHIFT_WEEKS + 1` weeks are the ones compared with this year's;
    the weeks before them are the baseline. The term rose when one of the compared weeks has
    `min_authors` authors and `min_gain` times as many as the baseline predicts. False when the
    baseline has no author at all.
    """
    n_compared = 2 * MAX_SHIFT_WEEKS + 1
    baseline_authors = sum(authors[:-n_compared])
    baseline_total = sum(total_authors[:-n_compared])
    if not baseline_total:
        return False
    share = (baseline_authors + 0.5) / baseline_total
    return any(
        count >= min_authors and count >= min_gain * share * total
        for count, total in zip(authors[-n_compared:], total_authors[-n_compared:], strict=True)
    )


def lunar_holidays(year: int) -> dict[str, date]:
    """Return the Gregorian day of each holiday of a lunar year, by the holiday's first name.

    The lunar year begins with the Spring Festival of the same Gregorian year; Laba, in its last
    month, mostly falls into the January after it. Raises InputError outside of `LUNAR_YEARS`.
    """
    return {names[0]: day for names, day in _lunar_holidays_of_year(year)}


def lunar_calendar_note(last: date) -> str | None:
    """Return a sentence when the lunar holidays around `last` are unknown, else None."""
    if LUNAR_YEARS[0] <= last.year <= LUNAR_YEARS[1]:
        return None
    return (
        f"The days of lunar holidays are known from {LUNAR_YEARS[0]} to {LUNAR_YEARS[1]} only: "
        f"topics of {last.year} were not checked against them."
    )


def _holidays_of_year(year: int) -> list[NamedDay]:
    """Return the names and the day of every holiday that falls into a Gregorian year."""
    named_days = [(names, date(year, *month_day)) for month_day, names in _FIXED_HOLIDAYS.items()]
    named_days += [(names, _nth_weekday(year, *rule)) for rule, names in _WEEKDAY_HOLIDAYS.items()]
    thanksgiving = _nth_weekday(year, 11, 3, 4)
    named_days.append((_BLACK_FRIDAY_NAMES, thanksgiving + timedelta(days=1)))
    named_days.append((_CYBER_MONDAY_NAMES, thanksgiving + timedelta(days=4)))
    for lunar_year in (year - 1, year):
        if LUNAR_YEARS[0] <= lunar_year <= LUNAR_YEARS[1]:
            lunar_days = _lunar_holidays_of_year(lunar_year)
            named_days += [(names, day) for names, day in lunar_days if day.year == year]
    return named_days


def _lunar_holidays_of_year(year: int) -> list[NamedDay]:
    if not LUNAR_YEARS[0] <= year <= LUNAR_YEARS[1]:
        raise InputError(
            f"wanted a year of the lunar calendar from {LUNAR_YEARS[0]} to {LUNAR_YEARS[1]}, "
            f"got {year}."
        )
    return [
        (names, LunarDate(year, month, day).to_solar_date())
        for (month, day), names in _LUNAR_HOLIDAYS.items()
    ]


def _nth_weekday(year: int, month: int, weekday: int, occurrence: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (occurrence - 1))
