"""Intervals of rates by resampling authors: posts of one author are no independent evidence."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpora.answers.cells import MatchingPosts
from nlp.stats.estimation import RANDOM_SEED

DRAWS = 1_000
CONFIDENCE = 0.95

DEFINITION = (
    f"bounds of a {CONFIDENCE:.0%} interval: authors are drawn {DRAWS:,} times with replacement "
    "(Poisson bootstrap), each with all of its matching posts of the row, and other posts one by "
    "one; where there is no hit, the upper bound is that of 3.7 hits"
)

# Hits below which the true number is, with this confidence, where none was found.
_HITS_AT_ZERO = -np.log((1 - CONFIDENCE) / 2)
# Draws held in memory: of so many groups of authors.
_GROUPS_AT_ONCE = 2_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CellSizes:
    """Of each cell, the sum of the sizes of its posts, and of the squares of these sizes."""

    totals: Floats
    squares: Floats


@dataclass(frozen=True)
class _AuthorGroups:
    """Authors of a cell with equally many hits there: cell, hits, authors, sizes of their posts."""

    cells: npt.NDArray[np.int64]
    hits: Floats
    counts: Floats
    mean_sizes: Floats
    size_variances: Floats


def rate_intervals(posts: MatchingPosts, sizes: CellSizes) -> tuple[Floats, Floats]:
    """Return the lower and the upper bound of the hits per unit of each cell.

    They are NaN where a cell has no size. The number of hits in a draw is exact: the weights of `n`
    authors, each Poisson with mean 1, add up to a Poisson number with mean `n`. The size in a draw
    has the exact mean and variance, given that number, and is otherwise normal.
    """
    groups = _author_groups(posts)
    matching = np.bincount(posts.cells, posts.sizes, minlength=len(sizes.totals))
    matching_squares = np.bincount(posts.cells, posts.sizes**2, minlength=len(sizes.totals))
    other_sizes = sizes.totals - matching
    other_spreads = np.sqrt(np.maximum(sizes.squares - matching_squares, 0))
    low = np.zeros(len(sizes.totals))
    with np.errstate(divide="ignore"):
        high = np.where(sizes.totals > 0, _HITS_AT_ZERO / sizes.totals, np.nan)
    low[sizes.totals <= 0] = np.nan
    rng = np.random.Generator(np.random.PCG64(RANDOM_SEED))
    bounds = np.flatnonzero(np.diff(groups.cells, prepend=-1, append=-1))
    for first, last in _blocks(bounds):
        rates, cells = _draw_rates(groups, slice(first, last), other_sizes, other_spreads, rng)
        tail = (1 - CONFIDENCE) / 2
        low[cells], high[cells] = np.quantile(rates, [tail, 1 - tail], axis=0)
    return low, high


def _author_groups(posts: MatchingPosts) -> _AuthorGroups:
    order = np.lexsort((posts.authors, posts.cells))
    cells, authors = posts.cells[order], posts.authors[order]
    is_first = np.ones(len(cells), bool)
    is_first[1:] = (cells[1:] != cells[:-1]) | (authors[1:] != authors[:-1])
    starts = np.flatnonzero(is_first)
    if not len(starts):
        none = np.empty(0)
        return _AuthorGroups(np.empty(0, np.int64), none, none, none, none)
    hits = np.add.reduceat(posts.hits[order], starts)
    sizes = np.add.reduceat(posts.sizes[order], starts).astype(np.float64)
    cells = cells[starts]
    order = np.lexsort((hits, cells))
    cells, hits, sizes = cells[order], hits[order], sizes[order]
    is_first = np.ones(len(cells), bool)
    is_first[1:] = (cells[1:] != cells[:-1]) | (hits[1:] != hits[:-1])
    starts = np.flatnonzero(is_first)
    counts = np.diff(starts, append=len(cells)).astype(np.float64)
    means = np.add.reduceat(sizes, starts) / counts
    variances = np.maximum(np.add.reduceat(sizes**2, starts) / counts - means**2, 0)
    return _AuthorGroups(cells[starts], hits[starts].astype(np.float64), counts, means, variances)


def _blocks(bounds: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return stretches of groups that hold whole cells and are not too long.

    `bounds` are the first groups of the cells, and the end.
    """
    blocks = []
    first = 0
    for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if high - first > _GROUPS_AT_ONCE and low > first:
            blocks.append((first, low))
            first = low
    if len(bounds) > 1:
        blocks.append((first, int(bounds[-1])))
    return blocks


def _draw_rates(
    groups: _AuthorGroups,
    block: slice,
    other_sizes: Floats,
    other_spreads: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the rates of draws (DRAWS, cells) and the cells of a block of groups."""
    cells = groups.cells[block]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    shape = (DRAWS, len(cells))
    authors = rng.poisson(groups.counts[block], shape).astype(np.float64)
    noise = np.sqrt(authors * groups.size_variances[block]) * rng.standard_normal(shape)
    hits = np.add.reduceat(authors * groups.hits[block], starts, axis=1)
    sizes = np.add.reduceat(authors * groups.mean_sizes[block] + noise, starts, axis=1)
    cells = cells[starts]
    others = rng.standard_normal((DRAWS, len(cells))) * other_spreads[cells]
    sizes += np.maximum(other_sizes[cells] + others, 0)
    return hits / np.maximum(sizes, 1), cells
