"""The command line from outside: what it prints where, and its exit codes."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from folate.cli import COMMANDS, run_command
from folate.cli.options import PIPE_WIDTH, print_rows
from folate.cli.reference import render_reference

HEAVY = {
    "pyarrow",
    "torch",
    "scrapy",
    "pandas",
    "duckdb",
    "transformers",
    "spacy",
    "jieba",
    "altair",
    "rich",
}


def test_help_names_every_command_and_imports_nothing_heavy():
    script = (
        "import sys\nfrom folate.cli import run_command\n"
        "run_command(['--help'])\nprint(*sys.modules, file=sys.stderr)"
    )
    completed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert all(name in completed.stdout for name in COMMANDS)
    assert not HEAVY & set(completed.stderr.split())


def test_every_command_has_a_summary_and_help(capsys):
    for name, summary in COMMANDS.items():
        assert summary.endswith(".")
        assert run_command([name, "--help"]) == 0
        out = capsys.readouterr().out
        if name == "corpus":
            assert run_command([name, "check", "--help"]) == 0
            out = capsys.readouterr().out
        assert "--debug" in out


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    assert run_command(["reprot"]) == 2
    assert capsys.readouterr().err == "folate: no command 'reprot'; did you mean 'report'?\n"


def test_init_makes_a_project_once(tmp_path, capsys):
    assert run_command(["init", str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / "folate.toml").exists()
    assert ".salt" in (tmp_path / "new" / ".gitignore").read_text()
    assert capsys.readouterr().out == ""
    assert run_command(["init", str(tmp_path / "new")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_outside_a_project_the_error_says_what_to_do(tmp_path, capsys):
    assert run_command(["status", "--project", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "folate init" in message
    assert "Traceback" not in message


def test_debug_shows_the_traceback(tmp_path):
    completed = subprocess.run(
        [sys.executable, "-m", "folate.cli", "status", "--debug", "--project", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 1
    assert "Traceback" in completed.stderr


@pytest.mark.parametrize("week", ["2026-10", "2026-W60", "next"])
def test_a_wrong_week_is_a_usage_error(week, tmp_path, capsys):
    assert run_command(["topics", "--week", week, "--project", str(tmp_path)]) == 2
    assert "2026-W10" in capsys.readouterr().err


ROWS = [
    {"名字": "晨谷", "share": 0.25, "tags": ["a", "b"], "missing": None},
    {"名字": "=cmd()", "share": -1.0, "tags": [], "missing": ""},
]


def test_the_same_rows_in_every_format(capsys):
    print_rows(ROWS, "json")
    assert json.loads(capsys.readouterr().out) == ROWS
    print_rows(ROWS, "jsonl")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == ROWS
    print_rows(ROWS, "csv")
    cells = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert cells == [
        ["名字", "share", "tags", "missing"],
        ["晨谷", "0.25", '["a", "b"]', ""],
        ["'=cmd()", "-1.0", "[]", ""],
    ]
    print_rows(ROWS, "table")
    lines = capsys.readouterr().out.splitlines()
    ends = [
        cell_len(line[: line.index(cell) + len(cell)])
        for line, cell in zip(lines, ("share", "0.25", "-1"), strict=True)
    ]
    assert len(set(ends)) == 1  # right-aligned, a Han character being two columns wide


def test_a_table_does_not_command_the_terminal(capsys):
    print_rows([{"source": "\x1b[2J\u202eevil"}], "table")
    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().out)


def test_a_wide_table_folds_headers_and_text_and_no_number(capsys):
    row = {f"long_name_{number}": 12345.678 for number in range(12)}
    print_rows([{"word": "晨谷", **row, "query": "叶酸 " * 20}], "table")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= PIPE_WIDTH
    assert sum(line.count("12346") for line in lines) == len(row)
    assert "long_" in lines[0]
    assert "long_name" not in lines[0]


def test_without_arguments_it_shows_its_help(capsys):
    assert run_command([]) == 0
    assert capsys.readouterr().out.startswith("Usage: folate")


def test_segment_answers_each_line_with_a_line(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("乳果糖奶盖\n", encoding="utf-8")
    text = "\ufeff孕妇要吃叶酸片吗\n\nI don't like 乳果糖奶盖\r\n\xff last".encode(
        "utf-8", "surrogateescape"
    )
    completed = subprocess.run(
        [sys.executable, "-m", "folate.cli", "segment", "--words", str(words)],
        input=text,
        capture_output=True,
        check=True,
    )
    lines = completed.stdout.decode().splitlines()
    assert len(lines) == 4
    assert "".join(lines[0].split()) == "孕妇要吃叶酸片吗"
    assert lines[1] == ""
    assert "乳果糖奶盖" in lines[2].split()


def test_no_rows_are_no_rows_in_every_format(capsys):
    for form, expected in (("json", "[]\n"), ("jsonl", ""), ("csv", ""), ("table", "")):
        print_rows([], form)
        assert capsys.readouterr().out == expected


def test_the_reference_is_that_of_the_commands():
    written = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == render_reference(), "run 'make docs'"


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_has_null_for_numbers_that_it_does_not_know(form, capsys):
    print_rows([{"a": float("inf"), "b": [float("nan"), 1.5], "c": "Infinity 叶酸"}], form)
    out = json.loads(capsys.readouterr().out)
    assert (out[0] if form == "json" else out) == {
        "a": None,
        "b": [None, 1.5],
        "c": "Infinity 叶酸",
    }
