"""Pages made to be slow: every parser must finish on a page of any of these units.

A child process parses them. Its time limit is far above what it takes, and far below what a
quadratic step takes.
`python tests/fuzz/test_worst_pages.py SIZE` runs all of them and prints the seconds of each.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

NOW = datetime(2026, 3, 12, 2, 30, 15, tzinfo=UTC)
FEW_LIMIT, LIMIT = (
    120,
    900,
)  # seconds for what takes 6 and 80; one quadratic step takes 220 and 5000
HEAD = (
    '<div itemscope itemtype="https://schema.org/DiscussionForumPosting" id="post-1">'
    '<time itemprop="datePublished" datetime="2026-03-01">'
)
BODY = f'{HEAD}</time><div itemprop="articleBody">x'
REVIEW = '<p itemscope itemtype="https://schema.org/Review">'
UNITS = {  # name: what stands before the unit, the unit itself
    "spaces in a post": (BODY, " "),
    "line breaks": (BODY, " \n"),
    "pagelets": ("", '<code class="pagelet_html"><!--'),
    "posts": ("", '<p itemtype="/Comment">'),
    "posts in posts": (
        "",
        '<div itemtype="/Comment"><time itemprop=datePublished datetime=2026></time><b '
        "itemprop=text>x",
    ),
    "dates in dates": (HEAD + "<b class=x itemprop=datePublished>" * 600, "x "),
    "authors": (HEAD, "<i itemprop=author><b itemprop=name>x</b></i>"),
    "quotations": (BODY, "<p>x said:</p><blockquote>"),
    "hidden elements": (BODY, "<i class=spoiler><b hidden>x</b></i>"),
    "bare elements": ("", "<div>"),
    "elements": ("", "<div class=a>"),
    "ends": ("<b>" * 2000, "</i>"),
    "tags": ("", "<a"),
    "comments": ("", "<!--"),
    "attributes": ("<p ", "a=b "),
    "pagers": ("", '<div class=pager><a href="?page=3">'),
    "tables": (BODY, "<table><tr><td class=alt2>"),
    "digits of an id": ('<div itemtype="/Comment" id="', "1"),
    "an address": ('<a href="', "/p/"),
    "parameters": ('<a href="', "mod=viewthread&"),
    "numbers of a thread": ('<a href="/t/', "1"),
    "JSON-LD": (
        '<script type="application/ld+json">[',
        '{"@type":"Review","author":"a","reviewBody":"x","datePublished":"2026-03-01"},',
    ),
    "broken JSON-LD": ("", '<script type="application/ld+json">{</script>'),
    "reviews": (
        "",
        f"{REVIEW}<b itemprop=author>x</b><b itemprop=reviewBody>t</b><b "
        f"itemprop=datePublished>2026-03-01</b></p>",
    ),
    "references": ("", '<p itemscope itemref="a b" id="a" itemprop="review">'),
    "shop": (
        "",
        '<article class="review"><header><h3><a href="/r/1/">x</a></h3></header><p>x</p><p>'
        "<small>2 Mar 2026</small></p></article>",
    ),
    "sitemap": ("<urlset>", "<loc>"),
    "JSONP": ("a(1)", " "),
    "lists": ("", "["),
    "spaces": ("", " "),
    "names": ("", "a"),
}
TEXTS = (" ", "//", "//@a", "//@a:", "// ", "回复@", "抱歉，", ".", "<b>", "1")


def different_attributes(size: int) -> str:
    return f"<p {' '.join(f'a{i}=b' for i in range(size // 8))}>"


def slow_payloads(size: int) -> Iterator[str]:
    for text in TEXTS:
        for field in ("text", "created_at", "region_name", "attitudes_count"):
            status = {
                "id": "1",
                "created_at": "2026-03-01",
                "text": "x",
                "user": {"id": 1},
                field: text * (size // len(text)),
            }
            yield json.dumps({"data": {"cards": [{"mblog": status}]}}, ensure_ascii=False)


def run_parsers(size: int, few: bool) -> None:
    from crawlers.parse import PARSERS
    from crawlers.parse.blocked import blocking_reason
    from crawlers.parse.page import Page, SourceInfo

    site = SourceInfo("s", "forum", "UTC", "c", lambda source, native: "h")
    pages = {name: before + unit * (size // len(unit)) for name, (before, unit) in UNITS.items()}
    pages["different attributes"] = different_attributes(size)
    jobs = [
        (name, reader, role, page)
        for name, page in pages.items()
        for reader, role in (("forum", "thread"), ("reviews", "start"))
    ]
    jobs += [
        ("boards", "forum", "board", pages["an address"]),
        ("boards", "forum", "board", pages["pagers"]),
    ]
    jobs += [("payload", "microblog", "list", payload) for payload in slow_payloads(size)]
    for name, reader, role, text in jobs[::3] if few else jobs:
        start = time.process_time()
        kind = "application/json" if reader == "microblog" else "text/html; charset=utf-8"
        page = Page("https://x.example/thread/7", text.encode(), NOW, kind)
        PARSERS[reader](page, site, {"role": role, "query": "https://x.example/", "thread": "7"})
        blocking_reason(page)
        print(name, reader, role, round(time.process_time() - start, 2), flush=True)


def run_finishes(size: int, *, few: bool) -> bool:
    """Whether a child comes to its end; the name of the page is in the message of a failure."""
    command = [sys.executable, __file__, str(size), *(["few"] if few else [])]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=FEW_LIMIT if few else LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:]
    return True


def test_a_sample_of_pages_comes_to_an_end() -> None:
    assert run_finishes(200_000, few=True)


@pytest.mark.slow
def test_every_page_of_a_megabyte_comes_to_an_end() -> None:
    assert run_finishes(1_000_000, few=False)


if __name__ == "__main__":
    run_parsers(int(sys.argv[1]), few=len(sys.argv) > 2)
