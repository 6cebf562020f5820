"""Weeks of a brand whose negative share is known: drawn from its labelled texts at shares that shift."""

from dataclasses import dataclass
from random import Random

from benchmarks.truth.sets import LABELS, LabelledBrand, LabelledText, mix
from folate.core.weeks import Week

FIRST = Week(2026, 1)
SHARES = (None, 0.05, 0.15, 0.30, 0.45, 0.60)
"""Negative share of a week, a week each in an order of the brand's own; None is that of the set."""

WEEKS = tuple(FIRST + number for number in range(len(SHARES)))
POSTS = 250
"""Posts of a brand in a week, where the scarcest label allows as many."""

FEWEST_POSTS = 60
"""Posts that a week has at least: a share that the negative texts can't give is lowered to this."""

NEGATIVE_TEXTS, OTHER_TEXTS = 150, 300
"""Distinct texts of a brand at most: what 250 posts need at 60 % negative, and somewhat more at 5 %."""


@dataclass(frozen=True)
class WeekOfTexts:
    """The texts of a brand in a week, each once, in random order."""

    week: Week
    negative: float  # share of them, as asked for
    texts: tuple[LabelledText, ...]


def draw(brand: LabelledBrand, seed: int) -> list[WeekOfTexts]:
    """Draw the weeks of a brand, oldest first: the same seed, the same weeks.

    The other labels stand to one another as in the set. A text may come back in another week.
    """
    random = Random(f"{seed} {brand.id}")
    whole = mix(brand.texts)
    chosen = _thinned(brand, random)
    asked = list(SHARES)
    random.shuffle(asked)
    drawn = []
    for week, share in zip(WEEKS, asked, strict=True):
        highest = min(whole[0], NEGATIVE_TEXTS) / FEWEST_POSTS
        negative = min(whole[0] / sum(whole) if share is None else share, highest)
        counts = counts_at(negative, whole, mix(chosen))
        texts = [
            text
            for label, count in zip(LABELS, counts, strict=True)
            for text in random.sample([each for each in chosen if each.label == label], count)
        ]
        random.shuffle(texts)
        drawn.append(WeekOfTexts(week, negative, tuple(texts)))
    return drawn


def counts_at(
    negative: float, whole: tuple[int, int, int], available: tuple[int, int, int]
) -> tuple[int, int, int]:
    """Posts of each label in a week with that share of negative ones.

    `whole` are the labels of the set, whose neutral and positive ones keep their proportion;
    `available` the texts that can be drawn. As many as POSTS, or as the scarcest label allows.
    """
    others = whole[1] + whole[2]
    shares = (negative, (1 - negative) * whole[1] / others, (1 - negative) * whole[2] / others)
    most = min(have / share for have, share in zip(available, shares, strict=True) if share > 0)
    return _apportioned(min(POSTS, int(most + 1e-9)), shares)


def _apportioned(total: int, shares: tuple[float, float, float]) -> tuple[int, int, int]:
    """Whole numbers in these proportions that sum to `total`, by the largest remainders."""
    counts = [int(total * share) for share in shares]
    remainders = [total * share - count for share, count in zip(shares, counts, strict=True)]
    largest_first = sorted(range(len(shares)), key=lambda place: -remainders[place])
    for place in largest_first[: total - sum(counts)]:
        counts[place] += 1
    negative, neutral, positive = counts
    return negative, neutral, positive


def _thinned(brand: LabelledBrand, random: Random) -> list[LabelledText]:
    """At most NEGATIVE_TEXTS and OTHER_TEXTS of the brand's texts, at random."""
    negative = [text for text in brand.texts if text.label == "negative"]
    others = [text for text in brand.texts if text.label != "negative"]
    return [*_some(negative, NEGATIVE_TEXTS, random), *_some(others, OTHER_TEXTS, random)]


def _some(texts: list[LabelledText], most: int, random: Random) -> list[LabelledText]:
    return random.sample(texts, min(most, len(texts)))
