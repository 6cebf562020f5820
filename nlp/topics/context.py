"""A topic's authors against the week's other authors: sentiment, brands, aspects and intents.

Every figure counts authors, because an author who posts ten times has one opinion. Posts that were
not annotated are left out.
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

# Authors on either side; fewer give no interval worth printing.
MIN_CONTRAST_AUTHORS = 5
# Resampling units of the bootstrap. The relative error of a variance estimated from U random
# blocks is sqrt(2 / U).
MAX_RESAMPLING_BLOCKS = 512

Contrast = dict[str, float | int]
"""One comparison, as it goes into JSON: `inside` and `outside` (the two sides), `difference` or
`log_odds` and `odds`, the 95 % interval `low` to `high`, and `authors` (inside) and `others`."""


def log_odds_ratio(
    inside: float, inside_total: float, outside: float, outside_total: float
) -> tuple[float, float, float]:
    """Return the log odds ratio of two shares, and its 95 % interval.

    The interval is Woolf's (1955), with half an author added to each cell (Haldane).
    """
    yes_inside = inside + 0.5
    no_inside = inside_total - inside + 0.5
    yes_outside = outside + 0.5
    no_outside = outside_total - outside + 0.5
    value = log(yes_inside * no_outside / (no_inside * yes_outside))
    margin = 1.96 * sqrt(1 / yes_inside + 1 / no_inside + 1 / yes_outside + 1 / no_outside)
    return value, value - margin, value + margin


def split_by_topic(rows: pa.Table, post_ids: pa.Array) -> tuple[pa.Table, pa.Table]:
    """Split posts into those of a topic and those by authors who wrote none of these.

    `rows` has the columns id and author, and whatever is compared afterwards.
    """
    is_inside = pc.is_in(rows["id"], post_ids)
    inside_authors = pc.unique(rows["author"].filter(is_inside))
    is_outside = pc.invert(pc.is_in(rows["author"], inside_authors))
    return rows.filter(is_inside), rows.filter(is_outside)


def sentiment_contrast(inside: pa.Table, outside: pa.Table) -> Contrast | None:
    """Compare net sentiment: probability of positive less negative, averaged over authors.

    Both tables have the columns author, negative and positive. The interval of the difference is a
    bootstrap over authors. None when a side has fewer than `MIN_CONTRAST_AUTHORS` authors with a
    sentiment.
    """
    author_values = [
        _author_means(side, pc.subtract(side["positive"], side["negative"]))
        for side in (inside, outside)
    ]
    if min(map(len, author_values)) < MIN_CONTRAST_AUTHORS:
        return None
    draws = [_bootstrap_means(values, RANDOM_SEED + i) for i, values in enumerate(author_values)]
    low, high = percentile_interval(draws[0] - draws[1])
    mean_inside, mean_outside = (float(values.mean()) for values in author_values)
    return _round_figures(
        {
            "inside": mean_inside,
            "outside": mean_outside,
            "difference": mean_inside - mean_outside,
            "low": low,
            "high": high,
            "authors": len(author_values[0]),
            "others": len(author_values[1]),
        }
    )


def _author_means(rows: pa.Table, values: pa.ChunkedArray) -> Floats:
    """Return the mean value of each author, authors sorted, missing values left out."""
    table = pa.table({"author": rows["author"], "value": values}).drop_null()
    means = table.group_by("author").aggregate([("value", "mean")]).sort_by("author")
    return np.asarray(means["value_mean"].to_numpy(), float)


def _bootstrap_means(values: Floats, seed: int) -> Floats:
    """Draw bootstrap means; more than `MAX_RESAMPLING_BLOCKS` authors share weights."""
    block = np.arange(len(values)) % MAX_RESAMPLING_BLOCKS
    n_blocks = int(block.max()) + 1
    weights = bootstrap_weights(n_blocks, seed=seed)
    means: Floats = (weights @ np.bincount(block, values, n_blocks)) / (
        weights @ np.bincount(block, minlength=n_blocks)
    )
    return means


def share_contrasts(inside: pa.Table, outside: pa.Table, column: str) -> dict[str, Contrast]:
    """Compare, for each value of a list column, the share of authors who have it on either side.

    A post whose list is null was not annotated and is left out. Returned are the values of at least
    `MIN_CONTRAST_AUTHORS` authors inside whose difference has an interval (Newcombe) without 0.
    """
    counts_inside, total_inside = _authors_by_value(inside, column)
    counts_outside, total_outside = _authors_by_value(outside, column)
    contrasts: dict[str, Contrast] = {}
    if total_outside < MIN_CONTRAST_AUTHORS:
        return contrasts
    for value, count_inside in sorted(counts_inside.items()):
        if count_inside < MIN_CONTRAST_AUTHORS:
            continue
        count_outside = counts_outside.get(value, 0)
        low, high = newcombe_interval(count_inside, total_inside, count_outside, total_outside)
        if low > 0 or high < 0:
            share_inside = count_inside / total_inside
            share_outside = count_outside / total_outside
            contrasts[value] = _round_figures(
                {
                    "inside": share_inside,
                    "outside": share_outside,
                    "difference": share_inside - share_outside,
                    "low": low,
                    "high": high,
                    "authors": count_inside,
                }
            )
    return contrasts


def odds_contrasts(inside: pa.Table, outside: pa.Table, column: str) -> dict[str, Contrast]:
    """Return the log odds ratio of each value of a list column, inside against outside."""
    counts_inside, total_inside = _authors_by_value(inside, column)
    counts_outside, total_outside = _authors_by_value(outside, column)
    contrasts = {}
    for value, count_inside in sorted(counts_inside.items()):
        if count_inside < MIN_CONTRAST_AUTHORS:
            continue
        ratio, low, high = log_odds_ratio(
            count_inside, total_inside, counts_outside.get(value, 0), total_outside
        )
        contrasts[value] = _round_figures(
            {
                "log_odds": ratio,
                "low": low,
                "high": high,
                "odds": exp(ratio),
                "authors": count_inside,
            }
        )
    return contrasts


def _authors_by_value(rows: pa.Table, column: str) -> tuple[dict[str, int], int]:
    """Count the authors of each value of a list column, and all authors whose list is not null."""
    annotated = rows.filter(pc.is_valid(rows[column]))
    lists = annotated[column].combine_chunks()
    pairs = pa.table(
        {
            "author": annotated["author"].take(pc.list_parent_indices(lists)),
            "value": pc.list_flatten(lists),
        }
    )
    counts = pairs.group_by("value").aggregate([("author", "count_distinct")])
    values = counts["value"].to_pylist()
    author_counts = counts["author_count_distinct"].to_pylist()
    total = int(pc.count_distinct(annotated["author"]).as_py())
    return dict(zip(values, author_counts, strict=True)), total


def _round_figures(figures: Mapping[str, float | int]) -> Contrast:
    return {
        name: value if isinstance(value, int) else round(float(value), 6)
        for name, value in figures.items()
    }
