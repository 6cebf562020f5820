"""The aspects of a window of mentions, as numpy columns with bootstrap weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from folate.core.weeks import Period
from nlp.stats.estimation import Floats, Ints, author_weights, resampling_units, weighted_sums
from reports.context import ReportContext
from reports.figures import MAX_SAMPLE_POSTS
from reports.measures.mentions import category_codes, float_column

PERCEPTION_DRAWS = 400
"""Draws of the bootstrap over authors: enough for an ellipse and for 95 % intervals."""

_ASPECTS_QUERY = """
SELECT r.brand, r.week, r.id, md5_number_lower(r.author) AS author, a.aspect, a.negative, a.positive
FROM ({rows}) r LEFT JOIN aspects a ON a.id = r.id AND a.brand = r.brand WHERE r.counted
ORDER BY r.brand, r.week, md5_number_lower(r.id), a.aspect
""".strip()


@dataclass(frozen=True)
class AspectMentions:
    """One element for each aspect of a counted mention; aspect -1 for a mention without any."""

    brands: tuple[str, ...]
    weeks: tuple[Period, ...]
    aspects: tuple[str, ...]
    """The aspects that occur, sorted."""
    brand: Ints
    """Index into `brands`, as `week` and `aspect` are into theirs."""
    week: Ints
    aspect: Ints
    post: Ints
    """Index into `ids`."""
    ids: tuple[str, ...]
    """Ids of the posts."""
    author: NDArray[np.uint64]
    polarity: Floats
    """Probabilities of negative and positive, (n, 2)."""

    def select_weeks(self, first: int, last: int) -> "AspectMentions":
        """Return the mentions of the weeks from index `first` up to, not including, `last`."""
        selected = (self.week >= first) & (self.week < last)
        return AspectMentions(
            brands=self.brands,
            weeks=self.weeks[first:last],
            aspects=self.aspects,
            brand=self.brand[selected],
            week=self.week[selected] - first,
            aspect=self.aspect[selected],
            post=self.post[selected],
            ids=self.ids,
            author=self.author[selected],
            polarity=self.polarity[selected],
        )

    @cached_property
    def author_units(self) -> tuple[Ints, int]:
        """The resampling unit of each element, and how many units there are."""
        return resampling_units(self.author)

    @cached_property
    def weights(self) -> Floats:
        """Weights (1 + draws, units): ones for the estimate, then those of the bootstrap."""
        return author_weights(self.author_units[1], PERCEPTION_DRAWS)

    @cached_property
    def mention_counts(self) -> Floats:
        """Counted mentions of each brand, (1 + draws, brands)."""
        mention = (self.brand * len(self.weeks) + self.week) * len(self.ids) + self.post
        first_rows = np.unique(mention, return_index=True)[1]
        return self._sum_by_cell(np.ones(len(first_rows)), first_rows, 1)[..., 0]

    @property
    def aspect_counts(self) -> Floats:
        """Mentions of each aspect, (1 + draws, brands, aspects)."""
        return self.sum_by_aspect(np.ones(len(self.brand)))

    @property
    def favourable_counts(self) -> Floats:
        """Expected favourable mentions of each aspect, (1 + draws, brands, aspects)."""
        return self.sum_by_aspect(self.polarity[:, 1])

    def sum_by_aspect(self, values: Floats) -> Floats:
        """Sum `values`, one per row of the table, by brand and aspect.

        Returns (1 + draws, brands, aspects): draw 0 is the sum, the others are sums over bootstrap
        samples of the authors.
        """
        rows = np.flatnonzero(self.aspect >= 0)
        return self._sum_by_cell(values[rows], rows, len(self.aspects), self.aspect[rows])

    def _sum_by_cell(
        self, values: Floats, rows: Ints, column_count: int, column: Ints | int = 0
    ) -> Floats:
        """Sum the values of these rows by brand and column, (1 + draws, brands, columns)."""
        cell = self.brand[rows] * column_count + column
        shape = (len(self.brands), column_count)
        return weighted_sums(self.weights, self.author_units[0][rows], values, cell, shape)

    def sample_post_ids(
        self, brand: int | None = None, aspect: int | None = None
    ) -> tuple[str, ...]:
        """Return ids of posts about a brand and an aspect, where given, in digest order."""
        selected = np.ones(len(self.post), dtype=bool)
        if brand is not None:
            selected &= self.brand == brand
        if aspect is not None:
            selected &= self.aspect == aspect
        posts = self.post[selected][: 4 * MAX_SAMPLE_POSTS]  # a post may have several aspects
        return tuple(self.ids[post] for post in dict.fromkeys(posts.tolist()))


def read_aspect_mentions(context: ReportContext, weeks: Sequence[Period]) -> AspectMentions:
    """Read the counted mentions of all brands in `weeks` (oldest first) with their aspects."""
    query = _ASPECTS_QUERY.format(rows=context.mentions_query(weeks))
    table = context.table(query).combine_chunks()
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    aspects = sorted(name for name in columns["aspect"].unique().to_pylist() if name is not None)
    ids = columns["id"].dictionary_encode()
    polarity = [float_column(columns[name]) for name in ("negative", "positive")]
    return AspectMentions(
        brands=context.brand_ids,
        weeks=tuple(weeks),
        aspects=tuple(aspects),
        brand=category_codes(columns["brand"], context.brand_ids),
        week=category_codes(columns["week"], [str(week) for week in weeks]),
        aspect=category_codes(columns["aspect"].fill_null(""), ["", *aspects]) - 1,
        post=ids.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        ids=tuple(ids.dictionary.to_pylist()),
        author=columns["author"].to_numpy(),
        polarity=np.nan_to_num(np.stack(polarity, axis=1)),
    )
