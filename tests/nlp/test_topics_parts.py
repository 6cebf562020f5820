"""The parts of discovery, each against a slower or an independent way to the same answer."""

from collections import Counter
from datetime import date
from types import SimpleNamespace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array
from scipy.stats import gumbel_r, nbinom

from nlp.text.stopwords import stopwords
from nlp.topics import artefacts, first_story, holidays
from nlp.topics.candidates import join_words
from nlp.topics.detect import Alarm
from nlp.topics.grouping import AlarmGroup, explain_away
from nlp.topics.ngrams import CodeSequence, NgramSearch, frequent_ngrams, ngram_codes
from nlp.topics.stream import sorted_unique
from nlp.topics.surprise import (
    AuthorCounts,
    Dispersion,
    NullDistribution,
    estimate_dispersion,
    fit_null_distribution,
    score_terms,
)
from nlp.topics.tracking import term_overlap, topic_id

EXACT = Dispersion(np.zeros(1))


def counts(
    terms: list[list[list[int]]] | np.ndarray, base: list[list[int]] | np.ndarray
) -> AuthorCounts:
    """`terms` by term, week and stratum."""
    return AuthorCounts(csc_array(np.array(terms).reshape(len(terms), -1)), np.array(base))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12), min_size=2, max_size=8),
    st.integers(1, 4),
)
def test_frequent_ngrams_are_those_that_counting_finds(posts: list[list[int]], least: int) -> None:
    def text(week: int) -> CodeSequence:
        mine = posts[week::2]
        joined = [np.array([True] * (len(post) - 1) + [False]) for post in mine]
        owner = np.repeat(np.arange(len(mine), dtype=np.int32), [len(post) for post in mine])
        return CodeSequence(
            np.concatenate([np.array(post, np.int32) for post in mine]),
            np.concatenate(joined),
            owner,
        )

    levels = frequent_ngrams(text, 2, 4, least, 4)
    search = NgramSearch(levels, [np.ones(len(level.keys), bool) for level in levels])
    found = [list(search.occurrences(text(week))) for week in (0, 1)]
    for n, level in enumerate(levels, start=1):
        weekly = [
            Counter(
                tuple(post[i : i + n]) for post in posts[w::2] for i in range(len(post) - n + 1)
            )
            for w in (0, 1)
        ]
        often = {
            gram: [w[gram] for w in weekly]
            for gram in weekly[0] | weekly[1]
            if max(w[gram] for w in weekly) >= least
        }
        grams = [
            tuple(map(int, gram)) for gram in ngram_codes(levels, n, np.arange(len(level.keys)))
        ]
        assert dict(zip(grams, level.weekly_counts.tolist(), strict=True)) == {
            g: [c * (c >= least) for c in w] for g, w in often.items()
        }
        for week in (0, 1):
            at, row = found[week][n - 1]
            assert Counter(row.tolist()) == Counter(
                {i: often[gram][week] for i, gram in enumerate(grams) if often[gram][week]}
            )
            assert all(
                tuple(text(week).codes[a : a + n]) == grams[r] for a, r in zip(at, row, strict=True)
            )


@given(st.lists(st.integers(-5, 5)))
def test_distinct_is_sorted_and_without_repeats(keys: list[int]) -> None:
    assert sorted_unique(np.array(keys, np.int64)).tolist() == sorted(set(keys))


def test_the_score_is_the_upper_tail_of_the_posterior_predictive() -> None:
    one = counts([[[3], [1], [12]]], [[100], [100], [100]])
    found = score_terms(one, 2, EXACT, min_authors=5, min_gain=2.0)
    shape, mean = 4.5, 4.5 / 2  # four authors in two weeks, and the half of Jeffreys' prior
    assert found.expected[0] == pytest.approx(mean)
    assert found.scores[0] == pytest.approx(-np.log10(nbinom.sf(11, shape, shape / (shape + mean))))


@pytest.mark.parametrize(("now", "passes"), [(4, False), (5, True)])
def test_too_few_authors_score_nothing(now: int, passes: bool) -> None:
    found = score_terms(
        counts([[[0], [0], [now]]], [[100], [100], [100]]), 2, EXACT, min_authors=5, min_gain=2.0
    )
    assert bool(found.scores[0] > 0) is passes


def test_too_small_a_gain_scores_nothing() -> None:
    one = counts([[[400], [400], [700]]], [[9000], [9000], [9000]])
    assert score_terms(one, 2, EXACT, min_authors=5, min_gain=2.0).scores[0] == 0


def test_a_source_that_was_down_changes_no_expectation() -> None:
    steady = counts([[[10, 20], [10, 20], [10, 20]]], [[100, 100], [100, 100], [100, 100]])
    down = counts([[[10, 0], [10, 20], [10, 20]]], [[100, 0], [100, 100], [100, 100]])
    expected = [score_terms(c, 2, EXACT, 5, 2.0).expected[0] for c in (steady, down)]
    assert expected[1] == pytest.approx(expected[0], rel=0.08)  # the pooled share moves a little


def test_authors_of_a_new_source_are_set_aside_unless_asked_for() -> None:
    new = counts([[[2, 0], [2, 0], [2, 40]]], [[100, 0], [100, 0], [100, 50]])
    known, fresh = (
        score_terms(new, 2, EXACT, 5, 2.0, include_new_sources=f) for f in (False, True)
    )
    assert (known.observed[0], fresh.observed[0]) == (2, 42)
    assert known.scores[0] == 0
    assert fresh.scores[0] > 10


def _drawn(alpha: float) -> AuthorCounts:
    random = np.random.default_rng(3)
    mean = np.exp(random.uniform(np.log(20), np.log(200), 400))
    rates = mean[:, None] * (
        random.gamma(1 / alpha, alpha, (400, 9)) if alpha else np.ones((400, 9))
    )
    return counts(random.poisson(rates)[:, :, None], np.full((9, 1), 20_000))


@pytest.mark.parametrize("alpha", [0.0, 0.2])
def test_dispersion_is_recovered(alpha: float) -> None:
    found = estimate_dispersion(_drawn(alpha)).for_counts(np.array([600.0]))[0]
    assert found == pytest.approx(alpha, abs=0.06)


def test_a_quiet_week_passes_the_threshold_as_often_as_is_tolerated() -> None:
    random = np.random.default_rng(5)
    passed = 0
    for _ in range(100):
        drawn = counts(random.poisson(2.0, (400, 9, 1)), np.full((9, 1), 1500))
        law = fit_null_distribution(drawn, EXACT, 5, 2.0)
        passed += int((score_terms(drawn, 8, EXACT, 5, 2.0).scores > law.threshold(0.2)).sum())
    assert passed <= 30


def test_one_week_of_real_news_in_the_baseline_does_not_set_the_threshold() -> None:
    quiet = np.random.default_rng(7).poisson(2.0, (400, 9, 1))
    loud = quiet.copy()
    loud[0, 4] = 150
    laws = [
        fit_null_distribution(counts(c, np.full((9, 1), 1500)), EXACT, 5, 2.0)
        for c in (quiet, loud)
    ]
    assert laws[1].threshold(0.2) < laws[0].threshold(0.2) + 1


def test_the_null_is_gumbels() -> None:
    law = NullDistribution(3.0, 0.5)
    assert law.tail_probability(4.0) == pytest.approx(gumbel_r.sf(4.0, 3.0, 0.5))
    assert law.tail_probability(law.threshold(0.2)) == pytest.approx(1 - np.exp(-0.2))


@pytest.mark.parametrize(
    ("terms", "first", "feast"),
    [
        (["五仁月饼"], date(2026, 9, 14), "中秋"),
        (["五仁月饼"], date(2026, 4, 14), None),
        (["Black Friday"], date(2025, 11, 24), "black friday"),
        (["年货"], date(2024, 1, 15), "春节"),
        (["双十一"], date(2027, 11, 1), "双十一"),
        (["valentine"], date(2026, 2, 2), "情人节"),
        (["元旦"], date(2026, 12, 28), "元旦"),
        (["叶酸"], date(2026, 9, 14), None),
        (["mother's day"], date(2026, 5, 4), "母亲节"),
        (["single day deal"], date(2026, 11, 2), "双十一"),
    ],
)
def test_seasons(terms: list[str], first: date, feast: str | None) -> None:
    assert holidays.nearby_holiday(terms, first, date.fromordinal(first.toordinal() + 7)) == feast


@pytest.mark.parametrize(
    ("words", "term"),
    [
        (["folic", "acid"], "folic acid"),
        (["乳", "果糖"], "乳果糖"),
        (["vivo", "手机"], "vivo手机"),
        (["iphone", "15"], "iphone 15"),
        (["black", "friday", "deal"], "black friday deal"),
        (["mother", "'s", "day"], "mother's day"),
    ],
)
def test_words_are_spelled_as_people_write_them(words: list[str], term: str) -> None:
    vocabulary, n = pa.array(sorted(words)), len(words)

    def text(_: int) -> CodeSequence:
        codes = pc.index_in(pa.array(words), vocabulary).to_numpy().astype(np.int32)
        return CodeSequence(codes, np.arange(n) < n - 1, np.zeros(n, np.int32))

    levels = frequent_ngrams(text, 1, n, 1, n)
    assert join_words(levels, n, np.ones(1, bool), vocabulary).to_pylist() == [term]


def test_a_post_joins_the_story_that_it_repeats() -> None:
    words = [
        frozenset("abcd"),
        frozenset("wxyz"),
        frozenset("abce"),
        frozenset("wx"),
        frozenset("q"),
    ]
    assert first_story.assign_stories(range(5), words) == [0, 1, 0, 1, 4]


def test_topics_are_alike_by_their_terms() -> None:
    assert term_overlap(["叶酸", "孕妇"], ["叶酸"]) == 1
    assert term_overlap(["叶酸", "孕妇"], ["备孕", "孕妇", "医生"]) == 0.5
    assert term_overlap([], ["叶酸"]) == 0
    assert (
        topic_id("2026-W14", "叶酸") == topic_id("2026-W14", "叶酸") != topic_id("2026-W15", "叶酸")
    )


def test_stopwords_know_both_languages() -> None:
    assert {"的", "什么", "the", "don't"} <= stopwords()
    assert not {"叶酸", "folic"} & stopwords()


@pytest.mark.parametrize(
    ("base", "rise"),
    [
        ([[100, 100]] * 8 + [[200, 200]], {"coverage": 1.0, "volume": 2.0}),
        ([[100, 0]] * 8 + [[100, 100]], {"coverage": 2.0, "volume": 1.0}),
        ([[100, 100]] * 8 + [[100, 0]], {"coverage": 0.5, "volume": 1.0}),
        ([[100, 100]] * 4 + [[100, 0]] * 4 + [[100, 100]], {"coverage": 200 / 150, "volume": 1.0}),
    ],
)
def test_a_rise_is_coverage_times_volume_times_share(
    base: list[list[int]], rise: dict[str, float]
) -> None:
    term = [[5 * n // 100, 0] for n, _ in base[:-1]] + [[20, 0]]
    found = artefacts.decompose_rise(counts([term], base), 0)
    assert {name: found[name] for name in rise} == pytest.approx(rise)
    assert np.prod(
        [found[name] for name in ("coverage", "volume", "share")], dtype=float
    ) == pytest.approx(20 / 5)


def test_a_rise_from_nothing_has_no_ratio() -> None:
    assert artefacts.decompose_rise(counts([[[0]] * 8 + [[9]]], [[100]] * 9), 0)["share"] is None


@pytest.mark.parametrize(
    ("authors", "everyone", "found"),
    [
        ([1, 0, 2, 1, 0, 0, 30, 12, 0], [500] * 9, True),
        ([9, 8, 9, 10, 8, 9, 10, 9, 8], [500] * 9, False),
        ([0, 0, 0, 0, 0, 0, 4, 0, 0], [500] * 9, False),
        ([0, 0, 0, 0, 0, 0, 30, 12, 0], [0] * 4 + [500] * 5, False),
        ([9, 8, 9, 10, 18, 18, 18, 18, 18], [500] * 4 + [1000] * 5, False),
    ],
)
def test_what_rose_in_the_same_weeks_of_an_earlier_year_recurs(
    authors: list[int], everyone: list[int], found: bool
) -> None:
    assert holidays.recurs_yearly(authors, everyone, min_authors=5, min_gain=2.0) is found


def test_what_stands_of_an_explained_topic_leads_the_rest() -> None:
    """A campaign led by a common word is not hidden when only that word is explained by a better topic."""
    better, word, coupon, lone = (
        cast("Alarm", SimpleNamespace(term_index=term)) for term in range(4)
    )
    posts = {0: [1, 2, 3], 1: [2, 3, 7, 8], 2: [7, 8], 3: [1, 3]}
    groups = [
        AlarmGroup((better,), frozenset(posts[0])),
        AlarmGroup((word, coupon), frozenset(posts[1])),
        AlarmGroup((lone,), frozenset(posts[3])),
    ]
    margin = {1: -1.0, 2: 2.0, 3: -1.0}
    first, second = explain_away(
        groups, lambda alarm, seen: margin[alarm.term_index], lambda term: np.array(posts[term])
    )
    assert (second.alarms, second.posts) == ((coupon,), frozenset({7, 8}))
    assert first.explained_alarms == (word, lone)
