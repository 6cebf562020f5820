"""What alarms are worth: each is judged by its posts, whatever its name."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field

import numpy as np
from scipy.stats import chi2

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.planting import LAST_WEEK_START, PlantedStream
from nlp.stats.estimation import bootstrap_weights, percentile_interval, wilson_interval

MIN_ALARM_PRECISION = 0.5  # an alarm is about what half of its posts were planted as
MIN_TERM_COVERAGE = (
    1 / 3
)  # and a planted term is found by an alarm that is about it and holds a third of its posts
PRECISION_RANK = 5  # of precision


@dataclass(frozen=True)
class IntervalEstimate:
    """A figure, its 95 % interval and the number of observations; `value` is missing when there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        return "-" if self.value is None else f"{self.value:.2f} ({self.low:.2f}, {self.high:.2f})"


MISSING_ESTIMATE = IntervalEstimate(None, None, None, 0)


def estimate_share(hits: list[bool]) -> IntervalEstimate:
    """Wilson interval of a proportion."""
    return (
        IntervalEstimate(sum(hits) / len(hits), *wilson_interval(sum(hits), len(hits)), len(hits))
        if hits
        else MISSING_ESTIMATE
    )


def estimate_mean(values: list[float]) -> IntervalEstimate:
    """Bootstrap interval of a mean."""
    if not values:
        return MISSING_ESTIMATE
    weights = bootstrap_weights(len(values))
    return IntervalEstimate(
        float(np.mean(values)),
        *percentile_interval(weights @ np.array(values) / weights.sum(axis=1)),
        len(values),
    )


def estimate_rate(counts: list[int]) -> IntervalEstimate:
    """Exact Poisson interval of a mean count (Garwood 1936), which has width when nothing was counted."""
    if not counts:
        return MISSING_ESTIMATE
    total, n = sum(counts), len(counts)
    low = chi2.ppf(0.025, 2 * total) / 2 / n if total else 0.0
    return IntervalEstimate(total / n, float(low), float(chi2.ppf(0.975, 2 * total + 2) / 2 / n), n)


def is_alarm_about(alarm: FinderAlarm, posts: frozenset[str]) -> bool:
    """Whether half of an alarm's posts are among `posts`."""
    return len(alarm.posts & posts) >= MIN_ALARM_PRECISION * len(alarm.posts)


def alarm_concept(alarm: FinderAlarm, planted: dict[str, frozenset[str]]) -> str | None:
    """What an alarm is about; missing when it is about nothing planted."""
    return next((name for name, posts in planted.items() if is_alarm_about(alarm, posts)), None)


def is_recalled(alarms: Alarms, posts: frozenset[str]) -> bool:
    """Whether a planted term is found."""
    return any(
        is_alarm_about(alarm, posts) and len(alarm.posts & posts) >= MIN_TERM_COVERAGE * len(posts)
        for alarm in alarms
    )


def alarm_overlap(one: list[Alarms], other: list[Alarms]) -> float:
    """Alarms with the same posts in both runs, of those in either; 1 when neither has any."""
    a, b = (
        {(place, alarm.posts) for place, found in enumerate(run) for alarm in found}
        for run in (one, other)
    )
    return len(a & b) / len(a | b) if a | b else 1.0


@dataclass
class FinderTally:
    """What was seen of one finder. The first four are by name: posts of a term, its language, how it was planted, what was the decoy."""

    recall: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    languages: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    conditions: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    decoys: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    precision: list[float] = field(default_factory=list)
    false_alarms: list[int] = field(default_factory=list)  # a brand and week
    lead_days: list[int | None] = field(default_factory=list)  # days, by planted term
    daily_false_alarms: list[int] = field(default_factory=list)  # a brand and day
    identical_runs: list[bool] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add_week(self, by_brand: list[Alarms], trial: PlantedStream) -> dict[str, bool]:
        """Counts the alarms of the last week of a stream, and tells which of its planted terms were found, in the order of planting."""
        planted = {
            name: frozenset(id_ for id_, day in days.items() if day >= LAST_WEEK_START)
            for name, days in trial.planted.items()
        }
        concepts = [[alarm_concept(alarm, planted) for alarm in found] for found in by_brand]
        self.false_alarms += [sum(c is None for c in found) for found in concepts]
        if planted and concepts[0]:
            self.precision.append(
                sum(c is not None for c in concepts[0][:PRECISION_RANK])
                / len(concepts[0][:PRECISION_RANK])
            )
        for decoy, ids in trial.decoys.items():
            self.decoys[decoy].append(
                any(is_alarm_about(alarm, frozenset(ids)) for found in by_brand for alarm in found)
            )
        return {name: is_recalled(by_brand[0], posts) for name, posts in planted.items()}

    def add_day(self, by_brand: list[Alarms], planted: dict[str, frozenset[str]]) -> None:
        """Counts the alarms about nothing planted of one day's look back."""
        self.daily_false_alarms += [
            sum(alarm_concept(alarm, planted) is None for alarm in found) for found in by_brand
        ]

    def add_shuffled_run(self, one: list[Alarms], other: list[Alarms]) -> None:
        """Compares the alarms for a stream with those for the same stream in another order."""
        self.identical_runs.append(one == other)
        self.overlaps.append(alarm_overlap(one, other))

    def summary(self) -> dict[str, object]:
        """Every figure with its interval, of plain types."""
        found = [lead for lead in self.lead_days if lead is not None]
        estimates = {
            "precision_at_5": estimate_mean(self.precision), "false_alarms_a_brand_week": estimate_rate(self.false_alarms),
            "found_daily": estimate_share([lead is not None for lead in self.lead_days]),
            "found_by_the_tenth_post": estimate_share([lead is not None and lead >= 0 for lead in self.lead_days]),
            "days_of_lead": estimate_mean([float(lead) for lead in found]), "false_alarms_a_brand_day": estimate_rate(self.daily_false_alarms),
            "same_when_shuffled": estimate_share(self.identical_runs), "alarms_kept_when_shuffled": estimate_mean(self.overlaps), "seconds": estimate_mean(self.seconds),
        }  # fmt: skip
        groups = {
            "recall": self.recall,
            "recall_by_language": self.languages,
            "conditions": self.conditions,
            "decoys_passed": self.decoys,
        }
        grouped = {
            key: {name: asdict(estimate_share(hits)) for name, hits in group.items()}
            for key, group in groups.items()
        }
        return {**grouped, **{key: asdict(estimate) for key, estimate in estimates.items()}}
