"""What the store keeps, what it shows, and what it refuses."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from corpora.store.schema import TABLES
from corpora.store.store import Store, UpsertCounts
from folate.core.errors import InputError, StoreError
from folate.core.post import Post

DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


def post(number: int, source: str = "论坛", **fields: object) -> Post:
    values = {"kind": "forum", "text": f"第 {number} 楼", "published_at": DAY} | fields
    return Post(id=f"{source}:{number}", source=source, **values)  # type: ignore[arg-type]


def annotation(annotated_post: Post, **fields: object) -> dict[str, object]:
    return {
        "id": annotated_post.id,
        "text_hash": annotated_post.text_hash,
        "annotator": "text",
        "version": "1",
    } | fields


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "corpus")


def rows(store: Store, query: str) -> list[dict[str, object]]:
    return store.snapshot().sql(query).to_pylist()


def one(store: Store, query: str) -> dict[str, object]:
    (row,) = rows(store, query)
    return row


class TestPosts:
    def test_a_second_import_writes_nothing_not_even_a_version(self, store: Store) -> None:
        posts = [post(n, likes=n) for n in range(50)]
        assert store.upsert_posts(posts) == UpsertCounts(inserted=50)
        versions = store.versions()
        assert store.upsert_posts(posts) == UpsertCounts(unchanged=50)
        assert store.versions() == versions

    def test_counts_that_grew_update(self, store: Store) -> None:
        store.upsert_posts([post(1, likes=3), post(2, likes=3)])
        assert store.upsert_posts([post(1, likes=4), post(2, likes=3), post(3)]) == UpsertCounts(
            inserted=1, updated=1, unchanged=1
        )
        assert [row["likes"] for row in rows(store, "SELECT likes FROM posts ORDER BY id")] == [
            4,
            3,
            None,
        ]

    def test_a_sight_that_misses_a_field_does_not_erase_it(self, store: Store) -> None:
        store.upsert_posts([post(1, likes=3, title="标题", place="上海")])
        assert store.upsert_posts([post(1, views=9)]).updated == 1
        row = one(store, "SELECT likes, title, place, views, text_hash FROM posts")
        assert row == {
            "likes": 3,
            "title": "标题",
            "place": "上海",
            "views": 9,
            "text_hash": post(1, title="标题").text_hash,
        }

    def test_zero_is_not_missing(self, store: Store) -> None:
        store.upsert_posts([post(1, likes=3)])
        store.upsert_posts([post(1, likes=0)])
        assert one(store, "SELECT likes, views FROM posts") == {"likes": 0, "views": None}

    def test_an_older_sight_that_comes_late_only_fills_gaps(self, store: Store) -> None:
        store.upsert_posts([post(1, likes=10, fetched_at=DAY + timedelta(days=9))])
        assert store.upsert_posts([post(1, likes=2, views=5, fetched_at=DAY)]).updated == 1
        row = one(store, "SELECT likes, views, fetched_at FROM posts")
        assert row == {"likes": 10, "views": 5, "fetched_at": DAY + timedelta(days=9)}

    def test_seen_again_without_change_is_unchanged(self, store: Store) -> None:
        store.upsert_posts([post(1, fetched_at=DAY, crawl="a")])
        assert store.upsert_posts(
            [post(1, fetched_at=DAY + timedelta(days=1), crawl="b")]
        ) == UpsertCounts(unchanged=1)

    def test_the_month_is_that_of_first_sight(self, store: Store) -> None:
        store.upsert_posts([post(1, likes=1, fetched_at=datetime(2026, 3, 31, 23, tzinfo=UTC))])
        store.upsert_posts([post(1, likes=2, fetched_at=datetime(2026, 4, 1, 1, tzinfo=UTC))])
        assert rows(store, "SELECT month, likes FROM posts") == [{"month": "2026-03", "likes": 2}]

    @pytest.mark.parametrize(
        ("first", "second", "kept"),
        [
            ("minute", "day", "first"),
            ("day", "minute", "second"),
            ("hour", "hour", "first"),
            ("second", "second", "second"),
        ],
    )
    def test_the_surest_date_is_kept(
        self, store: Store, first: str, second: str, kept: str
    ) -> None:
        store.upsert_posts([post(1, precision=first, fetched_at=DAY)])
        later = DAY + timedelta(hours=1)
        store.upsert_posts([post(1, precision=second, published_at=later, fetched_at=later)])
        assert one(store, "SELECT published_at FROM posts")["published_at"] == (
            DAY if kept == "first" else later
        )

    def test_the_same_payload_parsed_better_corrects_a_vague_date(self, store: Store) -> None:
        store.upsert_posts([post(1, precision="day", fetched_at=DAY)])
        store.upsert_posts(
            [post(1, precision="day", fetched_at=DAY, published_at=DAY - timedelta(days=1))]
        )
        assert one(store, "SELECT published_at FROM posts")["published_at"] == DAY - timedelta(
            days=1
        )

    def test_two_sights_in_one_batch_are_one_post(self, store: Store) -> None:
        counts = store.upsert_posts([post(1, likes=1, place="北京"), post(1, likes=2), post(2)])
        assert counts == UpsertCounts(inserted=2, repeated=1)
        assert one(store, "SELECT likes, place FROM posts WHERE id = '论坛:1'") == {
            "likes": 2,
            "place": "北京",
        }

    def test_any_name_of_a_source(self, store: Store) -> None:
        sources = ["京东", "O'Reilly", "50% off", "a=b", "007", "*", "x\\y", "é#?&"]
        store.upsert_posts(post(n, source) for source in sources for n in (1, 2))
        counts = store.upsert_posts(
            post(n, source, likes=n // 2) for source in sources for n in (1, 2)
        )
        assert counts == UpsertCounts(updated=16)
        assert store.upsert_posts(
            [post(1, sources[1], likes=0), post(2, sources[2])]
        ) == UpsertCounts(unchanged=2)
        assert sorted(
            row["source"] for row in rows(store, "SELECT DISTINCT source FROM posts")
        ) == sorted(sources)

    def test_odd_texts_come_back_as_they_went(self, store: Store) -> None:
        texts = ["\0", "“引”\r\n\t", "🤰🏽", "'; DROP TABLE posts; --", " ", "\ufeff"]
        store.upsert_posts([post(n, text=text) for n, text in enumerate(texts)])
        assert [row["text"] for row in rows(store, "SELECT text FROM posts ORDER BY id")] == texts


class TestOtherTables:
    def test_missing_parts_of_a_key_are_equal(self, store: Store) -> None:
        post_row, brand_row = (
            annotation(post(1), label="negative"),
            annotation(post(1), brand="b", label="positive"),
        )
        assert store.upsert("sentiments", [post_row, brand_row]) == UpsertCounts(inserted=2)
        assert store.upsert(
            "sentiments", [post_row | {"label": "neutral"}, brand_row]
        ) == UpsertCounts(updated=1, unchanged=1)
        assert store.upsert("mentions", [annotation(post(1), brand="b")]) == UpsertCounts(
            inserted=1
        )
        assert store.upsert("mentions", [annotation(post(1), brand="b")]) == UpsertCounts(
            unchanged=1
        )

    def test_the_last_of_a_key_wins(self, store: Store) -> None:
        assert store.upsert(
            "duplicates", [{"id": "a", "cluster": "x"}, {"id": "a", "cluster": "y"}]
        ) == UpsertCounts(inserted=1, repeated=1)
        assert rows(store, "SELECT cluster FROM duplicates") == [{"cluster": "y"}]

    def test_rows_that_a_better_dictionary_no_longer_finds_go(self, store: Store) -> None:
        store.upsert_posts([post(1), post(2)])
        mentions = [
            annotation(post(n), brand=brand, start=0, end=1) for n in (1, 2) for brand in "ab"
        ]
        store.upsert("mentions", mentions)
        newer = [annotation(post(1), brand="a", start=0, end=1, version="2")]
        assert store.upsert("mentions", newer, complete_ids=[post(1).id]) == UpsertCounts(
            updated=1, removed=1
        )
        mentions = rows(store, "SELECT id, brand FROM mentions ORDER BY ALL")
        assert [(row["id"], row["brand"]) for row in mentions] == [
            ("论坛:1", "a"),
            ("论坛:2", "a"),
            ("论坛:2", "b"),
        ]
        assert store.upsert("mentions", [], complete_ids=[post(2).id]) == UpsertCounts(removed=2)

    def test_replace_touches_only_what_it_names(self, store: Store) -> None:
        store.replace(
            "topics",
            [{"week": "2026-W10", "id": "x"}, {"week": "2026-W10", "id": "y"}],
            {"week": "2026-W10"},
        )
        store.replace("topics", [{"week": "2026-W11", "id": "x"}], {"week": "2026-W11"})
        store.replace("topics", [{"week": "2026-W10", "id": "z"}], {"week": "2026-W10"})
        assert [row["id"] for row in rows(store, "SELECT id FROM topics ORDER BY week, id")] == [
            "z",
            "x",
        ]
        store.replace("topics", [], {"week": "2026-W10"})
        assert rows(store, "SELECT week FROM topics") == [{"week": "2026-W11"}]

    def test_replace_everything(self, store: Store) -> None:
        store.replace("duplicates", [{"id": "a"}, {"id": "b"}], {})
        store.replace("duplicates", [{"id": "c"}], {})
        assert rows(store, "SELECT id FROM duplicates") == [{"id": "c"}]

    def test_large_strings_are_cast(self, store: Store) -> None:
        table = pa.table(
            {"id": pa.array(["a"], pa.large_string()), "similarity": pa.array([1.0], pa.float64())}
        )
        store.upsert("duplicates", table)
        store.upsert("duplicates", table)
        assert store.snapshot().sql("FROM duplicates").schema.field("id").type == pa.string()

    @pytest.mark.parametrize(
        ("table", "row", "words"),
        [
            ("post", {}, "did you mean 'posts'"),
            ("duplicates", {"id": "a", "clusters": "x"}, "did you mean 'cluster'"),
            ("duplicates", {"cluster": "x"}, "'id' in every row"),
            ("duplicates", {"id": "a", "similarity": "x"}, "types"),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, store: Store, table: str, row: dict[str, object], words: str
    ) -> None:
        with pytest.raises(StoreError, match=words):
            store.upsert(table, [row])

    def test_replace_refuses_rows_of_elsewhere(self, store: Store) -> None:
        with pytest.raises(StoreError, match="2026-W10"):
            store.replace("topics", [{"week": "2026-W11", "id": "x"}], {"week": "2026-W10"})


class TestSnapshot:
    def test_tables_never_written_are_empty_with_their_columns(self, store: Store) -> None:
        snapshot = store.snapshot()
        for name, table in TABLES.items():
            assert snapshot.sql(f"FROM {name}").schema.names == table.schema.names
        assert snapshot.versions == {}

    def test_it_stays_as_it_was(self, store: Store) -> None:
        store.upsert_posts([post(1)])
        before = store.snapshot()
        store.upsert_posts([post(1, likes=1), post(2)])
        store.upsert("texts", [annotation(post(1))])
        reopened = store.snapshot(before.versions)
        for snapshot in (before, reopened):
            assert snapshot.sql(
                "SELECT count(*) AS n, sum(likes) AS likes FROM posts"
            ).to_pylist() == [{"n": 1, "likes": None}]
            assert snapshot.sql("FROM texts").num_rows == 0

    def test_annotations_of_an_edited_text_do_not_show(self, store: Store) -> None:
        old, edited = post(1), post(1, text="改过了")
        store.upsert_posts([old])
        store.upsert("texts", [annotation(old)])
        store.upsert("sentiments", [annotation(old, label="neutral")])
        store.upsert("mentions", [annotation(old, brand="b", start=0)])
        store.upsert_posts([edited])
        for name in ("texts", "sentiments", "mentions"):
            assert rows(store, f"FROM {name}") == []
        store.upsert("texts", [annotation(edited)])
        assert len(rows(store, "FROM texts")) == 1

    def test_parameters_and_times_in_utc(self, store: Store) -> None:
        store.upsert_posts([post(1), post(2, published_at=DAY + timedelta(days=1))])
        table = store.snapshot().sql(
            "SELECT id, published_at FROM posts WHERE published_at > $since", {"since": DAY}
        )
        assert table.to_pylist() == [{"id": "论坛:2", "published_at": DAY + timedelta(days=1)}]
        assert str(table.schema.field("published_at").type) == "timestamp[us, tz=UTC]"

    @pytest.mark.parametrize(
        "query",
        [
            "SELECT * FROM read_text('{file}')",
            "FROM '{file}'",
            "FROM read_csv('{file}')",
            "COPY (SELECT 1) TO '{file}.out'",
            "ATTACH '{file}' AS other",
            "INSTALL httpfs",
            "SET threads = 1",
            "CREATE TABLE t (a INT)",
            "PRAGMA database_list",
            "SELECT 1; SELECT 2",
            "",
            "SELECT * FROM secret",
            "SELEC 1",
            "FROM glob('/*')",
            "DROP VIEW posts",
            "SELECT ?",
        ],
    )
    def test_a_query_can_only_read_the_tables(
        self, store: Store, tmp_path: Path, query: str
    ) -> None:
        secret = pa.table({"a": [1]})  # DuckDB would find Python's variables by name
        (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
        with pytest.raises(InputError):
            store.snapshot().sql(query.format(file=tmp_path / "secret.csv"))
        assert secret.num_rows == 1
        assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]

    def test_a_query_that_fails_at_its_last_row_is_one_sentence(self, store: Store) -> None:
        with pytest.raises(InputError, match=r"^the query can't be answered: [^\n]+$"):
            store.snapshot().sql("SELECT CAST(a AS INT) FROM (VALUES ('1'), ('x')) t(a)")

    def test_a_stream_that_fails_half_way(self, store: Store) -> None:
        failing = store.snapshot().stream(
            "SELECT CAST(a AS INT) FROM range(50_000), (VALUES ('1'), ('x')) t(a)", batch_size=10
        )
        with pytest.raises(StoreError, match=r"^the store can't be read: [^\n]+$"):
            list(failing)

    def test_versions_that_are_not_there(self, store: Store) -> None:
        store.upsert_posts([post(1)])
        with pytest.raises(StoreError, match="version 99"):
            store.snapshot({"posts": 99})
        with pytest.raises(StoreError, match="no table"):
            store.snapshot({"pots": 1})


class TestPending:
    def test_what_this_version_has_not_read(self, store: Store) -> None:
        store.upsert_posts([post(n) for n in range(5)])
        store.upsert(
            "texts",
            [
                annotation(post(0)),
                annotation(post(1), version="0"),
                annotation(post(2), text_hash="of before"),
            ],
        )
        waiting = [
            id_
            for batch in store.pending_posts("texts", "text", "1")
            for id_ in batch.column("id").to_pylist()
        ]
        assert sorted(waiting) == [post(n).id for n in (1, 2, 3, 4)]
        assert store.count_pending_posts("texts", "text", "1") == 4
        assert store.count_pending_posts("texts", "another", "1") == 5

    def test_what_must_be_read_before(self, store: Store) -> None:
        store.upsert_posts([post(n) for n in range(4)])
        store.upsert(
            "texts", [annotation(post(0)), annotation(post(1)), annotation(post(2), version="0")]
        )
        store.upsert("sentiments", [annotation(post(0), annotator="model", label="neutral")])
        waiting = [
            id_
            for batch in store.pending_posts(
                "sentiments", "model", "1", required_reader=("text", "1")
            )
            for id_ in batch["id"].to_pylist()
        ]
        assert waiting == [post(1).id]
        assert (
            store.count_pending_posts("sentiments", "model", "1", required_reader=("text", "1"))
            == 1
        )
        store.upsert_posts([post(1, text="of now")])
        assert (
            store.count_pending_posts("sentiments", "model", "1", required_reader=("text", "1"))
            == 0
        )

    def test_another_subject_waits_to_be_read_again(self, store: Store) -> None:
        store.upsert_posts([post(1, title="标题")])
        store.upsert("texts", [annotation(post(1, title="标题"))])
        store.upsert_posts([post(1, subject="甲手机")])
        assert store.count_pending_posts("texts", "text", "1") == 1
        store.upsert("texts", [annotation(post(1, title="标题", subject="甲手机"))])
        assert store.count_pending_posts("texts", "text", "1") == 0

    def test_reading_while_writing_ends(self, store: Store) -> None:
        store.upsert_posts([post(n) for n in range(100)])
        sizes = []
        for batch in store.pending_posts("texts", "text", "1", batch_size=30):
            sizes.append(batch.num_rows)
            post_ids = batch.select(["id", "text_hash"]).to_pylist()
            store.upsert("texts", [row | {"annotator": "text", "version": "1"} for row in post_ids])
        assert max(sizes) <= 30
        assert sum(sizes) == 100
        assert store.count_pending_posts("texts", "text", "1") == 0

    def test_only_annotations_wait(self, store: Store) -> None:
        with pytest.raises(StoreError, match="mentions, sentiments, texts"):
            store.count_pending_posts("posts", "a", "1")


class TestUpkeep:
    def test_compaction_keeps_the_rows_and_merges_the_files(self, store: Store) -> None:
        for n in range(5):
            store.upsert_posts([post(n)])
        before = len(list(store.root.glob("posts/**/*.parquet")))
        store.compact()
        assert len(rows(store, "FROM posts")) == 5
        assert store.vacuum(retention_hours=0) == before

    def test_vacuum_spares_what_evidence_names(self, store: Store) -> None:
        store.upsert_posts([post(1, likes=1)])
        named = store.versions()
        store.upsert_posts([post(1, likes=2)])
        unnamed = store.versions()
        store.upsert_posts([post(1, likes=3)])
        store.replace(
            "evidence",
            [{"id": "e", "week": "2026-W10", "versions": json.dumps(named)}],
            {"week": "2026-W10"},
        )
        store.vacuum(retention_hours=0)
        assert store.snapshot(named).sql("SELECT likes FROM posts").to_pylist() == [{"likes": 1}]
        assert rows(store, "SELECT likes FROM posts") == [{"likes": 3}]
        with pytest.raises(StoreError):
            store.snapshot(unnamed).sql("SELECT likes FROM posts")

    @pytest.mark.parametrize("folder", ["a b", "中文", "it's", "k=v"])
    def test_folders_of_any_name(self, tmp_path: Path, folder: str) -> None:
        store = Store(tmp_path / folder)
        store.upsert_posts([post(1)])
        store.upsert_posts([post(1, likes=1)])
        assert one(store, "SELECT id, likes, month IS NOT NULL AS dated FROM posts") == {
            "id": post(1).id,
            "likes": 1,
            "dated": True,
        }

    def test_folders_that_delta_can_not_hold(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="wanted a folder without"):
            Store(tmp_path / "a[1]")

    def test_a_post_is_not_changed_by_being_stored(self, store: Store) -> None:
        full = post(
            1,
            url="https://e.example/1",
            thread="t",
            parent="论坛:0",
            author="ab",
            followers=1,
            verified=True,
            fetched_at=DAY,
            crawl="c",
            title="标题",
            language="zh",
            subject="s",
            rating=0.5,
            likes=1,
            replies=2,
            reposts=3,
            views=4,
            place="广东",
            precision="minute",
        )
        store.upsert_posts([full])
        row = one(store, "SELECT * EXCLUDE (text_hash, month) FROM posts")
        assert Post.from_dict(row) == full
        assert replace(full, likes=2) != full


class TestLargeUpserts:
    """A commit is bounded in characters and in partitions, however its posts are mixed."""

    def test_long_posts_are_committed_in_smaller_batches(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("corpora.store.batches.MAX_BATCH_CHARACTERS", 10_000)
        assert (
            store.upsert_posts(post(n, text=f"{n}" + "长" * 3000) for n in range(10)).inserted == 10
        )
        assert store.versions()["posts"] == 3  # version 0 is the empty table

    def test_posts_of_many_partitions_are_committed_apart(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("corpora.store.batches.MAX_PARTITIONS_PER_COMMIT", 10)
        posts = [post(n, source=f"s{n % 25}") for n in range(100)]
        assert store.upsert_posts(posts) == UpsertCounts(inserted=100)
        assert store.versions()["posts"] == 3
        assert store.upsert_posts(posts) == UpsertCounts(unchanged=100)
        assert one(store, "SELECT count(DISTINCT source) AS sources, count(*) AS n FROM posts") == {
            "sources": 25,
            "n": 100,
        }

    def test_sights_of_a_post_in_several_months_are_one_post_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        months = [datetime(2025, month, 1, tzinfo=UTC) for month in range(1, 9)]
        posts = [post(0, text=f"t{month.month}", fetched_at=month) for month in months]
        posts += [post(month.month, fetched_at=month) for month in months]
        one_commit_store, split_store = Store(tmp_path / "whole"), Store(tmp_path / "apart")
        assert one_commit_store.upsert_posts(posts) == UpsertCounts(inserted=9, repeated=7)
        monkeypatch.setattr("corpora.store.batches.MAX_PARTITIONS_PER_COMMIT", 2)
        assert split_store.upsert_posts(posts) == UpsertCounts(inserted=9, repeated=7)
        assert rows(split_store, "SELECT * FROM posts ORDER BY id") == rows(
            one_commit_store, "SELECT * FROM posts ORDER BY id"
        )
