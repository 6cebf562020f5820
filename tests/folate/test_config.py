"""folate.toml: what is understood, and the sentence that refuses the rest."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from folate.core.config import load_config, parse_config
from folate.core.errors import ConfigError

TEMPLATE = (files("folate") / "template.toml").read_text(encoding="utf-8")
BRAND = {"id": "a", "names": ["甲"]}
SOURCE = {"name": "s", "spider": "forum", "start": ["http://127.0.0.1/"]}


def test_the_template_is_a_valid_project():
    config = parse_config(tomllib.loads(TEMPLATE))
    assert config.own_brand is not None
    assert config.own_brand.id == "ours"


def test_every_commented_key_of_the_template_shows_its_default():
    shown = parse_config(tomllib.loads(re.sub(r"(?m)^# (?=\[\[|\w+ = )", "", TEMPLATE)))
    plain = parse_config(tomllib.loads(TEMPLATE))
    for part in ("crawl", "nlp", "topics", "timezone", "language"):
        assert getattr(shown, part) == getattr(plain, part)
    forum = {
        "name": "forum",
        "spider": "forum",
        "start": ["https://forum.example.org/"],
        "zone": "Asia/Shanghai",
    }
    assert shown.sources == parse_config({"name": "x", "sources": [forum]}).sources


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "'name' is missing"),
        ({"name": "x", "brnads": []}, "did you mean 'brands'"),
        ({"name": 3}, "wanted a string, got 3"),
        (
            {"name": "x", "sources": [SOURCE | {"pages": 0}]},
            "wanted pages from 1 to 10,000,000, got 0",
        ),
        (
            {"name": "x", "sources": [SOURCE | {"thread_pages": -1}]},
            "wanted thread_pages from 1 to 10,000,000, got -1",
        ),
        (
            {"name": "x", "sources": [SOURCE | {"requests": 0}]},
            "wanted requests from 1 to 1,000,000,000, got 0",
        ),
        ({"name": "x", "sources": [SOURCE | {"hours": 0}]}, "wanted hours from .* got 0"),
        (
            {"name": "x", "sources": [SOURCE | {"gigabytes": -0.5}]},
            "wanted gigabytes from .* got -0.5",
        ),
        (
            {"name": "x", "sources": [SOURCE | {"delay": -1}]},
            "wanted delay from 0 to 86,400, got -1",
        ),
        ({"name": "x", "crawl": {"timeout": 0}}, "wanted timeout from 0.001 to 86,400, got 0"),
        (
            {"name": "x", "brands": [{"id": "a", "names": "甲"}]},
            r"brands\[0\]: names: wanted a list",
        ),
        ({"name": "x", "brands": [{"id": "a", "names": []}]}, "at least one name"),
        ({"name": "x", "brands": [{"id": "a", "names": [" "]}]}, "no name may be empty"),
        ({"name": "x", "brands": [BRAND, BRAND]}, "'a' stands twice"),
        (
            {"name": "x", "brands": [BRAND | {"own": True}, BRAND | {"id": "b", "own": True}]},
            "got 2",
        ),
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
        parse_config(table)


def test_a_whole_number_may_stand_where_a_number_is_wanted():
    assert parse_config({"name": "x", "sources": [SOURCE | {"delay": 2}]}).sources[0].delay == 2.0


def test_an_unknown_source_is_answered_with_the_known_ones():
    config = parse_config({"name": "x", "sources": [SOURCE]})
    assert config.find_source("s").name == "s"
    with pytest.raises(ConfigError, match="possible: s"):
        config.find_source("zzz")


def test_a_folder_without_a_project_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="folate init"):
        load_config(tmp_path)
    (tmp_path / "folate.toml").write_bytes("name = '品牌'".encode("gbk"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path)
    (tmp_path / "folate.toml").write_text("name = ")
    with pytest.raises(ConfigError, match="not TOML"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('[alerts]\nwebhook = "http://a..b/hook?key=SECRET"', "1 to 63 characters"),
        ('[alerts]\nwebhook = "http://h/é?key=SECRET"', "percent-encoded"),
        ('[alerts]\nwebhook = "http://h/a b?key=SECRET"', "without spaces"),
        ('[alerts]\nwebhook = "http://u:SECRET@h/"', "without a user or password"),
        ('[alerts]\nwebhook = "http://h:99999/?key=SECRET"', "host and port can be read"),
        ('[alerts]\nwebhook = "gopher://h/?key=SECRET"', "wanted an http or https address"),
        ('[alerts]\nfile = "a\\u0000b"', "wanted a path without control characters"),
        ('[smtp]\nhost = "a..b"', "1 to 63 characters as the host of [smtp], got 'a..b'"),
        ('[smtp]\nhost = "h:25"', "wanted a host such as"),
        ("[smtp]\nport = 99999", "wanted a port of [smtp] from 1 to 65535, got 99999"),
        ("[smtp]\nport = 0", "wanted a port of [smtp]"),
        ("[smtp]\ntimeout = 0.0", "wanted a timeout of [smtp] of more than 0"),
        ('[smtp]\nuser = "a\\nb"', "wanted a user of [smtp]"),
        ('[smtp]\nsender = "a@b\\r\\nBcc: x@y.z"', "as the sender of [smtp], got"),
        ('[smtp]\nto = ["=?utf-8?q?=0D=0ABcc=3A_e=40x?= <a@b.c>"]', "encoded words"),
        ('[smtp]\nhost = "h"\n[alerts]\nmail = ["nobody"]', "as the recipient, got 'nobody'"),
    ],
)
def test_addresses_that_nothing_can_be_sent_to_are_refused_when_the_file_is_read(
    tmp_path: Path, table: str, problem: str
) -> None:
    (tmp_path / "folate.toml").write_text(f'name = "x"\n{table}\n', encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        load_config(tmp_path)
    assert problem in str(told.value)
    assert "SECRET" not in str(told.value)
