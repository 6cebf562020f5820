"""Brand mentions: golden texts with marked mentions, and offsets in the text as published."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.core.config import Brand
from folate.core.errors import ConfigError
from nlp.extract.brands import BrandLinker, Mention, check_brand_names

GOLDEN = Path(__file__).parents[1] / "golden" / "brands.txt"
_LINES = [
    line
    for line in GOLDEN.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]


def _brands() -> list[Brand]:
    brands = (line[1:].partition("=") for line in _LINES if line.startswith("%"))
    return [
        Brand(id=name.strip(), names=tuple(alias.strip() for alias in aliases.split(",")))
        for name, _, aliases in brands
    ]


@pytest.mark.parametrize("marked", [line for line in _LINES if not line.startswith("%")])
def test_golden(marked: str) -> None:
    text = re.sub(r"\{\w+:(.*?)\}", r"\1", marked)
    mentions = BrandLinker(_brands()).find_mentions(text)
    for mention in reversed(mentions):
        marked_name = f"{{{mention.brand}:{text[mention.start : mention.end]}}}"
        text = text[: mention.start] + marked_name + text[mention.end :]
    assert text == marked


@given(
    st.text(st.characters(exclude_categories=["L", "N", "M"], exclude_characters="@_"), max_size=20)
)
def test_offsets_hold_in_the_text_as_published(before: str) -> None:
    found = BrandLinker([Brand(id="apple", names=("苹果",))]).find_mentions(f"{before}蘋果")
    assert found == [Mention("apple", len(before), len(before) + 2)]


@pytest.mark.parametrize(
    ("first", "second"),
    [("小米", "小 米"), ("Apple", "apple"), ("蘋果", "苹果"), ("＠kfc", "@KFC")],
)
def test_a_name_of_two_brands_is_refused(first: str, second: str) -> None:
    with pytest.raises(ConfigError, match="belongs to two brands, 'a' and 'b'"):
        check_brand_names([Brand(id="a", names=(first,)), Brand(id="b", names=(second,))])


@pytest.mark.parametrize("name", ["@a b", "@", "\u200b", "@红牛 饮料"])
def test_a_name_that_no_text_could_match_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="would never be found"):
        check_brand_names([Brand(id="a", names=(name,))])


WRITTEN = [
    "A&W",
    "C++",
    "L'Oréal",
    "宝洁(P&G)",
    "Yahoo!",
    "7-11",
    "Booking.com",
    "@微博名",
    "Ｋｅｅｐ",
    "😀",
    " Apple ",
    "a\nb",
]


@pytest.mark.parametrize("name", WRITTEN)
def test_names_as_people_write_them_are_taken(name: str) -> None:
    check_brand_names([Brand(id="a", names=(name,))])


def test_no_brands_no_mentions() -> None:
    assert BrandLinker([]).find_mentions("苹果") == []
