"""The measures on arrays: known truths come out, and what must not move them does not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folate.core.labels import UNREADABLE_PROBABILITIES
from folate.core.weeks import Week, preceding_periods
from nlp.stats.domains import DomainErrors
from nlp.stats.estimation import percentile_interval, ppi_mean, sharpen_posteriors
from reports.measures.estimates import (
    CALIBRATED_DOMAIN_ERRORS,
    MAX_INTERVAL_HALF_WIDTH,
    MIN_AUDIT_LABELS,
    TEMPERED,
    Estimates,
    net_sentiment,
)
from reports.measures.mentions import BrandMentions

WEEKS = (*preceding_periods(Week(2026, 10), 1), Week(2026, 10))


def make_mentions(
    brand: Sequence[int],
    week: Sequence[int],
    source: Sequence[int],
    author: Sequence[int] | None = None,
    posteriors: Any = None,
    brands: int = 2,
    sources: int = 2,
    label: Sequence[int] | None = None,
) -> BrandMentions:
    n = len(brand)
    columns = [
        np.array(brand, np.int64),
        np.array(week, np.int64),
        np.array(source, np.int64),
        np.array(range(n) if author is None else author, dtype=np.uint64),
        np.ones(n, dtype=bool),
        np.full(n, np.nan),
        np.full(n, np.nan),
        np.full((n, 3), np.nan) if posteriors is None else np.asarray(posteriors),
        np.array([-1] * n if label is None else label, np.int64),
    ]
    order = np.lexsort(tuple(columns[2::-1]))
    return BrandMentions(
        tuple("abc"[:brands]),
        WEEKS,
        tuple("xyz"[:sources]),
        *(column[order] for column in columns),
        sample_post_ids={},
    )


def draw_posteriors(shares: Sequence[float], n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw calibrated posteriors of n posts of which `shares` have each label."""
    sharpness = np.full((3, 3), 1.2) + 2.0 * np.eye(3)
    points = np.array(
        [rng.dirichlet(sharpness[label]) for label in rng.choice(3, n, p=shares)]
    ).reshape(-1, 3)
    density = np.exp(((sharpness - 1)[None] * np.log(points)[:, None, :]).sum(axis=2))
    return density / density.sum(axis=1, keepdims=True)


def test_an_author_counts_once_a_week_however_loud() -> None:
    m = make_mentions([0] * 5 + [1], [1] * 6, [0] * 6, author=[7, 7, 7, 7, 8, 9])
    estimates = Estimates(m, np.ones(2))
    assert estimates.authors[0, :, 1].sum(axis=1).tolist() == [2, 1]
    assert estimates.all_mentions[0, :, 1].sum(axis=1).tolist() == [5, 1]


def test_crawling_one_source_harder_moves_the_raw_share_only() -> None:
    """Brand a has 3 of 4 authors on source x and 1 of 4 on y, of which more is crawled later."""
    one = [(0, 0)] * 3 + [(1, 0)] + [(0, 1)] + [(1, 1)] * 3
    more = one + [(0, 1)] * 3 + [(1, 1)] * 9
    rows = [(b, 0, s) for b, s in one] + [(b, 1, s) for b, s in more]
    estimates = Estimates(make_mentions(*zip(*rows, strict=True)), np.array([8.0, 8.0]))
    assert estimates.share_of_voice()[0, 0].tolist() == [0.5, 0.5]
    assert estimates.raw_share_of_voice[0, 0].tolist() == [0.5, 7 / 20]


def test_a_silent_source_leaves_its_weight_to_the_others() -> None:
    estimates = Estimates(make_mentions([0, 1, 1], [1, 1, 1], [0, 0, 0]), np.array([1.0, 9.0]))
    assert estimates.share_of_voice()[0, :, 1] == pytest.approx([1 / 3, 2 / 3])
    assert np.isnan(estimates.share_of_voice()[0, :, 0]).all()


def test_shares_are_means_of_the_tempered_posteriors() -> None:
    posteriors = draw_posteriors((0.05, 0.35, 0.6), 3000, np.random.default_rng(0))
    m = make_mentions([0] * 3000, [1] * 3000, [0] * 3000, posteriors=posteriors, brands=1)
    shares = Estimates(
        m, np.ones(2), replace(CALIBRATED_DOMAIN_ERRORS, sharpness=3.0)
    ).sentiment_shares
    assert shares.method[0].tolist() == ["", TEMPERED]
    assert shares.draws[0, 0, 1] == pytest.approx(sharpen_posteriors(posteriors, 3.0).mean(axis=0))
    counted = np.bincount(posteriors.argmax(axis=1), minlength=3) / 3000
    assert shares.draws[0, 0, 1] == pytest.approx(counted, abs=0.02)


@pytest.mark.slow
def test_intervals_cover_the_truth() -> None:
    """Count 95 % intervals without domain errors in samples of 400 posts by authors of 1 to 8."""
    rng, covered, mix = np.random.default_rng(3), 0, np.array([0.15, 0.35, 0.5])
    truth = draw_posteriors(mix, 100_000, rng).mean(
        axis=0
    )  # what the model says of the whole population
    for _ in range(300):
        labels_of = rng.dirichlet(mix * 6, 400)
        author = np.repeat(np.arange(400), rng.integers(1, 9, 400))[:400]
        posteriors = np.concatenate([draw_posteriors(labels_of[a], 1, rng) for a in author])
        m = make_mentions(
            [0] * 400, [1] * 400, [0] * 400, author=author.tolist(), posteriors=posteriors, brands=1
        )
        draws = Estimates(m, np.ones(2)).sentiment_shares.draws[:, 0, 1, 0]
        low, high = percentile_interval(draws[1:])
        covered += low <= truth[0] <= high
    assert 0.90 <= covered / 300 <= 0.99


def estimate_two_weeks(
    label: Sequence[int] | None = None, domains: DomainErrors = CALIBRATED_DOMAIN_ERRORS
) -> Estimates:
    """Estimate three hundred posts of one brand in each of two weeks, the second more negative."""
    rng = np.random.default_rng(8)
    rows = np.concatenate(
        [draw_posteriors((0.2, 0.3, 0.5), 300, rng), draw_posteriors((0.4, 0.3, 0.3), 300, rng)]
    )
    m = make_mentions(
        [0] * 600, [0] * 300 + [1] * 300, [0] * 600, posteriors=rows, brands=1, label=label
    )
    return Estimates(m, np.ones(2), domains)


def half_width(draws: np.ndarray) -> float:
    low, high = percentile_interval(draws[1:])
    return (high - low) / 2


def test_a_domain_nobody_labelled_widens_levels_and_hardly_a_change() -> None:
    narrow = estimate_two_weeks(
        domains=replace(CALIBRATED_DOMAIN_ERRORS, error=((1e-6, 0.0), (0.0, 1e-6)))
    ).sentiment_levels[:, 0, :, 0]
    wide = estimate_two_weeks().sentiment_levels[:, 0, :, 0]
    assert half_width(wide[:, 1]) > 1.5 * half_width(narrow[:, 1])
    assert half_width(wide[:, 1] - wide[:, 0]) < 1.2 * half_width(narrow[:, 1] - narrow[:, 0])
    assert wide[0] == pytest.approx(narrow[0])


def test_an_audited_brand_has_narrower_intervals_than_an_unaudited_one() -> None:
    label = ([0] * 20 + [1] * 30 + [2] * 50 + [-1] * 200) * 2
    unsure = replace(CALIBRATED_DOMAIN_ERRORS, error=((0.2, 0.0), (0.0, 0.2)))
    unaudited, audited = (
        estimate_two_weeks(domains=unsure).sentiment_levels,
        estimate_two_weeks(label, unsure).sentiment_levels,
    )
    for share in range(3):
        assert half_width(audited[:, 0, 1, share]) < half_width(unaudited[:, 0, 1, share])


def test_an_audit_is_less_sure_of_the_other_week() -> None:
    drifting = replace(
        CALIBRATED_DOMAIN_ERRORS, drift=((0.003, 0.0), (0.0, 0.003)), gain_spread=0.3
    )
    levels = estimate_two_weeks(
        [0] * 20 + [1] * 30 + [2] * 50 + [-1] * 500, drifting
    ).sentiment_levels
    assert half_width(levels[:, 0, 1, 0]) > half_width(levels[:, 0, 0, 0])


def test_what_is_too_unsure_without_an_audit_is_told_apart() -> None:
    unsure = replace(CALIBRATED_DOMAIN_ERRORS, error=((1.0, 0.0), (0.0, 1.0)))
    assert (
        half_width(estimate_two_weeks(domains=unsure).sentiment_levels[:, 0, 1, 0])
        > MAX_INTERVAL_HALF_WIDTH
    )
    assert estimate_two_weeks(domains=unsure).unmeasurable.tolist() == [[True, True]]
    assert not estimate_two_weeks().unmeasurable.any()
    assert not estimate_two_weeks(
        [0] * 20 + [1] * 30 + [2] * 50 + [-1] * 500, unsure
    ).unmeasurable.any()


@pytest.mark.parametrize("share", [0, 2])
def test_a_class_that_nobody_met_is_not_printed_as_surely_nothing(share: int) -> None:
    """The model and a hundred labels of the first week see none of it in either week."""
    rows = np.full((600, 3), 0.001)
    rows[:, 2 - share] = 0.998
    label = [2 - share] * 100 + [-1] * 500
    m = make_mentions(
        [0] * 600, [0] * 300 + [1] * 300, [0] * 600, posteriors=rows, brands=1, label=label
    )
    levels = Estimates(m, np.ones(2)).sentiment_levels[:, 0]
    for week in (0, 1):
        low, high = percentile_interval(levels[1:, week, share])
        assert 0 <= low < 0.005
        assert 0.015 < high < 0.06
        assert 0 < levels[0, week, share] < high
    net = net_sentiment(levels)[0][:, 1]
    assert np.isfinite(net).all()


@given(
    st.lists(st.tuples(*[st.floats(0.001, 1)] * 3), min_size=1, max_size=40),
    st.permutations(range(3)),
)
@settings(max_examples=30, deadline=None)
def test_shares_sum_to_one_and_do_not_depend_on_the_order_of_classes(
    rows: list[tuple[float, ...]], order: list[int]
) -> None:
    posteriors = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    m = make_mentions(
        [0] * len(rows), [1] * len(rows), [0] * len(rows), posteriors=posteriors, brands=1
    )
    levels = Estimates(m, np.ones(2)).sentiment_levels[:, 0, 1]
    assert levels.sum(axis=1) == pytest.approx(np.ones(len(levels)))
    assert (levels > 0).all()
    turned = make_mentions(
        [0] * len(rows), [1] * len(rows), [0] * len(rows), posteriors=posteriors[:, order], brands=1
    )
    alone, other = (
        Estimates(each, np.ones(2)).sentiment_shares.draws[0, 0, 1] for each in (m, turned)
    )
    assert other == pytest.approx(alone[list(order)])


def draw_misread_posts(
    shares: Sequence[float], n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels, and posteriors of a model that predicts every third positive as negative."""
    labels = rng.choice(3, n, p=shares)
    predicted_labels = np.where((labels == 2) & (rng.random(n) < 1 / 3), 0, labels)
    rows = np.concatenate([draw_posteriors(np.eye(3)[one], 1, rng) for one in predicted_labels])
    return labels, rows


def test_an_audit_takes_out_what_the_model_gets_wrong_in_this_week_and_the_other() -> None:
    rng = np.random.default_rng(4)
    labels, rows = (
        np.concatenate(pair)
        for pair in zip(
            draw_misread_posts((0.1, 0.3, 0.6), 600, rng),
            draw_misread_posts((0.2, 0.3, 0.5), 600, rng),
            strict=True,
        )
    )
    label = np.where(np.arange(1200) >= 1000, labels, -1)  # two hundred of the second week
    m = make_mentions(
        [0] * 1200,
        [0] * 600 + [1] * 600,
        [0] * 1200,
        posteriors=rows,
        brands=1,
        label=label.tolist(),
    )
    alone = Estimates(m, np.ones(2), replace(CALIBRATED_DOMAIN_ERRORS, sharpness=4.0))
    assert alone.audit_label_counts.tolist() == [200]
    level = alone.sentiment_levels
    truth = [
        np.bincount(labels[part], minlength=3) / 600 for part in (slice(600), slice(600, None))
    ]
    for week in (0, 1):
        assert abs(alone.sentiment_shares.draws[0, 0, week, 0] - truth[week][0]) > 0.12
        assert level[0, 0, week] == pytest.approx(truth[week], abs=0.06)
        low, high = percentile_interval(level[1:, 0, week, 0])
        assert low < truth[week][0] < high


def test_a_census_leaves_nothing_to_the_model() -> None:
    rng = np.random.default_rng(5)
    labels, rows = draw_misread_posts((0.1, 0.3, 0.6), 300, rng)
    estimates = Estimates(
        make_mentions(
            [0] * 300, [1] * 300, [0] * 300, posteriors=rows, brands=1, label=labels.tolist()
        ),
        np.ones(2),
    )
    level = estimates.sentiment_levels[0, 0, 1]
    assert level == pytest.approx(np.bincount(labels, minlength=3) / 300)


def test_the_audit_equals_ppi() -> None:
    """Of one week and source: `ppi_mean`, which has a test against ppi-python of its own."""
    rng = np.random.default_rng(6)
    labels, rows = draw_misread_posts((0.1, 0.3, 0.6), 500, rng)
    label = np.where(np.arange(500) < 120, labels, -1)
    estimates = Estimates(
        make_mentions(
            [0] * 500, [1] * 500, [0] * 500, posteriors=rows, brands=1, label=label.tolist()
        ),
        np.ones(2),
    )
    expected = ppi_mean(np.eye(3)[labels[:120]], rows[:120], rows)
    assert estimates.sentiment_levels[0, 0, 1] == pytest.approx(expected, abs=1e-6)


def test_few_labels_are_no_audit() -> None:
    label = [0] * (MIN_AUDIT_LABELS - 1) + [-1] * (601 - MIN_AUDIT_LABELS)
    assert estimate_two_weeks(label).sentiment_levels == pytest.approx(
        estimate_two_weeks().sentiment_levels
    )


def test_the_busiest_hundredth() -> None:
    """Of 199 authors with one post and one with 101, the top two wrote 102 of 300."""
    author = list(range(199)) + [500] * 101
    estimates = Estimates(make_mentions([0] * 300, [1] * 300, [0] * 300, author=author), np.ones(2))
    top = estimates.top_author_share(1)
    assert top[0, 0] == pytest.approx(102 / 300)
    assert np.isnan(top[:, 1]).all()
    assert estimates.posts_per_author[0, 0, 1] == pytest.approx(1.5)


def test_both_definitions_of_net_sentiment() -> None:
    polar, every = net_sentiment(np.array([[0.1, 0.6, 0.3], [0.0, 1.0, 0.0]]))
    assert polar[0] == pytest.approx(0.5)
    assert every == pytest.approx([0.2, 0.0])
    assert np.isnan(polar[1])


def test_a_post_with_nothing_to_read_is_missing_and_not_neutral() -> None:
    rows = np.array(
        [[0.8, 0.1, 0.1]] * 30 + [[0.1, 0.1, 0.8]] * 10 + [UNREADABLE_PROBABILITIES] * 60
    )
    m = make_mentions([0] * 100, [1] * 100, [0] * 100, posteriors=rows, brands=1)
    shares = Estimates(m, np.ones(2)).sentiment_shares
    assert shares.draws[0, 0, 1] == pytest.approx(rows[:40].mean(axis=0))
    assert shares.n[0, 1] == 100
    nothing = Estimates(
        make_mentions(
            [0] * 9, [1] * 9, [0] * 9, posteriors=[UNREADABLE_PROBABILITIES] * 9, brands=1
        ),
        np.ones(2),
    )
    assert nothing.sentiment_shares.draws[0, 0, 1] == pytest.approx(UNREADABLE_PROBABILITIES)
