"""Dates as files write them: the golden pairs, and what no string is."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.files.dates import read_date

GOLDEN = Path(__file__).parents[1] / "golden" / "dates.txt"
ZONE = "Asia/Shanghai"
NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)


def pairs() -> list[tuple[str, str, str]]:
    lines = [line for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [(written, moment, precision) for written, moment, precision in ([cell.strip() for cell in line.split("|")] for line in lines)]


@pytest.mark.parametrize(("written", "moment", "precision"), pairs())
def test_golden(written: str, moment: str, precision: str) -> None:
    if moment == "-":
        with pytest.raises(ValueError, match=r"\w"):
            read_date(written, ZONE, NOW)
    else:
        assert read_date(f" {written} ", ZONE, NOW) == (datetime.fromisoformat(moment).replace(tzinfo=UTC), precision)


@pytest.mark.parametrize(
    ("value", "moment", "precision"),
    [
        (date(2025, 6, 5), datetime(2025, 6, 4, 16, tzinfo=UTC), "day"),
        (datetime(2025, 6, 5), datetime(2025, 6, 4, 16, tzinfo=UTC), "day"),  # noqa: DTZ001  # a cell of a spreadsheet
        (datetime(2025, 6, 5, 9), datetime(2025, 6, 5, 1, tzinfo=UTC), "second"),  # noqa: DTZ001
        (datetime(2025, 6, 5, tzinfo=timezone(timedelta(hours=-5))), datetime(2025, 6, 5, 5, tzinfo=UTC), "second"),
        (1589689800, datetime(2020, 5, 17, 4, 30, tzinfo=UTC), "second"),
        (1589689800000.0, datetime(2020, 5, 17, 4, 30, tzinfo=UTC), "second"),
        (20200517, datetime(2020, 5, 16, 16, tzinfo=UTC), "day"),
    ],
)
def test_cells_that_are_no_strings(value: object, moment: datetime, precision: str) -> None:
    assert read_date(value, ZONE, NOW) == (moment, precision)


@pytest.mark.parametrize("value", [None, True, [], 0, -1, 7, float("nan"), float("inf"), 10**400, -(10**400), datetime(1, 1, 1)])  # noqa: DTZ001
def test_cells_that_are_no_dates(value: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_date(value, ZONE, NOW)


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=30) | st.from_regex(r"[0-9年月日:/. -]{1,20}", fullmatch=True) | st.integers() | st.floats())
def test_whatever_comes_is_a_moment_in_utc_or_a_value_error(value: object) -> None:
    try:
        moment, _ = read_date(value, ZONE, NOW)
    except ValueError:
        return
    assert moment.utcoffset() == timedelta(0)


@settings(deadline=None, derandomize=True)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2026, 1, 1)))  # noqa: DTZ001  # clocks of the zone
def test_iso_round_trip(moment: datetime) -> None:
    read, precision = read_date(f"{moment.isoformat(timespec='microseconds')}+08:00", "UTC", NOW)
    assert read == moment.replace(tzinfo=timezone(timedelta(hours=8)))
    assert precision == "second"
