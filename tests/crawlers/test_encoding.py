"""The encoding of pages: what bytes show goes before what a header or the page itself declares."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from crawlers.parse.page import Page
from crawlers.process import read_posts, run_crawl
from folate.core.config import CrawlConfig, Source

NOW = datetime(2026, 3, 10, tzinfo=UTC)
TEXTS = {
    "晨谷的燕麦真的很好喝，明天还会再买。孩子也爱吃，推荐给大家。": (
        "utf-8",
        "gb18030",
        "gb2312",
        "utf-16",
        "utf-16-le",
    ),
    "晨穀的燕麥真的很好喝，明天還會再買。孩子也愛吃，推薦給大家。": ("utf-8", "big5", "gb18030"),
    "Morngrain doesn’t dissolve and I won’t buy it again at the café.": ("utf-8", "cp1252"),
    "この商品はとてもおいしいです。また買いたいと思います。": (
        "utf-8",
        "shift_jis",
        "euc-jp",
        "iso2022_jp",
    ),
    "Очень вкусная каша, обязательно куплю ещё раз для детей.": ("utf-8", "cp1251", "koi8-r"),
    "정말 맛있어요. 다음에 또 사고 싶습니다.": ("utf-8", "cp949"),
}
DECLARED = [
    "",
    "utf-8",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "iso-8859-1",
    "windows-1252",
    "windows-1251",
    "koi8-r",
    "euc-kr",
    "utf-16",
    "iso-2022-jp",
    "nonsense",
]


def encoded_page(text: str, written: str, header: str = "", meta: str = "") -> Page:
    head = f'<meta charset="{meta}">' if meta else ""
    body = (
        f'<html><head>{head}<title>x</title></head><body><div class="post">{text}</div>'
        f"</body></html>"
    )
    return Page(
        "https://x.example/",
        body.encode(written),
        NOW,
        f"text/html; charset={header}" if header else "text/html",
    )


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize(
    ("text", "written"), [(text, written) for text, ways in TEXTS.items() for written in ways]
)
def test_bytes_go_before_what_is_declared(text: str, written: str, declared: str) -> None:
    for shown in (
        encoded_page(text, written, header=declared),
        encoded_page(text, written, meta=declared),
        encoded_page(text, written, declared, declared),
    ):
        assert (shown.decoding_problem, text in shown.text) == (None, True)


@pytest.mark.parametrize(
    ("written", "text"),
    [("big5", "晨穀"), ("gb18030", "好"), ("cp1253", "Πολύ"), ("cp1252", "déjà")],
)
def test_a_declaration_decides_where_there_is_little_to_judge_by(text: str, written: str) -> None:
    assert text in encoded_page(text, written, header=written).text


def test_a_page_cut_amid_a_character_is_still_utf8() -> None:
    whole = encoded_page("燕麦好喝" * 20, "utf-8", header="utf-8")
    cut = Page(whole.url, whole.body[:200], NOW, whole.content_type)
    assert "燕麦好喝" in cut.text


def test_what_can_not_be_told_is_no_text_but_a_problem() -> None:
    unknown = encoded_page("Żółw i źdźbło", "iso8859-16", header="utf-8")
    assert (unknown.text, unknown.json) == ("", None)
    assert unknown.decoding_problem == "encoding can't be told (declared: utf-8)"


@pytest.fixture
def address() -> Iterator[str]:
    """Threads in GB18030 without a declaration, declared as UTF-8, and in no known encoding."""
    bodies = {
        "/t/a/1/": ("好喝，明天再买一箱，孩子也爱吃", "gb18030"),
        "/t/a/2/": ("不好喝，以后再也不买了", "gb18030"),
        "/t/a/3/": ("Żółw i źdźbło", "iso8859-16"),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text, written = bodies.get(self.path, ("", "utf-8"))
            self.send_response(200 if text else 404)
            self.send_header(
                "Content-Type",
                "text/html" if self.path == "/t/a/1/" else "text/html; charset=utf-8",
            )
            self.end_headers()
            self.wfile.write(
                f'<h1>x</h1><li id="post-{self.path[-2]}" itemscope '
                f'itemtype="http://schema.org/DiscussionForumPosting">'
                '<time itemprop="datePublished" datetime="2026-03-02T08:00:00+08:00"></time>'
                f'<div itemprop="articleBody"><p>{text}</p></div></li>'.encode(written)
            )

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_crawl_stores_nothing_garbled_and_tells_what_it_could_not_read(
    address: str, tmp_path: Path
) -> None:
    threads = tuple(f"{address}/t/a/{n}/" for n in (1, 2, 3))
    rows = run_crawl(
        [Source(name="f", spider="forum", start=threads, delay=0.0)],
        CrawlConfig(),
        tmp_path / "run",
        salt="s",
        crawl_id="run",
        timezone="UTC",
    )
    assert sorted(post.text for post in read_posts(tmp_path / "run")) == [
        "不好喝，以后再也不买了",
        "好喝，明天再买一箱，孩子也爱吃",
    ]
    statuses = {row["query"][-2]: (row["status"], row["reason"]) for row in rows}
    assert statuses["1"][0] == statuses["2"][0] == "complete"
    assert statuses["3"] == ("failed", "encoding can't be told (declared: utf-8)")
