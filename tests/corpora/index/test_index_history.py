"""After any history, the index that followed it is that of a fresh build."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.corpus import Corpus
from corpora.index import index, merge
from corpora.store.store import Store
from tests.corpora.index.index_checks import (
    annotate,
    annotation,
    check_postings,
    live_documents,
    make_post,
    make_project,
)

NUMBERS = st.sets(st.integers(0, 5), min_size=1, max_size=4)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["post", "annotate", "judge", "topic", "label", "delete", "compact"]),
        NUMBERS,
        st.sampled_from(["叶酸 片", "ok <b>x</b> 。 沈默", "a\x00b"]),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(autouse=True)
def low_tiers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge whenever there are two segments, and build anew only where nothing else is possible."""
    monkeypatch.setattr(merge, "TIER_FACTOR", 2)
    monkeypatch.setattr(index, "MAX_CHANGED_SHARE", 1e9)


def apply_step(store: Store, kind: str, numbers: set[int], text: str) -> None:
    posts = [make_post(number, f"{text} {number}") for number in sorted(numbers)]
    keys = [annotation(post) for post in posts]
    if kind == "post":
        store.upsert_posts(posts)
    elif kind == "annotate":
        annotate(store, posts, version=text)
    elif kind == "judge":
        store.upsert("judgements", [key | {"emotion": "sad", "tags": ["a / b"]} for key in keys])
    elif kind == "topic":
        evidence = [post.id for post in posts]
        store.replace("topics", [{"week": "w", "id": text, "evidence": evidence}], {"week": "w"})
    elif kind == "label":
        labels = [
            {"name": "n", "rater": "r", "id": post.id, "start": 0, "end": 1} for post in posts
        ]
        store.upsert("labels", [label | {"belongs": text == "a\x00b"} for label in labels])
    elif kind == "delete":
        kept = store.snapshot().sql(
            "SELECT * FROM posts WHERE id NOT IN (SELECT unnest($ids))",
            {"ids": [post.id for post in posts]},
        )
        store.replace("posts", kept, {})
    else:
        store.compact()


@settings(max_examples=6, deadline=None)
@given(STEPS)
def test_an_index_that_followed_is_that_of_a_fresh_build(
    steps: list[tuple[str, set[int], str]],
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = make_project(folder)
        store.upsert_posts([make_post(number, "first") for number in range(3)])
        for kind, numbers, text in steps:
            apply_step(store, kind, numbers, text)
            followed = Corpus.open(folder)
        assert followed.index_note is None
        check_postings(followed)
        documents = live_documents(followed)
        shutil.rmtree(folder / "index")
        assert live_documents(Corpus.open(folder)) == documents
