"""Whole crawls, in their own process, of small sites on loopback."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crawlers import process as runner
from crawlers.archive import ARCHIVE_FILE, read_archive
from crawlers.process import is_crawl_running, read_posts, run_crawl
from crawlers.reparse import reparse_pages
from folate.core.config import CrawlConfig, Source
from folate.core.errors import ConfigError, CrawlError
from folate.core.post import make_pseudonymizer

FIXTURES = Path(__file__).parent / "fixtures"
Answer = tuple[int, dict[str, str], bytes]
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}


@dataclass
class Web:
    """A server of fixed answers; several for one path are sent in turn, the last one repeatedly."""

    robots: int = 200
    rules: str = "User-agent: *\nDisallow: /private/\n"
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requested_paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    url: str = ""

    def page(self, path: str, body: str = "", status: int = 200, **headers: str) -> None:
        all_headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(path, []).append((status, {**HTML, **all_headers}, body.encode()))

    def answer(self, path: str) -> Answer:
        if path == "/robots.txt":
            return self.robots, {"Content-Type": "text/plain"}, self.rules.encode()
        if path.startswith("/api/"):
            return 200, JSON, json.dumps(search_json(path), ensure_ascii=False).encode()
        answers = self.answers.get(path, [(404, HTML, b"not here")])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def serve(web: Web) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.requested_paths.append(self.path)
            web.times.append(time.monotonic())
            web.headers.append(dict(self.headers))
            status, headers, body = web.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def forum_post(
    number: int,
    text: str,
    author: str = "alder",
    when: str = "2026-03-02T08:00:00+08:00",
    hidden: bool = False,
) -> str:
    return (
        f'<li id="post-{number}" class="post{" post-hidden" if hidden else ""}" itemscope '
        f'itemtype="http://schema.org/DiscussionForumPosting">'
        f'<a href="/u/{author}/"><span itemprop="author">{author}</span></a><time '
        f'itemprop="datePublished" datetime="{when}"></time>'
        f'<div itemprop="articleBody"><p>{text}</p></div></li>'
    )


def add_forum(web: Web) -> None:
    pinned = '<a href="/t/pinned/1/">置顶</a>'
    web.page(
        "/forum/",
        f'<a href="/c/food/2/">吃</a><a href="/c/talk/3/">聊</a>{pinned}<a '
        f'href="https://elsewhere.example/t/x/99/">x</a>',
    )
    web.page(
        "/c/food/2/",
        f'{pinned}<a href="/t/oats/10/">oats</a><a rel="next" href="/c/food/2/?page=2">»</a>',
    )
    web.page("/c/food/2/?page=2", f'{pinned}<a href="/t/late/11/">late</a>')
    web.page(
        "/c/talk/3/",
        f'{pinned}<a href="/t/shut/12/">shut</a><a href="/private/t/secret/13/">secret</a><a '
        f'href="/t/old/14/">old</a>',
    )
    web.page("/t/pinned/1/", "<h1>Rules</h1>" + forum_post(1, "请友善"))
    web.page(
        "/t/oats/10/",
        "<h1>Oats</h1>"
        + forum_post(20, "太甜了", "birch")
        + forum_post(21, "gone", hidden=True)
        + '<a rel="next" href="/t/oats/10/2/">2</a>',
    )
    web.page(
        "/t/oats/10/2/", forum_post(21, "gone", hidden=True) + forum_post(22, "Not sweet", "birch")
    )
    web.page("/t/late/11/", status=503, Retry_After="0")
    web.page("/t/late/11/", "<h1>Late</h1>" + forum_post(30, "终于打开了", "cedar"))
    web.page("/t/shut/12/", "members only", status=403)


def search_json(path: str) -> dict[str, Any]:
    """Return a page of search results: 叶酸 has 5 posts on pages 1 and 3, `more` ends early."""
    query = parse_qs(urlsplit(path).query)
    word, page = parse_qs(query["containerid"][0])["q"][0], int(query["page"][0])
    if word == "login":
        return {"ok": -100, "url": "https://passport.weibo.com/sso/signin"}
    if word == "long":
        cards, total = [1], 1
    elif word == "叶酸":
        cards, total = {1: [1, 2, 3], 3: [4, 5]}.get(page, []), 5
    else:
        cards, total = ([page * 10] if page < 3 or word == "endless" else []), 50
    return {
        "ok": int(bool(cards)),
        "data": {
            "cards": [card_json(word, n) for n in cards],
            **({"cardlistInfo": {"total": total}} if cards else {}),
        },
    }


def card_json(word: str, number: int) -> dict[str, Any]:
    native_id = f"{len(word)}{number:04}"
    mblog = {
        "id": native_id,
        "text": f"{word} {number}",
        "created_at": "3分钟前",
        "user": {"id": number, "screen_name": "山药"},
    }
    return {"card_type": 9, "mblog": {**mblog, "isLongText": word == "long"}}


def add_shop(web: Web) -> None:
    web.page(
        "/shop/",
        '<a href="/shop/p/1/">one</a><a href="/shop/p/2/">two</a><a href="/shop/cart/">cart</a>',
    )
    review = {
        "@type": "Review",
        "author": "quince",
        "datePublished": "2026-03-01",
        "reviewBody": "好吃",
        "reviewRating": {"ratingValue": 5},
    }
    for page, following in (("", '<link rel="next" href="/shop/p/1/?page=2">'), ("?page=2", "")):
        product = {
            "@type": "Product",
            "name": "Oats",
            "review": [{**review, "@id": f"#r{page}1"}],
            "aggregateRating": {"@type": "AggregateRating", "reviewCount": 2},
        }
        web.page(
            f"/shop/p/1/{page}",
            f'{following}<script type="application/ld+json">{json.dumps(product)}</script>',
        )
    web.page("/shop/p/2/", (FIXTURES / "reviews_microdata.html").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Outcome:
    web: Web
    unhurried: Web
    folder: Path
    rows: dict[tuple[str, str], dict[str, Any]]
    sources: list[Source]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """One crawl of everything that can go well or wrong."""
    web, forbidden, broken = Web(), Web(rules="User-agent: *\nDisallow: /\n"), Web(robots=503)
    unhurried = Web(rules="User-agent: *\nCrawl-delay: 0.4\n")
    servers = [serve(site) for site in (web, forbidden, broken, unhurried)]
    add_forum(unhurried)
    add_forum(web)
    add_shop(web)
    web.page("/away/", status=302, Location="http://elsewhere.example/")
    web.page("/members/", status=302, Location="/login?next=/members/")
    web.page("/login?next=/members/", '<form><input type="password"></form>')
    web.page("/robot/", "<title>请稍候</title><p>访问过于频繁，请输入验证码</p>")
    web.page("/busy/", "slow down", status=429, Retry_After="99999")
    sources = [
        Source(name="forum", spider="forum", start=(f"{web.url}/forum/",), delay=0.0),
        Source(
            name="micro",
            spider="microblog",
            kind="microblog",
            start=(web.url,),
            queries=("叶酸", "more", "endless", "long"),
            delay=0.0,
            pages=6,
        ),
        Source(
            name="walled",
            spider="microblog",
            kind="microblog",
            start=(web.url,),
            queries=("login",),
            delay=0.0,
        ),
        Source(
            name="shop", spider="reviews", kind="review", start=(f"{web.url}/shop/",), delay=0.0
        ),
        *(
            Source(name=name, spider="forum", start=(f"{web.url}/{name}/",), delay=0.0)
            for name in ("away", "members", "robot", "busy")
        ),
        Source(name="forbidden", spider="forum", start=(f"{forbidden.url}/",), delay=0.0),
        Source(name="broken", spider="forum", start=(f"{broken.url}/",), delay=0.0),
        Source(name="unhurried", spider="forum", start=(f"{unhurried.url}/c/food/2/",), delay=0.0),
        Source(name="down", spider="forum", start=("http://127.0.0.1:9/",), delay=0.0),
    ]
    folder = tmp_path_factory.mktemp("crawls") / "run"
    rows = run_crawl(
        sources,
        CrawlConfig(retries=1, contact="me@example.org"),
        folder,
        salt="salt",
        crawl_id="run",
        timezone="Asia/Shanghai",
        known_thread_ids=["forum:thread:14"],
    )
    yield Outcome(
        web,
        unhurried,
        folder,
        {(row["source"], row["query"].removeprefix(web.url)): row for row in rows},
        sources,
    )
    for server in servers:
        server.shutdown()
        server.server_close()


def posts_by_id(outcome: Outcome, source: str) -> dict[str, str]:
    return {
        item.id.removeprefix(f"{source}:"): item.text
        for item in read_posts(outcome.folder)
        if item.source == source
    }


def test_forum_is_read_in_full(outcome: Outcome) -> None:
    assert posts_by_id(outcome, "forum") == {
        "1": "请友善",
        "20": "太甜了",
        "22": "Not sweet",
        "30": "终于打开了",
    }
    row = outcome.rows["forum", "/forum/"]
    assert row["posts"] == 4
    assert json.loads(row["dropped"]) == {"removed by the site": 2, "thread known and old": 1}


def test_pages_that_fail_make_it_partial(outcome: Outcome) -> None:
    row = outcome.rows["forum", "/forum/"]
    assert row["status"] == "partial"
    assert row["reason"] == "robots.txt forbids it; HTTP 403"


def test_no_page_is_asked_for_twice_but_after_a_503(outcome: Outcome) -> None:
    requested_paths = Counter(path for path in outcome.web.requested_paths if path != "/robots.txt")
    assert {path: times for path, times in requested_paths.items() if times > 1} == {
        "/t/late/11/": 2
    }
    assert not [
        path
        for path in requested_paths
        if path.startswith("/private/") or "cart" in path or path == "/t/old/14/"
    ]


def test_requests_say_who_asks_and_carry_no_cookie(outcome: Outcome) -> None:
    assert {
        (headers["User-Agent"].split("/")[0], headers["From"], headers.get("Cookie"))
        for headers in outcome.web.headers
    } == {("Folate", "me@example.org", None)}


def test_an_empty_page_is_not_the_end_of_a_search(outcome: Outcome) -> None:
    assert outcome.rows["micro", "叶酸"]["status"] == "complete"
    assert [text for text in posts_by_id(outcome, "micro").values() if text.startswith("叶酸")] == [
        f"叶酸 {n}" for n in range(1, 6)
    ]


def test_a_search_that_ends_early_or_is_capped_is_saturated(outcome: Outcome) -> None:
    early, capped = outcome.rows["micro", "more"], outcome.rows["micro", "endless"]
    assert (early["status"], early["reason"]) == (
        "saturated",
        "empty pages after 2 posts of a total of 50",
    )
    assert (capped["status"], capped["reason"], capped["posts"]) == (
        "saturated",
        "cap of 6 pages",
        6,
    )


def test_long_text_that_cannot_be_had_keeps_its_beginning(outcome: Outcome) -> None:
    row = outcome.rows["micro", "long"]
    assert (row["status"], row["reason"]) == (
        "partial",
        "the rest of a long post could not be read",
    )
    assert posts_by_id(outcome, "micro")["40001"] == "long 1"


def test_reviews_are_read_from_a_list_of_products(outcome: Outcome) -> None:
    row = outcome.rows["shop", "/shop/"]
    assert (row["status"], row["posts"]) == ("complete", 4)
    assert {item.subject for item in read_posts(outcome.folder) if item.source == "shop"} == {
        "Oats",
        "Pebble Biscuits",
    }


@pytest.mark.parametrize(
    ("source", "query", "reason"),
    [
        ("walled", "login", "login page"),
        ("away", "/away/", "leads off the site, to elsewhere.example"),
        ("members", "/members/", "login page"),
        ("robot", "/robot/", "captcha"),
        ("busy", "/busy/", "HTTP 429"),
        ("down", "http://127.0.0.1:9/", "no answer (DownloadConnectionRefusedError)"),
    ],
)
def test_a_source_that_gives_nothing_fails_with_its_reason(
    outcome: Outcome, source: str, query: str, reason: str
) -> None:
    row = outcome.rows[source, query]
    assert (row["status"], row["reason"], row["posts"]) == ("failed", reason, 0)


@pytest.mark.parametrize(
    ("source", "reason"),
    [("forbidden", "robots.txt forbids it"), ("broken", "robots.txt can't be read (HTTP 503)")],
)
def test_robots_txt_is_obeyed(outcome: Outcome, source: str, reason: str) -> None:
    row = next(row for (name, _), row in outcome.rows.items() if name == source)
    assert (row["status"], row["reason"], row["requests"]) == ("failed", reason, 0)


def test_crawl_delay_is_kept(outcome: Outcome) -> None:
    times = outcome.unhurried.times[1:]  # robots.txt itself came first
    assert len(times) >= 6
    assert times[-1] - times[0] > 0.35 * (len(times) - 1)


def test_no_name_is_written_outside_raw(outcome: Outcome) -> None:
    kept = "".join(
        path.read_text(encoding="utf-8") for path in outcome.folder.iterdir() if path.is_file()
    )
    assert not [
        name for name in ("alder", "birch", "cedar", "山药", "quince", "damson") if name in kept
    ]


def test_the_same_author_has_one_hash(outcome: Outcome) -> None:
    authors = {item.id: item.author for item in read_posts(outcome.folder)}
    assert authors["forum:20"] == authors["forum:22"] != authors["forum:1"]


def test_raw_pages_give_the_same_posts_again(outcome: Outcome) -> None:
    again = {
        item.id: item
        for item in reparse_pages(
            outcome.folder, outcome.sources, make_pseudonymizer("salt"), "Asia/Shanghai"
        )
    }
    assert again == {item.id: item for item in read_posts(outcome.folder)}


def test_a_cut_archive_is_read_up_to_the_cut(outcome: Outcome, tmp_path: Path) -> None:
    whole = list(read_archive(outcome.folder))
    (tmp_path / ARCHIVE_FILE).parent.mkdir()
    (tmp_path / ARCHIVE_FILE).write_bytes((outcome.folder / ARCHIVE_FILE).read_bytes()[:-40])
    assert [page.url for _, _, page in read_archive(tmp_path)] == [
        page.url for _, _, page in whole[:-1]
    ]


def test_a_folder_holds_one_crawl(outcome: Outcome) -> None:
    with pytest.raises(CrawlError, match="already holds"):
        run_crawl(
            outcome.sources,
            CrawlConfig(),
            outcome.folder,
            salt="salt",
            crawl_id="run",
            timezone="Asia/Shanghai",
        )


def test_a_source_that_is_down_is_not_taken_for_read_because_of_the_cache(tmp_path: Path) -> None:
    web = Web()
    server = serve(web)
    add_forum(web)
    sources = [Source(name="forum", spider="forum", start=(f"{web.url}/t/oats/10/",), delay=0.0)]
    (first,) = run_crawl(
        sources, CrawlConfig(), tmp_path / "first", salt="s", crawl_id="first", timezone="UTC"
    )
    server.shutdown()
    server.server_close()
    (second,) = run_crawl(
        sources, CrawlConfig(), tmp_path / "second", salt="s", crawl_id="second", timezone="UTC"
    )
    assert (first["reason"], second["requests"], second["posts"]) == (None, 0, first["posts"])
    assert second["reason"] == "all pages were in the cache, the site was not asked"


def test_a_killed_crawl_leaves_its_posts_and_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, children, live = Web(), [], []
    server = serve(web)
    add_forum(web)
    answer = web.answer

    def kill(path: str) -> Answer:
        if path == "/t/oats/10/2/":
            live.append(
                (
                    is_crawl_running(tmp_path / "run"),
                    json.loads((tmp_path / "run" / "job.json").read_text())["crawl_id"],
                )
            )
            children[0].kill()
        return answer(path)

    def popen(*args: Any, **kwargs: Any) -> Any:
        children.append(started(*args, **kwargs))
        return children[0]

    started = runner.subprocess.Popen
    monkeypatch.setattr(web, "answer", kill)
    monkeypatch.setattr(runner.subprocess, "Popen", popen)
    (row,) = run_crawl(
        [Source(name="forum", spider="forum", start=(f"{web.url}/t/oats/10/",), delay=0.0)],
        CrawlConfig(),
        tmp_path / "run",
        salt="s",
        crawl_id="run",
        timezone="UTC",
    )
    server.shutdown()
    server.server_close()
    assert [item.id for item in read_posts(tmp_path / "run")] == ["forum:20"]
    assert (row["status"], row["posts"], row["requests"], row["dropped"]) == (
        "partial",
        1,
        1,
        '{"removed by the site": 1}',
    )
    assert "ended with code -9" in row["reason"]
    assert live == [(True, "run")]
    assert not is_crawl_running(tmp_path / "run")
    assert not is_crawl_running(tmp_path)
    assert [path.name for path in (tmp_path / "run").glob("job*")] == ["job.json"]


def test_a_crawl_ends_with_its_parent(tmp_path: Path) -> None:
    web = Web()
    server = serve(web)
    for number in range(1, 100):
        web.page(
            f"/t/a/1/{number}/" if number > 1 else "/t/a/1/",
            forum_post(number, "x") + f'<a rel="next" href="/t/a/1/{number + 1}/">2</a>',
        )
    script = (
        "import sys; from pathlib import Path; from crawlers.process import run_crawl;"
        " from folate.core.config import CrawlConfig, Source\n"
        f"source = Source(name='f', spider='forum', start=('{web.url}/t/a/1/',), delay=0.2)\n"
        "run_crawl([source], CrawlConfig(), Path(sys.argv[1]),"
        " salt='s', crawl_id='r', timezone='UTC')"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "run")])
    while len(web.requested_paths) < 2:
        assert parent.poll() is None
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    time.sleep(1)
    requested_paths = len(web.requested_paths)
    time.sleep(0.7)
    server.shutdown()
    server.server_close()
    assert len(web.requested_paths) == requested_paths


def test_a_misspelt_spider_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'forum'"):
        run_crawl(
            [Source(name="x", spider="forums", start=("http://127.0.0.1/",))],
            CrawlConfig(),
            tmp_path,
            salt="s",
            crawl_id="run",
            timezone="UTC",
        )
