"""Seconds and memory of discovery on a made-up stream. `python -m benchmarks.emergence.speed --posts 10000 20000 100000`

Every size runs in a process of its own, so that the peak of its memory is its own. Words follow Zipf's law, half of the posts are Chinese.
"""

import argparse
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa

from folate.core.config import Brand, Topics
from folate.core.weeks import Week
from nlp.topics import discover_topics
from nlp.topics.stream import Ints

WEEK, WEEKS = Week(2026, 14), 9
BRANDS = (Brand(id="ours", names=("Ours",), own=True), Brand(id="theirs", names=("Theirs",)))
VOCABULARY_SIZE, CHARACTER_COUNT = (
    30_000,
    3_000,
)  # words of each language, and the characters that the Chinese ones are made of
MEAN_POST_WORDS = 19  # words a post, on average
SOURCES = ("forum", "shop", "weibo")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.emergence.speed", description=__doc__
    )
    parser.add_argument("--posts", type=int, nargs="+", default=[10_000], help="a week")
    sizes = parser.parse_args().posts
    if len(sizes) > 1:
        print(
            "posts a week",
            "posts",
            "seconds",
            "CPU seconds",
            "peak RSS, MB",
            "topics",
            sep="\t",
            flush=True,
        )
        for size in sizes:
            subprocess.run(  # noqa: S603
                [sys.executable, "-m", "benchmarks.emergence.speed", "--posts", str(size)],
                check=True,
            )
        return
    table = make_stream(sizes[0])
    started, cpu = perf_counter(), process_time()
    found = discover_topics(table, WEEK, Topics(), brands=BRANDS)
    seconds = f"{perf_counter() - started:.1f}\t{process_time() - cpu:.1f}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(sizes[0], table.num_rows, seconds, f"{peak:.0f}", len(found.topics), sep="\t", flush=True)


def make_stream(posts: int) -> pa.Table:
    """`posts` posts a week, the words of all weeks coded by one dictionary."""
    random = np.random.default_rng(7)
    words = pa.array([*_chinese(random), *_english(random)])
    return pa.concat_tables([_week(week, posts, words, random) for week in range(WEEKS)])


def _chinese(random: np.random.Generator) -> list[str]:
    characters = np.array([chr(0x4E00 + i) for i in range(CHARACTER_COUNT)])
    lengths = random.choice([1, 2, 3, 4], VOCABULARY_SIZE, p=[0.05, 0.7, 0.15, 0.1])
    return ["".join(characters[_zipf(random, CHARACTER_COUNT, n)]) for n in lengths]


def _english(random: np.random.Generator) -> list[str]:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return [
        "".join(letters[random.integers(0, 26, n)]) for n in random.integers(3, 10, VOCABULARY_SIZE)
    ]


def _zipf(random: np.random.Generator, size: int, count: int) -> Ints:
    """Ranks under Zipf's law: the inverse of its distribution function, in the continuous approximation."""
    ranks: Ints = np.minimum(np.exp(random.random(count) * np.log(size + 1)) - 1, size - 1).astype(
        np.int64
    )
    return ranks


def _week(week: int, posts: int, words: pa.Array, random: np.random.Generator) -> pa.Table:
    lengths = random.poisson(MEAN_POST_WORDS, posts)
    starts = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    english = np.repeat(random.random(posts) < 0.5, lengths)
    codes = pa.DictionaryArray.from_arrays(
        pa.array(
            (_zipf(random, VOCABULARY_SIZE, starts[-1]) + VOCABULARY_SIZE * english).astype(
                np.int32
            )
        ),
        words,
    )
    first = datetime(2026, 2, 2, tzinfo=UTC) + timedelta(weeks=week)
    moments = (int(first.timestamp()) + random.integers(0, 7 * 86400, posts)) * 1_000_000
    ids = pa.array([f"forum:{week * posts + i}" for i in range(posts)])
    source = random.integers(0, len(SOURCES), posts)
    brands = [[["ours"], ["theirs"], [], []][i] for i in random.integers(0, 4, posts)]
    return pa.table({
        "id": ids, "author": pa.array([f"a{i}" for i in random.integers(0, 3 * posts, posts)]),
        "source": pa.array([SOURCES[i] for i in source]), "published_at": pa.array(moments, pa.timestamp("us", tz="UTC")),
        "week": pa.array(np.full(posts, week, np.int32)), "language": pa.array(["zh"] * posts),
        "words": pa.ListArray.from_arrays(pa.array(starts), codes), "hashtags": pa.array([[]] * posts, pa.list_(pa.string())),
        "cluster": ids, "brands": pa.array(brands, pa.list_(pa.string())), "body": pa.array([""] * posts),
    })  # fmt: skip


if __name__ == "__main__":
    main()
