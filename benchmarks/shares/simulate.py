"""Weeks drawn from labelled texts at a known mix of labels, and what each method says of their negative share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.shares.domains import Domain
from folate.weeks import Week
from nlp.statistics import Codes, Floats, bootstrap_weights, wilson
from reports.estimates import UNAUDITED_ERROR, Estimates, on_simplex
from reports.rows import Mentions

POSTS = 1000  # of one week
NEGATIVE = (0.05, 0.2, 0.5)  # true shares
AUDITS = (100, 300)  # labels of people
COUNTED, MEAN, EMQ, ALLOWANCE, ELSEWHERE, CARRIED = (
    "counting the labels", "mean of the probabilities", "EMQ", "EMQ, unaudited, as reported", "EMQ, allowance of the other sets",
    f"audit of {AUDITS[0]} in another week",
)  # fmt: skip
METHODS = (COUNTED, MEAN, EMQ, ALLOWANCE, ELSEWHERE, *(f"audit of {labels}" for labels in AUDITS), CARRIED)


@dataclass(frozen=True)
class Outcome:
    """What one method said of one week."""

    method: str
    domain: str
    known: bool
    truth: float
    value: float
    low: float
    high: float


def simulate(domain: Domain, prior: Floats, weeks: int, allowance: float, rng: np.random.Generator) -> Iterator[Outcome]:
    """`weeks` weeks at each of NEGATIVE, by every method. `allowance` is the error of a share that other unseen sets showed.

    The other week of CARRIED has a negative share of half to one and a half times that of the week in question.
    """
    for negative in NEGATIVE:
        drawn = [_week(domain, negative, rng) for _ in range(weeks)]
        before = [_week(domain, negative * rng.uniform(0.5, 1.5), rng) for _ in range(weeks)]
        for method, draws in _answers(drawn, before, prior, allowance):
            for place in range(weeks):
                value, *bounds = draws(place)
                yield Outcome(method, domain.name, domain.known, negative, value, *bounds)


def error_of_emq(domain: Domain, prior: Floats, weeks: int, rng: np.random.Generator) -> float:
    """Root of the mean squared error of the negative share by EMQ, over the same kind of weeks."""
    errors = []
    for negative in NEGATIVE:
        mentions = _mentions([_week(domain, negative, rng) for _ in range(weeks)])
        errors.append(Estimates(mentions, np.ones(1), prior).shares.draws[0, :, 0, 0] - negative)
    return float(np.sqrt(np.mean(np.square(errors))))


Week_ = tuple[Floats, Codes]
Answer = Callable[[int], tuple[float, float, float]]


def _answers(drawn: list[Week_], before: list[Week_], prior: Floats, allowance: float) -> Iterator[tuple[str, Answer]]:
    """Each method's value and interval of the negative share, by the place of the week."""
    mentions = _mentions(drawn)
    alone = Estimates(mentions, np.ones(1), prior)
    emq, noise = alone.shares.draws, alone.correction
    weights = np.vstack([np.ones(POSTS), bootstrap_weights(POSTS)])
    yield COUNTED, lambda place: _counted(drawn[place][0])
    yield MEAN, lambda place: _interval((weights @ drawn[place][0][:, 0]) / weights.sum(axis=1))
    yield EMQ, lambda place: _interval(on_simplex(emq)[:, place, 0, 0])
    yield ALLOWANCE, lambda place: _interval(on_simplex(emq + noise)[:, place, 0, 0])
    yield ELSEWHERE, lambda place: _interval(on_simplex(emq + noise * (allowance / UNAUDITED_ERROR))[:, place, 0, 0])
    for labels in AUDITS:
        audited = Estimates(_labelled(mentions, drawn, labels), np.ones(1), prior)
        level = on_simplex(audited.shares.draws + audited.correction)
        yield f"audit of {labels}", lambda place, level=level: _interval(level[:, place, 0, 0])  # type: ignore[misc]
    both = Estimates(_labelled(_mentions(before, drawn), before, AUDITS[0]), np.ones(1), prior)
    carried = on_simplex(both.shares.draws + both.correction)
    yield CARRIED, lambda place: _interval(carried[:, place, 1, 0])


def _week(domain: Domain, negative: float, rng: np.random.Generator) -> Week_:
    """Posteriors and labels of POSTS texts of the set, drawn at this share of negative; the other labels in the set's own proportion."""
    mix = np.bincount(domain.labels, minlength=3).astype(float)
    mix[1:] *= (1 - negative) / mix[1:].sum()
    mix[0] = negative
    labels = np.repeat(np.arange(3), rng.multinomial(POSTS, mix))
    rng.shuffle(labels)
    rows = np.empty(POSTS, dtype=np.int64)
    for label in np.unique(labels):
        rows[labels == label] = rng.choice(np.flatnonzero(domain.labels == label), (labels == label).sum())
    return domain.posteriors[rows], labels


def _mentions(*weeks: list[Week_]) -> Mentions:
    """A brand a drawn week, with a source and authors of its own; the later lists are later weeks of the same brands."""
    brands, posts = len(weeks[0]), POSTS
    brand, week = np.repeat(np.arange(brands), len(weeks) * posts), np.tile(np.repeat(np.arange(len(weeks)), posts), brands)
    rows = np.concatenate([each[place][0] for place in range(brands) for each in weeks])
    size, nothing = len(brand), np.full(len(brand), np.nan)
    author = (np.tile(np.arange(posts), brands * len(weeks)) + posts * week).astype(np.uint64)
    return Mentions(
        tuple(map(str, range(brands))), tuple(Week(2026, 1 + at) for at in range(len(weeks))), ("x",), brand, week,
        np.zeros(size, dtype=np.int64), author, np.ones(size, dtype=bool), nothing, nothing, rows, np.full(size, -1), {},
    )  # fmt: skip


def _labelled(mentions: Mentions, weeks: list[Week_], labels: int) -> Mentions:
    """The same after people labelled the first posts of each brand, which are in random order."""
    label, each = mentions.label.copy(), len(mentions.label) // len(weeks)
    for place, (_, truth) in enumerate(weeks):
        label[place * each : place * each + labels] = truth[:labels]
    return replace(mentions, label=label)


def _counted(posteriors: Floats) -> tuple[float, float, float]:
    found = int((posteriors.argmax(axis=1) == 0).sum())
    return (found / len(posteriors), *wilson(found, len(posteriors)))


def _interval(draws: Floats) -> tuple[float, float, float]:
    low, high = np.quantile(draws[1:], [0.025, 0.975])
    return float(draws[0]), float(low), float(high)
