"""Every candidate tested in every scope: all posts, and the posts of each brand."""

from dataclasses import dataclass

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

ALL_POSTS = ""  # the scope of all posts; the others go by the id of their brand
MIN_BASELINE_WEEKS = 3  # of baseline: with fewer there are no two weeks to compare a third with


@dataclass(frozen=True)
class ScopeTest:
    """One scope: copies and sources without a baseline set aside (`clean`), and everything as published (`raw`)."""

    scope: str
    in_scope: Bools  # which are in the scope
    counts: AuthorCounts  # of the clean posts
    clean_scores: TermScores
    raw_scores: TermScores
    null_distribution: NullDistribution
    threshold: float
    tested_terms: int  # terms with authors enough and gain enough to raise an alarm


@dataclass(frozen=True)
class Alarm:
    """A term above the threshold, in the scope where it stands out most."""

    term_index: int
    is_clean: bool  # still above it when copies and new sources are set aside
    score: float
    margin: float  # score - threshold
    scope_test: ScopeTest
    scopes: tuple[str, ...]  # every scope where it is above the threshold

    @property
    def term_scores(self) -> TermScores:
        return self.scope_test.clean_scores if self.is_clean else self.scope_test.raw_scores

    @property
    def authors(self) -> int:
        return int(self.term_scores.observed[self.term_index])


def run_scope_tests(
    candidates: CandidateTerms, brands: tuple[Brand, ...], settings: Topics
) -> tuple[list[ScopeTest], Codes]:
    """The tests of all scopes that have a baseline of `MIN_WEEKS` weeks, and the first post of each term.

    Dispersion is that of all posts.
    """
    stream = candidates.stream
    scopes = {ALL_POSTS: np.ones(len(stream), bool)} | {
        brand.id: stream.mentions_brand(brand.id) for brand in brands
    }
    counted, first = count_authors(
        candidates,
        [mask for every in scopes.values() for mask in (every & stream.is_original, every)],
    )
    spread = estimate_dispersion(counted[0])
    each = zip(scopes, scopes.values(), counted[::2], counted[1::2], strict=True)
    return [
        _test(*one, spread, settings)
        for one in each
        if len(one[2].baseline_weeks) >= MIN_BASELINE_WEEKS
    ], first


def _test(
    scope: str,
    posts: Bools,
    clean: AuthorCounts,
    raw: AuthorCounts,
    spread: Dispersion,
    settings: Topics,
) -> ScopeTest:
    week, bounds = len(clean.totals) - 1, (settings.min_authors, settings.min_gain)
    law = fit_null_distribution(clean, spread, *bounds)
    now, published = (
        score_terms(clean, week, spread, *bounds),
        score_terms(raw, week, spread, *bounds, include_new_sources=True),
    )
    return ScopeTest(
        scope,
        posts,
        clean,
        now,
        published,
        law,
        law.threshold(settings.false_terms),
        int((now.scores > 0).sum()),
    )


def find_alarms(tests: list[ScopeTest], terms: tuple[str, ...]) -> list[Alarm]:
    """Terms above the threshold of some scope: the clean ones first, then by margin, authors and name."""
    found: dict[int, list[tuple[bool, float, float, int]]] = {}
    for place, test in enumerate(tests):
        for result, clean in ((test.clean_scores, True), (test.raw_scores, False)):
            for term in map(int, np.flatnonzero(result.scores > test.threshold)):
                score = float(result.scores[term])
                found.setdefault(term, []).append((clean, score - test.threshold, score, -place))
    ranked = []
    for term, hits in found.items():
        clean, margin, score, place = max(hits)
        scopes = tuple(sorted({tests[-hit[3]].scope for hit in hits if hit[0] == clean}))
        ranked.append(Alarm(term, clean, score, margin, tests[-place], scopes))
    return sorted(
        ranked, key=lambda a: (not a.is_clean, -a.margin, -a.authors, terms[a.term_index])
    )


def margin_without_posts(
    alarm: Alarm, term_posts: Codes, excluded_posts: Ints, stream: PostStream, settings: Topics
) -> float:
    """The margin of an alarm once the posts of better topics are set aside. `said` are the posts of its term."""
    counted = term_posts[
        alarm.scope_test.in_scope[term_posts]
        & (stream.is_original[term_posts] if alarm.is_clean else True)
    ]
    left = counted[~np.isin(counted, excluded_posts)]
    lost = len(np.unique(stream.author_codes[counted])) - len(np.unique(stream.author_codes[left]))
    now, term = alarm.term_scores, [alarm.term_index]
    score = negative_binomial_scores(
        now.observed[term] - lost,
        now.expected[term],
        now.nb_size[term],
        settings.min_authors,
        settings.min_gain,
    )
    return float(score[0]) - alarm.scope_test.threshold


def q_values(leading_alarms: list[Alarm], tests: list[ScopeTest]) -> list[float]:
    """Benjamini-Hochberg over the scopes: for each topic's leading alarm the probability that a quiet week reaches its score.

    A scope without an alarm counts as one test, with its highest score.
    """
    p_values = [
        lead.scope_test.null_distribution.tail_probability(lead.score) for lead in leading_alarms
    ]
    heard = {lead.scope_test.scope for lead in leading_alarms}
    silent = [
        test.null_distribution.tail_probability(float(test.clean_scores.scores.max(initial=0.0)))
        for test in tests
        if test.scope not in heard
    ]
    if not p_values:
        return []
    return [float(q) for q in false_discovery_control(p_values + silent)[: len(p_values)]]
