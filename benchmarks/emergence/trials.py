"""The streams of a trial: a quiet week, weeks with terms of each support, a week with terms planted in unlike ways, and a run of days."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.emergence.planting import CONCEPTS, LAST, WEEKS, Plant, Planter, Trial
from benchmarks.emergence.streams import Raw, annotate, rows
from nlp.text.segment import Segmenter

PLANTED = 5  # concepts a stream, so that precision at 5 can reach 1
POOL = 3  # trials' worth of posts held in memory; each trial draws from it
SURGE = 2 / 5  # more posts in the week tested than in others
CONTROLS = 100  # clauses a week about ordinary things, at least
CONDITIONS = {
    "one wording": Plant(10, wordings=1),
    "5 authors of 10 posts": Plant(10, authors=5),
    "10 posts since Friday": Plant(10, onset=LAST + 4, days=3),
    "begun a week before": Plant(20, onset=LAST - 7, days=14, slope=0.1),
    "10 posts in each language": Plant(20, languages=("zh", "en")),
}
DAYS = range(
    7 * WEEKS, 7 * WEEKS + 14
)  # on which the daily run looks back; terms begin on the first four
GROWING = [Plant(20, onset=DAYS[0] + day, days=10, slope=0.3) for day in range(4)]


@dataclass(frozen=True)
class Source:
    """Real posts, and how trials draw from them."""

    pool: list[Raw]
    segmenter: Segmenter
    posts: int  # a week
    permuted: (
        bool  # posts of all weeks drawn from the whole stream, so that only what is planted is news
    )

    def weeks(self, count: int, random: Random) -> tuple[list[list[Raw]], list[Raw]]:
        """The posts of each week, and posts of the pool that are in none."""
        if self.permuted:
            drawn = random.sample(self.pool, len(self.pool))
            each = min(self.posts, len(self.pool) // (count + 2))
            return [drawn[week * each : (week + 1) * each] for week in range(count)], drawn[
                count * each :
            ]
        ordinals = sorted({raw.at.toordinal() for raw in self.pool})
        first = random.choice(ordinals[: max(1, len(ordinals) - 7 * count)])
        weeks = [
            [raw for raw in self.pool if 0 <= raw.at.toordinal() - first - 7 * week < 7]
            for week in range(count)
        ]
        rest = [raw for raw in self.pool if not 0 <= raw.at.toordinal() - first < 7 * count]
        return [
            random.sample(posts, min(len(posts), self.posts)) for posts in weeks
        ], random.sample(rest, len(rest))


def source(paths: Iterable[Path], posts: int, permuted: bool, seed: int) -> Source:
    """Reads the streams and annotates as many of their posts as a few trials need."""
    segmenter = Segmenter()
    found = sorted(row for path in paths for row in rows(path))
    size = min(len(found), POOL * WEEKS * posts)
    if permuted:
        found = Random(seed).sample(found, size)
    else:
        start = Random(seed).randrange(len(found) - size + 1)
        found = found[start : start + size]
    return Source(annotate(found, segmenter), segmenter, posts, permuted)


def weekly(source: Source, seed: int, plants: list[Plant]) -> Trial:
    """Nine weeks with these terms and every decoy; without any, a quiet week."""
    weeks, rest = source.weeks(WEEKS, Random(seed))
    surge = round(SURGE * len(weeks[-1]))
    planter = Planter(seed, source.segmenter, rest[surge:])
    if plants:
        weeks[-1] += rest[:surge]
        _plant(planter, plants)
        for decoy in (
            planter.advertisement,
            planter.season,
            planter.weekend,
            planter.loud_author,
            planter.new_source,
        ):
            decoy()
    planter.base(weeks)
    planter.controls(WEEKS, max(CONTROLS, 2 * sum(plant.posts for plant in plants)))
    return planter.trial


def daily(source: Source, seed: int) -> Trial:
    """Eleven weeks with terms that grow from the first days of the tenth, and no decoys."""
    count = WEEKS + 2
    weeks, rest = source.weeks(count, Random(seed))
    planter = Planter(seed, source.segmenter, rest)
    plants = [planter.random.choice(GROWING) for _ in range(PLANTED)]
    _plant(planter, plants)
    planter.base(weeks)
    planter.controls(count, 2 * sum(plant.posts for plant in plants))
    return planter.trial


def _plant(planter: Planter, plants: list[Plant]) -> None:
    for concept, plant in zip(
        planter.random.sample(range(len(CONCEPTS)), len(plants)), plants, strict=True
    ):
        planter.plant(concept, plant)


def window(table: pa.Table, end: int) -> pa.Table:
    """The nine weeks that end with day `end`, counted in sevens of days back from it."""
    first = end - 7 * WEEKS + 1
    part = table.filter(
        pc.and_(pc.greater_equal(table["day"], first), pc.less_equal(table["day"], end))
    )
    weeks = pc.divide(pc.subtract(part["day"], first), 7).cast(pa.int32())
    return part.set_column(part.column_names.index("week"), "week", weeks)


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    """The same posts in another order."""
    return table.take(
        pa.array(Random(seed).sample(range(table.num_rows), table.num_rows), pa.int64())
    )
