"""Relations of two brands: golden sentences, and what holds of any text."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.core.config import Brand
from nlp.extract.brands import BrandLinker, Mention
from nlp.extract.comparisons import Comparison, find_comparisons

GOLDEN = Path(__file__).parents[1] / "golden" / "comparisons.tsv"
BRANDS = ("禾露", "青屿", "暖谷", "乐棠", "Zelvo", "Nimbra", "Quorla", "Tavix")
LINKER = BrandLinker([Brand(id=name, names=(name,)) for name in BRANDS])
Relations = set[tuple[str, ...]]


def golden(part: str) -> list[tuple[str, Relations]]:
    rows = (
        line.split("\t")
        for line in GOLDEN.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"{part}\t")
    )
    return [
        (text, set() if stated == "-" else {tuple(one.split()) for one in stated.split("; ")})
        for _, text, stated in rows
    ]


def stated(text: str) -> Relations:
    return {
        (found.kind, found.brand, found.other)
        for found in find_comparisons(text, LINKER.find_mentions(text))
    }


@pytest.mark.parametrize(("text", "wanted"), golden("rules"))
def test_golden(text: str, wanted: Relations) -> None:
    assert stated(text) == wanted


def test_sentences_held_out_stay_above_the_floor() -> None:
    pairs = [(stated(text), wanted) for text, wanted in golden("held")]
    right = sum(len(found & wanted) for found, wanted in pairs)
    assert right / sum(len(found) for found, _ in pairs) >= 0.95
    assert right / sum(len(wanted) for _, wanted in pairs) >= 0.9


def test_the_span_is_in_the_text_as_published() -> None:
    text = "Zelvo。我們從　ＺＥＬＶＯ 換到 Nimbra 了"
    [found] = find_comparisons(text, LINKER.find_mentions(text))
    assert text[found.start : found.end] == "從　ＺＥＬＶＯ 換到 Nimbra"


def test_a_place_that_names_two_brands_speaks_of_both() -> None:
    text = "甲不如乙"
    mentions = [Mention("a", 0, 1), Mention("b", 3, 4), Mention("c", 3, 4)]
    assert find_comparisons(text, mentions) == [
        Comparison("b", "a", "better", 0, 4),
        Comparison("c", "a", "better", 0, 4),
    ]


def test_a_mention_inside_of_another_is_passed_over() -> None:
    text = "禾露奶粉不如青屿"
    assert [
        found.other
        for found in find_comparisons(
            text, [Mention("long", 0, 4), Mention("short", 1, 2), Mention("b", 6, 8)]
        )
    ] == ["long"]


def test_one_brand_is_compared_with_nothing() -> None:
    assert find_comparisons("禾露比禾露好", [Mention("a", 0, 2), Mention("a", 3, 5)]) == []


@given(
    st.lists(
        st.sampled_from(
            [
                *BRANDS[:4],
                "比",
                "从",
                "换到",
                "好",
                "不",
                "better than",
                " ",
                "，",
                "。",
                "?",
                "\ue000",
                "😀",
            ]
        ),
        max_size=30,
    )
)
def test_any_text_gives_spans_inside_of_it_and_two_brands(parts: list[str]) -> None:
    text = "".join(parts)
    for found in find_comparisons(text, LINKER.find_mentions(text)):
        assert 0 <= found.start < found.end <= len(text)
        assert found.brand != found.other
        assert not re.match(r"\s|.*\s$", text[found.start : found.end], re.DOTALL)


def test_a_sentence_of_thousands_of_brands_is_read_in_time() -> None:
    text = "从禾露比青屿换 better 暖谷，" * 300
    assert isinstance(find_comparisons(text, LINKER.find_mentions(text)), list)


def test_a_sentence_states_a_relation_once_and_may_state_its_opposite() -> None:
    assert (
        len(
            find_comparisons(
                "青屿比禾露好，青屿比禾露便宜", LINKER.find_mentions("青屿比禾露好，青屿比禾露便宜")
            )
        )
        == 1
    )
    assert stated("青屿比禾露便宜，禾露比青屿好喝") == {
        ("better", "青屿", "禾露"),
        ("better", "禾露", "青屿"),
    }
