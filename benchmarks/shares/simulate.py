"""Weeks drawn from labelled texts at a known mix of labels, and estimates of their shares."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.shares.rivals import DysQuantifier, KdeyQuantifier
from folate.core.weeks import Week
from folate.pipeline.audit import stratified_sample_indices
from nlp.stats.domains import DomainErrors
from nlp.stats.estimation import Floats, Ints, emq_prevalences, percentile_interval, wilson_interval
from reports.measures.estimates import Estimates
from reports.measures.mentions import BrandMentions
from training.quantify import LabelledDomain, draw_rows, label_shares

POSTS_PER_WEEK = 600  # of one week
NEGATIVE_SHARE_PAIRS = (
    (0.05, 0.1),
    (0.1, 0.3),
    (0.2, 0.1),
    (0.2, 0.4),
    (0.35, 0.5),
    (0.5, 0.3),
)  # negative: of a week and of the one after
COUNTING, MEAN, EMQ, MAP, KDEY, DYS = (
    "counting the labels",
    "mean of the probabilities",
    "EMQ",
    "MAP, a pseudo-count a post",
    "KDEy-ML",
    "DyS-like",
)
OURS, OURS_WHERE_GIVEN = "ours, unaudited", "  where a figure is given"
RANDOM_50, STRATIFIED_50, RANDOM_100, STRATIFIED_CARRIED = (
    "50 labels at random",
    "50 labels by strata",
    "100 labels at random",
    "50 by strata, a week later",
)
METHODS = (
    COUNTING,
    MEAN,
    EMQ,
    MAP,
    KDEY,
    DYS,
    OURS,
    OURS_WHERE_GIVEN,
    RANDOM_50,
    STRATIFIED_50,
    RANDOM_100,
    STRATIFIED_CARRIED,
)


@dataclass(frozen=True)
class ShareEstimate:
    """What one method said of one share of one week; no bounds where the method has none."""

    method: str
    dataset: str
    domain: str
    truth: float
    value: float
    low: float | None = None
    high: float | None = None


DrawnWeek = tuple[Floats, Ints]  # posteriors and labels of one week


def simulate_weeks(
    domain: LabelledDomain,
    others: Sequence[LabelledDomain],
    errors: DomainErrors,
    prior: Floats,
    rng: np.random.Generator,
) -> Iterator[ShareEstimate]:
    """Simulate a week of each mix, and estimate its shares by every method.

    `others` are the domains of other sets, on which `errors` was fitted.
    """
    now = [_week(domain, negative, rng) for negative, _ in NEGATIVE_SHARE_PAIRS]
    later = [_week(domain, negative, rng) for _, negative in NEGATIVE_SHARE_PAIRS]
    for method, answer in _references(others, prior).items():
        for posteriors, labels in now:
            for at, (truth, value) in enumerate(
                zip(label_shares(labels), answer(posteriors), strict=True)
            ):
                held = (
                    wilson_interval(round(value * POSTS_PER_WEEK), POSTS_PER_WEEK)
                    if method == COUNTING
                    else (None, None)
                )
                yield ShareEstimate(
                    method, domain.dataset, f"{domain.name} {at}", truth, float(value), *held
                )
    both = _mentions(now, later)
    unaudited = Estimates(_mentions(now), np.ones(1), errors)
    yield from _said(OURS, domain, unaudited, now, 0)
    for place, week in enumerate(now):
        if not unaudited.unmeasurable[place, 0]:
            yield from _of_week(
                OURS_WHERE_GIVEN, domain, unaudited.sentiment_levels[:, place, 0], week
            )
    for method, labels, by_strata in (
        (RANDOM_50, 50, False),
        (STRATIFIED_50, 50, True),
        (RANDOM_100, 100, False),
    ):
        audited = Estimates(_audited(both, now, labels, by_strata, rng), np.ones(1), errors)
        yield from _said(method, domain, audited, now, 0)
        if method == STRATIFIED_50:
            yield from _said(STRATIFIED_CARRIED, domain, audited, later, 1)


def _references(
    others: Sequence[LabelledDomain], prior: Floats
) -> dict[str, Callable[[Floats], Floats]]:
    """The methods that give no interval but counting, by name."""
    rows, labels = (
        np.concatenate([each.posteriors for each in others]),
        np.concatenate([each.labels for each in others]),
    )
    return {
        COUNTING: lambda posteriors: label_shares(posteriors.argmax(axis=1)),
        MEAN: lambda posteriors: posteriors.mean(axis=0),
        EMQ: lambda posteriors: emq_prevalences(posteriors, prior),
        MAP: lambda posteriors: emq_prevalences(posteriors, prior, prior_strength=1.0),
        KDEY: KdeyQuantifier(rows, labels),
        DYS: DysQuantifier(rows, labels),
    }


def _said(
    method: str,
    domain: LabelledDomain,
    estimates: Estimates,
    weeks: Sequence[DrawnWeek],
    place: int,
) -> Iterator[ShareEstimate]:
    for brand, week in enumerate(weeks):
        yield from _of_week(method, domain, estimates.sentiment_levels[:, brand, place], week)


def _of_week(
    method: str, domain: LabelledDomain, draws: Floats, week: DrawnWeek
) -> Iterator[ShareEstimate]:
    for at, truth in enumerate(label_shares(week[1])):
        yield ShareEstimate(
            method,
            domain.dataset,
            f"{domain.name} {at}",
            truth,
            float(draws[0, at]),
            *percentile_interval(draws[1:, at]),
        )


def _week(domain: LabelledDomain, negative: float, rng: np.random.Generator) -> DrawnWeek:
    rows = rng.permutation(draw_rows(domain.labels, negative, POSTS_PER_WEEK, rng))
    return domain.posteriors[rows], domain.labels[rows]


def _mentions(*weeks: list[DrawnWeek]) -> BrandMentions:
    """Make a brand of each drawn week, with its own source and authors.

    Later lists are later weeks of the same brands.
    """
    every = [
        (brand, week, *weeks[week][brand])
        for brand in range(len(weeks[0]))
        for week in range(len(weeks))
    ]
    sizes = [len(labels) for *_, labels in every]
    brand, week = (np.repeat([each[at] for each in every], sizes) for at in (0, 1))
    size = len(brand)
    nothing = np.full(size, np.nan)
    return BrandMentions(
        tuple(map(str, range(len(weeks[0])))),
        tuple(Week(2026, 1 + at) for at in range(len(weeks))),
        ("x",),
        brand,
        week,
        np.zeros(size, dtype=np.int64),
        np.arange(size, dtype=np.uint64),
        np.ones(size, dtype=bool),
        nothing,
        nothing,
        np.concatenate([each[2] for each in every]),
        np.full(size, -1),
        {},
    )


def _audited(
    mentions: BrandMentions,
    weeks: list[DrawnWeek],
    count: int,
    by_strata: bool,
    rng: np.random.Generator,
) -> BrandMentions:
    """The same after people labelled so many posts of each brand's first week."""
    label = mentions.audit_label.copy()
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
