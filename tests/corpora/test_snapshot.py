"""Materialized rows answer as the files do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.errors import InputError
from folate.core.post import Post

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
POSTS = "SELECT id, author, published_at FROM posts"
EARLY_POSTS = f"{POSTS} WHERE published_at < TIMESTAMPTZ '2026-03-04 00:00:00+00:00'"
PAIRS = f"""
SELECT a.id, b.id AS other
FROM ({EARLY_POSTS}) a JOIN ({POSTS}) b ON a.author = b.author AND a.id < b.id
ORDER BY ALL
"""
SOURCES = {
    POSTS: "FROM stored_posts",
    EARLY_POSTS: "FROM stored_posts WHERE published_at < TIMESTAMPTZ '2026-03-04'",
}


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    store = Store(tmp_path / "corpus")
    store.upsert_posts(
        Post(
            id=f"论坛:{day}",
            source="论坛",
            kind="forum",
            text="楼",
            author=f"{day % 2:016x}",
            published_at=MONDAY + timedelta(days=day),
        )
        for day in range(6)
    )
    return store.snapshot()


def test_a_query_may_name_materialized_rows(snapshot: Snapshot) -> None:
    query = "SELECT author, published_at FROM posts WHERE id = $id"
    with snapshot.materialize("one_post", query, {"id": "论坛:3"}):
        row = {"author": f"{1:016x}", "published_at": MONDAY + timedelta(days=3)}
        assert snapshot.sql("FROM one_post").to_pylist() == [row]
        assert "PARQUET" not in snapshot.explain("FROM one_post").upper()


def test_a_whole_query_gives_the_same_rows_from_memory_without_the_files(
    snapshot: Snapshot,
) -> None:
    rows_of_files = snapshot.sql(PAIRS)
    with snapshot.materialize("stored_posts", POSTS):
        faster = snapshot.reading_subqueries_from(SOURCES)
        assert faster.sql(PAIRS) == rows_of_files
        assert stream_pairs(faster) == rows_of_files.to_pylist()
        assert "PARQUET" not in faster.explain(PAIRS).upper()
        assert "PARQUET" in snapshot.explain(PAIRS).upper()
    assert snapshot.sql(PAIRS) == rows_of_files
    assert rows_of_files.num_rows == 4


def stream_pairs(snapshot: Snapshot) -> list[dict[str, str]]:
    return [row for batch in snapshot.stream(PAIRS) for row in batch.to_pylist()]


def test_rows_may_be_materialized_from_materialized_rows(snapshot: Snapshot) -> None:
    count = f"SELECT count(*) AS n FROM ({PAIRS})"
    with snapshot.materialize("stored_posts", POSTS):
        faster = snapshot.reading_subqueries_from(SOURCES)
        with faster.materialize("pairs", PAIRS):
            fastest = faster.reading_subqueries_from({PAIRS: "FROM pairs"})
            assert fastest.sql(count)["n"].to_pylist() == [4]
            assert "JOIN" not in fastest.explain(count)
    assert snapshot.sql(count)["n"].to_pylist() == [4]


def test_materialized_rows_are_gone_after_the_block_also_after_an_error(snapshot: Snapshot) -> None:
    with pytest.raises(InputError), snapshot.materialize("stored_posts", POSTS):
        snapshot.sql("FROM stored_posts WHERE nothing = 1")
    with pytest.raises(InputError, match="stored_posts"):
        snapshot.sql("FROM stored_posts")
    with snapshot.materialize("stored_posts", POSTS):
        assert snapshot.sql("SELECT count(*) AS n FROM stored_posts")["n"].to_pylist() == [6]


def test_only_a_select_can_be_materialized(snapshot: Snapshot) -> None:
    with (
        pytest.raises(InputError, match="one SELECT"),
        snapshot.materialize("t", "DROP VIEW posts"),
    ):
        pass


def test_a_table_of_the_store_is_never_replaced(snapshot: Snapshot) -> None:
    with pytest.raises(InputError), snapshot.materialize("posts", POSTS):
        pass
    assert snapshot.sql("SELECT count(*) AS n FROM posts")["n"].to_pylist() == [6]


def test_the_files_stay_sealed_within_the_block(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a\n1\n", encoding="utf-8")
    with (
        snapshot.materialize("stored_posts", POSTS),
        pytest.raises(InputError, match="can't be answered"),
    ):
        snapshot.sql(f"FROM '{tmp_path / 'other.csv'}'")
