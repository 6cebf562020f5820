"""Brand mentions: golden texts with marked mentions, and offsets in the text as published."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.config import Brand
from nlp.brands import Linker, Mention

GOLDEN = Path(__file__).parents[1] / "golden" / "brands.txt"
_LINES = [line for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]


def _brands() -> list[Brand]:
    brands = (line[1:].partition("=") for line in _LINES if line.startswith("%"))
    return [Brand(id=name.strip(), names=tuple(alias.strip() for alias in aliases.split(","))) for name, _, aliases in brands]


@pytest.mark.parametrize("marked", [line for line in _LINES if not line.startswith("%")])
def test_golden(marked: str) -> None:
    text = re.sub(r"\{\w+:(.*?)\}", r"\1", marked)
    found = Linker(_brands()).find(text)
    for mention in reversed(found):
        text = f"{text[: mention.start]}{{{mention.brand}:{text[mention.start : mention.end]}}}{text[mention.end :]}"
    assert text == marked


@given(st.text(st.characters(exclude_categories=["L", "N", "M"], exclude_characters="@_"), max_size=20))
def test_offsets_hold_in_the_text_as_published(before: str) -> None:
    found = Linker([Brand(id="apple", names=("苹果",))]).find(f"{before}蘋果")
    assert found == [Mention("apple", len(before), len(before) + 2)]


def test_an_alias_of_two_brands_mentions_both() -> None:
    linker = Linker([Brand(id="a", names=("小米",)), Brand(id="b", names=("小 米",))])
    assert linker.find("小米") == [Mention("a", 0, 2), Mention("b", 0, 2)]


def test_no_brands_no_mentions() -> None:
    assert Linker([]).find("苹果") == []
