"""`folate tags` and `folate leads` on a small corpus."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from folate.cli import run_command
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.annotate.tags import ignored_threshold_notes, load_taxonomy_tagger
from folate.pipeline.project import Project
from tests.folate.project import create_project

PROJECT = """
name = "Test"
[[brands]]
id = "ours"
names = ["青屿"]
own = true
[[brands]]
id = "theirs"
names = ["禾露"]
[[taxonomy]]
label = "food / milk"
names = ["牛奶", "milk"]
[scorecard]
asks_price = 2.5
weeks = 1
"""
POSTS = """id,author,published_at,text
1,anna,2026-03-03 12:00:00+08:00,青屿多少钱？
2,anna,2026-03-04 12:00:00+08:00,"从禾露换到青屿了，牛奶味更浓"
3,ben,2026-03-04 12:00:00+08:00,"=禾露太差了，再也不买禾露"
4,,2026-03-04 12:00:00+08:00,青屿多少钱呀？
5,anna,2026-02-03 12:00:00+08:00,想买青屿
"""


class Blank:
    """A reader whose vectors all agree: only words tell."""

    name, version = "blank", "1"

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.full((len(texts), 4), 0.5, np.float32)


@pytest.fixture(scope="module")
def annotated_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with its posts read, once for all tests."""
    folder = tmp_path_factory.mktemp("project")
    create_project(folder, PROJECT)
    (folder / "posts.csv").write_text(POSTS, encoding="utf-8")
    assert run_command(["import", str(folder / "posts.csv"), "--project", str(folder)]) == 0
    annotate_corpus(Project.open(folder), with_sentiment=False)
    return folder


@pytest.fixture
def project(annotated_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("nlp.model.load_reader", lambda *_, **__: Blank())
    return Path(shutil.copytree(annotated_project, tmp_path / "project"))


def list_leads(
    project: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[list[dict[str, object]], str]:
    capsys.readouterr()
    assert (
        run_command(
            ["leads", "--week", "2026-W10", "--format", "json", "--project", str(project), *options]
        )
        == 0
    )
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def test_leads_are_summed_by_author_and_brand(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [lead], notes = list_leads(project, capsys)
    assert (lead["brand"], lead["score"], lead["signals"]) == (
        "ours",
        6.5,
        {"asks_price": 1, "switches": 1},
    )
    assert lead["posts"] == ["posts:1", "posts:2"]
    assert "1 posts with a signal have no author" in notes


def test_no_lead_names_a_person(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, _ = list_leads(project, capsys, "--least", "-99")
    assert [(row["brand"], row["score"]) for row in rows] == [
        ("ours", 6.5),
        ("theirs", -4.0),
        ("theirs", -6.0),
    ]
    assert not any(name in json.dumps(rows) for name in ("anna", "ben"))


def test_a_kept_handle_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (project / "folate.toml").open("a", encoding="utf-8") as file:
        file.write('[privacy]\nkeep_handles = ["posts"]\n')
    assert run_command(["leads", "--week", "2026-W10", "--project", str(project)]) == 2
    assert "keyed hashes only" in capsys.readouterr().err


def test_thresholds_are_learnt_from_answers_and_kept(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "audit.csv"
    assert run_command(["tags", "--export", str(path), "--project", str(project)]) == 0
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["tag"], row["post"], row["right"]) for row in rows] == [
        ("food / milk", "posts:2", "")
    ]
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(
            "food / milk,posts:9,0.9,text,y\nfood / milk,posts:8,0.7,text,n\n"
            "food / milk,posts:7,0.6,text,maybe\n"
        )
    assert (
        run_command(["tags", "--import", str(path), "--format", "json", "--project", str(project)])
        == 3
    )
    printed = capsys.readouterr()
    assert json.loads(printed.out) == [
        {
            "tag": "food / milk",
            "threshold": pytest.approx(0.4545, abs=1e-3),
            "judged": 2,
            "right": 1,
        }
    ]
    assert "wanted y or n" in printed.err
    assert load_taxonomy_tagger(
        Project.open(project), Blank()
    ).thresholds.tolist() == pytest.approx([0.4545], abs=1e-3)


def test_thresholds_of_another_model_do_not_hold_and_a_command_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "thresholds.json").write_text(
        '{"model": "other+1", "labels": {"food / milk": {"threshold": 0.9}}}', encoding="utf-8"
    )
    assert load_taxonomy_tagger(Project.open(project), Blank()).thresholds.tolist() == [0.42]
    assert (
        run_command(["tags", "--export", str(project / "audit.csv"), "--project", str(project)])
        == 0
    )
    assert (
        "note: the learnt thresholds of tags (1) are left aside, "
        "since they are of another model, other+1" in capsys.readouterr().err
    )


@pytest.mark.parametrize("model", ["blank+1", "blank+1-fp32"])
def test_thresholds_hold_whatever_the_precision(
    project: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    labels = '{"food / milk": {"threshold": 0.9}}'
    (project / "thresholds.json").write_text(
        f'{{"model": "{model}", "labels": {labels}}}', encoding="utf-8"
    )
    monkeypatch.setattr(Blank, "version", "1-int8-all")
    opened_project = Project.open(project)
    assert load_taxonomy_tagger(opened_project, Blank()).thresholds.tolist() == [0.9]
    assert ignored_threshold_notes(opened_project, Blank()) == ()


def test_a_file_that_is_no_thresholds_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "thresholds.json").write_text("[]", encoding="utf-8")
    assert run_command(["tags", "--export", str(project / "a.csv"), "--project", str(project)]) == 2
    assert "delete it to go back" in capsys.readouterr().err


def test_export_or_import_is_wanted(project: Path) -> None:
    assert run_command(["tags", "--project", str(project)]) == 2
