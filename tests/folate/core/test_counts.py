"""Counts and ratings as files and pages write them: golden files, and properties of any input."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.parse.reviews import normalized_rating
from folate.core.counts import (
    CountError,
    RatingRangeError,
    parse_count,
    parse_count_or_none,
    parse_rating,
)


def rows(name: str) -> list[tuple[str, str]]:
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [
        (text, value)
        for text, value in (line.split("\t") for line in lines if not line.startswith("#"))
    ]


@pytest.mark.parametrize(("text", "wanted"), rows("counts.tsv"))
def test_counts(text: str, wanted: str) -> None:
    if wanted == "-":
        with pytest.raises(CountError, match="wanted a"):
            parse_count(text)
        assert parse_count_or_none(text) is None
    else:
        assert (
            parse_count(f" {text} ")
            == parse_count_or_none(text)
            == (None if wanted == "none" else int(wanted))
        )


@pytest.mark.parametrize(("text", "wanted"), rows("ratings.tsv"))
def test_ratings(text: str, wanted: str) -> None:
    if wanted in ("-", "outside"):
        with pytest.raises(RatingRangeError if wanted == "outside" else CountError):
            parse_rating(text, 5)
    else:
        assert parse_rating(f" {text} ", 5) == float(wanted)


@pytest.mark.parametrize("text", ["4 out of 5", "4/5", "8/10", "80%", "★★★★☆"])
@pytest.mark.parametrize("best", [1.0, 5.0, 10.0])
def test_a_rating_with_a_scale_of_its_own_is_read_on_that(text: str, best: float) -> None:
    assert parse_rating(text, best) == 0.8


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (7, 7),
        (7.0, 7),
        (Decimal(7), 7),
        (0, 0),
        (None, None),
        (-1, None),
        (True, None),
        (7.5, None),
        ([7], None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ("9" * 5000, None),
    ],
)
def test_counts_that_are_no_texts(value: object, wanted: int | None) -> None:
    assert parse_count_or_none(value) == wanted


@pytest.mark.parametrize("value", [None, True, [4], float("nan"), 10**400, "4" * 5000])
def test_what_is_no_rating(value: object) -> None:
    with pytest.raises(CountError, match="wanted"):
        parse_rating(value, 5)


def test_a_number_that_python_writes_in_no_digits() -> None:
    assert parse_count_or_none(10**5000) is None
    with pytest.raises(CountError, match="out of range"):
        parse_rating(10**5000, 5)


@settings(deadline=None, derandomize=True)
@given(
    st.integers(0, 10**4),
    st.sampled_from(["", "万", "亿", "k", "+", "万+", "萬", "千", "w", " likes", "次播放"]),
)
def test_units_multiply(number: int, unit: str) -> None:
    times = {"万": 10**4, "萬": 10**4, "w": 10**4, "亿": 10**8, "k": 1000, "千": 1000}.get(
        unit.rstrip("+"), 1
    )
    assert parse_count_or_none(f"{number}{unit}") == number * times


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99999))
def test_tenths_of_ten_thousand_are_exact(tenths: int) -> None:
    assert parse_count_or_none(f"{Decimal(tenths) / 10}万") == tenths * 1000


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 10**12))
def test_a_count_comes_back_in_every_form(number: int) -> None:
    for text in (
        str(number),
        f"{number:,}",
        f"{number:,}".replace(",", "，"),
        f"赞 {number}",
        f"{number}.0",
        f"{number:,} likes",
    ):
        assert parse_count_or_none(text) == number, text


PIECES = st.sampled_from(
    re.findall(
        r"\S+",
        "1 12 1.2 1,234 . , + - 万 亿 千 k m e likes 赞 次 out of / % ★ ☆ 星 半 分 满分 ( )"
        " ３ 三 十",
    )
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.text(max_size=12)
    | st.lists(PIECES, max_size=7).map("".join)
    | st.lists(PIECES, max_size=7).map(" ".join)
)
def test_any_text_gives_a_value_within_bounds_or_a_count_error(text: str) -> None:
    found = parse_count_or_none(text)
    assert found is None or 0 <= found <= 10**12
    try:
        assert 0 <= parse_rating(text, 5) <= 1
    except CountError:
        return


@pytest.mark.parametrize(
    ("shown", "best", "worst", "wanted"),
    [
        (4, 5, 1, 0.8),
        ("5", None, None, 1.0),
        ("1", 5, 1, 0.2),
        ("7.9", 10, 1, 0.79),
        ("2,5", 10, 0, 0.25),
        ("4.0 out of 5 stars", None, None, 0.8),
        ("4/5", 10, 1, 0.8),
        (0, 5, 0, None),
        (6, 5, 1, None),
        (None, 5, 1, None),
        ("great", 5, 1, None),
        (3, 1, 5, None),
    ],
)
def test_ratings_of_pages_as_shares_of_the_best(
    shown: object, best: object, worst: object, wanted: float | None
) -> None:
    assert normalized_rating(shown, best, worst) == wanted
