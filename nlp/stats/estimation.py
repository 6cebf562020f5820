"""The statistics that reports stand on: pure functions on numpy arrays, the same input always giving the same output.

Shares are proportions (0 to 1), never percent. Posteriors are rows of class probabilities that sum to 1.
"""

from math import erfc, hypot, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BOOTSTRAP_DRAWS = 1000  # of a bootstrap
RANDOM_SEED = 20260101  # any fixed number: the same corpus must give the same interval
MAX_RESAMPLING_UNITS = 4096  # most resampling units: the relative error of a bootstrap variance from U random blocks is sqrt(2 / U), here 2 %
_FLOOR = 1e-9  # a prevalence below it is on the border of the simplex


def wilson_interval(
    successes: float, trials: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927). Unlike the normal one it stays in 0..1 and has width at 0 and at 1.

    Raises ValueError unless 0 <= successes <= trials and trials > 0.
    """
    if trials <= 0 or not 0 <= successes <= trials:
        raise ValueError(
            f"wanted 0 <= successes <= trials and trials > 0, got {successes} of {trials}."
        )
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    middle, scale = share + z * z / (2 * trials), 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def newcombe_interval(
    successes: float,
    trials: float,
    other_successes: float,
    other_trials: float,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Interval of the difference of two independent proportions, the first less the second (Newcombe 1998, method 10).

    Built of the two Wilson intervals, so that it stays in -1..1 and has width where both proportions are 0. Raises ValueError as `wilson`.
    """
    low, high = wilson_interval(successes, trials, confidence)
    other_low, other_high = wilson_interval(other_successes, other_trials, confidence)
    share, other = successes / trials, other_successes / other_trials
    return share - other - hypot(share - low, other_high - other), share - other + hypot(
        high - share, other - other_low
    )


def emq_prevalences(
    posteriors: Floats,
    prior: Floats,
    tolerance: float = 1e-7,
    iterations: int = 500,
    prior_strength: float = 0.0,
) -> Floats:
    """Estimate class prevalences by expectation-maximisation on calibrated posteriors.

    `posteriors` (n, k) are probabilities as calibrated under the prevalences `prior` (k,); the
    result (k,) sums to 1. Without `pull` it is the maximum likelihood estimate if only the
    prevalences have changed since calibration (Saerens, Latinne & Decaestecker 2002; "SLD").
    With `pull`, it is the maximum a posteriori estimate under a Dirichlet prior of `pull`
    pseudo-counts a row at the mean of the posteriors, which is never on the border: 0 gives SLD,
    and infinity the mean of the posteriors. Steps are extrapolated (SQUAREM, Varadhan & Roland
    2008) where that raises the objective; stops when a plain step moves no share by `tolerance`.
    Raises ValueError when there are no posteriors.
    """
    if not len(posteriors):
        raise ValueError("wanted at least one row of posteriors, got none.")
    likelihood = posteriors / prior
    shares: Floats = posteriors.mean(axis=0)
    pseudo = prior_strength * shares
    for _ in range(iterations):
        one = _em_step(shares, likelihood, pseudo)
        two = _em_step(one, likelihood, pseudo)
        if np.abs(two - one).max() < tolerance:
            return two
        leap = _extrapolated(shares, one, two)
        better = (leap > 0).all() and _objective(leap, likelihood, pseudo) > _objective(
            two, likelihood, pseudo
        )
        shares = leap if better else two
    return shares


def _em_step(shares: Floats, likelihood: Floats, pseudo: Floats) -> Floats:
    updated = shares * ((1 / (likelihood @ shares)) @ likelihood) / len(likelihood) + pseudo
    return np.asarray(updated / updated.sum())


def _extrapolated(start: Floats, one: Floats, two: Floats) -> Floats:
    step, bend = one - start, two - 2 * one + start
    length = -np.linalg.norm(step) / max(float(np.linalg.norm(bend)), 1e-300)
    leap = start - 2 * length * step + length * length * bend
    return np.asarray(leap / leap.sum())


def _objective(shares: Floats, likelihood: Floats, pseudo: Floats) -> float:
    """Mean log-likelihood of the shares, and the log-density of the prior where there is one."""
    known = pseudo > 0
    return float(np.log(likelihood @ shares).mean() + pseudo[known] @ np.log(shares[known]))


def sharpen_posteriors(posteriors: Floats, sharpness: float) -> Floats:
    """Sharpen posteriors (n, k): each to the power of `sharpness`, scaled so that every row sums to 1.

    The mean of the rows is the mean of the probabilities at a sharpness of 1, and nears the counting of
    labels as it grows. Rows of NaN stay.
    """
    powered = posteriors**sharpness
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))


def ppi_lambda(labelled: Floats, predicted: Floats, all_predicted: Floats) -> float:
    """How much the predictions should weigh in `ppi_mean`, from 0: the value of least variance over all columns together.

    PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453, example 6.1) gives lambda for the mean of the rows that nobody labelled.
    Weighing the mean of all rows instead, the same estimate has lambda * N / (N - n).
    """
    count, every = len(labelled), len(all_predicted)
    variance = all_predicted.var(axis=0, ddof=1).sum() if every > 1 else 0.0
    if variance == 0:
        return 0.0
    covariance = (
        (labelled - labelled.mean(axis=0)) * (predicted - predicted.mean(axis=0))
    ).sum() / count
    return float(np.clip(covariance / variance, 0, every / max(every - count, 1)))


def ppi_mean(labelled: Floats, predicted: Floats, all_predicted: Floats) -> Floats:
    """Mean (k,) of what a person would have said of all rows, by prediction-powered inference with tuned power (PPI++).

    `truth` (n, k) is what was said of rows drawn at random, `predicted` (n, k) what the model says of them, `everything` (N, k) what
    it says of all rows, those among them. Without bias whatever the model is worth; columns that sum to 1 give means that do.
    """
    power = ppi_lambda(labelled, predicted, all_predicted)
    return np.asarray(
        power * all_predicted.mean(axis=0) + (labelled - power * predicted).mean(axis=0)
    )


def resampling_units(
    authors: NDArray[np.uint64], max_units: int = MAX_RESAMPLING_UNITS
) -> tuple[Ints, int]:
    """Code (0..u-1) of the unit that each row is drawn with, and u. `authors` are well mixed 64-bit keys.

    A unit is one author; past `most` authors it is a random block of them, which leaves the variance of a bootstrap right
    on average and makes its cost independent of the size of the corpus.
    """
    keys, codes = np.unique(authors, return_inverse=True)
    if len(keys) > max_units:
        return (authors % np.uint64(max_units)).astype(np.int64), max_units
    return codes.astype(np.int64), len(keys)


def bootstrap_weights(units: int, draws: int = BOOTSTRAP_DRAWS, seed: int = RANDOM_SEED) -> Floats:
    """Weights (draws, units) of a bootstrap over authors: independent, exponential with mean 1 (Rubin 1981).

    Their variance is that of Poisson counts, so sums spread as they would if authors came and went at random; but no weight is
    zero, so that no ratio of sums is undefined when a brand has three authors.
    """
    return np.random.Generator(np.random.PCG64(seed)).standard_exponential((draws, units))


def author_weights(units: int, draws: int = BOOTSTRAP_DRAWS) -> Floats:
    """Weights (1 + draws, units): ones, which give the estimate itself, and below them those of `bootstrap_weights`."""
    weights = np.ones((draws + 1, units))
    weights[1:] = bootstrap_weights(units, draws)
    return weights


def weighted_sums(
    weights: Floats, units: Ints, values: Floats, cell: Ints, shape: tuple[int, ...]
) -> Floats:
    """Sums (draws, *shape) of `values` (n,) by `cell` (n,), each value weighed as its resampling unit (n,) is in `weights` (draws, u)."""
    cells, count = int(np.prod(shape)), weights.shape[1]
    table = np.bincount(units * cells + cell, values, minlength=count * cells).reshape(count, cells)
    return np.asarray((weights @ table).reshape(len(weights), *shape))


def percentile_interval(draws: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap draws (n,)."""
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def two_sided_p_value(change: float, standard_error: float) -> float:
    """Two-sided, of a change with that standard error under no change (normal). 1 when both are 0."""
    if standard_error == 0:
        return 1.0 if change == 0 else 0.0
    return erfc(abs(change) / standard_error / sqrt(2))


def min_detectable_change(
    standard_error: float, confidence: float = 0.95, power: float = 0.8
) -> float:
    """Smallest change that would be told from none with that power: (z of the confidence + z of the power) * standard error."""
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
    """z-score (v,) of how much more often each word stands in `ours` than in `theirs` (counts, (v,)).

    Log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, eq. 22): the prior is `background` counts
    (v,), each positive, scaled to `strength` words, so that rare words are drawn towards no difference.
    Raises ValueError when a background count is not positive.
    """
    if (background_counts <= 0).any():
        raise ValueError("wanted positive background counts for every word, got a zero or less.")
    prior = background_counts * (prior_strength / background_counts.sum())
    smoothed_ours, smoothed_theirs = target_counts + prior, reference_counts + prior
    difference = _log_odds(smoothed_ours) - _log_odds(smoothed_theirs)
    return np.asarray(difference / np.sqrt(1 / smoothed_ours + 1 / smoothed_theirs))


def _log_odds(counts: Floats) -> Floats:
    return np.asarray(np.log(counts) - np.log(counts.sum() - counts))
