"""Detection of alarms: every candidate term is tested in all posts and in each brand's posts."""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import false_discovery_control

from folate.core.config import Brand, Topics
from nlp.topics.candidates import CandidateTerms
from nlp.topics.stream import Bools, Codes, Ints, PostStream
from nlp.topics.surprise import (
    AuthorCounts,
    Dispersion,
    NullDistribution,
    TermScores,
    count_authors,
    estimate_dispersion,
    fit_null_distribution,
    negative_binomial_scores,
    score_terms,
)

# The scope of all posts; the other scopes are named by the id of their brand.
ALL_POSTS = ""
# Weeks of baseline that a test needs: with fewer there are no two weeks to compare a third with.
MIN_BASELINE_WEEKS = 3


@dataclass(frozen=True)
class ScopeTest:
    """The test of all terms in one scope.

    Terms are scored twice: clean, without copies and without sources that have no baseline; and
    raw, with all posts as published.
    """

    scope: str
    # Whether each post belongs to the scope.
    in_scope: Bools
    # Of the clean posts.
    counts: AuthorCounts
    clean_scores: TermScores
    raw_scores: TermScores
    null_distribution: NullDistribution
    threshold: float
    # Number of terms with enough authors and gain to raise an alarm.
    tested_terms: int


@dataclass(frozen=True)
class Alarm:
    """A term above the threshold, in the scope where its margin is largest."""

    term_index: int
    # Whether it is above the threshold without copies and new sources.
    is_clean: bool
    score: float
    # Score less threshold.
    margin: float
    scope_test: ScopeTest
    # All scopes where it is above the threshold.
    scopes: tuple[str, ...]

    @property
    def term_scores(self) -> TermScores:
        return self.scope_test.clean_scores if self.is_clean else self.scope_test.raw_scores

    @property
    def authors(self) -> int:
        return int(self.term_scores.observed[self.term_index])


def run_scope_tests(
    candidates: CandidateTerms, brands: tuple[Brand, ...], settings: Topics
) -> tuple[list[ScopeTest], Codes]:
    """Test all terms in every scope with `MIN_BASELINE_WEEKS` weeks of baseline.

    The dispersion of all posts is used in every scope. Also returns the first post of each term.
    """
    stream = candidates.stream
    scope_masks = {ALL_POSTS: np.ones(len(stream), bool)}
    for brand in brands:
        scope_masks[brand.id] = stream.mentions_brand(brand.id)
    count_masks = []
    for in_scope in scope_masks.values():
        count_masks += [in_scope & stream.is_original, in_scope]
    counts, first_posts = count_authors(candidates, count_masks)
    dispersion = estimate_dispersion(counts[0])
    tests = []
    for i, (scope, in_scope) in enumerate(scope_masks.items()):
        clean = counts[2 * i]
        raw = counts[2 * i + 1]
        if len(clean.baseline_weeks) >= MIN_BASELINE_WEEKS:
            tests.append(
                _test_scope(scope, in_scope, clean, raw, dispersion=dispersion, settings=settings)
            )
    return tests, first_posts


def _test_scope(
    scope: str,
    in_scope: Bools,
    clean: AuthorCounts,
    raw: AuthorCounts,
    *,
    dispersion: Dispersion,
    settings: Topics,
) -> ScopeTest:
    week = len(clean.totals) - 1
    min_authors = settings.min_authors
    min_gain = settings.min_gain
    null_distribution = fit_null_distribution(clean, dispersion, min_authors, min_gain)
    clean_scores = score_terms(clean, week, dispersion, min_authors, min_gain)
    raw_scores = score_terms(raw, week, dispersion, min_authors, min_gain, include_new_sources=True)
    return ScopeTest(
        scope=scope,
        in_scope=in_scope,
        counts=clean,
        clean_scores=clean_scores,
        raw_scores=raw_scores,
        null_distribution=null_distribution,
        threshold=null_distribution.threshold(settings.false_terms),
        tested_terms=int((clean_scores.scores > 0).sum()),
    )


class _Hit(NamedTuple):
    """A term above the threshold of one scope. The order of the fields is that of preference."""

    is_clean: bool
    margin: float
    score: float
    # The negated position of the test, so that the first scope is preferred.
    negated_index: int


def find_alarms(tests: list[ScopeTest], terms: tuple[str, ...]) -> list[Alarm]:
    """Return the terms above the threshold of some scope.

    Clean ones come first, then the order is by margin, authors and name.
    """
    hits_by_term: dict[int, list[_Hit]] = defaultdict(list)
    for i, test in enumerate(tests):
        for term_scores, is_clean in ((test.clean_scores, True), (test.raw_scores, False)):
            for term in map(int, np.flatnonzero(term_scores.scores > test.threshold)):
                score = float(term_scores.scores[term])
                hits_by_term[term].append(_Hit(is_clean, score - test.threshold, score, -i))
    alarms = []
    for term, hits in hits_by_term.items():
        best = max(hits)
        scopes = {tests[-hit.negated_index].scope for hit in hits if hit.is_clean == best.is_clean}
        alarms.append(
            Alarm(
                term_index=term,
                is_clean=best.is_clean,
                score=best.score,
                margin=best.margin,
                scope_test=tests[-best.negated_index],
                scopes=tuple(sorted(scopes)),
            )
        )
    return sorted(
        alarms, key=lambda a: (not a.is_clean, -a.margin, -a.authors, terms[a.term_index])
    )


def margin_without_posts(
    alarm: Alarm, term_posts: Codes, excluded_posts: Ints, stream: PostStream, settings: Topics
) -> float:
    """Return the margin of an alarm without the authors it only has in `excluded_posts`.

    `term_posts` are the posts of the alarm's term, `excluded_posts` those of better topics.
    """
    is_counted = alarm.scope_test.in_scope[term_posts]
    if alarm.is_clean:
        is_counted = is_counted & stream.is_original[term_posts]
    counted = term_posts[is_counted]
    remaining = counted[~np.isin(counted, excluded_posts)]
    all_authors = np.unique(stream.author_codes[counted])
    remaining_authors = np.unique(stream.author_codes[remaining])
    lost = len(all_authors) - len(remaining_authors)
    term_scores = alarm.term_scores
    term = [alarm.term_index]
    score = negative_binomial_scores(
        term_scores.observed[term] - lost,
        term_scores.expected[term],
        term_scores.nb_size[term],
        settings.min_authors,
        settings.min_gain,
    )
    return float(score[0]) - alarm.scope_test.threshold


def q_values(leading_alarms: list[Alarm], tests: list[ScopeTest]) -> list[float]:
    """Return the Benjamini-Hochberg q-value of each topic, by its leading alarm.

    The p-value is the probability that a quiet week reaches the score in the alarm's scope. A scope
    without a leading alarm counts as one test, with its highest score.
    """
    if not leading_alarms:
        return []
    p_values = [
        alarm.scope_test.null_distribution.tail_probability(alarm.score) for alarm in leading_alarms
    ]
    alarmed_scopes = {alarm.scope_test.scope for alarm in leading_alarms}
    for test in tests:
        if test.scope not in alarmed_scopes:
            best_score = float(test.clean_scores.scores.max(initial=0.0))
            p_values.append(test.null_distribution.tail_probability(best_score))
    return [float(q) for q in false_discovery_control(p_values)[: len(leading_alarms)]]
