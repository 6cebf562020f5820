from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.parse.times import epoch, moment

NOW = datetime(2026, 3, 12, 2, 30, 15, tzinfo=UTC)
ZONE = "Asia/Shanghai"
GOLDEN = Path(__file__).parent.parent / "golden" / "times.tsv"
ROWS = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
SPAN = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
MOMENTS = st.integers(*SPAN).map(lambda seconds: datetime.fromtimestamp(seconds, ZoneInfo(ZONE)))


@pytest.mark.parametrize(("shown", "wanted", "precision"), ROWS, ids=[row[0] for row in ROWS])
def test_what_sites_show(shown: str, wanted: str, precision: str) -> None:
    found = moment(shown, NOW, ZONE)
    assert (found and (found[0].replace(tzinfo=None).isoformat(), found[1])) == (None if wanted == "-" else (wanted, precision))


@settings(deadline=None, derandomize=True)
@given(MOMENTS)
def test_full_dates_come_back_in_any_layout(value: datetime) -> None:
    clock = f"{value:%I}:{value:%M} {'a.m.' if value.hour < 12 else 'p.m.'}"
    for shown in (
        value.isoformat(),
        f"{value:%Y-%m-%d %H:%M:%S}",
        f"{value.year}年{value.month}月{value.day}日 {value:%H:%M}",
        f"{value.day} {value:%b} {value.year}, {clock}",
        f"{value:%b} {value.day}, {value.year} {clock}",
        f"{value:%a %b %d %H:%M:%S %z %Y}",
    ):
        found = moment(shown, NOW, ZONE)
        assert found is not None, shown
        assert timedelta(0) <= value - found[0] < timedelta(minutes=1), shown


@settings(deadline=None, derandomize=True)
@given(
    st.integers(0, 5000),
    st.sampled_from(
        [
            ("分钟前", "minute", 60),
            (" minutes ago", "minute", 60),
            ("小时前", "hour", 3600),
            (" hours ago", "hour", 3600),
            ("天前", "day", 86400),
        ]
    ),
)
def test_relative_times_are_cut_to_their_precision(number: int, unit: tuple[str, str, int]) -> None:
    words, precision, seconds = unit
    found = moment(f"{number}{words}", NOW, ZONE)
    assert found is not None
    late = NOW - timedelta(seconds=number * seconds) - found[0]
    assert found[1] == precision
    assert timedelta(0) <= late < timedelta(seconds=seconds)


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=40))
def test_any_text_gives_a_moment_or_nothing(text: str) -> None:
    found = moment(text, NOW, ZONE)
    assert found is None or found[0].utcoffset() == timedelta(0)


def test_hours_are_counted_through_a_change_of_the_clocks() -> None:
    """At 08:00 in New York on 8 March 2026, when its clocks had gone from 02:00 to 03:00."""
    now = datetime(2026, 3, 8, 12, tzinfo=UTC)
    assert moment("12 hours ago", now, "America/New_York") == (datetime(2026, 3, 8, 0, tzinfo=UTC), "hour")
    assert moment("1 day ago", now, "America/New_York") == (datetime(2026, 3, 7, 5, tzinfo=UTC), "day")


def test_epochs() -> None:
    assert epoch("1538052669") == (datetime(2018, 9, 27, 12, 51, 9, tzinfo=UTC), "second")
    assert epoch("1538052669000") == epoch("1538052669")
    assert epoch("27 September") is None
