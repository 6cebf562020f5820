"""Surges: whether more authors than expected wrote posts that one query finds.

The count model is that of topics, for a single series:

    expected = sum over s of everyone(s, week) x share(s)
    share(s) = (past(s) + K x pooled) / (baseline_totals(s) + K)
    X ~ negative binomial of mean `expected` and variance expected + expected^2 (a + 1/(past + 1/2))

`s` runs over the sources with authors in the baseline; `past` and `baseline_totals` are their
authors of the query and of all posts there. One series of eight weeks says little of its own
dispersion `a`, so it is not estimated but integrated out: each `a` of a grid, even on the log
scale, has the weight of the likelihood of the baseline weeks, each given the others (a
cross-validated, or pseudo-Bayes, weight: Geisser & Eddy 1979). The shorter the baseline, the wider
the interval of usual weeks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

from nlp.stats.estimation import Floats, Ints

MIN_BASELINE_WEEKS = 3  # with fewer there are no two weeks to compare a third with
# Authors of a source in the baseline from which its own share outweighs the pooled one.
SHRINKAGE_AUTHORS = 30.0
# At a dispersion of 0.1, a series of any size varies by a third from week to week.
DISPERSION_GRID = np.geomspace(0.003, 3.0, 30)


@dataclass(frozen=True)
class Surge:
    """One week of one query against the weeks before it."""

    # Distinct authors of the week.
    observed: int
    expected: float
    # 95 % of usual weeks lie between low and high.
    low: float
    high: float
    # The probability that a usual week has as many authors or more.
    p_value: float
    baseline_weeks: int


def estimate_surge(authors: Ints, total_authors: Ints) -> Surge | None:
    """Compare the last week with the weeks before it.

    Both arrays are (weeks, sources): distinct authors of the query's posts, and of all posts.
    Sources without authors in the baseline are left out. None when fewer than `MIN_BASELINE_WEEKS`
    weeks before the last have any author.
    """
    baseline = np.flatnonzero(total_authors[:-1].sum(axis=1))
    if len(baseline) < MIN_BASELINE_WEEKS:
        return None
    observed, expected, spread = _expected_authors(
        authors, total_authors, len(total_authors) - 1, baseline
    )
    weight = _dispersion_weights(authors, total_authors, baseline)
    size = 1 / (DISPERSION_GRID + spread)
    chance = size / (size + expected)
    counts = np.arange(int(np.max(nbinom.ppf(0.999, size, chance))) + 1)
    cumulative = nbinom.cdf(counts[:, None], size, chance) @ weight
    low, high = np.searchsorted(cumulative, [0.025, 0.975])
    tail = float(nbinom.sf(observed - 1, size, chance) @ weight)
    return Surge(observed, expected, float(low), float(high), tail, len(baseline))


def _expected_authors(
    authors: Ints, everyone: Ints, week: int, baseline: NDArray[np.int64]
) -> tuple[int, float, float]:
    """Return a week's authors, the authors expected of it, and the variance of that mean."""
    past = authors[baseline].sum(axis=0)
    baseline_totals = everyone[baseline].sum(axis=0)
    now = everyone[week]
    in_baseline = baseline_totals > 0
    pooled = (past.sum() + 0.5) / max(baseline_totals.sum(), 1)
    expected = (now * (past + SHRINKAGE_AUTHORS * pooled) / (baseline_totals + SHRINKAGE_AUTHORS))[
        in_baseline
    ].sum()
    return int(authors[week, in_baseline].sum()), float(expected), float(1 / (past.sum() + 0.5))


def _dispersion_weights(authors: Ints, everyone: Ints, baseline: NDArray[np.int64]) -> Floats:
    """Return the weight of each dispersion of `DISPERSION_GRID`; they sum to 1."""
    log_likelihood = np.zeros(len(DISPERSION_GRID))
    for week in baseline:
        observed, expected, spread = _expected_authors(
            authors, everyone, week, baseline[baseline != week]
        )
        size = 1 / (DISPERSION_GRID + spread)
        log_likelihood += (
            nbinom.logpmf(observed, size, size / (size + expected)) if expected else 0.0
        )
    weight = np.exp(log_likelihood - log_likelihood.max())
    return np.asarray(weight / weight.sum())
