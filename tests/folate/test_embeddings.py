"""Sentence vectors: stored with judgements, made up for where missing, absent for other models."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpora.store.store import Store
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.project import Project
from nlp.model import TextPrediction
from nlp.model.sentence_vectors import SentenceEncoder
from tests.folate.project import LexiconReader, create_project, forum_posts

TEXTS = ("晨谷味道不错", "暖禾太难吃", "晨谷味道不错", "？？？", "good with milk")


class EmbeddingReader(LexiconReader):
    """The lexicon reader, with a vector of length 2 for each text that has a letter."""

    def __init__(self) -> None:
        self.embedded_texts: list[str] = []

    def read(
        self, texts: Sequence[str], targets: Sequence[Sequence[object]] | None = None
    ) -> list[TextPrediction]:
        predictions = super().read(texts, targets)
        return [
            replace(prediction, embedding=vector_of(text) if vector_of(text).any() else None)
            for text, prediction in zip(texts, predictions, strict=True)
        ]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded_texts += texts
        return np.array([vector_of(text) for text in texts])


def vector_of(text: str) -> np.ndarray:
    has_letters = any(character.isalpha() for character in text)
    return np.eye(8, dtype=np.float32)[len(text) % 8] * (2 if has_letters else 0)


def stored_form(text: str) -> bytes | None:
    return SentenceEncoder(EmbeddingReader()).encode(text, vector_of(text))


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> EmbeddingReader:
    reader = EmbeddingReader()
    monkeypatch.setattr("folate.pipeline.annotate.run.load_reader", lambda *_, **__: reader)
    return reader


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = create_project(tmp_path)
    project.store.upsert_posts(forum_posts(TEXTS))
    return project


def stored_vectors(project: Project) -> list[bytes | None]:
    rows = project.store.snapshot().sql("SELECT id, vector FROM embeddings ORDER BY id").to_pylist()
    assert [row["id"] for row in rows] == [f"f:{number}" for number in range(len(rows))]
    return [row["vector"] for row in rows]


def test_every_post_gets_a_vector_of_unit_length_with_names_hidden(project, reader):
    counts = annotate_corpus(project).counts
    vectors = stored_vectors(project)
    hidden = ("甲公司味道不错", "甲公司太难吃", "甲公司味道不错", "？？？", "good with milk")
    assert vectors == [stored_form(text) for text in hidden]
    assert vectors[3] is None
    assert np.linalg.norm(np.frombuffer(vectors[0], "<f2")) == pytest.approx(1, abs=1e-3)
    assert counts == {"copies": 1, "texts": 5, "judgements": 5}
    [versions] = (
        project.store.snapshot()
        .sql("SELECT DISTINCT annotator, version FROM embeddings")
        .to_pylist()
    )
    assert versions["annotator"] == "lexicon"
    assert versions["version"].startswith("1-")


def test_posts_that_were_judged_before_get_their_vectors_alone_and_once(project, reader):
    annotate_corpus(project)
    vectors = stored_vectors(project)
    project.store.replace("embeddings", [], {})
    reader.embedded_texts.clear()
    assert annotate_corpus(project).counts == {"texts": 0, "judgements": 0, "vectors alone": 5}
    assert stored_vectors(project) == vectors
    hidden = ["甲公司味道不错", "甲公司太难吃", "？？？", "good with milk"]
    assert [reader.embedded_texts.count(text) for text in hidden] == [1, 1, 1, 1]
    assert annotate_corpus(project).counts == {"texts": 0, "judgements": 0}


def test_a_run_that_is_cut_off_among_vectors_keeps_those_it_stored(project, reader, monkeypatch):
    annotate_corpus(project)
    vectors = stored_vectors(project)
    project.store.replace("embeddings", [], {})
    monkeypatch.setattr("folate.pipeline.annotate.embeddings.BATCH", 2)
    upsert = Store.upsert
    calls = iter(range(10))

    def upsert_once(*arguments, **options):
        if next(calls) == 1:
            raise KeyboardInterrupt
        return upsert(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "upsert", upsert_once)
        with pytest.raises(KeyboardInterrupt):
            annotate_corpus(project)
    assert project.store.snapshot().sql("SELECT id FROM embeddings").num_rows == 2
    assert annotate_corpus(project).counts["vectors alone"] == 3
    assert stored_vectors(project) == vectors


def test_a_changed_text_gets_another_vector(project, reader):
    annotate_corpus(project)
    project.store.upsert_posts(forum_posts(["晨谷味道很不错", *TEXTS[1:]]))
    annotate_corpus(project)
    assert stored_vectors(project)[0] == stored_form("甲公司味道很不错")


def test_a_model_without_embeddings_stores_no_vector(project, monkeypatch):
    monkeypatch.setattr(
        "folate.pipeline.annotate.run.load_reader", lambda *_, **__: LexiconReader()
    )
    assert annotate_corpus(project).counts == {"copies": 1, "texts": 5, "judgements": 5}
    assert "embeddings" not in project.store.versions()
