"""Mutated pages and payloads through every parser: no exceptions, and valid posts only.

A child process parses them, so that a page on which a parser hangs fails the test and does not
stop it. `python tests/fuzz/test_parsers.py FIRST LAST` runs the cases with these numbers and prints
the faults.
"""

import json
import random
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parents[1] / "crawlers" / "fixtures"
NOW = datetime(2026, 3, 12, 2, 30, 15, tzinfo=UTC)
ROLES = {
    "forum": ("thread", "board"),
    "reviews": ("start", "product", "sitemap"),
    "microblog": ("list", "whole"),
}
POST = (
    '{"id": "s:1", "source": "s", "kind": "microblog", "text": "x", "published_at": '
    '"2026-03-01T00:00:00+00:00"}'
)
TIMEOUT_SECONDS = 300  # seconds for a share of cases that takes a few
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "x",
    [],
    {},
    [[]],
    {"a": [1]},
    "9" * 5000,
    "\ud83d",
    "\u0000",
    "http://[x",
    10**30,
)
ODD_PARTS = (
    *(
        "<b>",
        "</div>",
        "<!--",
        "-->",
        "<blockquote>",
        "<details>",
        "<table><td class=alt2>",
        "<svg>",
        "<?xml",
        "</html>",
        "<",
        '"',
        "'",
    ),
    *(
        '<div hidden class="locked">',
        '<a href="http://[x">y</a>',
        "<time itemprop=datePublished>",
        "\0",
        "&#xd800;",
        "]]>",
        "{",
        "]",
    ),
    *(
        '<script type="application/ld+json">]</script>',
        '<p itemscope itemref="a" id="a" itemprop="review">',
        "\ufeff",
        "//@a:",
    ),
)


def flip_bits(body: bytes, rng: random.Random) -> bytes:
    flipped = bytearray(body)
    for _ in range(rng.randint(1, 20)):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def truncate(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body))]


def insert_bytes(body: bytes, rng: random.Random) -> bytes:
    offset = rng.randrange(len(body))
    return (
        body[:offset]
        + rng.choice(ODD_PARTS).encode("utf-8", "surrogatepass") * rng.choice((1, 1, 3, 400))
        + body[offset:]
    )


def repeat_part(body: bytes, rng: random.Random) -> bytes:
    """Return the page with a part of it repeated in place."""
    start, end = sorted(rng.choices(range(len(body)), k=2))
    end = min(end, start + 2000)
    return body[:start] + body[start:end] * rng.choice((2, 5, 30)) + body[end:]


def cut_tags(body: bytes, rng: random.Random) -> bytes:
    """Return the page without some of its tags, or with them moved."""
    parts = body.split(b"<")
    for _ in range(rng.randint(1, 5)):
        part = parts.pop(rng.randrange(len(parts)))
        if rng.random() < 0.5:
            parts.insert(rng.randint(0, len(parts)), part)
        if not parts:
            return b"<"
    return b"<".join(parts)


def swap_types(body: bytes, rng: random.Random) -> bytes:
    """Return a payload with values of other types; flip bits where there is no JSON."""
    text = body.decode("utf-8", "replace")
    start, end = text.find("{"), text.rfind("}") + 1
    try:
        value = json.loads(text[start:end])
    except ValueError:
        return flip_bits(body, rng)
    for _ in range(rng.randint(1, 3)):
        slots = list(iterate_containers(value))
        container, key = rng.choice(slots)
        old_value = container[key]
        container[key] = rng.choice((*VALUES, [old_value], {"0": old_value}, str(old_value)))
    return (text[:start] + json.dumps(value) + text[end:]).encode("utf-8", "replace")


def iterate_containers(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the container and the key of every element of a nested value."""
    keys: Any = ()
    if isinstance(value, dict):
        keys = value.keys()
    elif isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from iterate_containers(value[key])


Mutation = Callable[[bytes, random.Random], bytes]
MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    truncate,
    insert_bytes,
    insert_bytes,
    repeat_part,
    cut_tags,
    swap_types,
    swap_types,
)


def fuzz_case(number: int) -> tuple[str, str, str, bytes]:
    """Return the parser, role, content type and body of the case with this number."""
    rng = random.Random(number)
    path = rng.choice(sorted(FIXTURES.iterdir()))
    if path.suffix == ".json":
        usual_parser = "microblog"
    elif path.suffix == ".js" or "review" in path.name:
        usual_parser = "reviews"
    else:
        usual_parser = "forum"
    parser_name = usual_parser if rng.random() < 0.7 else rng.choice(sorted(ROLES))
    body = path.read_bytes()
    for _ in range(rng.randint(1, 3)):
        body = rng.choice(MUTATIONS)(body or b"x", rng)
    return (
        parser_name,
        rng.choice(ROLES[parser_name]),
        "application/json" if path.suffix == ".json" else "text/html; charset=utf-8",
        body,
    )


def find_fault(number: int) -> str | None:
    """Return what went wrong in a case, or None."""
    from crawlers.parse import PARSERS
    from crawlers.parse.blocked import blocking_reason
    from crawlers.parse.page import Page, SourceInfo
    from folate.core.post import Post

    parser_name, role, content_type, body = fuzz_case(number)
    source_info = SourceInfo(
        "s", "forum", "Asia/Shanghai", "run", lambda source, native: f"{len(native)}"
    )
    page = Page("https://x.example/a/?page=1", body, NOW, content_type)
    context = {"role": role, "query": "https://x.example/", "thread": "7", "post": POST, "page": 1}
    try:
        parsed = PARSERS[parser_name](page, source_info, context)
        blocking_reason(page)
        for post in parsed.posts:
            if Post.from_json(post.to_json()) != post or not post.text.strip():
                post_json = post.to_json()[:200]
                return f"case {number} ({parser_name}, {role}): a post that is none: {post_json}"
        json.dumps([dict(link.context) for link in parsed.links])
        if not all(link.url.startswith(("http://", "https://")) for link in parsed.links):
            return f"case {number} ({parser_name}, {role}): a link off the web"
    except Exception:  # noqa: BLE001 - any of them is what we look for
        return f"case {number} ({parser_name}, {role}): {traceback.format_exc(limit=-2)}"
    return None


def find_faults(first: int, last: int) -> str:
    """Return the faults of a range of cases, run in a child process."""
    command = [sys.executable, __file__, str(first), str(last)]
    process = subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return process.stdout + (process.stderr if process.returncode else "")


def test_no_page_breaks_a_reader() -> None:
    assert find_faults(0, 200) == ""


@pytest.mark.slow
@pytest.mark.parametrize("first", range(200, 5000, 600))
def test_no_page_of_thousands_breaks_a_reader(first: int) -> None:
    assert find_faults(first, first + 600) == ""


if __name__ == "__main__":
    for fault in filter(None, map(find_fault, range(int(sys.argv[1]), int(sys.argv[2])))):
        print(fault)
