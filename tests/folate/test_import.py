"""Imports through the command line: the printed row, the exit code, and the rejected rows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from corpora.files import Reject
from folate.cli import run_command
from folate.pipeline.rejects import RejectsWriter

ROWS = "id,text,published_at\n1,好喝,2026-03-02\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "folate.toml").write_text('name = "probe"\n', encoding="utf-8")
    return folder


def import_text(project: Path, name: str, content: str | bytes, *options: str) -> int:
    path = project.parent / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return run_command(
        ["import", str(path), *options, "--project", str(project), "--format", "json"]
    )


def export_texts(project: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    run_command(["export", "posts", "--project", str(project)])
    return sorted(json.loads(line)["text"] for line in capsys.readouterr().out.splitlines())


def test_a_file_of_which_every_row_was_rejected_is_no_success(project, capsys):
    assert import_text(project, "a.csv", "id,text,published_at\n1,a,soon\n2,b,later\n") == 3
    printed = capsys.readouterr()
    assert json.loads(printed.out)[0]["rejected"] == 2
    assert "no row of 'a.csv' became a post: unreadable date 2; rejects/" in printed.err


def test_a_file_that_is_known_already_is_a_success(project):
    content = ROWS + "2,b,soon\n"
    assert [import_text(project, "a.csv", content) for _ in range(2)] == [0, 0]


def test_a_file_without_rows_is_told(project, capsys):
    assert import_text(project, "a.csv", "id,text,published_at\n") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)[0]["notes"] == ["it has no rows below the header"]
    assert "note: a.csv: it has no rows below the header." in printed.err


def test_an_encoding_may_be_named(project, capsys):
    content = ROWS.replace("好喝", "好").encode("gb18030")
    assert import_text(project, "a.csv", content, "--encoding", "GBK") == 0
    assert export_texts(project, capsys) == ["好"]
    assert import_text(project, "a.csv", content, "--encoding", "gb1803") == 2
    assert (
        "wanted the name of an encoding, got 'gb1803'; did you mean 'gb18030'?"
        in capsys.readouterr().err
    )


def test_another_encoding_than_utf8_is_said(project, capsys):
    assert (
        import_text(
            project, "a.csv", ROWS.replace("好喝", "这个燕麦真的很好喝，还会再买").encode("gb18030")
        )
        == 0
    )
    assert (
        "note: a.csv: it was read as gb18030; --encoding names another." in capsys.readouterr().err
    )


def test_ids_that_are_none_lose_no_post_between_commits_either(project, capsys, monkeypatch):
    monkeypatch.setattr("corpora.store.batches.POSTS_PER_COMMIT", 3)
    content = "id,text,published_at\n" + "".join(
        f"4.75E+15,第{n}条,2026-03-02\n" for n in range(10)
    )
    assert import_text(project, "a.csv", content) == 0
    assert json.loads(capsys.readouterr().out)[0]["added"] == 10
    assert import_text(project, "a.csv", content) == 0
    assert json.loads(capsys.readouterr().out)[0]["known"] == 10
    assert len(export_texts(project, capsys)) == 10


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def make_reject(row: int) -> Reject:
    return Reject(row, "no date", "the post has no date", {})


def test_the_rejects_of_a_file_take_the_place_of_its_last_ones(tmp_path):
    for row in (1, 2):
        with RejectsWriter(tmp_path, "a.csv") as rejects:
            rejects.write(make_reject(row))
        assert list_names(tmp_path) == ["a.csv.jsonl"]
        assert json.loads((tmp_path / "a.csv.jsonl").read_text())["row"] == row
    with RejectsWriter(tmp_path, "a.csv"):
        pass
    assert list_names(tmp_path) == []


def test_rejects_of_two_imports_at_once_are_both_kept(tmp_path):
    with RejectsWriter(tmp_path, "a.csv") as first, RejectsWriter(tmp_path, "a.csv") as second:
        first.write(make_reject(1))
        second.write(make_reject(2))
    assert list_names(tmp_path) == ["a.csv.2.jsonl", "a.csv.jsonl"]
    with RejectsWriter(tmp_path, "a.csv.gz") as other:
        other.write(make_reject(3))
    assert list_names(tmp_path) == ["a.csv.2.jsonl", "a.csv.gz.jsonl", "a.csv.jsonl"]
    with RejectsWriter(tmp_path, "a.csv") as third:
        third.write(make_reject(4))
    assert list_names(tmp_path) == ["a.csv.gz.jsonl", "a.csv.jsonl"]


def test_an_import_that_fails_leaves_the_rejects_of_the_last_one(tmp_path):
    with RejectsWriter(tmp_path, "a.csv") as rejects:
        rejects.write(make_reject(1))
    with pytest.raises(OSError, match="full"), RejectsWriter(tmp_path, "a.csv"):
        raise OSError("full")
    assert list_names(tmp_path) == ["a.csv.jsonl"]


def test_a_long_name_has_rejects_too(tmp_path):
    name = "燕" * 80 + ".csv"
    for long in (name, name.replace("燕", "麦")):
        with RejectsWriter(tmp_path, long) as rejects:
            rejects.write(make_reject(1))
    assert len(list_names(tmp_path)) == 2


def test_imports_of_files_of_one_name_at_once_end_well(project, tmp_path):
    def start_import(n: int) -> "subprocess.Popen[Any]":
        folder = tmp_path / str(n)
        folder.mkdir()
        (folder / "a.csv").write_text(
            f"id,text,published_at\n{n},好喝,2026-03-02\n9{n},x,soon\n", encoding="utf-8"
        )
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "folate.cli",
                "import",
                str(folder / "a.csv"),
                "--project",
                str(project),
            ]
        )

    run_command(["import", "--project", str(project), str(tmp_path / "none.csv")])
    assert [child.wait() for child in [start_import(n) for n in range(3)]] == [0, 0, 0]
    reject_files = [
        json.loads(line)
        for path in (project / "rejects").iterdir()
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert [path.suffix for path in (project / "rejects").iterdir()] == [".jsonl"] * len(
        reject_files
    )
    assert reject_files
