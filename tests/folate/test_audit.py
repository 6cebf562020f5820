"""`folate audit`: what is drawn, what a person sees, and what is kept."""

import csv
import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.cli import run_command
from folate.cli.commands import audit as screen
from folate.core.post import Post
from folate.core.weeks import Week
from folate.pipeline import audit as steps
from folate.pipeline.project import Project
from nlp.stats.estimation import wilson_interval
from tests.folate.project import create_project, forum_posts

WEEK = Week.parse("2026-W10")
HOSTILE = "=cmd|' /C calc'!A0 \x1b[2J\x1b]0;gone\x07 \u202e晨谷\u2066 <script>\r\nsecond line"


@pytest.fixture
def project(project_template: Path, tmp_path: Path) -> Project:
    """A copy of `project_template` for one test."""
    return Project.open(shutil.copytree(project_template, tmp_path / "project"))


@pytest.fixture(scope="module")
def project_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty texts about 晨谷 in one week, one of them hostile and one duplicated.

    The model's label is negative for every third text, positive for the others.
    """
    folder = tmp_path_factory.mktemp("project")
    project = create_project(folder)
    texts = [HOSTILE, *(f"晨谷 第{number}天" for number in range(39)), "晨谷 第0天"]
    posts = forum_posts(texts)
    keys = [
        {
            "id": post.id,
            "text_hash": post.text_hash,
            "annotator": "t",
            "version": "1",
            "brand": "ours",
        }
        for post in posts
    ]
    project.store.upsert_posts(posts)
    project.store.upsert("mentions", [row | {"start": 0, "end": 2, "via": "text"} for row in keys])
    shares = [
        (0.8, 0.1, 0.1, "negative") if n % 3 == 0 else (0.1, 0.1, 0.8, "positive")
        for n in range(41)
    ]
    names = ("negative", "neutral", "positive", "label")
    project.store.upsert(
        "sentiments",
        [
            row | dict(zip(names, share, strict=True))
            for row, share in zip(keys, shares, strict=True)
        ],
    )
    project.store.upsert("duplicates", [{"id": "f:40", "cluster": "f:1", "similarity": 1.0}])
    return folder


def run_audit(project: Project, *arguments: str) -> int:
    return run_command(["audit", *arguments, "--project", str(project.root)])


def press_keys(monkeypatch: pytest.MonkeyPatch, keys: str, why: str = "an advertisement") -> None:
    """Strikes these keys, then nobody is there any more."""
    waiting: Iterator[str] = iter(keys)

    def getchar() -> str:
        key = next(waiting, None)
        if key is None:
            raise EOFError
        return key

    monkeypatch.setattr(click, "getchar", getchar)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: why)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)


def load_audit_rows(project: Project) -> list[dict[str, Any]]:
    return project.store.snapshot().sql("SELECT * FROM audits ORDER BY draw, place").to_pylist()


def test_a_draw_is_without_copies_and_the_same_again(project: Project) -> None:
    sample = steps.draw_audit_sample(project, "ours", [WEEK], 10, seed=1)
    assert len({item.row["text_hash"] for item in sample}) == 10
    assert {(item.row["population"], item.row["probability"]) for item in sample} == {(40, 0.25)}
    same_sample, other_sample = (
        steps.draw_audit_sample(project, "ours", [WEEK], 10, seed=seed) for seed in (1, 2)
    )
    assert [item.key for item in same_sample] == [item.key for item in sample]
    assert [item.row["text_hash"] for item in other_sample] != [
        item.row["text_hash"] for item in sample
    ]
    assert len(steps.draw_audit_sample(project, "ours", [WEEK], 500, seed=0)) == 40


def test_every_text_is_as_likely_to_be_drawn(project: Project) -> None:
    hashes = [
        item.row["text_hash"]
        for item in steps.draw_audit_sample(project, "ours", [WEEK], 500, seed=0)
    ]
    sample = [
        {
            item.row["text_hash"]
            for item in steps.draw_audit_sample(project, "ours", [WEEK], 20, seed=seed)
        }
        for seed in (1, 2, 3)
    ]
    assert len(set().union(*sample)) > 0.75 * len(
        hashes
    )  # three draws of a half leave an eighth unseen


def test_a_draw_has_the_models_answers_in_their_proportion(project: Project) -> None:
    """The model calls 14 of the 40 texts negative: of 10 drawn, 3 or 4, whatever the seed."""
    for seed in range(5):
        sample = steps.draw_audit_sample(project, "ours", [WEEK], 10, seed)
        assert sum(int(item.row["id"].split(":")[1]) % 3 == 0 for item in sample) in (3, 4)


@given(st.integers(1, 60), st.integers(1, 80), st.integers(0, 999))
def test_strata_give_so_many_different_texts(population: int, count: int, seed: int) -> None:
    """Of scores with ties, a third of them missing."""
    rng = np.random.default_rng(seed)
    scores = np.where(
        rng.random(population) < 1 / 3, np.nan, rng.choice([-1.0, 0.0, 0.5], population)
    )
    chosen = steps.stratified_sample_indices(scores, count, rng)
    assert len(chosen) == len(set(chosen.tolist())) == min(count, len(scores))
    assert set(chosen.tolist()) <= set(range(len(scores)))


def test_strata_draw_each_text_with_the_same_probability() -> None:
    scores = np.linspace(-1, 1, 23)
    sample = np.concatenate(
        [
            steps.stratified_sample_indices(scores, 5, np.random.default_rng(seed))
            for seed in range(4000)
        ]
    )
    assert np.bincount(sample) / 4000 == pytest.approx(np.full(23, 5 / 23), abs=0.03)


def test_keys_label_pass_over_undo_and_quit_and_the_next_run_goes_on(
    project: Project, monkeypatch, capsys
) -> None:
    order = ("--brand", "ours", "--week", "2026-W10", "-n", "6")
    press_keys(monkeypatch, "n0xsuup" + "q")
    assert run_audit(project, *order) == 0
    assert [(row["label"], row["reason"]) for row in load_audit_rows(project)] == [
        ("negative", None),
        ("positive", None),
    ] + [(None, None)] * 4
    press_keys(monkeypatch, "s")
    assert run_audit(project, *order) == 0
    stdout = capsys.readouterr().out
    assert "3 of 6, on ours" in stdout
    assert load_audit_rows(project)[2]["reason"] == "an advertisement"
    press_keys(monkeypatch, "ppp")
    assert run_audit(project, *order) == 0
    assert "all are judged" in capsys.readouterr().err
    assert [row["label"] for row in load_audit_rows(project)] == ["negative", "positive", None] + [
        "positive"
    ] * 3


def test_the_model_is_not_shown_and_hostile_text_is_harmless(
    project: Project, monkeypatch, capsys
) -> None:
    press_keys(monkeypatch, "n" * 40)
    run_audit(project, "--brand", "ours", "--week", "2026-W10")
    stdout = capsys.readouterr().out
    assert not any(
        word in stdout for word in ("positive", "neutral", "0.8", "\x1b", "\x07", "\u202e", "\r")
    )
    assert "second line" in stdout


def test_without_a_terminal_it_says_what_to_do(project: Project, capsys) -> None:
    assert run_audit(project, "--brand", "ours", "--week", "2026-W10") == 3
    assert "--export" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--brand", "ours"), 2),
        (("--brand", "our", "--week", "2026-W10"), 2),
        (("--brand", "theirs", "--week", "2026-W10"), 5),
    ],
)
def test_wrong_questions(project: Project, arguments: tuple[str, ...], code: int) -> None:
    assert run_audit(project, *arguments) == code


def export_rows(project: Project, path: Path, count: int = 40) -> list[dict[str, str]]:
    assert (
        run_audit(
            project,
            "--brand",
            "ours",
            "--week",
            "2026-W10",
            "-n",
            str(count),
            "--export",
            str(path),
        )
        == 0
    )
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def fill_csv(
    path: Path, rows: list[dict[str, str]], encoding: str = "utf-8", delimiter: str = ","
) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8-sig", ","), ("gb18030", ","), ("utf-16", "\t"), ("utf-8", ";")],
)
def test_a_spreadsheet_may_save_as_it_likes(
    project: Project, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "sample.csv"
    rows = export_rows(project, path)
    for number, row in enumerate(rows):
        row["label"] = ("n", "0", "P", "负面", "neutral", "正")[number % 6]
    fill_csv(path, rows, encoding, delimiter)
    assert run_audit(project, "--import", str(path)) == 0
    assert [row["label"] for row in load_audit_rows(project)[:6]] == [
        "negative",
        "neutral",
        "positive",
    ] * 2


def test_no_cell_runs_as_a_formula(project: Project, tmp_path: Path) -> None:
    rows = export_rows(project, tmp_path / "sample.csv")
    assert all(
        not value.startswith(("=", "+", "-", "@", "\t", "\r"))
        for row in rows
        for value in row.values()
    )
    (hostile,) = (row["text"] for row in rows if "calc" in row["text"])
    assert hostile.startswith("'=cmd")
    assert not {"\x1b", "\x07", "\u202e", "\n"} & set(hostile)


def test_bad_rows_are_named_and_nothing_else_is_lost(
    project: Project, tmp_path: Path, capsys
) -> None:
    path = tmp_path / "sample.csv"
    rows = export_rows(project, path, 6)
    for row, label in zip(rows, ("n", "maybe", "", "p", "", "0"), strict=True):
        row["label"] = label
    rows[2]["reason"], rows[3]["item"] = "unreadable", "d0:99"
    fill_csv(path, rows)
    assert run_audit(project, "--import", str(path)) == 3
    lines = capsys.readouterr().err.splitlines()
    assert [line[:21] for line in lines if line.startswith("row")] == [
        "row 3: wanted n, 0, p",
        "row 5: wanted an item",
    ]
    assert "3 kept, 1 without an answer, 2 bad rows." in lines
    assert [(row["label"], row["reason"]) for row in load_audit_rows(project)] == [
        ("negative", None),
        (None, None),
        (None, "unreadable"),
        (None, None),
        (None, None),
        ("neutral", None),
    ]


def test_a_file_without_the_columns_is_refused(project: Project, tmp_path: Path, capsys) -> None:
    path = tmp_path / "other.csv"
    path.write_text("text,label\nx,n\n")
    assert run_audit(project, "--import", str(path)) == 3
    assert "without the column 'item'" in capsys.readouterr().err


def test_status_gives_the_agreement_with_its_interval(project: Project) -> None:
    sample = steps.draw_audit_sample(project, "ours", [WEEK], 20, seed=0)
    answers = [(item, "negative", None) for item in sample[:12]] + [(sample[12], None, "no idea")]
    steps.record_answers(project.store, answers)
    ours, theirs = steps.audit_status(project)
    agreed = sum(int(item.row["id"].split(":")[1]) % 3 == 0 for item in sample[:12])
    assert (ours["drawn"], ours["labelled"], ours["passed_over"], ours["open"]) == (20, 12, 1, 7)
    assert (ours["agreement"], ours["low"], ours["high"]) == (
        agreed / 12,
        *wilson_interval(agreed, 12),
    )
    assert (theirs["drawn"], theirs["agreement"]) == (0, None)


def test_labels_outlive_a_post_that_is_crawled_again_and_a_text_that_is_gone_is_not_asked(
    project: Project,
) -> None:
    sample = steps.draw_audit_sample(project, "ours", [WEEK], 5, seed=0)
    steps.record_answers(project.store, [(item, "neutral", None) for item in sample])
    first = sample[0].row
    moment = datetime(2026, 3, 3, tzinfo=UTC)
    project.store.upsert_posts(
        [
            Post(
                id=first["id"],
                source="f",
                kind="forum",
                text="晨谷 another text",
                published_at=moment,
            )
        ]
    )
    new_sample = steps.draw_audit_sample(project, "ours", [WEEK], 5, seed=0)
    assert [item.row["label"] for item in new_sample] == ["neutral"] * 5
    assert [item.text is None for item in new_sample] == [True, False, False, False, False]


@given(st.text())
def test_whatever_is_shown_cannot_command_a_terminal(text: str) -> None:
    item = steps.AuditItem({"brand": "ours"}, text, text)
    assert all(
        char == "\n" or char.isprintable() or char == "\N{ZERO WIDTH JOINER}"
        for char in screen.format_item(item)
    )
