"""Tests of the measures of corpus linguistics, against published values, scipy and brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2_contingency, fisher_exact

from nlp.stats.association import (
    cubic_mutual_information,
    expected_counts,
    log_dice,
    log_likelihood,
)
from nlp.stats.dispersion import deviation_of_proportions, sparse_deviations
from nlp.stats.keyness import (
    GroupCounts,
    conservative_log_ratio,
    keyness_log_likelihood,
    log_ratio,
    log_ratio_interval,
    permutation_p_values,
    simple_maths,
)


@pytest.mark.parametrize(
    ("cells", "published"),
    [
        # Dunning (1993), table 1: the swiss, can be, previous year, mineral water
        ((110, 2442, 111, 29114), 270.72),
        ((29, 13, 123, 31612), 263.90),
        ((31, 23, 139, 31584), 256.84),
        ((10, 0, 3, 31764), 167.23),
    ],
)
def test_log_likelihood_repeats_the_published_table(
    cells: tuple[int, int, int, int], published: float
) -> None:
    both, first_only, second_only, _ = cells
    value = log_likelihood(both, both + first_only, both + second_only, sum(cells))
    assert float(value) == pytest.approx(published, abs=0.006)


@given(st.lists(st.integers(1, 400), min_size=4, max_size=4))
def test_log_likelihood_is_that_of_scipy(cells: list[int]) -> None:
    both, first_only, second_only, _ = cells
    total = sum(cells)
    value = float(log_likelihood(both, both + first_only, both + second_only, total))
    table = np.array(cells).reshape(2, 2)
    wanted = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert abs(value) == pytest.approx(wanted, abs=1e-6)


def test_log_likelihood_is_negative_where_less_is_observed_than_expected() -> None:
    assert float(log_likelihood(1, 100, 100, 1000)) < 0
    assert float(log_likelihood(10, 100, 100, 1000)) == 0
    assert float(log_likelihood(0, 100, 100, 1000)) < 0


def test_log_dice_has_the_properties_that_its_author_names() -> None:
    # all of x with all of y; one point less for half as often
    assert float(log_dice(50, 50, 50)) == 14
    assert float(log_dice(25, 50, 50)) == 13
    # Rychly (2008): 0 is one co-occurrence in 16,384 of both words together
    assert float(log_dice(1, 16384, 16384)) == 0
    assert float(log_dice(0, 5, 5)) == -math.inf


def test_cubic_mutual_information_and_expected_counts_by_hand() -> None:
    expected = expected_counts(20, 50, 1000)
    assert float(expected) == 1
    assert float(cubic_mutual_information(8, expected)) == 9
    assert float(cubic_mutual_information(0, expected)) == -math.inf


def test_keyness_repeats_a_published_row() -> None:
    # "deswegen" in the documentation of cwb-ccc: 55 of 41,351 words against 37 of 108,449
    value = keyness_log_likelihood(55, 37, 41351, 108449)
    assert float(value) == pytest.approx(41.5308, abs=0.00005)
    # there without the half unit: 1.96293
    assert float(log_ratio(55, 37, 41351, 108449)) == pytest.approx(1.96293, abs=0.01)


def test_simple_maths_adds_one_per_million() -> None:
    # 20 and 4 per million: 21 / 5
    assert float(simple_maths(40, 4, 2_000_000, 1_000_000)) == pytest.approx(4.2)
    assert float(simple_maths(0, 0, 10, 10)) == 1


@pytest.mark.parametrize(
    ("focus", "reference"), [(0, 5), (5, 0), (1, 1), (40, 3), (3, 40), (200, 180)]
)
def test_interval_of_the_log_ratio_is_that_of_the_exact_binomial_test(
    focus: int, reference: int
) -> None:
    interval = log_ratio_interval(
        np.array([focus]), np.array([reference]), 1000, 3000, tests=20, confidence=0.95
    )
    exact = binomtest(focus, focus + reference).proportion_ci(1 - 0.05 / 20, method="exact")
    with np.errstate(divide="ignore"):
        low = np.log2(3 * np.divide(exact.low, 1 - exact.low))
        high = np.log2(3 * np.divide(exact.high, np.float64(1 - exact.high)))
    assert float(interval.low[0]) == pytest.approx(low)
    assert float(interval.high[0]) == pytest.approx(high)


def test_conservative_log_ratio_is_the_bound_nearer_to_zero() -> None:
    focus = np.array([100, 1, 10, 0, 50])
    reference = np.array([10, 30, 10, 0, 0])
    interval = log_ratio_interval(focus, reference, 1000, 1000, tests=5)
    ratio = log_ratio(focus, reference, 1000, 1000)
    values = conservative_log_ratio(ratio, interval)
    assert values[0] == interval.low[0] > 0
    assert values[1] == interval.high[1] < 0
    # no difference, and no word at all
    assert values[2] == 0
    assert values[3] == 0
    # nobody in the reference: the ratio is unbounded, and the value is not
    assert interval.high[4] == math.inf
    assert 0 < values[4] < ratio[4]


def test_conservative_log_ratio_grows_with_evidence_at_the_same_ratio() -> None:
    counts = np.array([4, 40, 400, 4000])
    interval = log_ratio_interval(2 * counts, counts, 100_000, 100_000)
    values = conservative_log_ratio(np.ones(4), interval)
    assert list(values) == sorted(values)
    assert 0.9 < values[-1] < 1


def _counts(
    focus: list[int],
    reference: list[int],
    sizes: tuple[int, int],
    pairs: tuple[int, list[int], list[int], list[int]],
) -> GroupCounts:
    count, only_focus, only_reference, whole = pairs
    return GroupCounts(
        np.array(focus),
        np.array(reference),
        *sizes,
        count,
        np.array(only_focus),
        np.array(only_reference),
        np.array(whole),
    )


def test_permutation_test_without_pairs_is_fishers_exact_test() -> None:
    counts = _counts([8, 1, 5], [1, 8, 5], (20, 25), (0, [0, 0, 0], [0, 0, 0], [0, 0, 0]))
    for word, value in enumerate(permutation_p_values(counts)):
        focus, reference = int(counts.focus[word]), int(counts.reference[word])
        table = np.array([[focus, reference], [20 - focus, 25 - reference]])
        tails = [fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
        assert value == pytest.approx(min(1, 2 * min(tails)))


def test_permutation_test_is_what_all_permutations_give() -> None:
    # authors 0-4 wrote in the focus, 5-8 in the reference, and two more in both
    has_word = np.array([1, 1, 1, 0, 1, 0, 0, 1, 0])
    pairs = np.array([[1, 0], [1, 1]])
    values = []
    for chosen in itertools.combinations(range(9), 5):
        for swaps in itertools.product([0, 1], repeat=2):
            in_focus = pairs[range(2), list(swaps)].sum()
            values.append(has_word[list(chosen)].sum() + in_focus)
    observed = has_word[:5].sum() + pairs[:, 0].sum()
    tails = [np.mean(np.array(values) >= observed), np.mean(np.array(values) <= observed)]
    counts = _counts([6], [2], (7, 6), (2, [1], [0], [1]))
    assert observed == 6
    assert permutation_p_values(counts)[0] == pytest.approx(min(1, 2 * min(tails)))


def test_permutation_test_stays_exact_for_many_authors() -> None:
    counts = _counts([60_000], [40_000], (100_000, 100_000), (500, [300], [100], [50]))
    value = permutation_p_values(counts)[0]
    assert 0 <= value < 1e-300


def test_dispersion_repeats_the_published_example() -> None:
    # Gries (2008): "a" in five parts of 9, 10, 10, 10 and 11 words
    found = deviation_of_proportions([1, 2, 3, 4, 5], [9, 10, 10, 10, 11])
    assert found.deviation == pytest.approx(0.18)
    assert found.normalised == pytest.approx(0.18 / (1 - 0.18))
    assert found.range == 5


def test_dispersion_at_its_edges() -> None:
    even = deviation_of_proportions([2, 4], [100, 200])
    assert (even.deviation, even.normalised) == (0, 0)
    # all in the smallest part: normalised reaches 1, which DP itself can't
    clumped = deviation_of_proportions([7, 0, 0], [10, 20, 70])
    assert clumped.deviation == pytest.approx(0.9)
    assert clumped.normalised == pytest.approx(1)
    assert deviation_of_proportions([0, 0], [1, 1]) == (None, None, 0)
    assert deviation_of_proportions([3], [10]) == (0, None, 1)
    assert deviation_of_proportions([3, 0], [10, 0]) == (0, None, 1)
    assert deviation_of_proportions([], []) == (None, None, 0)
    with pytest.raises(ValueError, match="size 0"):
        deviation_of_proportions([3, 1], [10, 0])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=2, max_size=8))
def test_sparse_dispersion_is_the_dense_one(parts: list[tuple[int, int]]) -> None:
    counts = np.array([count for count, _ in parts])
    sizes = np.array([size for _, size in parts])
    used = np.flatnonzero(counts)
    values, ranges = sparse_deviations(np.zeros_like(used), used, counts[used], sizes, 1)
    wanted = deviation_of_proportions(counts, sizes)
    assert int(ranges[0]) == wanted.range
    if wanted.deviation is None:
        assert math.isnan(values[0])
    else:
        assert float(values[0]) == pytest.approx(wanted.deviation)
