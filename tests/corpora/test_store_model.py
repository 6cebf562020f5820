"""The store against a dict: whatever is upserted in whatever batches, the same rows are there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora.store.store import Store, UpsertCounts
from folate.core.post import Post, hash_text, post_body

START = datetime(2026, 1, 30, tzinfo=UTC)
FEW = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

posts = st.builds(
    lambda source, number, day, **fields: Post(
        id=f"{source}:{number}",
        source=source,
        kind="forum",
        published_at=START,
        fetched_at=START + timedelta(days=day),
        **fields,
    ),
    source=st.sampled_from(["a", "知乎"]),
    number=st.integers(0, 4),
    day=st.integers(0, 3),
    text=st.text(max_size=5),
    title=st.none() | st.text(min_size=1, max_size=3),
    likes=st.none() | st.integers(0, 3),
    place=st.none() | st.sampled_from(["北京", "Leeds"]),
)
labels = st.none() | st.sampled_from(["negative", "neutral"])
rows = st.fixed_dictionaries(
    {"id": st.sampled_from("xyz"), "brand": st.none() | st.sampled_from("bc"), "label": labels}
)


def merged(observations: list[Post]) -> dict[str, dict[str, object]]:
    """The latest known value of every field, observations being in order of time."""
    model: dict[str, dict[str, object]] = {}
    for post in observations:
        new = {"title": post.title, "text": post.text, "likes": post.likes, "place": post.place}
        model[post.id] = model.get(post.id, new) | {
            name: value for name, value in new.items() if value is not None
        }
    return model


@FEW
@given(st.lists(posts, max_size=24), st.integers(1, 12))
def test_posts(observations: list[Post], size: int) -> None:
    observations.sort(key=lambda post: post.fetched_at or START)
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for first in range(0, len(observations), size):
            batch = observations[first : first + size]
            counts = store.upsert_posts(batch)
            assert counts.inserted + counts.updated + counts.unchanged + counts.repeated == len(
                batch
            )
        stored_rows = (
            store.snapshot()
            .sql("SELECT id, title, text, likes, place, text_hash FROM posts")
            .to_pylist()
        )
        assert all(
            row.pop("text_hash") == hash_text(post_body(row["title"], row["text"]))
            for row in stored_rows
        )
        assert len(stored_rows) == len({post.id for post in observations})
        assert {row.pop("id"): row for row in stored_rows} == merged(observations)
        assert store.upsert_posts(observations[-1:]) == UpsertCounts(
            unchanged=len(observations[-1:])
        )


@FEW
@given(st.lists(st.lists(rows, max_size=6), max_size=4))
def test_rows(batches: list[list[dict[str, object]]]) -> None:
    model: dict[tuple[object, object], object] = {}
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for batch in batches:
            before = dict(model)
            model |= {(row["id"], row["brand"]): row["label"] for row in batch}
            touched = {(row["id"], row["brand"]) for row in batch}
            expected = UpsertCounts(
                inserted=len(touched - before.keys()),
                updated=sum(before[key] != model[key] for key in touched & before.keys()),
                unchanged=sum(before[key] == model[key] for key in touched & before.keys()),
                repeated=len(batch) - len(touched),
            )
            assert store.upsert("sentiments", batch) == expected
        stored_rows = (
            store.snapshot().sql("SELECT id, brand, label FROM all_sentiments").to_pylist()
        )
        assert len(stored_rows) == len(model)
        assert {(row["id"], row["brand"]): row["label"] for row in stored_rows} == model
