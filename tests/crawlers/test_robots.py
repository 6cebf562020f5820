"""What a robots.txt allows: its text as the wire has it, and the rules of RFC 9309."""

import pytest
from protego import Protego

from crawlers.politeness import MAX_ROBOTS_TXT_BYTES, decode_robots_txt, site_from_url


def is_allowed(body: bytes, path: str, agent: str = "Folate") -> bool:
    text = decode_robots_txt(body)
    assert text is not None
    return bool(Protego.parse(text).can_fetch(f"https://x.example{path}", agent))


def rule_group(rules: str) -> bytes:
    return f"User-agent: *\n{rules}\n".encode()


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        (rule_group("Disallow: /"), "/a", False),
        (rule_group("Disallow:"), "/a", True),
        (rule_group("Disallow: /a\nAllow: /a/b"), "/a/b/c", True),
        (rule_group("Allow: /a/b\nDisallow: /a"), "/a/c", False),
        (rule_group("Allow: /a\nDisallow: /a"), "/a", True),
        (rule_group("Disallow: /*?sort="), "/list?sort=up", False),
        (rule_group("Disallow: /*.json$"), "/a.json", False),
        (rule_group("Disallow: /*.json$"), "/a.json?x", True),
        (rule_group("Disallow: /帖子/"), "/%E5%B8%96%E5%AD%90/1", False),
        (rule_group("Disallow: /%e5%b8%96%e5%ad%90/"), "/%E5%B8%96%E5%AD%90/1", False),
        (rule_group("Disallow: /%E5%B8%96%E5%AD%90/"), "/帖子/1", False),
        ("User-agent: *\nDisallow: /帖子/\n".encode("gb18030"), "/%CC%FB%D7%D3/1", False),
        (b"\xef\xbb\xbf" + rule_group("Disallow: /a"), "/a", False),
        (rule_group("Disallow: /a").decode().encode("utf-16"), "/a", False),
        (rule_group("Disallow: /a").replace(b"\n", b"\r"), "/a", False),
        (rule_group("Disallow: /a").replace(b"\n", b"\r\n"), "/a", False),
        (b"USER-AGENT : *\n  disallow  :  /a  # why\n", "/a", False),
        (b"# Folate\nUser-agent: * # all\nDisallow: /a\n", "/a", False),
        (b"User-agent: one\nUser-agent: folate\nDisallow: /a\n", "/a", False),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: Folate\nDisallow: /b\n", "/a", True),
        (b"User-agent: Folate\nDisallow: /b\n\nUser-agent: *\nDisallow: /\n", "/b", False),
        (b"User-agent: other\nDisallow: /\n", "/a", True),
        (b"Disallow: /\n", "/a", True),
        (b"<html><p>User-agent</p></html>", "/a", True),
        (b"", "/a", True),
    ],
)
def test_rules(body: bytes, path: str, expected: bool) -> None:
    assert is_allowed(body, path) is expected


@pytest.mark.parametrize(
    "body", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"User-agent: *\0Disallow: /", bytes(range(256))]
)
def test_what_is_no_text_has_no_rules(body: bytes) -> None:
    assert decode_robots_txt(body) is None


def test_rules_beyond_500_kib_are_left_out_and_comments_do_not_count() -> None:
    comments = b"# nothing\n" * MAX_ROBOTS_TXT_BYTES
    assert not is_allowed(comments + rule_group("Disallow: /a"), "/a")
    fillers = b"Disallow: /filler\n" * (MAX_ROBOTS_TXT_BYTES // 18 - 2)
    assert not is_allowed(rule_group("").rstrip() + b"\n" + fillers + b"Disallow: /a\n", "/a")
    assert is_allowed(rule_group("").rstrip() + b"\n" + fillers * 2 + b"Disallow: /a\n", "/a")


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.X.example/a", "x.example"),
        ("http://x.example:80/", "x.example"),
        ("https://x.example:443/", "x.example"),
        ("http://x.example:443/", "x.example:443"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://例子.example/", "xn--fsqu00a.example"),
        ("http://xn--fsqu00a.example/", "xn--fsqu00a.example"),
        ("http://me@x.example/", ""),
        ("http://x.example@elsewhere.example/", ""),
        ("http://x.example:99999/", ""),
        ("http://[x/", ""),
        (f"http://{'a' * 64}.example/", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_the_site_of_an_address(url: str, site: str) -> None:
    assert site_from_url(url) == site
