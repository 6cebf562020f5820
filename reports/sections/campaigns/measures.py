"""The measures of a campaign and its effect: difference in differences against the competitors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from folate.core.measures import CAMPAIGN_MEASURES, CampaignMeasure
from nlp.stats.estimation import Floats, Ints
from reports.measures.estimates import ratio
from reports.sections.campaigns.mentions import SUM_NAMES

Formula = Callable[["CampaignSums"], Floats]
"""Computes a measure of every brand and phase, (draws, brands, phases)."""


@dataclass(frozen=True)
class CampaignSums:
    """Weighted sums of brands and phases that all measures of a campaign are computed from."""

    table: Floats
    """(draws, brands, phases, len(SUM_NAMES))."""
    days: Ints
    """Days of each phase."""

    def __getitem__(self, name: str) -> Floats:
        """Return one of SUM_NAMES, (draws, brands, phases)."""
        return np.asarray(self.table[..., SUM_NAMES.index(name)])

    @property
    def brand_count(self) -> int:
        """The number of brands."""
        return int(self.table.shape[1])

    def pool_brands(self, brands: Sequence[int]) -> "CampaignSums":
        """Sum several brands as one."""
        pooled = self.table[:, list(brands)].sum(axis=1, keepdims=True)
        return CampaignSums(pooled, self.days)


def _per_day(name: str) -> Formula:
    def compute(sums: CampaignSums) -> Floats:
        return np.asarray(sums[name] / sums.days)

    return compute


def _share(part: str, total: str) -> Formula:
    def compute(sums: CampaignSums) -> Floats:
        return ratio(sums[part], sums[total])

    return compute


def _net(positive: str, negative: str) -> Formula:
    def compute(sums: CampaignSums) -> Floats:
        return ratio(sums[positive] - sums[negative], sums[positive] + sums[negative])

    return compute


def _share_of_voice(sums: CampaignSums) -> Floats:
    people = sums["people"]
    return ratio(people, people.sum(axis=1, keepdims=True))


def _new_people_share(sums: CampaignSums) -> Floats:
    """Compute the share of new people; NaN for the first phase, in which all people are new."""
    share = ratio(sums["new_people"], sums["people"])
    share[..., 0] = np.nan
    return share


def _reach_per_day(sums: CampaignSums) -> Floats:
    """Compute the reach per day; NaN where no source shows followers."""
    return np.where(sums["followed"] > 0, sums["followers"] / sums.days, np.nan)


CAMPAIGN_FORMULAS: dict[str, Formula] = {
    "campaign_mentions": _per_day("posts"),
    "campaign_people": _per_day("people"),
    "campaign_share_of_voice": _share_of_voice,
    "campaign_new_people": _new_people_share,
    "campaign_reach": _reach_per_day,
    "campaign_engagement": _share("acts", "seen"),
    "campaign_replies": _share("replies", "seen"),
    "campaign_reposts": _share("reposts", "seen"),
    "campaign_engaged": _share("engaged", "seen"),
    "campaign_net": _net("positive", "negative"),
    "campaign_positive": _share("positive", "read"),
    "campaign_negative": _share("negative", "read"),
    "campaign_pickup": _share("theme", "posts"),
    "campaign_pickup_net": _net("theme_positive", "theme_negative"),
    "campaign_buy": _share("buy", "judged"),
    "campaign_ask": _share("ask", "judged"),
    "campaign_complain": _share("complain", "judged"),
}
"""The formula of every campaign measure by name."""

PART_MEASURES = tuple(measure for measure in CAMPAIGN_MEASURES if measure.by_part)
"""Measures whose effect is given by source, place and segment."""


def campaign_effect(measure: CampaignMeasure, sums: CampaignSums, brand: int, phase: int) -> Floats:
    """Compute how much more a brand changed from the first phase to `phase` than its competitors.

    It is (draws,): for counts and rates a ratio of ratios less 1, for shares and net sentiment a
    difference of differences. Without competitors, or for a measure that is not compared with them,
    it is the change of the brand alone.
    """
    formula = CAMPAIGN_FORMULAS[measure.name]
    brand_values = formula(sums)[:, brand]
    change = _phase_change(brand_values, phase, measure.is_relative)
    competitors = [index for index in range(sums.brand_count) if index != brand]
    if not measure.is_compared or not competitors:
        return change - 1 if measure.is_relative else change
    competitor_values = formula(sums.pool_brands(competitors))[:, 0]
    competitor_change = _phase_change(competitor_values, phase, measure.is_relative)
    if measure.is_relative:
        return ratio(change, competitor_change) - 1
    return np.asarray(change - competitor_change)


def _phase_change(values: Floats, phase: int, is_relative: bool) -> Floats:
    """Compare a phase of `values` (draws, phases) with the first: a ratio, or a difference."""
    if is_relative:
        return ratio(values[:, phase], values[:, 0])
    return np.asarray(values[:, phase] - values[:, 0])
