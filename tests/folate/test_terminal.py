"""A project full of hostile names: whatever a command prints, nothing in it commands a terminal."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpora.store.schema import TABLES
from corpora.store.store import Store
from folate.cli import COMMANDS, run_command
from folate.core.post import Post

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202e\u2066\u200b\r"
EVIL_TOML = EVIL.encode("unicode_escape").decode().replace("\\x", "\\u00").replace("\\r", "\\r")
COMMANDS_OF_TERMINALS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
CASES = [
    ["status"],
    ["check"],
    ["topics", "--week", "2026-W10"],
    ["topics", "history", EVIL],
    ["audit", "status"],
    ["audit", "--brand", EVIL, "--week", "2026-W10"],
    ["audit", "--import", "hostile.csv"],
    ["adapt", "status"],
    ["adapt", "--brand", EVIL],
    ["leads", "--week", "2026-W10", "--format", "table"],
    ["campaign", EVIL, "--week", "2026-W10"],
    ["network", "--week", "2026-W10"],
    ["report", "--week", "2026-W10"],
    ["report", "--week", EVIL],
    ["report", "--week", "2026-W10", "--at", "hostile.json"],
    ["send", "--week", "2026-W10", "--to", EVIL],
    ["watch", "--week", "2026-W10", "--dry-run"],
    ["evidence", EVIL],
    ["evidence", "abc"],
    ["import", "hostile.csv"],
    ["import", "good.csv", "--source", EVIL],
    ["import", "good.csv", "--map", f"text={EVIL}"],
    ["import", f"{EVIL}.csv"],
    ["import", "named.csv"],
    ["crawl", EVIL],
    ["reparse", EVIL],
    ["annotate", "--without-sentiment"],
    ["compact"],
    ["migrate"],
    ["parse", EVIL],
    ["parse", f'"{EVIL}"', "--tree"],
    ["kwic", "晨谷", "--show", "source,brand"],
    ["kwic", "晨谷", "--format", "jsonl"],
    ["kwic", "晨谷", "--group", "right"],
    ["count", "晨谷", EVIL],
    ["count", "晨谷", "--by", "brand"],
    ["trend", "晨谷", "--by", "source"],
    ["sample", "晨谷", "-n", "2"],
    ["collocates", "晨谷", "--min", "1"],
    ["keyness", "晨谷", "--rest"],
    ["ngrams", "--format", "table"],
    ["dispersion", "晨谷"],
    ["cooccur", "--min", "1"],
    ["compare", "晨谷", "own"],
    ["similar", EVIL],
    ["label", "晨谷", "--name", EVIL, "--rater", EVIL, "--all", "--yes"],
    ["label", "--list"],
    ["sql", f"SELECT '{EVIL}' AS \"{EVIL}\", id FROM posts"],
    ["corpus", "check"],
    ["corpus", "stats"],
    [EVIL],
    ["status", f"--{EVIL}"],
    ["init", "."],
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    name = f'"{EVIL_TOML}"'
    brand = f'[[brands]]\nid = {name}\nnames = ["晨谷", {name}]\nown = true\n'
    campaign = (
        f"[[campaign]]\nid = {name}\nnames = [{name}]\nstart = 2026-03-02\nend = 2026-03-05\n"
    )
    (folder / "folate.toml").write_text(
        f"name = {name}\nwatch = [{name}]\n{brand}{campaign}", encoding="utf-8"
    )
    store = Store(folder / "corpus")
    moment = datetime(2026, 3, 3, tzinfo=UTC)
    posts = [
        Post(
            id=f"论坛:{EVIL}{n}",
            source="论坛",
            kind="forum",
            text=f"晨谷 {EVIL}",
            published_at=moment,
            author="a" * 16,
            likes=n,
        )
        for n in range(3)
    ]
    store.upsert_posts(posts)
    (folder / ".salt").write_text("secret")
    query = f"SELECT count(*) FROM posts WHERE id = '{EVIL}'"
    row = {
        "id": "abcdef",
        "week": EVIL,
        "measure": "mentions",
        "brand": EVIL,
        "subject": EVIL,
        "value": 1.0,
        "n": 1,
    }
    row |= {
        "definition": EVIL,
        "query": query,
        "versions": '{"posts": 1}',
        "posts": [post.id for post in posts],
    }
    store.upsert("evidence", [row])
    (folder / "hostile.csv").write_text(f"text,{EVIL}\nhello,x\n", encoding="utf-8")
    (folder / "good.csv").write_text(
        f"id,text,published_at\n{EVIL},{EVIL},2026-03-03\n", encoding="utf-8"
    )
    (folder / "named.csv").write_text(
        f"id,text,published_at,{EVIL}\n1,x,not a date {EVIL},x\n", encoding="utf-8"
    )
    (folder / f"{EVIL}.csv").write_text("id,text,published_at\n1,x,2026-03-03\n", encoding="utf-8")
    (folder / "hostile.json").write_text('{"versions": {"\\u001b[2J": 1}}')
    return folder


@pytest.mark.parametrize("arguments", CASES, ids=lambda arguments: ascii(" ".join(arguments))[1:40])
def test_nothing_that_is_printed_commands_a_terminal(
    arguments: list[str],
    project: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project)
    assert run_command(arguments) in {0, 1, 2, 3, 4, 5, 6}
    out, err = capfd.readouterr()
    assert not COMMANDS_OF_TERMINALS.search(out)
    assert not COMMANDS_OF_TERMINALS.search(err)
    assert "Traceback" not in err


def test_every_command_was_tried_that_reads_a_project() -> None:
    assert {arguments[0] for arguments in CASES} >= set(COMMANDS) - {
        "classify",
        "segment",
        "tags",
        "export",
    }
    assert set(TABLES) >= {"posts", "evidence"}


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_data_for_programs_has_no_raw_command_but_in_quoted_csv(
    form: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["evidence", "abc", "--format", form, "--project", str(project)]) == 0
    match = COMMANDS_OF_TERMINALS.search(capsys.readouterr().out)
    assert bool(match) == (form == "csv")


def test_a_header_of_16000_columns_is_not_printed_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folate.toml").write_text('name = "x"')
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(f"c{n}" for n in range(16_030)) + "\n")
    assert run_command(["import", str(wide), "--project", str(tmp_path)]) == 3
    err = capsys.readouterr().err
    assert "and 16,000 more" in err
    assert len(err) < 1_000
