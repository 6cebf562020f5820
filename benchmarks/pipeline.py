"""Import and annotate 100,000 posts, without sentiment, on this machine: `python -m benchmarks.pipeline`.

The posts are made here from a seeded vocabulary, so that the figure needs no data. The peer is what a script would do instead:
read the CSV with pandas and cut every text with jieba, in the same run on the same texts. Ratios hold better than seconds.
"""

import argparse
import csv
import random
import sys
import tempfile
import time
from pathlib import Path

from folate.pipeline.annotate import annotate
from folate.pipeline.ingest import import_file
from folate.pipeline.workspace import Workspace

PROJECT = """
name = "bench"
[[brands]]
id = "ours"
names = ["晨谷", "Morngrain"]
own = true
[[brands]]
id = "theirs"
names = ["暖禾", "Warmfield"]
"""
WORDS_ZH = (
    "今天 早餐 燕麦 牛奶 味道 真的 不错 但是 包装 有点 难 打开 晨谷 暖禾 孩子 喜欢 价格 比 上次 贵 了 客服 态度 很好 "
    "发货 太慢 口感 香脆 不甜 配料表 干净 下次 还会 买 朋友 推荐 超市 打折 健身 减脂 老人 也 能 吃 保质期 短 漏气 退货"
)
WORDS_EN = "the oats taste great but packaging was torn Morngrain Warmfield breakfast kids love price again support slow shipping crunchy"


def write_posts(path: Path, count: int, seed: int = 7) -> None:
    """A CSV of `count` posts of about 24 words, six in ten Chinese."""
    rnd = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "author", "published_at", "text"])
        for i in range(count):
            words, glue = (WORDS_ZH, "") if rnd.random() < 0.6 else (WORDS_EN, " ")
            text = glue.join(rnd.choices(words.split(), k=24))
            day = f"2026-{rnd.randint(1, 3):02d}-{rnd.randint(1, 28):02d}"
            writer.writerow([i, f"author{rnd.randrange(count // 4)}", f"{day} 12:30:00", text])


def peer(path: Path) -> float:
    """Seconds to read the file with pandas and segment its texts with jieba."""
    import jieba
    import pandas as pd

    jieba.initialize()
    start = time.perf_counter()
    for text in pd.read_csv(path)["text"]:
        jieba.lcut(text)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=100_000)
    count = parser.parse_args().posts
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "folate.toml").write_text(PROJECT, encoding="utf-8")
        write_posts(root / "posts.csv", count)
        workspace = Workspace.open(root)
        start = time.perf_counter()
        import_file(workspace, root / "posts.csv", {}, "bench", "review", None)
        imported = time.perf_counter()
        annotate(workspace, sentiment=False)
        done = time.perf_counter()
        other = peer(root / "posts.csv")
    for what, seconds in (("import", imported - start), ("annotate", done - imported), ("both", done - start), ("pandas + jieba", other)):
        sys.stdout.write(f"{what:16}{seconds:8.1f} s{count / seconds:12,.0f} posts/s\n")
    sys.stdout.write(f"import and annotate takes {(done - start) / other:.2f} of the time that pandas and jieba take to segment alone\n")


if __name__ == "__main__":
    main()
