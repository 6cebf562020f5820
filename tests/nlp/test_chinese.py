"""Weights of the dictionary, the rule that joins pieces, and training on a few segmented lines."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.text.chinese import (
    ChineseSegmenter,
    default_chinese_segmenter,
    join_features,
    read_weights,
)
from training import segmenter


@settings(deadline=None)  # the first one loads the dictionary
@given(st.text(st.sampled_from("的一是我你他们叶酸片剂快递员螺蛳粉3a，。😀 \n"), max_size=30))
def test_pieces_and_words_make_up_the_text(text: str) -> None:
    cutter = default_chinese_segmenter()
    assert "".join(cutter.cut_by_dictionary(text)) == text
    assert "".join(cutter.cut(text)) == text


def test_a_frequency_decides_between_one_word_and_two() -> None:
    assert ChineseSegmenter({"这款": 1}, {}).cut("这款好") == ["这", "款", "好"]
    assert ChineseSegmenter({"这款": 10**7}, {}).cut("这款好") == ["这款", "好"]


def test_only_chinese_pieces_with_a_single_character_are_joined() -> None:
    cutter = ChineseSegmenter({}, dict.fromkeys(("11", "12", "21", "22"), 1))
    assert cutter.cut("叶酸") == ["叶酸"]
    assert cutter.cut("晨谷a，b") == ["晨谷", "a", "，", "b"]
    assert cutter.cut("手机电脑") == ["手机", "电脑"]


def test_the_rule_sees_both_pieces() -> None:
    assert len(set(join_features("快递", "员"))) == len(join_features("快递", "员"))
    assert not set(join_features("快递", "员")) & set(join_features("好", "吃货"))


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    lines = (
        "这 款 叶酸片 好 ， 叶酸片 3 盒",
        "這 款 叶酸片 ok 不 好",
        "吃货们 买 叶酸片",
        "店员们 卖 叶酸片",
    )
    path.write_text("\n".join(lines * 5) + "\n\n", encoding="utf-8")
    return path


def test_runs_are_the_chinese_words_between_signs(lines: Path) -> None:
    assert segmenter.read_word_runs(lines)[:5] == [
        ["这", "款", "叶酸片", "好"],
        ["叶酸片"],
        ["盒"],
        ["这", "款", "叶酸片"],
        ["不", "好"],
    ]


def test_learning_cuts_the_lines_as_they_are_cut(lines: Path) -> None:
    runs = segmenter.read_word_runs(lines)
    plain, taught = (
        ChineseSegmenter({}, {}),
        ChineseSegmenter(segmenter.learn_frequencies(runs), {}),
    )
    assert plain.cut("吃货们") == ["吃货", "们"]
    assert [taught.cut("".join(run)) for run in runs] == runs


def test_learning_joins_what_the_lines_have_as_one_word(
    lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmenter, "MIN_JOIN_WEIGHT", 1)  # a few lines give light weights
    plain = ChineseSegmenter({}, {})
    pairs = segmenter.extract_join_examples(segmenter.read_word_runs(lines), plain)
    assert (join_features("吃货", "们"), True) in pairs
    rule = segmenter.learn_join_weights(pairs)
    assert rule == segmenter.learn_join_weights(pairs)
    assert sum(rule.get(name, 0) for name in join_features("店员", "们")) > 0
    assert sum(rule.get(name, 0) for name in join_features("这", "款")) <= 0


def test_weights_read_what_training_writes(tmp_path: Path) -> None:
    made = {"叶酸": 12, "_片0": -3}
    segmenter.write_weights(tmp_path / "w.txt", made)
    assert read_weights(tmp_path / "w.txt") == made
    names = list(read_weights(tmp_path / "w.txt"))
    assert all(left < right for left, right in pairwise(names))
