"""Scores of any reader on the dev samples of one set, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.sets.samples import NEGATIVE, NEUTRAL, NOT_ABOUT, POSITIVE, TWO_WAY, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DRAWS = 1000


@dataclass(frozen=True)
class Score:
    """One figure on one set: ``value`` in [0, 1] with its 95 % interval over ``n`` answers."""

    name: str
    metric: str
    n: int
    value: float
    low: float
    high: float


def accuracy(right: NDArray[np.int_], given: NDArray[np.int_]) -> float:
    """The share of answers that are right."""
    return float((right == given).mean())


def macro_recall(right: NDArray[np.int_], given: NDArray[np.int_]) -> float:
    """The mean over labels of the share of their texts that are found: TweetEval's figure for sentiment (arXiv:2010.12421)."""
    return float(np.mean([(given[right == label] == label).mean() for label in np.unique(right)]))


def f1(right: NDArray[np.int_], given: NDArray[np.int_]) -> float:
    """The harmonic mean of precision and recall of the answer 1; zero where it is neither right nor given."""
    return (
        2
        * float(((right == 1) & (given == 1)).sum())
        / max(int((right == 1).sum() + (given == 1).sum()), 1)
    )


def macro_f1(right: NDArray[np.int_], given: NDArray[np.int_]) -> float:
    """The mean over labels of the F1 of each: SMP2020's figure for emotions."""
    return float(
        np.mean(
            [
                f1((right == label).astype(int), (given == label).astype(int))
                for label in np.unique(right)
            ]
        )
    )


def bootstrap_score(
    name: str,
    metric: Callable[[NDArray[np.int_], NDArray[np.int_]], float],
    labels: Sequence[int],
    predictions: Sequence[int],
) -> Score:
    """A metric with its interval: resampled answers, 1,000 draws, seeded."""
    pair = np.array([labels, predictions])
    rng = np.random.default_rng(0)
    draws = [metric(*pair[:, rng.integers(0, len(labels), len(labels))]) for _ in range(_DRAWS)]
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
    """Posts with a label against probabilities (n, 3): macro recall where annotators had three labels, accuracy where they had two.

    A two-way set is asked two-way: the more probable of negative and positive, whatever neutral has. None without a labelled post.
    """
    labelled = [
        (sample, row)
        for sample, row in zip(samples, probabilities, strict=True)
        if sample.label is not None
    ]
    if not labelled:
        return None
    right = [sample.label for sample, _ in labelled if sample.label is not None]
    given = [most_probable_label(row, sample.classes) for sample, row in labelled]
    return bootstrap_score(
        name, accuracy if labelled[0][0].classes == TWO_WAY else macro_recall, right, given
    )


def target_score(
    name: str, samples: Sequence[Sample], probabilities: Sequence[NDArray[np.float64]]
) -> Score | None:
    """Targets against probabilities, (k, 3) a sample: accuracy, over the labels that annotators had. None without a target."""
    right, given = [], []
    for sample, rows in zip(samples, probabilities, strict=True):
        for target, row in zip(sample.targets, rows, strict=True):
            right.append(NEUTRAL if target.label == NOT_ABOUT else target.label)
            given.append(most_probable_label(row, sample.classes))
    return bootstrap_score(name + " targets", accuracy, right, given) if right else None


def calibration_error(
    labels: Sequence[int], probabilities: NDArray[np.float64], bins: int = 10
) -> float:
    """Expected calibration error (Guo et al. 2017) of the most probable label, over bins of equal width; ``chances`` is (n, k)."""
    best, sure = probabilities.argmax(1), probabilities.max(1)
    hit = best == np.array(labels)
    where = np.minimum((sure * bins).astype(int), bins - 1)
    return float(
        sum(abs(hit[where == b].sum() - sure[where == b].sum()) for b in range(bins)) / len(labels)
    )


def most_probable_label(row: NDArray[np.float64], classes: tuple[int, ...]) -> int:
    """The most probable label of those that annotators could choose from, of probabilities (3,)."""
    if classes == TWO_WAY:
        return POSITIVE if row[POSITIVE] > row[NEGATIVE] else NEGATIVE
    return int(row.argmax())
