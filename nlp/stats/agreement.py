"""Agreement of two people who put the same things into two classes."""

from collections.abc import Iterable
from dataclasses import dataclass

from nlp.stats.estimation import wilson_interval


@dataclass(frozen=True)
class Agreement:
    """How far two raters agree on whether things belong to a group.

    Counts are of the things that both rated: `yes_no` those that only the first put into the group.
    """

    yes_yes: int
    yes_no: int
    no_yes: int
    no_no: int

    @property
    def n(self) -> int:
        """The number of things that both rated."""
        return self.yes_yes + self.yes_no + self.no_yes + self.no_no

    @property
    def share(self) -> float | None:
        """The share on which both agree; None where they rated nothing in common."""
        return (self.yes_yes + self.no_no) / self.n if self.n else None

    @property
    def chance(self) -> float | None:
        """The share on which they would agree if each answered at random with their own yes's."""
        if not self.n:
            return None
        first_yes = (self.yes_yes + self.yes_no) / self.n
        second_yes = (self.yes_yes + self.no_yes) / self.n
        return first_yes * second_yes + (1 - first_yes) * (1 - second_yes)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa (1960): 1 is full agreement, 0 that of chance.

        None where it is not defined: nothing rated in common, or one class only, which agrees by
        chance alone.
        """
        return None if self.share is None else self._above_chance(self.share)

    def kappa_interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return an interval of kappa; None where kappa is not defined.

        The Wilson interval of the shared answers, with agreement by chance as it is in the counts
        (the assumption of Cohen 1960). So it has width also where both always agree.
        """
        if self.kappa is None:
            return None
        low, high = wilson_interval(self.yes_yes + self.no_no, self.n, confidence)
        bounds = (self._above_chance(low), self._above_chance(high))
        return (max(-1.0, bounds[0] or 0.0), min(1.0, bounds[1] or 0.0))

    def _above_chance(self, share: float) -> float | None:
        if self.chance is None or self.chance == 1:
            return None
        return (share - self.chance) / (1 - self.chance)


def count_agreement(answers: Iterable[tuple[bool, bool]]) -> Agreement:
    """Count pairs of answers, the first rater's and the second's on the same thing."""
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for answer in answers:
        counts[answer] += 1
    return Agreement(*counts.values())
