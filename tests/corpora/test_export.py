"""What comes out, in each format."""

import csv
import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpora.export import export_rows
from corpora.files import ImportOptions, read_post_file
from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.errors import ConfigError
from folate.core.post import Post

FIRST = Post(
    id="论坛:1",
    source="论坛",
    kind="forum",
    text="=1+1, 很好\n第二行",
    title="标题",
    published_at=datetime(2026, 3, 1, tzinfo=UTC),
    likes=0,
    rating=0.5,
    verified=False,
)
SECOND = Post(
    id="论坛:2",
    source="论坛",
    kind="forum",
    text="Folate",
    published_at=datetime(2026, 3, 2, tzinfo=UTC),
    precision="day",
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    store = Store(tmp_path_factory.mktemp("export") / "corpus")
    store.upsert_posts([SECOND, FIRST])
    annotation = {"id": SECOND.id, "text_hash": SECOND.text_hash, "annotator": "a", "version": "1"}
    store.upsert("texts", [annotation | {"language": "en"}])
    store.upsert(
        "mentions",
        [
            annotation | {"brand": brand, "start": start, "end": 6, "via": "text"}
            for brand, start in (("b", None), ("a", 0))
        ],
    )
    scores = {"negative": 0.5, "neutral": 0.25, "positive": 0.25, "label": "negative"}
    store.upsert("sentiments", [annotation | scores, annotation | scores | {"brand": "a"}])
    store.upsert(
        "aspects",
        [
            annotation
            | scores
            | {"brand": "a", "aspect": "price", "confidence": 0.75, "start": 0, "end": 6}
        ],
    )
    store.upsert(
        "comparisons",
        [annotation | {"brand": "a", "other": "b", "kind": "switch", "start": 0, "end": 6}],
    )
    feelings = {
        "happy": 0.5,
        "angry": 0.5,
        "sad": 0.0,
        "fear": 0.0,
        "surprise": 0.0,
        "neutral": 0.0,
    }
    store.upsert(
        "judgements", [annotation | feelings | {"emotion": "happy", "buy": 0.25, "tags": ["food"]}]
    )
    return store.snapshot()


def exported(snapshot: Snapshot, what: str, form: str) -> bytes:
    out = io.BytesIO()
    assert export_rows(snapshot, what, form, out) == 2
    return out.getvalue()


def test_posts_as_json_lines_are_posts(snapshot: Snapshot) -> None:
    lines = exported(snapshot, "posts", "jsonl").decode("utf-8").splitlines()
    assert [Post.from_json(line) for line in lines] == [FIRST, SECOND]
    assert "views" not in lines[0]


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv"])
def test_posts_come_back_by_an_import(snapshot: Snapshot, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"posts.{form}"
    path.write_bytes(exported(snapshot, "posts", form))
    first, second = read_post_file(path, ImportOptions(source="other"))
    assert second == SECOND
    assert isinstance(first, Post)
    assert first.text == ("'" if form == "csv" else "") + FIRST.text
    assert (first.likes, first.verified, first.rating, first.views) == (0, False, 0.5, None)


def test_cells_that_a_spreadsheet_would_run(tmp_path: Path) -> None:
    texts = ["=1", "+1", "-1", "@a", "\t=1", "a=1", "'=1"]
    store = Store(tmp_path)
    store.upsert_posts(
        Post(
            id=f"f:{n}",
            source="f",
            kind="forum",
            text=text,
            published_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        for n, text in enumerate(texts)
    )
    out = io.BytesIO()
    export_rows(store.snapshot(), "posts", "csv", out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert [row["text"] for row in rows] == ["'=1", "'+1", "'-1", "'@a", "'\t=1", "a=1", "'=1"]


def test_annotations_are_a_row_a_post(snapshot: Snapshot) -> None:
    unread, read_ = map(json.loads, exported(snapshot, "annotations", "jsonl").splitlines())
    assert unread == {"id": FIRST.id, "mentions": [], "aspects": [], "comparisons": [], "tags": []}
    assert {name: read_[name] for name in ("language", "label", "negative")} == {
        "language": "en",
        "label": "negative",
        "negative": 0.5,
    }
    assert [
        (mention["brand"], mention["start"], mention["label"]) for mention in read_["mentions"]
    ] == [
        ("a", 0, "negative"),
        ("b", None, None),
    ]
    assert [
        (aspect["brand"], aspect["aspect"], aspect["confidence"]) for aspect in read_["aspects"]
    ] == [("a", "price", 0.75)]
    assert [
        (comparison["brand"], comparison["other"], comparison["kind"])
        for comparison in read_["comparisons"]
    ] == [("a", "b", "switch")]
    assert (
        read_["emotion"],
        read_["emotions"]["angry"],
        read_["intents"]["buy"],
        read_["tags"],
    ) == ("happy", 0.5, 0.25, ["food"])


def test_annotations_as_csv_and_parquet(snapshot: Snapshot) -> None:
    row = list(
        csv.DictReader(io.StringIO(exported(snapshot, "annotations", "csv").decode("utf-8-sig")))
    )[1]
    assert json.loads(row["mentions"])[0]["brand"] == "a"
    table = pq.read_table(io.BytesIO(exported(snapshot, "annotations", "parquet")))
    assert table["mentions"].to_pylist()[1][0]["brand"] == "a"


def test_parquet_into_a_pipe(snapshot: Snapshot) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as out:
        export_rows(snapshot, "posts", "parquet", out)
    with os.fdopen(reading, "rb") as back:
        assert pq.read_table(io.BytesIO(back.read())).num_rows == 2


def test_an_empty_store_has_its_columns(tmp_path: Path) -> None:
    out = io.BytesIO()
    assert export_rows(Store(tmp_path).snapshot(), "annotations", "csv", out) == 0
    assert (
        out.getvalue().decode("utf-8-sig")
        == "id,language,label,negative,neutral,positive,mentions,aspects,comparisons,emotion,"
        "emotions,intents,tags\n"
    )


@pytest.mark.parametrize(("what", "form"), [("post", "csv"), ("posts", "xls")])
def test_unknown_names(tmp_path: Path, what: str, form: str) -> None:
    with pytest.raises(ConfigError, match=r"did you mean|possible"):
        export_rows(Store(tmp_path).snapshot(), what, form, io.BytesIO())
