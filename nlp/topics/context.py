"""Inside a topic against outside: sentiment, brands, aspects and intents of the authors who write of it, and of the week's others.

Every figure counts authors, since one who writes ten times has one opinion; what was not annotated takes no part.
"""

from collections.abc import Mapping
from math import exp, log, sqrt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nlp.stats.estimation import (
    RANDOM_SEED,
    bootstrap_weights,
    newcombe_interval,
    percentile_interval,
)
from nlp.topics.stream import Floats

MIN_CONTRAST_AUTHORS = 5  # authors on either side; fewer give no interval worth printing
MAX_RESAMPLING_BLOCKS = 512  # resampling units at most: the relative error of a variance from U random blocks is sqrt(2 / U)

Contrast = dict[str, float | int]
"""inside, outside (missing key: not measured), difference or odds, low, high, and the authors on either side."""


def log_odds_ratio(
    inside: float, inside_total: float, outside: float, outside_total: float
) -> tuple[float, float, float]:
    """Log odds ratio of `inside` of `size` against `outside` of `others`, and its 95 % interval (Woolf 1955, Haldane's half a cell)."""
    cells = (
        inside + 0.5,
        inside_total - inside + 0.5,
        outside + 0.5,
        outside_total - outside + 0.5,
    )
    value = log(cells[0] * cells[3] / (cells[1] * cells[2]))
    error = 1.96 * sqrt(sum(1 / cell for cell in cells))
    return value, value - error, value + error


def split_by_topic(rows: pa.Table, post_ids: pa.Array) -> tuple[pa.Table, pa.Table]:
    """The rows of a topic's posts, and those of authors who wrote none of them. Columns: id, author and what is measured."""
    within = pc.is_in(rows["id"], post_ids)
    speakers = pc.unique(rows["author"].filter(within))
    return rows.filter(within), rows.filter(pc.invert(pc.is_in(rows["author"], speakers)))


def sentiment_contrast(inside: pa.Table, outside: pa.Table) -> Contrast | None:
    """Net sentiment (positive - negative probability, mean over authors) of both sides and its difference, by a bootstrap over authors.

    Columns: author, negative, positive. None where a side has fewer than `FEWEST` authors with a sentiment.
    """
    values = [
        _by_author(side, pc.subtract(side["positive"], side["negative"]))
        for side in (inside, outside)
    ]
    if min(map(len, values)) < MIN_CONTRAST_AUTHORS:
        return None
    draws = [_means(value, RANDOM_SEED + place) for place, value in enumerate(values)]
    low, high = percentile_interval(draws[0] - draws[1])
    means = [float(value.mean()) for value in values]
    return _rounded({
        "inside": means[0], "outside": means[1], "difference": means[0] - means[1], "low": low, "high": high,
        "authors": len(values[0]), "others": len(values[1]),
    })  # fmt: skip


def _by_author(rows: pa.Table, values: pa.ChunkedArray) -> Floats:
    """The mean of each author, authors sorted."""
    table = pa.table({"author": rows["author"], "value": values}).drop_null()
    means = table.group_by("author").aggregate([("value", "mean")]).sort_by("author")
    return np.asarray(means["value_mean"].to_numpy(), float)


def _means(values: Floats, seed: int) -> Floats:
    """Bootstrap draws of the mean; authors past `BLOCKS` share a weight."""
    block = np.arange(len(values)) % MAX_RESAMPLING_BLOCKS
    units = int(block.max()) + 1
    weights = bootstrap_weights(units, seed=seed)
    drawn: Floats = (weights @ np.bincount(block, values, units)) / (
        weights @ np.bincount(block, minlength=units)
    )
    return drawn


def share_contrasts(inside: pa.Table, outside: pa.Table, column: str) -> dict[str, Contrast]:
    """For each value of a column of lists, the share of authors who have it on either side, and the difference (Newcombe's interval).

    A post whose list is missing was not judged and takes no part. Only differences that exclude 0, for values of `FEWEST` authors inside.
    """
    counts, sizes = zip(*(_holders(side, column) for side in (inside, outside)), strict=True)
    found = {}
    for value in sorted(counts[0]):
        a, c = counts[0][value], counts[1].get(value, 0)
        if a < MIN_CONTRAST_AUTHORS or sizes[1] < MIN_CONTRAST_AUTHORS:
            continue
        low, high = newcombe_interval(a, sizes[0], c, sizes[1])
        if low > 0 or high < 0:
            share, other = a / sizes[0], c / sizes[1]
            found[value] = _rounded(
                {
                    "inside": share,
                    "outside": other,
                    "difference": share - other,
                    "low": low,
                    "high": high,
                    "authors": a,
                }
            )
    return found


def odds_contrasts(inside: pa.Table, outside: pa.Table, column: str) -> dict[str, Contrast]:
    """For each value of a column of lists, the log odds ratio of having it inside against outside, with its interval."""
    counts, sizes = zip(*(_holders(side, column) for side in (inside, outside)), strict=True)
    found = {}
    for value in sorted(counts[0]):
        if counts[0][value] >= MIN_CONTRAST_AUTHORS:
            ratio, low, high = log_odds_ratio(
                counts[0][value], sizes[0], counts[1].get(value, 0), sizes[1]
            )
            found[value] = _rounded(
                {
                    "log_odds": ratio,
                    "low": low,
                    "high": high,
                    "odds": exp(ratio),
                    "authors": counts[0][value],
                }
            )
    return found


def _holders(rows: pa.Table, column: str) -> tuple[dict[str, int], int]:
    """Authors by value of a column of lists, and all authors whose list is not missing."""
    judged = rows.filter(pc.is_valid(rows[column]))
    lists = judged[column].combine_chunks()
    pairs = pa.table(
        {
            "author": judged["author"].take(pc.list_parent_indices(lists)),
            "value": pc.list_flatten(lists),
        }
    )
    counts = pairs.group_by("value").aggregate([("author", "count_distinct")])
    size = int(pc.count_distinct(judged["author"]).as_py())
    return dict(
        zip(counts["value"].to_pylist(), counts["author_count_distinct"].to_pylist(), strict=True)
    ), size


def _rounded(figures: Mapping[str, float | int]) -> Contrast:
    return {
        name: value if isinstance(value, int) else round(float(value), 6)
        for name, value in figures.items()
    }
