"""Every candidate tested in every scope: all posts, and the posts of each brand."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from folate.config import Brand, Topics
from nlp.topics.candidates import Candidates
from nlp.topics.stream import Bools, Codes, Ints, Stream
from nlp.topics.surprise import Counts, Null, Surprise, count, dispersion, null, strata, surprise

ALL = ""  # the scope of all posts; the others go by the id of their brand
MIN_WEEKS = 3  # of baseline: with fewer there are no two weeks to compare a third with


@dataclass(frozen=True)
class Test:
    """One scope: copies and sources without a baseline set aside (`clean`), and everything as published (`raw`)."""

    scope: str
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


def run(stream: Stream, candidates: Candidates, brands: tuple[Brand, ...], settings: Topics) -> Iterator[Test]:
    """The tests of all scopes that have a baseline of `MIN_WEEKS` weeks. Dispersion is that of all posts."""
    stratum = strata(stream)
    everything = np.ones(len(stream), bool)
    whole = count(candidates.term, candidates.post, len(candidates.terms), stream, stratum, stream.first)
    spread = dispersion(whole, baseline(whole))
    for scope, mask in [(ALL, everything), *((brand.id, stream.mentions(brand.id)) for brand in brands)]:
        clean = whole if scope == ALL else _counts(stream, candidates, stratum, mask & stream.first)
        past = baseline(clean)
        if len(past) < MIN_WEEKS:
            continue
        raw = _counts(stream, candidates, stratum, mask)
        law = null(clean, stream.weeks - 1, past, spread, settings.min_authors, settings.min_gain)
        now = surprise(clean, stream.weeks - 1, past, spread, settings.min_authors, settings.min_gain)
        published = surprise(raw, stream.weeks - 1, past, spread, settings.min_authors, settings.min_gain, fresh=True)
        yield Test(scope, clean, now, published, law, law.threshold(settings.false_terms), int((now.score > 0).sum()))


def _counts(stream: Stream, candidates: Candidates, stratum: Codes, mask: Bools) -> Counts:
    return count(candidates.term, candidates.post, len(candidates.terms), stream, stratum, mask)


def baseline(counts: Counts) -> Ints:
    """The weeks before the last that have any author at all."""
    return np.flatnonzero(counts.base[:-1].sum(axis=1))


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


def q_values(leads: list[Alarm], tests: list[Test]) -> list[float]:
    """Benjamini-Hochberg over the scopes: for each topic's leading alarm the probability that a quiet week reaches its score.

    A scope without an alarm counts as one test, with its highest score.
    """
    p_values = [lead.test.null.tail(lead.score) for lead in leads]
    heard = {lead.test.scope for lead in leads}
    silent = [test.null.tail(float(test.clean.score.max(initial=0.0))) for test in tests if test.scope not in heard]
    if not p_values:
        return []
    return [float(q) for q in false_discovery_control(p_values + silent)[: len(p_values)]]
