"""Properties of all queries: canonical forms and JSON parse back; bad texts are refused."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.query.canonical import canonical
from corpora.query.json_form import parse_json, query_to_json, tree_lines, tree_to_json
from corpora.query.limits import MAX_DEPTH, size_problem
from corpora.query.parse import parse_query
from folate.core.errors import InputError
from tests.corpora.query_trees import QUERY_TEXTS, TREES

SAVED = {"s": '叶酸 OR "folic acid"'}


@given(TREES)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_canonical_form_of_a_tree_parses_to_the_tree(tree):
    text = canonical(tree)
    assert parse_query(text).tree == tree
    assert parse_query(text).canonical == text


@given(TREES)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_the_json_of_a_tree_reads_back_to_the_tree(tree):
    query = parse_query(canonical(tree))
    assert parse_json(json.dumps(query_to_json(query))) == query
    assert len(list(tree_lines(tree))) == json.dumps(tree_to_json(tree)).count('"type": ')


@given(QUERY_TEXTS)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_a_text_is_a_query_with_a_canonical_form_or_is_refused(text):
    try:
        query = parse_query(text, SAVED)
    except InputError:
        return
    again = parse_query(query.canonical)
    assert again.tree == query.tree
    assert again.canonical == query.canonical


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_text_is_a_query_or_is_refused(text):
    try:
        parse_query(text)
    except InputError:
        return


HOSTILE = [
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202e叶酸",
    "a" * 1_000_000,
    "(" * 9_000,
    "(" * 60 + "a" + ")" * 60,
    "[" * 9_000,
    "[(" * 4_000,
    '[word="' * 1_000,
    "<" * 9_000,
    "{" * 9_000,
    '"' * 9_999,
    "'" * 9_999,
    "\\" * 9_999,
    "-" * 9_000 + "a",
    "NOT " * 2_400 + "a",
    "!" * 9_000 + "[]",
    "A:" * 4_000 + "[]",
    "(?=" * 3_000,
    "(?= []" * 45 + ")" * 45,
    "[] " * 3_300,
    "[]" + "{1}" * 3_000,
    "[]" + "+" * 9_000,
    '"a" | ' * 1_600 + '"a"',
    "[" + "!" * 9_000 + 'word="a"]',
    "[" + "(" * 4_000 + 'word="a"' + ")" * 4_000 + "]",
    "[" + 'word="a" & ' * 900 + 'word="a"]',
    "[] within " * 990 + "<s/>",
    "a NEAR/5 " * 1_100 + "a",
    "a OR " * 1_999 + "a",
    "a " * 4_999,
    "A:[] :: " + 'A.word = "a" & ' * 600 + 'A.word = "a"',
    "A:[] :: " + "!" * 9_000 + 'A.word = "a"',
    "A:[] :: " + "(" * 9_000,
    "a:" * 5_000,
    "@" * 9_000,
    "@a " * 3_000,
    "%c" * 5_000,
    "叶酸%" + "c" * 9_000,
    "::" * 5_000,
    ":: ::",
    "[]{" + "9" * 5_000 + "}",
    "[]{1," + "9" * 5_000 + "}",
    "a NEAR/" + "9" * 5_000 + " b",
    "rating:" + "9" * 5_000,
    "week:" + "9" * 5_000,
    "week:2026-W01.." * 500,
    "day:" + "0" * 400,
    "[word=in[" + "9" * 5_000 + ",1]]",
    "A:[] :: A.word = " + "9" * 5_000,
    '[word="' + "(a|" * 2_000 + '"]',
    '[word="' + "(" * 3_000 + "a" + ")" * 3_000 + '"]',
    '[word="' + "((a{100}){100}){100}" + '"]',
    '[word="' + "\\p{" * 3_000 + '"]',
    "tag:" + "/" * 9_000,
    "sentiment:" + "/" * 9_000,
    "place:" + "\\" * 9_000,
    'place:"' + "\\" * 9_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_a_query_within_the_limits_or_is_refused(text):
    try:
        query = parse_query(text, {"a": "叶酸"})
    except InputError:
        return
    assert size_problem(query.tree) is None
    assert parse_query(query.canonical).tree == query.tree


def test_mutated_queries_are_queries_or_are_refused():
    generator = random.Random(15)
    text = 'A:[word="叶酸"%c] []{0,5} "b" within <s/> :: A.word != "x" 叶酸 OR -brand:k a NEAR/5 b*'
    for _ in range(2_000):
        characters = list(text)
        for _ in range(generator.randint(1, 4)):
            place = generator.randrange(len(characters))
            characters[place] = generator.choice(["", characters[place - 1], '"', "(", "[", "\x00"])
        try:
            parse_query("".join(characters))
        except InputError:
            continue


HOSTILE_JSON = [
    "",
    "null",
    "[" * 100_000,
    "{}",
    '{"tree": null}',
    '{"tree": {"type": "term"}}',
    '{"tree": {"type": "term", "text": 5}}',
    '{"tree": {"type": "term", "text": ""}}',
    '{"tree": {"type": "term", "text": "\\ud800"}}',
    '{"tree": {"type": "term", "text": "a", "flags": ["loud"]}}',
    '{"tree": {"type": "term", "text": "a", "more": 1}}',
    '{"tree": {"type": "and", "items": []}}',
    '{"tree": {"type": "and", "items": [{"type": "term", "text": "a"}]}}',
    '{"tree": {"type": "word_match", "attribute": "word", "pattern": "a"}}',
    '{"tree": {"type": "word", "condition": {"type": "term", "text": "a"}}}',
    '{"tree": {"type": "word", "condition": {"type": "word_match", "attribute": "x"}}}',
    '{"tree": {"type": "filter", "field": "x", "operator": "=", "value": "y"}}',
    '{"tree": {"type": "filter", "field": "brand OR a", "operator": "=", "value": "y"}}',
    '{"tree": {"type": "filter", "field": "rating", "operator": "=", "value": "nan"}}',
    '{"tree": {"type": "repeat", "item": {"type": "word"}, "least": 5, "most": 1}}',
    '{"tree": {"type": "repeat", "item": {"type": "word"}, "least": true, "most": 1}}',
    '{"tree": {"type": "repeat", "item": {"type": "word"}, "least": 0, "most": 1e9}}',
    '{"tree": {"type": "repeat", "item": {"type": "term", "text": "a"}, "least": 0, "most": 1}}',
    '{"tree": {"type": "capture", "name": "A B", "item": {"type": "word"}}}',
    '{"tree": {"type": "capture", "name": "brand", "item": {"type": "word"}}}',
    '{"tree": {"type": "wildcard", "pattern": "a OR b"}}',
    '{"tree": {"type": "element", "name": "paragraph"}}',
    '{"tree": ' + '{"type": "not", "item": ' * 2_000 + "1" + "}" * 2_001,
]


@pytest.mark.parametrize("text", HOSTILE_JSON, ids=range(len(HOSTILE_JSON)))
def test_json_that_is_no_query_is_refused(text):
    with pytest.raises(InputError):
        parse_json(text)


def test_trees_deeper_than_the_limit_are_refused():
    with pytest.raises(InputError, match="within one another"):
        parse_query("NOT " * MAX_DEPTH + "a")
