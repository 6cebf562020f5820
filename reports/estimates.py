"""What the mentions of a window amount to: counts and shares of brands by week, each with its bootstrap over authors.

Every array begins with an axis of draws: draw 0 is the estimate (all weights one), the others are the bootstrap's. So one formula
gives the value and its interval, and a ratio, a sum over sources or a difference of weeks needs no statistics of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nlp.statistics import DRAWS, SEED, Floats, bootstrap_weights, emq, emq_influence
from reports.rows import Mentions

ENOUGH = 200  # annotated posts that EMQ needs (METHODS: below it the sources are pooled)
UNAUDITED_ERROR = 0.024  # of a share by any method without labels, in a domain never trained on (measured; see docs/measures.md)
BALANCED = np.full(3, 1 / 3)  # prevalences under which the posteriors were calibrated
EMQ, PROBABILITIES, MIXED = "emq", "probabilities", "mixed"


@dataclass(frozen=True)
class Shares:
    """Negative, neutral and positive share of each brand and week (draws, brands, weeks, 3), NaN where nothing is annotated."""

    draws: Floats
    n: NDArray[np.int64]  # annotated posts, (brands, weeks)
    method: NDArray[np.str_]  # how they were quantified, (brands, weeks)


@dataclass(frozen=True)
class Estimates:
    """Measures of `mentions`, as arrays (draws, brands, weeks).

    `source_weights` (sources,) are those of share of voice; `prior` (3,) the prevalences that the posteriors were calibrated under.
    """

    mentions: Mentions
    source_weights: Floats
    prior: Floats

    @cached_property
    def weights(self) -> Floats:
        """(draws, units), the first row ones."""
        count = self.mentions.units[1]
        return np.vstack([np.ones(count), bootstrap_weights(count)])

    def sums(self, values: Floats, keep: NDArray[np.bool_]) -> Floats:
        """Weighted sums of `values` over the kept mentions: (draws, brands, weeks, sources)."""
        m, shape, (units, count) = self.mentions, self.mentions.shape, self.mentions.units
        cells = int(np.prod(shape))
        cell = ((units * shape[0] + m.brand) * shape[1] + m.week) * shape[2] + m.source
        table = np.bincount(cell[keep], values[keep], minlength=count * cells).reshape(count, cells)
        return np.asarray((self.weights @ table).reshape(len(self.weights), *shape))

    @cached_property
    def all_mentions(self) -> Floats:
        """Mentions with their copies, by source."""
        every = np.ones(len(self.mentions.brand), dtype=bool)
        return self.sums(every.astype(float), every)

    @cached_property
    def counted(self) -> Floats:
        """Mentions without copies, by source."""
        return self.sums(np.ones(len(self.mentions.brand)), self.mentions.counted)

    @cached_property
    def authors(self) -> Floats:
        """Distinct authors of mentions without copies, by source (an author belongs to one source)."""
        return self.sums(np.ones(len(self.mentions.brand)), self.mentions.new_author)

    @property
    def copies(self) -> Floats:
        """Share of the mentions whose text repeats an earlier one of the week."""
        return 1 - ratio(self.counted.sum(axis=3), self.all_mentions.sum(axis=3))

    @property
    def raw_share_of_voice(self) -> Floats:
        """A brand's distinct authors / the sum over the compared brands, all sources together as they come."""
        authors = self.authors.sum(axis=3)
        return ratio(authors, authors.sum(axis=1, keepdims=True))

    def share_of_voice(self) -> Floats:
        """The same within each source, averaged over the sources that spoke that week at weights that no week changes.

        A source crawled harder moves the raw share but not this one.
        """
        total = self.authors.sum(axis=1, keepdims=True)
        weights = self.source_weights * (total[:1] > 0)
        return ratio((weights * ratio(self.authors, total, empty=0.0)).sum(axis=3), weights.sum(axis=3))

    @cached_property
    def rated(self) -> tuple[Floats, NDArray[np.int64]]:
        """Mean rating (0..1), and how many ratings (brands, weeks)."""
        keep = self.mentions.counted & ~np.isnan(self.mentions.rating)
        count = self.sums(np.ones(len(keep)), keep).sum(axis=3)
        return ratio(self.sums(self.mentions.rating, keep).sum(axis=3), count), count[0].astype(np.int64)

    def shares(self, jointly: bool = False) -> Shares:
        """Sentiment of the counted mentions, quantified. `jointly`: by the same method in all weeks, so that they can be compared."""
        m, (brands, weeks, _) = self.mentions, self.mentions.shape
        keep = m.counted & ~np.isnan(m.posteriors).any(axis=1)
        pseudo = np.zeros_like(m.posteriors)
        method = np.full((brands, weeks), "", dtype="<U13")
        for cells, rows in _groups(m, keep, jointly):
            enough = all(len(part) >= ENOUGH for part in rows)
            for (brand, week), part in zip(cells, rows, strict=True):
                pseudo[part] = pseudo_values(m.posteriors[part], self.prior) if enough else m.posteriors[part]
                done = EMQ if enough else PROBABILITIES
                method[brand, week] = done if method[brand, week] in ("", done) else MIXED
        count = self.sums(np.ones(len(keep)), keep).sum(axis=3)
        sums = np.stack([self.sums(pseudo[:, label], keep).sum(axis=3) for label in range(3)], axis=3)
        return Shares(_on_simplex(ratio(sums, count[..., None])), count[0].astype(np.int64), method)


def _groups(m: Mentions, keep: NDArray[np.bool_], jointly: bool) -> Iterator[tuple[list[tuple[int, int]], list[NDArray[np.int64]]]]:
    """The mentions to quantify together: per brand and week (or per brand, the same groups in all weeks), sources with at least
    ENOUGH alone and the others pooled. Yields the (brand, week) cells and the rows of each."""
    brands, weeks, sources = m.shape
    cell = (m.brand * weeks + m.week) * sources + m.source
    counts = np.bincount(cell[keep], minlength=brands * weeks * sources).reshape(brands, weeks, sources)
    large = np.broadcast_to((counts.min(axis=1, keepdims=True) if jointly else counts) >= ENOUGH, counts.shape)
    group = np.where(large.ravel()[cell], m.source, sources) + (m.brand * weeks + m.week) * (sources + 1)
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(group[rows], kind="stable")]
    edges = np.searchsorted(group[rows], np.arange(brands * weeks * (sources + 1) + 1))
    for brand in range(brands):
        for span in [range(weeks)] if jointly else [[week] for week in range(weeks)]:
            for source in range(sources + 1):
                places = [(brand * weeks + week) * (sources + 1) + source for week in span]
                parts = [rows[edges[place] : edges[place + 1]] for place in places]
                if any(len(part) for part in parts):
                    yield [(brand, week) for week in span], parts


def pseudo_values(posteriors: Floats, prior: Floats) -> Floats:
    """(n, 3) whose mean is the EMQ estimate and whose weighted means are those of the re-fitted one (`nlp.statistics.emq_influence`)."""
    estimate = emq(posteriors, prior)
    return estimate + emq_influence(posteriors, prior, estimate)


def unaudited(shares: Floats) -> Floats:
    """`shares` (draws, brands, weeks, 3) with the error that the model may make on a domain nobody audited.

    One error a brand, the same in all its weeks: it widens the interval of a level and cancels in a change.
    """
    rng = np.random.Generator(np.random.PCG64(SEED + 1))
    error = np.zeros((len(shares), shares.shape[1], 1, 3))
    error[1:, ..., [0, 2]] = rng.normal(0, UNAUDITED_ERROR, (DRAWS, shares.shape[1], 1, 2))
    error[..., 1] = -error[..., 0] - error[..., 2]
    return _on_simplex(shares + error)


def net_sentiment(shares: Floats) -> tuple[Floats, Floats]:
    """NSR-polar (P - N) / (P + N) and NSR-all (P - N) / all, from shares (..., 3)."""
    difference = shares[..., 2] - shares[..., 0]
    return ratio(difference, shares[..., 2] + shares[..., 0]), difference


def ratio(numerator: Floats, denominator: Floats, empty: float = np.nan) -> Floats:
    """numerator / denominator, `empty` where the denominator is 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.asarray(np.divide(numerator, denominator, out=np.full(shape, empty), where=np.broadcast_to(denominator != 0, shape)))


def _on_simplex(shares: Floats) -> Floats:
    positive = np.clip(shares, 0, None)
    return ratio(positive, positive.sum(axis=-1, keepdims=True))
