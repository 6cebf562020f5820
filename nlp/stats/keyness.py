"""Measures of keyness: which words one group of units uses more than another group.

Pure functions on arrays of counts. `focus` and `reference` are how many units of each group have
the word, `focus_size` and `reference_size` how many units each group has. A unit may be a token,
a text or, best where a few people write much, an author (Egbert & Biber 2019, "Incorporating text
dispersion into keyword analyses").
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nlp.stats.association import log_likelihood

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MILLION = 1_000_000
_LOG_MARGIN = 1e-6  # more than rounding can do to the logarithm of a probability


class GroupCounts(NamedTuple):
    """How many units of two groups have each of some words.

    A unit that is in both groups, such as an author of posts in both, is a pair: one unit in each.
    """

    # of each word, pairs included
    focus: Ints
    reference: Ints
    focus_size: int
    reference_size: int
    pairs: int
    # of each word, the pairs of which just one part or both parts have it
    only_focus_pairs: Ints
    only_reference_pairs: Ints
    whole_pairs: Ints


class RatioInterval(NamedTuple):
    """Bounds of binary logarithms of ratios of frequencies; infinite where a count is 0."""

    low: Floats
    high: Floats


def keyness_log_likelihood(
    focus: ArrayLike, reference: ArrayLike, focus_size: int, reference_size: int
) -> Floats:
    """Return G2 of the four-cell table, negative where the word is rarer in the focus.

    Rayson & Garside (2000) and many tools leave out two of the four cells, which differs where the
    word is in a large part of the units.
    """
    both = np.add(focus, reference)
    return log_likelihood(focus, both, focus_size, focus_size + reference_size)


def log_ratio(
    focus: ArrayLike, reference: ArrayLike, focus_size: int, reference_size: int
) -> Floats:
    """Return the binary logarithm of the ratio of the two frequencies.

    Half a unit is added to each count and each size (Walter 1975), so that it is finite and almost
    without bias.
    """
    focus_share = np.add(focus, 0.5) / (focus_size + 0.5)
    reference_share = np.add(reference, 0.5) / (reference_size + 0.5)
    return np.asarray(np.log2(focus_share) - np.log2(reference_share))


def log_ratio_interval(
    focus: ArrayLike,
    reference: ArrayLike,
    focus_size: int,
    reference_size: int,
    *,
    tests: int = 1,
    confidence: float = 0.95,
) -> RatioInterval:
    """Return the exact interval of the binary logarithm of the ratio of the two frequencies.

    By the conditional Poisson test: given its units in both groups, those in the focus are
    binomial (Clopper & Pearson 1934). With `tests` words, each is given 1 / tests of the error
    (Bonferroni), so that all the intervals hold together.
    """
    from scipy.special import betaincinv

    hits = np.asarray(focus, np.float64)
    others = np.asarray(reference, np.float64)
    tail = (1 - confidence) / tests / 2
    # betaincinv(0, b, p) is NaN: without units in the focus the lower bound is 0, and so on
    with np.errstate(divide="ignore", invalid="ignore"):
        low_share = np.where(hits > 0, betaincinv(hits, others + 1, tail), 0.0)
        # 1 - upper bound, by the symmetry of the beta distribution: exact also near 1
        high_rest = np.where(others > 0, betaincinv(others, hits + 1, tail), 0.0)
        scale = np.log2(reference_size / focus_size)
        low = scale + np.log2(low_share) - np.log2(1 - low_share)
        high = scale + np.log2(1 - high_rest) - np.log2(high_rest)
    return RatioInterval(np.asarray(low), np.asarray(high))


def may_differ(
    focus: ArrayLike,
    reference: ArrayLike,
    focus_size: int,
    reference_size: int,
    *,
    tests: int = 1,
    confidence: float = 0.95,
) -> NDArray[np.bool_]:
    """Return where the interval of `log_ratio_interval` may leave out 0.

    It surely holds 0 where the counts, if nothing differed, have a higher probability by themselves
    than each tail of the interval is given. That is 20 times as quick to find as the interval.
    """
    from scipy.special import gammaln

    hits = np.asarray(focus, np.float64)
    others = np.asarray(reference, np.float64)
    share = focus_size / (focus_size + reference_size)
    logs = (
        gammaln(hits + others + 1)
        - gammaln(hits + 1)
        - gammaln(others + 1)
        + hits * np.log(share)
        + others * np.log1p(-share)
    )
    return np.asarray(logs <= np.log((1 - confidence) / tests / 2) + _LOG_MARGIN)


def conservative_log_ratio(ratio: ArrayLike, interval: RatioInterval) -> Floats:
    """Return the bound of the interval that is nearer to 0, and 0 where the interval holds 0.

    Evert (2022), "Measuring keyness", LRC; as `keyness` in the R package corpora. It ranks words
    by the difference that is sure.
    """
    positive = np.maximum(interval.low, 0)
    negative = np.minimum(interval.high, 0)
    return np.asarray(np.where(np.asarray(ratio) >= 0, positive, negative))


def simple_maths(
    focus: ArrayLike,
    reference: ArrayLike,
    focus_size: int,
    reference_size: int,
    smoothing: float = 1.0,
) -> Floats:
    """Return (focus per million + N) / (reference per million + N) (Kilgarriff 2009).

    `smoothing` is N; a larger one prefers frequent words.
    """
    focus_rate = np.multiply(focus, _MILLION / focus_size)
    reference_rate = np.multiply(reference, _MILLION / reference_size)
    return np.asarray((focus_rate + smoothing) / (reference_rate + smoothing))


def permutation_p_values(counts: GroupCounts) -> Floats:
    """Return the two-sided p-value of each word if units are dealt to the groups at random.

    Units of one group change groups with each other. A pair stays one unit in each group: its two
    parts change places, or not. Over all these permutations the number of units in the focus that
    have a word is the sum of a hypergeometric and a binomial number, so the test is exact and needs
    no random numbers: it is what more and more random permutations lead to (without pairs, Fisher's
    exact test). p is twice the smaller tail.
    """
    p_values = [_permutation_p_value(counts, word) for word in range(len(counts.focus))]
    return np.array(p_values, np.float64)


def _permutation_p_value(counts: GroupCounts, word: int) -> float:
    only_focus = int(counts.only_focus_pairs[word])
    only_reference = int(counts.only_reference_pairs[word])
    whole_pairs = int(counts.whole_pairs[word])
    focus = int(counts.focus[word]) - whole_pairs
    reference = int(counts.reference[word]) - whole_pairs
    # units with the word that can change groups
    changing = focus + reference
    swapped = _even_binomial(only_focus + only_reference)
    dealt = _hypergeometric(
        counts.focus_size + counts.reference_size - 2 * counts.pairs,
        changing - only_focus - only_reference,
        counts.focus_size - counts.pairs,
    )
    upper = _upper_tail(dealt, swapped, focus)
    # as many or fewer in the focus is as many or more in the reference
    lower = _upper_tail(dealt[::-1], swapped, changing - focus)
    return min(1.0, 2 * min(upper, lower))


def _upper_tail(dealt: Floats, swapped: Floats, least: int) -> float:
    """Return how probable it is that the sum of two independent numbers is at least `least`."""
    tails = np.cumsum(dealt[::-1])[::-1]
    needed = least - np.arange(len(swapped))
    reached = np.where(needed < len(tails), tails[np.clip(needed, 0, len(tails) - 1)], 0.0)
    return float(swapped @ reached)


def _hypergeometric(total: int, marked: int, drawn: int) -> Floats:
    """Return the probabilities of 0 to `marked` marked units among `drawn` units of `total`."""
    hits = np.arange(marked + 1, dtype=np.float64)
    logs = _log_choose(marked, hits) + _log_choose(total - marked, drawn - hits)
    return np.asarray(np.exp(logs - _log_choose(total, np.array(float(drawn)))))


def _even_binomial(trials: int) -> Floats:
    """Return the probabilities of 0 to `trials` heads of a fair coin."""
    heads = np.arange(trials + 1, dtype=np.float64)
    return np.asarray(np.exp(_log_choose(trials, heads) - trials * np.log(2)))


def _log_choose(total: int, chosen: Floats) -> Floats:
    """Return the logarithm of the binomial coefficient; -inf where nothing can be so chosen."""
    from scipy.special import gammaln

    # the logarithm of the factorial of a negative integer is inf
    return np.asarray(gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1))
