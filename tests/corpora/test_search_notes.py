"""What answers say of metadata that nobody has, and of posts that no model has read."""

from pathlib import Path

import pytest

from corpora import Corpus
from tests.folate.project import create_project, forum_posts


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("notes")
    project = create_project(folder)
    project.store.upsert_posts(forum_posts(["叶酸片", "folic acid", "晨谷很好"]))
    return Corpus.open(folder)


def notes(corpus: Corpus, query: str) -> tuple[str, ...]:
    return corpus.search(query).notes


def test_a_misspelt_source_is_told_with_the_nearest(corpus: Corpus) -> None:
    assert notes(corpus, "叶酸 source:g") == ("no post has 'source:g'; possible: f.",)
    assert notes(corpus, "叶酸 source:f") == ()


def test_posts_that_were_not_annotated_are_told_where_it_matters(corpus: Corpus) -> None:
    [note] = notes(corpus, "叶酸 brand:ours")
    assert note == (
        "3 of 3 posts are not annotated yet, and brand: finds none of them: run 'folate annotate'"
    )
    assert "the model has not read 3 of 3 posts yet" in notes(corpus, "-sentiment:negative")[0]
    assert notes(corpus, "叶酸") == ()


def test_a_kind_of_metadata_that_nobody_made_yet_is_told_with_the_command(corpus: Corpus) -> None:
    assert notes(corpus, "topic:3f2a") == ("no post has any topic yet: run 'folate topics'",)
    assert notes(corpus, "label:x OR 叶酸") == ("no post has any label yet: run 'folate label'",)


def test_weeks_and_authors_are_asked_for_freely(corpus: Corpus) -> None:
    assert notes(corpus, "week:2020-W01 OR author:0123456789abcdef") == ()


@pytest.mark.parametrize("query", ["叶酸", "brand:ours", '[word="folic"]'])
def test_a_corpus_without_posts_says_what_to_run(tmp_path: Path, query: str) -> None:
    create_project(tmp_path)
    [note] = notes(Corpus.open(tmp_path), query)
    assert note == "the corpus has no posts yet: run 'folate import' or 'folate crawl'"
