"""Each statistic against an independent way to the same figure."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nlp.stats.estimation import (
    benjamini_hochberg,
    bootstrap_weights,
    emq_prevalences,
    log_odds_z_scores,
    min_detectable_change,
    newcombe_interval,
    percentile_interval,
    ppi_mean,
    resampling_units,
    sharpen_posteriors,
    two_sided_p_value,
    wilson_interval,
)

UNIFORM = np.full(3, 1 / 3)


def posteriors(shares: tuple[float, ...], n: int, seed: int) -> np.ndarray:
    """Draw exact posteriors under a uniform prior of three normal classes at given prevalences."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 2.0]])
    points = centres[rng.choice(3, n, p=shares)] + rng.normal(size=(n, 2))
    density = np.exp(-((points[:, None, :] - centres) ** 2).sum(axis=2) / 2)
    return density / density.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (81, 263)])
def test_wilson_equals_scipy(successes: int, trials: int) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high))


def test_wilson_refuses_what_is_no_proportion() -> None:
    with pytest.raises(ValueError, match="wanted 0 <= successes"):
        wilson_interval(3, 0)


@pytest.mark.parametrize("truth", [(0.05, 0.35, 0.6), (0.6, 0.3, 0.1)])
def test_emq_finds_a_shifted_prevalence_where_counting_does_not(truth: tuple[float, ...]) -> None:
    rows = posteriors(truth, 4000, seed=1)
    counted = np.bincount(rows.argmax(axis=1), minlength=3) / len(rows)
    assert np.abs(emq_prevalences(rows, UNIFORM) - truth).max() < 0.02
    assert np.abs(counted - truth).max() > 0.05


def test_emq_maximises_the_likelihood() -> None:
    rows = posteriors((0.2, 0.3, 0.5), 300, seed=2)
    found = emq_prevalences(rows, UNIFORM, tolerance=1e-10, iterations=20000)

    def likelihood(shares: np.ndarray) -> float:
        return float(np.log(rows @ shares).mean())

    rng = np.random.default_rng(0)
    assert all(likelihood(found) >= likelihood(other) for other in rng.dirichlet(np.ones(3), 500))


def test_emq_undoes_the_prior_of_calibration() -> None:
    """The same evidence, calibrated under another prior, gives the same prevalence."""
    rows, prior = posteriors((0.2, 0.3, 0.5), 500, seed=3), np.array([0.6, 0.3, 0.1])
    skewed = rows * prior
    skewed /= skewed.sum(axis=1, keepdims=True)
    assert emq_prevalences(skewed, prior) == pytest.approx(emq_prevalences(rows, UNIFORM), abs=1e-4)


def test_a_pull_keeps_the_estimate_from_the_border_and_ends_at_the_mean() -> None:
    """No post is neutral: the maximum likelihood is 0, a pull of half a post a post raises it."""
    rows = posteriors((0.3, 0.0, 0.7), 400, seed=4)
    mean = rows.mean(axis=0)
    alone, drawn, nearly = (
        emq_prevalences(rows, UNIFORM, tolerance=1e-10, iterations=20000, prior_strength=pull)
        for pull in (0, 0.5, 1000)
    )
    assert alone[1] < drawn[1] < mean[1]
    assert nearly == pytest.approx(mean, abs=1e-3)


def test_one_post_pulled_by_hand() -> None:
    """Check a maximum that was computed by hand.

    The posterior is (.8, .2), balanced: p maximises
    log(.8 p + .2 (1 - p)) + pull (.8 log p + .2 log(1 - p)); at pull 1, p = .9029.
    """
    found = emq_prevalences(
        np.array([[0.8, 0.2]]),
        np.array([0.5, 0.5]),
        tolerance=1e-12,
        iterations=20000,
        prior_strength=1.0,
    )
    slope = 0.6 / (0.2 + 0.6 * found[0]) + 0.8 / found[0] - 0.2 / (1 - found[0])
    assert slope == pytest.approx(0, abs=1e-6)


def test_emq_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        emq_prevalences(np.empty((0, 3)), UNIFORM)


def test_bootstrap_of_a_mean_has_its_standard_error() -> None:
    values = np.random.default_rng(5).exponential(size=400)
    weights = bootstrap_weights(400)
    draws = weights @ values / weights.sum(axis=1)
    assert draws.std() == pytest.approx(values.std() / 20, rel=0.1)
    low, high = percentile_interval(draws)
    assert low < values.mean() < high


def test_bootstrap_repeats_itself() -> None:
    assert np.array_equal(bootstrap_weights(7), bootstrap_weights(7))


def test_an_author_with_many_posts_widens_the_interval() -> None:
    """Twenty authors with twenty equal posts each are twenty observations, not four hundred."""
    values = np.repeat(np.random.default_rng(6).integers(0, 2, 20).astype(float), 20)
    authors = np.repeat(np.arange(20, dtype=np.uint64), 20)
    units, count = resampling_units(authors)
    sums = np.bincount(units, values, count)
    weights = bootstrap_weights(count)
    draws = weights @ sums / (weights @ np.bincount(units, minlength=count))
    assert draws.std() == pytest.approx(values.std() / np.sqrt(20), rel=0.15)


def test_blocks_of_authors_keep_the_variance() -> None:
    rng = np.random.default_rng(7)
    authors, values = rng.integers(0, 2**63, 20000).astype(np.uint64), rng.normal(size=20000)
    units, count = resampling_units(authors, max_units=1024)
    assert count == 1024
    weights = bootstrap_weights(count)
    draws = (
        weights
        @ np.bincount(units, values, count)
        / (weights @ np.bincount(units, minlength=count))
    )
    assert draws.std() == pytest.approx(1 / np.sqrt(20000), rel=0.1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.01, 0.5))
def test_benjamini_hochberg_is_the_step_up_rule(p_values: list[float], rate: float) -> None:
    ranked = np.sort(p_values)
    limits = rate * np.arange(1, len(ranked) + 1) / len(ranked)
    passing = ranked[ranked <= limits]
    threshold = passing[-1] if len(passing) else -1.0
    discoveries = benjamini_hochberg(np.array(p_values), rate)
    if np.abs(ranked - limits).min() > 1e-9:
        assert np.array_equal(discoveries, np.array(p_values) <= threshold)


def test_without_tests_there_are_no_discoveries() -> None:
    assert benjamini_hochberg(np.zeros(0)).shape == (0,)


def test_p_value_and_detectable_change() -> None:
    assert two_sided_p_value(1.96, 1.0) == pytest.approx(0.05, abs=1e-4)
    assert (two_sided_p_value(0.0, 0.0), two_sided_p_value(0.1, 0.0)) == (1.0, 0.0)
    assert min_detectable_change(1.0) == pytest.approx(2.8016, abs=1e-3)


def test_log_odds_by_hand_and_by_order() -> None:
    ours, theirs = np.array([30.0, 5.0, 1.0]), np.array([10.0, 25.0, 1.0])
    z = log_odds_z_scores(ours, theirs, ours + theirs, prior_strength=72.0)
    a, b = 30.0 + 40.0, 10.0 + 40.0
    by_hand = (np.log(a / (36 + 72 - a)) - np.log(b / (36 + 72 - b))) / np.sqrt(1 / a + 1 / b)
    assert z[0] == pytest.approx(by_hand)
    assert z[0] > z[2] > z[1]


def test_log_odds_wants_a_background() -> None:
    with pytest.raises(ValueError, match="positive background"):
        log_odds_z_scores(np.ones(2), np.ones(2), np.array([1.0, 0.0]))


@pytest.fixture(scope="module")
def oracles() -> dict[str, Any]:
    """Load posteriors with the results of QuaPy and ppi-python; the file has their versions."""
    golden = Path(__file__).parents[1] / "golden" / "quantify.json"
    return json.loads(golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize("place", range(3))
def test_emq_equals_quapy(oracles: dict[str, Any], place: int) -> None:
    case = oracles["cases"][place]
    found = emq_prevalences(
        np.array(case["posteriors"]), np.array(case["prior"]), tolerance=1e-10, iterations=20000
    )
    assert found == pytest.approx(case["emq"], abs=1e-5)


@pytest.mark.parametrize("place", range(3))
def test_ppi_equals_ppi_python(oracles: dict[str, Any], place: int) -> None:
    case = oracles["cases"][place]
    rows, truth = np.array(case["posteriors"]), np.eye(3)[case["labels"]]
    found = ppi_mean(truth, rows[: len(truth)], rows)
    assert found == pytest.approx(case["ppi"], abs=1e-6)
    assert found.sum() == pytest.approx(1)


def test_ppi_of_a_census_is_the_truth_and_of_a_blind_model_the_labels() -> None:
    rows, truth = posteriors((0.2, 0.3, 0.5), 50, seed=8), np.eye(3)[np.arange(50) % 3]
    assert ppi_mean(truth, rows, rows) == pytest.approx(truth.mean(axis=0))
    flat = np.full((500, 3), 1 / 3)
    assert ppi_mean(truth, flat[:50], flat) == pytest.approx(truth.mean(axis=0))


def test_ppi_has_no_bias_and_less_variance_than_the_labels_alone() -> None:
    """A model that is wrong in a way of its own: says negative twice as often as there is."""
    rng, ours, labels_alone = np.random.default_rng(9), [], []
    for _ in range(300):
        truth = (rng.random(1000) < 0.1).astype(float)
        said = np.clip(0.15 + 0.6 * truth + rng.normal(0, 0.05, 1000), 0, 1)
        rows, answers = np.stack([said, 1 - said], axis=1), np.stack([truth, 1 - truth], axis=1)
        ours.append(ppi_mean(answers[:100], rows[:100], rows)[0] - truth.mean())
        labels_alone.append(truth[:100].mean() - truth.mean())
    assert abs(np.mean(ours)) < 0.002
    assert np.std(ours) < 0.5 * np.std(labels_alone)


def test_tempered_posteriors_lie_between_probabilities_and_labels() -> None:
    rows = np.array([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]])
    assert sharpen_posteriors(rows, 1.0) == pytest.approx(rows)
    assert sharpen_posteriors(rows, 2.0)[0] == pytest.approx(np.array([0.36, 0.09, 0.01]) / 0.46)
    assert sharpen_posteriors(rows, 60.0) == pytest.approx(
        np.array([[1, 0, 0], [0, 0, 1]]), abs=1e-6
    )
    assert np.isnan(sharpen_posteriors(np.full((1, 3), np.nan), 2.0)).all()


NEWCOMBE = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
]


@pytest.mark.parametrize(("one", "other", "expected"), NEWCOMBE)
def test_newcombe_equals_the_published_table(
    one: tuple[int, int], other: tuple[int, int], expected: tuple[float, float]
) -> None:
    """Newcombe 1998, table II, method 10."""
    assert newcombe_interval(*one, *other) == pytest.approx(expected, abs=5e-5)
