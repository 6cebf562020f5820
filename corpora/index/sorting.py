"""Sorting of many small numbers, in linear time."""

from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

COMPILED_FROM = 1_000_000
"""Numbers from which compiled code is worth its loading."""


class _CountingPass(Protocol):
    """Sort `order` stably by `keys[order]`; `ends` are the running totals of the keys' counts."""

    def __call__(
        self, order: npt.NDArray[np.uint32], keys: npt.NDArray[np.uint32], ends: npt.NDArray[Any]
    ) -> npt.NDArray[np.uint32]: ...


def sorted_distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the distinct values in rising order.

    Faster than `numpy.unique`, which hashes before it sorts.
    """
    ordered = np.sort(values)
    is_first = np.ones(len(ordered), bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_first]


def stable_order(*keys: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return the stable order by the last of several keys, then by those before it."""
    order = np.arange(len(keys[0]), dtype=np.uint32)
    for key in keys:
        if len(key) >= COMPILED_FROM:
            ends = np.cumsum(np.bincount(key))
            order = _counting_pass()(order, key, np.append(0, ends))
        else:
            order = order[np.argsort(key[order], kind="stable")]
    return order


def run_bounds(*sorted_keys: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return where the runs of equal keys begin, and the end."""
    length = len(sorted_keys[0])
    is_start = np.zeros(length, bool)
    is_start[:1] = True
    for key in sorted_keys:
        is_start[1:] |= key[1:] != key[:-1]
    return np.append(np.flatnonzero(is_start), length)


@cache
def _counting_pass() -> _CountingPass:
    import numba

    @numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
    def counting_pass(
        order: npt.NDArray[np.uint32], keys: npt.NDArray[np.uint32], next_places: npt.NDArray[Any]
    ) -> npt.NDArray[np.uint32]:
        ordered = np.empty_like(order)
        for row in order:
            key = keys[row]
            ordered[next_places[key]] = row
            next_places[key] += 1
        return ordered

    compiled: _CountingPass = counting_pass
    return compiled
