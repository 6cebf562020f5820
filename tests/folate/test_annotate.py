"""Annotation in small batches: interrupted and resumed runs give the tables of one run."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpora.store.store import Store
from folate.cli import run_command
from folate.pipeline.annotate import model
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.project import Project
from nlp.model import AspectPrediction, SentimentProbabilities, TargetSpans, TextPrediction
from tests.folate.project import create_project

PROJECT = """
name = "Test"
[[brands]]
id = "ours"
names = ["青屿", "Qingyu"]
own = true
[[brands]]
id = "theirs"
names = ["禾露"]
[[taxonomy]]
label = "food / milk"
names = ["牛奶", "milk"]
"""
ONE = "青屿的牛奶好喝，每天早上都来一杯"
TWO = "青屿好喝，禾露差劲，下次不买禾露了"
OF_A_PAGE = "包装好看，送人合适"
ONE_READ = "甲公司的牛奶好喝，每天早上都来一杯"  # as the model sees them: without names
TWO_READ = "甲公司好喝，乙公司差劲，下次不买乙公司了"
POSTS = f"""id,published_at,subject,text
01,2026-03-02,,{ONE}
02,2026-03-02,,{TWO}
03,2026-03-03,,快递太慢了，差
04,2026-03-03,,{ONE}呀
05,2026-03-04,,Qingyu milk is good with coffee
06,2026-03-04,,今天地铁上人好多
07,2026-03-05,,{ONE}
08,2026-03-05,,{TWO}
09,2026-03-05,禾露,{OF_A_PAGE}
10,2026-03-06,青屿,{OF_A_PAGE}
11,2026-03-06,,{ONE}
12,2026-03-01,,{ONE}
"""
TABLES = (
    "texts",
    "mentions",
    "comparisons",
    "duplicates",
    "sentiments",
    "aspects",
    "embeddings",
    "judgements",
)


class Cut(BaseException):
    """The run ends here, as by a signal."""


class StubReader:
    """Finds two words of each language, and keeps what it was asked to read."""

    name, version = "stub", "1-int8"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        self.calls.append(list(texts))
        return [
            self._reading(text, target_spans)
            for text, target_spans in zip(texts, targets or [()] * len(texts), strict=True)
        ]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.eye(8, dtype=np.float32)[[len(text) % 8 for text in texts]]

    def _reading(self, text: str, spans: Sequence[object]) -> TextPrediction:
        bad, good = (
            any(word in text for word in words) for words in (("差", "bad"), ("好", "good"))
        )
        post = (
            SentimentProbabilities(0.8 if bad else 0.1, 0.1, 0.1 if bad else 0.8)
            if bad or good
            else SentimentProbabilities(0.1, 0.8, 0.1)
        )
        aspects = (AspectPrediction("taste", post, 0.9, 0, len(text)),) if "喝" in text else ()
        return TextPrediction(
            post,
            (post,) * len(spans),
            aspects,
            {"happy": 0.5, "angry": 0.25},
            {"buy": 0.5},
            self.embed([text])[0],
        )


@pytest.fixture(scope="module")
def imported_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    create_project(folder, PROJECT)
    (folder / "posts.csv").write_text(POSTS, encoding="utf-8")
    assert (
        run_command(
            ["import", str(folder / "posts.csv"), "--source", "file", "--project", str(folder)]
        )
        == 0
    )
    return folder


@pytest.fixture(scope="module")
def uninterrupted_tables(
    imported_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, object]]]:
    """The tables of one run in which every step is one batch."""
    folder = Path(
        shutil.copytree(imported_project, tmp_path_factory.mktemp("unbroken") / "project")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("folate.pipeline.annotate.run.load_reader", lambda *_, **__: StubReader())
        annotate_corpus(Project.open(folder))
    return load_tables(folder)


@pytest.fixture
def project(imported_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(imported_project, tmp_path / "project"))


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> StubReader:
    """What `annotate` loads, while batches are small: 8 and 4 texts, 4 judgements."""
    stub = StubReader()
    monkeypatch.setattr("folate.pipeline.annotate.run.load_reader", lambda *_, **__: stub)
    monkeypatch.setattr("folate.pipeline.annotate.text.BATCH", 8)
    for module in ("run", "model"):
        monkeypatch.setattr(f"folate.pipeline.annotate.{module}.BATCH", 4)
    return stub


@pytest.fixture
def written_tables(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables in the order in which they are written."""
    names: list[str] = []
    for method in ("upsert", "replace"):
        monkeypatch.setattr(
            Store,
            method,
            call_first(getattr(Store, method), lambda _, name, *__, **___: names.append(name)),
        )
    return names


def load_tables(folder: Path) -> dict[str, list[dict[str, object]]]:
    snapshot = Project.open(folder).store.snapshot()
    return {name: snapshot.sql(f"SELECT * FROM {name} ORDER BY ALL").to_pylist() for name in TABLES}


def call_first(
    method: Callable[..., object], extra_call: Callable[..., object]
) -> Callable[..., object]:
    def call_both(*args: object, **options: object) -> object:
        extra_call(*args, **options)
        return method(*args, **options)

    return call_both


def interrupt_at_call(call_number: int) -> Callable[..., None]:
    """Raises when it is called for the `at`-th time, and only then."""
    calls = iter(range(1, 1_000))

    def count(*_: object, **__: object) -> None:
        if next(calls) == call_number:
            raise Cut

    return count


def test_the_first_texts_and_judgements_are_stored_before_copies_are_sought(
    project, reader, written_tables, uninterrupted_tables
):
    assert annotate_corpus(Project.open(project)).counts == {
        "copies": 6,
        "texts": 12,
        "judgements": 12,
    }
    texts, judgements = (
        ["mentions", "comparisons", "texts"],
        ["sentiments", "aspects", "judgements"],
    )
    assert written_tables == [
        *texts, *judgements, "duplicates", *texts, *judgements, *judgements, "embeddings"
    ]  # fmt: skip
    assert load_tables(project) == uninterrupted_tables
    read = [
        text for call in reader.calls[::2] for text in call
    ]  # each second call is of the parts of posts that compare
    # copies are read once, unless the page is about another brand
    assert [read.count(text) for text in (ONE_READ, TWO_READ, OF_A_PAGE)] == [1, 1, 2]
    assert len(read) == 8


def test_copies_of_a_single_batch_are_sought_before_its_texts_are_stored(
    project, reader, written_tables, monkeypatch
):
    monkeypatch.setattr("folate.pipeline.annotate.text.BATCH", 100)
    annotate_corpus(Project.open(project), with_sentiment=False)
    assert written_tables == ["duplicates", "mentions", "comparisons", "texts"]


def test_a_post_that_is_read_in_part_says_so_in_its_row_and_in_the_output(
    project, reader, monkeypatch
):
    reading = StubReader._reading

    def read_partly(self, text, spans):
        return replace(reading(self, text, spans), share_read=0.25 if "地铁" in text else 1.0)

    monkeypatch.setattr(StubReader, "_reading", read_partly)
    assert [note for note in annotate_corpus(Project.open(project)).notes if "so long" in note] == [
        "1 post is so long (over some 5,000 characters) that the model read parts of it, "
        "evenly chosen."
    ]
    shares = {row["id"]: row["share_read"] for row in load_tables(project)["judgements"]}
    assert {id_ for id_, share in shares.items() if share < 1} == {"file:06"}


def test_parts_of_a_very_long_post_about_several_brands_have_5000_characters_together():
    unit = "买过很多次，" * 20 + "甲太甜了，乙还行，"
    text = unit * (200_000 // len(unit))
    mentions = {brand: [match.span() for match in re.finditer(brand, text)] for brand in "甲乙"}
    assert len(mentions["甲"]) > 1_000
    parts = model._split_parts(text, mentions)
    short = model._split_parts(
        text[:5_000],
        {brand: [span for span in spans if span[1] <= 5_000] for brand, spans in mentions.items()},
    )
    assert 1 < len(parts) <= len(short) + 1
    assert sum(end - start for (start, end), _ in parts) <= 5_000


def test_texts_say_where_words_are_and_who_writes_by_the_segments_of_today(project):
    annotate_corpus(Project.open(project), with_sentiment=False)
    before = {row["id"]: row for row in load_tables(project)["texts"]}
    first = before["file:05"]
    places = zip(first["words"], first["starts"], first["lengths"], strict=True)
    assert list(places)[:3] == [("qingyu", 0, 6), ("milk", 7, 4), ("is", 12, 2)]
    assert first["segments"] == []
    segment = '[[segments]]\nid = "drinkers"\nnames = ["咖啡客"]\nterms = ["coffee"]\n'
    create_project(project, PROJECT + segment)
    annotate_corpus(Project.open(project), with_sentiment=False)
    after = {row["id"]: row["segments"] for row in load_tables(project)["texts"]}
    assert {id_ for id_, segments in after.items() if segments} == {"file:05"}
    assert after["file:05"] == ["drinkers"]


@pytest.mark.parametrize("call_number", [3, 10, 15, 17])
def test_a_run_cut_off_at_a_write_is_completed_by_the_next(
    project, reader, uninterrupted_tables, monkeypatch, call_number
):
    cut = interrupt_at_call(call_number)
    with monkeypatch.context() as patch:
        for method in ("upsert", "replace"):
            patch.setattr(Store, method, call_first(getattr(Store, method), cut))
        with pytest.raises(Cut):
            annotate_corpus(Project.open(project))
    assert load_tables(project) != uninterrupted_tables
    annotate_corpus(Project.open(project))
    assert load_tables(project) == uninterrupted_tables


def test_a_run_cut_off_in_the_model_is_completed_by_the_next(
    project, reader, uninterrupted_tables, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(StubReader, "read", call_first(StubReader.read, interrupt_at_call(4)))
        with pytest.raises(Cut):
            annotate_corpus(Project.open(project))
    annotate_corpus(Project.open(project))
    assert load_tables(project) == uninterrupted_tables


def test_judgements_in_hand_are_bounded_and_forgotten_ones_made_again(
    project, reader, uninterrupted_tables, monkeypatch
):
    monkeypatch.setattr("folate.pipeline.annotate.model.MAX_CACHED_OUTPUTS", 1)
    annotate_corpus(Project.open(project))
    assert sum(call.count(ONE_READ) for call in reader.calls[::2]) > 1
    assert load_tables(project) == uninterrupted_tables
