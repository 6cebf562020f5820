"""`folate parse`: canonical form, tree and JSON of a query, with and without a project."""

import json

import pytest

from corpora.query.json_form import parse_json
from folate.cli import run_command

PROJECT = """
name = "x"
[[brands]]
id = "kraft"
names = ["卡夫"]
[queries]
folate = '叶酸 OR "folic acid"'
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "folate.toml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


def test_the_canonical_form_is_printed_without_a_project(tmp_path, capsys):
    assert run_command(["parse", "叶酸 片 OR brand:any", "--project", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "(叶酸 片) OR brand:any\n"


def test_the_project_gives_saved_queries_and_brands(folder, capsys):
    assert run_command(["parse", "@folate brand:Kraft", "--project", str(folder)]) == 0
    assert capsys.readouterr().out == '(叶酸 OR "folic acid") brand:kraft\n'
    assert run_command(["parse", "brand:karft", "--project", str(folder)]) == 3
    assert "did you mean 'kraft'?" in capsys.readouterr().err


def test_the_tree_is_printed_with_one_line_for_each_part(tmp_path, capsys):
    assert run_command(["parse", "叶酸%c -is:duplicate", "--tree", "--project", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "and",
        '  term text="叶酸" flags=["case"]',
        "  not",
        '    filter field="is" operator="=" value="duplicate"',
    ]


def test_the_json_names_the_saved_queries_and_reads_back(folder, capsys):
    arguments = ["parse", "@folate [word='片']", "--format", "json", "--project", str(folder)]
    assert run_command(arguments) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["saved"] == ["folate"]
    query = parse_json(printed)
    assert query.text == "@folate [word='片']"
    assert query.canonical == '(叶酸 OR "folic acid") AND [word="片"]'


def test_a_mistake_is_shown_by_a_caret_below_the_query(tmp_path, capsys):
    assert run_command(["parse", '叶酸 "a"{3,1}', "--project", str(tmp_path)]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("folate: query, character 7: wanted the fewest repetitions")
    assert lines[1:] == ['  叶酸 "a"{3,1}', "          ^"]


def test_a_broken_saved_query_is_told_when_the_project_is_checked_and_where_it_is_used(
    folder, capsys
):
    with (folder / "folate.toml").open("a", encoding="utf-8") as file:
        file.write("loop = '@loop'\n")
    assert run_command(["parse", "@loop", "--project", str(folder)]) == 3
    assert "saved query 'loop'" in capsys.readouterr().err
    run_command(["check", "--project", str(folder)])
    assert "saved query 'loop'" in capsys.readouterr().out
    assert run_command(["parse", "@folate", "--project", str(folder)]) == 0


@pytest.mark.parametrize("query", ["\x1b[2J", "\udcff", "\u202e", "", "(" * 10_000, "a" * 200_000])
def test_hostile_queries_print_one_clean_message(query, tmp_path, capsys):
    assert run_command(["parse", query, "--project", str(tmp_path)]) == 3
    printed = capsys.readouterr().err
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert len(printed) < 3_000
