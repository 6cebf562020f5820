"""Scores of any reader on the dev samples of one set, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.sets.samples import NEGATIVE, NEUTRAL, NOT_ABOUT, POSITIVE, TWO_WAY, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BOOTSTRAP_DRAWS = 1000


@dataclass(frozen=True)
class Score:
    """One score on one set."""

    name: str
    metric: str
    # number of predictions
    n: int
    # in [0, 1], with its 95 % interval
    value: float
    low: float
    high: float


def accuracy(labels: NDArray[np.int_], predictions: NDArray[np.int_]) -> float:
    """Return the share of predictions that are right."""
    return float((labels == predictions).mean())


def macro_recall(labels: NDArray[np.int_], predictions: NDArray[np.int_]) -> float:
    """Return the mean recall over labels, TweetEval's metric for sentiment (arXiv:2010.12421)."""
    return float(
        np.mean([(predictions[labels == label] == label).mean() for label in np.unique(labels)])
    )


def f1(labels: NDArray[np.int_], predictions: NDArray[np.int_]) -> float:
    """Return the F1 of class 1: zero where it is neither a label nor predicted."""
    return (
        2
        * float(((labels == 1) & (predictions == 1)).sum())
        / max(int((labels == 1).sum() + (predictions == 1).sum()), 1)
    )


def macro_f1(labels: NDArray[np.int_], predictions: NDArray[np.int_]) -> float:
    """Return the mean F1 over labels, SMP2020's metric for emotions."""
    scores = [
        f1((labels == label).astype(int), (predictions == label).astype(int))
        for label in np.unique(labels)
    ]
    return float(np.mean(scores))


def bootstrap_score(
    name: str,
    metric: Callable[[NDArray[np.int_], NDArray[np.int_]], float],
    labels: Sequence[int],
    predictions: Sequence[int],
) -> Score:
    """Score predictions with a bootstrap interval of 1,000 seeded draws."""
    pair = np.array([labels, predictions])
    rng = np.random.default_rng(0)
    draws = [
        metric(*pair[:, rng.integers(0, len(labels), len(labels))]) for _ in range(_BOOTSTRAP_DRAWS)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Score(
        name,
        metric.__name__.replace("_", " ").replace("f1", "F1"),
        len(labels),
        metric(*pair),
        float(low),
        float(high),
    )


def post_score(
    name: str, samples: Sequence[Sample], probabilities: NDArray[np.float64]
) -> Score | None:
    """Score probabilities (n, 3) of posts; return None without a labelled post.

    Macro recall where annotators had three labels, accuracy where they had two: then the
    prediction is the more probable of negative and positive.
    """
    labelled = [
        (sample, text_probabilities)
        for sample, text_probabilities in zip(samples, probabilities, strict=True)
        if sample.label is not None
    ]
    if not labelled:
        return None
    labels = [sample.label for sample, _ in labelled if sample.label is not None]
    predictions = [
        most_probable_label(text_probabilities, sample.classes)
        for sample, text_probabilities in labelled
    ]
    return bootstrap_score(
        name, accuracy if labelled[0][0].classes == TWO_WAY else macro_recall, labels, predictions
    )


def target_score(
    name: str, samples: Sequence[Sample], probabilities: Sequence[NDArray[np.float64]]
) -> Score | None:
    """Score probabilities of targets, (k, 3) a sample; return None without a target.

    The score is the accuracy over the labels that annotators had.
    """
    labels: list[int] = []
    predictions: list[int] = []
    for sample, rows in zip(samples, probabilities, strict=True):
        for target, target_probabilities in zip(sample.targets, rows, strict=True):
            labels.append(NEUTRAL if target.label == NOT_ABOUT else target.label)
            predictions.append(most_probable_label(target_probabilities, sample.classes))
    return bootstrap_score(name + " targets", accuracy, labels, predictions) if labels else None


def calibration_error(
    labels: Sequence[int], probabilities: NDArray[np.float64], bins: int = 10
) -> float:
    """Return the expected calibration error of the most probable label (Guo et al. 2017).

    ``probabilities``: (n, k); bins have equal width.
    """
    predictions = probabilities.argmax(1)
    confidences = probabilities.max(1)
    is_right = predictions == np.array(labels)
    bin_index = np.minimum((confidences * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(is_right[bin_index == number].sum() - confidences[bin_index == number].sum())
            for number in range(bins)
        )
        / len(labels)
    )


def most_probable_label(row: NDArray[np.float64], classes: tuple[int, ...]) -> int:
    """Return the most probable of the labels that annotators had; ``row``: probabilities (3,)."""
    if classes == TWO_WAY:
        return POSITIVE if row[POSITIVE] > row[NEGATIVE] else NEGATIVE
    return int(row.argmax())
