"""Stores of other schemas."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from corpora.store import migrations, schema
from corpora.store.store import Store
from folate.core.errors import StoreError
from folate.core.post import Post

LATER = len(migrations.MIGRATIONS) + 1
POST = Post(
    id="f:1", source="f", kind="forum", text="x", published_at=datetime(2026, 3, 1, tzinfo=UTC)
)


def test_a_new_store_has_the_newest_number(tmp_path: Path) -> None:
    assert migrations.read_schema_number(tmp_path) is None
    Store(tmp_path).upsert_posts([POST])
    assert migrations.read_schema_number(tmp_path) == len(migrations.MIGRATIONS)
    assert migrations.migrate_store(tmp_path) == []


def test_tables_from_before_numbers(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "duplicates", pa.table({"id": ["a"], "cluster": ["b"]}))
    with pytest.raises(StoreError, match=r"schema 0 .* 'folate migrate'"):
        Store(tmp_path)
    assert len(migrations.migrate_store(tmp_path)) == len(migrations.MIGRATIONS)
    store = Store(tmp_path)
    store.upsert("duplicates", [{"id": "c", "cluster": "b", "similarity": 0.5}])
    rows = store.snapshot().sql("FROM duplicates ORDER BY id").to_pylist()
    assert rows == [
        {"id": "a", "cluster": "b", "similarity": None},
        {"id": "c", "cluster": "b", "similarity": 0.5},
    ]


@pytest.fixture
def with_mood(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later Folate, whose posts have one more column."""
    posts = schema.TableDefinition(
        "posts",
        schema.POSTS.schema.append(pa.field("mood", pa.string())),
        schema.POSTS.key_columns,
        schema.POSTS.partition_columns,
    )
    monkeypatch.setitem(schema.TABLES, "posts", posts)
    later = migrations.Migration(LATER, "posts have a mood", migrations.add_missing_columns)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, later))


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    Store(tmp_path).upsert_posts([POST])
    return tmp_path


def test_an_older_store_must_be_migrated(old_store: Path, with_mood: None) -> None:
    with pytest.raises(
        StoreError,
        match=rf"has schema {LATER - 1} and this Folate needs {LATER}: run 'folate migrate'\.$",
    ):
        Store(old_store)
    assert migrations.migrate_store(old_store) == [f"{LATER}: posts have a mood"]
    assert migrations.migrate_store(old_store) == []
    assert Store(old_store).snapshot().sql("SELECT id, mood FROM posts").to_pylist() == [
        {"id": "f:1", "mood": None}
    ]


def test_a_migration_that_was_stopped_runs_again(old_store: Path, with_mood: None) -> None:
    migrations.MIGRATIONS[-1].apply(old_store)
    assert migrations.read_schema_number(old_store) == LATER - 1
    assert migrations.migrate_store(old_store) == [f"{LATER}: posts have a mood"]


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    migrations.write_schema_number(tmp_path, 99)
    for opening in (Store, migrations.migrate_store):
        with pytest.raises(StoreError, match="knows only up to"):
            opening(tmp_path)


def test_a_number_that_is_none(tmp_path: Path) -> None:
    (tmp_path / migrations.SCHEMA_FILE).write_text("{}")
    with pytest.raises(StoreError, match="wanted"):
        Store(tmp_path)


def test_the_steps_are_numbered_in_order() -> None:
    assert [step.number for step in migrations.MIGRATIONS] == list(
        range(1, len(migrations.MIGRATIONS) + 1)
    )


def test_evidence_of_an_older_store_gets_its_subject(tmp_path: Path) -> None:
    older = pa.schema([field for field in schema.EVIDENCE.schema if field.name != "subject"])
    write_deltalake(
        tmp_path / "evidence",
        pa.table(
            {
                name: pa.array(["x"] if name == "id" else [None], older.field(name).type)
                for name in older.names
            }
        ),
    )
    migrations.write_schema_number(tmp_path, 1)
    migrations.migrate_store(tmp_path)
    store = Store(tmp_path)
    store.upsert("evidence", [{"id": "y", "measure": "aspect_net", "subject": "taste"}])
    assert store.snapshot().sql("SELECT id, subject FROM evidence ORDER BY id").to_pylist() == [
        {"id": "x", "subject": None},
        {"id": "y", "subject": "taste"},
    ]
