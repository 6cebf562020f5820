"""How surprising a term's authors are: counts, expectation, negative-binomial tail, and the threshold that the past sets.

For a term and week, with `s` running over the sources that had authors in the other weeks (the baseline):

    expected = sum over s of authors(s, week) x share(s),    share(s) = (count(s) + K x pooled) / (authors(s) + K)
    pooled   = count / authors over all s, a half author added to each term and spread over the sources by their size
    score    = -log10 P(X >= observed),    X ~ negative binomial of mean `expected`, variance expected + expected^2 (a + 1/(count + 1/2))

`a` is the dispersion of terms of that frequency from week to week; 1/(count + 1/2) is what is not known of a mean that was
itself counted (with a = 0 this is the exact posterior predictive of a Poisson rate under Jeffreys' prior). A source that was down
for a week, or is new, has no authors there and so neither raises nor lowers an expectation.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from nlp.topics.stream import Bools, Codes, Floats, Ints, Stream, distinct, encode

STRATA = 12  # the largest sources are told apart, the others counted together: bounds memory
K = 30.0  # authors: how far a source's own share must be known before it outweighs the pooled one
CEILING = 300.0  # of a score: smaller tails underflow
BIN_TERMS = 30  # fewest terms of a frequency whose dispersion is worth a figure
WINSOR = 0.99  # squared residuals above this quantile are cut to it: real events of the past are not dispersion
GUMBEL_SCALE = 1 / np.log(10)  # of the maximum of many -log10 p when every p is exact: the least a scale can be


@dataclass(frozen=True)
class Counts:
    """Distinct authors by term, week and stratum, and of all terms."""

    terms: Ints  # (terms, weeks, strata)
    base: Ints  # (weeks, strata)


@dataclass(frozen=True)
class Surprise:
    """One week of one scope, an entry a term. The score is 0 where authors or gain fall short."""

    observed: Ints
    expected: Floats
    score: Floats


@dataclass(frozen=True)
class Dispersion:
    """Overdispersion by frequency: `alpha[i]` for terms of 2^i to 2^(i+1) authors in the baseline."""

    alpha: Floats

    def of(self, count: Floats) -> Floats:
        found: Floats = self.alpha[np.clip(np.log2(np.maximum(count, 1)).astype(int), 0, len(self.alpha) - 1)]
        return found


@dataclass(frozen=True)
class Null:
    """The law of a quiet week's highest score: a Gumbel distribution."""

    location: float
    scale: float

    def tail(self, score: float) -> float:
        """The probability that a quiet week's highest score reaches `score`."""
        return float(-np.expm1(-np.exp(-(score - self.location) / self.scale)))

    def threshold(self, false_terms: float) -> float:
        """The score that a quiet week reaches with probability 1 - exp(-`false_terms`)."""
        return float(self.location - self.scale * np.log(false_terms))


def strata(stream: Stream) -> Codes:
    """The stratum of each post: its source when that is among the largest, else one for all the rest."""
    sizes = np.bincount(stream.source, minlength=len(stream.sources))
    rank = np.empty(len(sizes), np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes), dtype=np.int32)
    return np.minimum(rank, STRATA - 1)[stream.source]


def count(term: Codes, post: Codes, terms: int, stream: Stream, stratum: Codes, mask: Bools) -> Counts:
    """Distinct authors of each term in each week and stratum, among the posts of `mask`."""
    weeks, width = stream.weeks, int(stratum.max(initial=0)) + 1
    cell = stream.week.astype(np.int64) * width + stratum
    spoke = stream.voice.astype(np.int64) * weeks + stream.week
    person = encode(spoke).astype(np.int64)
    persons = int(person.max(initial=0)) + 1
    cell_of = np.zeros(persons, np.int64)
    cell_of[person] = cell
    base = np.bincount(cell_of[distinct(person[mask])], minlength=weeks * width)
    kept = mask[post]
    pairs = distinct(term[kept].astype(np.int64) * persons + person[post[kept]])
    by_term = np.bincount(pairs // persons * (weeks * width) + cell_of[pairs % persons], minlength=terms * weeks * width)
    return Counts(by_term.reshape(terms, weeks, width), base.reshape(weeks, width))


def surprise(counts: Counts, week: int, baseline: Ints, dispersion: Dispersion, least: int, gain: float, fresh: bool = False) -> Surprise:
    """The score of every term in `week` against the weeks of `baseline`; `fresh` also counts authors on sources not in it."""
    observed, expected, before = _expectation(counts, week, baseline, fresh)
    score = np.zeros(len(observed))
    risen = (observed >= least) & (observed >= gain * expected)
    size = 1 / (dispersion.of(before[risen]) + 1 / (before[risen] + 0.5))
    tail = betainc(observed[risen], size, expected[risen] / (expected[risen] + size))
    score[risen] = -np.log10(np.maximum(tail, 10.0**-CEILING))
    return Surprise(observed, expected, score)


def _expectation(counts: Counts, week: int, baseline: Ints, fresh: bool) -> tuple[Ints, Floats, Floats]:
    """Observed authors, expected authors, and authors in the baseline, of every term."""
    rest, now = counts.base[baseline].sum(axis=0), counts.base[week]
    known = np.ones(len(now), bool) if fresh else rest > 0
    past = counts.terms[:, baseline].sum(axis=1)
    before = past.sum(axis=1).astype(float)
    everyone = max(rest.sum(), 1)
    weight = np.where(known, now / (rest + K), 0.0)
    expected = past @ weight + 0.5 * (rest @ weight) / everyone + (before + 0.5) / everyone * (weight.sum() * K)
    return counts.terms[:, week][:, known].sum(axis=1), expected, before


def dispersion(counts: Counts, baseline: Ints) -> Dispersion:
    """Method of moments over the baseline, pooled by frequency.

    Only terms of five authors a week and more set it: rarer ones were let in because one of their weeks stands out, and would
    show that as dispersion. They take the value of the rarest frequency that has one.
    """
    residual, squared, frequency = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, int)]
    for week in baseline:
        observed, expected, before = _expectation(counts, week, baseline[baseline != week], fresh=False)
        common = (before >= 5 * (len(baseline) - 1)) & (expected > 0)
        x, mean = observed[common], expected[common]
        residual.append((x - mean) ** 2 - mean - mean**2 / (before[common] + 0.5))
        squared.append(mean**2)
        frequency.append(np.log2(before[common]).astype(int))
    return Dispersion(_by_frequency(np.concatenate(residual), np.concatenate(squared), np.concatenate(frequency)))


def _by_frequency(residual: Floats, squared: Floats, frequency: Ints) -> Floats:
    alpha = np.full(int(frequency.max(initial=0)) + 1, np.nan)
    for level in range(len(alpha)):
        here = frequency == level
        if here.sum() >= BIN_TERMS:
            ratio = residual[here] / squared[here]
            alpha[level] = max(0.0, np.average(np.minimum(ratio, np.quantile(ratio, WINSOR)), weights=squared[here]))
    measured = np.flatnonzero(~np.isnan(alpha))
    if not len(measured):
        return np.zeros(1)
    filled: Floats = np.interp(np.arange(len(alpha)), measured, alpha[measured])
    return filled


def null(counts: Counts, week: int, baseline: Ints, spread: Dispersion, least: int, gain: float) -> Null:
    """What `week` would reach were it quiet: each baseline week scored against the others, and a Gumbel law through the maxima.

    Median and interquartile range set the law, so that one week of real news among them does not. It is never milder than the law of
    as many exact p-values as terms have authors enough in a usual week, which a small scope's few maxima can't tell. A week in
    which more terms have authors enough than in a usual one reaches higher: the law of a maximum moves by the log of their number.
    """
    maxima = [surprise(counts, past, baseline[baseline != past], spread, least, gain).score.max(initial=0.0) for past in baseline]
    low, middle, high = np.quantile(maxima, [0.25, 0.5, 0.75])
    scale = max(GUMBEL_SCALE, (high - low) / (np.log(np.log(4)) - np.log(np.log(4 / 3))))
    heard = (counts.terms.sum(axis=2) >= least).sum(axis=0)
    usual = max(float(np.median(heard[baseline])), 1.0)
    location = max(middle + scale * np.log(np.log(2)), np.log10(usual))
    return Null(float(location + scale * np.log(max(heard[week] / usual, 1.0))), float(scale))
