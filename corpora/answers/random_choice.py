"""Random choices that depend on the seed and the posts alone: the same on every machine."""

from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions, Segment

Keys = npt.NDArray[np.uint64]

# Odd constants of the finalizer of splitmix64 (Steele, Lea & Flood 2014).
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_BLOCK = 100_000


def id_keys(segment: Segment, documents: Positions) -> Keys:
    """Return a hash of the id of each post: the sum of its bytes, each times a factor of its place.

    The factors are pseudorandom: two ids have one key with a probability of 2**-56 at most.
    """
    parts = [
        _hash_ids(segment, documents[first : first + _BLOCK])
        for first in range(0, len(documents), _BLOCK)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def random_keys(seed: int, ids: Keys, starts: npt.NDArray[Any] | int = 0) -> Keys:
    """Return a pseudorandom number for each seed, id (`id_keys`) and start in the post."""
    salt = mix(np.array([seed % 2**64], np.uint64))[0]
    return mix(mix(ids ^ salt) + np.asarray(starts).astype(np.uint64))


def choose(keys: Keys, count: int) -> Positions:
    """Return the places of the `count` smallest keys, in rising order of the places."""
    if count >= len(keys):
        return np.arange(len(keys))
    order = np.argsort(keys, kind="stable")
    return np.sort(order[:count])


def mix(values: Keys) -> Keys:
    """Scramble numbers of 64 bits, one to one."""
    with np.errstate(over="ignore"):
        mixed = values + _GAMMA
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))


def _hash_ids(segment: Segment, documents: Positions) -> Keys:
    offsets = segment.array("id_offsets")
    starts = offsets[documents]
    lengths = offsets[documents + 1] - starts
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(bounds[-1]) - np.repeat(bounds[:-1], lengths)
    codes = segment.array("id_bytes")[places + np.repeat(starts, lengths)].astype(np.uint64)
    factors = mix(np.arange(int(lengths.max(initial=0)), dtype=np.uint64)) | np.uint64(1)
    products = (codes + np.uint64(1)) * factors[places]
    # no id is empty
    return np.add.reduceat(products, bounds[:-1]) if len(documents) else products
