"""The comparison as tables of plain text, in points of percent."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from benchmarks.truth.compare import (
    AUDITED,
    CARRIED,
    NET_SENTIMENT_MEASURES,
    PEER_QUANTIFIERS,
    UNAUDITED,
    ChangeEstimate,
    MeasureEstimate,
    RankCorrelation,
)
from benchmarks.truth.sets import REPORT_PART, SELECTION_PART
from folate.core.labels import SENTIMENT_LABELS
from nlp.stats.estimation import wilson_interval

REPORT_METHODS = (UNAUDITED, AUDITED, CARRIED)
TARGETS = {UNAUDITED: (5, 90), AUDITED: (3, 92), CARRIED: (5, 90)}
"""Mean error of a share in points, at most, and 95 % intervals that hold in percent, at least."""

# Minimum rank correlation of brands by net sentiment.
TARGET_TAU = 0.8
# Smaller changes count as none.
MIN_TRUE_CHANGE = 0.02
# Changes for which an arrow is expected.
LARGE_CHANGE = 0.10
# A smaller share is printed as 0.0 %.
MIN_PRINTED_SHARE = 0.0005
# Weeks are drawn at about 5, 15, 30, and 45 or 60 % negative.
NEGATIVE_SHARE_BINS = (0.0, 0.1, 0.22, 0.38, 1.0)
TABLE_HEADER = (
    f"{'figures':>8} {'error':>6} {'largest':>8} {'95 % intervals that hold':>30} "
    f"{'width':>6} {'declined':>9}"
)


def render_tables(estimates: Sequence[MeasureEstimate], ranked: Sequence[RankCorrelation]) -> str:
    """Render the tables of both parts: shares, net sentiment, rankings, changes, trades."""
    lines: list[str] = []
    for part, title in (
        (SELECTION_PART, "CHOOSE SETS: methods may be chosen on them"),
        (REPORT_PART, "REPORT SETS: nothing was chosen on them"),
    ):
        part_estimates = [estimate for estimate in estimates if estimate.part == part]
        if not part_estimates:
            continue
        levels = [
            estimate for estimate in part_estimates if not isinstance(estimate, ChangeEstimate)
        ]
        changes = [estimate for estimate in part_estimates if isinstance(estimate, ChangeEstimate)]
        brands = len({(estimate.trade, estimate.brand) for estimate in levels})
        lines += [
            f"\n{title}: {len({estimate.trade for estimate in levels})} trades, {brands} brands"
        ]
        lines += _format_shares(levels)
        lines += _format_net_sentiment(
            levels, [ranking for ranking in ranked if ranking.part == part]
        )
        lines += _format_changes(changes)
        lines += _format_trades(levels, ranked)
    return "\n".join(lines).lstrip("\n")


def _format_shares(levels: Sequence[MeasureEstimate]) -> list[str]:
    """Format the errors of the shares, by method.

    Where our unaudited report declines some shares, the peers are also measured on the others.
    """
    shares = [estimate for estimate in levels if estimate.measure in SENTIMENT_LABELS]
    lines = ["", f"{'shares':22} {TABLE_HEADER} {'0 or 100':>9}"]
    for method in (*REPORT_METHODS, *PEER_QUANTIFIERS):
        method_shares = [estimate for estimate in shares if estimate.method == method]
        target = (
            f"   target: error <= {TARGETS[method][0]}, >= {TARGETS[method][1]} % hold"
            if method in TARGETS
            else ""
        )
        lines.append(_format_share_line(method, method_shares) + target)
    reported_cells = {
        _estimate_cell(estimate)
        for estimate in shares
        if estimate.method == UNAUDITED and estimate.value is not None
    }
    if any(_estimate_cell(estimate) not in reported_cells for estimate in shares):
        lines.append("where the unaudited report gives a share:")
        for method in PEER_QUANTIFIERS:
            method_shares = [
                estimate
                for estimate in shares
                if estimate.method == method and _estimate_cell(estimate) in reported_cells
            ]
            lines.append(_format_share_line(method, method_shares))
    return [*lines, *_format_negative_bins(shares)]


def _estimate_cell(estimate: MeasureEstimate) -> tuple[str, str, str, str]:
    return estimate.trade, estimate.brand, estimate.week, estimate.measure


def _format_share_line(method: str, shares: Sequence[MeasureEstimate]) -> str:
    return f"{method:22} {_format_accuracy(shares)} {_count_wrong_extremes(shares):9}"


def _count_wrong_extremes(shares: Sequence[MeasureEstimate]) -> int:
    """Count the shares that are printed as 0.0 or 100.0 % while the true share is not."""
    return sum(
        estimate.value is not None
        and _is_printed_extreme(estimate.value)
        and not _is_printed_extreme(estimate.truth)
        for estimate in shares
    )


def _is_printed_extreme(share: float) -> bool:
    return share < MIN_PRINTED_SHARE or share > 1 - MIN_PRINTED_SHARE


def _format_negative_bins(shares: Sequence[MeasureEstimate]) -> list[str]:
    """Format error and intervals of the negative share by bins of the true share."""
    lines = ["", f"{'negative share':22}" + "".join(f"{method:>28}" for method in REPORT_METHODS)]
    for low, high in pairwise(NEGATIVE_SHARE_BINS):
        within = [
            estimate
            for estimate in shares
            if estimate.measure == "negative" and low <= estimate.truth < high
        ]
        cells = "".join(
            f"{_format_error_and_coverage(within, method):>28}" for method in REPORT_METHODS
        )
        lines.append(f"{f'{100 * low:.0f} to {100 * high:.0f} %':22}{cells}")
    return lines


def _format_net_sentiment(
    levels: Sequence[MeasureEstimate], ranked: Sequence[RankCorrelation]
) -> list[str]:
    lines = []
    for measure in NET_SENTIMENT_MEASURES:
        lines += ["", f"{measure:22} {TABLE_HEADER} {'tau':>6} {'weeks':>6}"]
        for method in (*REPORT_METHODS, *PEER_QUANTIFIERS):
            net_estimates = [
                estimate
                for estimate in levels
                if estimate.measure == measure and estimate.method == method
            ]
            taus = [
                ranking.tau
                for ranking in ranked
                if ranking.measure == measure and ranking.method == method
            ]
            defined_taus = [tau for tau in taus if tau is not None]
            tau = (
                f"{np.mean(defined_taus):6.2f} {len(defined_taus):>3}/{len(taus)}"
                if defined_taus
                else f"{'-':>6} {0:>3}/{len(taus)}"
            )
            target = f"   target: tau >= {TARGET_TAU}" if method == UNAUDITED else ""
            lines.append(f"{method:22} {_format_accuracy(net_estimates)} {tau}{target}")
    return lines


def _format_accuracy(estimates: Sequence[MeasureEstimate]) -> str:
    """Format count, mean and largest error, interval coverage, mean width and declined figures."""
    errors = [100 * abs(estimate.error) for estimate in estimates if estimate.error is not None]
    declined = len(estimates) - len(errors)
    if not errors:
        return f"{len(estimates):8} {'-':>6} {'-':>8} {'-':>30} {'-':>6} {declined:9}"
    widths = [
        100 * (estimate.high - estimate.low)
        for estimate in estimates
        if estimate.high is not None and estimate.low is not None
    ]
    width = f"{np.mean(widths):6.1f}" if widths else f"{'-':>6}"
    coverage = format_share(estimate.covers_truth for estimate in estimates)
    return (
        f"{len(estimates):8} {np.mean(errors):6.1f} {max(errors):8.1f} {coverage:>30} "
        f"{width} {declined:9}"
    )


def format_share(outcomes: Iterable[bool | None]) -> str:
    """Format the share of true outcomes in percent with Wilson's interval and n.

    Outcomes that are None are left out.
    """
    known_outcomes = [outcome for outcome in outcomes if outcome is not None]
    if not known_outcomes:
        return "-"
    low, high = wilson_interval(sum(known_outcomes), len(known_outcomes))
    share = sum(known_outcomes) / len(known_outcomes)
    return f"{100 * share:.0f} % [{100 * low:.0f}, {100 * high:.0f}] of {len(known_outcomes)}"


def _format_changes(changes: Sequence[ChangeEstimate]) -> list[str]:
    """Format how well the changes of the shares, and their arrows, agree with the true changes."""
    head = (
        f"{'changes of shares':22} {'figures':>8} {'error':>6} {'intervals that hold':>24} "
        f"{'arrows':>7}"
    )
    lines = ["", f"{head} {'right direction':>24} {'of true changes >= 10 told':>28}"]
    for method in REPORT_METHODS:
        shares = [
            estimate
            for estimate in changes
            if estimate.measure in SENTIMENT_LABELS and estimate.method == method
        ]
        errors = [100 * abs(estimate.error) for estimate in shares if estimate.error is not None]
        error = f"{np.mean(errors):6.1f}" if errors else f"{'-':>6}"
        arrows = [estimate for estimate in shares if estimate.direction != "none"]
        right_arrows = format_share(has_right_direction(estimate) for estimate in arrows)
        large_changes = format_share(
            has_right_direction(estimate)
            for estimate in shares
            if abs(estimate.truth) >= LARGE_CHANGE
        )
        coverage = format_share(estimate.covers_truth for estimate in shares)
        lines.append(
            f"{method:22} {len(shares):8} {error} {coverage:>24} {len(arrows):7} "
            f"{right_arrows:>24} {large_changes:>28}"
        )
    return lines


def has_right_direction(change: ChangeEstimate) -> bool:
    """Return whether the arrow has the direction of a true change of `MIN_TRUE_CHANGE` or more."""
    if abs(change.truth) < MIN_TRUE_CHANGE:
        return False
    return change.direction == ("up" if change.truth > 0 else "down")


def _format_trades(
    levels: Sequence[MeasureEstimate], ranked: Sequence[RankCorrelation]
) -> list[str]:
    """Format a line for each trade: errors and intervals by method, errors of the peers, tau."""
    states = "".join(f"{method:>24}" for method in REPORT_METHODS)
    peers = "".join(f"{method.split()[0]:>10}" for method in PEER_QUANTIFIERS)
    lines = [
        "",
        f"{'error, intervals that hold':26} {'posts':>9}{states}{peers} "
        f"{'value - truth, n/0/p':>22} {'tau':>6}",
    ]
    for trade in dict.fromkeys(estimate.trade for estimate in levels):
        shares = [
            estimate
            for estimate in levels
            if estimate.trade == trade and estimate.measure in SENTIMENT_LABELS
        ]
        posts = [estimate.posts for estimate in shares]
        by_state = "".join(
            f"{_format_error_and_coverage(shares, method):>24}" for method in REPORT_METHODS
        )
        by_peer = "".join(
            f"{_format_mean_error(shares, method):>10}" for method in PEER_QUANTIFIERS
        )
        bias = " ".join(
            _format_bias(
                [
                    estimate
                    for estimate in shares
                    if estimate.measure == label and estimate.method == UNAUDITED
                ]
            )
            for label in SENTIMENT_LABELS
        )
        taus = [
            ranking.tau
            for ranking in ranked
            if ranking.trade == trade
            and ranking.method == UNAUDITED
            and ranking.measure == NET_SENTIMENT_MEASURES[0]
        ]
        defined_taus = [tau for tau in taus if tau is not None]
        tau = f"{np.mean(defined_taus):6.2f}" if defined_taus else f"{'-':>6}"
        name = (
            trade
            if any(estimate.truth for estimate in shares if estimate.measure == "neutral")
            else f"{trade}*"
        )
        lines.append(
            f"{name:26} {min(posts):>4}-{max(posts):<4}{by_state}{by_peer} {bias:>22} {tau}"
        )
    return [*lines, "* people had two labels: the true neutral share is 0"]


def _format_error_and_coverage(shares: Sequence[MeasureEstimate], method: str) -> str:
    is_covered = [
        estimate.covers_truth
        for estimate in shares
        if estimate.method == method and estimate.covers_truth is not None
    ]
    return f"{_format_mean_error(shares, method)}, {sum(is_covered)}/{len(is_covered)}"


def _format_mean_error(shares: Sequence[MeasureEstimate], method: str) -> str:
    return _format_mean(
        [
            abs(estimate.error)
            for estimate in shares
            if estimate.method == method and estimate.error is not None
        ],
        "{:.1f}",
    )


def _format_bias(estimates: Sequence[MeasureEstimate]) -> str:
    return _format_mean(
        [estimate.error for estimate in estimates if estimate.error is not None], "{:+.1f}"
    )


def _format_mean(values: Sequence[float], form: str) -> str:
    return form.format(100 * np.mean(values)) if values else "-"
