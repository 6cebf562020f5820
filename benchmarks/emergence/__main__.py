"""The folate test: planted terms in a real stream. `python -m benchmarks.emergence --stream FILE [--stream FILE] ...`"""

import argparse
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter

import pyarrow as pa

from benchmarks.emergence.peers import PEERS, Found
from benchmarks.emergence.planting import CONCEPTS, OWN, RIVAL, WEEK, WEEKS, Planter, Trial
from benchmarks.emergence.streams import Raw, annotate, rows
from folate.config import Brand, Topics
from folate.progress import progress
from nlp.segment import Segmenter
from nlp.topics import Discovery, discover

POOL = 3  # trials' worth of posts held in memory; each trial draws from it
BRANDS = (Brand(id=OWN, names=("Own",), own=True), Brand(id=RIVAL, names=("Rival",)))
PLANTED = 5  # concepts a trial, so that precision at 5 can reach 1
FOUND = 0.5  # a topic is the planted one when half of its posts were planted as that
COVER = 1 / 3  # and a planted one is found when a topic holds a third of its posts


@dataclass
class Tally:
    """Sums over trials for one finder."""

    recall: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    precision: list[float] = field(default_factory=list)
    false: list[int] = field(default_factory=list)
    decoys: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    options = _options()
    segmenter = Segmenter()
    pool = _pool(options, segmenter)
    tallies: dict[str, Tally] = defaultdict(Tally)
    same = []
    for number in progress("trials", unit="trial", items=range(options.trials), total=options.trials):
        for support in (0, *options.support):
            trial = _trial(pool, options, segmenter, 1000 * options.seed + number, support)
            table = trial.table()
            started = perf_counter()
            found = discover(table, WEEK, Topics(), brands=BRANDS)
            tallies["Folate"].seconds.append(perf_counter() - started)
            _judge(tallies["Folate"], _unflagged(found), trial, support)
            if support == options.support[0]:
                same.append(found == discover(_shuffled(table, number), WEEK, Topics(), brands=BRANDS))
            for name, peer in PEERS.items():
                _judge(tallies[name], [peer(table, brand.id) for brand in BRANDS], trial, support)
    _print(tallies, same, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.emergence", description=__doc__)
    parser.add_argument("--stream", type=Path, action="append", required=True, help="CSV or TSV of dated posts; give it again to pool")
    parser.add_argument("--order", choices=("permuted", "dated"), default="permuted", help="permuted: only what was planted is news")
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--posts", type=int, default=1500, help="a week")
    parser.add_argument("--support", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--head-start", type=float, default=0.0, help="share of the support that is there a week earlier")
    return parser.parse_args()


def _pool(options: argparse.Namespace, segmenter: Segmenter) -> list[Raw]:
    found = sorted(row for path in options.stream for row in rows(path))
    if options.order == "permuted":
        found = Random(options.seed).sample(found, min(len(found), POOL * WEEKS * options.posts))
    else:
        start = Random(options.seed).randrange(max(1, len(found) - POOL * WEEKS * options.posts))
        found = found[start : start + POOL * WEEKS * options.posts]
    return annotate(found, segmenter)


def _weeks(pool: list[Raw], options: argparse.Namespace, random: Random) -> tuple[list[list[Raw]], list[Raw]]:
    """The posts of each week, and posts of the pool that are in none."""
    if options.order == "permuted":
        drawn = random.sample(pool, len(pool))
        each = min(options.posts, len(pool) // (WEEKS + 2))
        return [drawn[week * each : (week + 1) * each] for week in range(WEEKS)], drawn[WEEKS * each :]
    ordinals = sorted({raw.at.toordinal() for raw in pool})
    first = random.choice(ordinals[: max(1, len(ordinals) - 7 * WEEKS)])
    weeks = [[raw for raw in pool if 0 <= raw.at.toordinal() - first - 7 * week < 7] for week in range(WEEKS)]
    rest = [raw for raw in pool if not 0 <= raw.at.toordinal() - first < 7 * WEEKS]
    return [random.sample(posts, min(len(posts), options.posts)) for posts in weeks], random.sample(rest, len(rest))


def _trial(pool: list[Raw], options: argparse.Namespace, segmenter: Segmenter, seed: int, support: int) -> Trial:
    """A week with five planted terms and every decoy; with no support, a quiet week."""
    weeks, rest = _weeks(pool, options, Random(seed))
    planter = Planter(seed, segmenter, rest[2 * options.posts // 5 :])
    if support:  # a surge of volume: two fifths more posts than in other weeks
        weeks[-1] += rest[: 2 * options.posts // 5]
        for concept in planter.random.sample(range(len(CONCEPTS)), PLANTED):
            planter.plant(concept, support, options.head_start)
        for decoy in (planter.advertisement, planter.season, planter.new_source, planter.loud_author):
            decoy()
    planter.base(weeks)
    planter.controls(2 * PLANTED * max(options.support))
    return planter.trial


def _unflagged(found: Discovery) -> list[Found]:
    """The unflagged topics of each brand, best first."""
    return [
        [(t.label_zh, set(t.evidence)) for t in found.topics if not t.flags and brand.id in t.brands] for brand in BRANDS
    ]  # fmt: skip


def _judge(tally: Tally, by_brand: list[Found], trial: Trial, support: int) -> None:
    """Count what was found, by the posts of each topic: planted, decoy or neither."""
    planted = [[_concept(posts, trial.planted) for _, posts in found] for found in by_brand]
    tally.false += [sum(concept is None for concept in found) for found in planted]
    if not support:
        return
    own = planted[0]
    tally.precision.append(sum(c is not None for c in own[:5]) / max(len(own[:5]), 1))
    tally.recall[str(support)] += [float(_recalled(concept, ids, by_brand[0], own)) for concept, ids in trial.planted.items()]
    for decoy, ids in trial.decoys.items():
        tally.decoys[decoy].append(float(any(len(posts & ids) >= FOUND * len(posts) for found in by_brand for _, posts in found)))


def _concept(posts: set[str], planted: dict[str, set[str]]) -> str | None:
    for concept, ids in planted.items():
        if len(posts & ids) >= FOUND * len(posts):
            return concept
    return None


def _recalled(concept: str, ids: set[str], found: Found, concepts: list[str | None]) -> bool:
    return any(c == concept and len(posts & ids) >= COVER * len(ids) for (_, posts), c in zip(found, concepts, strict=True))


def _shuffled(table: pa.Table, seed: int) -> pa.Table:
    return table.take(Random(seed).sample(range(table.num_rows), table.num_rows))


def _mean(values: list[float] | list[int]) -> float:
    return sum(values) / max(len(values), 1)


def _print(tallies: dict[str, Tally], same: list[bool], options: argparse.Namespace) -> None:
    support = [str(s) for s in options.support]
    print(f"{', '.join(p.parent.name for p in options.stream)}; {options.order}; {options.posts} posts a week; {options.trials} trials")
    print("finder", *(f"recall@{s} posts" for s in support), "precision@5", "false alarms/brand-week", "decoys passed", "s", sep="\t")
    for name, tally in tallies.items():
        decoys = ", ".join(f"{decoy} {_mean(passed):.2f}" for decoy, passed in sorted(tally.decoys.items()))
        recall = [f"{_mean(tally.recall[s]):.3f}" for s in support]
        print(name, *recall, f"{_mean(tally.precision):.3f}", f"{_mean(tally.false):.2f}", decoys, f"{_mean(tally.seconds):.2f}", sep="\t")
    print(f"Folate, the same stream in another order: the same output in {sum(same)} of {len(same)}")


if __name__ == "__main__":
    main()
