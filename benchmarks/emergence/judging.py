"""Evaluation of alarms by their posts, whatever their names."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from scipy.stats import chi2

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.planting import LAST_WEEK_START, PlantedStream
from nlp.stats.estimation import bootstrap_weights, percentile_interval, wilson_interval

# An alarm is about a term when this share of its posts was planted as the term.
MIN_ALARM_PRECISION = 0.5
# A planted term is found by an alarm about it that has this share of its posts.
MIN_TERM_COVERAGE = 1 / 3
# Number of first alarms for which precision is computed.
PRECISION_RANK = 5


@dataclass(frozen=True)
class IntervalEstimate:
    """A figure, its 95 % interval and the number of observations; None when there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        return "-" if self.value is None else f"{self.value:.2f} ({self.low:.2f}, {self.high:.2f})"


MISSING_ESTIMATE = IntervalEstimate(None, None, None, 0)


def estimate_share(hits: list[bool]) -> IntervalEstimate:
    """Estimate a proportion, with Wilson's interval."""
    if not hits:
        return MISSING_ESTIMATE
    low, high = wilson_interval(sum(hits), len(hits))
    return IntervalEstimate(sum(hits) / len(hits), low, high, len(hits))


def estimate_mean(values: list[float]) -> IntervalEstimate:
    """Estimate a mean, with a bootstrap interval."""
    if not values:
        return MISSING_ESTIMATE
    weights = bootstrap_weights(len(values))
    means = weights @ np.array(values) / weights.sum(axis=1)
    low, high = percentile_interval(means)
    return IntervalEstimate(float(np.mean(values)), low, high, len(values))


def estimate_rate(counts: list[int]) -> IntervalEstimate:
    """Estimate a mean count, with an exact Poisson interval (Garwood 1936).

    The interval has a width even when all counts are 0.
    """
    if not counts:
        return MISSING_ESTIMATE
    total = sum(counts)
    n = len(counts)
    low = float(chi2.ppf(0.025, 2 * total) / 2 / n) if total else 0.0
    high = float(chi2.ppf(0.975, 2 * total + 2) / 2 / n)
    return IntervalEstimate(total / n, low, high, n)


def is_alarm_about(alarm: FinderAlarm, posts: frozenset[str]) -> bool:
    """Return whether half of an alarm's posts are among `posts`."""
    return len(alarm.posts & posts) >= MIN_ALARM_PRECISION * len(alarm.posts)


def alarm_concept(alarm: FinderAlarm, planted: Mapping[str, frozenset[str]]) -> str | None:
    """Return the planted concept that an alarm is about, None if it is about none."""
    return next((name for name, posts in planted.items() if is_alarm_about(alarm, posts)), None)


def is_recalled(alarms: Alarms, posts: frozenset[str]) -> bool:
    """Return whether one of the alarms finds the planted term with these posts."""
    return any(
        is_alarm_about(alarm, posts) and len(alarm.posts & posts) >= MIN_TERM_COVERAGE * len(posts)
        for alarm in alarms
    )


def alarm_overlap(first_run: list[Alarms], second_run: list[Alarms]) -> float:
    """Return the share of the alarms of two runs that have the same posts in both.

    Both runs have the alarms of each brand. 1 when neither has any.
    """
    first = _alarm_keys(first_run)
    second = _alarm_keys(second_run)
    return len(first & second) / len(first | second) if first | second else 1.0


def _alarm_keys(alarms_by_brand: list[Alarms]) -> set[tuple[int, frozenset[str]]]:
    return {
        (brand, alarm.posts) for brand, alarms in enumerate(alarms_by_brand) for alarm in alarms
    }


@dataclass
class FinderTally:
    """The results of one finder over all trials."""

    # Whether each planted term was found, by the number of its posts.
    recall: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    # The same by language, and by the way in which the term was planted.
    languages: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    conditions: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    # Whether some alarm was about the decoy, by decoy.
    decoys: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    # Precision of the first alarms, by stream.
    precision: list[float] = field(default_factory=list)
    # False alarms, by brand and week.
    false_alarms: list[int] = field(default_factory=list)
    # Days from the first alarm to the tenth post, by planted term; None when it was not found.
    lead_days: list[int | None] = field(default_factory=list)
    # False alarms, by brand and day.
    daily_false_alarms: list[int] = field(default_factory=list)
    # Whether the alarms of shuffled posts were the same, and the overlap of the alarms.
    identical_runs: list[bool] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    # CPU seconds, by window.
    seconds: list[float] = field(default_factory=list)

    def add_week(self, by_brand: list[Alarms], trial: PlantedStream) -> dict[str, bool]:
        """Count the alarms for the last week of a stream.

        `by_brand` has the alarms of each brand, the own one first. Returns whether each planted
        term was found, in the order of planting.
        """
        planted = {
            name: frozenset(post_id for post_id, day in days.items() if day >= LAST_WEEK_START)
            for name, days in trial.planted.items()
        }
        for alarms in by_brand:
            self.false_alarms.append(_count_false_alarms(alarms, planted))
        if planted and by_brand[0]:
            first_alarms = by_brand[0][:PRECISION_RANK]
            n_false = _count_false_alarms(first_alarms, planted)
            self.precision.append((len(first_alarms) - n_false) / len(first_alarms))
        all_alarms = [alarm for alarms in by_brand for alarm in alarms]
        for decoy, post_ids in trial.decoys.items():
            decoy_posts = frozenset(post_ids)
            self.decoys[decoy].append(
                any(is_alarm_about(alarm, decoy_posts) for alarm in all_alarms)
            )
        return {name: is_recalled(by_brand[0], posts) for name, posts in planted.items()}

    def add_day(self, by_brand: list[Alarms], planted: Mapping[str, frozenset[str]]) -> None:
        """Count the false alarms of one day of a daily run."""
        for alarms in by_brand:
            self.daily_false_alarms.append(_count_false_alarms(alarms, planted))

    def add_shuffled_run(self, alarms: list[Alarms], shuffled_alarms: list[Alarms]) -> None:
        """Compare the alarms for a stream with those for the same stream in another order."""
        self.identical_runs.append(alarms == shuffled_alarms)
        self.overlaps.append(alarm_overlap(alarms, shuffled_alarms))

    def summary(self) -> dict[str, object]:
        """Return every figure with its interval, in plain types."""
        lead_days = [float(lead) for lead in self.lead_days if lead is not None]
        is_found = [lead is not None for lead in self.lead_days]
        is_timely = [lead is not None and lead >= 0 for lead in self.lead_days]
        groups = {
            "recall": self.recall,
            "recall_by_language": self.languages,
            "conditions": self.conditions,
            "decoys_passed": self.decoys,
        }
        estimates = {
            "precision_at_5": estimate_mean(self.precision),
            "false_alarms_a_brand_week": estimate_rate(self.false_alarms),
            "found_daily": estimate_share(is_found),
            "found_by_the_tenth_post": estimate_share(is_timely),
            "days_of_lead": estimate_mean(lead_days),
            "false_alarms_a_brand_day": estimate_rate(self.daily_false_alarms),
            "same_when_shuffled": estimate_share(self.identical_runs),
            "alarms_kept_when_shuffled": estimate_mean(self.overlaps),
            "seconds": estimate_mean(self.seconds),
        }
        summary: dict[str, object] = {
            key: _estimate_shares(hits_by_name) for key, hits_by_name in groups.items()
        }
        return summary | {key: asdict(estimate) for key, estimate in estimates.items()}


def _count_false_alarms(alarms: Alarms, planted: Mapping[str, frozenset[str]]) -> int:
    return sum(alarm_concept(alarm, planted) is None for alarm in alarms)


def _estimate_shares(hits_by_name: Mapping[str, list[bool]]) -> dict[str, object]:
    return {name: asdict(estimate_share(hits)) for name, hits in hits_by_name.items()}
