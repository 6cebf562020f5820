"""Statistics of reports: intervals, quantification, bootstrap, tests of changes, keyness.

Pure functions on numpy arrays; the same input always gives the same output. Shares are proportions
(0 to 1), never percent. Posteriors are rows of class probabilities that sum to 1.
"""

from math import erfc, hypot, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BOOTSTRAP_DRAWS = 1000
RANDOM_SEED = 20260101  # any fixed number: the same corpus must give the same interval
# A bootstrap variance from U random blocks has a relative error of sqrt(2 / U), here 2 %.
MAX_RESAMPLING_UNITS = 4096


def wilson_interval(
    successes: float, trials: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927).

    Unlike the normal interval it stays in 0..1 and has width at 0 and at 1. Raises ValueError
    unless 0 <= successes <= trials and trials > 0.
    """
    if trials <= 0 or not 0 <= successes <= trials:
        raise ValueError(
            f"wanted 0 <= successes <= trials and trials > 0, got {successes} of {trials}."
        )
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    middle = share + z * z / (2 * trials)
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def newcombe_interval(
    successes: float,
    trials: float,
    other_successes: float,
    other_trials: float,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return the interval of the difference of two independent proportions, first less second.

    Newcombe 1998, method 10: from the two Wilson intervals, so that it stays in -1..1 and has width
    where both proportions are 0. Raises ValueError as `wilson_interval`.
    """
    low, high = wilson_interval(successes, trials, confidence)
    other_low, other_high = wilson_interval(other_successes, other_trials, confidence)
    share = successes / trials
    other_share = other_successes / other_trials
    difference = share - other_share
    down = hypot(share - low, other_high - other_share)
    up = hypot(high - share, other_share - other_low)
    return difference - down, difference + up


def emq_prevalences(
    posteriors: Floats,
    prior: Floats,
    tolerance: float = 1e-7,
    iterations: int = 500,
    prior_strength: float = 0.0,
) -> Floats:
    """Estimate class prevalences by expectation-maximisation on calibrated posteriors.

    `posteriors` (n, k) are probabilities as calibrated under the prevalences `prior` (k,); the
    result (k,) sums to 1. With a `prior_strength` of 0 it is the maximum likelihood estimate if
    only the prevalences have changed since calibration (Saerens, Latinne & Decaestecker 2002;
    "SLD"). Otherwise it is the maximum a posteriori estimate under a Dirichlet prior of
    `prior_strength` pseudo-counts a row at the mean of the posteriors, which is never on the
    border; as the strength grows, it nears the mean of the posteriors. Steps are extrapolated
    (SQUAREM, Varadhan & Roland 2008) where that raises the objective; a plain step that moves no
    share by `tolerance` is the last. Raises ValueError when there are no posteriors.
    """
    if not len(posteriors):
        raise ValueError("wanted at least one row of posteriors, got none.")
    likelihood = posteriors / prior
    shares: Floats = posteriors.mean(axis=0)
    pseudo = prior_strength * shares
    for _ in range(iterations):
        first = _em_step(shares, likelihood, pseudo)
        second = _em_step(first, likelihood, pseudo)
        if np.abs(second - first).max() < tolerance:
            return second
        leap = _extrapolate(shares, first, second)
        shares = second
        if (leap > 0).all():
            gain = _log_posterior(leap, likelihood, pseudo) > _log_posterior(
                second, likelihood, pseudo
            )
            shares = leap if gain else second
    return shares


def _em_step(shares: Floats, likelihood: Floats, pseudo: Floats) -> Floats:
    """Return the shares after one step of expectation-maximisation."""
    updated = shares * ((1 / (likelihood @ shares)) @ likelihood) / len(likelihood) + pseudo
    return np.asarray(updated / updated.sum())


def _extrapolate(start: Floats, first: Floats, second: Floats) -> Floats:
    """Return the shares to which two steps from `start` point (SQUAREM)."""
    step = first - start
    bend = second - 2 * first + start
    length = -np.linalg.norm(step) / max(float(np.linalg.norm(bend)), 1e-300)
    leap = start - 2 * length * step + length * length * bend
    return np.asarray(leap / leap.sum())


def _log_posterior(shares: Floats, likelihood: Floats, pseudo: Floats) -> float:
    """Return the mean log-likelihood of the shares plus the log-density of the prior, if any."""
    has_prior = pseudo > 0
    return float(np.log(likelihood @ shares).mean() + pseudo[has_prior] @ np.log(shares[has_prior]))


def sharpen_posteriors(posteriors: Floats, sharpness: float) -> Floats:
    """Raise posteriors (n, k) to the power of `sharpness`, scaled so that every row sums to 1.

    The mean of the rows is the mean of the probabilities at a sharpness of 1, and nears the
    counting of labels as it grows. Rows of NaN stay.
    """
    powered = posteriors**sharpness
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))


def ppi_lambda(labelled: Floats, predicted: Floats, all_predicted: Floats) -> float:
    """Return the weight of the predictions in `ppi_mean`: the one of least variance, from 0.

    All columns share it. PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453, example 6.1)
    gives lambda for the mean of the rows that nobody labelled. For the mean of all rows instead,
    the same estimate has lambda * N / (N - n).
    """
    count = len(labelled)
    total = len(all_predicted)
    variance = all_predicted.var(axis=0, ddof=1).sum() if total > 1 else 0.0
    if variance == 0:
        return 0.0
    covariance = (
        (labelled - labelled.mean(axis=0)) * (predicted - predicted.mean(axis=0))
    ).sum() / count
    return float(np.clip(covariance / variance, 0, total / max(total - count, 1)))


def ppi_mean(labelled: Floats, predicted: Floats, all_predicted: Floats) -> Floats:
    """Estimate the mean label (k,) of all rows by prediction-powered inference (PPI++).

    `labelled` (n, k) are the labels of rows drawn at random, `predicted` (n, k) the model's
    predictions for them, `all_predicted` (N, k) those for all rows, the labelled ones among them.
    The estimate is unbiased however bad the model is; columns that sum to 1 give means that do.
    """
    power = ppi_lambda(labelled, predicted, all_predicted)
    return np.asarray(
        power * all_predicted.mean(axis=0) + (labelled - power * predicted).mean(axis=0)
    )


def resampling_units(
    authors: NDArray[np.uint64], max_units: int = MAX_RESAMPLING_UNITS
) -> tuple[Ints, int]:
    """Return the unit (0..u-1) that each row is resampled with, and u.

    `authors` are well mixed 64-bit keys. A unit is one author; with more than `max_units` authors
    it is a random block of them, which leaves the variance of a bootstrap right on average and
    makes its cost independent of the size of the corpus.
    """
    keys, codes = np.unique(authors, return_inverse=True)
    if len(keys) > max_units:
        return (authors % np.uint64(max_units)).astype(np.int64), max_units
    return codes.astype(np.int64), len(keys)


def bootstrap_weights(units: int, draws: int = BOOTSTRAP_DRAWS, seed: int = RANDOM_SEED) -> Floats:
    """Draw weights (draws, units) of a bootstrap: independent, exponential, mean 1 (Rubin 1981).

    Their variance is that of Poisson counts, so sums vary as if authors came and went at random;
    but no weight is zero, so no ratio of sums is undefined when a brand has three authors.
    """
    return np.random.Generator(np.random.PCG64(seed)).standard_exponential((draws, units))


def author_weights(units: int, draws: int = BOOTSTRAP_DRAWS) -> Floats:
    """Return weights (1 + draws, units): a row of ones, then the rows of `bootstrap_weights`.

    The row of ones gives the estimate itself.
    """
    weights = np.ones((draws + 1, units))
    weights[1:] = bootstrap_weights(units, draws)
    return weights


def weighted_sums(
    weights: Floats, units: Ints, values: Floats, cell: Ints, shape: tuple[int, ...]
) -> Floats:
    """Return the sums (draws, *shape) of values (n,) by cell, under each draw of weights.

    `units` (n,) are the resampling units of the values, `cell` (n,) their flat index into `shape`,
    and `weights` (draws, u) the weights of the units.
    """
    cells = int(np.prod(shape))
    count = weights.shape[1]
    table = np.bincount(units * cells + cell, values, minlength=count * cells).reshape(count, cells)
    return np.asarray((weights @ table).reshape(len(weights), *shape))


def percentile_interval(draws: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of bootstrap draws (n,)."""
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def two_sided_p_value(change: float, standard_error: float) -> float:
    """Return the two-sided p-value of a change under no change (normal approximation).

    It is 1 when both the change and its standard error are 0.
    """
    if standard_error == 0:
        return 1.0 if change == 0 else 0.0
    return erfc(abs(change) / standard_error / sqrt(2))


def min_detectable_change(
    standard_error: float, confidence: float = 0.95, power: float = 0.8
) -> float:
    """Return the smallest change that is detected with this power.

    (z of the confidence + z of the power) * standard error.
    """
    normal = NormalDist()
    return (normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(power)) * standard_error


def benjamini_hochberg(p_values: Floats, rate: float = 0.1) -> NDArray[np.bool_]:
    """Return which of the tests (n,) are discoveries at a false discovery rate.

    Benjamini & Hochberg 1995. A p-value of NaN counts as a test without a discovery.
    """
    from scipy.stats import false_discovery_control  # takes half a second to import

    if not len(p_values):
        return np.zeros(0, dtype=bool)
    adjusted = false_discovery_control(np.nan_to_num(p_values, nan=1.0))
    return np.asarray(adjusted <= rate)


def log_odds_z_scores(
    target_counts: Floats,
    reference_counts: Floats,
    background_counts: Floats,
    prior_strength: float = 1000.0,
) -> Floats:
    """Return the z-score (v,) of how much more often each word is in the target than elsewhere.

    Log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, eq. 22) of
    counts (v,). The prior is `background_counts` (v,), each positive, scaled to `prior_strength`
    words, so that rare words are drawn towards no difference. Raises ValueError when a background
    count is not positive.
    """
    if (background_counts <= 0).any():
        raise ValueError("wanted positive background counts for every word, got a zero or less.")
    prior = background_counts * (prior_strength / background_counts.sum())
    target = target_counts + prior
    reference = reference_counts + prior
    difference = _log_odds(target) - _log_odds(reference)
    return np.asarray(difference / np.sqrt(1 / target + 1 / reference))


def _log_odds(counts: Floats) -> Floats:
    return np.asarray(np.log(counts) - np.log(counts.sum() - counts))
