"""The 17 measures of a campaign and its effect: difference in differences against the competitors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nlp.stats.estimation import Floats, Ints
from reports.measures.estimates import ratio
from reports.sections.campaigns.mentions import SUM_NAMES

GROUPS = {
    "reach": ("mentions", "people", "share_of_voice", "new_people", "reach"),
    "engagement": ("engagement", "replies", "reposts", "engaged"),
    "perception": ("net", "positive", "negative", "pickup", "pickup_net"),
    "intent": ("buy", "ask", "complain"),
}
RELATIVE = (
    "mentions",
    "people",
    "reach",
    "engagement",
    "replies",
    "reposts",
)  # their effect is a ratio of ratios less 1
UNCOMPARED_MEASURES = (
    "share_of_voice",
    "new_people",
)  # competitors are in it already, or it says nothing of them: no comparison


@dataclass(frozen=True)
class CampaignSums:
    """Weighted sums (draws, brands, phases, len(SUMS)) and the days of each phase."""

    table: Floats
    days: Ints

    def __getitem__(self, name: str) -> Floats:
        return np.asarray(self.table[..., SUM_NAMES.index(name)])

    def pooled(self, brands: list[int]) -> "CampaignSums":
        """Several brands as one."""
        return CampaignSums(self.table[:, brands].sum(axis=1, keepdims=True), self.days)


def _per_day(name: str) -> Callable[[CampaignSums], Floats]:
    return lambda sums: np.asarray(sums[name] / sums.days)


def _over(part: str, whole: str) -> Callable[[CampaignSums], Floats]:
    return lambda sums: ratio(sums[part], sums[whole])


def _later(shares: Floats) -> Floats:
    """Everybody is new in the first phase of a window: it is left out."""
    return np.concatenate([np.full_like(shares[..., :1], np.nan), shares[..., 1:]], axis=-1)


def _net(positive: str, negative: str) -> Callable[[CampaignSums], Floats]:
    return lambda sums: ratio(sums[positive] - sums[negative], sums[positive] + sums[negative])


MEASURE_FORMULAS: dict[str, Callable[[CampaignSums], Floats]] = {
    "mentions": _per_day("posts"),
    "people": _per_day("people"),
    "share_of_voice": lambda sums: ratio(sums["people"], sums["people"].sum(axis=1, keepdims=True)),
    "new_people": lambda sums: _later(ratio(sums["new_people"], sums["people"])),
    "reach": lambda sums: np.where(sums["followed"] > 0, sums["followers"] / sums.days, np.nan),
    "engagement": _over("acts", "seen"),
    "replies": _over("replies", "seen"),
    "reposts": _over("reposts", "seen"),
    "engaged": _over("engaged", "seen"),
    "net": _net("positive", "negative"),
    "positive": _over("positive", "read"),
    "negative": _over("negative", "read"),
    "pickup": _over("theme", "posts"),
    "pickup_net": _net("theme_positive", "theme_negative"),
    "buy": _over("buy", "judged"),
    "ask": _over("ask", "judged"),
    "complain": _over("complain", "judged"),
}
"""Each as (draws, brands, phases) from Sums."""


def campaign_effect(name: str, sums: CampaignSums, brand: int, phase: int) -> Floats:
    """(draws,): how much more a measure of the brand moved from the first phase to `phase` than that of its competitors together.

    Counts: ratio of ratios less 1. Shares and net sentiment: difference of differences. Without competitors, or for a measure
    that is already relative to them, the brand's own movement.
    """
    ours = MEASURE_FORMULAS[name](sums)[:, brand]
    others = [other for other in range(sums.table.shape[1]) if other != brand]
    theirs = (
        None
        if name in UNCOMPARED_MEASURES or not others
        else MEASURE_FORMULAS[name](sums.pooled(others))[:, 0]
    )
    if name in RELATIVE:
        moved = ratio(ours[:, phase], ours[:, 0])
        return (
            moved - 1 if theirs is None else ratio(moved, ratio(theirs[:, phase], theirs[:, 0])) - 1
        )
    moved = ours[:, phase] - ours[:, 0]
    return moved if theirs is None else np.asarray(moved - (theirs[:, phase] - theirs[:, 0]))
