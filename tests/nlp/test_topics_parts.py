"""The parts of discovery, each checked against a slower or an independent computation."""

from collections import Counter
from datetime import date, timedelta
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

from folate.core.errors import InputError
from nlp.text.stopwords import stopwords
from nlp.topics import artefacts, first_story, holidays
from nlp.topics.alarms import Alarm
from nlp.topics.candidates import join_words
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


def author_counts(
    terms: list[list[list[int]]] | np.ndarray, totals: list[list[int]] | np.ndarray
) -> AuthorCounts:
    """Make counts from authors by term, week and stratum, and all authors by week and stratum."""
    return AuthorCounts(csc_array(np.array(terms).reshape(len(terms), -1)), np.array(totals))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12), min_size=2, max_size=8),
    st.integers(1, 4),
)
def test_frequent_ngrams_are_those_that_counting_finds(posts: list[list[int]], least: int) -> None:
    def sequence_of_week(week: int) -> CodeSequence:
        week_posts = posts[week::2]
        continues = [np.array([True] * (len(post) - 1) + [False]) for post in week_posts]
        sizes = [len(post) for post in week_posts]
        post_of_code = np.repeat(np.arange(len(week_posts), dtype=np.int32), sizes)
        codes = np.concatenate([np.array(post, np.int32) for post in week_posts])
        return CodeSequence(codes, np.concatenate(continues), post_of_code)

    levels = frequent_ngrams(sequence_of_week, 2, 4, least, 4)
    search = NgramSearch(levels, [np.ones(len(level.keys), bool) for level in levels])
    occurrences = [list(search.occurrences(sequence_of_week(week))) for week in (0, 1)]
    for n, level in enumerate(levels, start=1):
        weekly = [_count_ngrams(posts[week::2], n) for week in (0, 1)]
        expected = {
            ngram: [count[ngram] * (count[ngram] >= least) for count in weekly]
            for ngram in weekly[0] | weekly[1]
            if max(count[ngram] for count in weekly) >= least
        }
        ngrams = [
            tuple(codes) for codes in ngram_codes(levels, n, np.arange(len(level.keys))).tolist()
        ]
        assert dict(zip(ngrams, level.weekly_counts.tolist(), strict=True)) == expected
        for week in (0, 1):
            starts, rows = occurrences[week][n - 1]
            in_week = {row: weekly[week][ngram] for row, ngram in enumerate(ngrams)}
            assert Counter(rows.tolist()) == +Counter(in_week)
            codes = sequence_of_week(week).codes
            for start, row in zip(starts, rows, strict=True):
                assert tuple(codes[start : start + n]) == ngrams[row]


def _count_ngrams(posts: list[list[int]], n: int) -> Counter[tuple[int, ...]]:
    counts: Counter[tuple[int, ...]] = Counter()
    for post in posts:
        counts.update(tuple(post[i : i + n]) for i in range(len(post) - n + 1))
    return counts


@given(st.lists(st.integers(-5, 5)))
def test_distinct_is_sorted_and_without_repeats(keys: list[int]) -> None:
    assert sorted_unique(np.array(keys, np.int64)).tolist() == sorted(set(keys))


def test_the_score_is_the_upper_tail_of_the_posterior_predictive() -> None:
    counts = author_counts([[[3], [1], [12]]], [[100], [100], [100]])
    result = score_terms(counts, 2, EXACT, min_authors=5, min_gain=2.0)
    shape = 4.5  # four authors in two weeks, and the half of Jeffreys' prior
    mean = shape / 2
    tail = nbinom.sf(11, shape, shape / (shape + mean))
    assert result.expected[0] == pytest.approx(mean)
    assert result.scores[0] == pytest.approx(-np.log10(tail))


@pytest.mark.parametrize(("now", "passes"), [(4, False), (5, True)])
def test_too_few_authors_score_nothing(now: int, passes: bool) -> None:
    counts = author_counts([[[0], [0], [now]]], [[100], [100], [100]])
    result = score_terms(counts, 2, EXACT, min_authors=5, min_gain=2.0)
    assert bool(result.scores[0] > 0) is passes


def test_too_small_a_gain_scores_nothing() -> None:
    counts = author_counts([[[400], [400], [700]]], [[9000], [9000], [9000]])
    assert score_terms(counts, 2, EXACT, min_authors=5, min_gain=2.0).scores[0] == 0


def test_a_source_that_was_down_changes_no_expectation() -> None:
    steady = author_counts([[[10, 20], [10, 20], [10, 20]]], [[100, 100], [100, 100], [100, 100]])
    down = author_counts([[[10, 0], [10, 20], [10, 20]]], [[100, 0], [100, 100], [100, 100]])
    usual = score_terms(steady, 2, EXACT, 5, 2.0).expected[0]
    with_gap = score_terms(down, 2, EXACT, 5, 2.0).expected[0]
    assert with_gap == pytest.approx(usual, rel=0.08)  # the pooled share moves a little


def test_authors_of_a_new_source_are_set_aside_unless_asked_for() -> None:
    counts = author_counts([[[2, 0], [2, 0], [2, 40]]], [[100, 0], [100, 0], [100, 50]])
    without = score_terms(counts, 2, EXACT, 5, 2.0, include_new_sources=False)
    included = score_terms(counts, 2, EXACT, 5, 2.0, include_new_sources=True)
    assert (without.observed[0], included.observed[0]) == (2, 42)
    assert without.scores[0] == 0
    assert included.scores[0] > 10


def _draw_counts(alpha: float) -> AuthorCounts:
    random = np.random.default_rng(3)
    means = np.exp(random.uniform(np.log(20), np.log(200), 400))
    factors = random.gamma(1 / alpha, alpha, (400, 9)) if alpha else np.ones((400, 9))
    rates = means[:, None] * factors
    return author_counts(random.poisson(rates)[:, :, None], np.full((9, 1), 20_000))


@pytest.mark.parametrize("alpha", [0.0, 0.2])
def test_dispersion_is_recovered(alpha: float) -> None:
    estimate = estimate_dispersion(_draw_counts(alpha)).for_counts(np.array([600.0]))[0]
    assert estimate == pytest.approx(alpha, abs=0.06)


def test_a_quiet_week_passes_the_threshold_as_often_as_is_tolerated() -> None:
    random = np.random.default_rng(5)
    passed = 0
    for _ in range(100):
        counts = author_counts(random.poisson(2.0, (400, 9, 1)), np.full((9, 1), 1500))
        threshold = fit_null_distribution(counts, EXACT, 5, 2.0).threshold(0.2)
        passed += int((score_terms(counts, 8, EXACT, 5, 2.0).scores > threshold).sum())
    assert passed <= 30


def test_one_week_of_real_news_in_the_baseline_does_not_set_the_threshold() -> None:
    quiet = np.random.default_rng(7).poisson(2.0, (400, 9, 1))
    loud = quiet.copy()
    loud[0, 4] = 150
    quiet_threshold, loud_threshold = (
        fit_null_distribution(
            author_counts(authors, np.full((9, 1), 1500)), EXACT, 5, 2.0
        ).threshold(0.2)
        for authors in (quiet, loud)
    )
    assert loud_threshold < quiet_threshold + 1


def test_the_null_is_gumbels() -> None:
    null = NullDistribution(3.0, 0.5)
    assert null.tail_probability(4.0) == pytest.approx(gumbel_r.sf(4.0, 3.0, 0.5))
    assert null.tail_probability(null.threshold(0.2)) == pytest.approx(1 - np.exp(-0.2))


@pytest.mark.parametrize(
    ("terms", "first", "holiday"),
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
        (["五仁月饼"], date(2035, 9, 10), "中秋"),
        (["年货"], date(2037, 1, 19), "春节"),
        (["腊八粥"], date(2027, 1, 4), "腊八"),
    ],
)
def test_seasons(terms: list[str], first: date, holiday: str | None) -> None:
    last = first + timedelta(days=7)
    assert holidays.nearby_holiday(terms, first, last) == holiday


LUNAR_HOLIDAYS = ("春节", "元宵", "端午", "七夕", "中秋", "重阳")
LUNAR_DAYS = {  # month.day of LUNAR_HOLIDAYS; to 2030 as published, after that of this calendar
    2015: "2.19 3.5 6.20 8.20 9.27 10.21",
    2016: "2.8 2.22 6.9 8.9 9.15 10.9",
    2017: "1.28 2.11 5.30 8.28 10.4 10.28",
    2018: "2.16 3.2 6.18 8.17 9.24 10.17",
    2019: "2.5 2.19 6.7 8.7 9.13 10.7",
    2020: "1.25 2.8 6.25 8.25 10.1 10.25",
    2021: "2.12 2.26 6.14 8.14 9.21 10.14",
    2022: "2.1 2.15 6.3 8.4 9.10 10.4",
    2023: "1.22 2.5 6.22 8.22 9.29 10.23",
    2024: "2.10 2.24 6.10 8.10 9.17 10.11",
    2025: "1.29 2.12 5.31 8.29 10.6 10.29",
    2026: "2.17 3.3 6.19 8.19 9.25 10.18",
    2027: "2.6 2.20 6.9 8.8 9.15 10.8",
    2028: "1.26 2.9 5.28 8.26 10.3 10.26",
    2029: "2.13 2.27 6.16 8.16 9.22 10.16",
    2030: "2.3 2.17 6.5 8.5 9.12 10.5",
    2031: "1.23 2.6 6.24 8.24 10.1 10.24",
    2032: "2.11 2.25 6.12 8.12 9.19 10.12",
    2033: "1.31 2.14 6.1 8.1 9.8 10.1",
    2034: "2.19 3.5 6.20 8.20 9.27 10.20",
    2035: "2.8 2.22 6.10 8.10 9.16 10.9",
    2036: "1.28 2.11 5.30 8.28 10.4 10.27",
    2037: "2.15 3.1 6.18 8.17 9.24 10.17",
    2038: "2.4 2.18 6.7 8.7 9.13 10.7",
    2039: "1.24 2.7 5.27 8.26 10.2 10.26",
    2040: "2.12 2.26 6.14 8.14 9.20 10.14",
}


@pytest.mark.parametrize("year", LUNAR_DAYS)
def test_lunar_holidays_are_on_their_days(year: int) -> None:
    days = holidays.lunar_holidays(year)
    assert [f"{days[name].month}.{days[name].day}" for name in LUNAR_HOLIDAYS] == LUNAR_DAYS[
        year
    ].split()


def test_laba_falls_into_the_next_january() -> None:
    assert holidays.lunar_holidays(2025)["腊八"] == date(2026, 1, 26)


@pytest.mark.parametrize("year", [1899, 2100])
def test_a_year_outside_of_the_lunar_calendar_is_named_in_one_sentence(year: int) -> None:
    with pytest.raises(InputError, match=f"from 1900 to 2099, got {year}"):
        holidays.lunar_holidays(year)
    note = holidays.lunar_calendar_note(date(year, 9, 14))
    assert note is not None
    assert f"topics of {year} were not checked" in note
    assert holidays.lunar_calendar_note(date(2099, 12, 31)) is None


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
    vocabulary = pa.array(sorted(words))
    n = len(words)

    def sequence_of_week(_: int) -> CodeSequence:
        codes = pc.index_in(pa.array(words), vocabulary).to_numpy().astype(np.int32)
        return CodeSequence(codes, np.arange(n) < n - 1, np.zeros(n, np.int32))

    levels = frequent_ngrams(sequence_of_week, 1, n, 1, n)
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
    term_authors = [[5 * n // 100, 0] for n, _ in base[:-1]] + [[20, 0]]
    factors = artefacts.decompose_rise(author_counts([term_authors], base), 0)
    assert {name: factors[name] for name in rise} == pytest.approx(rise)
    product = np.prod([factors[name] for name in ("coverage", "volume", "share")], dtype=float)
    assert product == pytest.approx(20 / 5)


def test_a_rise_from_nothing_has_no_ratio() -> None:
    assert (
        artefacts.decompose_rise(author_counts([[[0]] * 8 + [[9]]], [[100]] * 9), 0)["share"]
        is None
    )


@pytest.mark.parametrize(
    ("authors", "total_authors", "recurs"),
    [
        ([1, 0, 2, 1, 0, 0, 30, 12, 0], [500] * 9, True),
        ([9, 8, 9, 10, 8, 9, 10, 9, 8], [500] * 9, False),
        ([0, 0, 0, 0, 0, 0, 4, 0, 0], [500] * 9, False),
        ([0, 0, 0, 0, 0, 0, 30, 12, 0], [0] * 4 + [500] * 5, False),
        ([9, 8, 9, 10, 18, 18, 18, 18, 18], [500] * 4 + [1000] * 5, False),
    ],
)
def test_what_rose_in_the_same_weeks_of_an_earlier_year_recurs(
    authors: list[int], total_authors: list[int], recurs: bool
) -> None:
    assert holidays.recurs_yearly(authors, total_authors, min_authors=5, min_gain=2.0) is recurs


def test_what_stands_of_an_explained_topic_leads_the_rest() -> None:
    """A campaign led by a common word is not hidden when only that word is explained away."""
    better, word, coupon, lone = (
        cast("Alarm", SimpleNamespace(term_index=term)) for term in range(4)
    )
    posts = {0: [1, 2, 3], 1: [2, 3, 7, 8], 2: [7, 8], 3: [1, 3]}
    groups = [
        AlarmGroup((better,), frozenset(posts[0])),
        AlarmGroup((word, coupon), frozenset(posts[1])),
        AlarmGroup((lone,), frozenset(posts[3])),
    ]
    margins = {1: -1.0, 2: 2.0, 3: -1.0}
    first, second = explain_away(
        groups, lambda alarm, _: margins[alarm.term_index], lambda term: np.array(posts[term])
    )
    assert (second.alarms, second.posts) == ((coupon,), frozenset({7, 8}))
    assert first.explained_alarms == (word, lone)
