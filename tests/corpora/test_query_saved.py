"""Saved queries: `@name` in queries and in other saved queries, and what is wrong with some."""

import re

import pytest

from corpora.query.fields import known_values
from corpora.query.parse import check_saved, parse_query
from folate.core.config import parse_config
from folate.core.errors import ConfigError, InputError
from folate.pipeline.check import check_saved_queries

SAVED = {
    "叶酸": '叶酸 OR "folic acid"',
    "mothers": "@叶酸 segment:pregnant",
    "loop": "a @pool",
    "pool": "b OR @loop",
    "broken": '[word="a"',
    "lost": "@nowhere",
}


def test_a_saved_query_is_put_into_the_query_that_names_it():
    query = parse_query("@叶酸 -is:duplicate", SAVED)
    assert query.canonical == '(叶酸 OR "folic acid") -is:duplicate'
    assert query.saved == ("叶酸",)


def test_a_saved_query_may_be_made_of_others_which_are_named_too():
    query = parse_query("@mothers NOT @叶酸", SAVED)
    assert (
        query.tree == parse_query('(叶酸 OR "folic acid") segment:pregnant NOT (@叶酸)', SAVED).tree
    )
    assert query.saved == ("叶酸", "mothers")


def test_a_saved_query_may_be_a_side_of_near():
    query = parse_query("@叶酸 NEAR/5 孕*", SAVED)
    assert query.canonical == '(叶酸 OR "folic acid") NEAR/5 孕*'
    with pytest.raises(InputError, match="both sides of NEAR"):
        parse_query("@mothers NEAR/5 孕*", SAVED)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("@loop", "@loop -> @pool -> @loop"),
        ("@broken", "saved query 'broken': character 1: wanted a closing ]"),
        ("@lost", "no saved query 'nowhere'"),
        ("x @mother", "did you mean 'mothers'"),
    ],
)
def test_what_is_wrong_with_a_saved_query_is_told_where_it_is_used(text, reason):
    with pytest.raises(InputError, match=f"^query, character .*{re.escape(reason)}"):
        parse_query(text, SAVED)


def test_the_place_in_a_broken_saved_query_is_shown_below_the_place_in_the_query():
    with pytest.raises(InputError) as caught:
        parse_query("x @broken", SAVED)
    assert caught.value.__notes__ == ["  x @broken\n    ^", '  [word="a"\n  ^']


@pytest.mark.parametrize("name", ["loop", "broken", "lost"])
def test_a_project_with_a_wrong_saved_query_is_refused(name):
    saved = {key: SAVED[key] for key in (name, "pool") if key != name or name in SAVED}
    config = parse_config({"name": "x", "queries": saved})
    with pytest.raises(ConfigError, match=f"^folate.toml: saved query '{name}'"):
        check_saved_queries(config)


def test_saved_queries_are_checked_against_the_brands_of_the_project():
    table = {"name": "x", "brands": [{"id": "kraft", "names": ["卡夫"]}]}
    check_saved_queries(parse_config(table | {"queries": {"a": "brand:Kraft"}}))
    with pytest.raises(ConfigError, match="no brand 'krfat'; did you mean 'kraft'"):
        check_saved_queries(parse_config(table | {"queries": {"a": "brand:krfat"}}))


def test_a_name_that_no_query_could_name_is_refused():
    with pytest.raises(ConfigError, match="wanted a name of letters"):
        parse_config({"name": "x", "queries": {"a b": "叶酸"}})
    with pytest.raises(ConfigError, match="queries: 'a': wanted a string, got 5"):
        parse_config({"name": "x", "queries": {"a": 5}})
    with pytest.raises(ConfigError, match="queries: wanted a table"):
        parse_config({"name": "x", "queries": ["a"]})


def test_saved_queries_that_grow_without_end_are_refused():
    saved = {f"q{n}": f"@q{n + 1} @q{n + 1} OR a" for n in range(40)}
    saved["q40"] = "叶酸"
    with pytest.raises(InputError, match="at most"):
        check_saved(saved, known_values())
