"""A campaign measured before, during and after, against the competitors, by measures declared in advance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from corpora.store.snapshot import Snapshot
from folate.core.config import CAMPAIGN_MEASURES, Campaign, CampaignGoal, Config
from folate.core.weeks import Period, last_day
from nlp.extract.segments import SegmentDetector
from nlp.stats.estimation import Floats, percentile_interval
from reports.figures import EFFECT_SUFFIX, MAX_SAMPLE_POSTS, Figure, versions_json
from reports.measures.brands import MIN_AUTHORS
from reports.sections.campaigns.measures import (
    GROUPS,
    MEASURE_FORMULAS,
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
MIN_PART_PEOPLE = 10  # people of a source, a place or a segment that is told apart
PART_MEASURES = (
    "people",
    "net",
    "pickup",
    "buy",
)  # measures that are told apart by source, place and segment


@dataclass(frozen=True, kw_only=True)
class ScorecardLine:
    """One measure: its value in each phase that has begun, and its effect during and after; a goal and whether it was reached."""

    measure: str
    group: str  # reach, engagement, perception, intent
    values: Mapping[str, Figure]
    rivals: Mapping[str, Figure]  # the competitors together
    effects: Mapping[str, Figure]
    goal: float | None = None
    reached: str = ""  # yes, no, open (the interval holds the goal); empty without a goal


@dataclass(frozen=True, kw_only=True)
class CampaignPart:
    """The campaign within a source, a place or an audience segment."""

    kind: str
    name: str
    effects: Mapping[str, Figure]  # during, by measure


@dataclass(frozen=True, kw_only=True)
class CampaignResult:
    """What a campaign did, as far as the corpus knows by the end of the report's week."""

    id: str
    names: tuple[str, ...]
    brand: str
    start: date
    end: date
    phases: tuple[CampaignPhase, ...]
    lines: tuple[ScorecardLine, ...]
    parts: tuple[CampaignPart, ...]


def campaigns(snapshot: Snapshot, config: Config, week: Period) -> tuple[CampaignResult, ...]:
    """The campaigns of folate.toml that run, or are still measured, in the week."""
    last = last_day(week)
    running = [
        one
        for one in config.campaign
        if one.start <= last and last - timedelta(days=7 + one.after) <= one.end
    ]
    return tuple(measure_campaign(snapshot, config, campaign, week) for campaign in running)


def measure_campaign(
    snapshot: Snapshot, config: Config, campaign: Campaign, week: Period
) -> CampaignResult:
    """One campaign, up to the end of `week`."""
    spans = campaign_phases(campaign, last_day(week))
    brand = campaign.brand or (config.own_brand.id if config.own_brand else "")
    mentions = read_campaign_mentions(
        snapshot, campaign, tuple(one.id for one in config.brands), spans, config.timezone
    )
    made = _Figures(
        mentions, str(week), versions_json(snapshot.versions), mentions.brands.index(brand)
    )
    goals = {goal.measure: goal for goal in campaign.goals}
    sums = made.sums()
    return CampaignResult(
        id=campaign.id,
        names=campaign.names,
        brand=brand,
        start=campaign.start,
        end=campaign.end,
        phases=spans,
        lines=tuple(made.line(name, sums, goals.get(name)) for name in CAMPAIGN_MEASURES),
        parts=tuple(_parts(snapshot, config, made)) if len(spans) > 1 else (),
    )


@dataclass(frozen=True)
class _Figures:
    """Makes the figures of one campaign."""

    mentions: CampaignMentions
    week: str
    versions: str
    brand: int

    def sums(self, keep: Bools | None = None) -> CampaignSums:
        return CampaignSums(
            self.mentions.sums(keep), np.array([phase.days for phase in self.mentions.phases])
        )

    def line(self, name: str, sums: CampaignSums, goal: CampaignGoal | None) -> ScorecardLine:
        spans = self.mentions.phases
        others = [other for other in range(len(self.mentions.brands)) if other != self.brand]
        rivals = sums.pooled(others) if others and name != "share_of_voice" else None
        effects = {
            spans[place].name: self._effect(name, sums, place, "") for place in range(1, len(spans))
        }
        return ScorecardLine(
            measure=name,
            group=next(group for group, names in GROUPS.items() if name in names),
            values={
                span.name: self._value(name, sums, self.brand, place)
                for place, span in enumerate(spans)
            },
            rivals={
                span.name: self._value(name, rivals, 0, place) for place, span in enumerate(spans)
            }
            if rivals
            else {},
            effects=effects,
            goal=goal.least if goal else None,
            reached=_reached(effects.get("during"), goal.least) if goal else "",
        )

    def _value(self, name: str, sums: CampaignSums, brand: int, phase: int) -> Figure:
        draws = MEASURE_FORMULAS[name](sums)[:, brand, phase]
        own = brand == self.brand and sums.table.shape[1] == len(self.mentions.brands)
        n, people = int(sums["posts"][0, brand, phase]), int(sums["people"][0, brand, phase])
        behind = (self._mine if own else ~self._mine) & (self.mentions.phase == phase)
        return self._figure(
            f"campaign_{name}", draws, n, people, own, self.mentions.phases[phase].name, behind
        )

    @property
    def _mine(self) -> Bools:
        """Mentions of the brand, the others being of its competitors."""
        return np.asarray(self.mentions.brand == self.brand)

    def _effect(
        self, name: str, sums: CampaignSums, phase: int, part: str, keep: Bools | None = None
    ) -> Figure:
        people = sums["people"][0, self.brand]
        n = int(min(sums["posts"][0, self.brand, 0], sums["posts"][0, self.brand, phase]))
        subject = f"{part} {self.mentions.phases[phase].name}".strip()
        draws = campaign_effect(name, sums, self.brand, phase)
        behind = (
            self._mine & np.isin(self.mentions.phase, (0, phase)) & (True if keep is None else keep)
        )
        return self._figure(
            f"campaign_{name}{EFFECT_SUFFIX}",
            draws,
            n,
            int(min(people[0], people[phase])),
            True,
            subject,
            behind,
        )

    def _figure(
        self,
        measure: str,
        draws: Floats,
        n: int,
        people: int,
        own: bool,
        subject: str,
        behind: Bools,
    ) -> Figure:
        few = people < MIN_AUTHORS
        low, high = (
            percentile_interval(draws[1:])
            if not few and bool(np.isfinite(draws).all())
            else (None, None)
        )
        return Figure(
            measure=measure, week=self.week, brand=self.mentions.brands[self.brand] if own else None, subject=subject,
            value=float(draws[0]), low=low, high=high, n=n, query=self.mentions.query, versions=self.versions,
            flags=("few",) if few else (),
            posts=tuple(dict.fromkeys(self.mentions.ids[behind].tolist()))[:MAX_SAMPLE_POSTS],
        )  # fmt: skip

    def part(self, kind: str, name: str, keep: Bools) -> CampaignPart | None:
        """None under FEWEST people of the brand before or during."""
        sums = self.sums(keep)
        if sums["people"][0, self.brand, :2].min() < MIN_PART_PEOPLE:
            return None
        return CampaignPart(
            kind=kind,
            name=name,
            effects={
                one: self._effect(one, sums, 1, f"{kind} {name}", keep) for one in PART_MEASURES
            },
        )


def _reached(found: Figure | None, least: float) -> str:
    """By the interval of the effect during the campaign: yes and no only where it leaves no doubt."""
    if found is None or found.low is None or found.high is None:
        return "open"
    if found.low >= least:
        return "yes"
    return "no" if found.high < least else "open"


def _parts(snapshot: Snapshot, config: Config, made: _Figures) -> Iterator[CampaignPart]:
    mentions = made.mentions
    for kind, values in mentions.groups.items():
        for name in sorted(set(values.tolist()) - {""}):
            if part := made.part(kind, name, values == name):
                yield part
    audience = SegmentDetector(config.segments)
    said: dict[str, set[int]] = {}
    for body, author in zip(mentions.bodies, mentions.author.tolist(), strict=True):
        for segment in audience.find_segments(body):
            said.setdefault(segment, set()).add(author)
    for segment in sorted(said):
        members = np.isin(mentions.author, np.array(sorted(said[segment]), dtype=np.uint64))
        if part := made.part("segment", " / ".join(audience.display_names(segment)), members):
            yield part
