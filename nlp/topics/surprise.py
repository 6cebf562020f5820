"""Scores of terms: author counts, expectation, negative-binomial tail and the alarm threshold.

For a term and a week, with `s` running over the sources that had authors in the other weeks (the
baseline):

    expected = sum over s of authors(s, week) x share(s)
    share(s) = (count(s) + K x pooled) / (authors(s) + K)
    pooled   = count / authors over all s; half an author is added to each term, spread over the
               sources by their size
    score    = -log10 P(X >= observed), X ~ negative binomial with mean `expected` and variance
               expected + expected^2 (a + 1 / (count + 1/2))

K is `SHRINKAGE_AUTHORS` and `a` the week-to-week dispersion of terms of that frequency. The term
1 / (count + 1/2) is the uncertainty of a mean that was itself estimated from counts: with a = 0 the
score is the exact posterior predictive of a Poisson rate under Jeffreys' prior. A source that was
down for a week, or is new, has no authors there and neither raises nor lowers an expectation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, hstack
from scipy.special import betainc

from nlp.topics.candidates import CandidateTerms
from nlp.topics.stream import Bools, Codes, Floats, Ints, PostStream

# Sources counted separately, the largest ones; the others share a stratum, to bound memory.
MAX_STRATA = 12
# Authors that a source needs in the baseline before its own share outweighs the pooled one.
SHRINKAGE_AUTHORS = 30.0
# Smaller tail probabilities underflow.
MAX_SCORE = 300.0
# Terms of a frequency from which its dispersion is estimated, at least.
MIN_BIN_TERMS = 30
# Squared residuals above this quantile are cut to it: past events are no dispersion.
WINSOR_QUANTILE = 0.99
# Scale of the maximum of many -log10 p when every p is exact: the smallest possible one.
MIN_GUMBEL_SCALE = 1 / np.log(10)
# Authors per week that a term needs to contribute to the dispersion.
MIN_WEEKLY_AUTHORS = 5


@dataclass(frozen=True)
class AuthorCounts:
    """Distinct authors by week and stratum, of each term and in total.

    The last week is the current one, those before it are the baseline. A stratum is a source, or
    the pooled small sources.
    """

    # (terms, weeks x strata).
    by_term: csc_array
    # (weeks, strata).
    totals: Ints

    @property
    def baseline_weeks(self) -> Ints:
        """The weeks before the last that have any author."""
        return np.flatnonzero(self.totals[:-1].sum(axis=1))

    def for_term(self, term: int) -> Ints:
        """Return the authors of one term, (weeks, strata)."""
        dense: Ints = self.by_term[[term]].toarray().reshape(self.totals.shape)
        return dense

    def weighted_by_term(self, weights: Floats) -> Floats:
        """Return the sum of each term's authors multiplied by `weights` (weeks, strata)."""
        sums: Floats = self.by_term @ weights.ravel()
        return sums

    def in_weeks(self, weeks: Ints) -> Ints:
        """Return the authors of each term in each of `weeks`, (terms, len(weeks))."""
        n_weeks, n_strata = self.totals.shape
        selection = np.zeros((n_weeks, n_strata, len(weeks)), np.int64)
        selection[weeks, :, np.arange(len(weeks))] = 1
        authors: Ints = self.by_term @ selection.reshape(-1, len(weeks))
        return authors


@dataclass(frozen=True)
class TermScores:
    """The scores of one week in one scope, with an entry per term."""

    observed: Ints
    expected: Floats
    # Size parameter of the negative binomial: variance = mean + mean^2 / size.
    nb_size: Floats
    # 0 where authors or gain are too small.
    scores: Floats


@dataclass(frozen=True)
class Dispersion:
    """Overdispersion by frequency of the term."""

    # Entry `i` is for terms of 2^i to 2^(i+1) authors in the baseline.
    alpha: Floats

    def for_counts(self, count: Floats) -> Floats:
        """Return the dispersion of terms with these numbers of baseline authors."""
        level = np.log2(np.maximum(count, 1)).astype(int)
        alpha: Floats = self.alpha[np.clip(level, 0, len(self.alpha) - 1)]
        return alpha


@dataclass(frozen=True)
class NullDistribution:
    """Gumbel distribution of the highest score in a week without news."""

    location: float
    scale: float

    def tail_probability(self, score: float) -> float:
        """Return the probability that the highest score of a quiet week reaches `score`."""
        return float(-np.expm1(-np.exp(-(score - self.location) / self.scale)))

    def threshold(self, false_terms: float) -> float:
        """Return the score that a quiet week reaches with probability 1 - exp(-`false_terms`)."""
        return float(self.location - self.scale * np.log(false_terms))


def source_strata(stream: PostStream) -> Codes:
    """Return the stratum of each post: its source if among the largest, else the pooled one."""
    sizes = np.bincount(stream.source_codes, minlength=len(stream.source_names))
    rank = np.empty(len(sizes), np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes), dtype=np.int32)
    return np.minimum(rank, MAX_STRATA - 1)[stream.source_codes]


def count_authors(
    candidates: CandidateTerms, masks: Sequence[Bools]
) -> tuple[list[AuthorCounts], Codes]:
    """Count the distinct authors of each term, among the posts of each mask.

    Works one week at a time. Also returns the first post of each term in the window.
    """
    stream = candidates.stream
    strata = source_strata(stream)
    n_strata = int(strata.max(initial=0)) + 1
    shape = (len(candidates.terms), n_strata)
    first_posts = np.full(len(candidates.terms), len(stream), np.int32)
    blocks_by_mask: list[list[csc_array]] = [[] for _ in masks]
    totals = np.zeros((len(masks), stream.n_weeks, n_strata), np.int64)
    for week in range(stream.n_weeks):
        terms, term_posts = candidates.occurrences(week)
        np.minimum.at(first_posts, terms, term_posts)
        posts = np.arange(*stream.week_offsets[week : week + 2], dtype=np.int32)
        author_pairs = _distinct_author_pairs(terms, term_posts, posts, stream, masks)
        for i, (pair_terms, pair_posts) in enumerate(author_pairs):
            ones = np.ones(len(pair_posts), np.int32)
            block = csc_array((ones, (pair_terms, strata[pair_posts])), shape=shape)
            blocks_by_mask[i].append(block)
            masked = posts[masks[i][posts]]
            _, first_by_author = np.unique(stream.author_codes[masked], return_index=True)
            totals[i, week] = np.bincount(strata[masked[first_by_author]], minlength=n_strata)
    counts = [
        AuthorCounts(hstack(blocks, format="csc"), totals[i])
        for i, blocks in enumerate(blocks_by_mask)
    ]
    return counts, first_posts


def _distinct_author_pairs(
    terms: Codes, term_posts: Codes, posts: Codes, stream: PostStream, masks: Sequence[Bools]
) -> Iterator[tuple[Codes, Codes]]:
    """Yield, for each mask, the distinct (term, author) pairs of a week as terms and posts.

    An author is represented by one of their posts. `terms` and `term_posts` are the occurrences of
    the week and `posts` all of its posts. The occurrences are sorted once for all masks.
    """
    posts_by_author = posts[np.argsort(stream.author_codes[posts], kind="stable")]
    rank = np.empty(len(posts), np.int64)
    rank[posts_by_author - posts[:1]] = np.arange(len(posts))
    bits = len(posts).bit_length()
    keys = np.sort((terms.astype(np.int64) << bits) | rank[term_posts - posts[:1]])
    sorted_terms = (keys >> bits).astype(np.int32)
    sorted_posts = posts_by_author[keys & ((1 << bits) - 1)]
    for mask in masks:
        is_selected = mask[sorted_posts]
        selected_terms = sorted_terms[is_selected]
        selected_posts = sorted_posts[is_selected]
        authors = stream.author_codes[selected_posts]
        is_new = np.ones(len(selected_terms), bool)
        is_new[1:] = (selected_terms[1:] != selected_terms[:-1]) | (authors[1:] != authors[:-1])
        yield selected_terms[is_new], selected_posts[is_new]


def score_terms(
    counts: AuthorCounts,
    week: int,
    dispersion: Dispersion,
    min_authors: int,
    min_gain: float,
    *,
    include_new_sources: bool = False,
) -> TermScores:
    """Score every term in `week` against the other weeks of the baseline.

    `include_new_sources` also counts authors on sources that the baseline does not have.
    """
    observed, expected, baseline_counts = _expected_authors(counts, week, include_new_sources)
    nb_size = 1 / (dispersion.for_counts(baseline_counts) + 1 / (baseline_counts + 0.5))
    scores = negative_binomial_scores(observed, expected, nb_size, min_authors, min_gain)
    return TermScores(observed, expected, nb_size, scores)


def negative_binomial_scores(
    observed: Ints, expected: Floats, size: Floats, min_authors: int, min_gain: float
) -> Floats:
    """Return -log10 of the upper tail probability; 0 where authors or gain are too small."""
    scores = np.zeros(len(observed))
    is_tested = (observed >= min_authors) & (observed >= min_gain * expected)
    tested_expected = expected[is_tested]
    tested_size = size[is_tested]
    tail = betainc(
        observed[is_tested], tested_size, tested_expected / (tested_expected + tested_size)
    )
    scores[is_tested] = -np.log10(np.maximum(tail, 10.0**-MAX_SCORE))
    return scores


def _expected_authors(
    counts: AuthorCounts, week: int, include_new_sources: bool
) -> tuple[Ints, Floats, Floats]:
    """Return observed authors, expected authors and baseline authors of every term."""
    baseline = counts.baseline_weeks[counts.baseline_weeks != week]
    baseline_totals = counts.totals[baseline].sum(axis=0)
    week_totals = counts.totals[week]
    is_counted = np.ones(len(week_totals), bool) if include_new_sources else baseline_totals > 0
    stratum_weight = np.where(is_counted, week_totals / (baseline_totals + SHRINKAGE_AUTHORS), 0.0)
    all_authors = max(baseline_totals.sum(), 1)
    # Weights of the sums that give observed, expected and baseline authors.
    weights = np.zeros((3, *counts.totals.shape))
    weights[0, week] = is_counted
    weights[1, baseline] = stratum_weight
    weights[2, baseline] = 1.0
    observed, expected, baseline_counts = (
        counts.weighted_by_term(row_weights) for row_weights in weights
    )
    half_author = 0.5 * (baseline_totals @ stratum_weight) / all_authors
    pooled_share = (baseline_counts + 0.5) / all_authors
    expected += half_author + pooled_share * (stratum_weight.sum() * SHRINKAGE_AUTHORS)
    return np.rint(observed).astype(np.int64), expected, baseline_counts


def estimate_dispersion(counts: AuthorCounts) -> Dispersion:
    """Estimate the dispersion over the baseline by the method of moments, pooled by frequency.

    Only terms of `MIN_WEEKLY_AUTHORS` authors per week contribute: rarer ones are candidates
    because one of their weeks stands out, which would look like dispersion. They get the value of
    the rarest frequency that has one.
    """
    residuals = [np.zeros(0)]
    squared_means = [np.zeros(0)]
    levels = [np.zeros(0, int)]
    min_baseline_authors = MIN_WEEKLY_AUTHORS * (len(counts.baseline_weeks) - 1)
    for week in counts.baseline_weeks:
        observed, expected, before = _expected_authors(counts, week, include_new_sources=False)
        is_common = (before >= min_baseline_authors) & (expected > 0)
        count = observed[is_common]
        mean = expected[is_common]
        residual = (count - mean) ** 2 - mean - mean**2 / (before[is_common] + 0.5)
        residuals.append(residual)
        squared_means.append(mean**2)
        levels.append(np.log2(before[is_common]).astype(int))
    alpha = _alpha_by_frequency(
        np.concatenate(residuals), np.concatenate(squared_means), np.concatenate(levels)
    )
    return Dispersion(alpha)


def _alpha_by_frequency(residuals: Floats, squared_means: Floats, levels: Ints) -> Floats:
    """Return the dispersion of each frequency level, interpolated where terms are too few."""
    alpha = np.full(int(levels.max(initial=0)) + 1, np.nan)
    for level in range(len(alpha)):
        in_level = levels == level
        if in_level.sum() < MIN_BIN_TERMS:
            continue
        ratio = residuals[in_level] / squared_means[in_level]
        winsorized = np.minimum(ratio, np.quantile(ratio, WINSOR_QUANTILE))
        alpha[level] = max(0.0, np.average(winsorized, weights=squared_means[in_level]))
    measured = np.flatnonzero(~np.isnan(alpha))
    if not len(measured):
        return np.zeros(1)
    interpolated: Floats = np.interp(np.arange(len(alpha)), measured, alpha[measured])
    return interpolated


def fit_null_distribution(
    counts: AuthorCounts, dispersion: Dispersion, min_authors: int, min_gain: float
) -> NullDistribution:
    """Fit the distribution that the highest score of the last week would have without news.

    Each baseline week is scored against the others, and a Gumbel distribution is fitted to the
    highest scores by median and interquartile range, so that one week of real news does not move
    it. Its location is at least that of as many exact p-values as terms have enough authors in a
    usual week, which the few maxima of a small scope cannot determine. When more terms than usual
    have enough authors in the last week, the location rises by the log of their ratio.
    """
    maxima = [
        score_terms(counts, week, dispersion, min_authors, min_gain).scores.max(initial=0.0)
        for week in counts.baseline_weeks
    ]
    low, median, high = np.quantile(maxima, [0.25, 0.5, 0.75])
    quartile_distance = np.log(np.log(4)) - np.log(np.log(4 / 3))
    scale = max(MIN_GUMBEL_SCALE, (high - low) / quartile_distance)
    authors = counts.in_weeks(np.arange(len(counts.totals)))
    eligible_terms = (authors >= min_authors).sum(axis=0)
    usual_terms = max(float(np.median(eligible_terms[counts.baseline_weeks])), 1.0)
    location = max(median + scale * np.log(np.log(2)), np.log10(usual_terms))
    location += scale * np.log(max(eligible_terms[-1] / usual_terms, 1.0))
    return NullDistribution(float(location), float(scale))
