"""Figures about the authors of a topic, each checked against another way to compute it."""

from collections.abc import Sequence
from math import log

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ttest_ind

from nlp.stats.estimation import newcombe_interval
from nlp.topics import audience_segments, context
from nlp.topics.stream import encode_posts
from tests.nlp.world import WEEKS, World


def make_rows(authors: list[str], **columns: Sequence[object] | pa.Array) -> pa.Table:
    return pa.table(
        {"id": [f"forum:{i}" for i in range(len(authors))], "author": authors} | columns
    )


def test_the_log_odds_ratio_and_its_interval() -> None:
    value, low, high = context.log_odds_ratio(10, 20, 5, 50)
    assert value == pytest.approx(log((10.5 / 10.5) / (5.5 / 45.5)))
    assert (high - low) / 2 == pytest.approx(
        1.96 * (1 / 10.5 + 1 / 10.5 + 1 / 5.5 + 1 / 45.5) ** 0.5
    )


def test_an_author_with_a_post_in_the_topic_is_not_outside_of_it() -> None:
    inside, outside = context.split_by_topic(
        make_rows(["a", "a", "b", "c"]), pa.array(["forum:0", "forum:2"])
    )
    assert (inside["id"].to_pylist(), outside["id"].to_pylist()) == (
        ["forum:0", "forum:2"],
        ["forum:3"],
    )


def make_sentiments(count: int, positive: float, seed: int) -> pa.Table:
    probabilities = np.random.default_rng(seed).beta(8 * positive, 8 * (1 - positive), count)
    return make_rows(
        [f"{seed}-{i}" for i in range(count)],
        positive=probabilities.tolist(),
        negative=(1 - probabilities).tolist(),
    )


def test_the_interval_of_sentiment_is_that_of_a_test_of_means() -> None:
    inside, outside = make_sentiments(40, 0.3, 1), make_sentiments(900, 0.6, 2)
    contrast = context.sentiment_contrast(inside, outside)
    assert contrast is not None
    values = [2 * side["positive"].to_numpy() - 1 for side in (inside, outside)]
    exact = ttest_ind(*values, equal_var=False).confidence_interval()
    assert contrast["difference"] == pytest.approx(values[0].mean() - values[1].mean(), abs=1e-5)
    assert (contrast["low"], contrast["high"]) == pytest.approx((exact.low, exact.high), abs=0.02)


def test_one_author_has_one_feeling_and_too_few_have_none() -> None:
    loud = make_rows(
        ["a"] * 9 + list("bcde"), positive=[0.0] * 9 + [1.0] * 4, negative=[1.0] * 9 + [0.0] * 4
    )
    contrast = context.sentiment_contrast(loud, make_sentiments(50, 0.5, 3))
    assert contrast is not None
    assert contrast["inside"] == pytest.approx(0.6)
    assert context.sentiment_contrast(loud.slice(0, 12), make_sentiments(50, 0.5, 3)) is None
    unannotated = make_rows(list("abcdefg"), positive=[None] * 7, negative=[None] * 7)
    assert context.sentiment_contrast(unannotated, make_sentiments(50, 0.5, 3)) is None


def test_shares_are_of_authors_who_were_judged_and_told_when_they_differ() -> None:
    inside = make_rows(
        [*list("abcdefgh"), "h", "i"],
        aspects=[["health"]] * 7 + [["taste"], ["health", "taste"], None],
    )
    outside = make_rows(
        [f"o{i}" for i in range(40)], aspects=[["health"]] * 4 + [["price"]] * 10 + [[]] * 26
    )
    contrasts = context.share_contrasts(inside, outside, "aspects")
    assert list(contrasts) == ["health"]
    low, high = newcombe_interval(8, 8, 4, 40)
    assert contrasts["health"] == pytest.approx(
        {"inside": 1.0, "outside": 0.1, "difference": 0.9, "low": low, "high": high, "authors": 8},
        abs=1e-6,
    )


def test_a_column_that_nobody_judged_tells_nothing() -> None:
    empty = make_rows(list("abcdef"), aspects=pa.nulls(6, pa.list_(pa.string())))
    assert context.share_contrasts(empty, empty, "aspects") == {}


def test_brands_go_with_a_topic_by_their_odds() -> None:
    inside = make_rows([f"i{i}" for i in range(10)], brands=[["ours"]] * 8 + [["theirs"]] * 2)
    outside = make_rows([f"o{i}" for i in range(100)], brands=[["ours"]] * 20 + [["theirs"]] * 80)
    contrasts = context.odds_contrasts(inside, outside, "brands")
    assert list(contrasts) == ["ours"]
    assert contrasts["ours"]["log_odds"] == pytest.approx(
        context.log_odds_ratio(8, 10, 20, 100)[0], abs=1e-6
    )
    assert contrasts["ours"]["low"] > 0


def test_members_are_sought_among_the_topic_and_some_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audience_segments, "MAX_OTHER_AUTHORS", 30)
    world = World(posts_per_week=60)
    for i in range(12):
        world.plant(["怀孕"], 1, week=3, author=f"m{i}", source="forum")
        world.plant(["叶酸"], 1, author=f"m{i}", source="forum")
    stream = encode_posts(world.table(), WEEKS)
    searched_bodies: list[str] = []

    def find_segments(body: str) -> list[str]:
        searched_bodies.append(body)
        return ["pregnant"] if "怀孕" in body else []

    bodies = stream.bodies(np.arange(len(stream)))
    topic = np.array([post for post, body in enumerate(bodies) if "叶酸" in body])
    others, members = audience_segments.find_segment_members(stream, topic, find_segments)
    assert 20 <= len(others) <= 30
    assert len(searched_bodies) <= len(others) + 2 * 12
    segments = audience_segments.overrepresented_segments(stream, topic, others, members)
    assert segments["pregnant"]["authors"] == 12
    assert segments["pregnant"]["share"] == 1.0
