"""The commands that ask the corpus, from outside: what they print where, and how they end."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from folate.cli import run_command
from folate.cli.concordance_table import last_cells
from folate.cli.interrupts import GRACE_SECONDS
from folate.core.post import Post
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.project import Project
from tests.corpora.answers.answers_project import FIRST_MOMENT, TEXTS, make_posts, make_project

HOSTILE_TEXTS = (
    "\x1b[31mred 维生素 \u202eevil\u2066 text",
    "第一行\n第二行 维生素\t表格",
    "ｗｉｄｅ 👩‍👩‍👧 维生素 👍🏽 e\u0301",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the invented corpus and some hostile texts."""
    project = make_project(tmp_path_factory.mktemp("commands") / "project")
    posts = [
        Post(
            id=f"hostile:{number}",
            source="hostile",
            kind="forum",
            text=text,
            published_at=FIRST_MOMENT + timedelta(minutes=number),
        )
        for number, text in enumerate(HOSTILE_TEXTS)
    ]
    project.store.upsert_posts(posts)
    annotate_corpus(Project.open(project.root), with_sentiment=False)
    return project.root


def ask(capsys: pytest.CaptureFixture[str], project: Path, *arguments: str) -> tuple[str, str]:
    """Run a command that must succeed, and return its output and its errors."""
    assert run_command([*arguments, "--project", str(project)]) == 0
    captured = capsys.readouterr()
    return captured.out, captured.err


def refuse(capsys: pytest.CaptureFixture[str], project: Path, *arguments: str) -> tuple[int, str]:
    """Run a command that must fail, and return its exit code and its one sentence."""
    code = run_command([*arguments, "--project", str(project)])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("folate: ")
    assert captured.err.count("\n") == 1
    return code, captured.err.removeprefix("folate: ").rstrip("\n")


def test_hits_stand_in_one_column_also_beside_wide_characters(project, capsys):
    out, err = ask(capsys, project, "kwic", "叶酸 OR 维生素", "--context", "12")
    columns = set()
    for line in out.splitlines():
        place = max(line.find("叶酸"), line.find("维生素"))
        columns.add(cell_len(line[:place]))
    assert len(columns) == 1
    assert "hits in" in err


def test_no_control_or_bidirectional_character_is_printed(project, capsys):
    out, _ = ask(capsys, project, "kwic", "维生素")
    lines = out.splitlines()
    assert len(lines) == 3
    assert not {"\x1b", "\u202e", "\u2066", "\t"} & set(out)
    assert "第一行 第二行" in out


def test_contexts_are_cut_by_width_with_the_part_next_to_the_hit_kept():
    assert last_cells("孕妇要吃", 5) == " 要吃"
    assert last_cells("abc", 5) == "  abc"
    assert last_cells("abc", 2) == "bc"
    assert last_cells("e\u0301a", 1) == "a"


def test_metadata_and_the_id_stand_behind_a_line(project, capsys):
    out, _ = ask(capsys, project, "kwic", "医生", "--show", "source,week", "--limit", "1")
    assert out.split()[-3:] == ["forum", "2026-W02", "forum:0-1"]


def test_a_table_shows_fifty_lines_unless_all_are_asked_for(project, capsys, monkeypatch):
    monkeypatch.setattr("folate.cli.commands.kwic.TABLE_LINES", 4)
    out, err = ask(capsys, project, "kwic", "叶酸")
    hits = sum(post.body.count("叶酸") for post in make_posts())
    posts = sum("叶酸" in post.body for post in make_posts())
    assert len(out.splitlines()) == 4
    assert f"note: 4 of {hits} hits in {posts} posts; --all shows all\n" in err
    out, err = ask(capsys, project, "kwic", "叶酸", "--all")
    assert len(out.splitlines()) == hits
    assert f"note: {hits} hits in {posts} posts\n" in err
    out, _ = ask(capsys, project, "kwic", "叶酸", "--format", "json")
    assert len(json.loads(out)) == hits


def test_json_lines_and_csv_have_the_documented_fields(project, capsys):
    names = ["id", "left", "hit", "right", "source", "query", "version"]
    arguments = ("kwic", "叶酸", "--show", "source", "--limit", "2")
    out, _ = ask(capsys, project, *arguments, "--format", "json")
    rows = json.loads(out)
    assert [list(row) for row in rows] == [names, names]
    out, _ = ask(capsys, project, *arguments, "--format", "jsonl")
    assert [json.loads(line) for line in out.splitlines()] == rows
    out, _ = ask(capsys, project, *arguments, "--format", "csv")
    assert list(csv.DictReader(io.StringIO(out))) == rows


def test_hits_are_grouped(project, capsys):
    out, _ = ask(capsys, project, "kwic", "酸", "--group", "hit", "--format", "json")
    (row,) = json.loads(out)
    assert (row["value"], row["share"]) == ("酸", 1.0)


def test_counts_are_printed(project, capsys):
    out, _ = ask(capsys, project, "count", "叶酸", "folic", "--format", "json")
    assert [row["query"] for row in json.loads(out)] == ["叶酸", "folic"]
    out, err = ask(capsys, project, "count", "叶酸", "--by", "source,week")
    assert out.split("\n")[0].split()[:3] == ["source", "week", "asked"]
    assert "version v" in err
    assert "version" not in out


def test_a_trend_is_printed_or_drawn(project, capsys, tmp_path):
    out, err = ask(capsys, project, "trend", "叶酸", "--format", "json")
    row = json.loads(out)[2]
    assert (row["week"], row["per_million"], row["coverage"]) == ("2026-W04", None, "none")
    assert "gaps" in err
    picture = tmp_path / "trend.svg"
    out, _ = ask(capsys, project, "trend", "叶酸", "--by", "source", "--svg", str(picture))
    assert out == f"{picture}\n"
    ElementTree.parse(picture)  # noqa: S314
    out, _ = ask(capsys, project, "trend", "叶酸", "--day", "--format", "jsonl")
    assert json.loads(out.splitlines()[0])["day"] == "2026-01-05"


def test_a_sample_is_the_same_for_everybody(project, capsys):
    arguments = ("sample", "叶酸", "-n", "2", "--seed", "4", "--format", "json")
    first, _ = ask(capsys, project, *arguments)
    again, _ = ask(capsys, project, *arguments)
    assert first == again
    assert all(row["text"] in TEXTS for row in json.loads(first))


def test_sql_answers_one_select(project, capsys):
    query = "SELECT source, count(*) AS posts FROM posts GROUP BY ALL ORDER BY ALL"
    out, _ = ask(capsys, project, "sql", query, "--format", "jsonl")
    assert json.loads(out.splitlines()[1]) == {"source": "hostile", "posts": 3}
    out, _ = ask(capsys, project, "sql", "--tables", "--format", "csv")
    assert "posts,published_at,timestamp[us, tz=UTC]" in out.replace('"', "")


def test_sql_refuses_everything_else(project, capsys):
    target = project / "corpus" / "evil.parquet"
    for query in (
        f"COPY posts TO '{target}'",
        f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{target}' (use_tmp_file false)",
        "SELECT 1; SELECT 2",
    ):
        code, message = refuse(capsys, project, "sql", query)
        assert (code, message.split(", got")[0]) == (3, "wanted one SELECT")
    assert not target.exists()
    assert refuse(capsys, project, "sql")[0] == 2
    assert refuse(capsys, project, "sql", "SELECT 1", "--tables")[0] == 2


def test_an_earlier_version_is_asked_by_its_name(tmp_path, capsys):
    folder = make_project(tmp_path / "project").root
    before, _ = ask(capsys, folder, "count", "叶酸", "--format", "json")
    version = json.loads(before)[0]["version"]
    more = [post for post in make_posts() if post.id == "weibo:0-0"]
    Project.open(folder).store.upsert_posts(
        [
            Post(id="new:1", source="new", kind="forum", text="叶酸", published_at=FIRST_MOMENT),
            *more,
        ]
    )
    after, _ = ask(capsys, folder, "count", "叶酸", "--format", "json")
    assert json.loads(after)[0]["posts"] == json.loads(before)[0]["posts"] + 1
    again, _ = ask(capsys, folder, "count", "叶酸", "--format", "json", "--at", version)
    assert again == before
    counted, _ = ask(
        capsys,
        folder,
        "sql",
        "SELECT count(*) AS n FROM posts",
        "--at",
        version,
        "--format",
        "json",
    )
    assert json.loads(counted) == [{"n": len(make_posts())}]
    assert refuse(capsys, folder, "count", "叶酸", "--at", "yesterday")[0] == 5


def test_the_cost_of_a_query_is_shown_without_running_it(project, capsys):
    for command in ("kwic", "count", "trend", "sample"):
        out, _ = ask(capsys, project, command, "叶酸", "--dry-run", "--format", "json")
        (row,) = json.loads(out)
        assert list(row) == ["postings", "seconds", "costliest", "query", "version"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("kwic", "叶酸", "--sort", "lfet"), 3, "no field 'lfet' to sort by; did you mean 'left'?"),
        (("kwic", "叶酸", "--all", "--limit", "3"), 2, "wanted --limit or --all, got both."),
        (("kwic", "source:weibo", "--group", "left"), 3, "wanted a query with words to group by"),
        (("count", "叶酸", "--by", "colour"), 3, "no field 'colour' to count by;"),
        (("trend", "叶酸", "--by", "week"), 3, "no field 'week' to split a trend by;"),
        (("sample", "叶酸", "-n", "0"), 3, "wanted a sample of at least 1 post, got 0."),
    ],
)
def test_what_can_not_be_answered_is_refused_in_one_sentence(
    project, capsys, arguments, code, message
):
    got_code, got_message = refuse(capsys, project, *arguments)
    assert got_code == code
    assert got_message.startswith(message)


def test_a_corpus_without_posts_has_answers_too(tmp_path, capsys):
    folder = tmp_path / "empty"
    assert run_command(["init", str(folder)]) == 0
    for command in ("kwic", "count", "trend", "sample"):
        out, _ = ask(capsys, folder, command, "叶酸", "--format", "json")
        rows = json.loads(out)
        assert rows == [] or rows[0]["posts"] == 0


def test_posts_that_are_not_annotated_are_noted_and_found_as_text(tmp_path, capsys):
    folder = tmp_path / "new"
    assert run_command(["init", str(folder)]) == 0
    Project.open(folder).store.upsert_posts(make_posts())
    out, _ = ask(capsys, folder, "count", "叶酸", "--format", "json")
    assert json.loads(out)[0]["posts"] == sum("叶酸" in post.body for post in make_posts())
    _, err = ask(capsys, folder, "count", "fol*")
    assert "folate annotate" in err


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        # a run in the background has Ctrl-C switched off, and its children would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_a_reader_who_has_gone_stops_the_stream_without_a_word(project):
    process = start(
        "-m", "folate.cli", "kwic", "叶酸", "--format", "jsonl", "--project", str(project)
    )
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    # 1 where lines were still to be written
    assert process.wait() in (0, 1)
    assert "Error" not in errors


def test_ctrl_c_stops_compiled_code_too():
    script = (
        "import sys, hashlib\n"
        "from folate.cli.interrupts import prompt_interrupts\n"
        "with prompt_interrupts():\n"
        "    print('ready', flush=True)\n"
        "    hashlib.pbkdf2_hmac('sha256', b'x', b'y', 2_000_000_000)\n"
    )
    process = start("-c", script)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, err) == ("", "folate: interrupted.\n")


def test_ctrl_c_in_python_code_ends_the_block_as_usual():
    script = (
        "import time\n"
        "from folate.cli.interrupts import prompt_interrupts\n"
        "try:\n"
        "    with prompt_interrupts():\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        f"    time.sleep({2 * GRACE_SECONDS})\n"
        "    print('cleaned up', flush=True)\n"
    )
    process = start("-c", script)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "cleaned up\n", "")
