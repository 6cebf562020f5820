"""Tags: on vectors small enough to reason about, and the shipped taxonomy against its floor."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.core.config import LEVEL_SEPARATOR, Label
from nlp.extract.taxonomy import (
    DEFAULT_THRESHOLD,
    PRIOR_POSTS,
    TaxonomyTag,
    TaxonomyTagger,
    default_taxonomy,
    fit_threshold,
)
from nlp.model import Reader, load_reader

HELD = Path(__file__).parents[1] / "eval" / "tags.tsv"
TAXONOMY = (
    Label(label="food"),
    Label(label="food / milk", names=("牛奶", "milk"), examples=("奶香", "creamy")),
    Label(label="pets / dog food", synonyms=("狗粮",), examples=("毛亮", "shiny coat")),
    Label(label="toys", synonyms=("积木", "lego bricks")),
)
AXES = {"奶香": 0, "牛奶": 0, "creamy": 0, "milk": 0, "毛亮": 1, "狗粮": 1, "shiny coat": 1}


def embed(texts: Sequence[str]) -> np.ndarray:
    """One axis a theme, and one direction that all vectors share."""
    vectors = np.zeros((len(texts), 64), np.float32)
    for row, text in enumerate(texts):
        vectors[row, AXES.get(text, 2 + sum(map(ord, text)) % 61)] = 1
        vectors[row, 63] = 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def tags(texts: Sequence[str], **thresholds: float) -> list[list[TaxonomyTag]]:
    return TaxonomyTagger(TAXONOMY, embed, thresholds).assign_tags(texts, embed(texts))


def test_likeness_to_the_examples_is_enough() -> None:
    [found] = tags(["奶香"])
    assert [tag.tag for tag in found] == ["food", "food / milk"]
    assert found[0].score == found[1].score > DEFAULT_THRESHOLD


def test_a_word_is_enough_whatever_its_width_and_script() -> None:
    assert [
        [tag.tag for tag in found]
        for found in tags(["一袋狗糧", "ＬＥＧＯ bricks", "legos bricks"])
    ] == [
        ["pets", "pets / dog food"],
        ["toys"],
        [],
    ]


def test_a_post_may_name_several_labels_and_gets_the_best_first() -> None:
    [found] = tags(["牛奶、狗粮和积木"])
    assert {tag.tag for tag in found} == {"food", "food / milk", "pets", "pets / dog food", "toys"}
    assert [tag.score for tag in found] == sorted((tag.score for tag in found), reverse=True)


def test_a_learnt_threshold_decides() -> None:
    assert tags(["奶香"], **{"food / milk": 1.2}) == [[]]


def test_a_post_without_a_vector_has_only_its_words() -> None:
    tagger = TaxonomyTagger(TAXONOMY, embed)
    assert [
        len(found)
        for found in tagger.assign_tags(
            ["奶香", "积木", "积木"], [None, None, np.zeros(64, np.float32)]
        )
    ] == [0, 1, 1]
    assert tagger.assign_tags([], []) == []


def test_the_version_changes_with_the_thresholds() -> None:
    assert (
        TaxonomyTagger(TAXONOMY, embed).version
        != TaxonomyTagger(TAXONOMY, embed, {"toys": 0.6}).version
    )


def test_a_threshold_is_the_cut_of_best_f1_drawn_to_the_default() -> None:
    scores, right = np.array([0.9, 0.8, 0.5, 0.4]), np.array([True, True, False, False])
    assert fit_threshold(scores, right, 0.3) == pytest.approx(
        (4 * 0.65 + PRIOR_POSTS * 0.3) / (4 + PRIOR_POSTS)
    )
    assert fit_threshold(np.zeros(0), np.zeros(0, bool), 0.3) == 0.3


def test_a_label_that_is_never_right_gets_a_threshold_above_its_posts() -> None:
    scores = np.full(200, 0.6)
    assert fit_threshold(scores, np.zeros(200, bool)) > 0.6


@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans()), min_size=1, max_size=50))
def test_any_answers_give_a_threshold_within_the_scores_and_the_default(
    answers: list[tuple[float, bool]],
) -> None:
    scores = np.array([score for score, _ in answers])
    found = fit_threshold(scores, np.array([right for _, right in answers]))
    assert (
        min(scores.min(), DEFAULT_THRESHOLD) <= found <= max(scores.max() + 0.05, DEFAULT_THRESHOLD)
    )


def test_the_shipped_taxonomy_has_18_fields_in_two_languages_and_at_most_four_levels() -> None:
    labels = [entry.label for entry in default_taxonomy()]
    assert len({label.split(LEVEL_SEPARATOR)[0] for label in labels}) == 18
    assert max(len(label.split(LEVEL_SEPARATOR)) for label in labels) == 4
    assert len(set(labels)) == len(labels)
    for entry in default_taxonomy():
        assert not entry.names[0].isascii()
        assert entry.names[1].isascii()


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    import torch

    threads = torch.get_num_threads()
    yield load_reader(threads=1)
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_posts_held_out_stay_above_the_floor(reader: Reader) -> None:
    rows = [
        line.split("\t")
        for line in HELD.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    texts = [text for text, _ in rows]
    right = given_ = wanted_ = 0
    for (_, labels), found in zip(
        rows, TaxonomyTagger((), reader.embed).assign_tags(texts, reader.embed(texts)), strict=True
    ):
        wanted = {
            LEVEL_SEPARATOR.join(label.split(LEVEL_SEPARATOR)[: depth + 1])
            for label in labels.split("; ")
            if label != "-"
            for depth in range(len(label.split(LEVEL_SEPARATOR)))
        }
        tagged = {tag.tag for tag in found}
        right, given_, wanted_ = (
            right + len(wanted & tagged),
            given_ + len(tagged),
            wanted_ + len(wanted),
        )
    assert right / given_ >= 0.8
    assert right / wanted_ >= 0.7
