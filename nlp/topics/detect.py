"""Every candidate tested in every scope: all posts, and the posts of each brand."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from folate.core.config import Brand, Topics
from nlp.topics.candidates import Candidates
from nlp.topics.stream import Bools, Codes, Ints, Stream
from nlp.topics.surprise import (
    Counts,
    Dispersion,
    Null,
    Surprise,
    count,
    dispersion,
    null,
    scores,
    surprise,
)

ALL = ""  # the scope of all posts; the others go by the id of their brand
MIN_WEEKS = 3  # of baseline: with fewer there are no two weeks to compare a third with


@dataclass(frozen=True)
class Test:
    """One scope: copies and sources without a baseline set aside (`clean`), and everything as published (`raw`)."""

    scope: str
    posts: Bools  # which are in the scope
    counts: Counts  # of the clean posts
    clean: Surprise
    raw: Surprise
    null: Null
    threshold: float
    tested: int  # terms with authors enough and gain enough to raise an alarm


@dataclass(frozen=True)
class Alarm:
    """A term above the threshold, in the scope where it stands out most."""

    term: int
    clean: bool  # still above it when copies and new sources are set aside
    score: float
    margin: float  # score - threshold
    test: Test
    scopes: tuple[str, ...]  # every scope where it is above the threshold

    @property
    def surprise(self) -> Surprise:
        return self.test.clean if self.clean else self.test.raw

    @property
    def authors(self) -> int:
        return int(self.surprise.observed[self.term])


def run(
    candidates: Candidates, brands: tuple[Brand, ...], settings: Topics
) -> tuple[list[Test], Codes]:
    """The tests of all scopes that have a baseline of `MIN_WEEKS` weeks, and the first post of each term.

    Dispersion is that of all posts.
    """
    stream = candidates.stream
    scopes = {ALL: np.ones(len(stream), bool)} | {
        brand.id: stream.mentions(brand.id) for brand in brands
    }
    counted, first = count(
        candidates, [mask for every in scopes.values() for mask in (every & stream.first, every)]
    )
    spread = dispersion(counted[0])
    each = zip(scopes, scopes.values(), counted[::2], counted[1::2], strict=True)
    return [
        _test(*one, spread, settings) for one in each if len(one[2].baseline) >= MIN_WEEKS
    ], first


def _test(
    scope: str, posts: Bools, clean: Counts, raw: Counts, spread: Dispersion, settings: Topics
) -> Test:
    week, bounds = len(clean.base) - 1, (settings.min_authors, settings.min_gain)
    law = null(clean, spread, *bounds)
    now, published = (
        surprise(clean, week, spread, *bounds),
        surprise(raw, week, spread, *bounds, fresh=True),
    )
    return Test(
        scope,
        posts,
        clean,
        now,
        published,
        law,
        law.threshold(settings.false_terms),
        int((now.score > 0).sum()),
    )


def alarms(tests: list[Test], terms: tuple[str, ...]) -> list[Alarm]:
    """Terms above the threshold of some scope: the clean ones first, then by margin, authors and name."""
    found: dict[int, list[tuple[bool, float, float, int]]] = {}
    for place, test in enumerate(tests):
        for result, clean in ((test.clean, True), (test.raw, False)):
            for term in map(int, np.flatnonzero(result.score > test.threshold)):
                score = float(result.score[term])
                found.setdefault(term, []).append((clean, score - test.threshold, score, -place))
    ranked = []
    for term, hits in found.items():
        clean, margin, score, place = max(hits)
        scopes = tuple(sorted({tests[-hit[3]].scope for hit in hits if hit[0] == clean}))
        ranked.append(Alarm(term, clean, score, margin, tests[-place], scopes))
    return sorted(ranked, key=lambda a: (not a.clean, -a.margin, -a.authors, terms[a.term]))


def without(alarm: Alarm, said: Codes, better: Ints, stream: Stream, settings: Topics) -> float:
    """The margin of an alarm once the posts of better topics are set aside. `said` are the posts of its term."""
    counted = said[alarm.test.posts[said] & (stream.first[said] if alarm.clean else True)]
    left = counted[~np.isin(counted, better)]
    lost = len(np.unique(stream.voice[counted])) - len(np.unique(stream.voice[left]))
    now, term = alarm.surprise, [alarm.term]
    score = scores(
        now.observed[term] - lost,
        now.expected[term],
        now.size[term],
        settings.min_authors,
        settings.min_gain,
    )
    return float(score[0]) - alarm.test.threshold


def q_values(leads: list[Alarm], tests: list[Test]) -> list[float]:
    """Benjamini-Hochberg over the scopes: for each topic's leading alarm the probability that a quiet week reaches its score.

    A scope without an alarm counts as one test, with its highest score.
    """
    p_values = [lead.test.null.tail(lead.score) for lead in leads]
    heard = {lead.test.scope for lead in leads}
    silent = [
        test.null.tail(float(test.clean.score.max(initial=0.0)))
        for test in tests
        if test.scope not in heard
    ]
    if not p_values:
        return []
    return [float(q) for q in false_discovery_control(p_values + silent)[: len(p_values)]]
