"""Whether more people than expected wrote what one query finds. The count model is that of topics, for a single series:

    expected = sum over s of everyone(s, week) x share(s),    share(s) = (past(s) + K x pooled) / (rest(s) + K)
    X ~ negative binomial of mean `expected` and variance expected + expected^2 (a + 1/(past + 1/2))

`s` runs over the sources with authors in the baseline, `past` and `rest` are their authors of the query and of all posts there. One
series of eight weeks tells little of its own dispersion `a`, so it is not estimated but integrated out: each `a` of a grid, even on
the log scale, has the weight of the likelihood of the baseline weeks, each given the others (a cross-validated, or pseudo-Bayes, weight:
Geisser & Eddy 1979). The shorter the baseline, the wider what counts as usual.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

from nlp.stats.estimation import Floats, Ints

MIN_BASELINE_WEEKS = 3  # of baseline: with fewer there are no two weeks to compare a third with
SHRINKAGE_AUTHORS = (
    30.0  # authors: how far a source's own share must be known before it outweighs the pooled one
)
DISPERSION_GRID = np.geomspace(
    0.003, 3.0, 30
)  # dispersions; at 0.1 a series of any size swings by a third from week to week


@dataclass(frozen=True)
class Surge:
    """One week of one query against the weeks before it."""

    observed: int  # distinct authors
    expected: float
    low: float  # 95 % of usual weeks lie between low and high
    high: float
    p_value: float  # that a usual week has as many authors or more
    baseline_weeks: int  # of baseline


def estimate_surge(authors: Ints, total_authors: Ints) -> Surge | None:
    """Judge the last week. Both arrays are (weeks, sources): distinct authors of the query's posts, and of all posts.

    Sources without authors in the baseline take no part. None when fewer than WEEKS weeks before the last have any author.
    """
    baseline = np.flatnonzero(total_authors[:-1].sum(axis=1))
    if len(baseline) < MIN_BASELINE_WEEKS:
        return None
    observed, expected, spread = _judged(authors, total_authors, len(total_authors) - 1, baseline)
    weight = _weights(authors, total_authors, baseline)
    size = 1 / (DISPERSION_GRID + spread)
    chance = size / (size + expected)
    counts = np.arange(int(np.max(nbinom.ppf(0.999, size, chance))) + 1)
    cumulative = nbinom.cdf(counts[:, None], size, chance) @ weight
    low, high = np.searchsorted(cumulative, [0.025, 0.975])
    tail = float(nbinom.sf(observed - 1, size, chance) @ weight)
    return Surge(observed, expected, float(low), float(high), tail, len(baseline))


def _judged(
    authors: Ints, everyone: Ints, week: int, baseline: NDArray[np.int64]
) -> tuple[int, float, float]:
    """Of one week given those of `baseline`: authors, expected authors, and what of the variance comes from counting the mean."""
    past, rest, now = authors[baseline].sum(axis=0), everyone[baseline].sum(axis=0), everyone[week]
    known = rest > 0
    pooled = (past.sum() + 0.5) / max(rest.sum(), 1)
    expected = (now * (past + SHRINKAGE_AUTHORS * pooled) / (rest + SHRINKAGE_AUTHORS))[known].sum()
    return int(authors[week, known].sum()), float(expected), float(1 / (past.sum() + 0.5))


def _weights(authors: Ints, everyone: Ints, baseline: NDArray[np.int64]) -> Floats:
    """The weight of each dispersion of GRID; they sum to 1."""
    log_likelihood = np.zeros(len(DISPERSION_GRID))
    for week in baseline:
        observed, expected, spread = _judged(authors, everyone, week, baseline[baseline != week])
        size = 1 / (DISPERSION_GRID + spread)
        log_likelihood += (
            nbinom.logpmf(observed, size, size / (size + expected)) if expected else 0.0
        )
    weight = np.exp(log_likelihood - log_likelihood.max())
    return np.asarray(weight / weight.sum())
