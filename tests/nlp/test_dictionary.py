"""jieba, where rjieba can't be imported: the same tokens and tags."""

import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.text.chinese import (
    JOINS_FILE,
    SEGMENTER_FOLDER,
    WORDS_FILE,
    ChineseSegmenter,
    default_chinese_segmenter,
    read_weights,
)
from nlp.text.dictionary import PythonDictionary, WordDictionary, load_dictionary
from nlp.text.normalize import fold_text

GOLDEN = Path(__file__).parents[1] / "golden"
WORDS = [
    *(
        "叶酸",
        "怀孕",
        "晨谷麦片",
        "研究生命",
        "结婚的和尚未",
        "小明",
        "的",
        "了",
        "㐀㐁",
        "〇",
        "𠮷",
    ),
    *("3.5kg", "iphone", "c++", "é", "😀", " ", "。", "-"),
]
CHARACTERS = "一二三叶酸麦片的了不好吃买卖学生活着研究"


@cache
def rust_dictionary() -> WordDictionary:
    return load_dictionary()


@cache
def python_dictionary() -> PythonDictionary:
    return PythonDictionary()


@cache
def python_segmenter() -> ChineseSegmenter:
    """The segmenter that ships with Folate, on jieba in Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "rjieba", None)
        return ChineseSegmenter(
            read_weights(SEGMENTER_FOLDER / WORDS_FILE), read_weights(SEGMENTER_FOLDER / JOINS_FILE)
        )


def golden_lines() -> list[str]:
    lines: list[str] = []
    for name in ("segment.txt", "normalize.txt", "brands.txt", "audience.tsv", "comparisons.tsv"):
        lines += (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    return [fold_text(line) for line in lines]


def test_without_rjieba_jieba_is_used() -> None:
    assert isinstance(python_segmenter()._dictionary, PythonDictionary)
    assert not isinstance(rust_dictionary(), PythonDictionary)


def test_golden_texts_have_the_same_words() -> None:
    for line in golden_lines():
        assert python_segmenter().cut(line) == default_chinese_segmenter().cut(line)
        assert python_dictionary().cut(line, False) == rust_dictionary().cut(line, False)


def test_words_of_golden_texts_have_the_same_tags() -> None:
    words = {word for line in golden_lines() for word in default_chinese_segmenter().cut(line)}
    differing = {
        word: (python_dictionary().tag(word), rust_dictionary().tag(word))
        for word in words
        if python_dictionary().tag(word) != rust_dictionary().tag(word)
    }
    assert not differing


@pytest.mark.parametrize("character", "啊哈好丹大")
def test_equally_probable_ways_to_cut_are_rounded_alike(character: str) -> None:
    for length in range(1, 40):
        text = character * length
        assert python_dictionary().cut(text, False) == rust_dictionary().cut(text, False)
        assert python_segmenter().cut(text) == default_chinese_segmenter().cut(text)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(CHARACTERS, max_size=9), max_size=9))
def test_generated_texts_have_the_same_words(parts: list[str]) -> None:
    text = "".join(parts)
    assert python_segmenter().cut(text) == default_chinese_segmenter().cut(text)
