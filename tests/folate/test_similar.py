"""`folate similar`: posts by meaning, copies once, in a part of the corpus, at a version."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from corpora.corpus import Corpus
from corpora.index import vectors
from corpora.index.vectors import VECTORS_FOLDER
from folate.cli import run_command
from folate.core.errors import InputError, NotFound
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.project import Project
from nlp.model import TextPrediction
from nlp.questions import QuestionEmbedder
from tests.folate.project import LexiconReader, create_project, forum_posts

TEXTS = (
    "milk milk bread 晨谷",
    "bread and butter every morning at home",
    "milk milk bread 晨谷",
    "milk and milk",
    "tea with bread",
    "？？？",
    "tea tea tea",
)
_WORDS = ("milk", "bread", "tea", "Acme", "晨谷")


class WordCountReader(LexiconReader):
    """A reader whose vectors count a few words: texts are similar where they share these."""

    name = "counts"
    version = "w1-int8"

    def read(
        self, texts: Sequence[str], targets: Sequence[Sequence[object]] | None = None
    ) -> list[TextPrediction]:
        vectors = self.embed(texts)
        return [
            TextPrediction(prediction.post, prediction.targets, embedding=vector)
            for prediction, vector in zip(super().read(texts, targets), vectors, strict=True)
        ]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        counts = [[len(re.findall(word, text)) for word in _WORDS] for text in texts]
        lengths = [[0.1 if any(map(str.isalpha, text)) else 0] for text in texts]
        if not texts:
            return np.zeros((0, len(_WORDS) + 1), np.float32)
        vectors = np.hstack([counts, lengths]).astype(np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


class OtherWeightsReader(WordCountReader):
    version = "w2-int8"


def use_reader(monkeypatch: pytest.MonkeyPatch, reader: LexiconReader) -> None:
    monkeypatch.setattr("folate.pipeline.annotate.run.load_reader", lambda *_, **__: reader)
    monkeypatch.setattr("nlp.questions.load_reader", lambda *_, **__: reader)


@pytest.fixture(scope="module")
def annotated_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    project = create_project(folder)
    project.store.upsert_posts(forum_posts(TEXTS))
    with pytest.MonkeyPatch.context() as patch:
        use_reader(patch, WordCountReader())
        annotate_corpus(project)
    return folder


@pytest.fixture
def folder(annotated_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_reader(monkeypatch, WordCountReader())
    return Path(shutil.copytree(annotated_project, tmp_path / "project"))


def similar_ids(folder: Path, text: str = "", **options: object) -> list[str]:
    return [row["id"] for row in Corpus.open(folder).similar(text, **options)]


def test_posts_are_ordered_by_similarity_and_copies_are_shown_once(folder: Path) -> None:
    answer = Corpus.open(folder).similar("milk milk bread 晨谷")
    assert [row["id"] for row in answer] == ["f:0", "f:3", "f:1", "f:4", "f:6"]
    assert [row["copies"] for row in answer] == [1, 0, 0, 0, 0]
    assert answer.rows[0]["similarity"] == pytest.approx(1, abs=1e-3)
    assert list(answer.rows[0]) == answer.columns == list(answer.definitions)
    assert answer.rows[0]["text"] == TEXTS[0]
    assert answer.rows[0]["source"] == "f"
    assert answer.notes == (
        "1 of 7 posts have no sentence vector: they have no words, or wait for 'folate annotate'.",
    )


def test_the_query_of_each_row_finds_its_post(folder: Path) -> None:
    corpus = Corpus.open(folder)
    for row in corpus.similar("bread", top=3):
        [hits] = corpus.search(row["query"]).segments
        assert hits.segment.ids(hits.documents) == [row["id"]]
        assert row["version"] == corpus.version


def test_names_of_brands_do_not_count(folder: Path) -> None:
    answers = [
        [row["similarity"] for row in Corpus.open(folder).similar(text)]
        for text in ("milk 晨谷", "milk Morngrain")
    ]
    assert answers[0] == answers[1]


def test_only_posts_that_match_a_query_are_compared(folder: Path) -> None:
    assert similar_ids(folder, "milk", within="brand:ours") == ["f:0"]
    assert similar_ids(folder, "milk", within="tea") == ["f:6", "f:4"]
    assert similar_ids(folder, "milk", within="nothing") == []


def test_posts_like_a_post_are_found_without_it_and_its_copies(folder: Path) -> None:
    assert similar_ids(folder, like="f:2", top=2) == ["f:3", "f:1"]
    with pytest.raises(NotFound, match="no post has the id 'f:99'"):
        similar_ids(folder, like="f:99")
    with pytest.raises(InputError, match="no words"):
        similar_ids(folder, like="f:5")


def test_a_question_without_words_and_two_questions_are_refused(folder: Path) -> None:
    for text, options in (("", {}), ("？", {}), ("milk", {"like": "f:0"}), ("milk", {"top": 0})):
        with pytest.raises(InputError, match="wanted"):
            similar_ids(folder, text, **options)


def test_new_posts_are_found_and_an_older_version_answers_as_before(folder: Path) -> None:
    before = Corpus.open(folder)
    rows = list(before.similar("tea tea"))
    project = Project.open(folder)
    project.store.upsert_posts(forum_posts([*TEXTS, "a garden with tea"]))
    annotate_corpus(project)
    assert similar_ids(folder, "tea tea")[:2] == ["f:6", "f:7"]
    files = sorted((folder / VECTORS_FOLDER).rglob("*"))
    assert list(Corpus.open(folder, before.version).similar("tea tea")) == rows
    assert sorted((folder / VECTORS_FOLDER).rglob("*")) == files


def test_a_changed_text_is_not_compared_by_its_old_vector(folder: Path) -> None:
    similar_ids(folder, "tea")
    project = Project.open(folder)
    project.store.upsert_posts(forum_posts([*TEXTS[:6], "milk for the cat"]))
    assert "f:6" not in similar_ids(folder, "tea")
    annotate_corpus(project)
    assert similar_ids(folder, "milk milk")[:2] == ["f:3", "f:6"]


def test_parts_are_joined_and_give_the_answer_of_one_part(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.open(folder)
    texts = list(TEXTS)
    for number in range(6):
        texts.append("tea " * (number + 1) + "milk " * number)
        project.store.upsert_posts(forum_posts(texts))
        annotate_corpus(project)
        similar_ids(folder, "tea")
    parts = list((folder / VECTORS_FOLDER).glob("part-*"))
    assert 1 <= len(parts) < 5
    rows = list(Corpus.open(folder).similar("tea milk"))
    shutil.rmtree(folder / VECTORS_FOLDER)
    monkeypatch.setattr(vectors, "MAX_PART_ROWS", 4)
    assert list(Corpus.open(folder).similar("tea milk")) == rows


@pytest.mark.parametrize("damage", ["truncate", "delete", "manifest", "folder"])
def test_damaged_vectors_are_noticed_and_made_again(folder: Path, damage: str) -> None:
    ids = similar_ids(folder, "milk")
    [file] = (folder / VECTORS_FOLDER).glob("part-*/vectors.npy")
    match damage:
        case "truncate":
            file.write_bytes(file.read_bytes()[:-1])
        case "delete":
            file.unlink()
        case "manifest":
            (folder / VECTORS_FOLDER / "manifest.json").write_text("{")
        case "folder":
            shutil.rmtree(folder / VECTORS_FOLDER)
    assert similar_ids(folder, "milk") == ids


def test_vectors_of_another_model_are_refused_by_both_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_reader(monkeypatch, OtherWeightsReader())
    with pytest.raises(InputError, match=r"counts w1-\w+\+names1, .* counts w2-\w+\+names1: run"):
        similar_ids(folder, "milk")
    annotate_corpus(Project.open(folder))
    assert similar_ids(folder, "milk")[0] == "f:3"


def test_posts_without_any_vector_and_a_model_without_embeddings_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_reader(monkeypatch, WordCountReader())
    project = create_project(tmp_path)
    project.store.upsert_posts(forum_posts(TEXTS))
    with pytest.raises(InputError, match="no post has a sentence vector yet: run 'folate annot"):
        similar_ids(tmp_path, "milk")
    use_reader(monkeypatch, LexiconReader())
    with pytest.raises(InputError, match=r"'lexicon' of folate\.toml has no sentence vectors"):
        similar_ids(tmp_path, "milk")


def test_the_command_prints_rows_and_notes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["similar", "milk", "--top", "2", "--show", "brand", "--format", "jsonl"]
    assert run_command([*arguments, "--project", str(folder)]) == 0
    output = capsys.readouterr()
    rows = [json.loads(line) for line in output.out.splitlines()]
    assert [(row["id"], row["brand"]) for row in rows] == [("f:3", None), ("f:0", "ours")]
    assert "1 of 7 posts have no sentence vector" in output.err
    assert run_command(["similar", "--project", str(folder)]) != 0


def test_a_question_is_embedded_with_its_brands_hidden(folder: Path) -> None:
    embedder = QuestionEmbedder(WordCountReader(), Project.open(folder).config.brands)
    vectors = [embedder.embed(text).tolist() for text in ("晨谷 milk", "Morngrain milk")]
    assert vectors[0] == vectors[1]
