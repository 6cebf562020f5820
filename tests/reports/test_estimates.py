"""The measures on arrays: known truths come out, and what must not move them does not."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from folate.weeks import Week, trailing
from nlp.statistics import interval
from reports.estimates import BALANCED, DRAWS, Estimates, net_sentiment, unaudited
from reports.rows import Mentions

WEEKS = (*trailing(Week(2026, 10), 1), Week(2026, 10))


def mentions(
    brand: Sequence[int], week: Sequence[int], source: Sequence[int], author: Sequence[int] | None = None, posteriors: Any = None,
    brands: int = 2, sources: int = 2,
) -> Mentions:  # fmt: skip
    n, (brand_codes, week_codes, source_codes) = len(brand), (np.array(codes, np.int64) for codes in (brand, week, source))
    return Mentions(
        tuple("abc"[:brands]), WEEKS, tuple("xyz"[:sources]), brand_codes, week_codes, source_codes,
        np.array(range(n) if author is None else author, dtype=np.uint64), np.ones(n, dtype=bool), np.full(n, np.nan),
        np.full((n, 3), np.nan) if posteriors is None else np.asarray(posteriors), {},
    )  # fmt: skip


def draw(shares: Sequence[float], n: int, rng: np.random.Generator) -> np.ndarray:
    """Posteriors, calibrated under balanced classes, of n posts of which `shares` have each label."""
    sharpness = np.full((3, 3), 1.2) + 2.0 * np.eye(3)
    points = np.array([rng.dirichlet(sharpness[label]) for label in rng.choice(3, n, p=shares)]).reshape(-1, 3)
    density = np.exp(((sharpness - 1)[None] * np.log(points)[:, None, :]).sum(axis=2))
    return density / density.sum(axis=1, keepdims=True)


def test_an_author_counts_once_a_week_however_loud() -> None:
    m = mentions([0] * 5 + [1], [1] * 6, [0] * 6, author=[7, 7, 7, 7, 8, 9])
    estimates = Estimates(m, np.ones(2), BALANCED)
    assert estimates.authors[0, :, 1].sum(axis=1).tolist() == [2, 1]
    assert estimates.all_mentions[0, :, 1].sum(axis=1).tolist() == [5, 1]


def test_crawling_one_source_harder_moves_the_raw_share_only() -> None:
    """Brand a has 3 of 4 on source x and 1 of 4 on y, in both weeks; in the second week four times as much of y is crawled."""
    one = [(0, 0)] * 3 + [(1, 0)] + [(0, 1)] + [(1, 1)] * 3
    more = one + [(0, 1)] * 3 + [(1, 1)] * 9
    rows = [(b, 0, s) for b, s in one] + [(b, 1, s) for b, s in more]
    estimates = Estimates(mentions(*zip(*rows, strict=True)), np.array([8.0, 8.0]), BALANCED)
    assert estimates.share_of_voice()[0, 0].tolist() == [0.5, 0.5]
    assert estimates.raw_share_of_voice[0, 0].tolist() == [0.5, 7 / 20]


def test_a_silent_source_leaves_its_weight_to_the_others() -> None:
    estimates = Estimates(mentions([0, 1, 1], [1, 1, 1], [0, 0, 0]), np.array([1.0, 9.0]), BALANCED)
    assert estimates.share_of_voice()[0, :, 1] == pytest.approx([1 / 3, 2 / 3])
    assert np.isnan(estimates.share_of_voice()[0, :, 0]).all()


def test_emq_finds_five_percent_where_sums_of_probabilities_do_not() -> None:
    rng = np.random.default_rng(0)
    posteriors = draw((0.05, 0.35, 0.6), 3000, rng)
    m = mentions([0] * 3000, [1] * 3000, [0] * 3000, posteriors=posteriors, brands=1)
    shares = Estimates(m, np.ones(2), BALANCED).shares()
    assert shares.method[0].tolist() == ["", "emq"]
    assert shares.draws[0, 0, 1] == pytest.approx([0.05, 0.35, 0.6], abs=0.02)
    assert posteriors.mean(axis=0)[0] > 0.1


@pytest.mark.parametrize(
    ("sizes", "method"), [((250, 250), "emq"), ((250, 60), "mixed"), ((120, 120), "emq"), ((90, 90), "probabilities"), ((0, 0), "")]
)
def test_small_sources_are_pooled_and_what_is_still_small_says_so(sizes: tuple[int, int], method: str) -> None:
    source = [0] * sizes[0] + [1] * sizes[1]
    posteriors = draw((0.2, 0.3, 0.5), len(source), np.random.default_rng(1))
    m = mentions([0] * len(source), [1] * len(source), source, posteriors=posteriors, brands=1)
    assert Estimates(m, np.ones(2), BALANCED).shares().method[0, 1] == method


def test_weeks_are_compared_by_one_method() -> None:
    """A small week beside a large one: jointly both are sums of probabilities, or the method would be the change."""
    posteriors = draw((0.2, 0.3, 0.5), 300, np.random.default_rng(2))
    m = mentions([0] * 300, [0] * 250 + [1] * 50, [0] * 300, posteriors=posteriors, brands=1)
    estimates = Estimates(m, np.ones(2), BALANCED)
    assert estimates.shares().method[0].tolist() == ["emq", "probabilities"]
    assert estimates.shares(jointly=True).method[0].tolist() == ["probabilities", "probabilities"]


@pytest.mark.slow
def test_intervals_cover_the_truth() -> None:
    """Of 95% intervals without the allowance for the model's error, in 300 samples of 400 posts by authors of 1 to 8 posts."""
    rng, hits, truth = np.random.default_rng(3), 0, np.array([0.15, 0.35, 0.5])
    for _ in range(300):
        labels_of = rng.dirichlet(truth * 6, 400)
        author = np.repeat(np.arange(400), rng.integers(1, 9, 400))[:400]
        posteriors = np.concatenate([draw(labels_of[a], 1, rng) for a in author])
        m = mentions([0] * 400, [1] * 400, [0] * 400, author=author.tolist(), posteriors=posteriors, brands=1)
        draws = Estimates(m, np.ones(2), BALANCED).shares().draws[:, 0, 1, 0]
        low, high = interval(draws[1:])
        hits += low <= truth[0] <= high
    assert 0.90 <= hits / 300 <= 0.99


def test_the_allowance_for_an_unaudited_model_widens_levels_and_not_changes() -> None:
    shares = np.tile([0.2, 0.3, 0.5], (DRAWS + 1, 1, 2, 1)).astype(float)
    widened = unaudited(shares)
    assert widened[0] == pytest.approx(shares[0])
    assert widened[1:, 0, 0, 0].std() == pytest.approx(0.024, rel=0.1)
    assert (widened[:, 0, 1] - widened[:, 0, 0]) == pytest.approx(np.zeros((DRAWS + 1, 3)))
    assert widened.sum(axis=3) == pytest.approx(np.ones((DRAWS + 1, 1, 2)))


def test_both_definitions_of_net_sentiment() -> None:
    polar, every = net_sentiment(np.array([[0.1, 0.6, 0.3], [0.0, 1.0, 0.0]]))
    assert polar[0] == pytest.approx(0.5)
    assert every == pytest.approx([0.2, 0.0])
    assert np.isnan(polar[1])
