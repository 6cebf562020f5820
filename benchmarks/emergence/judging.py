"""What alarms are worth: each is judged by its posts, whatever its name."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field

import numpy as np
from scipy.stats import chi2

from benchmarks.emergence.finders import Alarm, Found
from benchmarks.emergence.planting import LAST, Trial
from nlp.stats.estimation import bootstrap_weights, interval, wilson

FOUND = 0.5  # an alarm is about what half of its posts were planted as
COVER = (
    1 / 3
)  # and a planted term is found by an alarm that is about it and holds a third of its posts
FIRST = 5  # of precision


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95 % interval and the number of observations; `value` is missing when there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        return "-" if self.value is None else f"{self.value:.2f} ({self.low:.2f}, {self.high:.2f})"


MISSING = Estimate(None, None, None, 0)


def share(hits: list[bool]) -> Estimate:
    """Wilson interval of a proportion."""
    return (
        Estimate(sum(hits) / len(hits), *wilson(sum(hits), len(hits)), len(hits))
        if hits
        else MISSING
    )


def mean(values: list[float]) -> Estimate:
    """Bootstrap interval of a mean."""
    if not values:
        return MISSING
    weights = bootstrap_weights(len(values))
    return Estimate(
        float(np.mean(values)),
        *interval(weights @ np.array(values) / weights.sum(axis=1)),
        len(values),
    )


def rate(counts: list[int]) -> Estimate:
    """Exact Poisson interval of a mean count (Garwood 1936), which has width when nothing was counted."""
    if not counts:
        return MISSING
    total, n = sum(counts), len(counts)
    low = chi2.ppf(0.025, 2 * total) / 2 / n if total else 0.0
    return Estimate(total / n, float(low), float(chi2.ppf(0.975, 2 * total + 2) / 2 / n), n)


def about(alarm: Alarm, posts: frozenset[str]) -> bool:
    """Whether half of an alarm's posts are among `posts`."""
    return len(alarm.posts & posts) >= FOUND * len(alarm.posts)


def concept(alarm: Alarm, planted: dict[str, frozenset[str]]) -> str | None:
    """What an alarm is about; missing when it is about nothing planted."""
    return next((name for name, posts in planted.items() if about(alarm, posts)), None)


def recalled(found: Found, posts: frozenset[str]) -> bool:
    """Whether a planted term is found."""
    return any(
        about(alarm, posts) and len(alarm.posts & posts) >= COVER * len(posts) for alarm in found
    )


def overlap(one: list[Found], other: list[Found]) -> float:
    """Alarms with the same posts in both runs, of those in either; 1 when neither has any."""
    a, b = (
        {(place, alarm.posts) for place, found in enumerate(run) for alarm in found}
        for run in (one, other)
    )
    return len(a & b) / len(a | b) if a | b else 1.0


@dataclass
class Tally:
    """What was seen of one finder. The first four are by name: posts of a term, its language, how it was planted, what was the decoy."""

    recall: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    languages: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    conditions: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    decoys: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    precision: list[float] = field(default_factory=list)
    false: list[int] = field(default_factory=list)  # a brand and week
    leads: list[int | None] = field(default_factory=list)  # days, by planted term
    false_daily: list[int] = field(default_factory=list)  # a brand and day
    same: list[bool] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def week(self, by_brand: list[Found], trial: Trial) -> dict[str, bool]:
        """Counts the alarms of the last week of a stream, and tells which of its planted terms were found, in the order of planting."""
        planted = {
            name: frozenset(id_ for id_, day in days.items() if day >= LAST)
            for name, days in trial.planted.items()
        }
        concepts = [[concept(alarm, planted) for alarm in found] for found in by_brand]
        self.false += [sum(c is None for c in found) for found in concepts]
        if planted and concepts[0]:
            self.precision.append(
                sum(c is not None for c in concepts[0][:FIRST]) / len(concepts[0][:FIRST])
            )
        for decoy, ids in trial.decoys.items():
            self.decoys[decoy].append(
                any(about(alarm, frozenset(ids)) for found in by_brand for alarm in found)
            )
        return {name: recalled(by_brand[0], posts) for name, posts in planted.items()}

    def day(self, by_brand: list[Found], planted: dict[str, frozenset[str]]) -> None:
        """Counts the alarms about nothing planted of one day's look back."""
        self.false_daily += [
            sum(concept(alarm, planted) is None for alarm in found) for found in by_brand
        ]

    def order(self, one: list[Found], other: list[Found]) -> None:
        """Compares the alarms for a stream with those for the same stream in another order."""
        self.same.append(one == other)
        self.overlaps.append(overlap(one, other))

    def summary(self) -> dict[str, object]:
        """Every figure with its interval, of plain types."""
        found = [lead for lead in self.leads if lead is not None]
        estimates = {
            "precision_at_5": mean(self.precision), "false_alarms_a_brand_week": rate(self.false),
            "found_daily": share([lead is not None for lead in self.leads]),
            "found_by_the_tenth_post": share([lead is not None and lead >= 0 for lead in self.leads]),
            "days_of_lead": mean([float(lead) for lead in found]), "false_alarms_a_brand_day": rate(self.false_daily),
            "same_when_shuffled": share(self.same), "alarms_kept_when_shuffled": mean(self.overlaps), "seconds": mean(self.seconds),
        }  # fmt: skip
        groups = {
            "recall": self.recall,
            "recall_by_language": self.languages,
            "conditions": self.conditions,
            "decoys_passed": self.decoys,
        }
        grouped = {
            key: {name: asdict(share(hits)) for name, hits in group.items()}
            for key, group in groups.items()
        }
        return {**grouped, **{key: asdict(estimate) for key, estimate in estimates.items()}}
