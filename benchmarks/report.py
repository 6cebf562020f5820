"""Time of a weekly report: `python -m benchmarks.report [--posts 1000000]`; 100,000 by default.

The corpus is synthetic: a year of posts of four brands on three sources, a third of them about a
brand, a fifth of them answers. Its annotations are drawn at random, as only their number matters.
Prints the CPU and wall seconds of each part of `reports.build.assemble_report`, of the page and of
the JSON, and the peak memory of the report (a process of its own writes the corpus).
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import reports.build
from benchmarks.pipeline import jieba_cumulative_frequencies
from corpora.store.arrow import conform_rows
from corpora.store.schema import TABLES
from corpora.store.store import Store
from folate.core.config import AudienceSegment, Brand, Campaign, Config, Source
from folate.core.labels import EMOTIONS, INTENTS, SENTIMENT_LABELS
from folate.core.weeks import Week
from reports.render.document import to_json
from reports.render.html import render_html

REPORT_WEEK = Week.parse("2026-W10")
CORPUS_START = datetime(2025, 3, 10, tzinfo=UTC)
CORPUS_DAYS = 364
"""Up to the end of the report's week."""
BRANDS = ("ours", "one", "two", "three")
SOURCES = ("forum", "weibo", "shop")
ASPECTS = ("taste", "price", "packaging", "delivery", "quality", "service", "design")
BRAND_MENTION_SHARE = 1 / 3
ANSWER_SHARE = 0.2
COPY_SHARE = 0.05
COMPARISON_SHARE = 0.02
"""Share of the posts about a brand that compare it; the others are shares of all posts."""

WORDS_PER_POST = 24
CONFIG = Config(
    name="bench",
    brands=tuple(Brand(id=name, names=(name.title(),), own=name == "ours") for name in BRANDS),
    watch=("叶酸", "delivery"),
    segments=(AudienceSegment(id="parents", names=("parents",), terms=("宝宝", "my kids")),),
    campaign=(
        Campaign(
            id="spring",
            names=("spring",),
            start=date(2026, 2, 16),
            end=date(2026, 3, 8),
            themes=("新鲜",),
        ),
    ),
    sources=tuple(
        Source(name=name, spider="forum", start=("http://localhost/",)) for name in SOURCES
    ),
)
TIMED_FUNCTIONS = (
    "find_sources",
    "read_brand_mentions",
    "measure_brands",
    "load_topics",
    "count_week_posts",
    "find_concerns",
    "perceive",
    "find_people",
    "measure_campaigns",
    "find_top_posts",
)
"""Functions of `reports.build` that are timed."""
Generator = np.random.Generator
Columns = dict[str, Any]
T = TypeVar("T")


def write_store(root: Path, count: int, seed: int = 7) -> None:
    """Write a store of `count` posts with their annotations."""
    store = Store(root)
    rng = np.random.default_rng(seed)
    posts = _draw_posts(count, rng)
    store.replace("posts", conform_rows(TABLES["posts"], posts), {})
    keys = pa.table({"id": posts["id"], "text_hash": posts["text_hash"]})
    for name, columns in _draw_annotations(keys, rng):
        rows = columns.append_column("annotator", pa.repeat("bench", len(columns)))
        rows = rows.append_column("version", pa.repeat("1", len(columns)))
        column_names = [
            column for column in TABLES[name].schema.names if column in rows.column_names
        ]
        store.replace(name, conform_rows(TABLES[name], rows.select(column_names)), {})
    copies = np.flatnonzero(rng.random(count) < COPY_SHARE)[1:]
    first = keys["id"].take(pa.array(copies // 2))
    clusters = pa.table(
        {
            "id": keys["id"].take(pa.array(copies)),
            "cluster": first,
            "similarity": pa.repeat(1.0, len(copies)),
        }
    )
    store.replace("duplicates", conform_rows(TABLES["duplicates"], clusters), {})
    store.upsert("topics", list(_draw_topics(keys["id"].slice(count - count // 60))))


def _draw_posts(count: int, rng: Generator) -> pa.Table:
    """Draw posts in order of time.

    A tenth is by a hundred busy authors; an answer is to one of the thousand posts before.
    """
    source = pa.DictionaryArray.from_arrays(
        rng.integers(0, len(SOURCES), count), list(SOURCES)
    ).cast(pa.string())
    numbers = pa.array(np.arange(count)).cast(pa.string())
    ids = pc.binary_join_element_wise(source, numbers, ":")
    seconds = np.sort(rng.integers(0, CORPUS_DAYS * 86400, count))
    published = pa.array(
        np.datetime64(CORPUS_START.replace(tzinfo=None), "us") + seconds.astype("timedelta64[s]")
    ).cast(pa.timestamp("us", "UTC"))
    author = np.where(
        rng.random(count) < 0.1,
        rng.integers(0, 100, count),
        rng.integers(0, max(count // 4, 1), count),
    )
    parent = pa.array(
        np.maximum(np.arange(count) - rng.integers(1, 1000, count), 0),
        mask=rng.random(count) >= ANSWER_SHARE,
    )
    act_counts = {
        name: pa.array(rng.geometric(0.2, count) - 1) for name in ("likes", "replies", "reposts")
    }
    text = pc.binary_join(_draw_words(count, rng), "")
    digest = pa.array([f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(count)])
    return pa.table(
        {
            "id": ids,
            "source": source,
            "kind": pa.repeat("forum", count),
            "parent": ids.take(parent),
            "author": pa.array(
                [f"{number * 0xD1B54A32D192ED03 % 2**64:016x}" for number in author.tolist()]
            ),
            "published_at": published,
            "fetched_at": published,
            "month": pc.strftime(published, "%Y-%m"),
            "text": text,
            "text_hash": digest,
            "language": pa.repeat("zh", count),
            "rating": pa.array(
                rng.integers(0, 5, count) / 4,
                mask=pc.not_equal(source, "shop").to_numpy(zero_copy_only=False),
            ),
            **act_counts,
        }
    )


def _draw_words(count: int, rng: Generator) -> pa.Array:
    """Draw WORDS_PER_POST words of jieba's dictionary for each post, by frequency."""
    words, frequencies = jieba_cumulative_frequencies()
    draws = np.searchsorted(
        frequencies, rng.random(count * WORDS_PER_POST) * frequencies[-1], side="right"
    )
    return pa.ListArray.from_arrays(
        pa.array(np.arange(0, count * WORDS_PER_POST + 1, WORDS_PER_POST, dtype=np.int32)),
        pa.array(words).take(pa.array(draws)),
    )


def _draw_annotations(keys: pa.Table, rng: Generator) -> Iterator[tuple[str, pa.Table]]:
    """Yield tables of invented annotations, drawn at random for each made-up post.

    `keys` has the ids and text hashes of the posts. Yields (table name, rows).
    """
    count = len(keys)
    yield (
        "texts",
        keys.append_column("words", _draw_words(count, rng)).append_column(
            "exact", keys["text_hash"]
        ),
    )
    yield (
        "judgements",
        _append_columns(keys, {name: pa.array(rng.random(count)) for name in EMOTIONS + INTENTS}),
    )
    brand_rows = np.flatnonzero(rng.random(count) < BRAND_MENTION_SHARE)
    second = brand_rows[rng.random(len(brand_rows)) < 0.05]
    brand = rng.choice(len(BRANDS), len(brand_rows), p=(0.3, 0.35, 0.2, 0.15))
    rows = np.concatenate([brand_rows, second])
    brands = np.concatenate([brand, (brand[np.searchsorted(brand_rows, second)] + 1) % len(BRANDS)])
    brand_mentions = _append_columns(
        keys.take(pa.array(rows)), {"brand": pa.array(np.array(BRANDS)[brands])}
    )
    yield (
        "mentions",
        _append_columns(
            brand_mentions,
            {"start": pa.repeat(0, len(brand_mentions)), "end": pa.repeat(2, len(brand_mentions))},
        ),
    )
    everything = pa.concat_tables(
        [brand_mentions, _append_columns(keys, {"brand": pa.nulls(count, pa.string())})]
    )
    yield "sentiments", _append_columns(everything, _draw_polarity(len(everything), rng))
    aspect_mentions = brand_mentions.take(
        pa.array(np.flatnonzero(rng.random(len(brand_mentions)) < 0.8))
    )
    aspects = pa.array(np.array(ASPECTS)[rng.integers(0, len(ASPECTS), len(aspect_mentions))])
    yield (
        "aspects",
        _append_columns(
            aspect_mentions, {"aspect": aspects, **_draw_polarity(len(aspect_mentions), rng)}
        ),
    )
    comparison_rows = np.flatnonzero(rng.random(len(brand_mentions)) < COMPARISON_SHARE)
    other_brand = pa.array(np.array(BRANDS)[(brands[comparison_rows] + 1) % len(BRANDS)])
    kind = pa.array(np.array(["switch", "better"])[rng.integers(0, 2, len(comparison_rows))])
    yield (
        "comparisons",
        _append_columns(
            brand_mentions.take(pa.array(comparison_rows)),
            {"other": other_brand, "kind": kind, "start": pa.repeat(0, len(comparison_rows))},
        ),
    )


def _draw_polarity(count: int, rng: Generator) -> Columns:
    draws = rng.dirichlet((0.6, 0.8, 0.7), count)
    return {name: pa.array(draws[:, index]) for index, name in enumerate(SENTIMENT_LABELS)}


def _append_columns(table: pa.Table, columns: Columns) -> pa.Table:
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _draw_topics(ids: pa.ChunkedArray) -> Iterator[dict[str, Any]]:
    """Yield eight topics, each with twenty posts of the week."""
    for number in range(8):
        posts = ids.slice(number * 20, 20).to_pylist()
        yield {
            "week": str(REPORT_WEEK),
            "id": f"t{number}",
            "state": "new",
            "label_zh": f"话题{number}",
            "label_en": f"topic {number}",
            "authors": 20,
            "posts": 20,
            "score": 9.0,
            "detail": '{"gain": 4.0}',
            "evidence": posts,
        }


def time_call(label: str, function: Callable[..., T], *arguments: Any) -> T:
    """Call a function, print its CPU and wall seconds, and return its result."""
    cpu_start = time.process_time()
    wall_start = time.perf_counter()
    result = function(*arguments)
    sys.stdout.write(
        f"{label:16}{time.process_time() - cpu_start:8.2f} s CPU"
        f"{time.perf_counter() - wall_start:8.2f} s\n"
    )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument(
        "--store",
        type=Path,
        help="keep the corpus in this folder, or take it from there when it is keys already",
    )
    options = parser.parse_args()
    for name in TIMED_FUNCTIONS:
        function = getattr(reports.build, name)
        setattr(reports.build, name, partial(time_call, f"  {name}", function))
    with tempfile.TemporaryDirectory() as folder:
        root = options.store or Path(folder)
        if not (root / "posts").exists():
            process = multiprocessing.get_context("spawn").Process(
                target=write_store, args=(root, options.posts)
            )
            process.start()
            process.join()
        snapshot = time_call("snapshot", Store(root).snapshot)
        now = REPORT_WEEK.bounds(CONFIG.timezone)[1] + timedelta(days=1)
        report = time_call(
            "build", reports.build.assemble_report, snapshot, CONFIG, REPORT_WEEK, "en", now
        )
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        time_call("page", render_html, report)
        time_call("JSON", to_json, report)
    sys.stdout.write(f"{len(report.figures):,} numbers; {memory:,.0f} MiB at most\n")


if __name__ == "__main__":
    main()
