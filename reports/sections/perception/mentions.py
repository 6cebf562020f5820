"""What is said of which brand in a window of weeks, as numpy columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corpora.store.snapshot import Snapshot
from folate.core.weeks import Period
from nlp.stats.estimation import Floats, Ints, author_weights, resampling_units, weighted_sums
from reports import queries
from reports.figures import MAX_SAMPLE_POSTS
from reports.measures.mentions import category_codes, float_column

PERCEPTION_DRAWS = 400  # of a bootstrap: an ellipse or a 95 % interval asks no more
_SPOKEN = """
SELECT r.brand, r.week, r.id, md5_number_lower(r.author) AS author, a.aspect, a.negative, a.positive
FROM ({rows}) r LEFT JOIN aspects a ON a.id = r.id AND a.brand = r.brand WHERE r.counted
ORDER BY r.brand, r.week, md5_number_lower(r.id), a.aspect
""".strip()


@dataclass(frozen=True)
class AspectMentions:
    """One element a counted mention and aspect; a mention that speaks of none is one element with aspect -1."""

    brands: tuple[str, ...]
    weeks: tuple[Period, ...]
    aspects: tuple[str, ...]  # those that anybody spoke of, sorted
    brand: Ints
    week: Ints
    aspect: Ints
    post: Ints  # number of the post within the window
    ids: tuple[str, ...]  # of the posts, by number
    author: NDArray[np.uint64]
    polarity: Floats  # (n, 2) probabilities of negative and positive

    def select_weeks(self, first: int, last: int) -> "AspectMentions":
        """The weeks from `first` up to, not including, `last`."""
        keep = (self.week >= first) & (self.week < last)
        columns = {
            name: getattr(self, name)[keep]
            for name in ("brand", "aspect", "post", "author", "polarity")
        }
        return AspectMentions(
            self.brands,
            self.weeks[first:last],
            self.aspects,
            week=self.week[keep] - first,
            ids=self.ids,
            **columns,
        )

    @cached_property
    def units(self) -> tuple[Ints, int]:
        return resampling_units(self.author)

    @cached_property
    def weights(self) -> Floats:
        """(1 + DRAWS, units): the estimate's ones, then the bootstrap's."""
        return author_weights(self.units[1], PERCEPTION_DRAWS)

    @cached_property
    def mention_counts(self) -> Floats:
        """Counted mentions of each brand (draws, brands)."""
        key = (self.brand * len(self.weeks) + self.week) * len(self.ids) + self.post
        first = np.unique(key, return_index=True)[1]
        return self._sums(np.ones(len(first)), first, 1)[..., 0]

    def sum_by_aspect(self, values: Floats) -> Floats:
        """Sums of `values` (n,) by brand and aspect (draws, brands, aspects)."""
        rows = np.flatnonzero(self.aspect >= 0)
        return self._sums(values[rows], rows, len(self.aspects), self.aspect[rows])

    def _sums(self, values: Floats, rows: Ints, width: int, column: Ints | int = 0) -> Floats:
        cell = self.brand[rows] * width + column
        return weighted_sums(
            self.weights, self.units[0][rows], values, cell, (len(self.brands), width)
        )

    def sample_post_ids(
        self, brand: int | None = None, aspect: int | None = None
    ) -> tuple[str, ...]:
        """Ids of the posts about a brand that speak of an aspect (where one is given), in the order of their digests."""
        chosen = np.ones(len(self.post), dtype=bool)
        if brand is not None:
            chosen &= self.brand == brand
        if aspect is not None:
            chosen &= self.aspect == aspect
        found = self.post[chosen][: 4 * MAX_SAMPLE_POSTS]  # some stand there with several aspects
        return tuple(self.ids[post] for post in dict.fromkeys(found.tolist()))


def read_aspect_mentions(
    snapshot: Snapshot, brands: Sequence[str], weeks: Sequence[Period], timezone: str
) -> AspectMentions:
    """The counted mentions of `brands` in `weeks` (oldest first) and the aspects that they speak of."""
    table = snapshot.sql(
        _SPOKEN.format(rows=queries.mentions_query(brands, weeks, timezone))
    ).combine_chunks()
    column = {name: table.column(name).combine_chunks() for name in table.column_names}
    aspects = sorted(
        aspect for aspect in column["aspect"].unique().to_pylist() if aspect is not None
    )
    ids = column["id"].dictionary_encode()
    return AspectMentions(
        tuple(brands),
        tuple(weeks),
        tuple(aspects),
        brand=category_codes(column["brand"], brands),
        week=category_codes(column["week"], [str(week) for week in weeks]),
        aspect=category_codes(column["aspect"].fill_null(""), ["", *aspects]) - 1,
        post=ids.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        ids=tuple(ids.dictionary.to_pylist()),
        author=column["author"].to_numpy(),
        polarity=np.nan_to_num(
            np.stack([float_column(column[name]) for name in ("negative", "positive")], axis=1)
        ),
    )
