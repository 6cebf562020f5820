"""Text from outside that is printed: it controls no terminal and fills no screen."""

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import folate
from folate.core.errors import suggestion
from folate.core.text import (
    MAX_LINE_LENGTH,
    escape_json,
    join_names,
    printable_lines,
    printable_text,
    quote_name,
    to_single_line,
    truncate_text,
)

COMMANDS = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\ud800",
    "\u2028",
    "\r",
    "\x85",
]
# Surrogates too.
ANY_TEXT = st.text(st.characters(codec=None, categories=None))  # type: ignore[arg-type]


def is_harmless(text: str) -> bool:
    return all(char.isprintable() or char == "\N{ZERO WIDTH JOINER}" for char in text)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_could_command_a_terminal_is_replaced(command: str) -> None:
    assert is_harmless(printable_text(f"a{command}b"))
    assert is_harmless(quote_name(f"a{command}b"))
    assert is_harmless(join_names([command, "b"]))
    assert command not in printable_lines(f"a{command}b")
    assert is_harmless(to_single_line(f"a\n{command}b"))


@given(ANY_TEXT)
def test_any_text_is_made_harmless(text: str) -> None:
    assert is_harmless(printable_text(text))
    assert is_harmless(to_single_line(text))
    assert all(is_harmless(line.replace("\t", "")) for line in printable_lines(text).split("\n"))


@pytest.mark.parametrize("text", ["好吃，真的！", "naïve café", "👩‍🔬 很好", "❤️‍🔥", "א ב", "a b"])
def test_what_people_write_stays(text: str) -> None:
    assert printable_text(text) == text


def test_a_wide_space_becomes_a_plain_one() -> None:
    assert printable_text("晨谷\u3000暖禾\xa0!") == "晨谷 暖禾 !"


def test_a_joiner_that_joins_no_emoji_is_replaced() -> None:
    assert printable_text("a\u200db") == "a\ufffdb"


def test_a_long_text_is_cut_and_the_rest_counted() -> None:
    assert truncate_text("abc", 3) == "abc"
    assert truncate_text("abcdef", 3) == "abc … and 3 more characters"
    shown = to_single_line("x" * 50_000_000)
    assert len(shown) < MAX_LINE_LENGTH + 100
    assert shown.endswith("and 49,998,000 more characters")


def test_a_long_list_is_cut_and_the_rest_counted() -> None:
    assert join_names(["a", "b"]) == "a, b"
    assert join_names(map(str, range(20_030))).endswith("29 and 20,000 more")
    assert len(join_names(["x" * 1_000_000] * 100)) < 3_000


def test_the_tail_of_an_error_has_one_full_stop_and_shows_no_command() -> None:
    assert suggestion("a", ["\x1b[2J"]) == "possible: \ufffd[2J."
    assert suggestion("zzz", []) == "possible: nothing."
    assert suggestion("brnads", ["brands", "watch"]) == "did you mean 'brands'?"
    assert suggestion("zzz", ["Oats", "Oats Inc."]) == "possible: Oats, Oats Inc."
    assert len(suggestion("x" * 1_000_000, ["y" * 1_000_000])) < 100


@given(ANY_TEXT)
def test_escaped_json_means_the_same(text: str) -> None:
    written = escape_json(json.dumps({text: [text]}, ensure_ascii=False))
    assert json.loads(written) == {text: [text]}
    assert not set("\x9b\u202e\u2028\ud800\u200b\x7f") & set(written)


def is_suggestion(part: ast.expr) -> bool:
    return isinstance(part, ast.FormattedValue) and ast.unparse(part.value).startswith(
        "suggestion("
    )


def suggestion_calls() -> list[tuple[str, ast.JoinedStr, int]]:
    """Every f-string of the source that contains a suggestion: file, string, index of its part."""
    calls = []
    root = Path(folate.__file__).parent.parent
    for package in ("folate", "crawlers", "corpora", "nlp", "reports", "training"):
        for path in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.JoinedStr):
                    continue
                for index, part in enumerate(node.values):
                    if is_suggestion(part):
                        calls.append((path.name, node, index))
    return calls


def test_every_sentence_with_a_suggestion_ends_with_it_after_a_semicolon() -> None:
    calls = suggestion_calls()
    assert len(calls) > 10
    for name, sentence, index in calls:
        before = sentence.values[index - 1]
        assert index == len(sentence.values) - 1, f"{name}: {ast.unparse(sentence)}"
        assert isinstance(before, ast.Constant), name
        assert str(before.value).endswith("; "), f"{name}: {ast.unparse(sentence)}"
        assert not str(before.value).endswith(".; "), f"{name}: {ast.unparse(sentence)}"
