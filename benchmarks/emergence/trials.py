"""The streams of a trial: quiet and planted weeks, special conditions, and a run of days."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.emergence.planting import (
    CONCEPTS,
    LAST_WEEK_START,
    WINDOW_WEEKS,
    PlantedStream,
    PlantedTerm,
    Planter,
)
from benchmarks.emergence.streams import StreamPost, annotate_posts, read_dated_texts
from nlp.text.segment import Segmenter

# Concepts planted in a stream, so that precision at 5 can reach 1.
PLANTED_TERMS = 5
# Windows of posts that are in memory; each trial draws from them.
POOL_TRIALS = 3
# Additional posts in the week that is tested, relative to the others.
SURGE_SHARE = 2 / 5
# Clauses about the own brand in every week, at least.
MIN_CONTROL_CLAUSES = 100
CONDITIONS = {
    "one wording": PlantedTerm(10, wordings=1),
    "5 authors of 10 posts": PlantedTerm(10, authors=5),
    "10 posts since Friday": PlantedTerm(10, onset=LAST_WEEK_START + 4, days=3),
    "begun a week before": PlantedTerm(20, onset=LAST_WEEK_START - 7, days=14, slope=0.1),
    "10 posts in each language": PlantedTerm(20, languages=("zh", "en")),
}
# The days on which the daily run looks back; terms begin on the first four of them.
DAILY_RUN_DAYS = range(7 * WINDOW_WEEKS, 7 * WINDOW_WEEKS + 14)
GROWING_TERMS = [
    PlantedTerm(20, onset=DAILY_RUN_DAYS[0] + day, days=10, slope=0.3) for day in range(4)
]


@dataclass(frozen=True)
class TrialSource:
    """Real posts from which trials draw their streams."""

    pool: list[StreamPost]
    segmenter: Segmenter
    posts_per_week: int
    # Whether the posts of each week are drawn from the whole pool, so that only what is planted is
    # news, or are those of a week of the real stream.
    permuted: bool

    def draw_weeks(
        self, count: int, random: Random
    ) -> tuple[list[list[StreamPost]], list[StreamPost]]:
        """Draw the posts of `count` weeks; also return the posts of the pool that are in none."""
        if self.permuted:
            return self._permuted_weeks(count, random)
        return self._dated_weeks(count, random)

    def _permuted_weeks(
        self, count: int, random: Random
    ) -> tuple[list[list[StreamPost]], list[StreamPost]]:
        shuffled = random.sample(self.pool, len(self.pool))
        size = min(self.posts_per_week, len(self.pool) // (count + 2))
        weeks = [shuffled[week * size : (week + 1) * size] for week in range(count)]
        return weeks, shuffled[count * size :]

    def _dated_weeks(
        self, count: int, random: Random
    ) -> tuple[list[list[StreamPost]], list[StreamPost]]:
        ordinals = sorted({raw.published_at.toordinal() for raw in self.pool})
        first = random.choice(ordinals[: max(1, len(ordinals) - 7 * count)])
        weeks: list[list[StreamPost]] = [[] for _ in range(count)]
        other_posts = []
        for raw in self.pool:
            week = (raw.published_at.toordinal() - first) // 7
            if 0 <= week < count:
                weeks[week].append(raw)
            else:
                other_posts.append(raw)
        samples = [random.sample(posts, min(len(posts), self.posts_per_week)) for posts in weeks]
        return samples, random.sample(other_posts, len(other_posts))


def load_trial_source(paths: Iterable[Path], posts: int, permuted: bool, seed: int) -> TrialSource:
    """Read the streams and annotate as many of their posts as a few trials need.

    `posts` is the number of posts per week.
    """
    segmenter = Segmenter()
    dated_texts = sorted(row for path in paths for row in read_dated_texts(path))
    size = min(len(dated_texts), POOL_TRIALS * WINDOW_WEEKS * posts)
    random = Random(seed)
    if permuted:
        dated_texts = random.sample(dated_texts, size)
    else:
        start = random.randrange(len(dated_texts) - size + 1)
        dated_texts = dated_texts[start : start + size]
    return TrialSource(annotate_posts(dated_texts, segmenter), segmenter, posts, permuted)


def make_weekly_stream(source: TrialSource, seed: int, plants: list[PlantedTerm]) -> PlantedStream:
    """Make nine weeks with these terms and every decoy; a quiet stream when there are no terms."""
    weeks, other_posts = source.draw_weeks(WINDOW_WEEKS, Random(seed))
    surge = round(SURGE_SHARE * len(weeks[-1]))
    planter = Planter(seed, source.segmenter, other_posts[surge:])
    if plants:
        weeks[-1] += other_posts[:surge]
        _plant_terms(planter, plants)
        planter.add_advertisement()
        planter.add_seasonal_term()
        planter.add_weekend_term()
        planter.add_loud_author()
        planter.add_new_source()
    planter.add_base_posts(weeks)
    planted_posts = sum(plant.posts for plant in plants)
    planter.add_controls(WINDOW_WEEKS, max(MIN_CONTROL_CLAUSES, 2 * planted_posts))
    return planter.stream


def make_daily_stream(source: TrialSource, seed: int) -> PlantedStream:
    """Make eleven weeks with terms that grow from the first days of the tenth, without decoys."""
    n_weeks = WINDOW_WEEKS + 2
    weeks, other_posts = source.draw_weeks(n_weeks, Random(seed))
    planter = Planter(seed, source.segmenter, other_posts)
    plants = [planter.random.choice(GROWING_TERMS) for _ in range(PLANTED_TERMS)]
    _plant_terms(planter, plants)
    planter.add_base_posts(weeks)
    planter.add_controls(n_weeks, 2 * sum(plant.posts for plant in plants))
    return planter.stream


def _plant_terms(planter: Planter, plants: list[PlantedTerm]) -> None:
    concepts = planter.random.sample(range(len(CONCEPTS)), len(plants))
    for concept, plant in zip(concepts, plants, strict=True):
        planter.plant_term(concept, plant)


def window_ending(table: pa.Table, end: int) -> pa.Table:
    """Return the nine weeks that end with day `end`, with `week` counted back from that day."""
    first = end - 7 * WINDOW_WEEKS + 1
    is_inside = pc.and_(pc.greater_equal(table["day"], first), pc.less_equal(table["day"], end))
    window = table.filter(is_inside)
    weeks = pc.divide(pc.subtract(window["day"], first), 7).cast(pa.int32())
    return window.set_column(window.column_names.index("week"), "week", weeks)


def shuffle_posts(table: pa.Table, seed: int) -> pa.Table:
    """Return the same posts in another order."""
    rows = Random(seed).sample(range(table.num_rows), table.num_rows)
    return table.take(pa.array(rows, pa.int64()))
