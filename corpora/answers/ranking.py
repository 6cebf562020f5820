"""The order of rows: by a score, and by the word where scores are equal."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.answers.words import WordCounts

DECIMALS = 6
"""Decimals of the scores in rows: what machines compute differently is behind them."""


def best_first(
    scores: npt.ArrayLike,
    limit: int,
    names: Callable[[npt.NDArray[np.int64]], Sequence[Any]],
) -> npt.NDArray[np.int64]:
    """Return the indexes of the `limit` highest scores, 0 for all, the highest first.

    Equal scores are in the order of `names(indexes)`, so that the numbers of a lexicon, which
    depend on the order of its making, change nothing. Scores that are NaN are left out.
    """
    values = np.round(np.asarray(scores, np.float64), DECIMALS)
    chosen = np.flatnonzero(~np.isnan(values))
    if limit and len(chosen) > limit:
        least = np.partition(values[chosen], len(chosen) - limit)[len(chosen) - limit]
        chosen = chosen[values[chosen] >= least]
    keys = zip((-values[chosen]).tolist(), names(chosen), chosen.tolist(), strict=True)
    ordered = [index for _, _, index in sorted(keys)]
    return np.array(ordered[:limit] if limit else ordered, np.int64)


def rounded(value: float) -> float | None:
    """Return a score as rows have it, None for what isn't a finite number."""
    return round(float(value), DECIMALS) if np.isfinite(value) else None


def most_authors(
    frequencies: npt.NDArray[np.int64],
    limit: int,
    count: Callable[[npt.NDArray[np.int64]], WordCounts],
    names: Callable[[npt.NDArray[np.int64]], Sequence[Any]],
) -> tuple[npt.NDArray[np.int64], WordCounts]:
    """Return the indexes of the `limit` things of most authors, 0 for all, and their counts.

    `frequencies` are known of all things, and `count(indexes)` finds the authors. Nothing has more
    authors than occurrences, so what is rarer than the best have authors need not be counted.
    """
    candidates = max(4 * limit, 1000)
    while True:
        least = _least_of_largest(frequencies, candidates if limit else 0)
        likely = np.flatnonzero(frequencies >= least)
        counts = count(likely)
        order = _best_among(likely, counts.authors, limit, names)
        is_complete = len(likely) == len(frequencies)
        if is_complete or (len(order) == limit and counts.authors[order[-1]] >= least):
            return likely[order], WordCounts(*(values[order] for values in counts))
        candidates *= 8


def _best_among(
    indexes: npt.NDArray[np.int64],
    scores: npt.NDArray[np.int64],
    limit: int,
    names: Callable[[npt.NDArray[np.int64]], Sequence[Any]],
) -> npt.NDArray[np.int64]:
    """Return the places in `indexes` of the highest scores."""
    return best_first(scores, limit, lambda places: names(indexes[places]))


def _least_of_largest(values: npt.NDArray[np.int64], count: int) -> int:
    """Return the least of the `count` largest values; 0 if there are no more, or for 0."""
    if not count or len(values) <= count:
        return 0
    return int(np.partition(values, len(values) - count)[len(values) - count])
