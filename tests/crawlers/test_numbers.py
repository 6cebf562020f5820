from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.parse.numbers import count
from crawlers.parse.reviews import rating


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ("1.2万", 12000),
        ("10万+", 100000),
        ("1,204", 1204),
        ("3k", 3000),
        ("1.5亿", 150000000),
        ("0", 0),
        (7, 7),
        ("转发", None),
        ("", None),
        (None, None),
        (-1, None),
        (True, None),
        ("99999亿", None),
        ("9" * 5000, None),
    ],
)
def test_what_sites_show(shown: object, wanted: int | None) -> None:
    assert count(shown) == wanted


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 10**4), st.sampled_from(["", "万", "亿", "k", "+", "万+"]))
def test_units_multiply(number: int, unit: str) -> None:
    times = {"万": 10**4, "亿": 10**8, "k": 1000}.get(unit.rstrip("+"), 1)
    assert count(f"{number}{unit}") == number * times


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99999))
def test_tenths_of_ten_thousand_are_exact(tenths: int) -> None:
    assert count(f"{Decimal(tenths) / 10}万") == tenths * 1000


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=12))
def test_any_text_gives_a_count_or_nothing(text: str) -> None:
    found = count(text)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("shown", "best", "worst", "wanted"),
    [
        (4, 5, 1, 0.8),
        ("5", None, None, 1.0),
        ("1", 5, 1, 0.2),
        ("7.9", 10, 1, 0.79),
        ("2,5", 10, 0, 0.25),
        (0, 5, 0, None),
        (6, 5, 1, None),
        (None, 5, 1, None),
        ("great", 5, 1, None),
        (3, 1, 5, None),
    ],
)
def test_ratings_as_shares_of_the_best(shown: object, best: object, worst: object, wanted: float | None) -> None:
    assert rating(shown, best, worst) == wanted
