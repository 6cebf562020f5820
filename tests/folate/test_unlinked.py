"""Status says which posts name no brand, and which names no brand has."""

from pathlib import Path

import pytest

from folate.cli import run_command
from tests.folate.project import create_project

PROJECT = """
name = "Test"
[[brands]]
id = "ours"
names = ["United", "@united"]
own = true
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    create_project(tmp_path, PROJECT)
    lines = ["id,published_at,author,text"]
    for person in range(6):
        lines.append(f"a{person},2026-03-02,u{person},@united my bag is lost again {person}")
        lines.append(f"b{person},2026-03-02,u{person},＠DeltaAir why so late {person} #travelfail")
        lines.append(f"c{person},2026-03-02,one,hello @a_friend number {person}")
    (tmp_path / "posts.csv").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run_command(["import", "posts.csv", "--kind", "microblog"]) == 0
    return tmp_path


def test_posts_without_a_brand_and_names_that_no_brand_has_are_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["annotate", "--without-sentiment"]) == 0
    capsys.readouterr()
    assert run_command(["status", "--format", "json"]) == 0
    stderr = capsys.readouterr().err
    assert "12 of 18 posts that were read name no brand" in stderr
    assert "@deltaair (6 people)" in stderr
    assert "#travelfail (6 people)" in stderr
    assert "@united" not in stderr


def test_a_name_that_few_people_use_is_not_shown(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["annotate", "--without-sentiment"]) == 0
    assert run_command(["status"]) == 0
    assert "@a_friend" not in capsys.readouterr().err


def test_nothing_is_said_of_names_before_posts_were_read(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run_command(["status"]) == 0
    assert "name no brand" not in capsys.readouterr().err
