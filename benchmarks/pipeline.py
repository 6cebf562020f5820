"""Benchmark of import and annotation of 100,000 posts: `python -m benchmarks.pipeline`.

Sentiment is left out. The posts are drawn from jieba's dictionary, so that the benchmark needs no
data. The peer is what a script would do instead: read the CSV with pandas and cut every text with
jieba, in the same run on the same texts. Ratios are more stable than seconds.
"""

import argparse
import csv
import random
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path

from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.ingest import import_file
from folate.pipeline.project import Project

PROJECT_TOML = """
name = "bench"
[[brands]]
id = "ours"
names = ["晨谷", "Morngrain"]
own = true
[[brands]]
id = "theirs"
names = ["暖禾", "Warmfield"]
"""
BRANDS = ("晨谷", "暖禾", "Morngrain", "Warmfield")
BRAND_MENTION_SHARE = 0.3  # share of posts that name a brand


def write_posts(path: Path, count: int, seed: int = 7) -> None:
    """Write a CSV of posts of 24 words drawn from jieba's dictionary by frequency.

    A tenth of the words are Latin.
    """
    rnd = random.Random(seed)
    words, frequencies = jieba_cumulative_frequencies()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "author", "published_at", "text"])
        for i in range(count):
            text = "".join(rnd.choices(words, cum_weights=frequencies, k=24)) + (
                rnd.choice(BRANDS) if rnd.random() < BRAND_MENTION_SHARE else ""
            )
            day = f"2026-{rnd.randint(1, 3):02d}-{rnd.randint(1, 28):02d}"
            writer.writerow([i, f"author{rnd.randrange(count // 4)}", f"{day} 12:30:00", text])


def jieba_cumulative_frequencies() -> tuple[list[str], list[int]]:
    """Return jieba's words and their cumulative frequencies.

    Every tenth word is replaced by one in Latin letters, as posts have them.
    """
    import jieba

    with jieba.get_dict_file() as file:
        entries = [line.decode("utf-8").split() for line in file]
    words = [
        f" word{index} " if index % 10 == 0 else entry[0] for index, entry in enumerate(entries)
    ]
    return words, list(accumulate(int(entry[1]) for entry in entries))


def time_pandas_and_jieba(path: Path) -> float:
    """Return the seconds to read the file with pandas and segment its texts with jieba."""
    import jieba
    import pandas as pd

    jieba.initialize()
    start = time.perf_counter()
    for text in pd.read_csv(path)["text"]:
        jieba.lcut(text)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=100_000)
    count = parser.parse_args().posts
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "folate.toml").write_text(PROJECT_TOML, encoding="utf-8")
        write_posts(root / "posts.csv", count)
        project = Project.open(root)
        start = time.perf_counter()
        import_file(project, root / "posts.csv", source="bench", kind="review")
        imported = time.perf_counter()
        annotate_corpus(project, with_sentiment=False)
        annotated = time.perf_counter()
        peer_seconds = time_pandas_and_jieba(root / "posts.csv")
    for step, seconds in (
        ("import", imported - start),
        ("annotate", annotated - imported),
        ("both", annotated - start),
        ("pandas + jieba", peer_seconds),
    ):
        sys.stdout.write(f"{step:16}{seconds:8.1f} s{count / seconds:12,.0f} posts/s\n")
    ratio = (annotated - start) / peer_seconds
    sys.stdout.write(
        f"import and annotate takes {ratio:.2f} of the time that pandas and jieba take to segment "
        "alone\n"
    )


if __name__ == "__main__":
    main()
