"""Measures of association: how much more often two things occur together than by chance.

Pure functions on arrays of counts (any shape that broadcasts). `observed` is how often both occur,
`first` and `second` how often each occurs, `total` how often anything does (the cells of a 2 x 2
table: O11, R1, C1, N). Evert (2008), "Corpora and collocations", is the survey of them.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def expected_counts(first: ArrayLike, second: ArrayLike, total: ArrayLike) -> Floats:
    """Return how often both would occur together by chance: first * second / total.

    It is NaN where the total is 0.
    """
    products = np.multiply(first, second, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(products / np.asarray(total, np.float64))


def log_likelihood(
    observed: ArrayLike, first: ArrayLike, second: ArrayLike, total: ArrayLike
) -> Floats:
    """Return the log-likelihood ratio G2 of the 2 x 2 table, negative where observed < expected.

    2 * sum(O * ln(O / E)) over all four cells (Dunning 1993, whose table 1 the tests repeat). It is
    a test of independence (chi squared with one degree of freedom), not a measure of strength.
    """
    o11 = np.asarray(observed, np.float64)
    r1 = np.asarray(first, np.float64)
    c1 = np.asarray(second, np.float64)
    n = np.asarray(total, np.float64)
    r2 = n - r1
    c2 = n - c1
    expected = expected_counts(r1, c1, n)
    terms = (
        _cell_term(o11, expected)
        + _cell_term(r1 - o11, expected_counts(r1, c2, n))
        + _cell_term(c1 - o11, expected_counts(r2, c1, n))
        + _cell_term(r2 - c1 + o11, expected_counts(r2, c2, n))
    )
    # rounding leaves a table without any association a trifle below 0
    return np.asarray(np.sign(o11 - expected) * np.maximum(2 * terms, 0))


def log_dice(observed: ArrayLike, first: ArrayLike, second: ArrayLike) -> Floats:
    """Return logDice: 14 + log2(2 * observed / (first + second)) (Rychly 2008).

    One more is twice as strong; it does not depend on the size of the corpus. 14 is the most unless
    one occurrence may be together with several. It is -inf where nothing is observed.
    """
    both = np.multiply(observed, 2.0)
    sums = np.add(first, second, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(14 + np.log2(both / sums))


def cubic_mutual_information(observed: ArrayLike, expected: ArrayLike) -> Floats:
    """Return MI3: log2(observed ** 3 / expected) (Daille 1994).

    The cube takes away what mutual information gives to the rarest words.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(3 * np.log2(observed) - np.log2(expected))


def _cell_term(observed: Floats, expected: Floats) -> Floats:
    """Return observed * ln(observed / expected), 0 where nothing is observed."""
    is_observed = observed > 0
    ratio = np.divide(observed, expected, out=np.ones_like(expected), where=is_observed)
    return np.asarray(np.where(is_observed, observed * np.log(ratio), 0.0))
