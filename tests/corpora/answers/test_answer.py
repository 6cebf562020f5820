"""What an answer is to somebody in Python: a table, a data frame, something to look at and cite."""

import shutil
from pathlib import Path

import pytest

from corpora.answers.answer import Answer
from corpora.corpus import Corpus
from folate.core.errors import InputError

QUESTIONS = [
    lambda corpus: corpus.kwic("叶酸", sort="left", show=["source", "brand", "url"]),
    lambda corpus: corpus.kwic("fol* OR 叶酸", sample=9, seed=2),
    lambda corpus: corpus.groups("叶酸", "right"),
    lambda corpus: corpus.count("叶酸", "fol*", by=["brand", "week"]),
    lambda corpus: corpus.trend("叶酸", "source"),
    lambda corpus: corpus.sample("叶酸", 5, seed=1),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_do_not_depend_on_how_the_index_was_built(
    corpus: Corpus, corpus_folder: Path, tmp_path: Path, question
) -> None:
    shutil.copytree(corpus_folder, tmp_path / "copy")
    for folder in (tmp_path / "copy").glob("**/index"):
        shutil.rmtree(folder)
    rebuilt = Corpus.open(tmp_path / "copy")
    assert len(rebuilt.segments) == 1 < len(corpus.segments)
    assert list(question(rebuilt)) == list(question(corpus))
    assert question(rebuilt).provenance() == question(corpus).provenance()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_answer_is_a_data_frame_with_its_columns(corpus: Corpus, question) -> None:
    answer: Answer = question(corpus)
    frame = answer.to_pandas()
    assert list(frame.columns) == answer.columns == list(answer.definitions)
    assert len(frame) == len(answer)
    assert answer.columns[-2:] == ["query", "version"]


def test_missing_counts_leave_the_others_whole_numbers(corpus: Corpus) -> None:
    frame = corpus.trend("叶酸").to_pandas()
    assert str(frame["posts"].dtype) == "Int64"
    assert frame["posts"].isna().sum() == 1


def test_a_notebook_shows_escaped_text_and_the_version(corpus: Corpus) -> None:
    answer = corpus.kwic("叶酸", limit=1)
    html = answer._repr_html_()
    assert "<b>叶酸</b>" in html
    assert html.count(corpus.version) == 1
    hostile = Answer("kwic", "<i>", "<i>", "v1", [{"left": "<script>", "n": 12345.6}], {})
    assert "<script>" not in hostile._repr_html_()
    assert "12,346" in hostile._repr_html_()


def test_provenance_is_enough_to_ask_again(corpus: Corpus) -> None:
    provenance = corpus.count("叶酸  OR folic").provenance()
    assert provenance["canonical"] == "叶酸 OR folic"
    assert provenance["version"] == corpus.version
    assert {"python", "folate", "numpy", "duckdb"} <= set(provenance["libraries"])


def test_pictures_are_saved_and_other_answers_have_none(corpus: Corpus, tmp_path: Path) -> None:
    picture = corpus.trend("叶酸").plot()
    picture.save(tmp_path / "trend.svg")
    assert (tmp_path / "trend.svg").read_text(encoding="utf-8") == picture._repr_svg_()
    with pytest.raises(InputError, match="kwic has no picture"):
        corpus.kwic("叶酸").plot()
