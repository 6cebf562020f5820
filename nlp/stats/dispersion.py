"""Measures of dispersion: how evenly something is spread over the parts of a corpus."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Dispersion(NamedTuple):
    """How evenly occurrences are spread over the parts of a corpus.

    `deviation` is Gries' DP: 0 where each part has the share of the occurrences that it has of the
    corpus, and near 1 where a small part has all. `normalised` is DP divided by the most it could
    be, so that it reaches 1. Both are None without occurrences, `normalised` also with one part.
    """

    deviation: float | None
    normalised: float | None
    # how many parts have any occurrence
    range: int


def deviation_of_proportions(counts: ArrayLike, sizes: ArrayLike) -> Dispersion:
    """Return how evenly `counts` (parts,) of occurrences are spread over parts of `sizes` (parts,).

    DP is half the sum of |share of occurrences - share of size| (Gries 2008, "Dispersions and
    adjusted frequencies in corpora"), normalised by 1 - the smallest share of size (Lijffijt &
    Gries 2012). Parts of size 0 are no parts. Raises ValueError where such a part has occurrences.
    """
    count = np.asarray(counts, np.float64)
    size = np.asarray(sizes, np.float64)
    if (count[size == 0] > 0).any():
        raise ValueError("wanted no occurrences in parts of size 0, got some.")
    count = count[size > 0]
    size = size[size > 0]
    used = int((count > 0).sum())
    if not used:
        return Dispersion(None, None, 0)
    shares = size / size.sum()
    deviation = float(np.abs(count / count.sum() - shares).sum() / 2)
    room = 1 - float(shares.min())
    # one part holds all occurrences whatever they are
    return Dispersion(deviation, deviation / room if len(size) > 1 else None, used)


def sparse_deviations(
    rows: Ints, parts: Ints, counts: Ints, sizes: ArrayLike, row_count: int
) -> tuple[Floats, Ints]:
    """Return DP and range of each of many words, from the parts that have them.

    `rows` (n,) are the numbers of words, `parts` (n,) of parts; each pair occurs once and has
    `counts` (n,). The shares of a word and those of the sizes both sum to 1, so half the sum of all
    differences is the sum of the positive ones, which are in parts that have the word. DP is NaN
    for a word without occurrences.
    """
    size = np.asarray(sizes, np.float64)
    totals = np.bincount(rows, counts, row_count)
    excess = np.maximum(counts / totals[rows] - size[parts] / size.sum(), 0)
    # bincount of nothing counts in integers
    deviations = np.bincount(rows, excess, row_count).astype(np.float64)
    deviations[totals == 0] = np.nan
    return deviations, np.bincount(rows, minlength=row_count)
