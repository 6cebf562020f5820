"""Damaged files: every command reports the damage in one sentence.

Files are damaged in seeded random ways, and no command silently shows fewer posts.
"""

import json
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from folate.cli import run_command
from tests.folate.project import create_project

POSTS = 60
QUICK = (
    ["status"],
    ["export", "posts"],
    ["import", "more.csv"],
    ["check"],
    ["check", "--deep"],
    ["evidence", "a"],
    ["compact"],
)
COMMANDS = (*QUICK, ["report", "--week", "2026-W10"], ["annotate", "--without-sentiment"])
PROJECT = """
name = "Test"
[[brands]]
id = "ours"
names = ["晨谷"]
own = true
"""
Damage = Callable[[Path, random.Random], object]


def _cut(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data) or 1)])


def _flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes() or b"x")
    for _ in range(rng.choice((1, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(data))


def _overwrite(path: Path, rng: random.Random) -> None:
    odd = (
        b"",
        b"\n",
        b"{}\n",
        b"[]",
        b"null",
        b'{"schema": Infinity}',
        b'{"add": {"path": 3}}\n',
        b"[" * 100_000,
        bytes(range(256)),
    )
    path.write_bytes(rng.choice(odd))


def _turn_into_a_folder(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: tuple[Damage, ...] = (
    _cut,
    _cut,
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    lambda path, _: path.unlink(),
    _turn_into_a_folder,
)


def _write_csv(path: Path, first: int, last: int) -> None:
    rows = [f"{n},晨谷 很好 {n},2026-03-0{1 + n % 7} 10:00,user{n % 9}" for n in range(first, last)]
    path.write_text("\n".join(["id,text,published_at,author", *rows]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def intact_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of 60 posts in three commits, read, and with a report."""
    folder = tmp_path_factory.mktemp("whole")
    create_project(folder, PROJECT)
    for number in range(3):
        _write_csv(folder / "posts.csv", number * 20, number * 20 + 20)
        assert (
            run_command(
                ["import", str(folder / "posts.csv"), "--source", "forum", "--project", str(folder)]
            )
            == 0
        )
    assert run_command(["annotate", "--without-sentiment", "--project", str(folder)]) == 0
    assert run_command(["report", "--week", "2026-W10", "--project", str(folder)]) == 0
    assert run_command(["check", "--deep", "--project", str(folder)]) == 0
    _write_csv(folder / "more.csv", 0, 10)
    return folder


def _list_files(folder: Path) -> list[Path]:
    files = [
        *(folder / "corpus").rglob("*"),
        folder / ".salt",
        *(folder / "reports").glob("*.json"),
    ]
    return sorted(path for path in files if path.is_file() and path.suffix != ".crc")


def _run_command(
    folder: Path,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> tuple[int, str, str]:
    monkeypatch.chdir(folder)
    code = run_command(command)
    out, err = capfd.readouterr()
    return code, out, err


def _try_damage(
    seed: int,
    commands: Sequence[list[str]],
    intact_project: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    rng = random.Random(seed)
    shutil.copytree(intact_project, folder)
    path = rng.choice(_list_files(folder))
    before = path.read_bytes()
    rng.choice(DAMAGES)(path, rng)
    if path.is_file() and path.read_bytes() == before:
        return
    for command in rng.sample(commands, 3):
        code, out, err = _run_command(folder, command, monkeypatch, capfd)
        assert code in {0, 2, 4, 5}, (command, err)
        assert "Traceback" not in err
        assert "<unknown>" not in err
        assert err.count("folate:") <= 1
        if code == 4 and command[0] != "check":
            assert "folate check" in err or ".salt" in err
        if command[0] == "export" and not code:
            assert len(out.splitlines()) >= POSTS


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_named_and_loses_no_post_without_a_word(
    seed: int,
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    _try_damage(seed, QUICK, intact_project, tmp_path / "project", monkeypatch, capfd)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1_000, 1_200))
def test_many_more_damaged_files(
    seed: int,
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    _try_damage(seed, COMMANDS, intact_project, tmp_path / "project", monkeypatch, capfd)


def _commit_files(folder: Path) -> list[Path]:
    return sorted((folder / "corpus" / "posts" / "_delta_log").glob("*.json"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda log: log[-1].unlink(),
        lambda log: log[-1].write_bytes(b""),
        lambda log: log[-1].write_bytes(b"{}\n"),
        lambda log: log[-1].write_text(log[-1].read_text().split("\n")[0] + "\n"),
        lambda log: log[1].write_bytes(b""),
        lambda log: log[1].unlink(),
        lambda log: shutil.rmtree(log[0].parent),
        lambda log: shutil.rmtree(log[0].parents[1]),
    ],
    ids=[
        "last gone",
        "last empty",
        "last of another",
        "last without its files",
        "one empty",
        "one gone",
        "no log",
        "no table",
    ],
)
def test_a_lost_entry_of_the_log_is_noticed_by_every_command_and_explained_by_check(
    damage: Callable[[list[Path]], object],
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    damage(_commit_files(folder))
    for command in (
        ["status"],
        ["export", "posts"],
        ["import", "more.csv"],
        ["annotate", "--without-sentiment"],
    ):
        code, out, err = _run_command(folder, command, monkeypatch, capfd)
        assert (code, out) == (4, "")
        assert "_delta_log" in err
        assert err.endswith("run 'folate check', which says what is lost and what to do.\n")
    code, out, _ = _run_command(folder, ["check", "--format", "json"], monkeypatch, capfd)
    assert code == 4
    assert all(
        fault["file"] and fault["what"] and fault["lost"] and fault["remedy"]
        for fault in json.loads(out)
    )


def test_what_check_says_to_do_about_a_lost_last_entry_works(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    log = _commit_files(folder)
    log[-1].write_bytes(b"")
    _, out, _ = _run_command(folder, ["check", "--format", "json"], monkeypatch, capfd)
    (fault,) = json.loads(out)
    assert "it went from 40 to 60 rows" in fault["lost"]
    log[-1].unlink()
    noted = folder / "corpus" / "commits.jsonl"
    noted.write_text(
        "".join(
            line for line in noted.read_text().splitlines(keepends=True) if '"posts"' not in line
        )
    )
    assert _run_command(folder, ["check"], monkeypatch, capfd)[0] == 0
    assert (
        _run_command(folder, ["import", "posts.csv", "--source", "forum"], monkeypatch, capfd)[0]
        == 0
    )
    assert (
        len(_run_command(folder, ["export", "posts"], monkeypatch, capfd)[1].splitlines()) == POSTS
    )


def test_half_a_data_file_is_an_error_of_the_store(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    file = sorted((folder / "corpus" / "posts").rglob("*.parquet"))[0]
    file.write_bytes(file.read_bytes()[:1_000])
    for command in (
        ["status"],
        ["import", "more.csv", "--source", "forum"],
        ["report", "--week", "2026-W10"],
    ):
        code, _, err = _run_command(folder, command, monkeypatch, capfd)
        assert code == 4
        assert (file.name in err, err.count("\n"), "SELECT" in err) == (True, 1, False)
    code, out, _ = _run_command(folder, ["check"], monkeypatch, capfd)
    assert code == 4
    assert "20 rows of the table 'posts'" in out


@pytest.mark.parametrize("content", ["é".encode(), b"\xff", b"", b"\0" * 64, None])
def test_a_lost_salt_is_never_replaced_where_authors_were_hashed_with_it(
    content: bytes | None,
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    salt = folder / ".salt"
    salt.unlink()
    if content is not None:
        salt.write_bytes(content)
    code, _, err = _run_command(folder, ["import", "more.csv"], monkeypatch, capfd)
    assert code in {2, 4}
    assert ".salt" in err
    assert salt.exists() == (content is not None)
    assert _run_command(folder, ["check"], monkeypatch, capfd)[0] == 4


def test_check_lists_damage_beside_the_store(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    crawl = folder / "crawls" / "20260301T000000.000000Z"
    crawl.mkdir(parents=True)
    (crawl / "job.json").write_text("[")
    (crawl / "ledger.jsonl").write_text("[1]\n")
    (folder / "rejects").mkdir(exist_ok=True)
    (folder / "rejects" / "a.jsonl").write_text("nothing\n")
    (folder / "reports" / "2026-W10.json").write_text('{"schema": Infinity}')
    (folder / "deliveries.sqlite").write_bytes(b"x" * 5_000)
    (folder / "thresholds.json").write_bytes(b"[" * 100_000)
    code, out, _ = _run_command(folder, ["check", "--format", "json"], monkeypatch, capfd)
    assert code == 4
    names = {Path(fault["file"]).name for fault in json.loads(out)}
    assert names == {
        "job.json",
        "ledger.jsonl",
        "a.jsonl",
        "2026-W10.json",
        "deliveries.sqlite",
        "thresholds.json",
    }


def test_check_sees_a_page_that_was_cut_and_no_fault_in_one_of_an_older_version(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    page, figures = (folder / "reports" / f"2026-W10.{form}" for form in ("html", "json"))
    page.write_bytes(page.read_bytes()[:1_000])
    code, out, _ = _run_command(folder, ["check", "--format", "json"], monkeypatch, capfd)
    assert code == 4
    assert [Path(fault["file"]).name for fault in json.loads(out)] == ["2026-W10.html"]
    document = json.loads(figures.read_text())
    del document["digests"]  # as older versions wrote them
    figures.write_text(json.dumps(document))
    assert _run_command(folder, ["check"], monkeypatch, capfd)[0] == 0


@pytest.mark.parametrize("content", [None, "{}", '{"schema": Infinity}'])
def test_what_check_says_to_do_about_a_lost_schema_number_works(
    content: str | None,
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    path = folder / "corpus" / "schema.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    code, out, _ = _run_command(folder, ["check", "--format", "json"], monkeypatch, capfd)
    (fault,) = json.loads(out)
    assert (code, Path(fault["file"]).name) == (4, "schema.json")
    path.write_text(fault["remedy"].partition("write ")[2].partition(" into it")[0])
    assert _run_command(folder, ["check"], monkeypatch, capfd)[0] == 0


def test_check_itself_tells_of_a_record_of_commits_that_cannot_be_read(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    noted = folder / "corpus" / "commits.jsonl"
    noted.unlink()
    noted.mkdir()
    code, out, _ = _run_command(folder, ["check", "--format", "json"], monkeypatch, capfd)
    (fault,) = json.loads(out)
    assert (code, Path(fault["file"]).name) == (4, "commits.jsonl")
    noted.rmdir()  # as it says
    assert _run_command(folder, ["check"], monkeypatch, capfd)[0] == 0


def test_check_changes_nothing_and_wants_a_project(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = {path: path.read_bytes() for path in intact_project.rglob("*") if path.is_file()}
    assert _run_command(intact_project, ["check", "--deep"], monkeypatch, capfd)[0] == 0
    assert {
        path: path.read_bytes() for path in intact_project.rglob("*") if path.is_file()
    } == before
    assert _run_command(tmp_path, ["check"], monkeypatch, capfd)[0] == 2


def _import_in_a_child(
    folder: Path, name: str, before: Callable[[], None] | None = None
) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        "-m",
        "folate.cli",
        "import",
        str(folder / name),
        "--source",
        "forum",
        "--project",
        str(folder),
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before
    )


def test_a_disk_that_takes_no_more_is_told_in_a_sentence_and_loses_nothing(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    _write_csv(folder / "new.csv", 1_000, 1_400)
    child = _import_in_a_child(
        folder, "new.csv", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
    )
    _, err = child.communicate()
    assert child.returncode in {1, 4}
    assert err.splitlines()[-1].startswith(
        "folate: the table 'posts'"
    )  # a thread of Delta's writer may tell of itself before it
    assert "Traceback" not in err
    assert (
        len(_run_command(folder, ["export", "posts"], monkeypatch, capfd)[1].splitlines()) == POSTS
    )
    assert _run_command(folder, ["check"], monkeypatch, capfd)[0] == 0
    assert (
        _run_command(folder, ["import", "new.csv", "--source", "forum"], monkeypatch, capfd)[0] == 0
    )
    assert (
        len(_run_command(folder, ["export", "posts"], monkeypatch, capfd)[1].splitlines())
        == POSTS + 400
    )


def test_a_full_disk_is_told_before_anything_is_written(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    full = shutil.disk_usage(folder)._replace(free=10_000)
    monkeypatch.setattr("corpora.store.store.shutil.disk_usage", lambda _: full)
    code, _, err = _run_command(folder, ["import", "more.csv"], monkeypatch, capfd)
    assert code == 4
    assert "free bytes" in err
    assert _run_command(folder, ["check"], monkeypatch, capfd)[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_an_import_that_was_killed_is_completed_by_the_next(
    seed: int,
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    _write_csv(folder / "new.csv", 1_000, 4_000)
    child = _import_in_a_child(folder, "new.csv")
    time.sleep(random.Random(seed).uniform(0.2, 4.0))
    child.kill()
    child.communicate()
    assert _run_command(folder, ["check"], monkeypatch, capfd)[0] == 0
    assert (
        _run_command(folder, ["import", "new.csv", "--source", "forum"], monkeypatch, capfd)[0] == 0
    )
    ids = [
        json.loads(line)["id"]
        for line in _run_command(folder, ["export", "posts"], monkeypatch, capfd)[1].splitlines()
    ]
    assert (len(ids), len(set(ids))) == (POSTS + 3_000, POSTS + 3_000)


@pytest.mark.parametrize(
    "line",
    [
        '{"table": "posts", "version": Infinity, "size": 1}',
        '{"table": "posts", "version": 0, "size": 1e999}',
        '{"table": "posts", "version": 0, "size": 1, "rows": "\\u001b[2J"}',
        '{"table": "posts", "version": 0, "size": 1, "rows": [1]}',
        "[1]",
        "null",
    ],
)
def test_a_senseless_line_among_the_noted_commits_is_passed_over(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    line: str,
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    with (folder / "corpus" / "commits.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    for command in (["status"], ["check"]):
        code, _, stderr = _run_command(folder, command, monkeypatch, capfd)
        assert code == 0, stderr


def test_damage_that_only_a_deep_check_sees_is_told_with_the_check_that_sees_it(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    path = next((folder / "corpus" / "posts").rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    group = pq.ParquetFile(path).metadata.row_group(0)
    (texts,) = (
        column
        for column in map(group.column, range(group.num_columns))
        if column.path_in_schema == "text"
    )
    end = (texts.dictionary_page_offset or texts.data_page_offset) + texts.total_compressed_size
    for offset in range(end - texts.total_compressed_size // 2, end):
        data[offset] ^= 0x55
    path.write_bytes(bytes(data))
    code, _, stderr = _run_command(folder, ["export", "posts"], monkeypatch, capfd)
    assert code == 4
    assert "run 'folate check --deep'" in stderr
    code, _, stderr = _run_command(folder, ["check", "--deep"], monkeypatch, capfd)
    assert (code, stderr) == (4, "1 damaged file.\n")


def test_posts_that_were_read_again_are_not_taken_for_damaged(
    intact_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(intact_project, folder)
    (folder / "folate.toml").write_text(
        PROJECT.replace('"晨谷"', '"晨谷", "很好"'), encoding="utf-8"
    )
    assert _run_command(folder, ["annotate", "--without-sentiment"], monkeypatch, capfd)[0] == 0
    code, out, _ = _run_command(folder, ["check", "--deep"], monkeypatch, capfd)
    assert (code, out) == (0, "")
