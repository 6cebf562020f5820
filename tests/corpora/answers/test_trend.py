"""Trends: counts by week and day, intervals over authors, gaps of the crawl, and the picture."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from corpora.answers.author_intervals import CellSizes, rate_intervals
from corpora.answers.cells import MatchingPosts
from corpora.answers.trend_picture import draw_trend
from corpora.corpus import Corpus
from folate.core.errors import InputError
from tests.corpora.answers.answers_project import (
    FIRST_MOMENT,
    assert_row_query,
    make_posts,
    make_project,
)

POSTS = make_posts()
WEEKS = ["2026-W02", "2026-W03", "2026-W04", "2026-W05", "2026-W06", "2026-W07"]


def crawl(week: int, status: str, source: str = "weibo", **values: Any) -> dict[str, Any]:
    """Return a row of the ledger: a crawl that covers one week from its Monday on."""
    start = FIRST_MOMENT + timedelta(weeks=week)
    end = start + timedelta(weeks=1)
    row = {
        "crawl": f"run{week}",
        "source": source,
        "query": "q",
        "since": start,
        "until": end,
        "status": status,
        "started_at": end,
        "finished_at": end,
    }
    return row | values


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The corpus with a ledger: its last week is the fifth, the third was crawled for nothing."""
    project = make_project(tmp_path_factory.mktemp("crawled") / "project")
    rows = [
        crawl(0, "complete"),
        crawl(1, "failed"),
        crawl(2, "complete"),
        crawl(3, "saturated"),
        crawl(3, "complete", query="other"),
        crawl(4, "complete", until=FIRST_MOMENT + timedelta(weeks=4, days=3)),
        crawl(0, "partial", source="forum"),
    ]
    project.store.upsert("crawls", rows)
    return Corpus.open(project.root)


def by_week(corpus: Corpus, query: str, **arguments: Any) -> dict[str, Any]:
    return {row["week"]: row for row in corpus.trend(query, **arguments)}


def test_each_week_has_a_row_and_its_query_finds_its_posts(corpus: Corpus) -> None:
    rows = corpus.trend("叶酸").rows
    assert [row["week"] for row in rows] == WEEKS
    for row in rows:
        if row["posts"] is not None:
            assert_row_query(corpus, row)
    assert list(rows[0])[:4] == ["week", "posts", "hits", "per_million"]
    assert list(rows[0]) == list(corpus.trend("叶酸").definitions)


def test_weeks_without_a_hit_are_zero_with_an_upper_bound(corpus: Corpus) -> None:
    row = by_week(corpus, "天气")["2026-W05"]
    assert (row["posts"], row["hits"], row["per_million"], row["low"]) == (0, 0, 0.0, 0.0)
    assert row["high"] == pytest.approx(3.689 * 1_000_000 / row["size"], rel=1e-3)


def test_weeks_without_any_post_are_gaps(corpus: Corpus) -> None:
    row = by_week(corpus, "叶酸")["2026-W04"]
    assert row["coverage"] == "none"
    figures = ("posts", "hits", "per_million", "low", "high", "authors")
    assert [row[name] for name in figures] == [None] * 6
    note = "gaps, as not all posts of the week were seen: 2026-W04"
    assert corpus.trend("叶酸").notes == (note,)


def test_the_ledger_of_crawls_makes_gaps(crawled: Corpus) -> None:
    rows = by_week(crawled, "叶酸 source:weibo")
    coverages = ["complete", "failed", "complete", "saturated", "partial", "unrecorded"]
    assert [row["coverage"] for row in rows.values()] == coverages
    assert rows["2026-W04"]["posts"] == 0
    assert rows["2026-W04"]["per_million"] is None
    assert rows["2026-W03"]["posts"] > 0
    assert rows["2026-W03"]["per_million"] is None
    assert rows["2026-W05"]["per_million"] > 0
    assert by_week(crawled, "叶酸")["2026-W02"]["coverage"] == "partial"


def test_each_source_has_its_own_coverage(crawled: Corpus) -> None:
    rows = {(row["week"], row["source"]): row for row in crawled.trend("叶酸", "source")}
    assert rows["2026-W02", "weibo"]["coverage"] == "complete"
    assert rows["2026-W02", "forum"]["coverage"] == "partial"
    assert rows["2026-W02", "shop"]["coverage"] == "unrecorded"


def test_a_trend_by_brand_has_a_row_for_each_week_and_brand(corpus: Corpus) -> None:
    rows = corpus.trend("叶酸", "brand").rows
    expected = [(week, brand) for week in WEEKS for brand in ("ours", "theirs")]
    assert [(row["week"], row["brand"]) for row in rows] == expected
    for row in rows:
        if row["posts"] is not None:
            assert_row_query(corpus, row)


def test_days_are_counted_in_the_time_zone_of_the_project(corpus: Corpus) -> None:
    rows = {row["day"]: row for row in corpus.trend("叶酸", step="day")}
    assert rows["2026-01-05"]["posts"] == by_week(corpus, "叶酸")["2026-W02"]["posts"]
    assert rows["2026-01-06"]["coverage"] == "none"


def test_only_weeks_that_the_query_admits_are_shown(corpus: Corpus) -> None:
    assert list(by_week(corpus, "叶酸 week:2026-W03..2026-W05")) == WEEKS[1:4]
    assert list(by_week(corpus, "叶酸 week:2026-W06..")) == WEEKS[4:]
    assert list(by_week(corpus, "叶酸 day:2026-01-14")) == WEEKS[1:2]


def test_intervals_are_those_of_drawing_authors_one_by_one() -> None:
    rng = np.random.default_rng(5)
    authors = rng.integers(0, 40, 120).astype(np.uint64)
    hits = 1 + (rng.random(120) < 0.3).astype(np.int64)
    sizes = rng.integers(10, 40, 120)
    posts = MatchingPosts(np.zeros(120, np.int64), hits, sizes, authors, 0)
    others = rng.integers(10, 40, 2000)
    squares = (sizes**2).sum() + (others**2).sum()
    totals = np.array([sizes.sum() + others.sum()], float)
    low, high = rate_intervals(posts, CellSizes(totals, np.array([squares], float)))

    weights = rng.poisson(1, (4000, 40))
    hits_of_author = np.bincount(authors.astype(int), hits, minlength=40)
    sizes_of_author = np.bincount(authors.astype(int), sizes, minlength=40)
    drawn_others = np.array([(rng.poisson(1, 2000) * others).sum() for _ in range(4000)])
    rates = weights @ hits_of_author / (weights @ sizes_of_author + drawn_others)
    expected = np.quantile(rates, [0.025, 0.975])
    assert [low[0], high[0]] == pytest.approx(expected, rel=0.05)


def test_one_author_with_many_posts_is_weak_evidence() -> None:
    def width(authors: np.ndarray) -> float:
        ones = np.ones(100, np.int64)
        posts = MatchingPosts(np.zeros(100, np.int64), ones, ones * 20, authors, 0)
        sizes = CellSizes(np.array([100_000.0]), np.array([2_000_000.0]))
        low, high = rate_intervals(posts, sizes)
        return float(high[0] - low[0])

    many = np.arange(100, dtype=np.uint64)
    one = np.zeros(100, np.uint64)
    assert width(one) > 5 * width(many)


def test_the_same_question_has_the_same_answer(corpus: Corpus, corpus_folder: Path) -> None:
    again = Corpus.open(corpus_folder)
    assert list(again.trend("叶酸", "brand")) == list(corpus.trend("叶酸", "brand"))


def test_the_picture_is_valid_svg_with_gaps_and_chinese(corpus: Corpus) -> None:
    answer = corpus.trend("叶酸", "brand")
    root = ElementTree.fromstring(answer.plot())  # noqa: S314
    texts = [element.text for element in root.iter() if element.text]
    assert "叶酸" in texts
    assert "hits per million characters" in texts
    assert {"ours", "theirs"} <= set(texts)
    lines = [element for element in root.iter() if element.get("class") == "line"]
    # each line is broken by the week without posts
    assert len(lines) == 4
    assert [element for element in root.iter() if element.get("class") == "gap"]


def test_a_trend_of_nothing_has_a_picture_too(corpus: Corpus) -> None:
    for query in ("没有这个词", "叶酸 week:1999-W01"):
        ElementTree.fromstring(corpus.trend(query).plot())  # noqa: S314


def test_unknown_fields_are_refused(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="no field 'week' to split a trend by"):
        corpus.trend("叶酸", "week")


def test_the_picture_begins_and_ends_with_what_was_seen(corpus: Corpus) -> None:
    answer = corpus.trend("叶酸")
    empty = [
        {**answer.rows[0], "week": week, "per_million": None, "coverage": "none", "hits": 0}
        for week in ("2025-W50", "2025-W51")
    ]
    assert "2025-W50" not in draw_trend(
        replace(answer, rows=[*empty, *answer.rows]), "week", None, "character", "en"
    )
