"""Labels that their own text contradicts; differences of the faster modes, in points."""

from __future__ import annotations

import random

import numpy as np

from training.modes import describe_prediction_changes
from training.sets.clean import DROP_REASON, drop_contradicted_labels
from training.sets.manifest import DatasetSource, DatasetSplit
from training.sets.readers import labelled_csv_reader
from training.sets.samples import NEGATIVE, POSITIVE, Sample

GOOD, BAD = (
    ("质量很好", "非常满意", "味道不错", "很喜欢", "物超所值"),
    ("质量太差", "非常失望", "味道难闻", "很讨厌", "不会再买"),
)


def reviews(count: int) -> list[Sample]:
    rng = random.Random(0)
    samples = []
    for number in range(count):
        label = (NEGATIVE, POSITIVE)[number % 2]
        words = rng.sample(GOOD if label == POSITIVE else BAD, 3)
        samples.append(Sample(f"第{number}次买，{'，'.join(words)}", label))
    return samples


def test_a_label_that_its_text_contradicts_is_dropped_and_counted() -> None:
    wrong = [
        Sample("买了两次，质量很好，非常满意，很喜欢", NEGATIVE),
        Sample("买了三次，质量太差，非常失望，很讨厌", POSITIVE),
    ]
    samples = [*reviews(400), *wrong]
    source = DatasetSource(
        "shop", "zh", "", labelled_csv_reader("review", "label", {}), reviews=True
    )
    cleaned = drop_contradicted_labels(
        DatasetSplit(source, samples, wrong, {"repeated in the set": 3})
    )
    assert [sample for sample in samples if sample not in cleaned.train] == wrong
    assert cleaned.dropped_counts == {"repeated in the set": 3, DROP_REASON: 2}
    assert cleaned.dev == wrong  # what is asked stays as its annotators left it


def test_sets_that_are_no_reviews_are_left_as_they_are() -> None:
    split = DatasetSplit(
        DatasetSource("posts", "zh", "", labelled_csv_reader("review", "label", {})),
        reviews(4),
        [],
        {},
    )
    assert drop_contradicted_labels(split) is split


def test_ways_of_reading_are_compared_in_points() -> None:
    exact = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]])
    approximate = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.1, 0.5, 0.4]])
    description = describe_prediction_changes(np.array([0, 1, 2, -1]), exact, approximate)
    assert description.startswith(
        "macro F1 +0.00 points (n=3), largest difference of a share 10.00 points by probabilities"
        " and 25.00 by labels"
    )
    assert description.endswith("same label 75.0 % (n=4)")
