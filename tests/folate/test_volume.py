"""Saved queries: which posts match, and when their number is unusual."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.config import VolumeRule
from folate.core.errors import ConfigError
from folate.core.post import Post
from folate.core.weeks import Week
from nlp.stats.surges import estimate_surge
from nlp.text.segment import Segmenter
from reports.alerts.saved_query import measure_query_volume

WEEK = Week.parse("2026-W10")
TEXTS = (
    "包裝漏了一半",
    "it LEAKS, again",
    "leakstop tape",
    "叶酸片",
    "a bleak day",
    "完全不漏",
    "漏",
    "folic  acid",
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The same eight texts in each of five weeks, each by another author.

    The fifth text mentions the brand, and the last one is from another source.
    """
    posts: list[Post] = []
    texts: list[dict[str, Any]] = []
    mentions: list[dict[str, Any]] = []
    segmenter = Segmenter()
    for weeks_back in range(5):
        start = (WEEK - weeks_back).bounds("UTC")[0]
        for n, text in enumerate(TEXTS):
            source = "b" if n == 7 else "a"
            post = Post(
                id=f"{source}:{weeks_back}-{n}",
                source=source,
                kind="forum",
                text=text,
                author=f"{weeks_back}{n}",
                published_at=start + timedelta(hours=n),
            )
            key = {"id": post.id, "text_hash": post.text_hash, "annotator": "test", "version": "1"}
            posts.append(post)
            texts.append(
                key
                | {
                    "language": "zh",
                    "words": segmenter.words(text),
                    "hashtags": [],
                    "exact": post.id,
                }
            )
            if n == 4:
                mentions.append(key | {"brand": "ours", "start": 0, "end": 1, "via": "text"})
    store = Store(tmp_path_factory.mktemp("volume"))
    store.upsert_posts(posts)
    store.upsert("texts", texts)
    store.upsert("mentions", mentions)
    return store.snapshot()


@pytest.mark.parametrize(
    ("query", "text_indices"),
    [
        ({"words": ("漏",)}, (0, 5, 6)),  # inside of any word
        ({"words": ("包装漏",)}, (0,)),  # in traditional characters, across words
        ({"words": ("Leaks",)}, (1,)),  # whole words only
        ({"words": ("folic acid", "叶酸")}, (3, 7)),
        ({"words": ("漏",), "sources": ("b",)}, ()),
        ({"brand": "ours"}, (4,)),
        ({"sources": ("b",)}, (7,)),
        ({}, tuple(range(8))),
        ({"words": ("o'; DROP TABLE posts; --",)}, ()),
    ],
)
def test_what_a_query_finds(
    snapshot: Snapshot, query: dict[str, Any], text_indices: tuple[int, ...]
) -> None:
    volume = measure_query_volume(snapshot, VolumeRule(id="q", **query), WEEK, "UTC")
    assert volume is not None
    assert sorted(int(post.rpartition("-")[2]) for post in volume.post_ids) == list(text_indices)
    assert volume.authors.value == len(text_indices) == volume.authors.n
    assert volume.expected.n == 4
    assert volume.expected.flags == ("short baseline",)
    assert snapshot.sql(volume.authors.query).column(0)[0].as_py() == len(text_indices)
    rows = snapshot.sql(volume.expected.query).to_pylist()
    assert sum(row["authors"] for row in rows) == 5 * len(text_indices)


def test_a_word_without_letters_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(ConfigError, match="which holds none"):
        measure_query_volume(snapshot, VolumeRule(id="q", words=("！",)), WEEK, "UTC")


def test_two_weeks_are_not_enough_to_know_what_is_usual(snapshot: Snapshot) -> None:
    assert measure_query_volume(snapshot, VolumeRule(id="q"), WEEK - 2, "UTC") is None


def estimate_series(author_counts: list[int]) -> Any:
    """Estimate the surge in the last week of one source with 1000 authors a week."""
    authors = np.array(author_counts)[:, None]
    return estimate_surge(authors, np.full_like(authors, 1000))


def test_a_rush_stands_out_and_a_usual_week_does_not() -> None:
    usual = estimate_series([10, 12, 9, 11, 8, 10, 13, 9, 11])
    rush = estimate_series([10, 12, 9, 11, 8, 10, 13, 9, 40])
    assert usual.p_value > 0.2
    assert usual.low < 10.5 < usual.high < 25
    assert rush.p_value < 1e-4
    assert rush.expected == usual.expected == pytest.approx(10.3, abs=0.5)


def test_a_series_that_swings_and_a_short_one_are_believed_less() -> None:
    steady = estimate_series([10] * 8 + [25])
    swinging = estimate_series([2, 25, 4, 18, 1, 22, 5, 9, 25])
    short = estimate_series([10] * 3 + [25])
    assert steady.p_value < short.p_value
    assert steady.p_value < 0.01 < swinging.p_value


def test_more_posts_of_everything_are_no_rush_and_a_new_source_takes_no_part() -> None:
    authors = np.full((9, 2), 10)
    total_authors = np.full((9, 2), 1000)
    authors[-1] = 30
    total_authors[-1] = 3000
    authors[:-1, 1] = 0
    total_authors[:-1, 1] = 0
    surge = estimate_surge(authors, total_authors)
    assert surge is not None
    assert (surge.observed, surge.expected) == (30, pytest.approx(30, rel=0.05))
    assert surge.p_value > 0.2
