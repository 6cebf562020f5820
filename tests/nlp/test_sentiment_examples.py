"""Aspects by examples, over a reader whose vectors are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from folate.core.config import CustomAspect, parse_config
from folate.core.errors import ConfigError
from nlp.model import AspectPrediction, SentimentProbabilities, TextPrediction
from nlp.model.custom_aspects import (
    BACKGROUND_FILE,
    CustomAspectReader,
    WhiteningTransform,
    _sample_clauses,
)
from nlp.model.reader import TargetSpans

BAD = SentimentProbabilities(0.8, 0.1, 0.1)
KNOWN = AspectPrediction("price", BAD, 0.6, 0, 2)


class Counted:
    """A reader whose vectors are counts of characters, and whose targets are all bad."""

    name, version = "counted", "1"

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        return [
            TextPrediction(BAD, (BAD,) * len(its), (KNOWN,))
            for its in (targets if targets is not None else [()] * len(texts))
        ]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = [[0.01, *map(text.count, "的了很太甜糖味aeiot")] for text in texts]
        made: NDArray[np.float32] = np.array(counts, np.float32)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made


SWEET = CustomAspect(
    id="sweetness", names=("甜度", "sweetness"), examples=("太甜了", "糖味太甜", "很甜的糖")
)


def test_a_clause_like_the_examples_is_found_and_judged_as_a_target() -> None:
    reader = CustomAspectReader(Counted(), [SWEET])
    near, far, empty = reader.read(["包裝是蓝色的，就是甜得像糖", "ate it on a boat", ""])
    found = near.aspects[0]
    assert (found.name, found.polarity, (found.start, found.end)) == ("sweetness", BAD, (7, 13))
    assert found.confidence > near.aspects[1].confidence == KNOWN.confidence
    assert far.aspects == empty.aspects == (KNOWN,)


def test_whitened_vectors_are_units_around_the_middle() -> None:
    vectors = Counted().embed(BACKGROUND_FILE.read_text(encoding="utf-8").splitlines())
    turned = WhiteningTransform(vectors)(vectors)
    assert np.allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-4)
    assert np.abs(turned.mean(0)).max() < 0.2


@pytest.mark.parametrize(
    ("aspect", "problem"),
    [
        ({"names": ["甜"], "examples": ["甜", "甜", "苦"]}, "3 examples or more, and has 2"),
        ({"names": [], "examples": []}, "at least one name"),
    ],
)
def test_an_aspect_of_a_project_needs_a_name_and_examples(
    aspect: dict[str, list[str]], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse_config({"name": "x", "aspects": [{"id": "sweetness", **aspect}]})


@pytest.mark.parametrize("unit", ["太甜了，喝不下去。", "买过很多次也没有什么好说的"])
def test_of_a_very_long_text_sample_clauses_of_5000_characters_are_looked_at(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    clauses = _sample_clauses(text)
    assert 0 < sum(end - start for start, end in clauses) <= 5_000
    assert len(clauses) <= len(_sample_clauses(text[:5_000]))
    assert clauses[-1][1] > 5_000 or len(clauses) == 1
