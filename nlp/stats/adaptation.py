"""Adaptation of a model's probabilities to people's labels of a brand: one factor a label.

``posterior' = posterior * factor``, scaled to sum to 1. That is logistic regression with the
log-posteriors as offset and nothing but intercepts, the bias of vector scaling (Guo et al. 2017,
arXiv:1706.04599; Alexandari et al. 2020, arXiv:1901.06852), and what Bayes' rule does when a domain
has its labels in other proportions.

Richer maps were tried on 12 brands that nothing was trained on (benchmarks/adapt.py). With 50 to
300 labels a matrix over the log-posteriors of target and post gained less than .01 of log loss over
the factors and lost accuracy. Directions of the sentence's embedding gained a point or two of
accuracy, but every post would have to be annotated again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.stats.estimation import RANDOM_SEED, Floats, Ints

RIDGE = 3.0
"""Penalty on the squared logarithms of the factors, in labels.

Chosen on those brands among .1, .3, 1, 3 and 10 as a compromise: macro F1 with 50 and with 100
labels is .621 and .621 (at 1: .612 and .615), and the log loss within .005 of the best, which 10
loses by .020 and .015.
"""

MIN_LABELS = 50
"""Labels below which nothing is fitted: with 25 the error of shares was a third larger."""

_REPEATS = 10
_FOLDS = 5
_MAX_STEPS = 50  # of Newton's method
_CONVERGED_STEP = 1e-8  # in units of a log factor
# Minimum probability that a loss is computed with: one sure mistake should not outweigh all else.
_MIN_PROBABILITY = 1e-4


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """The effect of adapting on labels that it was not fitted to.

    Losses are mean negative log-likelihoods (nats a label); `standard_error` is that of their
    difference, paired by label. Share errors are mean absolute differences of the three mean
    probabilities from the three shares of the labels, 0 to 1.
    """

    labels: int
    loss_before: float
    loss_after: float
    standard_error: float
    share_error_before: float
    share_error_after: float

    @property
    def helps(self) -> bool:
        """Return whether the loss falls by over a standard error and the share error falls."""
        gain = self.loss_before - self.loss_after
        return gain > self.standard_error and self.share_error_after < self.share_error_before


def fit_label_factors(posteriors: Floats, labels: Ints, weights: Floats) -> Floats:
    """Fit the factors (3,) of the labels; they multiply to 1.

    `posteriors` (n, 3) are the model's, `labels` (n,) 0 to 2, `weights` (n,) those of the labels,
    with a mean of about 1. Minimises the weighted negative log-likelihood plus half of `RIDGE`
    times the sum of the squared log factors. Raises ValueError without a label.
    """
    if not len(labels):
        raise ValueError("wanted at least one label to fit factors to, got none.")
    truth = np.eye(3)[labels]
    logs = np.zeros(3)
    for _ in range(_MAX_STEPS):
        probabilities = rescale_posteriors(posteriors, np.exp(logs))
        gradient = weights @ (probabilities - truth) + RIDGE * logs
        spread = probabilities * weights[:, None]
        curvature = np.diag(spread.sum(axis=0)) - probabilities.T @ spread + RIDGE * np.eye(3)
        step = np.linalg.solve(curvature, gradient)
        logs -= step
        if np.abs(step).max() < _CONVERGED_STEP:
            break
    return np.asarray(np.exp(logs - logs.mean()))


def rescale_posteriors(posteriors: Floats, factors: Floats) -> Floats:
    """Multiply posteriors (n, 3) by factors (3,) and scale each row to sum to 1."""
    products = posteriors * factors
    return np.asarray(products / products.sum(axis=1, keepdims=True))


def cross_validate(posteriors: Floats, labels: Ints, weights: Floats) -> CrossValidation:
    """Measure what adapting gains, by ten times repeated stratified five-fold cross-validation.

    Arguments as of `fit_label_factors`. Deterministic. The loss of a label is its mean over the
    repeats.
    """
    rng = np.random.Generator(np.random.PCG64(RANDOM_SEED))
    losses = np.zeros(len(labels))
    share_error = 0.0
    for _ in range(_REPEATS):
        folds = stratified_folds(labels, rng)
        after = np.empty_like(posteriors)
        for fold in range(_FOLDS):
            held_out = folds == fold
            fitted = ~held_out
            factors = fit_label_factors(posteriors[fitted], labels[fitted], weights[fitted])
            after[held_out] = rescale_posteriors(posteriors[held_out], factors)
        losses += _label_losses(after, labels) / _REPEATS
        share_error += _share_error(after, labels, weights) / _REPEATS
    before = _label_losses(posteriors, labels)
    gains = before - losses
    total = weights.sum()
    error = np.sqrt((weights**2 * (gains - weights @ gains / total) ** 2).sum()) / total
    return CrossValidation(
        labels=len(labels),
        loss_before=float(weights @ before / total),
        loss_after=float(weights @ losses / total),
        standard_error=float(error),
        share_error_before=_share_error(posteriors, labels, weights),
        share_error_after=share_error,
    )


def stratified_folds(labels: Ints, rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign labels (n,) to five folds (n,) at random.

    Those of each class are divided as evenly as possible.
    """
    shuffled = rng.permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    folds = np.empty(len(labels), dtype=np.int64)
    folds[order] = np.arange(len(labels)) % _FOLDS
    return folds


def _label_losses(posteriors: Floats, labels: Ints) -> Floats:
    probabilities = posteriors[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(probabilities, _MIN_PROBABILITY)))


def _share_error(posteriors: Floats, labels: Ints, weights: Floats) -> float:
    differences = weights @ (posteriors - np.eye(3)[labels]) / weights.sum()
    return float(np.abs(differences).mean())
