"""The order of rows: by a score, and by the word where scores are equal."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

DECIMALS = 6
"""Decimals of the scores in rows: what machines compute differently is behind them."""


def best_first(
    scores: npt.ArrayLike,
    limit: int,
    names: Callable[[npt.NDArray[np.int64]], Sequence[object]],
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
