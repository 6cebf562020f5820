"""How surprising a term's authors are: counts, expectation, negative-binomial tail, and the threshold that the past sets.

For a term and week, with `s` running over the sources that had authors in the other weeks (the baseline):

    expected = sum over s of authors(s, week) x share(s),    share(s) = (count(s) + K x pooled) / (authors(s) + K)
    pooled   = count / authors over all s, a half author added to each term and spread over the sources by their size
    score    = -log10 P(X >= observed),    X ~ negative binomial of mean `expected`, variance expected + expected^2 (a + 1/(count + 1/2))

`a` is the dispersion of terms of that frequency from week to week; 1/(count + 1/2) is what is not known of a mean that was
itself counted (with a = 0 this is the exact posterior predictive of a Poisson rate under Jeffreys' prior). A source that was down
for a week, or is new, has no authors there and so neither raises nor lowers an expectation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, hstack
from scipy.special import betainc

from nlp.topics.candidates import CandidateTerms
from nlp.topics.stream import Bools, Codes, Floats, Ints, PostStream

MAX_STRATA = 12  # the largest sources are told apart, the others counted together: bounds memory
SHRINKAGE_AUTHORS = (
    30.0  # authors: how far a source's own share must be known before it outweighs the pooled one
)
MAX_SCORE = 300.0  # of a score: smaller tails underflow
MIN_BIN_TERMS = 30  # fewest terms of a frequency whose dispersion is worth a figure
WINSOR_QUANTILE = 0.99  # squared residuals above this quantile are cut to it: real events of the past are not dispersion
MIN_GUMBEL_SCALE = 1 / np.log(
    10
)  # of the maximum of many -log10 p when every p is exact: the least a scale can be


@dataclass(frozen=True)
class AuthorCounts:
    """Distinct authors by term, week and stratum, and of all terms. The last week is the one at hand, those before it the baseline."""

    by_term: csc_array  # (terms, weeks x strata)
    totals: Ints  # (weeks, strata)

    @property
    def baseline_weeks(self) -> Ints:
        """The weeks before the last that have any author at all."""
        return np.flatnonzero(self.totals[:-1].sum(axis=1))

    def for_term(self, term: int) -> Ints:
        """(weeks, strata) authors of one term."""
        dense: Ints = self.by_term[[term]].toarray().reshape(self.totals.shape)
        return dense

    def weighted_by_term(self, weights: Floats) -> Floats:
        """For each term the sum of its authors times `weights` (weeks, strata)."""
        total: Floats = self.by_term @ weights.ravel()
        return total

    def in_weeks(self, weeks: Ints) -> Ints:
        """(terms, len(weeks)) authors of each term in each of `weeks`."""
        chosen = np.zeros((len(self.totals), self.totals.shape[1], len(weeks)), np.int64)
        chosen[weeks, :, np.arange(len(weeks))] = 1
        found: Ints = self.by_term @ chosen.reshape(-1, len(weeks))
        return found


@dataclass(frozen=True)
class TermScores:
    """One week of one scope, an entry a term. The score is 0 where authors or gain fall short."""

    observed: Ints
    expected: Floats
    nb_size: Floats  # of the negative binomial
    scores: Floats


@dataclass(frozen=True)
class Dispersion:
    """Overdispersion by frequency: `alpha[i]` for terms of 2^i to 2^(i+1) authors in the baseline."""

    alpha: Floats

    def for_counts(self, count: Floats) -> Floats:
        found: Floats = self.alpha[
            np.clip(np.log2(np.maximum(count, 1)).astype(int), 0, len(self.alpha) - 1)
        ]
        return found


@dataclass(frozen=True)
class NullDistribution:
    """The law of a quiet week's highest score: a Gumbel distribution."""

    location: float
    scale: float

    def tail_probability(self, score: float) -> float:
        """The probability that a quiet week's highest score reaches `score`."""
        return float(-np.expm1(-np.exp(-(score - self.location) / self.scale)))

    def threshold(self, false_terms: float) -> float:
        """The score that a quiet week reaches with probability 1 - exp(-`false_terms`)."""
        return float(self.location - self.scale * np.log(false_terms))


def source_strata(stream: PostStream) -> Codes:
    """The stratum of each post: its source when that is among the largest, else one for all the rest."""
    sizes = np.bincount(stream.source_codes, minlength=len(stream.source_names))
    rank = np.empty(len(sizes), np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes), dtype=np.int32)
    return np.minimum(rank, MAX_STRATA - 1)[stream.source_codes]


def count_authors(
    candidates: CandidateTerms, masks: Sequence[Bools]
) -> tuple[list[AuthorCounts], Codes]:
    """Distinct authors among the posts of each mask, a week at a time; and the first post of each term."""
    stream, stratum = candidates.stream, source_strata(candidates.stream)
    shape = (len(candidates.terms), int(stratum.max(initial=0)) + 1)
    first = np.full(shape[0], len(stream), np.int32)
    weekly: list[list[csc_array]] = [[] for _ in masks]
    base = np.zeros((len(masks), stream.n_weeks, shape[1]), np.int64)
    for week in range(stream.n_weeks):
        term, post = candidates.occurrences(week)
        np.minimum.at(first, term, post)
        posts = np.arange(*stream.week_offsets[week : week + 2], dtype=np.int32)
        for place, (spoken, by) in enumerate(_speakers(term, post, posts, stream, masks)):
            weekly[place].append(
                csc_array((np.ones(len(by), np.int32), (spoken, stratum[by])), shape=shape)
            )
            heard = posts[masks[place][posts]]
            heard = heard[np.unique(stream.author_codes[heard], return_index=True)[1]]
            base[place, week] = np.bincount(stratum[heard], minlength=shape[1])
    return [
        AuthorCounts(hstack(blocks, format="csc"), base[place])
        for place, blocks in enumerate(weekly)
    ], first


def _speakers(
    term: Codes, post: Codes, posts: Codes, stream: PostStream, masks: Sequence[Bools]
) -> Iterator[tuple[Codes, Codes]]:
    """For each mask the distinct (term, voice) pairs of a week, the voice as one of its posts. Sorted once for all of them."""
    by_voice = posts[np.argsort(stream.author_codes[posts], kind="stable")]
    rank = np.empty(len(posts), np.int64)
    rank[by_voice - posts[:1]] = np.arange(len(posts))
    bits = len(posts).bit_length()
    keys = np.sort((term.astype(np.int64) << bits) | rank[post - posts[:1]])
    terms, said = (keys >> bits).astype(np.int32), by_voice[keys & ((1 << bits) - 1)]
    for mask in masks:
        kept = mask[said]
        t, p = terms[kept], said[kept]
        fresh = np.ones(len(t), bool)
        fresh[1:] = (t[1:] != t[:-1]) | (stream.author_codes[p[1:]] != stream.author_codes[p[:-1]])
        yield t[fresh], p[fresh]


def score_terms(
    counts: AuthorCounts,
    week: int,
    dispersion: Dispersion,
    min_authors: int,
    min_gain: float,
    include_new_sources: bool = False,
) -> TermScores:
    """The score of every term in `week` against the other weeks of the baseline; `fresh` also counts authors on sources not in those."""
    observed, expected, before = _expectation(counts, week, include_new_sources)
    size = 1 / (dispersion.for_counts(before) + 1 / (before + 0.5))
    return TermScores(
        observed,
        expected,
        size,
        negative_binomial_scores(observed, expected, size, min_authors, min_gain),
    )


def negative_binomial_scores(
    observed: Ints, expected: Floats, size: Floats, min_authors: int, min_gain: float
) -> Floats:
    """-log10 of the upper tail of the negative binomial; 0 where authors or gain fall short."""
    score = np.zeros(len(observed))
    risen = (observed >= min_authors) & (observed >= min_gain * expected)
    tail = betainc(observed[risen], size[risen], expected[risen] / (expected[risen] + size[risen]))
    score[risen] = -np.log10(np.maximum(tail, 10.0**-MAX_SCORE))
    return score


def _expectation(counts: AuthorCounts, week: int, fresh: bool) -> tuple[Ints, Floats, Floats]:
    """Observed authors, expected authors, and authors in the baseline, of every term."""
    baseline = counts.baseline_weeks[counts.baseline_weeks != week]
    rest, now = counts.totals[baseline].sum(axis=0), counts.totals[week]
    known = np.ones(len(now), bool) if fresh else rest > 0
    weight, everyone = np.where(known, now / (rest + SHRINKAGE_AUTHORS), 0.0), max(rest.sum(), 1)
    weights = np.zeros(
        (3, *counts.totals.shape)
    )  # of what is observed, expected, and was there before
    weights[0, week], weights[1, baseline], weights[2, baseline] = known, weight, 1.0
    observed, expected, before = (counts.weighted_by_term(each) for each in weights)
    expected += 0.5 * (rest @ weight) / everyone + (before + 0.5) / everyone * (
        weight.sum() * SHRINKAGE_AUTHORS
    )
    return np.rint(observed).astype(np.int64), expected, before


def estimate_dispersion(counts: AuthorCounts) -> Dispersion:
    """Method of moments over the baseline, pooled by frequency.

    Only terms of five authors a week and more set it: rarer ones were let in because one of their weeks stands out, and would
    show that as dispersion. They take the value of the rarest frequency that has one.
    """
    residual, squared, frequency = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, int)]
    for week in counts.baseline_weeks:
        observed, expected, before = _expectation(counts, week, fresh=False)
        common = (before >= 5 * (len(counts.baseline_weeks) - 1)) & (expected > 0)
        x, mean = observed[common], expected[common]
        residual.append((x - mean) ** 2 - mean - mean**2 / (before[common] + 0.5))
        squared.append(mean**2)
        frequency.append(np.log2(before[common]).astype(int))
    return Dispersion(
        _by_frequency(np.concatenate(residual), np.concatenate(squared), np.concatenate(frequency))
    )


def _by_frequency(residual: Floats, squared: Floats, frequency: Ints) -> Floats:
    alpha = np.full(int(frequency.max(initial=0)) + 1, np.nan)
    for level in range(len(alpha)):
        here = frequency == level
        if here.sum() >= MIN_BIN_TERMS:
            ratio = residual[here] / squared[here]
            alpha[level] = max(
                0.0,
                np.average(
                    np.minimum(ratio, np.quantile(ratio, WINSOR_QUANTILE)), weights=squared[here]
                ),
            )
    measured = np.flatnonzero(~np.isnan(alpha))
    if not len(measured):
        return np.zeros(1)
    filled: Floats = np.interp(np.arange(len(alpha)), measured, alpha[measured])
    return filled


def fit_null_distribution(
    counts: AuthorCounts, dispersion: Dispersion, min_authors: int, min_gain: float
) -> NullDistribution:
    """What the last week would reach were it quiet: each baseline week scored against the others, and a Gumbel law through the maxima.

    Median and interquartile range set the law, so that one week of real news among them does not. It is never milder than the law of
    as many exact p-values as terms have authors enough in a usual week, which a small scope's few maxima can't tell. A week in
    which more terms have authors enough than in a usual one reaches higher: the law of a maximum moves by the log of their number.
    """
    maxima = [
        score_terms(counts, week, dispersion, min_authors, min_gain).scores.max(initial=0.0)
        for week in counts.baseline_weeks
    ]
    low, middle, high = np.quantile(maxima, [0.25, 0.5, 0.75])
    scale = max(MIN_GUMBEL_SCALE, (high - low) / (np.log(np.log(4)) - np.log(np.log(4 / 3))))
    heard = (counts.in_weeks(np.arange(len(counts.totals))) >= min_authors).sum(axis=0)
    usual = max(float(np.median(heard[counts.baseline_weeks])), 1.0)
    location = max(middle + scale * np.log(np.log(2)), np.log10(usual))
    return NullDistribution(
        float(location + scale * np.log(max(heard[-1] / usual, 1.0))), float(scale)
    )
