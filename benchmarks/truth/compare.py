"""Comparison of reports with labels: shares, net sentiment, changes and rankings of brands."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from benchmarks.truth.project import CountedPosts
from folate.core.labels import SENTIMENT_LABELS
from folate.core.weeks import Week
from nlp.stats.estimation import Floats, emq_prevalences
from reports.measures.estimates import net_sentiment

UNAUDITED = "unaudited"
AUDITED = "audited that week"
CARRIED = "audited another week"
NET_SENTIMENT_MEASURES = ("net_sentiment_polar", "net_sentiment_all")
MEASURES = (*SENTIMENT_LABELS, *NET_SENTIMENT_MEASURES)
# Brands of a ranking at least.
MIN_RANKED_BRANDS = 4
COUNTING = "counting the labels"
MEAN = "mean of probabilities"
EMQ = "EMQ"

CountedPostsByCell = Mapping[tuple[str, Week], CountedPosts]


@dataclass(frozen=True, kw_only=True)
class MeasureEstimate:
    """A measure of a brand and week by one method, beside the truth, all as proportions.

    `value` is None where the report declines to give one; a method without intervals has none.
    `audited` is the week that an audit was of; empty without one.
    """

    trade: str
    part: str
    brand: str
    week: str
    method: str
    audited: str = ""
    measure: str
    posts: int
    truth: float
    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def error(self) -> float | None:
        """The value less the truth."""
        return None if self.value is None else self.value - self.truth

    @property
    def covers_truth(self) -> bool | None:
        """Whether the interval has the truth in it, to the sixth decimal that reports have."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return self.low - 1e-6 <= self.truth <= self.high + 1e-6


@dataclass(frozen=True, kw_only=True)
class ChangeEstimate(MeasureEstimate):
    """A change to the week before, with the arrow that the report draws: "up", "down" or "none"."""

    direction: str


@dataclass(frozen=True, kw_only=True)
class RankCorrelation:
    """Kendall's tau-b of the brands of a week by one method; None with too few values."""

    trade: str
    part: str
    week: str
    method: str
    audited: str
    measure: str
    tau: float | None


def true_measures(shares: Floats) -> dict[str, float]:
    """Compute every measure of MEASURES from shares (3,).

    The net sentiment without polar posts is NaN.
    """
    polar, every = net_sentiment(shares)
    return dict(zip(SENTIMENT_LABELS, shares.tolist(), strict=True)) | {
        NET_SENTIMENT_MEASURES[0]: float(polar),
        NET_SENTIMENT_MEASURES[1]: float(every),
    }


def compare_report(
    document: Mapping[str, Any], counted: CountedPostsByCell, common_fields: Mapping[str, str]
) -> Iterator[MeasureEstimate]:
    """Compare the levels and changes of a report with the labels.

    `common_fields` are the trade, its part, the method and the week of the audit. A measure that
    the report lacks, or has without a value, is one that it declines to give.
    """
    week = Week.parse(document["week"])
    for brand in document["brands"]:
        posts = counted.get((brand["id"], week))
        posts_before = counted.get((brand["id"], week - 1))
        if posts is None:
            continue
        truth = true_measures(posts.true_shares)
        common: dict[str, Any] = {
            **common_fields,
            "brand": brand["id"],
            "week": str(week),
            "posts": len(posts.labels),
        }
        for measure in MEASURES:
            if np.isfinite(truth[measure]):
                yield MeasureEstimate(
                    **common,
                    measure=measure,
                    truth=truth[measure],
                    **_figure_fields(brand["measures"].get(measure)),
                )
        if posts_before:
            truth_before = true_measures(posts_before.true_shares)
            for measure in MEASURES:
                difference = truth[measure] - truth_before[measure]
                change = brand["changes"].get(measure)
                if np.isfinite(difference):
                    direction = (change or {}).get("direction", "none")
                    yield ChangeEstimate(
                        **common,
                        measure=measure,
                        truth=difference,
                        direction=direction,
                        **_figure_fields(change),
                    )


def _figure_fields(figure: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: figure.get(name) if figure else None for name in ("value", "low", "high")}


Quantifier = Callable[[Floats, Floats], Floats]
"""A function of posteriors (n, 3) and a prior (3,) that returns shares (3,)."""

PEER_QUANTIFIERS: dict[str, Quantifier] = {
    COUNTING: lambda posteriors, _: (
        np.bincount(posteriors.argmax(axis=1), minlength=3) / len(posteriors)
    ),
    MEAN: lambda posteriors, _: posteriors.mean(axis=0),
    EMQ: emq_prevalences,
}
"""Simpler methods to estimate the shares of the same posts."""


def compare_peers(
    counted: CountedPostsByCell, prior: Floats, common_fields: Mapping[str, str]
) -> Iterator[MeasureEstimate]:
    """Estimate the levels by each of PEER_QUANTIFIERS on the posteriors of a trade's reports."""
    for (brand, week), posts in counted.items():
        truth = true_measures(posts.true_shares)
        common: dict[str, Any] = {
            **common_fields,
            "brand": brand,
            "week": str(week),
            "posts": len(posts.labels),
        }
        for method, quantify in PEER_QUANTIFIERS.items():
            estimated = true_measures(quantify(posts.posteriors, prior))
            for measure in MEASURES:
                if np.isfinite(truth[measure]):
                    value = estimated[measure] if np.isfinite(estimated[measure]) else None
                    yield MeasureEstimate(
                        **common, method=method, measure=measure, truth=truth[measure], value=value
                    )


def rank_correlations(estimates: list[MeasureEstimate]) -> Iterator[RankCorrelation]:
    """Compare the rankings of brands by net sentiment with the true ones, by trade and week.

    Trades of fewer than MIN_RANKED_BRANDS brands have no ranking.
    """
    cells: dict[tuple[str, ...], list[MeasureEstimate]] = {}
    for estimate in estimates:
        if estimate.measure in NET_SENTIMENT_MEASURES and not isinstance(estimate, ChangeEstimate):
            cell = (
                estimate.trade,
                estimate.part,
                estimate.week,
                estimate.method,
                estimate.audited,
                estimate.measure,
            )
            cells.setdefault(cell, []).append(estimate)
    for (trade, part, week, method, audited, measure), members in cells.items():
        if len(members) >= MIN_RANKED_BRANDS:
            tau = _kendall_tau([estimate for estimate in members if estimate.value is not None])
            yield RankCorrelation(
                trade=trade,
                part=part,
                week=week,
                method=method,
                audited=audited,
                measure=measure,
                tau=tau,
            )


def _kendall_tau(estimates: list[MeasureEstimate]) -> float | None:
    """Return Kendall's tau-b of estimates with values.

    None of fewer than MIN_RANKED_BRANDS; 0 where a method gives all brands the same value.
    """
    if len(estimates) < MIN_RANKED_BRANDS:
        return None
    truths = [estimate.truth for estimate in estimates if estimate.value is not None]
    values = [estimate.value for estimate in estimates if estimate.value is not None]
    tau = float(kendalltau(truths, values).statistic)
    return tau if np.isfinite(tau) else 0.0
