"""ISO weeks: year ends, time zones, and that every moment lies in exactly one week."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.core.errors import ConfigError
from folate.core.weeks import Period, SevenDays, Week, last_day, preceding_periods

ZONES = st.sampled_from(
    ["Asia/Shanghai", "America/New_York", "UTC", "Pacific/Kiritimati", "Europe/London"]
)
MOMENTS = st.datetimes(datetime(2000, 1, 2), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, ZONES)
def test_a_moment_lies_in_the_bounds_of_its_week_and_of_no_other(moment, zone):
    week = Week.from_datetime(moment, zone)
    start, end = week.bounds(zone)
    assert start <= moment < end
    assert (week + 1).bounds(zone)[0] == end
    assert Week.parse(str(week)) == week


@given(st.integers(0, 3000), st.integers(-200, 200))
def test_adding_weeks_is_undone_by_subtracting_them(offset, step):
    week = Week(2001, 1) + offset
    assert (week + step) - step == week
    assert (week + 1) > week


def test_years_begin_where_iso_says():
    assert str(Week(2026, 1) - 1) == "2025-W52"
    assert str(Week(2020, 53) + 1) == "2021-W01"
    assert Week.from_datetime(datetime(2025, 12, 31, 12, tzinfo=UTC), "UTC") == Week(2026, 1)
    assert preceding_periods(Week(2026, 2), 3) == [Week(2025, 51), Week(2025, 52), Week(2026, 1)]


def test_monday_midnight_is_the_projects_own():
    moment = datetime(2026, 3, 1, 16, tzinfo=UTC)  # Monday 00:00 in Shanghai
    assert Week.from_datetime(moment, "Asia/Shanghai") == Week(2026, 10)
    assert Week.from_datetime(moment, "UTC") == Week(2026, 9)


@pytest.mark.parametrize(
    "text",
    [
        "2026-W54",
        "2026-W00",
        "2026-10",
        "W10",
        "",
        "2025-W53",
        "２０２６-W10x",
        "0001-W01",
        "9999-W52",
    ],
)
def test_what_is_no_week_is_refused(text):
    with pytest.raises(ConfigError, match="2026-W10"):
        Week.parse(text)


def test_seven_days_end_with_their_day_and_go_back_by_weeks() -> None:
    span = SevenDays(date(2026, 3, 5))
    start, end = span.bounds("Asia/Shanghai")
    assert (start.isoformat(), end.isoformat()) == (
        "2026-02-26T16:00:00+00:00",
        "2026-03-05T16:00:00+00:00",
    )
    assert [str(before) for before in preceding_periods(span, 2)] == ["2026-02-19", "2026-02-26"]
    assert SevenDays(date(2026, 3, 8)).bounds("UTC") == Week(2026, 10).bounds("UTC")


@pytest.mark.parametrize(
    ("span", "day"),
    [
        ("2026-W10", "2026-03-08"),
        ("2026-03-05", "2026-03-05"),
        (Week(2026, 10), "2026-03-08"),
        (SevenDays(date(2026, 3, 5)), "2026-03-05"),
    ],
)
def test_the_last_day_of_a_span(span: Period | str, day: str) -> None:
    assert last_day(span).isoformat() == day


def test_what_is_no_span_has_no_last_day() -> None:
    with pytest.raises(ConfigError, match="or a day such as"):
        last_day("yesterday")
