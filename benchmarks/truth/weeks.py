"""Weeks of a brand with a known share of negative texts, drawn from its labelled texts."""

from dataclasses import dataclass
from random import Random

from benchmarks.truth.sets import LabelledBrand, LabelledText, count_labels
from folate.core.labels import SENTIMENT_LABELS
from folate.core.weeks import Week

FIRST_WEEK = Week(2026, 1)
NEGATIVE_SHARES = (None, 0.05, 0.15, 0.30, 0.45, 0.60)
"""Negative share of a week, a week each in an order of the brand's own; None is that of the set."""

WEEKS = tuple(FIRST_WEEK + number for number in range(len(NEGATIVE_SHARES)))
MAX_POSTS_PER_WEEK = 250
"""Posts of a brand in a week, where the scarcest label allows as many."""

MIN_POSTS_PER_WEEK = 60
"""Posts that a week has at least: a share that the negative texts can't give is lowered to this."""

MAX_NEGATIVE_TEXTS = 150
"""Distinct negative texts of a brand: 250 posts need as many at 60 % negative."""

MAX_OTHER_TEXTS = 300
"""Distinct other texts of a brand: somewhat more than 250 posts need at 5 % negative."""


@dataclass(frozen=True)
class WeeklyTexts:
    """The texts of a brand in a week, each once, in random order."""

    week: Week
    # Share of negative texts for which they were drawn.
    negative_share: float
    texts: tuple[LabelledText, ...]


def draw_brand_weeks(brand: LabelledBrand, seed: int) -> list[WeeklyTexts]:
    """Draw the weeks of a brand, oldest first: the same seed, the same weeks.

    The other labels stand to one another as in the set. A text may come back in another week.
    """
    random = Random(f"{seed} {brand.id}")
    set_counts = count_labels(brand.texts)
    chosen = _sample_texts(brand, random)
    shares = list(NEGATIVE_SHARES)
    random.shuffle(shares)
    drawn_weeks = []
    for week, share in zip(WEEKS, shares, strict=True):
        max_share = min(set_counts[0], MAX_NEGATIVE_TEXTS) / MIN_POSTS_PER_WEEK
        set_share = set_counts[0] / sum(set_counts)
        negative = min(set_share if share is None else share, max_share)
        counts = label_counts_at_share(negative, set_counts, count_labels(chosen))
        texts: list[LabelledText] = []
        for label, count in zip(SENTIMENT_LABELS, counts, strict=True):
            label_texts = [text for text in chosen if text.label == label]
            texts += random.sample(label_texts, count)
        random.shuffle(texts)
        drawn_weeks.append(WeeklyTexts(week, negative, tuple(texts)))
    return drawn_weeks


def label_counts_at_share(
    negative_share: float, set_counts: tuple[int, int, int], available_counts: tuple[int, int, int]
) -> tuple[int, int, int]:
    """Return how many posts of each label a week with that share of negative ones has.

    `set_counts` are the labels of the set, whose neutral and positive ones keep their proportion;
    `available_counts` the texts that can be drawn. The sum is MAX_POSTS_PER_WEEK, or as many as the
    scarcest label allows.
    """
    other_count = set_counts[1] + set_counts[2]
    shares = (
        negative_share,
        (1 - negative_share) * set_counts[1] / other_count,
        (1 - negative_share) * set_counts[2] / other_count,
    )
    max_posts = min(
        count / share for count, share in zip(available_counts, shares, strict=True) if share > 0
    )
    return _apportion(min(MAX_POSTS_PER_WEEK, int(max_posts + 1e-9)), shares)


def _apportion(total: int, shares: tuple[float, float, float]) -> tuple[int, int, int]:
    """Return whole numbers in these proportions that sum to `total`, by largest remainders."""
    counts = [int(total * share) for share in shares]
    remainders = [total * share - count for share, count in zip(shares, counts, strict=True)]
    largest_first = sorted(range(len(shares)), key=lambda index: -remainders[index])
    for index in largest_first[: total - sum(counts)]:
        counts[index] += 1
    negative, neutral, positive = counts
    return negative, neutral, positive


def _sample_texts(brand: LabelledBrand, random: Random) -> list[LabelledText]:
    """Draw at most MAX_NEGATIVE_TEXTS and MAX_OTHER_TEXTS of a brand's texts."""
    negative = [text for text in brand.texts if text.label == "negative"]
    other_texts = [text for text in brand.texts if text.label != "negative"]
    return [
        *_sample_at_most(negative, MAX_NEGATIVE_TEXTS, random),
        *_sample_at_most(other_texts, MAX_OTHER_TEXTS, random),
    ]


def _sample_at_most(
    texts: list[LabelledText], max_texts: int, random: Random
) -> list[LabelledText]:
    return random.sample(texts, min(max_texts, len(texts)))
