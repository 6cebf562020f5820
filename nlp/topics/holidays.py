"""Days that come back every year, and the words people use for them: a topic of such a word near its day is seasonal."""

from collections.abc import Sequence
from datetime import date, timedelta

MAX_SHIFT_WEEKS = (
    2  # weeks: how far a feast of the moon moves against the same week of another year, mostly
)
HOLIDAY_LEAD_TIME, HOLIDAY_TAIL_TIME = (
    timedelta(days=35),
    timedelta(days=10),
)  # people write of a feast for weeks before it and days after

_FIXED = {  # month and day: names, as terms are spelled: plurals in -s as their singular (`nlp.topics.candidates`)
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

_LUNAR_NAMES = (  # the columns of _LUNAR after the year
    (
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
    ("元宵", "汤圆", "lantern festival"),
    ("端午", "粽子", "龙舟", "dragon boat"),
    ("七夕", "qixi"),
    ("中秋", "月饼", "mid-autumn", "mid autumn", "mooncake"),
    ("重阳",),
)
_LUNAR = {  # Spring Festival (1/1), Lantern (1/15), Dragon Boat (5/5), Qixi (7/7), Mid-Autumn (8/15), Double Ninth (9/9), as month.day
    2015: ("2.19", "3.5", "6.20", "8.20", "9.27", "10.21"),
    2016: ("2.8", "2.22", "6.9", "8.9", "9.15", "10.9"),
    2017: ("1.28", "2.11", "5.30", "8.28", "10.4", "10.28"),
    2018: ("2.16", "3.2", "6.18", "8.17", "9.24", "10.17"),
    2019: ("2.5", "2.19", "6.7", "8.7", "9.13", "10.7"),
    2020: ("1.25", "2.8", "6.25", "8.25", "10.1", "10.25"),
    2021: ("2.12", "2.26", "6.14", "8.14", "9.21", "10.14"),
    2022: ("2.1", "2.15", "6.3", "8.4", "9.10", "10.4"),
    2023: ("1.22", "2.5", "6.22", "8.22", "9.29", "10.23"),
    2024: ("2.10", "2.24", "6.10", "8.10", "9.17", "10.11"),
    2025: ("1.29", "2.12", "5.31", "8.29", "10.6", "10.29"),
    2026: ("2.17", "3.3", "6.19", "8.19", "9.25", "10.18"),
    2027: ("2.6", "2.20", "6.9", "8.8", "9.15", "10.8"),
    2028: ("1.26", "2.9", "5.28", "8.26", "10.3", "10.26"),
    2029: ("2.13", "2.27", "6.16", "8.16", "9.22", "10.16"),
    2030: ("2.3", "2.17", "6.5", "8.5", "9.12", "10.5"),
}

_MOVING = {  # names: (month, weekday from Monday = 0, which one in the month)
    ("母亲节", "mother's day"): (5, 6, 2),
    ("父亲节", "father's day"): (6, 6, 3),
    ("感恩节", "thanksgiving"): (11, 3, 4),
}


def nearby_holiday(terms: Sequence[str], first: date, last: date) -> str | None:
    """The feast that one of `terms` names and that lies near the days from `first` to `last`, by its first name, else None."""
    for names, day in sorted(_feasts(first.year) + _feasts(first.year + 1)):
        if (
            day - HOLIDAY_LEAD_TIME <= last
            and first <= day + HOLIDAY_TAIL_TIME
            and any(name in term.casefold() for term in terms for name in names)
        ):
            return names[0]
    return None


def recurs_yearly(
    authors: Sequence[int], total_authors: Sequence[int], min_authors: int, min_gain: float
) -> bool:
    """Whether a term rose in an earlier year in the weeks that this one is like: the last `2 * SHIFT + 1` of those given.

    `authors` wrote it, of `everyone` who wrote in each week, oldest first. It rose when some of those weeks has `least` authors and
    `gain` times as many as the weeks before them let expect. Not known, hence False, without an author in those before.
    """
    like = 2 * MAX_SHIFT_WEEKS + 1
    before, all_before = sum(authors[:-like]), sum(total_authors[:-like])
    if not all_before:
        return False
    share = (before + 0.5) / all_before
    return any(
        n >= min_authors and n >= min_gain * share * of
        for n, of in zip(authors[-like:], total_authors[-like:], strict=True)
    )


def _feasts(year: int) -> list[tuple[tuple[str, ...], date]]:
    found = [(names, date(year, month, day)) for (month, day), names in _FIXED.items()]
    found += [(names, _nth(year, *rule)) for names, rule in _MOVING.items()]
    thanksgiving = _nth(year, 11, 3, 4)
    found.append((("black friday", "黑色星期五", "黑五"), thanksgiving + timedelta(days=1)))
    found.append((("cyber monday",), thanksgiving + timedelta(days=4)))
    for names, month_day in zip(_LUNAR_NAMES, _LUNAR.get(year, ()), strict=False):
        month, _, day = month_day.partition(".")
        found.append((names, date(year, int(month), int(day))))
    return found


def _nth(year: int, month: int, weekday: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
