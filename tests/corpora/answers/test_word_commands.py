"""The commands that ask for statistics of words, on the invented project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from corpora.corpus import Corpus
from folate.cli import run_command

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(corpus_folder: Path, capfd: pytest.CaptureFixture[str]) -> Ask:
    """Run a command and return the rows of its JSON."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        project = ["--project", str(corpus_folder), "--format", "json"]
        assert run_command([*arguments, *project]) == 0
        rows: list[dict[str, Any]] = json.loads(capfd.readouterr().out)
        return rows

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ["collocates", "叶酸", "--window", "-2,3", "--min", "1", "--sort", "mi3"],
        ["collocates", "folic", "--min", "2"],
        ["keyness", "source:weibo", "source:forum", "--min", "1"],
        ["ngrams", "-n", "2-3", "--by", "authors"],
        ["ngrams", "source:weibo", "--containing", "叶酸", "--min", "1"],
        ["dispersion", "叶酸"],
        ["dispersion", "folic", "--over", "weeks"],
        ["dispersion", "--words", "--limit", "5"],
        ["cooccur", "--min", "2"],
        ["compare", "叶酸", '"folic acid"', "--all"],
        ["compare", "brand:ours", "brand:theirs", "--by", "source"],
    ],
    ids=" ".join,
)
def test_the_query_of_each_row_selects_its_posts(
    ask: Ask, corpus: Corpus, arguments: list[str]
) -> None:
    rows = ask(*arguments)
    assert rows or arguments[0] == "keyness"
    for row in rows:
        assert corpus.search(row["query"]).post_count == row["posts"], row
        assert row["version"] == corpus.version


def test_words_typical_of_english_posts_are_found(ask: Ask) -> None:
    words = {row["word"] for row in ask("collocates", "folic", "--min", "3", "--window", "0,1")}
    assert words == {"acid"}


def test_a_network_is_written_as_graphml(
    corpus_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "words.graphml"
    command = ["cooccur", "--min", "2", "-o", str(path), "--project", str(corpus_folder)]
    assert run_command(command) == 0
    assert nx.read_graphml(path).number_of_edges() > 0
    assert capfd.readouterr().out.strip() == str(path)


def test_a_picture_is_written_instead_of_the_table(
    corpus_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "words.svg"
    command = ["collocates", "叶酸", "--svg", str(path), "--project", str(corpus_folder)]
    assert run_command(command) == 0
    assert path.read_text(encoding="utf-8").startswith("<svg")
    assert capfd.readouterr().out.strip() == str(path)


def test_what_is_the_same_in_all_rows_is_shown_below_the_table(
    corpus_folder: Path, corpus: Corpus, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["collocates", "叶酸", "--project", str(corpus_folder)]) == 0
    shown = capfd.readouterr()
    assert "window_words" not in shown.out
    assert "window_words" in shown.err.splitlines()[-1]
    assert corpus.version in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["collocates", "叶酸", "--window", "5,5"], "wanted words before and after a hit"),
        (["collocates", "叶酸", "--window", "0,0"], "such as 5, -5,5 or 0,3"),
        (["collocates", "source:weibo"], "wanted a query with words"),
        (["keyness", "source:weibo"], "wanted REFERENCE or --rest"),
        (["keyness", "source:weibo", "叶酸", "--rest"], "wanted REFERENCE or --rest"),
        (["ngrams", "-n", "two"], "wanted numbers of words such as 2 or 2-4"),
        (["ngrams", "-n", "9"], "wanted lengths of 1 to 6 words"),
        (["ngrams", "--containing", "absent"], "wanted a word of the corpus"),
        (["dispersion"], "wanted a QUERY or --words"),
        (["compare", "叶酸"], "wanted 2 to 20 queries"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_can_not_be_asked_is_refused(
    corpus_folder: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run_command([*arguments, "--project", str(corpus_folder)]) in (2, 3)
    assert message in capfd.readouterr().err


def test_one_number_is_a_window_on_both_sides(ask: Ask) -> None:
    assert ask("collocates", "叶酸", "--window", "3") == ask(
        "collocates", "叶酸", "--window", "-3,3"
    )


def test_dry_run_prints_what_a_query_will_cost(ask: Ask) -> None:
    assert len(ask("keyness", "source:weibo", "叶酸", "--dry-run")) == 2
    assert len(ask("collocates", "叶酸", "--dry-run")) == 1
