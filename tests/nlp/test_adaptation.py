"""Factors that fit a model's probabilities to labels of people, and their cross-validation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.stats.adaptation import (
    RIDGE,
    cross_validate,
    fit_label_factors,
    rescale_posteriors,
    stratified_folds,
)


def sample(
    count: int, shares: tuple[float, float, float], seed: int, sharpness: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return posteriors of a model with a uniform prior, and labels of the given shares."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, count, p=shares)
    logits = rng.normal(0, 1, (count, 3)) + sharpness * np.eye(3)[labels]
    return rescale_posteriors(np.exp(sharpness * logits), np.ones(3)), labels


def test_with_many_labels_factors_are_the_ratio_of_the_shares() -> None:
    posteriors, labels = sample(40_000, (0.6, 0.1, 0.3), seed=0)
    factors = fit_label_factors(posteriors, labels, np.ones(len(labels)))
    assert factors / factors.sum() == pytest.approx([0.6, 0.1, 0.3], abs=0.02)
    assert rescale_posteriors(posteriors, factors).mean(axis=0) == pytest.approx(
        [0.6, 0.1, 0.3], abs=0.01
    )


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_factors_are_where_the_penalised_likelihood_has_no_slope(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    posteriors = rng.dirichlet((0.5, 0.5, 0.5), count)
    labels = rng.integers(0, 3, count)
    weights = rng.uniform(0.2, 2, count)
    factors = fit_label_factors(posteriors, labels, weights)
    assert factors.prod() == pytest.approx(1)
    slope = weights @ (
        rescale_posteriors(posteriors, factors) - np.eye(3)[labels]
    ) + RIDGE * np.log(factors)
    assert slope == pytest.approx(np.zeros(3), abs=1e-5)


def test_a_label_of_weight_two_counts_as_two_labels() -> None:
    posteriors, labels = sample(30, (0.3, 0.3, 0.4), seed=1)
    twice = np.concatenate([np.arange(30), np.arange(10)])
    weights = np.where(np.arange(30) < 10, 2.0, 1.0)
    assert fit_label_factors(posteriors, labels, weights) == pytest.approx(
        fit_label_factors(posteriors[twice], labels[twice], np.ones(40))
    )


def test_labels_of_one_kind_only_leave_finite_factors() -> None:
    posteriors, _ = sample(50, (0.3, 0.3, 0.4), seed=2)
    factors = fit_label_factors(posteriors, np.zeros(50, dtype=int), np.ones(50))
    assert np.isfinite(factors).all()
    assert factors[0] > factors[1:].max()


def test_without_a_label_nothing_is_fitted() -> None:
    with pytest.raises(ValueError, match="at least one label"):
        fit_label_factors(np.empty((0, 3)), np.empty(0, dtype=int), np.empty(0))


def test_it_helps_where_the_shares_are_others_and_not_where_they_are_those_of_the_model() -> None:
    other, same = ((0.7, 0.05, 0.25), (1 / 3, 1 / 3, 1 / 3))
    found = [
        cross_validate(*(part := sample(200, other, seed)), np.ones(len(part[1])))
        for seed in range(10)
    ]
    assert all(gain.helps and gain.loss_after < gain.loss_before for gain in found)
    wrong = [
        cross_validate(*(part := sample(200, same, seed)), np.ones(len(part[1]))).helps
        for seed in range(20)
    ]
    assert sum(wrong) <= 3


def test_cross_validation_is_the_same_each_time() -> None:
    posteriors, labels = sample(80, (0.5, 0.2, 0.3), seed=3)
    assert cross_validate(posteriors, labels, np.ones(80)) == cross_validate(
        posteriors, labels, np.ones(80)
    )


@given(st.lists(st.integers(0, 2), min_size=10, max_size=80), st.integers(0, 100))
def test_parts_have_each_class_as_evenly_as_can_be(classes: list[int], seed: int) -> None:
    labels = np.array(classes)
    parts = stratified_folds(labels, np.random.default_rng(seed))
    for label in range(3):
        sizes = np.bincount(parts[labels == label], minlength=5)
        assert sizes.max() - sizes.min() <= 1
