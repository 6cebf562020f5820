"""Comparing sketches of texts with those of their neighbours, compiled (`nlp.text.duplicates`).

Import it in functions: numba takes a while.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from folate.core.compiled import compiled

UInts = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

_LOW_BITS = np.uint64(0x5555555555555555)
_ONES = np.uint64(0x0101010101010101)
_PAIRS = np.uint64(0x3333333333333333)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)


@compiled
def _count_differing_pairs(differing: Any) -> Any:
    """Return in how many of 32 pairs of bits a number has a bit."""
    bits = (differing | differing >> np.uint64(1)) & _LOW_BITS
    bits = (bits & _PAIRS) + (bits >> np.uint64(2) & _PAIRS)
    bits = (bits + (bits >> np.uint64(4))) & _NIBBLES
    return np.int64(bits * _ONES >> np.uint64(56))


@compiled
def find_agreeing_neighbours(
    tree: Any, keys: UInts, positions: Ints, sketches: UInts, original_sketches: UInts, limits: Any
) -> tuple[Ints, Ints, npt.NDArray[np.uint8]]:
    """Return (row, original, agreement) of the neighbours in a tree whose sketches agree enough.

    `tree` are the sorted keys of originals and their numbers; a key belongs at its position among
    them. Columns of `sketches` belong to the keys. `limits` are the neighbours on either side, the
    pairs of bits, and the fewest that must agree.
    """
    sorted_keys, numbers = tree
    per_side, pair_count, least = limits
    rows = np.empty(len(keys) * 2 * per_side, np.int64)
    originals = np.empty(len(rows), np.int64)
    agreements = np.empty(len(rows), np.uint8)
    count = 0
    for row in range(len(keys)):
        first = max(positions[row] - per_side, 0)
        last = min(positions[row] + per_side, len(sorted_keys))
        for position in range(first, last):
            if (sorted_keys[position] ^ keys[row]) >> np.uint64(56) != 0:
                continue
            original = numbers[position]
            agreement = pair_count
            for word in range(len(sketches)):
                agreement -= _count_differing_pairs(
                    sketches[word, row] ^ original_sketches[word, original]
                )
            if agreement >= least:
                rows[count] = row
                originals[count] = original
                agreements[count] = agreement
                count += 1
    return rows[:count].copy(), originals[:count].copy(), agreements[:count].copy()


@compiled
def find_agreeing_within(
    sketches: UInts, pair_count: Any, least: Any
) -> tuple[Ints, Ints, npt.NDArray[np.uint8]]:
    """Return (later, earlier, agreement) of all pairs of columns that agree enough."""
    capacity = 1024
    later_rows = np.empty(capacity, np.int64)
    earlier_rows = np.empty(capacity, np.int64)
    agreements = np.empty(capacity, np.uint8)
    count = 0
    for later in range(sketches.shape[1]):
        for earlier in range(later):
            agreement = pair_count
            for word in range(len(sketches)):
                agreement -= _count_differing_pairs(sketches[word, later] ^ sketches[word, earlier])
            if agreement < least:
                continue
            if count == capacity:
                capacity *= 2
                later_rows = _doubled(later_rows)
                earlier_rows = _doubled(earlier_rows)
                longer = np.empty(capacity, np.uint8)
                longer[:count] = agreements
                agreements = longer
            later_rows[count] = later
            earlier_rows[count] = earlier
            agreements[count] = agreement
            count += 1
    return later_rows[:count].copy(), earlier_rows[:count].copy(), agreements[:count].copy()


@compiled
def _doubled(values: Ints) -> Ints:
    longer = np.empty(2 * len(values), np.int64)
    longer[: len(values)] = values
    return longer
