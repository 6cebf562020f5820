"""folate.toml: what is understood, and the sentence that refuses the rest."""

import re
import tomllib
from importlib.resources import files

import pytest

from folate.config import load, parse
from folate.errors import ConfigError

TEMPLATE = (files("folate") / "template.toml").read_text(encoding="utf-8")
BRAND = {"id": "a", "names": ["甲"]}
SOURCE = {"name": "s", "spider": "forum", "start": ["http://127.0.0.1/"]}


def test_the_template_is_a_valid_project():
    config = parse(tomllib.loads(TEMPLATE))
    assert config.own is not None
    assert config.own.id == "ours"


def test_every_commented_key_of_the_template_shows_its_default():
    shown = parse(tomllib.loads(re.sub(r"(?m)^# (?=\[\[|\w+ = )", "", TEMPLATE)))
    plain = parse(tomllib.loads(TEMPLATE))
    for part in ("crawl", "nlp", "topics", "timezone", "language"):
        assert getattr(shown, part) == getattr(plain, part)
    forum = {"name": "forum", "spider": "forum", "start": ["https://forum.example.org/"], "zone": "Asia/Shanghai"}
    assert shown.sources == parse({"name": "x", "sources": [forum]}).sources


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "'name' is missing"),
        ({"name": "x", "brnads": []}, "did you mean 'brands'"),
        ({"name": 3}, "wanted a string, got 3"),
        ({"name": "x", "sources": [SOURCE | {"pages": 0}]}, "wanted pages above 0, got 0"),
        ({"name": "x", "sources": [SOURCE | {"thread_pages": -1}]}, "wanted thread_pages above 0, got -1"),
        ({"name": "x", "sources": [SOURCE | {"requests": 0}]}, "wanted requests above 0, got 0"),
        ({"name": "x", "sources": [SOURCE | {"hours": 0}]}, "wanted hours above 0, got 0"),
        ({"name": "x", "sources": [SOURCE | {"gigabytes": -0.5}]}, "wanted gigabytes above 0, got -0.5"),
        ({"name": "x", "sources": [SOURCE | {"delay": -1}]}, "wanted a delay of 0 s or more, got -1"),
        ({"name": "x", "crawl": {"timeout": 0}}, "wanted timeout above 0 s, got 0"),
        ({"name": "x", "brands": [{"id": "a", "names": "甲"}]}, r"brands\[0\]: names: wanted a list"),
        ({"name": "x", "brands": [{"id": "a", "names": []}]}, "at least one name"),
        ({"name": "x", "brands": [{"id": "a", "names": [" "]}]}, "no name may be empty"),
        ({"name": "x", "brands": [BRAND, BRAND]}, "'a' stands twice"),
        ({"name": "x", "brands": [BRAND | {"own": True}, BRAND | {"id": "b", "own": True}]}, "got 2"),
        ({"name": "x", "timezone": "Beijing"}, "IANA time zone"),
        ({"name": "x", "timezone": "../etc"}, "IANA time zone"),
        ({"name": "x", "language": "fr"}, "zh, en"),
        ({"name": "x", "sources": [SOURCE | {"kind": "letter"}]}, "wanted a kind"),
        ({"name": "x", "sources": [SOURCE | {"name": "a:b"}]}, "without ':'"),
        ({"name": "x", "topics": {"min_authors": "5"}}, "wanted a whole number"),
        ({"name": "x", "topics": {"min_authors": True}}, "wanted a whole number"),
        ({"name": "x", "crawl": []}, "wanted a table"),
        ({"name": "x", "scorecard": {"asks": float("nan")}}, "wanted a finite number, got nan"),
    ],
)
def test_a_mistake_is_named(table, sentence):
    with pytest.raises(ConfigError, match=sentence):
        parse(table)


def test_a_whole_number_may_stand_where_a_number_is_wanted():
    assert parse({"name": "x", "sources": [SOURCE | {"delay": 2}]}).sources[0].delay == 2.0


def test_an_unknown_source_is_answered_with_the_known_ones():
    config = parse({"name": "x", "sources": [SOURCE]})
    assert config.source("s").name == "s"
    with pytest.raises(ConfigError, match="possible: s"):
        config.source("zzz")


def test_a_folder_without_a_project_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="folate init"):
        load(tmp_path)
    (tmp_path / "folate.toml").write_bytes("name = '品牌'".encode("gbk"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path)
    (tmp_path / "folate.toml").write_text("name = ")
    with pytest.raises(ConfigError, match="not TOML"):
        load(tmp_path)
