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

TARGET_TAU = 0.8  # target of the ranking by net sentiment
MIN_TRUE_CHANGE = 0.02  # changes of less than two points are none
LARGE_CHANGE = 0.10  # changes that an arrow should tell
MIN_PRINTED_SHARE = 0.0005  # a smaller share is printed as 0.0 %
NEGATIVE_SHARE_BINS = (
    0.0,
    0.1,
    0.22,
    0.38,
    1.0,
)  # of the negative share: about 5, 15, 30, and 45 or 60 %
TABLE_HEADER = (
    f"{'figures':>8} {'error':>6} {'largest':>8} {'95 % intervals that hold':>30} "
    f"{'width':>6} {'declined':>9}"
)


def render_tables(estimates: Sequence[MeasureEstimate], ranked: Sequence[RankCorrelation]) -> str:
    """The tables of both parts: shares, net sentiment, rankings, changes, and a line a trade."""
    lines: list[str] = []
    for part, title in (
        (SELECTION_PART, "CHOOSE SETS: methods may be chosen on them"),
        (REPORT_PART, "REPORT SETS: nothing was chosen on them"),
    ):
        of_part = [each for each in estimates if each.part == part]
        if not of_part:
            continue
        levels = [each for each in of_part if not isinstance(each, ChangeEstimate)]
        changes = [each for each in of_part if isinstance(each, ChangeEstimate)]
        brands = len({(each.trade, each.brand) for each in levels})
        lines += [f"\n{title}: {len({each.trade for each in levels})} trades, {brands} brands"]
        lines += _shares(levels)
        lines += _net(levels, [each for each in ranked if each.part == part])
        lines += _changes(changes)
        lines += _trades(levels, ranked)
    return "\n".join(lines).lstrip("\n")


def _shares(levels: Sequence[MeasureEstimate]) -> list[str]:
    """Ours and the peers; where ours declines some, the peers also on those that it gives."""
    shares = [each for each in levels if each.measure in SENTIMENT_LABELS]
    lines = ["", f"{'shares':22} {TABLE_HEADER} {'0 or 100':>9}"]
    for method in (*REPORT_METHODS, *PEER_QUANTIFIERS):
        of_method = [each for each in shares if each.method == method]
        target = (
            f"   target: error <= {TARGETS[method][0]}, >= {TARGETS[method][1]} % hold"
            if method in TARGETS
            else ""
        )
        lines.append(f"{method:22} {_accuracy(of_method)} {_wrong_borders(of_method):9}{target}")
    given = {_cell(each) for each in shares if each.method == UNAUDITED and each.value is not None}
    if any(_cell(each) not in given for each in shares):
        lines.append("where the unaudited report gives a share:")
        for method in PEER_QUANTIFIERS:
            of_method = [each for each in shares if each.method == method and _cell(each) in given]
            lines.append(f"{method:22} {_accuracy(of_method)} {_wrong_borders(of_method):9}")
    return [*lines, *_by_level(shares)]


def _cell(estimate: MeasureEstimate) -> tuple[str, str, str, str]:
    return estimate.trade, estimate.brand, estimate.week, estimate.measure


def _wrong_borders(shares: Sequence[MeasureEstimate]) -> int:
    """How many are printed as 0.0 or 100.0 % of which neither the truth is."""
    return sum(
        each.value is not None and _border(each.value) and not _border(each.truth)
        for each in shares
    )


def _border(share: float) -> bool:
    return share < MIN_PRINTED_SHARE or share > 1 - MIN_PRINTED_SHARE


def _by_level(shares: Sequence[MeasureEstimate]) -> list[str]:
    """Error and intervals of the negative share by what it truly is."""
    lines = ["", f"{'negative share':22}" + "".join(f"{method:>28}" for method in REPORT_METHODS)]
    for low, high in pairwise(NEGATIVE_SHARE_BINS):
        within = [
            each for each in shares if each.measure == "negative" and low <= each.truth < high
        ]
        cells = "".join(f"{_brief(within, method):>28}" for method in REPORT_METHODS)
        lines.append(f"{f'{100 * low:.0f} to {100 * high:.0f} %':22}{cells}")
    return lines


def _net(levels: Sequence[MeasureEstimate], ranked: Sequence[RankCorrelation]) -> list[str]:
    lines = []
    for measure in NET_SENTIMENT_MEASURES:
        lines += ["", f"{measure:22} {TABLE_HEADER} {'tau':>6} {'weeks':>6}"]
        for method in (*REPORT_METHODS, *PEER_QUANTIFIERS):
            net = [each for each in levels if each.measure == measure and each.method == method]
            taus = [
                each.tau for each in ranked if each.measure == measure and each.method == method
            ]
            known = [tau for tau in taus if tau is not None]
            tau = (
                f"{np.mean(known):6.2f} {len(known):>3}/{len(taus)}"
                if known
                else f"{'-':>6} {0:>3}/{len(taus)}"
            )
            target = f"   target: tau >= {TARGET_TAU}" if method == UNAUDITED else ""
            lines.append(f"{method:22} {_accuracy(net)} {tau}{target}")
    return lines


def _accuracy(estimates: Sequence[MeasureEstimate]) -> str:
    """Format count, mean and largest error, interval coverage, mean width and declined figures."""
    errors = [100 * abs(each.error) for each in estimates if each.error is not None]
    declined = len(estimates) - len(errors)
    if not errors:
        return f"{len(estimates):8} {'-':>6} {'-':>8} {'-':>30} {'-':>6} {declined:9}"
    widths = [
        100 * (each.high - each.low)
        for each in estimates
        if each.high is not None and each.low is not None
    ]
    width = f"{np.mean(widths):6.1f}" if widths else f"{'-':>6}"
    held = format_share(each.covers_truth for each in estimates)
    return (
        f"{len(estimates):8} {np.mean(errors):6.1f} {max(errors):8.1f} {held:>30} "
        f"{width} {declined:9}"
    )


def format_share(outcomes: Iterable[bool | None]) -> str:
    """A share in percent with Wilson's interval and n, of those outcomes that are known."""
    known = [outcome for outcome in outcomes if outcome is not None]
    if not known:
        return "-"
    low, high = wilson_interval(sum(known), len(known))
    return (
        f"{100 * sum(known) / len(known):.0f} % [{100 * low:.0f}, {100 * high:.0f}] of {len(known)}"
    )


def _changes(changes: Sequence[ChangeEstimate]) -> list[str]:
    """Of the shares: what the arrows to the week before are worth."""
    head = (
        f"{'changes of shares':22} {'figures':>8} {'error':>6} {'intervals that hold':>24} "
        f"{'arrows':>7}"
    )
    lines = ["", f"{head} {'right direction':>24} {'of true changes >= 10 told':>28}"]
    for method in REPORT_METHODS:
        shares = [
            each for each in changes if each.measure in SENTIMENT_LABELS and each.method == method
        ]
        errors = [100 * abs(each.error) for each in shares if each.error is not None]
        error = f"{np.mean(errors):6.1f}" if errors else f"{'-':>6}"
        arrows = [each for each in shares if each.direction != "none"]
        right = format_share(has_right_direction(each) for each in arrows)
        told = format_share(
            has_right_direction(each) for each in shares if abs(each.truth) >= LARGE_CHANGE
        )
        held = format_share(each.covers_truth for each in shares)
        lines.append(
            f"{method:22} {len(shares):8} {error} {held:>24} {len(arrows):7} {right:>24} {told:>28}"
        )
    return lines


def has_right_direction(change: ChangeEstimate) -> bool:
    """Whether the arrow stands and points where the truth went, by LEAST_TRUE or more."""
    if abs(change.truth) < MIN_TRUE_CHANGE:
        return False
    return change.direction == ("up" if change.truth > 0 else "down")


def _trades(levels: Sequence[MeasureEstimate], ranked: Sequence[RankCorrelation]) -> list[str]:
    """A line a trade: error and intervals of the shares by each state, error of the peers, tau."""
    states = "".join(f"{method:>24}" for method in REPORT_METHODS)
    peers = "".join(f"{method.split()[0]:>10}" for method in PEER_QUANTIFIERS)
    lines = [
        "",
        f"{'error, intervals that hold':26} {'posts':>9}{states}{peers} "
        f"{'value - truth, n/0/p':>22} {'tau':>6}",
    ]
    for trade in dict.fromkeys(each.trade for each in levels):
        shares = [
            each for each in levels if each.trade == trade and each.measure in SENTIMENT_LABELS
        ]
        posts = [each.posts for each in shares]
        by_state = "".join(f"{_brief(shares, method):>24}" for method in REPORT_METHODS)
        by_peer = "".join(f"{_error(shares, method):>10}" for method in PEER_QUANTIFIERS)
        bias = " ".join(
            _signed([each for each in shares if each.measure == label and each.method == UNAUDITED])
            for label in SENTIMENT_LABELS
        )
        taus = [
            each.tau
            for each in ranked
            if each.trade == trade
            and each.method == UNAUDITED
            and each.measure == NET_SENTIMENT_MEASURES[0]
        ]
        known = [tau for tau in taus if tau is not None]
        tau = f"{np.mean(known):6.2f}" if known else f"{'-':>6}"
        name = (
            trade
            if any(each.truth for each in shares if each.measure == "neutral")
            else f"{trade}*"
        )
        lines.append(
            f"{name:26} {min(posts):>4}-{max(posts):<4}{by_state}{by_peer} {bias:>22} {tau}"
        )
    return [*lines, "* people had two labels: the true neutral share is 0"]


def _brief(shares: Sequence[MeasureEstimate], method: str) -> str:
    held = [
        each.covers_truth
        for each in shares
        if each.method == method and each.covers_truth is not None
    ]
    return f"{_error(shares, method)}, {sum(held)}/{len(held)}"


def _error(shares: Sequence[MeasureEstimate], method: str) -> str:
    return _mean(
        [abs(each.error) for each in shares if each.method == method and each.error is not None],
        "{:.1f}",
    )


def _signed(estimates: Sequence[MeasureEstimate]) -> str:
    return _mean([each.error for each in estimates if each.error is not None], "{:+.1f}")


def _mean(values: Sequence[float], form: str) -> str:
    return form.format(100 * np.mean(values)) if values else "-"
