"""Weeks drawn from labelled texts at a known mix of labels, and what each method says of their shares."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.shares.rivals import Dys, Kdey
from folate.core.weeks import Week
from folate.pipeline.audit import stratified_sample_indices
from nlp.stats.domains import DomainErrors
from nlp.stats.estimation import Codes, Floats, emq, interval, wilson
from reports.measures.estimates import Estimates
from reports.measures.mentions import Mentions
from training.quantify import Domain, rows_at, shares

POSTS = 600  # of one week
MIXES = (
    (0.05, 0.1),
    (0.1, 0.3),
    (0.2, 0.1),
    (0.2, 0.4),
    (0.35, 0.5),
    (0.5, 0.3),
)  # negative: of a week and of the one after
COUNTED, MEAN, EMQ, MAP, KDEY, DYS = (
    "counting the labels", "mean of the probabilities", "EMQ", "MAP, a pseudo-count a post", "KDEy-ML", "DyS-like",
)  # fmt: skip
OURS, GIVEN = "ours, unaudited", "  where a figure is given"
RANDOM, STRATIFIED, MORE, CARRIED = (
    "50 labels at random",
    "50 labels by strata",
    "100 labels at random",
    "50 by strata, a week later",
)
METHODS = (COUNTED, MEAN, EMQ, MAP, KDEY, DYS, OURS, GIVEN, RANDOM, STRATIFIED, MORE, CARRIED)


@dataclass(frozen=True)
class Outcome:
    """What one method said of one share of one week; no bounds where the method has none."""

    method: str
    set: str
    domain: str
    truth: float
    value: float
    low: float | None = None
    high: float | None = None


Drawn = tuple[Floats, Codes]  # posteriors and labels of one week


def simulate(
    domain: Domain,
    others: Sequence[Domain],
    errors: DomainErrors,
    prior: Floats,
    rng: np.random.Generator,
) -> Iterator[Outcome]:
    """One week of each mix by every method. `others` are domains of other sets, which `errors` was fitted on too."""
    now = [_week(domain, negative, rng) for negative, _ in MIXES]
    later = [_week(domain, negative, rng) for _, negative in MIXES]
    for method, answer in _references(others, prior).items():
        for posteriors, labels in now:
            for at, (truth, value) in enumerate(
                zip(shares(labels), answer(posteriors), strict=True)
            ):
                held = wilson(round(value * POSTS), POSTS) if method == COUNTED else (None, None)
                yield Outcome(method, domain.set, f"{domain.name} {at}", truth, float(value), *held)
    both = _mentions(now, later)
    unaudited = Estimates(_mentions(now), np.ones(1), errors)
    yield from _said(OURS, domain, unaudited, now, 0)
    for place, week in enumerate(now):
        if not unaudited.unmeasurable[place, 0]:
            yield from _of_week(GIVEN, domain, unaudited.levels[:, place, 0], week)
    for method, labels, by_strata in (
        (RANDOM, 50, False),
        (STRATIFIED, 50, True),
        (MORE, 100, False),
    ):
        audited = Estimates(_audited(both, now, labels, by_strata, rng), np.ones(1), errors)
        yield from _said(method, domain, audited, now, 0)
        if method == STRATIFIED:
            yield from _said(CARRIED, domain, audited, later, 1)


def _references(others: Sequence[Domain], prior: Floats) -> dict[str, Callable[[Floats], Floats]]:
    """The methods that give no interval but counting, by name."""
    rows, labels = (
        np.concatenate([each.posteriors for each in others]),
        np.concatenate([each.labels for each in others]),
    )
    return {
        COUNTED: lambda posteriors: shares(posteriors.argmax(axis=1)),
        MEAN: lambda posteriors: posteriors.mean(axis=0),
        EMQ: lambda posteriors: emq(posteriors, prior),
        MAP: lambda posteriors: emq(posteriors, prior, pull=1.0),
        KDEY: Kdey(rows, labels),
        DYS: Dys(rows, labels),
    }


def _said(
    method: str, domain: Domain, estimates: Estimates, weeks: Sequence[Drawn], place: int
) -> Iterator[Outcome]:
    for brand, week in enumerate(weeks):
        yield from _of_week(method, domain, estimates.levels[:, brand, place], week)


def _of_week(method: str, domain: Domain, draws: Floats, week: Drawn) -> Iterator[Outcome]:
    for at, truth in enumerate(shares(week[1])):
        yield Outcome(
            method,
            domain.set,
            f"{domain.name} {at}",
            truth,
            float(draws[0, at]),
            *interval(draws[1:, at]),
        )


def _week(domain: Domain, negative: float, rng: np.random.Generator) -> Drawn:
    rows = rng.permutation(rows_at(domain.labels, negative, POSTS, rng))
    return domain.posteriors[rows], domain.labels[rows]


def _mentions(*weeks: list[Drawn]) -> Mentions:
    """A brand a drawn week, with a source and authors of its own; the later lists are later weeks of the same brands."""
    every = [
        (brand, week, *weeks[week][brand])
        for brand in range(len(weeks[0]))
        for week in range(len(weeks))
    ]
    sizes = [len(labels) for *_, labels in every]
    brand, week = (np.repeat([each[at] for each in every], sizes) for at in (0, 1))
    size = len(brand)
    nothing = np.full(size, np.nan)
    return Mentions(
        tuple(map(str, range(len(weeks[0])))), tuple(Week(2026, 1 + at) for at in range(len(weeks))), ("x",), brand, week,
        np.zeros(size, dtype=np.int64), np.arange(size, dtype=np.uint64), np.ones(size, dtype=bool), nothing, nothing,
        np.concatenate([each[2] for each in every]), np.full(size, -1), {},
    )  # fmt: skip


def _audited(
    mentions: Mentions, weeks: list[Drawn], count: int, by_strata: bool, rng: np.random.Generator
) -> Mentions:
    """The same after people labelled so many posts of each brand's first week."""
    label = mentions.label.copy()
    for brand, (posteriors, truth) in enumerate(weeks):
        rows = np.flatnonzero((mentions.brand == brand) & (mentions.week == 0))
        score = posteriors[:, 2] - posteriors[:, 0]
        chosen = (
            stratified_sample_indices(score, count, rng)
            if by_strata
            else rng.permutation(len(rows))[:count]
        )
        label[rows[chosen]] = truth[chosen]
    return replace(mentions, label=label)
