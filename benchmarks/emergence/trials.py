"""The streams of a trial: a quiet week, weeks with terms of each support, a week with terms planted in unlike ways, and a run of days."""

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

PLANTED_TERMS = 5  # concepts a stream, so that precision at 5 can reach 1
POOL_TRIALS = 3  # trials' worth of posts held in memory; each trial draws from it
SURGE_SHARE = 2 / 5  # more posts in the week tested than in others
MIN_CONTROL_CLAUSES = 100  # clauses a week about ordinary things, at least
CONDITIONS = {
    "one wording": PlantedTerm(10, wordings=1),
    "5 authors of 10 posts": PlantedTerm(10, authors=5),
    "10 posts since Friday": PlantedTerm(10, onset=LAST_WEEK_START + 4, days=3),
    "begun a week before": PlantedTerm(20, onset=LAST_WEEK_START - 7, days=14, slope=0.1),
    "10 posts in each language": PlantedTerm(20, languages=("zh", "en")),
}
DAILY_RUN_DAYS = range(
    7 * WINDOW_WEEKS, 7 * WINDOW_WEEKS + 14
)  # on which the daily run looks back; terms begin on the first four
GROWING_TERMS = [
    PlantedTerm(20, onset=DAILY_RUN_DAYS[0] + day, days=10, slope=0.3) for day in range(4)
]


@dataclass(frozen=True)
class TrialSource:
    """Real posts, and how trials draw from them."""

    pool: list[StreamPost]
    segmenter: Segmenter
    posts_per_week: int  # a week
    permuted: (
        bool  # posts of all weeks drawn from the whole stream, so that only what is planted is news
    )

    def draw_weeks(
        self, count: int, random: Random
    ) -> tuple[list[list[StreamPost]], list[StreamPost]]:
        """The posts of each week, and posts of the pool that are in none."""
        if self.permuted:
            drawn = random.sample(self.pool, len(self.pool))
            each = min(self.posts_per_week, len(self.pool) // (count + 2))
            return [drawn[week * each : (week + 1) * each] for week in range(count)], drawn[
                count * each :
            ]
        ordinals = sorted({raw.published_at.toordinal() for raw in self.pool})
        first = random.choice(ordinals[: max(1, len(ordinals) - 7 * count)])
        weeks = [
            [raw for raw in self.pool if 0 <= raw.published_at.toordinal() - first - 7 * week < 7]
            for week in range(count)
        ]
        rest = [
            raw for raw in self.pool if not 0 <= raw.published_at.toordinal() - first < 7 * count
        ]
        return [
            random.sample(posts, min(len(posts), self.posts_per_week)) for posts in weeks
        ], random.sample(rest, len(rest))


def load_trial_source(paths: Iterable[Path], posts: int, permuted: bool, seed: int) -> TrialSource:
    """Reads the streams and annotates as many of their posts as a few trials need."""
    segmenter = Segmenter()
    found = sorted(row for path in paths for row in read_dated_texts(path))
    size = min(len(found), POOL_TRIALS * WINDOW_WEEKS * posts)
    if permuted:
        found = Random(seed).sample(found, size)
    else:
        start = Random(seed).randrange(len(found) - size + 1)
        found = found[start : start + size]
    return TrialSource(annotate_posts(found, segmenter), segmenter, posts, permuted)


def make_weekly_stream(source: TrialSource, seed: int, plants: list[PlantedTerm]) -> PlantedStream:
    """Nine weeks with these terms and every decoy; without any, a quiet week."""
    weeks, rest = source.draw_weeks(WINDOW_WEEKS, Random(seed))
    surge = round(SURGE_SHARE * len(weeks[-1]))
    planter = Planter(seed, source.segmenter, rest[surge:])
    if plants:
        weeks[-1] += rest[:surge]
        _plant(planter, plants)
        for decoy in (
            planter.add_advertisement,
            planter.add_seasonal_term,
            planter.add_weekend_term,
            planter.add_loud_author,
            planter.add_new_source,
        ):
            decoy()
    planter.add_base_posts(weeks)
    planter.add_controls(
        WINDOW_WEEKS, max(MIN_CONTROL_CLAUSES, 2 * sum(plant.posts for plant in plants))
    )
    return planter.stream


def make_daily_stream(source: TrialSource, seed: int) -> PlantedStream:
    """Eleven weeks with terms that grow from the first days of the tenth, and no decoys."""
    count = WINDOW_WEEKS + 2
    weeks, rest = source.draw_weeks(count, Random(seed))
    planter = Planter(seed, source.segmenter, rest)
    plants = [planter.random.choice(GROWING_TERMS) for _ in range(PLANTED_TERMS)]
    _plant(planter, plants)
    planter.add_base_posts(weeks)
    planter.add_controls(count, 2 * sum(plant.posts for plant in plants))
    return planter.stream


def _plant(planter: Planter, plants: list[PlantedTerm]) -> None:
    for concept, plant in zip(
        planter.random.sample(range(len(CONCEPTS)), len(plants)), plants, strict=True
    ):
        planter.plant_term(concept, plant)


def window_ending(table: pa.Table, end: int) -> pa.Table:
    """The nine weeks that end with day `end`, counted in sevens of days back from it."""
    first = end - 7 * WINDOW_WEEKS + 1
    part = table.filter(
        pc.and_(pc.greater_equal(table["day"], first), pc.less_equal(table["day"], end))
    )
    weeks = pc.divide(pc.subtract(part["day"], first), 7).cast(pa.int32())
    return part.set_column(part.column_names.index("week"), "week", weeks)


def shuffle_posts(table: pa.Table, seed: int) -> pa.Table:
    """The same posts in another order."""
    return table.take(
        pa.array(Random(seed).sample(range(table.num_rows), table.num_rows), pa.int64())
    )
