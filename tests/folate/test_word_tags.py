"""Lemmas and parts of speech: of the words as stored, only where they are asked for."""

from pathlib import Path
from typing import Any

import pytest

from corpora.corpus import Corpus
from corpora.store.store import Store
from folate.cli import run_command
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.project import Project
from folate.pipeline.status import source_status
from tests.folate.project import TWO_BRANDS_TOML, create_project, forum_posts

TEXTS = (
    "Two boxes arrived, but 晨谷 was leaking!",
    "快递员很慢。<br/>差评 #开箱#",
    "Это было плохо",
    "？？？",
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = create_project(tmp_path)
    project.store.upsert_posts(forum_posts(TEXTS))
    return project


def tagged_words(project: Project) -> list[list[tuple[str, str, str]]]:
    """Return word, lemma and part of speech of the words of each tagged post."""
    rows: list[dict[str, Any]] = (
        project.store.snapshot()
        .sql("SELECT words, lemmas, parts FROM texts JOIN word_tags USING (id) ORDER BY id")
        .to_pylist()
    )
    return [list(zip(row["words"], row["lemmas"], row["parts"], strict=True)) for row in rows]


def test_words_are_tagged_only_where_asked_for(project: Project) -> None:
    annotate_corpus(project, with_sentiment=False)
    assert "word_tags" not in project.store.versions()
    counts = annotate_corpus(project, with_sentiment=False, with_tags=True).counts
    assert counts == {"texts": 0, "tagged": 4}
    assert annotate_corpus(project, with_sentiment=False, with_tags=True).counts["tagged"] == 0


def test_each_stored_word_has_lemma_and_part_of_speech(project: Project) -> None:
    annotate_corpus(project, with_sentiment=False, with_tags=True)
    english, chinese, russian, empty = tagged_words(project)
    assert english == [
        ("two", "two", "NUM"),
        ("boxes", "box", "NOUN"),
        ("arrived", "arrive", "VERB"),
        ("but", "but", "CCONJ"),
        ("晨谷", "晨谷", "PROPN"),
        ("was", "be", "AUX"),
        ("leaking", "leak", "VERB"),
    ]
    words_and_lemmas = [(word, lemma) for word, lemma, _ in chinese]
    assert words_and_lemmas == [(word, word) for word, _ in words_and_lemmas]
    assert chinese[-1] == ("#开箱", "#开箱", "PROPN")
    assert all(part for _, _, part in chinese)
    assert {(lemma, part) for _, lemma, part in russian} == {("", "")}
    assert empty == []


def test_the_project_file_can_ask_for_tags_in_every_run(tmp_path: Path) -> None:
    project = create_project(tmp_path, TWO_BRANDS_TOML + "[nlp]\ntags = true\n")
    project.store.upsert_posts(forum_posts(TEXTS))
    assert annotate_corpus(project, with_sentiment=False).counts["tagged"] == 4


def test_posts_whose_words_changed_are_tagged_again(project: Project) -> None:
    annotate_corpus(project, with_sentiment=False, with_tags=True)
    changed = create_project(project.root, TWO_BRANDS_TOML + '[nlp]\nwords = ["慢差"]\n')
    changed.store.upsert_posts(forum_posts(["Three parcels", *TEXTS[1:]]))
    annotate_corpus(changed, with_sentiment=False, with_tags=True)
    assert [word for word, _, _ in tagged_words(changed)[0]] == ["three", "parcels"]
    versions = changed.store.snapshot().sql("SELECT DISTINCT version FROM word_tags")
    assert versions.num_rows == 1


def test_a_run_that_is_cut_off_keeps_what_it_tagged_and_the_next_doubles_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate_corpus(project, with_sentiment=False)
    monkeypatch.setattr("folate.pipeline.annotate.word_tags.BATCH", 2)
    upsert = Store.upsert
    calls = iter(range(10))

    def upsert_once(*arguments: Any, **options: Any) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return upsert(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "upsert", upsert_once)
        with pytest.raises(KeyboardInterrupt):
            annotate_corpus(project, with_sentiment=False, with_tags=True)
    assert len(tagged_words(project)) == 2
    counts = annotate_corpus(project, with_sentiment=False, with_tags=True).counts
    assert counts["tagged"] == 2
    assert project.store.snapshot().sql("SELECT id FROM word_tags").num_rows == 4


def test_the_status_counts_tagged_posts_and_the_index_has_their_lemmas(project: Project) -> None:
    assert (
        run_command(["annotate", "--without-sentiment", "--tags", "--project", str(project.root)])
        == 0
    )
    [row] = source_status(project)
    assert (row["tagged"], row["with_vector"], row["posts"]) == (4, 0, 4)
    result = Corpus.open(project.root).search('[lemma="box" & pos="NOUN"]')
    assert (result.hit_count, result.post_count) == (1, 1)
