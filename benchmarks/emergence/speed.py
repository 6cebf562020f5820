"""Time and memory of topic discovery on a made-up stream.

    python -m benchmarks.emergence.speed --posts 10000 20000 100000

Every size runs in a process of its own, so that the peak of its memory is its own. Words follow
Zipf's law, and half of the posts are Chinese.
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

WEEK = Week(2026, 14)
WEEKS = 9
BRANDS = (Brand(id="ours", names=("Ours",), own=True), Brand(id="theirs", names=("Theirs",)))
# Words of each language.
VOCABULARY_SIZE = 30_000
# Distinct characters of the Chinese words.
CHARACTER_COUNT = 3_000
# Mean number of words per post.
MEAN_POST_WORDS = 19
SOURCES = ("forum", "shop", "weibo")
# Lists of brands that posts mention, in equal parts.
_BRAND_LISTS: tuple[list[str], ...] = (["ours"], ["theirs"], [], [])
_COLUMNS = ("posts a week", "posts", "seconds", "CPU seconds", "peak RSS, MB", "topics")


def main() -> None:
    """Print a line of measurements for each size."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.emergence.speed", description=__doc__
    )
    parser.add_argument("--posts", type=int, nargs="+", default=[10_000], help="a week")
    sizes = parser.parse_args().posts
    if len(sizes) == 1:
        _measure_discovery(sizes[0])
        return
    print(*_COLUMNS, sep="\t", flush=True)
    for size in sizes:
        subprocess.run(  # noqa: S603
            [sys.executable, "-m", "benchmarks.emergence.speed", "--posts", str(size)],
            check=True,
        )


def _measure_discovery(posts_per_week: int) -> None:
    table = make_stream(posts_per_week)
    wall_start = perf_counter()
    cpu_start = process_time()
    discovery = discover_topics(table, WEEK, Topics(), brands=BRANDS)
    wall_seconds = perf_counter() - wall_start
    cpu_seconds = process_time() - cpu_start
    peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        posts_per_week,
        table.num_rows,
        f"{wall_seconds:.1f}",
        f"{cpu_seconds:.1f}",
        f"{peak_megabytes:.0f}",
        len(discovery.topics),
        sep="\t",
        flush=True,
    )


def make_stream(posts: int) -> pa.Table:
    """Make a stream of `posts` posts per week, its words coded by one dictionary."""
    random = np.random.default_rng(7)
    words = pa.array([*_make_chinese_words(random), *_make_english_words(random)])
    return pa.concat_tables([_make_week(week, posts, words, random) for week in range(WEEKS)])


def _make_chinese_words(random: np.random.Generator) -> list[str]:
    characters = np.array([chr(0x4E00 + i) for i in range(CHARACTER_COUNT)])
    lengths = random.choice([1, 2, 3, 4], VOCABULARY_SIZE, p=[0.05, 0.7, 0.15, 0.1])
    return ["".join(characters[_draw_zipf_ranks(random, CHARACTER_COUNT, n)]) for n in lengths]


def _make_english_words(random: np.random.Generator) -> list[str]:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    lengths = random.integers(3, 10, VOCABULARY_SIZE)
    return ["".join(letters[random.integers(0, 26, n)]) for n in lengths]


def _draw_zipf_ranks(random: np.random.Generator, size: int, count: int) -> Ints:
    """Draw ranks below `size` under Zipf's law, in its continuous approximation.

    The inverse of the distribution function is applied to uniform numbers.
    """
    ranks = np.exp(random.random(count) * np.log(size + 1)) - 1
    codes: Ints = np.minimum(ranks, size - 1).astype(np.int64)
    return codes


def _make_week(week: int, posts: int, words: pa.Array, random: np.random.Generator) -> pa.Table:
    lengths = random.poisson(MEAN_POST_WORDS, posts)
    starts = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    is_english = np.repeat(random.random(posts) < 0.5, lengths)
    ranks = _draw_zipf_ranks(random, VOCABULARY_SIZE, starts[-1])
    codes = (ranks + VOCABULARY_SIZE * is_english).astype(np.int32)
    word_codes = pa.DictionaryArray.from_arrays(pa.array(codes), words)
    monday = datetime(2026, 2, 2, tzinfo=UTC) + timedelta(weeks=week)
    seconds = int(monday.timestamp()) + random.integers(0, 7 * 86400, posts)
    ids = pa.array([f"forum:{week * posts + i}" for i in range(posts)])
    sources = [SOURCES[i] for i in random.integers(0, len(SOURCES), posts)]
    brands = [_BRAND_LISTS[i] for i in random.integers(0, len(_BRAND_LISTS), posts)]
    authors = [f"a{i}" for i in random.integers(0, 3 * posts, posts)]
    return pa.table(
        {
            "id": ids,
            "author": pa.array(authors),
            "source": pa.array(sources),
            "published_at": pa.array(seconds * 1_000_000, pa.timestamp("us", tz="UTC")),
            "week": pa.array(np.full(posts, week, np.int32)),
            "language": pa.array(["zh"] * posts),
            "words": pa.ListArray.from_arrays(pa.array(starts), word_codes),
            "hashtags": pa.array([[]] * posts, pa.list_(pa.string())),
            "cluster": ids,
            "brands": pa.array(brands, pa.list_(pa.string())),
            "body": pa.array([""] * posts),
        }
    )


if __name__ == "__main__":
    main()
