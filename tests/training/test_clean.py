"""Labels that their own text contradicts are not learnt; what the fast ways of reading change is told in points."""

from __future__ import annotations

import random

import numpy as np

from training.clean import REASON, cleaned
from training.manifest import Source, Split
from training.modes import compared
from training.readers import labelled
from training.samples import NEGATIVE, POSITIVE, Sample

GOOD, BAD = (
    ("质量很好", "非常满意", "味道不错", "很喜欢", "物超所值"),
    ("质量太差", "非常失望", "味道难闻", "很讨厌", "不会再买"),
)


def reviews(count: int) -> list[Sample]:
    rng = random.Random(0)
    made = []
    for number in range(count):
        label = (NEGATIVE, POSITIVE)[number % 2]
        words = rng.sample(GOOD if label == POSITIVE else BAD, 3)
        made.append(Sample(f"第{number}次买，{'，'.join(words)}", label))
    return made


def test_a_label_that_its_text_contradicts_is_dropped_and_counted() -> None:
    wrong = [
        Sample("买了两次，质量很好，非常满意，很喜欢", NEGATIVE),
        Sample("买了三次，质量太差，非常失望，很讨厌", POSITIVE),
    ]
    samples = [*reviews(400), *wrong]
    source = Source("shop", "zh", "", labelled("review", "label", {}), reviews=True)
    made = cleaned(Split(source, samples, wrong, {"repeated in the set": 3}))
    assert [sample for sample in samples if sample not in made.train] == wrong
    assert made.dropped == {"repeated in the set": 3, REASON: 2}
    assert made.dev == wrong  # what is asked stays as its annotators left it


def test_sets_that_are_no_reviews_are_left_as_they_are() -> None:
    split = Split(Source("posts", "zh", "", labelled("review", "label", {})), reviews(4), [], {})
    assert cleaned(split) is split


def test_ways_of_reading_are_compared_in_points() -> None:
    exact = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]])
    given = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.1, 0.5, 0.4]])
    told = compared(np.array([0, 1, 2, -1]), exact, given)
    assert told.startswith(
        "macro F1 +0.00 points (n=3), largest difference of a share 10.00 points by probabilities and 25.00 by labels"
    )
    assert told.endswith("same label 75.0 % (n=4)")
