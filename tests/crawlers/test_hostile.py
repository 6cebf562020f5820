"""Whatever a server sends, a parser gives posts or says what it dropped."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.parse import PARSERS
from crawlers.parse.blocked import blocking_reason
from crawlers.parse.page import Page, ParsedPage, SourceInfo

NOW = datetime(2026, 3, 12, 2, 30, 15, tzinfo=UTC)
SITE = SourceInfo("site", "forum", "Asia/Shanghai", "run", lambda source, native: f"{len(native)}")
ROLES = [
    ("forum", "thread"),
    ("forum", "board"),
    ("microblog", "list"),
    ("reviews", "start"),
    ("reviews", "product"),
    ("reviews", "sitemap"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["3分钟前", "1.2万", "\ud83d"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def parse_body(
    spider: str, role: str, body: bytes, kind: str = "text/html; charset=utf-8"
) -> ParsedPage:
    context = {"role": role, "query": "https://x.example/", "thread": "1"}
    return PARSERS[spider](Page("https://x.example/a/?page=1", body, NOW, kind), SITE, context)


@pytest.mark.parametrize(("spider", "role"), ROLES)
@settings(deadline=None, derandomize=True)
@given(body=st.binary(max_size=200))
def test_bytes(spider: str, role: str, body: bytes) -> None:
    parse_body(spider, role, body)


@settings(deadline=None, derandomize=True)
@given(
    mblog=st.dictionaries(
        st.sampled_from(
            [
                "id",
                "created_at",
                "text",
                "user",
                "retweeted_status",
                "longText",
                "attitudes_count",
                "region_name",
            ]
        ),
        VALUES,
    )
)
def test_microblog_fields_of_any_kind(mblog: dict[str, Any]) -> None:
    cards = {
        "data": {
            "cards": [{"mblog": mblog}, mblog, None, {"card_group": mblog}],
            "cardlistInfo": mblog,
        }
    }
    parse_body("microblog", "list", json.dumps(cards).encode(), "application/json")


@settings(deadline=None, derandomize=True)
@given(
    review=st.dictionaries(
        st.sampled_from(
            [
                "@id",
                "author",
                "datePublished",
                "reviewBody",
                "name",
                "reviewRating",
                "itemReviewed",
                "url",
            ]
        ),
        VALUES,
    )
)
def test_schema_fields_of_any_kind(review: dict[str, Any]) -> None:
    block = json.dumps(
        {"@type": "Product", "review": [{"@type": "Review", **review}], "name": review}
    ).replace("<", "\\u003c")
    parse_body(
        "reviews", "product", f'<script type="application/ld+json">{block}</script>'.encode()
    )


@pytest.mark.parametrize(("spider", "role"), ROLES)
@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 50_000 + "x",
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><p>&b;&b;</p>',
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><urlset>'
        "<url><loc>&f;</loc></url></urlset>",
        '<a href="javascript:alert(1)">x</a><a href="file:///etc/passwd">y</a><a '
        'href="http://[broken">z</a>'
        '<a rel="next" href="data:text/html,x">n</a>',
        "[" * 50_000,
        '{"data":' * 5_000,
        f'{{"data": {"9" * 5_000}}}',
        "<p>\0\0</p>",
        "",
    ],
    ids=[
        "deep",
        "entities",
        "external entity",
        "schemes",
        "deep list",
        "deep json",
        "long number",
        "nul",
        "empty",
    ],
)
def test_known_tricks(spider: str, role: str, body: str) -> None:
    parsed = parse_body(spider, role, body.encode())
    assert not parsed.posts
    assert all(link.url.startswith(("http://", "https://")) for link in parsed.links)
    assert "passwd" not in repr(parsed.links)


def test_deep_thread_keeps_its_text() -> None:
    body = '<div itemscope itemtype="http://schema.org/DiscussionForumPosting" id="p1">'
    body += '<time itemprop="datePublished" datetime="2026-03-01"></time>'
    parsed = parse_body(
        "forum", "thread", (body + '<div itemprop="text">' + "<b>" * 240 + "deep").encode()
    )
    assert [post.text for post in parsed.posts] == ["deep"]


@pytest.mark.parametrize(
    ("url", "body", "expected"),
    [
        ("https://x.example/login?next=/a", "<p>hi</p>", "login page"),
        ("https://x.example/a", "<title>安全验证</title><p>请完成</p>", "captcha"),
        ("https://x.example/a", "<title>Just a moment...</title>", "captcha"),
        ("https://x.example/a", '<form><input type="password"></form>', "login page"),
        ("https://x.example/a", "<p>" + "we talked about captchas " * 200 + "</p>", None),
        ("https://x.example/a", "<p>nothing here</p>", None),
        ("https://x.example/a", '{"ok": 0, "msg": "captcha"}', None),
    ],
)
def test_walls(url: str, body: str, expected: str | None) -> None:
    assert blocking_reason(Page(url, body.encode(), NOW, "text/html; charset=utf-8")) == expected
