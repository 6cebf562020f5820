"""Addresses as people type them, and what is no address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.core.addresses import is_bearer_token, normalize_host, parse_mailbox, parse_web_address


@pytest.mark.parametrize(
    ("address", "netloc"),
    [
        ("http://h/", "h"),
        ("HTTPS://Hooks.Example.org:8443/a%20b?key=1", "hooks.example.org:8443"),
        ("http://[::1]:80/x", "[::1]:80"),
        ("http://例子.cn/", "xn--fsqu00a.cn"),
        ("http://127.0.0.1", "127.0.0.1"),
    ],
)
def test_an_address_that_can_be_asked_for(address: str, netloc: str) -> None:
    assert parse_web_address(address).netloc == netloc


@pytest.mark.parametrize(
    "address",
    [
        "http://a..b/",
        f"http://{'a' * 64}/",
        "http://h/a b",
        "http://h/\n",
        "http://h/x\r\nX-Evil: 1",
        "http://h:99999/",
        "http://h:0/",
        "http://h:port/",
        "http://[::1",
        "http://[zz]/",
        "http://u:p@h/",
        "http://u@h/",
        "http://@h/",
        "ftp://h/",
        "file:///etc/passwd",
        "http:///x",
        "//h/",
        "h",
        "",
        "http://h/é",
        "http://h/?q=é",
        "http://h\\@evil/",
        " http://h/",
        "http://-h/",
        "http://h%20x/",
    ],
)
def test_an_address_that_can_not(address: str) -> None:
    with pytest.raises(ValueError, match=r"^(an address|a host|a port|other letters)"):
        parse_web_address(address)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_is_refused_and_an_address_can_stand_in_a_request(
    text: str,
) -> None:
    try:
        parts = parse_web_address(f"http://{text}")
    except ValueError:
        return
    assert (parts.netloc + parts.path + parts.query).isascii()
    assert not any(
        char.isspace() or not char.isprintable() for char in parts.netloc + parts.path + parts.query
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a@b.c", "a@b.c"),
        ("报告 <a@b.c>", "报告 <a@b.c>"),
        ('"x y"@b.c', '"x y"@b.c'),
        ("a@例子.cn", "a@xn--fsqu00a.cn"),
    ],
)
def test_a_mailbox(text: str, shown: str) -> None:
    assert str(parse_mailbox(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nobody",
        "a@",
        "@b.c",
        "a b@c.d",
        "a@b\r\nBcc: x@y.z",
        "a@b..c",
        "a@b, c@d",
        "a@b <c@d>",
        f"a@{'x' * 64}.org",
        "=?utf-8?q?=0D=0ABcc=3A_e=40x?= <a@b.c>",
        "=?utf-8?q?a?=@b.c",
        "a@b.c\n",
        "a@b.c\u202e",
    ],
)
def test_what_is_no_mailbox(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|host"):
        parse_mailbox(text)


@given(st.text(max_size=40))
def test_a_mailbox_never_breaks_a_line(text: str) -> None:
    try:
        read = parse_mailbox(f"{text} <a@b.c>")
    except ValueError:
        return
    assert str(read).isprintable()


def test_hosts_and_tokens() -> None:
    assert [normalize_host(name) for name in ("localhost", "::1", "mail.example.org.")] == [
        "localhost",
        "::1",
        "mail.example.org.",
    ]
    for name in ("", "[::1]", "h:25", "http://h", "a b"):
        with pytest.raises(ValueError, match="a host"):
            normalize_host(name)
    assert is_bearer_token("abc-._~+/=")
    assert not any(map(is_bearer_token, ("", "密", "a b", "a\n", "\x7f")))
