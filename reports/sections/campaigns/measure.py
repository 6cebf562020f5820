"""Campaigns measured before, during and after, against the competitors.

The measures are declared in advance, in `folate.core.measures`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from folate.core.config import Campaign, CampaignGoal
from folate.core.measures import CAMPAIGN_MEASURES, CampaignMeasure
from folate.core.weeks import last_day
from nlp.extract.segments import SegmentDetector
from nlp.stats.estimation import Floats, percentile_interval
from reports.context import NO_INTERVAL, ReportContext
from reports.figures import EFFECT_SUFFIX, Figure
from reports.measures.brands import MIN_AUTHORS
from reports.sections.campaigns.measures import (
    CAMPAIGN_FORMULAS,
    PART_MEASURES,
    CampaignSums,
    campaign_effect,
)
from reports.sections.campaigns.mentions import (
    CampaignMentions,
    CampaignPhase,
    campaign_phases,
    read_campaign_mentions,
)

Bools = NDArray[np.bool_]

MIN_PART_PEOPLE = 10
"""People of the brand, before and during, that a source, a place or a segment needs."""

_BEFORE = 0
_DURING = 1
"""Indices of phases."""


@dataclass(frozen=True, kw_only=True)
class ScorecardLine:
    """One measure of a campaign by phase, its effects, and whether its goal was reached."""

    measure: str
    """Its name without `campaign_`."""
    group: str
    """reach, engagement, perception or intent."""
    values: Mapping[str, Figure]
    """By phase that has begun."""
    rivals: Mapping[str, Figure]
    """Values of the competitors together."""
    effects: Mapping[str, Figure]
    """By phase, during and after."""
    goal: float | None = None
    reached: str = ""
    """yes, no or open (the interval contains the goal); empty without a goal."""


@dataclass(frozen=True, kw_only=True)
class CampaignPart:
    """A campaign within a source, a place or an audience segment."""

    kind: str
    name: str
    effects: Mapping[str, Figure]
    """The effects during, by measure without `campaign_`."""


@dataclass(frozen=True, kw_only=True)
class CampaignResult:
    """The result of a campaign, up to the end of the report's week."""

    id: str
    names: tuple[str, ...]
    brand: str
    start: date
    end: date
    phases: tuple[CampaignPhase, ...]
    lines: tuple[ScorecardLine, ...]
    parts: tuple[CampaignPart, ...]


def measure_campaigns(context: ReportContext) -> tuple[CampaignResult, ...]:
    """Measure the campaigns of folate.toml that run, or are still measured, in the week."""
    week_end = last_day(context.week)
    results = []
    for campaign in context.config.campaign:
        measured_until = campaign.end + timedelta(days=7 + campaign.after)
        if campaign.start <= week_end <= measured_until:
            results.append(measure_campaign(context, campaign))
    return tuple(results)


def measure_campaign(context: ReportContext, campaign: Campaign) -> CampaignResult:
    """Measure one campaign up to the end of the week."""
    phases = campaign_phases(campaign, last_day(context.week))
    brand = campaign.brand or context.own_brand_id or ""
    mentions = read_campaign_mentions(context, campaign, phases)
    figures = _CampaignFigures(context, mentions, mentions.brands.index(brand))
    goals = {goal.measure: goal for goal in campaign.goals}
    sums = figures.sum_by_phase()
    lines = [
        figures.scorecard_line(measure, sums, goals.get(measure.short_name))
        for measure in CAMPAIGN_MEASURES
    ]
    return CampaignResult(
        id=campaign.id,
        names=campaign.names,
        brand=brand,
        start=campaign.start,
        end=campaign.end,
        phases=phases,
        lines=tuple(lines),
        parts=tuple(_campaign_parts(figures)) if len(phases) > 1 else (),
    )


@dataclass(frozen=True)
class _CampaignFigures:
    """Makes the figures of one campaign."""

    context: ReportContext
    mentions: CampaignMentions
    brand: int
    """Index of the campaign's brand."""

    def sum_by_phase(self, selected: Bools | None = None) -> CampaignSums:
        """Sum the selected mentions, by default all."""
        days = np.array([phase.days for phase in self.mentions.phases])
        return CampaignSums(self.mentions.sum_by_phase(selected), days)

    def scorecard_line(
        self, measure: CampaignMeasure, sums: CampaignSums, goal: CampaignGoal | None
    ) -> ScorecardLine:
        """Make the line of a measure."""
        phases = self.mentions.phases
        brand_count = len(self.mentions.brands)
        competitors = [brand for brand in range(brand_count) if brand != self.brand]
        values = {
            phase.name: self._brand_value(measure, sums, index)
            for index, phase in enumerate(phases)
        }
        rivals = {}
        if competitors and measure.name != "campaign_share_of_voice":
            pooled = sums.pool_brands(competitors)
            for index, phase in enumerate(phases):
                rivals[phase.name] = self._competitor_value(measure, pooled, index)
        effects = {
            phases[index].name: self._effect(measure, sums, index)
            for index in range(_DURING, len(phases))
        }
        return ScorecardLine(
            measure=measure.short_name,
            group=measure.group,
            values=values,
            rivals=rivals,
            effects=effects,
            goal=goal.least if goal else None,
            reached=_reached(effects.get("during"), goal.least) if goal else "",
        )

    def campaign_part(self, kind: str, name: str, selected: Bools) -> CampaignPart | None:
        """Make a part of the selected mentions; None under MIN_PART_PEOPLE before or during."""
        sums = self.sum_by_phase(selected)
        people = sums["people"][0, self.brand, [_BEFORE, _DURING]]
        if people.min() < MIN_PART_PEOPLE:
            return None
        effects = {}
        for measure in PART_MEASURES:
            effects[measure.short_name] = self._effect(
                measure, sums, _DURING, part=f"{kind} {name} ", selected=selected
            )
        return CampaignPart(kind=kind, name=name, effects=effects)

    @property
    def _is_own_mention(self) -> Bools:
        """Mentions of the campaign's brand, the others being of its competitors."""
        return np.asarray(self.mentions.brand == self.brand)

    def _brand_value(self, measure: CampaignMeasure, sums: CampaignSums, phase: int) -> Figure:
        selected = self._is_own_mention & (self.mentions.phase == phase)
        return self._figure(
            measure.name,
            CAMPAIGN_FORMULAS[measure.name](sums)[:, self.brand, phase],
            n=int(sums["posts"][0, self.brand, phase]),
            people=int(sums["people"][0, self.brand, phase]),
            brand=self.mentions.brands[self.brand],
            subject=self.mentions.phases[phase].name,
            selected=selected,
        )

    def _competitor_value(
        self, measure: CampaignMeasure, pooled: CampaignSums, phase: int
    ) -> Figure:
        """Make the figure of the competitors; `pooled` are their sums as those of one brand."""
        selected = ~self._is_own_mention & (self.mentions.phase == phase)
        return self._figure(
            measure.name,
            CAMPAIGN_FORMULAS[measure.name](pooled)[:, 0, phase],
            n=int(pooled["posts"][0, 0, phase]),
            people=int(pooled["people"][0, 0, phase]),
            brand=None,
            subject=self.mentions.phases[phase].name,
            selected=selected,
        )

    def _effect(
        self,
        measure: CampaignMeasure,
        sums: CampaignSums,
        phase: int,
        *,
        part: str = "",
        selected: Bools | None = None,
    ) -> Figure:
        """Make the figure of an effect; `part` begins its subject, `selected` are its mentions."""
        compared = [_BEFORE, phase]
        rows = self._is_own_mention & np.isin(self.mentions.phase, compared)
        return self._figure(
            measure.name + EFFECT_SUFFIX,
            campaign_effect(measure, sums, self.brand, phase),
            n=int(sums["posts"][0, self.brand, compared].min()),
            people=int(sums["people"][0, self.brand, compared].min()),
            brand=self.mentions.brands[self.brand],
            subject=part + self.mentions.phases[phase].name,
            selected=rows if selected is None else rows & selected,
        )

    def _figure(
        self,
        measure: str,
        draws: Floats,
        *,
        n: int,
        people: int,
        brand: str | None,
        subject: str,
        selected: Bools,
    ) -> Figure:
        """Make a figure of `draws` (draws,); `selected` are the mentions behind it."""
        has_few_people = people < MIN_AUTHORS
        has_interval = not has_few_people and bool(np.isfinite(draws).all())
        return self.context.figure(
            measure,
            float(draws[0]),
            n=n,
            query=self.mentions.query,
            brand=brand,
            subject=subject,
            interval=percentile_interval(draws[1:]) if has_interval else NO_INTERVAL,
            posts=dict.fromkeys(self.mentions.ids[selected].tolist()),
            flags=("few",) if has_few_people else (),
        )


def _reached(effect: Figure | None, goal: float) -> str:
    """Compare the interval of the effect during the campaign with a goal: yes, no or open."""
    if effect is None or effect.low is None or effect.high is None:
        return "open"
    if effect.low >= goal:
        return "yes"
    return "no" if effect.high < goal else "open"


def _campaign_parts(figures: _CampaignFigures) -> Iterator[CampaignPart]:
    """Yield the sources, places and segments with enough people."""
    mentions = figures.mentions
    for kind, values in mentions.groups.items():
        for name in sorted(set(values.tolist()) - {""}):
            part = figures.campaign_part(kind, name, values == name)
            if part:
                yield part
    detector = SegmentDetector(figures.context.config.segments)
    members: dict[str, set[int]] = {}
    for body, author in zip(mentions.bodies, mentions.author.tolist(), strict=True):
        for segment in detector.find_segments(body):
            members.setdefault(segment, set()).add(author)
    for segment in sorted(members):
        authors = np.array(sorted(members[segment]), dtype=np.uint64)
        name = " / ".join(detector.display_names(segment))
        part = figures.campaign_part("segment", name, np.isin(mentions.author, authors))
        if part:
            yield part
