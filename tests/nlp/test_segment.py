"""Segmentation: golden pairs, exact offsets, and words of the project that always win."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlp.text.markup import strip_markup
from nlp.text.normalize import fold_text, normalize_text
from nlp.text.segment import Segmenter

GOLDEN = Path(__file__).parents[1] / "golden" / "segment.txt"
TRICKY = "叶酸 iphone'.@#[]:()…，。😀\u200d\ufe0f\ud83d買蘋果ＡＢ1２.5kg/-ß\u0301İ㎏¼\n\u3000한あ"
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(TRICKY)), max_size=60)

# Of each, the spelling alone tells the normal form, whatever stands beside it.
_PLAIN_PIECES = [
    *("叶酸", "買", "蘋果", "好吃", "iPhone", " ", "，", "ＡＢ", "3.5kg", "don't", "😀", "[怒]"),
    *(" #備孕# ", " #Oats ", "<br/>", "&hellip;", "&amp;", "\u200b", "_x000D_", "@name ", "Ж"),
]


def _golden() -> list[tuple[tuple[str, ...], str, str]]:
    words: tuple[str, ...] = ()
    pairs = []
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("%"):
            words = tuple(word.strip() for word in line[1:].split(",") if word.strip())
        elif line and not line.startswith("# "):
            text, arrow, expected = line.partition(" => ")
            assert arrow, line
            pairs.append((words, text, expected))
    return pairs


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(["叶酸", "iPhone", "Red Bull"])


@pytest.mark.parametrize(("words", "text", "expected"), _golden())
def test_golden(words: tuple[str, ...], text: str, expected: str) -> None:
    assert " ".join(Segmenter(words).words(text)) == expected


@given(TEXTS)
@example("#¼")
def test_tokens_cover_the_text_with_exact_offsets(text: str) -> None:
    done = 0
    for token in Segmenter(["叶酸", "iPhone"]).tokens(text):
        assert token.text
        assert text[token.start : token.end] == token.text
        assert not text[done : token.start].strip()
        done = token.end
    assert not text[done:].strip()


@given(TEXTS)
def test_words_are_in_normal_form(text: str) -> None:
    words = Segmenter(["叶酸"]).words(text)
    assert words == [normalize_text(word) for word in words]
    assert all(words)


@given(TEXTS)
@example("&#x1f600;&NotEqualTilde;&fjlig;")
def test_places_of_words_rise_and_do_not_overlap(text: str) -> None:
    segmenter = Segmenter(["叶酸", "iPhone"])
    located = segmenter.locate_words(text)
    assert segmenter.words(text) == located.words
    last_end = 0
    for _, start, length in zip(*located, strict=True):
        assert start >= last_end
        assert length >= 0
        last_end = start + length
    assert last_end <= len(text)


@given(st.lists(st.sampled_from(_PLAIN_PIECES), max_size=20).map("".join))
def test_a_word_is_the_normal_form_of_its_place(text: str) -> None:
    for word, start, length in zip(*Segmenter(["叶酸"]).locate_words(text), strict=True):
        published = normalize_text(strip_markup(text[start : start + length]))
        assert (published.rstrip("#") if word[0] == "#" else published) == word


@given(
    st.text("的一是我你他叶酸片剂维生素", max_size=8),
    st.text("的一是我你他叶酸片剂维生素", max_size=8),
)
def test_words_of_the_project_win(before: str, after: str) -> None:
    texts = [token.text for token in Segmenter(["维生素叶酸"]).tokens(f"{before}维生素叶酸{after}")]
    assert "维生素叶酸" in texts


@given(TEXTS)
def test_folding_moves_no_character(text: str) -> None:
    assert len(fold_text(text)) == len(text)


def test_hashtags(segmenter: Segmenter) -> None:
    assert segmenter.hashtags(
        "#孕期营养[话题]# 今天 #FolicAcid #葉酸 #1 &#39; https://example.com/#part"
    ) == [
        "孕期营养",
        "folicacid",
        "叶酸",
    ]
    assert segmenter.hashtags("#话题1##话题2#好") == ["话题1", "话题2"]
    assert segmenter.hashtags("#iphone#good #iphone") == ["iphone", "good"]


def test_long_hostile_texts_take_no_long_time(segmenter: Segmenter) -> None:
    for unit in ("a", "a-", "a.", "@", "#a", "http://", "[", "1.", "😀\u200d", "x@y."):
        assert segmenter.tokens(unit * 5000)
