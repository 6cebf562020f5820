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

POSTS_PER_WEEK = 600
# Negative shares of a week and of the week after it.
NEGATIVE_SHARE_PAIRS = (
    (0.05, 0.1),
    (0.1, 0.3),
    (0.2, 0.1),
    (0.2, 0.4),
    (0.35, 0.5),
    (0.5, 0.3),
)
COUNTING = "counting the labels"
MEAN = "mean of the probabilities"
EMQ = "EMQ"
MAP = "MAP, a pseudo-count a post"
KDEY = "KDEy-ML"
DYS = "DyS-like"
OURS = "ours, unaudited"
OURS_WHERE_GIVEN = "  where a figure is given"
RANDOM_50 = "50 labels at random"
STRATIFIED_50 = "50 labels by strata"
RANDOM_100 = "100 labels at random"
STRATIFIED_CARRIED = "50 by strata, a week later"
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
    """An estimate of one share of one week by one method; without bounds where it has none."""

    method: str
    dataset: str
    domain: str
    truth: float
    value: float
    low: float | None = None
    high: float | None = None


DrawnWeek = tuple[Floats, Ints]
"""Posteriors (n, 3) and labels (n,) of one week."""


def simulate_weeks(
    domain: LabelledDomain,
    other_domains: Sequence[LabelledDomain],
    errors: DomainErrors,
    prior: Floats,
    rng: np.random.Generator,
) -> Iterator[ShareEstimate]:
    """Simulate a week of each mix, and estimate its shares by every method.

    `other_domains` are the domains of other sets, on which `errors` was fitted.
    """
    now = [_draw_week(domain, negative, rng) for negative, _ in NEGATIVE_SHARE_PAIRS]
    later = [_draw_week(domain, negative, rng) for _, negative in NEGATIVE_SHARE_PAIRS]
    for method, quantify in _peer_quantifiers(other_domains, prior).items():
        for posteriors, labels in now:
            shares = zip(label_shares(labels), quantify(posteriors), strict=True)
            for label, (truth, value) in enumerate(shares):
                bounds = (
                    wilson_interval(round(value * POSTS_PER_WEEK), POSTS_PER_WEEK)
                    if method == COUNTING
                    else (None, None)
                )
                yield ShareEstimate(
                    method, domain.dataset, f"{domain.name} {label}", truth, float(value), *bounds
                )
    both_weeks = _mentions_of_weeks(now, later)
    unaudited = Estimates(_mentions_of_weeks(now), np.ones(1), errors)
    yield from _estimates_by_brand(OURS, domain, unaudited, now, 0)
    for brand, week in enumerate(now):
        if not unaudited.unmeasurable[brand, 0]:
            yield from _week_estimates(
                OURS_WHERE_GIVEN, domain, unaudited.sentiment_levels[:, brand, 0], week
            )
    for method, label_count, by_strata in (
        (RANDOM_50, 50, False),
        (STRATIFIED_50, 50, True),
        (RANDOM_100, 100, False),
    ):
        audited = Estimates(
            _add_audit_labels(both_weeks, now, label_count, by_strata=by_strata, rng=rng),
            np.ones(1),
            errors,
        )
        yield from _estimates_by_brand(method, domain, audited, now, 0)
        if method == STRATIFIED_50:
            yield from _estimates_by_brand(STRATIFIED_CARRIED, domain, audited, later, 1)


def _peer_quantifiers(
    other_domains: Sequence[LabelledDomain], prior: Floats
) -> dict[str, Callable[[Floats], Floats]]:
    """Return the methods of others by name; of them only counting has an interval."""
    rows = np.concatenate([domain.posteriors for domain in other_domains])
    labels = np.concatenate([domain.labels for domain in other_domains])
    return {
        COUNTING: lambda posteriors: label_shares(posteriors.argmax(axis=1)),
        MEAN: lambda posteriors: posteriors.mean(axis=0),
        EMQ: lambda posteriors: emq_prevalences(posteriors, prior),
        MAP: lambda posteriors: emq_prevalences(posteriors, prior, prior_strength=1.0),
        KDEY: KdeyQuantifier(rows, labels),
        DYS: DysQuantifier(rows, labels),
    }


def _estimates_by_brand(
    method: str,
    domain: LabelledDomain,
    estimates: Estimates,
    weeks: Sequence[DrawnWeek],
    week_index: int,
) -> Iterator[ShareEstimate]:
    for brand, week in enumerate(weeks):
        yield from _week_estimates(
            method, domain, estimates.sentiment_levels[:, brand, week_index], week
        )


def _week_estimates(
    method: str, domain: LabelledDomain, draws: Floats, week: DrawnWeek
) -> Iterator[ShareEstimate]:
    for label, truth in enumerate(label_shares(week[1])):
        yield ShareEstimate(
            method,
            domain.dataset,
            f"{domain.name} {label}",
            truth,
            float(draws[0, label]),
            *percentile_interval(draws[1:, label]),
        )


def _draw_week(domain: LabelledDomain, negative: float, rng: np.random.Generator) -> DrawnWeek:
    rows = rng.permutation(draw_rows(domain.labels, negative, POSTS_PER_WEEK, rng))
    return domain.posteriors[rows], domain.labels[rows]


def _mentions_of_weeks(*weeks: list[DrawnWeek]) -> BrandMentions:
    """Make a brand of each drawn week, with its own source and authors.

    Later lists are later weeks of the same brands.
    """
    brand_count = len(weeks[0])
    posteriors: list[Floats] = []
    sizes: list[int] = []
    for brand in range(brand_count):
        for week in weeks:
            week_posteriors, labels = week[brand]
            posteriors.append(week_posteriors)
            sizes.append(len(labels))
    size = sum(sizes)
    missing = np.full(size, np.nan)
    return BrandMentions(
        brands=tuple(map(str, range(brand_count))),
        weeks=tuple(Week(2026, 1 + index) for index in range(len(weeks))),
        sources=("x",),
        brand=np.repeat(np.repeat(np.arange(brand_count), len(weeks)), sizes),
        week=np.repeat(np.tile(np.arange(len(weeks)), brand_count), sizes),
        source=np.zeros(size, dtype=np.int64),
        author=np.arange(size, dtype=np.uint64),
        counted=np.ones(size, dtype=bool),
        rating=missing,
        engagement=missing,
        posteriors=np.concatenate(posteriors),
        audit_label=np.full(size, -1),
        sample_post_ids={},
    )


def _add_audit_labels(
    mentions: BrandMentions,
    weeks: list[DrawnWeek],
    count: int,
    *,
    by_strata: bool,
    rng: np.random.Generator,
) -> BrandMentions:
    """Add the labels of `count` posts of each brand's first week to the mentions."""
    audit_label = mentions.audit_label.copy()
    for brand, (posteriors, truth) in enumerate(weeks):
        rows = np.flatnonzero((mentions.brand == brand) & (mentions.week == 0))
        score = posteriors[:, 2] - posteriors[:, 0]
        chosen = (
            stratified_sample_indices(score, count, rng)
            if by_strata
            else rng.permutation(len(rows))[:count]
        )
        audit_label[rows[chosen]] = truth[chosen]
    return replace(mentions, audit_label=audit_label)
