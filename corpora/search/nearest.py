"""The nearest vectors to a question, found exactly."""

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpora.index.vector_parts import BLOCK, VectorPart

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

MAX_ROWS_WITHOUT_BOUNDS = 2_000
"""Rows that are all compared exactly, as bounds would cost more."""
_PROBED_BLOCKS = 10
"""Blocks, for each of the wanted rows, whose most promising row gives the first threshold."""
_ROWS_AT_ONCE = 500
_FLOAT_ERROR = 1e-4
"""More than what float32 loses in sums of some hundred products of numbers up to 1."""


class Nearest(NamedTuple):
    """Rows and their similarity (cosine) to a question, the most similar first."""

    rows: Rows
    similarities: npt.NDArray[np.float64]


def nearest_rows(
    part: VectorPart,
    allowed: npt.NDArray[np.bool_],
    question: Floats,
    count: int,
    least: float = -np.inf,
) -> Nearest:
    """Return the `count` allowed rows of a part that are the most similar to a unit vector.

    `allowed` (rows filled up to whole blocks) must be false for rows without a vector. Rows below
    `least` may be missing. Of equally similar rows the first comes first.
    """
    allowed_count = int(np.count_nonzero(allowed))
    if allowed_count <= max(MAX_ROWS_WITHOUT_BOUNDS, count):
        rows = np.flatnonzero(allowed)
    else:
        rows = _candidates(part, allowed, question, count, least)
    similarities = _exact_similarities(part, rows, question)
    order = np.lexsort((rows, -similarities))[:count]
    return Nearest(rows[order], similarities[order])


def _candidates(
    part: VectorPart,
    allowed: npt.NDArray[np.bool_],
    question: Floats,
    count: int,
    least: float,
) -> Rows:
    """Return rows among which the most similar are."""
    from corpora.search.vector_scan import bound_by_heads, tighten_by_middles

    head_size = part.head_codes.shape[1]
    values = question @ part.directions
    head, middle = values[:head_size], values[head_size:]
    weights = values * part.steps
    rests = _rest_lengths(question, head, middle)
    # what rounding of the codes may hide, behind the head and behind the middle
    slack = np.cumsum([np.linalg.norm(head), np.linalg.norm(middle)] * part.rounding) + _FLOAT_ERROR
    block_count = len(part.head_codes)
    bounds = np.empty(block_count * BLOCK, np.float32)
    best = np.empty(block_count, np.float32)

    def scan(blocks: tuple[int, int]) -> None:
        bound_by_heads(
            part.head_codes, part.head_rests, allowed, weights[:head_size], rests[0], blocks,
            bounds, best,
        )  # fmt: skip

    _run_in_threads(scan, block_count)
    least = max(least, _probed_threshold(part, question, count, bounds, best))

    def tighten(blocks: tuple[int, int]) -> None:
        tighten_by_middles(
            part.middle_codes, (part.head_rests, part.middle_rests), weights[head_size:], rests,
            np.float32(least - slack[0]), blocks, bounds, best,
        )  # fmt: skip

    _run_in_threads(tighten, block_count)
    rows = np.flatnonzero(bounds >= least - slack[1])
    rows = rows[np.argsort(-bounds[rows], kind="stable")]
    return _promising_rows(part, question, count, rows, bounds[rows] + slack[1])


def _promising_rows(
    part: VectorPart, question: Floats, count: int, rows: Rows, bounds: npt.NDArray[np.floating]
) -> Rows:
    """Return the rows whose bound is not below the similarity of `count` others.

    `rows` have falling `bounds`.
    """
    similarities = np.empty(0, np.float64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        if len(similarities) >= count:
            threshold = np.partition(similarities, -count)[-count]
            if bounds[start] < threshold:
                return rows[:start]
        found = _exact_similarities(part, rows[start : start + _ROWS_AT_ONCE], question)
        similarities = np.concatenate([similarities, found])
    return rows


def _probed_threshold(
    part: VectorPart, question: Floats, count: int, bounds: Floats, best: Floats
) -> float:
    """Return a similarity that `count` rows have at least, or -inf where too few were looked at."""
    promising = np.argsort(-best, kind="stable")[: _PROBED_BLOCKS * count]
    by_block = bounds.reshape(-1, BLOCK)[promising]
    per_block = max(1, -(-2 * count // len(promising)))
    columns = np.argpartition(-by_block, per_block - 1, axis=1)[:, :per_block]
    rows = (promising[:, None] * BLOCK + columns).ravel()
    rows = rows[np.isfinite(bounds[rows])]
    if len(rows) < count:
        return -np.inf
    similarities = _exact_similarities(part, rows, question)
    return float(np.partition(similarities, -count)[-count])


def _exact_similarities(part: VectorPart, rows: Rows, question: Floats) -> npt.NDArray[np.float64]:
    """Return the products of vectors with the question, the same in any company."""
    vectors = part.vectors[rows].astype(np.float32)
    similarities: npt.NDArray[np.float64] = np.einsum(
        "ij,j->i", vectors, question, dtype=np.float64
    )
    return similarities


def _rest_lengths(question: Floats, head: Floats, middle: Floats) -> tuple[np.float32, np.float32]:
    behind_head = max(float(question @ question - head @ head), 0.0)
    behind_middle = max(behind_head - float(middle @ middle), 0.0)
    return np.float32(np.sqrt(behind_head)), np.float32(np.sqrt(behind_middle))


def _run_in_threads(work: Callable[[tuple[int, int]], None], block_count: int) -> None:
    """Do the work for all blocks, some in each thread."""
    thread_count = min(os.cpu_count() or 1, block_count)
    edges = np.linspace(0, block_count, thread_count + 1).astype(int).tolist()
    shares = list(itertools.pairwise(edges))
    with ThreadPoolExecutor(thread_count) as pool:
        list(pool.map(work, shares))


def nearest_in_parts(
    parts: Sequence[VectorPart],
    allowed: Sequence[npt.NDArray[np.bool_]],
    question: Floats,
    count: int,
) -> list[Nearest]:
    """Return the nearest rows of each part, of which the `count` most similar ones are complete."""
    found: list[Nearest] = []
    least = -np.inf
    for part, part_allowed in zip(parts, allowed, strict=True):
        found.append(nearest_rows(part, part_allowed, question, count, least))
        similarities = np.concatenate([nearest.similarities for nearest in found])
        if len(similarities) >= count:
            least = float(np.partition(similarities, -count)[-count])
    return found
