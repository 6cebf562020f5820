"""What the mentions of a window amount to: counts and shares of brands by week, each with its bootstrap over authors.

Every array begins with an axis of draws: draw 0 is the estimate (all weights one), the others are the bootstrap's. So one formula
gives the value and its interval, and a ratio, a sum over sources or a difference of weeks needs no statistics of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from folate.core.labels import UNREADABLE_PROBABILITIES
from nlp.stats.domains import DomainErrors, mean_uncertainty
from nlp.stats.estimation import (
    BOOTSTRAP_DRAWS,
    RANDOM_SEED,
    Floats,
    Ints,
    author_weights,
    percentile_interval,
    ppi_lambda,
    sharpen_posteriors,
    weighted_sums,
)
from reports.measures.mentions import BrandMentions
from reports.queries import EMOTION_INTENT_MEASURES

MIN_AUDIT_LABELS = 50  # of an audit that the shares of a brand rest on: the power of PPI++ is tuned on them, and on fewer follows chance
MAX_INTERVAL_HALF_WIDTH = 0.25  # half-width of an unaudited interval of the negative or positive share, past which no figure is given
MIN_AUTHORS_FOR_TOP_SHARE = 100  # authors of whom one in a hundred is a person
CALIBRATED_DOMAIN_ERRORS = DomainErrors(
    gain=1.0, gain_spread=0.0, error=((0.04, 0.0), (0.0, 0.04)), drift=((1e-6, 0.0), (0.0, 1e-6))
)
"""Of posteriors that are taken to be calibrated for the corpus but for an error of 6 points (standard deviation) at a doubt of .3."""
TEMPERED = "tempered"

SourceMask = NDArray[np.bool_]  # (sources,) which of them take part


@dataclass(frozen=True)
class SentimentShares:
    """Negative, neutral and positive share of each brand and week (draws, brands, weeks, 3), NaN where nothing is annotated.

    They are the model's alone: means of tempered posteriors (`nlp.stats.estimation.sharpen_posteriors`).
    """

    draws: Floats
    n: NDArray[np.int64]  # annotated posts, (brands, weeks)
    method: NDArray[np.str_]  # TEMPERED, or empty where nothing is annotated, (brands, weeks)


@dataclass(frozen=True)
class Estimates:
    """Measures of `mentions`, as arrays (draws, brands, weeks).

    `source_weights` (sources,) are those of share of voice; `domains` says how wrong the model is where nobody looked.
    """

    mentions: BrandMentions
    source_weights: Floats
    domain_errors: DomainErrors = CALIBRATED_DOMAIN_ERRORS

    @cached_property
    def weights(self) -> Floats:
        """(draws, units), the first row ones."""
        return author_weights(self.mentions.author_units[1])

    def totals(
        self, values: Floats, rows: NDArray[np.int64], cell: Ints, shape: tuple[int, ...]
    ) -> Floats:
        """Weighted sums of `values` (n,) at these rows of the mentions, by `cell` (n,): (draws, *shape)."""
        return weighted_sums(self.weights, self.mentions.author_units[0][rows], values, cell, shape)

    def sums(self, values: Floats, keep: NDArray[np.bool_]) -> Floats:
        """Weighted sums of `values` over the kept mentions: (draws, brands, weeks, sources)."""
        rows = np.flatnonzero(keep)
        return self.totals(values[rows], rows, self.mentions.cell[rows], self.mentions.shape)

    @property
    def every_source(self) -> SourceMask:
        return np.ones(len(self.mentions.sources), dtype=bool)

    @cached_property
    def all_mentions(self) -> Floats:
        """Mentions with their copies, by source."""
        count = len(self.mentions.brand)
        return self.sums(np.ones(count), np.ones(count, dtype=bool))

    @cached_property
    def mentions_without_copies(self) -> Floats:
        """Mentions without copies, by source."""
        return self.sums(np.ones(len(self.mentions.brand)), self.mentions.counted)

    @cached_property
    def authors(self) -> Floats:
        """Distinct authors of mentions without copies, by source (an author belongs to one source)."""
        return self.sums(np.ones(len(self.mentions.brand)), self.mentions.is_author_first)

    @property
    def copy_share(self) -> Floats:
        """Share of the mentions whose text repeats an earlier one of the week."""
        return 1 - ratio(self.mentions_without_copies.sum(axis=3), self.all_mentions.sum(axis=3))

    @property
    def posts_per_author(self) -> Floats:
        return ratio(self.mentions_without_copies.sum(axis=3), self.authors.sum(axis=3))

    def top_author_share(self, week: int) -> Floats:
        """Share of a week's counted mentions by the one in a hundred authors who wrote most (draws, brands); NaN under FEWEST_FOR_TOP.

        Authors with as many posts stand in for each other, so that the hundredth part may end amid them.
        """
        m, found = self.mentions, np.full((BOOTSTRAP_DRAWS + 1, len(self.mentions.brands)), np.nan)
        for brand in range(len(m.brands)):
            rows = np.flatnonzero(m.counted & (m.brand == brand) & (m.week == week))
            _, first, posts = np.unique(m.author[rows], return_index=True, return_counts=True)
            if len(first) >= MIN_AUTHORS_FOR_TOP_SHARE:
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

    def share_of_voice(self, sources: SourceMask | None = None) -> Floats:
        """The same within each source, averaged over the sources that spoke that week at weights that no week changes.

        A source crawled harder moves the raw share but not this one.
        """
        total = self.authors.sum(axis=1, keepdims=True)
        weights = (
            self.source_weights
            * (total[:1] > 0)
            * (self.every_source if sources is None else sources)
        )
        return ratio(
            (weights * ratio(self.authors, total, empty=0.0)).sum(axis=3), weights.sum(axis=3)
        )

    @cached_property
    def rating_sums(self) -> tuple[Floats, Floats]:
        """Sum of the ratings (0..1), and how many there are, by source."""
        return self._known(self.mentions.rating)

    @cached_property
    def engagement_sums(self) -> tuple[Floats, Floats]:
        """Sum of likes, replies and reposts, and how many mentions show any of them, by source."""
        return self._known(self.mentions.engagement)

    def _known(self, values: Floats) -> tuple[Floats, Floats]:
        keep = self.mentions.counted & ~np.isnan(values)
        return self.sums(values, keep), self.sums(np.ones(len(keep)), keep)

    @cached_property
    def emotion_intent_means(self) -> tuple[Floats, NDArray[np.int64]]:
        """Mean probability of each emotion and intent (queries.JUDGED) in the last two weeks, (draws, brands, 2, 10), and of how many."""
        m, found, kinds = (
            self.mentions,
            self.mentions.emotion_intent_scores,
            len(EMOTION_INTENT_MEASURES),
        )
        shape = (len(m.brands), min(len(m.weeks), 2))
        if found is None:
            return np.full((BOOTSTRAP_DRAWS + 1, *shape, kinds), np.nan), np.zeros(
                (*shape, kinds), dtype=np.int64
            )
        cell = m.brand[found.rows] * shape[1] + m.week[found.rows] - (len(m.weeks) - shape[1])
        known = ~np.isnan(found.values)
        sums, sizes = (
            np.stack([self.totals(column, found.rows, cell, shape) for column in columns.T], axis=3)
            for columns in (np.where(known, found.values, 0), known.astype(float))
        )
        return ratio(sums, sizes), sizes[0].astype(np.int64)

    @cached_property
    def sentiment_shares(self) -> SentimentShares:
        """Sentiment of the counted mentions as the model alone has it."""
        return self.sentiment_shares_for(range(len(self.mentions.weeks)), self.every_source)

    def sentiment_shares_for(self, weeks: Sequence[int], sources: SourceMask) -> SentimentShares:
        """The same of these weeks and sources."""
        m = self.mentions
        shape = (len(m.brands), len(weeks))
        place = np.full(len(m.weeks), -1)
        place[list(weeks)] = np.arange(len(weeks))
        rows = np.flatnonzero(m.annotated & sources[m.source] & (place[m.week] >= 0))
        cell = m.brand[rows] * len(weeks) + place[m.week[rows]]
        count = self.totals(np.ones(len(rows)), rows, cell, shape)
        sums = np.stack(
            [self.totals(column, rows, cell, shape) for column in self._tempered[rows].T], axis=3
        )
        n = count[0].astype(np.int64)
        return SentimentShares(ratio(sums, count[..., None]), n, np.where(n > 0, TEMPERED, ""))

    @cached_property
    def _tempered(self) -> Floats:
        """What each mention adds to the shares (mentions, 3).

        A post with nothing to read is missing, not neutral: it adds what the others of its brand and week do on average.
        """
        m = self.mentions
        values = sharpen_posteriors(m.posteriors, self.domain_errors.sharpness)
        unread = np.isclose(m.posteriors, UNREADABLE_PROBABILITIES, atol=1e-6).all(axis=1)
        cell = m.brand * len(m.weeks) + m.week
        for place in np.unique(cell[unread]):
            others = m.annotated & (cell == place) & ~unread
            if others.any():
                values[unread & (cell == place)] = values[others].mean(axis=0)
        return values

    @cached_property
    def sentiment_levels(self) -> Floats:
        """Shares (draws, brands, weeks, 3) with what an audit says, or what the domain may do: what is to be printed."""
        return self.sentiment_levels_for(self.sentiment_shares, range(len(self.mentions.weeks)))

    def sentiment_levels_for(self, shares: SentimentShares, weeks: Sequence[int]) -> Floats:
        """`shares` of these weeks as `levels`: differences between them carry the same error of level.

        Level of a week = anchor + gain * (model's share of the week - model's share at the anchor) +
        drift. The anchor is the audited weeks, or else all weeks of the window.
        """
        modelled, true = self._anchor
        moved = self._gain[:, None, None, None] * (shares.draws - modelled[:, :, None])
        return self._inside(true[:, :, None] + moved + self._drift[:, :, list(weeks)])

    @cached_property
    def unmeasurable(self) -> NDArray[np.bool_]:
        """Where nobody audited and the interval is too wide to say anything (brands, weeks)."""
        found = np.zeros(self.sentiment_shares.n.shape, dtype=bool)
        for brand, week in np.argwhere(self.sentiment_shares.n > 0):
            polar = (
                percentile_interval(self.sentiment_levels[1:, brand, week, at]) for at in (0, 2)
            )
            widest = max(high - low for low, high in polar) / 2
            found[brand, week] = (
                self.audit_label_counts[brand] < MIN_AUDIT_LABELS
                and widest > MAX_INTERVAL_HALF_WIDTH
            )
        return found

    @cached_property
    def audit_label_counts(self) -> NDArray[np.int64]:
        """Labels of people that there are for the brand's annotated mentions (brands,)."""
        m = self.mentions
        return np.bincount(m.brand[m.annotated & (m.audit_label >= 0)], minlength=len(m.brands))

    @cached_property
    def _anchor(self) -> tuple[Floats, Floats]:
        """What the model says of the weeks that a brand's level rests on, and what is true of them: (draws, brands, 3) each.

        Not known where nobody audited: the model's own mean over the weeks, with the errors of domains.
        """
        known = self.sentiment_shares.n > 0
        modelled = ratio(
            np.where(known[..., None], self.sentiment_shares.draws, 0).sum(axis=2),
            known.sum(axis=1)[:, None].astype(float),
        )
        true = modelled.copy()
        posteriors = [
            self.mentions.posteriors[self.mentions.annotated & (self.mentions.brand == at)]
            for at in range(len(known))
        ]
        true[1:] += self.domain_errors.draw_errors(
            np.array([mean_uncertainty(rows) for rows in posteriors]), _random(1)
        )
        for brand in np.flatnonzero(self.audit_label_counts >= MIN_AUDIT_LABELS):
            modelled[:, brand], true[:, brand] = self._audit(int(brand))
        return modelled, true

    @cached_property
    def _gain(self) -> Floats:
        return np.concatenate(
            [[self.domain_errors.gain], self.domain_errors.draw_gains(_random(3))]
        )

    @cached_property
    def _drift(self) -> Floats:
        """How far the model's error of a week may be from that at the anchor: (draws, brands, weeks, 3).

        It is a random walk that begins at the nearest audited week, or turns around its own mean.
        """
        brands, weeks, _ = self.mentions.shape
        walk = self.domain_errors.draw_drifts(brands, weeks, _random(4))
        drift = np.zeros((BOOTSTRAP_DRAWS + 1, brands, weeks, 3))
        for brand in range(brands):
            start = walk[:, brand].mean(axis=1, keepdims=True)
            if self.audit_label_counts[brand] >= MIN_AUDIT_LABELS:
                audited = self._audited_weeks(brand)
                nearest = audited[np.abs(audited[:, None] - np.arange(weeks)).argmin(axis=0)]
                start = walk[:, brand, nearest]
            drift[1:, brand] = walk[:, brand] - start
        return drift

    def _inside(self, shares: Floats) -> Floats:
        """`shares` (draws, brands, weeks, 3) on the simplex, none at 0.

        A class that would have nothing gets half a label (Jeffreys' prior) of as many as the audit
        has, or as it needs: in the draws a gamma variate of that mean.
        """
        labels = np.maximum(self.audit_label_counts, MIN_AUDIT_LABELS)[:, None, None]
        halves = np.full((BOOTSTRAP_DRAWS + 1, shares.shape[1], 1, 3), 0.5)
        halves[1:] = _random(5).gamma(0.5, size=halves[1:].shape)
        return on_simplex(
            np.where(np.isnan(shares), np.nan, np.maximum(shares, halves / (labels + 1.5)))
        )

    def _audited_weeks(self, brand: int) -> Ints:
        """The weeks of the brand that have labels of people."""
        m = self.mentions
        return np.unique(m.week[m.annotated & (m.brand == brand) & (m.audit_label >= 0)])

    def _audit(self, brand: int) -> tuple[Floats, Floats]:
        """Of the audited weeks together: what the model alone says of them, and PPI++ (draws, 3).

        Each week counts by its mentions, however many of them were drawn. The draws add half a label of
        each class (Jeffreys' prior): a class that nobody met may be there all the same.
        """
        m = self.mentions
        audited = np.isin(m.week, self._audited_weeks(brand))
        rows = np.flatnonzero(m.annotated & (m.brand == brand) & audited)
        predicted = self._tempered[rows]
        labelled = m.audit_label[rows] >= 0
        truth = np.eye(3)[m.audit_label[rows[labelled]]]
        power = ppi_lambda(truth, predicted[labelled], predicted)
        size, drawn = (
            np.bincount(m.week[some], minlength=len(m.weeks)) for some in (rows, rows[labelled])
        )
        per_label = (size / np.maximum(drawn, 1))[m.week[rows[labelled]]]
        sums, weight = self._total(
            truth - power * predicted[labelled], rows[labelled], per_label / per_label.mean()
        )
        halves = np.vstack([np.zeros(3), _random(2).gamma(0.5, size=(BOOTSTRAP_DRAWS, 3))])
        half = halves.sum(axis=1, keepdims=True)
        missed = (sums + halves - power * half * predicted.mean(axis=0)) / (weight + half)
        alone = self._mean(predicted, rows)
        return alone, np.asarray(power * alone + missed)

    def _mean(self, values: Floats, rows: NDArray[np.int64]) -> Floats:
        """Mean (draws, k) of `values` (n, k) at these rows."""
        sums, weight = self._total(values, rows, np.ones(len(rows)))
        return np.asarray(sums / weight)

    def _total(
        self, values: Floats, rows: NDArray[np.int64], weight: Floats
    ) -> tuple[Floats, Floats]:
        """Weighted sums (draws, k) of `values` (n, k) at these rows, and of the weights (draws, 1)."""
        nowhere = np.zeros(len(rows), dtype=np.int64)
        sums = [self.totals(weight * column, rows, nowhere, ()) for column in values.T]
        return np.stack(sums, axis=1), self.totals(weight, rows, nowhere, ())[:, None]


def _random(stream: int) -> np.random.Generator:
    """The same numbers for the same stream: the same corpus must give the same interval."""
    return np.random.Generator(np.random.PCG64(RANDOM_SEED + stream))


def net_sentiment(shares: Floats) -> tuple[Floats, Floats]:
    """NSR-polar (P - N) / (P + N) and NSR-all (P - N) / all, from shares (..., 3)."""
    difference = shares[..., 2] - shares[..., 0]
    return ratio(difference, shares[..., 2] + shares[..., 0]), difference


def ratio(numerator: Floats, denominator: Floats, empty: float = np.nan) -> Floats:
    """numerator / denominator, `empty` where the denominator is 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.asarray(
        np.divide(
            numerator,
            denominator,
            out=np.full(shape, empty),
            where=np.broadcast_to(denominator != 0, shape),
        )
    )


def on_simplex(shares: Floats) -> Floats:
    """`shares` (..., k) without negative ones, scaled to sum to 1."""
    positive = np.clip(shares, 0, None)
    return ratio(positive, positive.sum(axis=-1, keepdims=True))
