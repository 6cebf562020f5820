"""Times as files and pages write them: the golden file, and what holds for every input."""

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folate.core.dates import (
    AmbiguousDateOrderError,
    DateError,
    DateOrder,
    DateOrderEvidence,
    TimestampWithPrecision,
    date_reject_reason,
    find_date,
    is_ambiguous_date,
    parse_date,
)
from folate.core.dates.day_and_clock import parse_full_text
from folate.core.dates.machine_formats import parse_machine_format

ZONE = "Asia/Shanghai"
NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
GOLDEN = (Path(__file__).parent / "dates.tsv").read_text(encoding="utf-8").splitlines()
ROWS = [
    (*row, row[-1])[:3] for row in (line.split("\t") for line in GOLDEN if not line.startswith("#"))
]
SPAN = (
    int(datetime(1992, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()),
)
MOMENTS = st.integers(*SPAN).map(lambda seconds: datetime.fromtimestamp(seconds, ZoneInfo(ZONE)))


def format_timestamp(moment: TimestampWithPrecision | None) -> str:
    return "-" if moment is None else f"{moment[0].replace(tzinfo=None).isoformat()} {moment[1]}"


def read_in_file(
    text: object, *, zone: str = ZONE, now: datetime = NOW, relative: bool = False
) -> str:
    try:
        return format_timestamp(parse_date(text, zone, now, allow_relative=relative))
    except DateError:
        return "-"


def read_on_page(text: str, zone: str = ZONE) -> str:
    try:
        return format_timestamp(find_date(text, zone, NOW))
    except DateError:
        return "-"


def parse_by_grammar(text: str, order: DateOrder | None) -> TimestampWithPrecision | None:
    try:
        return parse_full_text(text, ZONE, NOW, order, allow_relative=False)
    except DateError:
        return None


@pytest.mark.parametrize(("text", "file", "page"), ROWS, ids=[row[0] for row in ROWS])
def test_golden(text: str, file: str, page: str) -> None:
    assert read_in_file(f" {text} ") == file
    assert read_on_page(text) == page


@pytest.mark.parametrize(("text", "file", "page"), [row for row in ROWS if row[1] != row[2]])
def test_a_file_that_says_when_its_rows_were_shown_is_read_as_a_page_or_refused(
    text: str, file: str, page: str
) -> None:
    """Refused where words stand around the date."""
    assert read_in_file(text, relative=True) in (page, "-")


@pytest.mark.parametrize(
    ("value", "moment", "precision"),
    [
        (date(2025, 6, 5), datetime(2025, 6, 4, 16, tzinfo=UTC), "day"),
        # A cell of a spreadsheet has no zone.
        (datetime(2025, 6, 5), datetime(2025, 6, 4, 16, tzinfo=UTC), "day"),  # noqa: DTZ001
        (datetime(2025, 6, 5, 9), datetime(2025, 6, 5, 1, tzinfo=UTC), "second"),  # noqa: DTZ001
        (
            datetime(2025, 6, 5, tzinfo=timezone(timedelta(hours=-5))),
            datetime(2025, 6, 5, 5, tzinfo=UTC),
            "second",
        ),
        (1589689800, datetime(2020, 5, 17, 4, 30, tzinfo=UTC), "second"),
        (1589689800000.0, datetime(2020, 5, 17, 4, 30, tzinfo=UTC), "second"),
        (20200517, datetime(2020, 5, 16, 16, tzinfo=UTC), "day"),
        (20200517.0, datetime(2020, 5, 16, 16, tzinfo=UTC), "day"),
    ],
)
def test_cells_that_are_no_strings(value: object, moment: datetime, precision: str) -> None:
    assert parse_date(value, ZONE, NOW) == (moment, precision)


@pytest.mark.parametrize(
    "value",
    [None, True, [], 0, -1, 7, float("nan"), float("inf"), 10**400, -(10**400), datetime(1, 1, 1)],  # noqa: DTZ001
)
def test_cells_that_are_no_dates(value: object) -> None:
    with pytest.raises(DateError, match=r"\w"):
        parse_date(value, ZONE, NOW)


@pytest.mark.parametrize("value", [46089.5, 46089, "46089.5"])
def test_the_number_of_a_spreadsheets_day_is_refused_by_name(value: object) -> None:
    with pytest.raises(DateError, match="spreadsheet"):
        parse_date(value, ZONE, NOW)


def test_a_number_that_a_spreadsheet_rounded_says_how_far() -> None:
    with pytest.raises(DateError, match="rounded to 28 hours"):
        parse_date("1.7735E+12", ZONE, NOW)


class TestZones:
    @pytest.mark.parametrize(
        ("letters", "zone", "hours"),
        [
            ("CST", "Asia/Shanghai", 8),
            ("CST", "Asia/Taipei", 8),
            ("CST", "Asia/Hong_Kong", 8),
            ("CST", "America/Chicago", -6),
            ("CST", "America/New_York", -6),
            ("CST", "America/Los_Angeles", -6),
            ("IST", "Asia/Kolkata", 5.5),
            ("IST", "Asia/Jerusalem", 2),
            ("BST", "Europe/London", 1),
            ("BST", "Asia/Shanghai", 1),
            ("EST", "Asia/Shanghai", -5),
            ("PST", "Asia/Manila", 8),
            ("PST", "Asia/Shanghai", -8),
            ("JST", "UTC", 9),
        ],
    )
    def test_abbreviations_are_told_by_the_projects_zone(
        self, letters: str, zone: str, hours: float
    ) -> None:
        expected = datetime(2026, 3, 8, 12, 30, tzinfo=timezone(timedelta(hours=hours))).astimezone(
            UTC
        )
        for text in (
            f"2026-03-08 12:30:00 {letters}",
            f"Sun Mar 08 12:30:00 {letters} 2026",
            f"8 Mar 2026 12:30:00 ({letters})",
        ):
            assert parse_date(text, zone, NOW) == find_date(text, zone, NOW) == (expected, "second")

    @pytest.mark.parametrize(
        ("letters", "zone"),
        [
            ("CST", "UTC"),
            ("CST", "Asia/Manila"),
            ("CST", "Europe/Paris"),
            ("IST", "UTC"),
            ("BST", "Asia/Dhaka"),
            ("EST", "Australia/Sydney"),
        ],
    )
    def test_one_that_can_not_be_told_is_refused_and_never_left_out(
        self, letters: str, zone: str
    ) -> None:
        for text in (
            f"2026-03-08 12:30 {letters}",
            f"Sun Mar 08 12:30:00 {letters} 2026",
            f"3:20 PM {letters} · Mar 8, 2026",
        ):
            with pytest.raises(DateError, match=letters):
                parse_date(text, zone, NOW)
            with pytest.raises(DateError, match=letters):
                find_date(f"posted {text}", zone, NOW)

    def test_today_is_the_day_in_the_zone_that_is_written(self) -> None:
        seen = datetime(2026, 3, 10, 17, tzinfo=UTC)
        assert find_date("Mar 11 00:30 UTC+8", "UTC", seen) == (
            datetime(2026, 3, 10, 16, 30, tzinfo=UTC),
            "minute",
        )

    def test_hours_are_counted_through_a_change_of_the_clocks(self) -> None:
        """At 08:00 in New York on 8 March 2026, when its clocks had gone from 02:00 to 03:00."""
        seen = datetime(2026, 3, 8, 12, tzinfo=UTC)
        assert find_date("12 hours ago", "America/New_York", seen) == (
            datetime(2026, 3, 8, 0, tzinfo=UTC),
            "hour",
        )
        assert find_date("1 day ago", "America/New_York", seen) == (
            datetime(2026, 3, 7, 5, tzinfo=UTC),
            "day",
        )


class TestOrder:
    def evidence(self, *texts: str) -> DateOrderEvidence:
        evidence = DateOrderEvidence()
        for text in texts:
            evidence.add_value(text, NOW)
        return evidence

    @pytest.mark.parametrize(
        ("texts", "order"),
        [
            (["01/02/2026", "01/13/2026"], "mdy"),
            (["01/02/2026", "13/01/2026 12:30"], "dmy"),
            (["02-21-2026, 12:30 PM", "02-03-2026"], "mdy"),
            (["1/13/26", "1/2/26"], "mdy"),
            (["31/1/26", "1/2/26"], "dmy"),
            (["26/3/31", "26/3/8"], "ymd"),
            (["01/02/2026", "05/05/2026"], None),
            (["01/13/2026", "13/01/2026"], None),
            (["99/99/2026", "2026-03-08", "soon"], None),
        ],
    )
    def test_dates_settle_one_another(self, texts: list[str], order: str | None) -> None:
        assert self.evidence(*texts).order == order

    def test_what_was_found_is_said(self) -> None:
        assert str(self.evidence("01/13/2026", "01/02/2026")) == "mdy by 1 dates, 1 ambiguous"
        assert str(self.evidence("01/13/2026", "13/01/2026", "1/2/2026")).startswith(
            "conflicting: mdy by 1 dates, dmy by 1 dates; 1"
        )
        assert str(self.evidence("01/02/2026")) == "no date shows the order; 1 ambiguous not read"

    def test_an_order_reads_what_is_ambiguous_and_refuses_what_breaks_it(self) -> None:
        assert parse_date("01/02/2026", "UTC", NOW, "mdy")[0] == datetime(2026, 1, 2, tzinfo=UTC)
        assert parse_date("01/02/2026", "UTC", NOW, "dmy")[0] == datetime(2026, 2, 1, tzinfo=UTC)
        assert find_date("on 02-03-2026, 12:30 PM", "UTC", NOW, "mdy") == (
            datetime(2026, 2, 3, 12, 30, tzinfo=UTC),
            "minute",
        )
        with pytest.raises(DateError, match="in the order mdy"):
            parse_date("13/01/2026", "UTC", NOW, "mdy")
        with pytest.raises(AmbiguousDateOrderError, match="--dates"):
            parse_date("01/02/2026", "UTC", NOW)

    @pytest.mark.parametrize(
        ("text", "ambiguous"),
        [
            ("1/2/2026", True),
            ("on 02-03-26", True),
            ("1/13/2026", False),
            ("2/2/2026", False),
            ("2026/1/2", False),
            ("1.2.3.4", False),
        ],
    )
    def test_only_some_dates_need_it(self, text: str, ambiguous: bool) -> None:
        assert is_ambiguous_date(text, NOW) is ambiguous


def test_one_rule_for_dates_that_no_post_has() -> None:
    assert date_reject_reason(NOW + timedelta(days=1), NOW) is None
    assert date_reject_reason(NOW + timedelta(days=1, seconds=1), NOW) == "date in the future"
    assert date_reject_reason(datetime(1989, 12, 31, tzinfo=UTC), NOW) == "date too early"


def test_a_date_that_the_cut_of_a_long_text_may_have_cut_is_refused() -> None:
    text = "x" * 285 + " on 11 Mar 2025"
    assert find_date(text[:300], "UTC", NOW) == (datetime(2025, 3, 11, tzinfo=UTC), "day")
    with pytest.raises(DateError, match="may go on"):
        find_date("x" * 289 + " on 11 Mar 2025", "UTC", NOW)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kolkata"])
@settings(deadline=None, derandomize=True, max_examples=40)
@given(MOMENTS)
def test_whole_moments_come_back_in_every_form(zone: str, moment: datetime) -> None:
    offset = f"{moment:%z}"
    local = moment.astimezone(ZoneInfo("Asia/Shanghai"))
    for text in (
        moment.isoformat(),
        f"{local:%Y-%m-%d %H:%M:%S} UTC+8",
        f"{local:%Y-%m-%d %H:%M:%S} GMT+0800 (中国标准时间)",
        f"{local.year}年{local.month}月{local.day}日 {local:%H}时{local:%M}分{local:%S}秒 {offset}",
        f"{local.month}/{local.day}/{local.year}, {local:%I:%M:%S %p} (UTC+08:00)",
        f"{local:%d-%b-%Y %H:%M:%S} +08:00",
        f"{local:%a, %d %b %Y %H:%M:%S} {offset}",
        f"{local:%a %b %d %Y %H:%M:%S} GMT{offset} (China Standard Time)",
        f"{local:%a %b %d %H:%M:%S} {offset} {local.year}",
        f"{local:%a %b %d %H:%M:%S} HKT {local.year}",
        f"{local:%B} {local.day}, {local.year} {local:%H:%M:%S} Asia/Shanghai",
        f"{local:%d/%b/%Y:%H:%M:%S} {offset}",
        f"{local:%Y%m%dT%H%M%S}{offset}",
        str(int(moment.timestamp())),
        str(int(moment.timestamp() * 1000)),
        f"{int(moment.timestamp() * 1000)}.0",
        str(int(moment.timestamp()) * 10**6),
    ):
        assert parse_date(text, zone, NOW, "mdy") == (moment, "second"), text
        assert find_date(text, zone, NOW, "mdy") == (moment, "second"), text


@settings(deadline=None, derandomize=True)
@given(MOMENTS)
def test_the_ways_around_the_grammar_read_as_it_does(moment: datetime) -> None:
    for text in (
        f"{moment.year}/{moment.month}/{moment.day} {moment:%H:%M}",
        f"{moment.year}年{moment.month}月{moment.day}日",
        f"{moment:%Y-%m-%d %H:%M:%S}",
        f"{moment:%a, %d %b %Y %H:%M:%S %z}",
        f"{moment:%a %b %d %H:%M:%S %z %Y}",
    ):
        assert parse_machine_format(text, ZONE, NOW) == parse_full_text(
            text, ZONE, NOW, None, allow_relative=False
        ), text
    for text in (
        f"{moment.month}/{moment.day}/{moment.year} {moment:%I:%M %p}",
        f"{moment:%m-%d-%Y}, {moment:%H:%M:%S}",
        f"{moment:%B} {moment.day}, {moment.year} {moment:%I:%M:%S %p}",
        f"{moment:%b %d, %Y}",
    ):
        for order in ("mdy", "dmy", None):
            results = (parse_machine_format(text, ZONE, NOW, order), parse_by_grammar(text, order))
            assert results[0] is None or results[0] == results[1], text


@settings(deadline=None, derandomize=True)
@given(
    st.integers(0, 5000),
    st.sampled_from(
        [
            ("分钟前", "minute", 60),
            (" minutes ago", "minute", 60),
            ("小时前", "hour", 3600),
            ("小時前", "hour", 3600),
            (" hours ago", "hour", 3600),
            ("天前", "day", 86400),
            (" weeks ago", "day", 7 * 86400),
        ]
    ),
)
def test_relative_times_are_cut_to_their_precision(number: int, unit: tuple[str, str, int]) -> None:
    words, precision, seconds = unit
    found = find_date(f"{number}{words}", ZONE, NOW)
    assert found is not None
    late = NOW - timedelta(seconds=number * seconds) - found[0]
    assert found[1] == precision
    assert timedelta(0) <= late < timedelta(days=1)


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(0, 11), st.integers(1, 30))
def test_parts_of_an_age_are_added_up(years: int, months: int, days: int) -> None:
    text = f"{years} years, {months} months and {days} days ago"
    month = 2026 * 12 + 2 - years * 12 - months
    day = date(month // 12, month % 12 + 1, 10) - timedelta(days=days)
    assert format_timestamp(find_date(text, "UTC", NOW)) == f"{day.isoformat()}T00:00:00 day"
    assert find_date(f"{years}年{months}个月{days}天前", "UTC", NOW) == find_date(text, "UTC", NOW)


PIECES = st.sampled_from(
    re.findall(
        r"\S+",
        "2026 03 08 3 8 13 1/2 : - / . 年 月 日 号 时 点 分 半 刻 上午 晚上 周三 星期 前 ago"
        " 小时 days week Mar May 12:30"
        " PM UTC + CST Z 一 二十 两 〇 民國 昨天 上周 Monday last , · ( ) T e+ ½ ２",
    )
)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(
    st.text(max_size=40)
    | st.from_regex(r"[0-9年月日:/. -]{1,20}", fullmatch=True)
    | st.lists(PIECES, max_size=9).map("".join)
    | st.lists(PIECES, max_size=9).map(" ".join)
)
def test_any_text_is_a_moment_in_utc_or_a_date_error(text: str) -> None:
    for read in (
        lambda: parse_date(text, ZONE, NOW),
        lambda: parse_date(text, ZONE, NOW, "dmy", allow_relative=True),
        lambda: find_date(text, ZONE, NOW),
    ):
        try:
            found = read()
        except DateError:
            continue
        assert found is None or found[0].utcoffset() == timedelta(0)


@settings(deadline=None, derandomize=True)
@given(st.integers() | st.floats())
def test_any_number_is_a_moment_in_utc_or_a_date_error(value: float) -> None:
    try:
        moment, _ = parse_date(value, ZONE, NOW)
    except DateError:
        return
    assert moment.utcoffset() == timedelta(0)


def test_a_megabyte_of_anything_takes_no_time() -> None:
    """In a process of its own, which a hang would keep for hours."""
    code = """
from datetime import datetime, UTC
from folate.core.counts import CountError, parse_count_or_none, parse_rating
from folate.core.dates import (
    DateError, DateOrderEvidence, find_date, is_ambiguous_date, parse_date
)

now = datetime(2026, 3, 10, tzinfo=UTC)
pieces = (
    " ", "1", "1 ", "1天", "1 day, ", "Mar ", "一", "十", "1/", "1-", "1.", "年", "(", "12:30 ",
    "★", "赞 ", "likes ", "1,", "上",
)
for piece in pieces:
    text = piece * (1_000_000 // len(piece))
    for cut in (text, text[:100], text[:300]):
        for read in (
            lambda: parse_date(cut, "UTC", now),
            lambda: find_date(cut + "x", "UTC", now),
            lambda: parse_rating(cut, 5),
        ):
            try:
                read()
            except (DateError, CountError):
                pass
        parse_count_or_none(cut)
        is_ambiguous_date(cut, now)
        DateOrderEvidence().add_value(cut, now)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
