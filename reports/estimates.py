"""What the mentions of a window amount to: counts and shares of brands by week, each with its bootstrap over authors.

Every array begins with an axis of draws: draw 0 is the estimate (all weights one), the others are the bootstrap's. So one formula
gives the value and its interval, and a ratio, a sum over sources or a difference of weeks needs no statistics of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nlp.statistics import DRAWS, SEED, Codes, Floats, author_weights, corrected, emq, emq_influence, ppi_power, weighted_sums
from reports.queries import JUDGED
from reports.rows import Mentions

ENOUGH = 200  # annotated posts that EMQ needs (METHODS: below it the sources are pooled)
FEWEST_LABELS = 50  # of an audit that the shares of a brand rest on: the power of PPI++ is tuned on them, and on fewer follows chance
UNAUDITED_ERROR = 0.06  # of a share by EMQ, from domain to domain: the median of 22 labelled sets (benchmarks.shares; docs/measures.md)
FEWEST_FOR_TOP = 100  # authors of whom one in a hundred is a person
BALANCED = np.full(3, 1 / 3)  # prevalences of a calibration that says nothing of its own
EMQ, PROBABILITIES, MIXED = "emq", "probabilities", "mixed"

Sources = NDArray[np.bool_]  # (sources,) which of them take part


@dataclass(frozen=True)
class Shares:
    """Negative, neutral and positive share of each brand and week (draws, brands, weeks, 3), NaN where nothing is annotated.

    Draws may leave 0..1 until `on_simplex` brings them back, which comes after a correction.
    """

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
    _quantified: dict[tuple[int, int, tuple[int, ...]], Floats] = field(default_factory=dict, init=False, repr=False)

    def prior_of(self, brand: int) -> Floats:
        """The prevalences (3,) that the posteriors of a brand are calibrated under: `prior`, times the factors that adapted them."""
        if brand not in self.mentions.adaptations:
            return self.prior
        product = self.prior * self.mentions.adaptations[brand].factors
        return np.asarray(product / product.sum())

    @cached_property
    def weights(self) -> Floats:
        """(draws, units), the first row ones."""
        return author_weights(self.mentions.units[1])

    def totals(self, values: Floats, rows: NDArray[np.int64], cell: Codes, shape: tuple[int, ...]) -> Floats:
        """Weighted sums of `values` (n,) at these rows of the mentions, by `cell` (n,): (draws, *shape)."""
        return weighted_sums(self.weights, self.mentions.units[0][rows], values, cell, shape)

    def sums(self, values: Floats, keep: NDArray[np.bool_]) -> Floats:
        """Weighted sums of `values` over the kept mentions: (draws, brands, weeks, sources)."""
        rows = np.flatnonzero(keep)
        return self.totals(values[rows], rows, self.mentions.cell[rows], self.mentions.shape)

    @property
    def every_source(self) -> Sources:
        return np.ones(len(self.mentions.sources), dtype=bool)

    @cached_property
    def all_mentions(self) -> Floats:
        """Mentions with their copies, by source."""
        count = len(self.mentions.brand)
        return self.sums(np.ones(count), np.ones(count, dtype=bool))

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
    def posts_per_author(self) -> Floats:
        return ratio(self.counted.sum(axis=3), self.authors.sum(axis=3))

    def top_authors(self, week: int) -> Floats:
        """Share of a week's counted mentions by the one in a hundred authors who wrote most (draws, brands); NaN under FEWEST_FOR_TOP.

        Authors with as many posts stand in for each other, so that the hundredth part may end amid them.
        """
        m, found = self.mentions, np.full((DRAWS + 1, len(self.mentions.brands)), np.nan)
        for brand in range(len(m.brands)):
            rows = np.flatnonzero(m.counted & (m.brand == brand) & (m.week == week))
            _, first, posts = np.unique(m.author[rows], return_index=True, return_counts=True)
            if len(first) >= FEWEST_FOR_TOP:
                sizes, kind = np.unique(-posts, return_inverse=True)  # most first
                people = self.totals(np.ones(len(first)), rows[first], kind, (len(sizes),))
                before = np.cumsum(people, axis=1) - people
                chosen = np.clip(people.sum(axis=1, keepdims=True) / 100 - before, 0, people)
                found[:, brand] = (chosen @ -sizes) / (people @ -sizes)
        return found

    @property
    def raw_share_of_voice(self) -> Floats:
        """A brand's distinct authors / the sum over the compared brands, all sources together as they come."""
        authors = self.authors.sum(axis=3)
        return ratio(authors, authors.sum(axis=1, keepdims=True))

    def share_of_voice(self, sources: Sources | None = None) -> Floats:
        """The same within each source, averaged over the sources that spoke that week at weights that no week changes.

        A source crawled harder moves the raw share but not this one.
        """
        total = self.authors.sum(axis=1, keepdims=True)
        weights = self.source_weights * (total[:1] > 0) * (self.every_source if sources is None else sources)
        return ratio((weights * ratio(self.authors, total, empty=0.0)).sum(axis=3), weights.sum(axis=3))

    @cached_property
    def rated(self) -> tuple[Floats, Floats]:
        """Sum of the ratings (0..1), and how many there are, by source."""
        return self._known(self.mentions.rating)

    @cached_property
    def engaged(self) -> tuple[Floats, Floats]:
        """Sum of likes, replies and reposts, and how many mentions show any of them, by source."""
        return self._known(self.mentions.engagement)

    def _known(self, values: Floats) -> tuple[Floats, Floats]:
        keep = self.mentions.counted & ~np.isnan(values)
        return self.sums(values, keep), self.sums(np.ones(len(keep)), keep)

    @cached_property
    def judged(self) -> tuple[Floats, NDArray[np.int64]]:
        """Mean probability of each emotion and intent (queries.JUDGED) in the last two weeks, (draws, brands, 2, 10), and of how many."""
        m, found, kinds = self.mentions, self.mentions.judged, len(JUDGED)
        shape = (len(m.brands), min(len(m.weeks), 2))
        if found is None:
            return np.full((DRAWS + 1, *shape, kinds), np.nan), np.zeros((*shape, kinds), dtype=np.int64)
        cell = m.brand[found.rows] * shape[1] + m.week[found.rows] - (len(m.weeks) - shape[1])
        known = ~np.isnan(found.values)
        sums, sizes = (
            np.stack([self.totals(column, found.rows, cell, shape) for column in columns.T], axis=3)
            for columns in (np.where(known, found.values, 0), known.astype(float))
        )
        return ratio(sums, sizes), sizes[0].astype(np.int64)

    @cached_property
    def shares(self) -> Shares:
        """Sentiment of the counted mentions as the model alone has it, each week quantified for itself."""
        return self._shares([[week] for week in range(len(self.mentions.weeks))], self.every_source)

    def comparable_shares(self, weeks: Sequence[int], sources: Sources) -> Shares:
        """The same of these weeks and sources, by one method in all of the weeks."""
        return self._shares([weeks], sources)

    @cached_property
    def audited(self) -> NDArray[np.int64]:
        """Labels of people that there are for the brand's annotated mentions (brands,)."""
        m = self.mentions
        return np.bincount(m.brand[m.annotated & (m.label >= 0)], minlength=len(m.brands))

    @cached_property
    def correction(self) -> Floats:
        """What is to be added to the model's shares, the same in all weeks of a brand: (draws, brands, 1, 3).

        With FEWEST_LABELS, the error that the audit found, and how sure that is; else nothing, and how wrong a model may be where
        nobody looked. So it moves and widens the level, and hardly a change.
        """
        error = np.zeros((DRAWS + 1, len(self.mentions.brands), 1, 3))
        noise = np.random.Generator(np.random.PCG64(SEED + 1)).normal(0, UNAUDITED_ERROR, (DRAWS, len(self.mentions.brands), 2))
        error[1:, :, 0, 0], error[1:, :, 0, 2] = noise[..., 0], noise[..., 1]
        error[..., 1] = -error[..., 0] - error[..., 2]
        for brand in np.flatnonzero(self.audited >= FEWEST_LABELS):
            error[:, brand, 0] = self._found_error(int(brand))
        return error

    def _found_error(self, brand: int) -> Floats:
        """PPI++ of the audited weeks together less what the model alone says of them (draws, 3).

        Predictions are the posteriors corrected to the week's EMQ estimate. Each week counts by its mentions, however many of them
        were drawn. The draws add half a label of each class (Jeffreys' prior): a class that nobody met may be there all the same.
        """
        m = self.mentions
        weeks = [week for week in range(len(m.weeks)) if (m.label[self._rows(brand, week, self.every_source)] >= 0).any()]
        parts = [part for week in weeks for part in self._parts(brand, week)]
        rows = np.concatenate([part[0] for part in parts])
        alone, predicted = (np.concatenate([part[at] for part in parts]) for at in (1, 2))
        labelled = m.label[rows] >= 0
        truth = np.eye(3)[m.label[rows[labelled]]]
        power = ppi_power(truth, predicted[labelled], predicted)
        size, drawn = (np.bincount(m.week[some], minlength=len(m.weeks)) for some in (rows, rows[labelled]))
        per_label = (size / np.maximum(drawn, 1))[m.week[rows[labelled]]]
        sums, weight = self._total(truth - power * predicted[labelled], rows[labelled], per_label / per_label.mean())
        halves = np.vstack([np.zeros(3), np.random.Generator(np.random.PCG64(SEED + 2)).gamma(0.5, size=(DRAWS, 3))])
        half = halves.sum(axis=1, keepdims=True)
        missed = (sums + halves - power * half * predicted.mean(axis=0)) / (weight + half)
        return np.asarray(power * self._mean(predicted, rows) + missed - self._mean(alone, rows))

    def _parts(self, brand: int, week: int) -> Iterator[tuple[NDArray[np.int64], Floats, Floats]]:
        """Of each group of sources of a week: rows, their pseudo-values, their corrected posteriors."""
        posteriors = self.mentions.posteriors
        for group in self._groups(brand, [week], self.every_source):
            rows = self._rows(brand, week, group)
            if len(rows) < ENOUGH:
                yield rows, posteriors[rows], posteriors[rows]
            else:
                alone = self._pseudo(brand, week, group)
                yield rows, alone, corrected(posteriors[rows], self.prior_of(brand), alone.mean(axis=0))

    def _mean(self, values: Floats, rows: NDArray[np.int64]) -> Floats:
        """Mean (draws, k) of `values` (n, k) at these rows."""
        sums, weight = self._total(values, rows, np.ones(len(rows)))
        return np.asarray(sums / weight)

    def _total(self, values: Floats, rows: NDArray[np.int64], weight: Floats) -> tuple[Floats, Floats]:
        """Weighted sums (draws, k) of `values` (n, k) at these rows, and of the weights (draws, 1)."""
        nowhere = np.zeros(len(rows), dtype=np.int64)
        sums = [self.totals(weight * column, rows, nowhere, ()) for column in values.T]
        return np.stack(sums, axis=1), self.totals(weight, rows, nowhere, ())[:, None]

    def _shares(self, spans: Sequence[Sequence[int]], sources: Sources) -> Shares:
        """Shares of the weeks of all spans, each span by one method: EMQ where its groups are large enough in all of its weeks."""
        weeks = [week for span in spans for week in span]
        shape = (len(self.mentions.brands), len(weeks))
        method, draws, n = np.full(shape, "", dtype="<U13"), np.full((DRAWS + 1, *shape, 3), np.nan), np.zeros(shape, dtype=np.int64)
        found = list(self._values(spans, sources))
        if found:
            rows, values = np.concatenate([each[2] for each in found]), np.concatenate([each[3] for each in found])
            cell = np.concatenate([np.full(len(part), brand * len(weeks) + weeks.index(week)) for brand, week, part, *_ in found])
            count = self.totals(np.ones(len(rows)), rows, cell, shape)
            sums = np.stack([self.totals(column, rows, cell, shape) for column in values.T], axis=3)
            draws, n = ratio(sums, count[..., None]), count[0].astype(np.int64)
        for brand, week, *_, done in found:
            place = brand, weeks.index(week)
            method[place] = done if method[place] in ("", done) else MIXED
        return Shares(draws, n, method)

    def _values(
        self, spans: Sequence[Sequence[int]], sources: Sources
    ) -> Iterator[tuple[int, int, NDArray[np.int64], Floats, str]]:  # fmt: skip
        """Brand, week, rows, values (n, 3) whose weighted means are the shares, and by which method, of each group."""
        for brand in range(len(self.mentions.brands)):
            for span in spans:
                for group in self._groups(brand, span, sources):
                    rows = {week: self._rows(brand, week, group) for week in span}
                    enough = all(len(part) >= ENOUGH for part in rows.values())
                    for week, part in rows.items():
                        if len(part):
                            values = self._pseudo(brand, week, group) if enough else self.mentions.posteriors[part]
                            yield brand, week, part, values, EMQ if enough else PROBABILITIES

    def _groups(self, brand: int, weeks: Sequence[int], sources: Sources) -> list[Sources]:
        """Which sources to quantify together: those with ENOUGH in all of the weeks alone, the others pooled."""
        size = np.diff(self._edges[1]).reshape(self.mentions.shape)[brand, list(weeks)]
        alone = (size >= ENOUGH).all(axis=0) & sources
        return [*np.eye(len(sources), dtype=bool)[alone], sources & ~alone]

    def _rows(self, brand: int, week: int, sources: Sources) -> NDArray[np.int64]:
        """The annotated mentions of a brand, week and sources."""
        rows, edges = self._edges
        cell = (brand * self.mentions.shape[1] + week) * self.mentions.shape[2]
        parts = [rows[edges[cell + source] : edges[cell + source + 1]] for source in np.flatnonzero(sources)]
        return np.concatenate(parts) if parts else rows[:0]

    @cached_property
    def _edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The annotated mentions, sorted by cell, and where each cell begins among them."""
        rows = np.flatnonzero(self.mentions.annotated)
        return rows, np.searchsorted(self.mentions.cell[rows], np.arange(int(np.prod(self.mentions.shape)) + 1))

    def _pseudo(self, brand: int, week: int, sources: Sources) -> Floats:
        """`pseudo_values` of a group; the same group is asked for by levels and by each comparison."""
        key = (brand, week, tuple(np.flatnonzero(sources).tolist()))
        if key not in self._quantified:
            self._quantified[key] = pseudo_values(self.mentions.posteriors[self._rows(brand, week, sources)], self.prior_of(brand))
        return self._quantified[key]


def pseudo_values(posteriors: Floats, prior: Floats) -> Floats:
    """(n, 3) whose mean is the EMQ estimate and whose weighted means are those of the re-fitted one (`nlp.statistics.emq_influence`)."""
    estimate = emq(posteriors, prior)
    return estimate + emq_influence(posteriors, prior, estimate)


def net_sentiment(shares: Floats) -> tuple[Floats, Floats]:
    """NSR-polar (P - N) / (P + N) and NSR-all (P - N) / all, from shares (..., 3)."""
    difference = shares[..., 2] - shares[..., 0]
    return ratio(difference, shares[..., 2] + shares[..., 0]), difference


def ratio(numerator: Floats, denominator: Floats, empty: float = np.nan) -> Floats:
    """numerator / denominator, `empty` where the denominator is 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.asarray(np.divide(numerator, denominator, out=np.full(shape, empty), where=np.broadcast_to(denominator != 0, shape)))


def on_simplex(shares: Floats) -> Floats:
    """`shares` (..., k) without negative ones, scaled to sum to 1."""
    positive = np.clip(shares, 0, None)
    return ratio(positive, positive.sum(axis=-1, keepdims=True))
