"""Bounds on the similarity of many vectors, compiled. Import it in functions: numba takes a while.

The functions work on some blocks of a part (`corpora.index.vector_parts`), so that threads share a
part. They hold no lock of the interpreter.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from corpora.index.vector_parts import BLOCK

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

_NEVER = np.float32(-np.inf)
# Sums in any order; no value is NaN, but some are infinite.
_FAST = {"reassoc", "contract", "arcp", "nnan", "nsz"}


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def bound_by_heads(
    codes: Bytes,
    rests: Floats,
    allowed: Flags,
    weights: Floats,
    rest: Any,
    blocks: tuple[int, int],
    bounds: Floats,
    best: Floats,
) -> None:
    """Set the bound of each allowed row of the blocks [first, last), and the best of each block.

    `weights` are the question's values along the head's directions, times the step of each; `rest`
    is the length of what it has besides.
    """
    sums = np.empty(BLOCK, np.float32)
    for block in range(blocks[0], blocks[1]):
        first = block * BLOCK
        for row in range(BLOCK):
            sums[row] = rests[first + row] * rest
        for dimension in range(len(weights)):
            weight = weights[dimension]
            for row in range(BLOCK):
                sums[row] += weight * np.float32(codes[block, dimension, row])
        greatest = _NEVER
        for row in range(BLOCK):
            bound = sums[row] if allowed[first + row] else _NEVER
            bounds[first + row] = bound
            greatest = max(greatest, bound)
        best[block] = greatest


@njit(cache=True, nogil=True, fastmath=_FAST)  # type: ignore[untyped-decorator]
def tighten_by_middles(
    codes: Bytes,
    rests: tuple[Floats, Floats],
    weights: Floats,
    question_rests: tuple[Any, Any],
    least: Any,
    blocks: tuple[int, int],
    bounds: Floats,
    best: Floats,
) -> None:
    """Tighten the bounds that are at least `least`, and give up the rows of all others.

    `rests` and `question_rests` are the lengths behind the head and behind the middle.
    """
    for block in range(blocks[0], blocks[1]):
        if best[block] < least:
            for row in range(block * BLOCK, (block + 1) * BLOCK):
                bounds[row] = _NEVER
            continue
        for row in range(block * BLOCK, (block + 1) * BLOCK):
            if bounds[row] < least:
                bounds[row] = _NEVER
                continue
            product = np.float32(0)
            for dimension in range(len(weights)):
                product += weights[dimension] * np.float32(codes[row, dimension])
            bounds[row] += (
                product + rests[1][row] * question_rests[1] - rests[0][row] * question_rests[0]
            )
