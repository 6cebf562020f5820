"""Conditions on posts: every field with its example, and the values that are refused."""

import re

import pytest

from corpora.query.fields import FIELDS, known_values
from corpora.query.parse import parse_query
from corpora.query.syntax import Filter
from folate.core.config import parse_config
from folate.core.errors import InputError

CONFIG = parse_config(
    {
        "name": "x",
        "brands": [{"id": "kraft", "names": ["卡夫"]}, {"id": "Oat-B", "names": ["燕麦"]}],
        "aspects": [{"id": "sweetness", "names": ["甜度"], "examples": ["a", "b", "c"]}],
    }
)


@pytest.mark.parametrize("name", FIELDS)
def test_the_example_of_a_field_is_a_canonical_query(name):
    query = parse_query(FIELDS[name].example, known=known_values(CONFIG))
    assert isinstance(query.tree, Filter)
    assert query.tree.field == name
    assert query.canonical == FIELDS[name].example


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("brand:KRAFT", Filter("brand", "=", "kraft")),
        ("brand:oat-b", Filter("brand", "=", "Oat-B")),
        ("aspect:Sweetness/Negative/KRAFT", Filter("aspect", "=", "sweetness/negative/kraft")),
        ("place:ＡＢ", Filter("place", "=", "ab")),
        ("place:“新 疆”", Filter("place", "=", "新 疆")),
        ("place：廣東", Filter("place", "=", "广东")),
        ("source:Weibo", Filter("source", "=", "weibo")),
        ("rating:>4", Filter("rating", ">", "4")),
        ("rating:3..", Filter("rating", "..", "3")),
        ("week:2026W9", Filter("week", "=", "2026-W09")),
        ("id:Weibo:A..B", Filter("id", "=", "Weibo:A..B")),
        ("tag:Food / x", None),
    ],
)
def test_values_have_a_normal_form(text, wanted):
    tree = parse_query(text, known=known_values(CONFIG)).tree
    assert wanted is None or tree == wanted


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("brand:karft", "did you mean 'kraft'"),
        ("brand:x", "possible: Oat-B, kraft"),
        ("aspect:smell", "no aspect 'smell'"),
        ("aspect:price/good", "no sentiment 'good'"),
        ("aspect:price/negative/x", "no brand 'x'"),
        ("aspect:price/negative/kraft/x", "got 4 parts"),
        ("kind:letter", "no kind 'letter'"),
        ("emotion:bored", "possible: angry, fear"),
        ("intent:sell", "possible: ask, buy"),
        ("is:new", "possible: annotated, duplicate, tagged, verified"),
        ("brand:", "got nothing"),
        ('brand:""', "got nothing"),
        ("brand:(a OR b)", "got nothing"),
        ("place:##", None),
        ("hashtag:##", "got nothing"),
        ("rating:<=", "stars from 0 to 5"),
        ("rating:nan", "stars from 0 to 5"),
        ("rating:1e0", "stars from 0 to 5"),
        ("rating:4..2", "starts before it ends"),
        ("rating:..", "with a start or an end"),
        ("day:2026-02-30", "wanted a day"),
        ("week:2026-W10..2026-W11..2026-W12", "wanted an ISO week"),
        ("tag:food//x", "wanted levels"),
        ("Brand:kraft", "did you mean 'brand'"),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_possible(text, reason):
    if reason is None:
        parse_query(text, known=known_values(CONFIG))
        return
    with pytest.raises(InputError, match=re.escape(reason)):
        parse_query(text, known=known_values(CONFIG))


def test_without_a_project_brands_and_aspects_are_open():
    assert parse_query("brand:any aspect:any").canonical == "brand:any aspect:any"
