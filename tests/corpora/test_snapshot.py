"""What is held in memory answers as the files do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.errors import InputError
from folate.core.post import Post

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
POSTS = "SELECT id, author, published_at FROM posts"
EARLY = f"{POSTS} WHERE published_at < TIMESTAMPTZ '2026-03-04 00:00:00+00:00'"
PAIRS = "SELECT a.id, b.id AS other FROM ({one}) a JOIN ({other}) b ON a.author = b.author AND a.id < b.id ORDER BY ALL"


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


def plan(snapshot: Snapshot, query: str) -> str:
    return snapshot.explain(query)


def test_held_rows_answer_the_same_and_without_the_files(snapshot: Snapshot) -> None:
    query = PAIRS.format(one=EARLY, other=POSTS)
    found = snapshot.sql(query)
    with snapshot.materialize(
        POSTS, {POSTS: "true", EARLY: "published_at < TIMESTAMPTZ '2026-03-04'"}
    ):
        assert snapshot.sql(query) == found
        assert "PARQUET" not in plan(snapshot, query).upper()
    assert snapshot.sql(query) == found
    assert found.num_rows == 4
    assert "PARQUET" in plan(snapshot, query).upper()


def test_held_rows_may_be_made_of_held_rows(snapshot: Snapshot) -> None:
    query = PAIRS.format(one=EARLY, other=POSTS)
    count = f"SELECT count(*) AS n FROM ({query})"
    with snapshot.materialize(POSTS, {POSTS: "true"}), snapshot.materialize(query, {query: "true"}):
        assert snapshot.sql(count)["n"].to_pylist() == [4]
    assert snapshot.sql(count)["n"].to_pylist() == [4]


def test_what_was_held_is_gone_also_after_an_error(snapshot: Snapshot) -> None:
    with pytest.raises(InputError), snapshot.materialize(POSTS, {POSTS: "nothing = 1"}):
        snapshot.sql(f"SELECT count(*) FROM ({POSTS})")
    with snapshot.materialize(POSTS, {POSTS: "true"}):
        assert snapshot.sql(f"SELECT count(*) AS n FROM ({POSTS})")["n"].to_pylist() == [6]


def test_only_a_select_can_be_held(snapshot: Snapshot) -> None:
    with pytest.raises(InputError, match="one SELECT"), snapshot.materialize("DROP VIEW posts", {}):
        pass
