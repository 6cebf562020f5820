"""`folate corpus check`, `stats` and `rebuild`."""

import json
from pathlib import Path

import pytest

from folate.cli import run_command
from tests.corpora.index.index_checks import annotate, make_post, make_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    store = make_project(tmp_path)
    posts = [make_post(number, f"叶酸 片 {number}") for number in range(3)]
    store.upsert_posts(posts)
    annotate(store, posts[:2])
    return tmp_path


def test_stats_count_what_the_corpus_has(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["corpus", "stats", "--project", str(project), "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row.pop("bytes") > 0
    assert row == {
        "posts": 3,
        "posts_without_words": 1,
        "words": 6,
        "characters": 18,
        "lexicon": 5,
        "segments": 1,
        "version": "v1.1" + ".-" * 12,
    }


def test_damage_is_found_and_mended(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--project", str(project)]
    assert run_command(["corpus", "check", *arguments]) == 4
    assert "the index can't be used: there is none yet." in capsys.readouterr().out
    assert run_command(["corpus", "rebuild", *arguments]) == 0
    assert "indexed 3 posts." in capsys.readouterr().err
    assert run_command(["corpus", "check", *arguments]) == 0
    (path,) = (project / "index").glob("*/folded.npy")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert run_command(["corpus", "check", *arguments]) == 4
    assert "folded.npy does not have the contents" in capsys.readouterr().out
