"""Look-ups of many places at once in the sorted arrays of a segment."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions

# Places per document from which on it is quicker to look up the bounds of all documents.
_DENSE = 1 / 4


def documents_of(
    bounds: npt.NDArray[Any], positions: npt.NDArray[Any], first_document: int = 0
) -> Positions:
    """Return the document of each of some rising positions.

    `bounds` has the first position of each document from `first_document` on, and the end.
    """
    if len(positions) < len(bounds) * _DENSE:
        found = np.searchsorted(bounds, positions.astype(np.int64), "right") - 1
        return np.asarray(found + first_document, np.int64)
    # of the type of the positions, so that these are not copied
    cuts = np.searchsorted(positions, bounds.astype(positions.dtype))
    return np.repeat(np.arange(first_document, first_document + len(bounds) - 1), np.diff(cuts))


def distinct_documents(bounds: npt.NDArray[Any], positions: npt.NDArray[Any]) -> Positions:
    """Return the documents that have some of the rising positions, each once."""
    if len(positions) < len(bounds) * _DENSE:
        found = np.searchsorted(bounds, positions.astype(np.int64), "right") - 1
        is_new = np.append(True, found[1:] != found[:-1]) if len(found) else slice(None)
        return np.asarray(found[is_new], np.int64)
    cuts = np.searchsorted(positions, bounds.astype(positions.dtype))
    return np.flatnonzero(cuts[1:] > cuts[:-1])


def search_within(
    values: npt.NDArray[Any],
    wanted: Positions,
    lows: Positions,
    highs: Positions,
    side: Literal["left", "right"],
) -> Positions:
    """Return where each wanted value belongs among `values[low:high]`, which rise.

    With bounds of its own for each value this takes a few steps, where `np.searchsorted` searches
    the whole array.
    """
    lows = np.array(lows, np.int64)
    highs = np.array(highs, np.int64)
    last = len(values) - 1
    widest = int((highs - lows).max()) if len(lows) else 0
    for _ in range(widest.bit_length()):
        middles = (lows + highs) >> 1
        found = values[np.minimum(middles, last)]
        is_before = (found < wanted) if side == "left" else (found <= wanted)
        is_before &= middles < highs
        lows = np.where(is_before, middles + 1, lows)
        highs = np.where(is_before, highs, middles)
    return lows


def ranges(starts: npt.NDArray[Any], counts: npt.NDArray[Any]) -> Positions:
    """Return start, start + 1 … for each start, as many as its count says, in one array."""
    counts = np.asarray(counts, np.int64)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    shifts = np.repeat(np.asarray(starts, np.int64) - (ends - counts), counts)
    shifts += np.arange(total)
    return shifts
