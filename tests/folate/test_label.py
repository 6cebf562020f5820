"""`folate label`: what a person sees, what is kept, and what is never lost."""

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from rich.cells import cell_len

from corpora.answers.label_lines import LabelLine, label_task
from corpora.corpus import Corpus
from corpora.store.labels import label_counts, read_labels
from folate.cli import run_command
from folate.cli.commands.label import format_line
from folate.core.errors import StoreError
from folate.pipeline.project import Project
from tests.folate.project import create_project, forum_posts

TEXTS = (
    "孕妇要吃叶酸片吗",
    "Folic &amp; 葉酸 every day, 叶酸!",
    "=cmd|' /C calc'!A0 \x1b[2J 叶酸\u202e gone",
    "nothing here",
)
LINE_COUNT = 4


@pytest.fixture(scope="module")
def project_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four posts with four occurrences of 叶酸."""
    folder = tmp_path_factory.mktemp("project")
    create_project(folder).store.upsert_posts(forum_posts(TEXTS))
    return folder


@pytest.fixture
def project(project_template: Path, tmp_path: Path) -> Project:
    """A copy of `project_template` for one test."""
    return Project.open(shutil.copytree(project_template, tmp_path / "project"))


def run_label(project: Project, *arguments: str) -> int:
    return run_command(["label", *arguments, "--project", str(project.root)])


def press_keys(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """Strike these keys; then nobody is there any more."""
    waiting: Iterator[str] = iter(keys)

    def getchar() -> str:
        key = next(waiting, None)
        if key is None:
            raise EOFError
        return key

    monkeypatch.setattr(click, "getchar", getchar)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)


def stored(project: Project, *fields: str) -> list[tuple[Any, ...]]:
    labels = read_labels(project.store.snapshot())
    return [tuple(getattr(label, field) for field in fields) for label in labels]


def ask(project: Project, monkeypatch: pytest.MonkeyPatch, keys: str, rater: str = "ann") -> int:
    press_keys(monkeypatch, keys)
    return run_label(project, "叶酸", "--name", "folate", "--rater", rater)


def test_lines_have_their_place_in_the_text_as_published(project: Project) -> None:
    task = label_task(Corpus.open(project.root), "叶酸")
    assert task.hit_count == LINE_COUNT
    for line in task.lines:
        [text] = [post.text for post in forum_posts(TEXTS) if post.id == line.id]
        assert text[line.start : line.end] in ("叶酸", "葉酸")
        assert line.hit == text[line.start : line.end]
    assert any(line.left == "Folic & " for line in task.lines)


def test_the_order_is_random_and_the_same_again(project: Project) -> None:
    corpus = Corpus.open(project.root)
    orders = [[line.place for line in label_task(corpus, "叶酸", seed=n).lines] for n in range(4)]
    assert orders[0] == [line.place for line in label_task(corpus, "叶酸").lines]
    assert len({tuple(order) for order in orders}) > 1
    sample = label_task(corpus, "叶酸", sample_size=2)
    assert [line.place for line in sample.lines] == orders[0][:2]
    assert sample.hit_count == LINE_COUNT


def test_every_answer_is_stored_and_the_next_call_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(project, monkeypatch, "y") == 0
    assert stored(project, "name", "rater", "belongs", "query") == [("folate", "ann", True, "叶酸")]
    assert "3 left" in capsys.readouterr().err
    assert ask(project, monkeypatch, "ns?y") == 0
    out, err = capsys.readouterr()
    assert out.startswith("2  ")
    assert "all are judged." in err
    assert sorted(stored(project, "belongs"), key=str) == [(False,), (None,), (True,), (True,)]


def test_undo_takes_back_one_answer_after_another(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(project, monkeypatch, "uyyuun")
    assert stored(project, "belongs") == [(False,)]


def test_nothing_of_a_post_reaches_the_terminal_as_a_command(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(project, monkeypatch, "mmyyyy")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "[叶酸]" in out


def test_a_line_says_nothing_of_other_answers(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(project, monkeypatch, "yyyy", rater="ann")
    first = capsys.readouterr().out
    ask(project, monkeypatch, "nnnn", rater="bob")
    assert capsys.readouterr().out == first


@pytest.mark.parametrize("width", [30, 79, 120])
def test_hits_are_aligned_whatever_the_width_of_characters(width: int) -> None:
    lines = [
        LabelLine("a", "h", 0, 2, left, "叶酸", right)
        for left, right in (
            ("", ""),
            ("孕妇要吃" * 20, "片吗" * 40),
            ("x" * 99, "y"),
            ("宽x" * 9, ""),
        )
    ]
    formatted = [format_line(line, width) for line in lines]
    assert len({cell_len(text[: text.index("[")]) for text in formatted}) == 1
    assert all(cell_len(text) <= width for text in formatted)


def test_labels_survive_a_new_text_and_are_said_to_be_of_the_older_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(project, monkeypatch, "yyyy")
    [changed] = [post for post in forum_posts([*TEXTS[:3], "now 叶酸"]) if post.id == "f:3"]
    [edited] = [post for post in forum_posts(["孕妇要吃叶酸片!"]) if post.id == "f:0"]
    project.store.upsert_posts([changed, edited])
    project.store.compact()
    project.store.vacuum(0)
    [counts] = label_counts(project.store.snapshot())
    assert (counts["yes"], counts["of_older_text"]) == (4, 1)
    # the changed post and the edited one are asked about, once each
    ask(project, monkeypatch, "nnn")
    [counts] = label_counts(project.store.snapshot())
    assert (counts["yes"], counts["no"], counts["of_older_text"]) == (3, 2, 0)


def test_undo_brings_back_the_label_of_an_older_text(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(project, monkeypatch, "yyyy")
    before = stored(project, "id", "text_hash", "belongs")
    project.store.upsert_posts(forum_posts(["孕妇要吃叶酸片!", "换成叶酸"]))
    ask(project, monkeypatch, "nu")
    assert stored(project, "id", "text_hash", "belongs") == before


def test_all_lines_are_marked_and_answers_stay(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(project, monkeypatch, "n")
    capsys.readouterr()
    arguments = ("叶酸", "--name", "folate", "--rater", "ann", "--all")
    monkeypatch.setattr(click, "confirm", lambda *_, **__: True)
    assert run_label(project, *arguments) == 0
    assert "3 lines to mark as 'folate' by 'ann'; 1 with an answer stay" in capsys.readouterr().err
    assert sorted(stored(project, "belongs")) == [(False,), (True,), (True,), (True,)]


def test_marking_all_without_a_terminal_wants_yes(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("叶酸", "--name", "folate", "--rater", "ann", "--all")
    assert run_label(project, *arguments) == 3
    assert stored(project, "id") == []
    assert run_label(project, *arguments, "--yes") == 0
    assert len(stored(project, "id")) == LINE_COUNT
    assert "terminal" in capsys.readouterr().err


def test_a_spreadsheet_and_back(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lines.csv"
    names = ("--name", "Folate", "--rater", "ann")
    assert run_label(project, "叶酸", *names, "--export", str(path)) == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert len(rows) == LINE_COUNT
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    for row, answer in zip(rows, ("y", "否", "S", ""), strict=True):
        row["label"] = answer
    rows += [{**rows[0], "line": "h0-1:ab:gone"}, {**rows[0], "label": "maybe"}]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("utf-8-sig"))
    capsys.readouterr()
    assert run_label(project, *names, "--import", str(path)) == 3
    err = capsys.readouterr().err
    assert "3 kept, 1 without an answer, 2 bad rows." in err
    assert "row 6: wanted a post of this corpus, got 'gone'." in err
    assert "row 7: wanted y, n, s or nothing as label, got 'maybe'." in err
    labels = read_labels(project.store.snapshot())
    assert {label.query for label in labels} == {"叶酸"}
    assert {(label.name, label.rater) for label in labels} == {("folate", "ann")}
    assert sorted((label.belongs for label in labels), key=str) == [False, None, True]


def test_agreement_of_two_raters(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(project, monkeypatch, "yynn", rater="ann")
    ask(project, monkeypatch, "ynns", rater="bob")
    capsys.readouterr()
    assert run_label(project, "--agreement", "folate", "--format", "csv") == 0
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["first"], row["second"], row["n"]) == ("ann", "bob", "3")
    assert (row["yes_yes"], row["yes_no"], row["no_yes"], row["no_no"]) == ("1", "1", "0", "1")
    assert float(row["kappa"]) == pytest.approx(0.4)


def test_agreement_says_why_there_is_none(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(project, monkeypatch, "yy", rater="ann")
    assert run_label(project, "--agreement", "folate") == 0
    assert "wanted two raters of 'folate'" in capsys.readouterr().err
    ask(project, monkeypatch, "yy", rater="bob")
    assert run_label(project, "--agreement", "folate") == 0
    assert "gave all 2 lines the same answer" in capsys.readouterr().err


def test_labels_are_listed_and_removed(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(project, monkeypatch, "yns", rater="ann")
    ask(project, monkeypatch, "y", rater="bob")
    capsys.readouterr()
    assert run_label(project, "--list", "--format", "csv") == 0
    assert capsys.readouterr().out.splitlines() == [
        "name,rater,yes,no,skipped,posts,of_older_text",
        "folate,ann,1,1,1,2,0",
        "folate,bob,1,0,0,1,0",
    ]
    assert run_label(project, "--remove", "--name", "folate", "--rater", "bob", "--yes") == 0
    assert {rater for (rater,) in stored(project, "rater")} == {"ann"}
    assert run_label(project, "--remove", "--name", "folat", "--yes") == 5
    assert "folate" in capsys.readouterr().err
    assert run_label(project, "--remove", "--name", "folate", "--yes") == 0
    assert stored(project, "id") == []


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 65, "a:b"])
def test_a_name_that_a_query_could_not_name_is_refused(
    project: Project, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_label(project, "叶酸", "--name", name, "--rater", "ann", "--all", "--yes") == 3
    assert "wanted a name of a label" in capsys.readouterr().err


def test_a_query_uses_the_group(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(project, monkeypatch, "ynnn", rater="ann")
    [(labelled_id,)] = [
        (label.id,) for label in read_labels(project.store.snapshot()) if label.belongs
    ]
    corpus = Corpus.open(project.root)
    for query in ("label:folate", "label:Folate/ann"):
        result = corpus.search(query)
        [hits] = [hits for hits in result.segments if len(hits.documents)]
        assert hits.segment.ids(hits.documents) == [labelled_id]


def test_labels_from_python(project: Project) -> None:
    corpus = Corpus.open(project.root)
    assert corpus.label("葉酸", name="folate", rater="rules") == LINE_COUNT
    assert corpus.label("叶酸", name="folate", rater="rules", belongs=False) == 0
    assert corpus.label("Folic", name="folate", rater="ann", belongs=False) == 1
    corpus = Corpus.open(project.root)
    labels = corpus.labels("Folate", "rules")
    assert [row["belongs"] for row in labels] == [True] * LINE_COUNT
    assert list(labels.rows[0]) == list(labels.definitions)
    for row in labels:
        assert corpus.count(row["query"]).rows[0]["posts"] == 1
        assert row["version"] == corpus.version
    [agreement] = corpus.agreement("folate")
    assert list(agreement) == list(corpus.agreement("folate").definitions)
    assert (agreement["n"], agreement["kappa"]) == (0, None)
    assert corpus.count(agreement["query"]).rows[0]["posts"] == agreement["posts"] == 3


def test_an_answer_that_cannot_be_stored_ends_the_session_with_the_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is full.")

    monkeypatch.setattr("folate.pipeline.labels.record_labels", fail)
    assert ask(project, monkeypatch, "yyyy") == 4
    assert "the disk is full." in capsys.readouterr().err
