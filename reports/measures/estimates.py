"""Counts and shares of brands by week, each with its bootstrap over authors.

Every array begins with an axis of draws: draw 0 is the estimate (all weights one), the others are
the bootstrap's. So one formula gives the value and its interval, and a ratio, a sum over sources or
a difference of weeks needs no statistics of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from folate.core.labels import SENTIMENT_LABELS, UNREADABLE_PROBABILITIES
from folate.core.measures import EMOTION_INTENT_MEASURES
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

MIN_AUDIT_LABELS = 50
"""Labels of an audit that the shares of a brand rest on: with fewer, the power of PPI++, which is
tuned on them, follows chance."""

MAX_INTERVAL_HALF_WIDTH = 0.25
"""Half-width of an unaudited interval of a negative or positive share that is not withheld."""

MIN_AUTHORS_FOR_TOP_SHARE = 100
"""Authors of whom one in a hundred is a person."""

CALIBRATED_DOMAIN_ERRORS = DomainErrors(
    gain=1.0, gain_spread=0.0, error=((0.04, 0.0), (0.0, 0.04)), drift=((1e-6, 0.0), (0.0, 1e-6))
)
"""Errors of posteriors that are calibrated for the corpus up to 6 points (standard deviation) at a
doubt of 0.3."""

TEMPERED = "tempered"

SourceMask = NDArray[np.bool_]
"""Which sources take part, (sources,)."""


_NEGATIVE = SENTIMENT_LABELS.index("negative")
_POSITIVE = SENTIMENT_LABELS.index("positive")

# streams of random numbers: the same corpus must give the same interval
_ERROR_STREAM = 1
_AUDIT_STREAM = 2
_GAIN_STREAM = 3
_DRIFT_STREAM = 4
_ABSENT_CLASS_STREAM = 5


@dataclass(frozen=True)
class SentimentShares:
    """Shares of sentiment as the model alone predicts them: means of tempered posteriors.

    See `nlp.stats.estimation.sharpen_posteriors`.
    """

    draws: Floats
    """(draws, brands, weeks, 3) negative, neutral, positive; NaN where nothing is annotated."""
    n: NDArray[np.int64]
    """Annotated posts, (brands, weeks)."""
    method: NDArray[np.str_]
    """TEMPERED, or empty where nothing is annotated, (brands, weeks)."""


@dataclass(frozen=True)
class Estimates:
    """Measures of mentions as arrays (draws, brands, weeks)."""

    mentions: BrandMentions
    source_weights: Floats
    """Weights of share of voice, (sources,)."""
    domain_errors: DomainErrors = CALIBRATED_DOMAIN_ERRORS
    """Errors of the model in domains without labels."""

    @cached_property
    def weights(self) -> Floats:
        """Bootstrap weights (draws, units), the first row ones."""
        return author_weights(self.mentions.author_units[1])

    def sum_by_cell(
        self, values: Floats, rows: NDArray[np.int64], cell: Ints, shape: tuple[int, ...]
    ) -> Floats:
        """Sum the weighted `values` (n,) of these mentions by `cell` (n,): (draws, *shape)."""
        return weighted_sums(self.weights, self.mentions.author_units[0][rows], values, cell, shape)

    def sum_mentions(self, values: Floats, selected: NDArray[np.bool_]) -> Floats:
        """Sum the weighted `values` of the selected mentions: (draws, brands, weeks, sources)."""
        rows = np.flatnonzero(selected)
        return self.sum_by_cell(values[rows], rows, self.mentions.cell[rows], self.mentions.shape)

    def count_mentions(self, selected: NDArray[np.bool_]) -> Floats:
        """Count the selected mentions, weighted: (draws, brands, weeks, sources)."""
        return self.sum_mentions(np.ones(len(selected)), selected)

    @property
    def every_source(self) -> SourceMask:
        """All sources."""
        return np.ones(len(self.mentions.sources), dtype=bool)

    @cached_property
    def all_mentions(self) -> Floats:
        """Mentions with their copies, by source."""
        return self.count_mentions(np.ones(len(self.mentions.brand), dtype=bool))

    @cached_property
    def mentions_without_copies(self) -> Floats:
        """Mentions without copies, by source."""
        return self.count_mentions(self.mentions.counted)

    @cached_property
    def authors(self) -> Floats:
        """Distinct authors of mentions without copies, by source; each belongs to one source."""
        return self.count_mentions(self.mentions.is_author_first)

    @property
    def copy_share(self) -> Floats:
        """Share of the mentions whose text repeats an earlier one of the week."""
        return 1 - ratio(self.mentions_without_copies.sum(axis=3), self.all_mentions.sum(axis=3))

    @property
    def posts_per_author(self) -> Floats:
        """Mentions without copies per author."""
        return ratio(self.mentions_without_copies.sum(axis=3), self.authors.sum(axis=3))

    def top_author_share(self, week: int) -> Floats:
        """Return the share of mentions by the one in a hundred authors who wrote most.

        It is (draws, brands), of mentions without copies; NaN under MIN_AUTHORS_FOR_TOP_SHARE.
        Authors with as many posts replace each other, so that the hundredth part may end amid them.
        """
        mentions = self.mentions
        share = np.full((BOOTSTRAP_DRAWS + 1, len(mentions.brands)), np.nan)
        for brand in range(len(mentions.brands)):
            selected = mentions.counted & (mentions.brand == brand) & (mentions.week == week)
            rows = np.flatnonzero(selected)
            _, first_row, post_counts = np.unique(
                mentions.author[rows], return_index=True, return_counts=True
            )
            if len(first_row) < MIN_AUTHORS_FOR_TOP_SHARE:
                continue
            negative_sizes, size_index = np.unique(-post_counts, return_inverse=True)
            # (draws, sizes), the largest first
            authors = self.sum_by_cell(
                np.ones(len(first_row)), rows[first_row], size_index, (len(negative_sizes),)
            )
            authors_before = np.cumsum(authors, axis=1) - authors
            hundredth = authors.sum(axis=1, keepdims=True) / 100
            top_authors = np.clip(hundredth - authors_before, 0, authors)
            share[:, brand] = (top_authors @ -negative_sizes) / (authors @ -negative_sizes)
        return share

    @property
    def raw_share_of_voice(self) -> Floats:
        """A brand's distinct authors / the sum over all brands, all sources together."""
        authors = self.authors.sum(axis=3)
        return ratio(authors, authors.sum(axis=1, keepdims=True))

    def share_of_voice(self, sources: SourceMask | None = None) -> Floats:
        """Return the share of authors within each source, averaged over sources at fixed weights.

        Sources without authors in a week take no part in it. A source crawled harder moves the raw
        share but not this one. `sources` are all by default.
        """
        authors = self.authors.sum(axis=1, keepdims=True)
        selected = self.every_source if sources is None else sources
        weights = self.source_weights * (authors[:1] > 0) * selected
        shares = ratio(self.authors, authors, empty=0.0)
        return ratio((weights * shares).sum(axis=3), weights.sum(axis=3))

    @cached_property
    def rating_sums(self) -> tuple[Floats, Floats]:
        """Sum of the ratings (0..1), and how many there are, by source."""
        return self._sum_known(self.mentions.rating)

    @cached_property
    def engagement_sums(self) -> tuple[Floats, Floats]:
        """Sum of likes, replies and reposts, and how many mentions show any of them, by source."""
        return self._sum_known(self.mentions.engagement)

    def _sum_known(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the sum of the values that are known, and how many they are."""
        is_known = self.mentions.counted & ~np.isnan(values)
        return self.sum_mentions(values, is_known), self.count_mentions(is_known)

    @cached_property
    def emotion_intent_means(self) -> tuple[Floats, NDArray[np.int64]]:
        """Mean probability of each of EMOTION_INTENT_MEASURES in the last two weeks, and their n.

        They are (draws, brands, 2, 10) and (brands, 2, 10).
        """
        mentions = self.mentions
        scores = mentions.emotion_intent_scores
        week_count = min(len(mentions.weeks), 2)
        shape = (len(mentions.brands), week_count)
        if scores is None:
            full_shape = (*shape, len(EMOTION_INTENT_MEASURES))
            means = np.full((BOOTSTRAP_DRAWS + 1, *full_shape), np.nan)
            return means, np.zeros(full_shape, dtype=np.int64)
        week = mentions.week[scores.rows] - (len(mentions.weeks) - week_count)
        cell = mentions.brand[scores.rows] * week_count + week
        is_known = ~np.isnan(scores.values)

        def sum_columns(columns: Floats) -> Floats:
            sums = [self.sum_by_cell(column, scores.rows, cell, shape) for column in columns.T]
            return np.stack(sums, axis=3)

        sums = sum_columns(np.where(is_known, scores.values, 0))
        counts = sum_columns(is_known.astype(float))
        return ratio(sums, counts), counts[0].astype(np.int64)

    @cached_property
    def sentiment_shares(self) -> SentimentShares:
        """Sentiment of the counted mentions of all weeks and sources, by the model alone."""
        return self.sentiment_shares_for(range(len(self.mentions.weeks)), self.every_source)

    def sentiment_shares_for(self, weeks: Sequence[int], sources: SourceMask) -> SentimentShares:
        """Return the sentiment of the counted mentions of these weeks and sources."""
        mentions = self.mentions
        shape = (len(mentions.brands), len(weeks))
        week_position = np.full(len(mentions.weeks), -1)
        week_position[list(weeks)] = np.arange(len(weeks))
        in_scope = sources[mentions.source] & (week_position[mentions.week] >= 0)
        rows = np.flatnonzero(mentions.annotated & in_scope)
        cell = mentions.brand[rows] * len(weeks) + week_position[mentions.week[rows]]
        counts = self.sum_by_cell(np.ones(len(rows)), rows, cell, shape)
        columns = self._tempered_posteriors[rows].T
        sums = [self.sum_by_cell(column, rows, cell, shape) for column in columns]
        n = counts[0].astype(np.int64)
        draws = ratio(np.stack(sums, axis=3), counts[..., None])
        return SentimentShares(draws, n, np.where(n > 0, TEMPERED, ""))

    @cached_property
    def _tempered_posteriors(self) -> Floats:
        """What each mention adds to the shares, (mentions, 3).

        A post with nothing to read is missing, not neutral: it adds the mean of the others of its
        brand and week.
        """
        mentions = self.mentions
        values = sharpen_posteriors(mentions.posteriors, self.domain_errors.sharpness)
        is_unreadable = np.isclose(mentions.posteriors, UNREADABLE_PROBABILITIES, atol=1e-6).all(
            axis=1
        )
        cell = mentions.brand * len(mentions.weeks) + mentions.week
        for code in np.unique(cell[is_unreadable]):
            in_cell = cell == code
            is_readable = mentions.annotated & in_cell & ~is_unreadable
            if is_readable.any():
                values[is_unreadable & in_cell] = values[is_readable].mean(axis=0)
        return values

    @cached_property
    def sentiment_levels(self) -> Floats:
        """Shares (draws, brands, weeks, 3) after audits, or with the errors of the domain.

        These are what a report prints.
        """
        return self.sentiment_levels_for(self.sentiment_shares, range(len(self.mentions.weeks)))

    def sentiment_levels_for(self, shares: SentimentShares, weeks: Sequence[int]) -> Floats:
        """Return `shares` of these weeks as `sentiment_levels`.

        Differences between weeks have the same error of level. Level of a week = anchor + gain *
        (model's share of the week - model's share at the anchor) + drift. The anchor is the audited
        weeks, or else all weeks of the window.
        """
        model_share, true_share = self._anchor
        moved = self._gain[:, None, None, None] * (shares.draws - model_share[:, :, None])
        drift = self._drift[:, :, list(weeks)]
        return self._clip_to_simplex(true_share[:, :, None] + moved + drift)

    @cached_property
    def unmeasurable(self) -> NDArray[np.bool_]:
        """Where nobody audited and the interval is too wide to say anything, (brands, weeks)."""
        is_unmeasurable = np.zeros(self.sentiment_shares.n.shape, dtype=bool)
        for brand, week in np.argwhere(self.sentiment_shares.n > 0):
            if self.audit_label_counts[brand] >= MIN_AUDIT_LABELS:
                continue
            half_widths = []
            for label in (_NEGATIVE, _POSITIVE):
                low, high = percentile_interval(self.sentiment_levels[1:, brand, week, label])
                half_widths.append((high - low) / 2)
            is_unmeasurable[brand, week] = max(half_widths) > MAX_INTERVAL_HALF_WIDTH
        return is_unmeasurable

    @cached_property
    def audit_label_counts(self) -> NDArray[np.int64]:
        """Audited labels of each brand's annotated mentions, (brands,)."""
        brands = self.mentions.brand[self._is_labelled]
        return np.bincount(brands, minlength=len(self.mentions.brands))

    @property
    def _is_labelled(self) -> NDArray[np.bool_]:
        """Annotated mentions with a label of an audit."""
        return self.mentions.annotated & (self.mentions.audit_label >= 0)

    @cached_property
    def _anchor(self) -> tuple[Floats, Floats]:
        """The model's shares of each brand's anchor weeks, and the true ones: (draws, brands, 3).

        Where nobody audited, the true ones are the model's mean over the weeks with the errors of
        the domain.
        """
        has_posts = self.sentiment_shares.n > 0
        sums = np.where(has_posts[..., None], self.sentiment_shares.draws, 0).sum(axis=2)
        model_share = ratio(sums, has_posts.sum(axis=1)[:, None].astype(float))
        true_share = model_share.copy()
        uncertainty = np.array([self._mean_uncertainty(brand) for brand in range(len(has_posts))])
        true_share[1:] += self.domain_errors.draw_errors(
            uncertainty, _random_generator(_ERROR_STREAM)
        )
        for brand in np.flatnonzero(self.audit_label_counts >= MIN_AUDIT_LABELS):
            model_share[:, brand], true_share[:, brand] = self._audited_shares(int(brand))
        return model_share, true_share

    def _mean_uncertainty(self, brand: int) -> float:
        mentions = self.mentions
        return mean_uncertainty(mentions.posteriors[mentions.annotated & (mentions.brand == brand)])

    @cached_property
    def _gain(self) -> Floats:
        """How far the truth moves when the model's share moves by one, (draws,)."""
        gains = self.domain_errors.draw_gains(_random_generator(_GAIN_STREAM))
        return np.concatenate([[self.domain_errors.gain], gains])

    @cached_property
    def _drift(self) -> Floats:
        """How far the model's error of a week is from the anchor's: (draws, brands, weeks, 3).

        It is a random walk that begins at the nearest audited week, or around its own mean.
        """
        brand_count, week_count, _ = self.mentions.shape
        walk = self.domain_errors.draw_drifts(
            brand_count, week_count, _random_generator(_DRIFT_STREAM)
        )
        drift = np.zeros((BOOTSTRAP_DRAWS + 1, brand_count, week_count, 3))
        for brand in range(brand_count):
            start = walk[:, brand].mean(axis=1, keepdims=True)
            if self.audit_label_counts[brand] >= MIN_AUDIT_LABELS:
                audited_weeks = self._audited_weeks(brand)
                distance = np.abs(audited_weeks[:, None] - np.arange(week_count))
                start = walk[:, brand, audited_weeks[distance.argmin(axis=0)]]
            drift[1:, brand] = walk[:, brand] - start
        return drift

    def _clip_to_simplex(self, shares: Floats) -> Floats:
        """Bring `shares` (draws, brands, weeks, 3) onto the simplex, none of them to 0.

        An absent class gets half a label (Jeffreys' prior) of as many as the audit has, or as it
        needs; in the draws, a gamma variate with that mean.
        """
        label_counts = np.maximum(self.audit_label_counts, MIN_AUDIT_LABELS)[:, None, None]
        half_labels = np.full((BOOTSTRAP_DRAWS + 1, shares.shape[1], 1, 3), 0.5)
        random = _random_generator(_ABSENT_CLASS_STREAM)
        half_labels[1:] = random.gamma(0.5, size=half_labels[1:].shape)
        smallest = half_labels / (label_counts + 1.5)
        return on_simplex(np.where(np.isnan(shares), np.nan, np.maximum(shares, smallest)))

    def _audited_weeks(self, brand: int) -> Ints:
        """Return the weeks of the brand that have labels of audits."""
        return np.unique(self.mentions.week[self._is_labelled & (self.mentions.brand == brand)])

    def _audited_shares(self, brand: int) -> tuple[Floats, Floats]:
        """Return shares of all audited weeks together (draws, 3): by the model alone, and by PPI++.

        Each week counts by its mentions, however many of them were drawn. The draws add half a
        label of each class (Jeffreys' prior): a class without labels may occur all the same.
        """
        mentions = self.mentions
        in_audited_weeks = np.isin(mentions.week, self._audited_weeks(brand))
        rows = np.flatnonzero(mentions.annotated & (mentions.brand == brand) & in_audited_weeks)
        predicted = self._tempered_posteriors[rows]
        is_labelled = mentions.audit_label[rows] >= 0
        labelled_rows = rows[is_labelled]
        truth = np.eye(3)[mentions.audit_label[labelled_rows]]
        power = ppi_lambda(truth, predicted[is_labelled], predicted)
        week_count = len(mentions.weeks)
        mention_counts = np.bincount(mentions.week[rows], minlength=week_count)
        label_counts = np.bincount(mentions.week[labelled_rows], minlength=week_count)
        label_weights = (mention_counts / np.maximum(label_counts, 1))[mentions.week[labelled_rows]]
        error_sums, weight_sums = self._weighted_sums(
            truth - power * predicted[is_labelled],
            labelled_rows,
            label_weights / label_weights.mean(),
        )
        gammas = _random_generator(_AUDIT_STREAM).gamma(0.5, size=(BOOTSTRAP_DRAWS, 3))
        half_labels = np.vstack([np.zeros(3), gammas])
        added = half_labels.sum(axis=1, keepdims=True)
        prior_sums = half_labels - power * added * predicted.mean(axis=0)
        correction = (error_sums + prior_sums) / (weight_sums + added)
        model_share = self._mean(predicted, rows)
        return model_share, np.asarray(power * model_share + correction)

    def _mean(self, values: Floats, rows: NDArray[np.int64]) -> Floats:
        """Return the mean (draws, k) of `values` (n, k) at these rows."""
        sums, weights = self._weighted_sums(values, rows, np.ones(len(rows)))
        return np.asarray(sums / weights)

    def _weighted_sums(
        self, values: Floats, rows: NDArray[np.int64], weight: Floats
    ) -> tuple[Floats, Floats]:
        """Sum `values` (n, k) at these rows: (draws, k), and their weights: (draws, 1)."""
        cell = np.zeros(len(rows), dtype=np.int64)
        sums = [self.sum_by_cell(weight * column, rows, cell, ()) for column in values.T]
        return np.stack(sums, axis=1), self.sum_by_cell(weight, rows, cell, ())[:, None]


def _random_generator(stream: int) -> np.random.Generator:
    """Return a generator of the same numbers for the same stream."""
    return np.random.Generator(np.random.PCG64(RANDOM_SEED + stream))


def net_sentiment(shares: Floats) -> tuple[Floats, Floats]:
    """Return NSR-polar, (P - N) / (P + N), and NSR-all, P - N, of shares (..., 3)."""
    negative = shares[..., _NEGATIVE]
    positive = shares[..., _POSITIVE]
    return ratio(positive - negative, positive + negative), positive - negative


def ratio(numerator: Floats, denominator: Floats, empty: float = np.nan) -> Floats:
    """Divide, with `empty` where the denominator is 0."""
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
    """Set negative `shares` (..., k) to 0 and scale them to sum to 1."""
    positive = np.clip(shares, 0, None)
    return ratio(positive, positive.sum(axis=-1, keepdims=True))
