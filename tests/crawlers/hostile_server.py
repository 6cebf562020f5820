"""A hostile web server: it sends whatever bytes a site function yields, as slowly as it likes."""

import gzip
import json
import socket
import socketserver
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, urlsplit

Site = Callable[[str], Iterable[bytes]]
"""The bytes that are sent for a path with its query, piece by piece."""

MANY = 10**9  # more than anyone waits for
BOMB = 16 * 2**20  # bytes that a small answer unpacks to; a page may have 10 MB
DRIP = 0.05  # seconds between two pieces of an answer that never ends
ALLOW = b"User-agent: *\nDisallow:\n"
FORBID = b"User-agent: *\nDisallow: /\n"
PRIVATE = "http://169.254.169.254/latest/meta-data"


class Server:
    """One site on a port of its own, and what was asked of it."""

    def __init__(self, site: Site) -> None:
        self.requested_paths: list[str] = []
        self._ended = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request_words = self.rfile.readline(65537).decode("latin-1").split(" ")
                while self.rfile.readline(65537).strip():
                    pass
                if len(request_words) < 2:
                    return
                outer.requested_paths.append(request_words[1])
                with suppress(OSError):  # the client has had enough
                    for piece in site(request_words[1]):
                        if outer._ended.is_set():
                            return
                        self.wfile.write(piece)

        class Sockets(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, request: object, client_address: object) -> None:
                """Resets are what some of these sites are for."""

        self._server = Sockets(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def pages(self) -> list[str]:
        """What was asked for besides robots.txt."""
        return [path for path in self.requested_paths if not path.startswith(("/robots", "/hop"))]

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


def answer(
    body: bytes = b"", status: int = 200, kind: str = "text/html; charset=utf-8", **headers: str
) -> Iterator[bytes]:
    """A whole answer; underscores in the names of headers are hyphens."""
    all_headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}
    all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    yield f"HTTP/1.1 {status} \r\n{lines}\r\n".encode("latin-1") + body


def text(body: bytes, **headers: str) -> Iterator[bytes]:
    return answer(body, kind="text/plain", **headers)


def redirect(location: str) -> Iterator[bytes]:
    return answer(status=302, Location=location)


def silence() -> Iterator[bytes]:
    """Nothing, for ever."""
    for _ in range(MANY):
        time.sleep(DRIP)
        yield b""


def slow_body(kind: str = "text/plain") -> Iterator[bytes]:
    """A body of one byte at a time, never still for long, that has no end."""
    yield f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode()
    for _ in range(MANY):
        time.sleep(DRIP)
        yield b"#"


def chunked(chunk: bytes) -> Iterator[bytes]:
    """A chunked body without an end, as fast as it is taken."""
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(MANY):
        yield f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n"


def endless_headers() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for number in range(MANY):
        yield b"".join(b"X-%d-%d: %s\r\n" % (number, part, b"a" * 900) for part in range(64))


@cache
def compressed_spaces(size: int, encoding: str) -> bytes:
    """`size` bytes of spaces, packed; made piece by piece."""
    if encoding == "gzip":
        packer = zlib.compressobj(9, wbits=31)
        pieces = [packer.compress(b" " * 2**20) for _ in range(size // 2**20)]
        return b"".join(pieces) + packer.flush()
    if encoding == "deflate":
        return zlib.compress(b" " * size, 9)
    if encoding == "br":
        import brotli

        return bytes(brotli.compress(b" " * size, quality=5))
    from backports import zstd

    return bytes(zstd.compress(b" " * size))


def post(number: int | str, words: str = "words", author: str = "alder") -> str:
    """A post of a forum with schema.org microdata."""
    return (
        f'<li id="post-{number}" itemscope itemtype="http://schema.org/DiscussionForumPosting">'
        f'<a href="/u/{author}/"><span itemprop="author">{author}</span></a>'
        '<time itemprop="datePublished" datetime="2026-03-02T08:00:00+08:00"></time>'
        f'<div itemprop="articleBody"><p>{words}</p></div></li>'
    )


def next_link(href: str) -> str:
    return f'<a rel="next" href="{href}">next</a>'


def review(number: int | str) -> str:
    """A product's page with one review in JSON-LD."""
    thing = {
        "@type": "Product",
        "name": "Oats",
        "review": [
            {
                "@type": "Review",
                "@id": f"#r{number}",
                "author": "quince",
                "datePublished": "2026-03-01",
                "reviewBody": f"好吃 {number}",
            }
        ],
    }
    return f'<script type="application/ld+json">{json.dumps(thing)}</script>'


def robots(rules: Callable[[str], Iterable[bytes]]) -> Site:
    """A site of one thread with the robots.txt that `rules` returns, which also answers /hop…."""

    def site(path: str) -> Iterable[bytes]:
        return rules(path) if path.startswith(("/robots", "/hop")) else answer(post(1).encode())

    return site


def rules(body: bytes, **headers: str) -> Site:
    """A site whose robots.txt has this body."""
    return robots(lambda path: text(body, **headers))


def moved(location: str, then: Callable[[], Iterable[bytes]] = silence) -> Site:
    """A site whose robots.txt is at `location`, where `then` answers."""
    return robots(lambda path: redirect(location) if path == "/robots.txt" else then())


def pages(page: Callable[[str, int], str], kind: str = "text/html; charset=utf-8") -> Site:
    """A site without robots.txt; `page` gets the path and the page number of the query."""

    def site(path: str) -> Iterable[bytes]:
        if path == "/robots.txt":
            return answer(status=404)
        parts = urlsplit(path)
        number = int(parse_qs(parts.query).get("page", ["1"])[0])
        return answer(page(parts.path, number).encode(), kind=kind)

    return site


def no_robots(reply: Callable[[str], Iterable[bytes]]) -> Site:
    """A site without robots.txt that answers everything else with `reply`."""
    return lambda path: answer(status=404) if path == "/robots.txt" else reply(path)


def hops(path: str) -> Iterator[bytes]:
    """A redirect to the next number, for ever."""
    hop = path.rpartition("/")[2]
    return redirect(f"/hop/{int(hop) + 1 if hop.isdigit() else 1}")


def five_hops(path: str) -> Iterator[bytes]:
    number = path.rpartition("/")[2]
    return text(FORBID) if number == "5" else hops(path)


def reset(connection: socket.socket | None = None) -> Iterator[bytes]:
    """An answer that breaks off before its announced end."""
    yield (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
        b"1000\r\n\r\nUser-agent: *\n"
    )


THREAD = "/t/oats/1/"
LOGIN = '<form action="/login"><input name="user"><input type="password"></form>'

# name: (site, reason in the ledger). Their robots.txt is broken: nothing else is requested.
CLOSED: dict[str, tuple[Site, str]] = {
    "503": (robots(lambda path: answer(status=503)), "robots.txt can't be read (HTTP 503)"),
    "429": (robots(lambda path: answer(status=429)), "robots.txt can't be read (HTTP 429)"),
    "304": (robots(lambda path: answer(status=304)), "robots.txt can't be read (HTTP 304)"),
    "silent": (robots(lambda path: silence()), "no answer (DownloadTimeoutError)"),
    "drip": (robots(lambda path: slow_body()), "no answer (DownloadTimeoutError)"),
    "no-http": (robots(lambda path: iter([b"HELLO\r\n\r\n"])), "no answer (DownloadFailedError)"),
    "broken-off": (robots(lambda path: reset()), "no answer (ResponseDataLossError)"),
    "to-503": (moved("/hop/x", lambda: answer(status=503)), "robots.txt can't be read (HTTP 503)"),
    "to-silence": (moved("/hop/x"), "robots.txt can't be read (no answer (DownloadTimeoutError))"),
    "to-loop": (
        moved("/robots.txt?", lambda: redirect("/robots.txt")),
        "robots.txt can't be read (more than 5 redirects)",
    ),
    "to-itself": (
        robots(lambda path: redirect("/robots.txt")),
        "robots.txt can't be read (more than 5 redirects)",
    ),
    "hops": (robots(hops), "robots.txt can't be read (more than 5 redirects)"),
    "off-site": (
        moved("http://elsewhere.example/robots.txt"),
        "robots.txt can't be read (leads off the site, to elsewhere.example)",
    ),
    "private": (
        moved(PRIVATE),
        "robots.txt can't be read (leads off the site, to 169.254.169.254)",
    ),
    "other-port": (
        moved("http://127.0.0.1:9/"),
        "robots.txt can't be read (leads off the site, to 127.0.0.1:9)",
    ),
    "file": (
        moved("file:///etc/passwd"),
        "robots.txt can't be read (leads off the site, to nowhere)",
    ),
    "bad-address": (
        moved("http://[broken/"),
        "robots.txt can't be read (answer can't be read (ValueError))",
    ),
    "gzip-bomb": (
        rules(compressed_spaces(BOMB, "gzip"), Content_Encoding="gzip"),
        "robots.txt can't be read (answer too large)",
    ),
    "br-bomb": (
        rules(compressed_spaces(BOMB, "br"), Content_Encoding="br"),
        "robots.txt can't be read (answer too large)",
    ),
    "zstd-bomb": (
        rules(compressed_spaces(BOMB, "zstd"), Content_Encoding="zstd"),
        "robots.txt can't be read (answer too large)",
    ),
    "deflate-bomb": (
        rules(compressed_spaces(BOMB, "deflate"), Content_Encoding="deflate"),
        "robots.txt can't be read (answer too large)",
    ),
    "not-gzip": (
        rules(b"plain", Content_Encoding="gzip"),
        "robots.txt can't be read (answer can't be read (BadGzipFile))",
    ),
    "onion": (
        rules(ALLOW, Content_Encoding=", ".join(["gzip"] * 900)),
        "robots.txt can't be read (answer packed more than 2 times)",
    ),
    "unknown-packing": (
        rules(b"\xff\xfe", Content_Encoding="compress"),
        "robots.txt can't be read (not text)",
    ),
    "large": (rules(ALLOW + b"#" * 11 * 2**20), "robots.txt can't be read (answer too large)"),
    "endless": (
        robots(lambda path: chunked(b"#" * 2**20)),
        "robots.txt can't be read (answer too large)",
    ),
    "headers": (robots(lambda path: endless_headers()), "no answer (DownloadFailedError)"),
    "binary": (rules(bytes(range(256)) * 4), "robots.txt can't be read (not text)"),
    "login": (robots(lambda path: answer(LOGIN.encode())), "robots.txt can't be read (login page)"),
    "years": (
        rules(b"User-agent: *\nCrawl-delay: 100000000\n"),
        "robots.txt asks for a delay of 100,000,000 s, more than 120 s is not waited",
    ),
    "121": (
        rules(b"User-agent: *\nCrawl-delay: 121\n"),
        "robots.txt asks for a delay of 121 s, more than 120 s is not waited",
    ),
    "five-hops": (robots(five_hops), "robots.txt forbids it"),
    "far-down": (rules(b"# filler\n" * 2**17 + FORBID), "robots.txt forbids it"),
    "bom": (rules(b"\xef\xbb\xbf" + FORBID), "robots.txt forbids it"),
    "utf-16": (rules(FORBID.decode().encode("utf-16")), "robots.txt forbids it"),
    "carriage-returns": (rules(FORBID.replace(b"\n", b"\r")), "robots.txt forbids it"),
    "first-500-kib": (rules(FORBID + b"Allow: /x\n" * 2**17), "robots.txt forbids it"),
    "cut-gzip": (
        rules(gzip.compress(FORBID)[:-9], Content_Encoding="gzip"),
        "robots.txt forbids it",
    ),
}
# robots.txt that is read, or is not there: the thread's one post is
OPEN: dict[str, Site] = {
    "404": robots(lambda path: answer(status=404)),
    "410": robots(lambda path: answer(status=410)),
    "403": robots(lambda path: answer(b"no", status=403)),
    "empty": rules(b""),
    "home-page": robots(lambda path: answer(b"<html><title>Oats</title><p>Welcome.</p></html>")),
    "moved-to-404": moved("/hop/x", lambda: answer(status=404)),
    "packed": rules(gzip.compress(ALLOW), Content_Encoding="gzip"),
    "other-agent": rules(
        b"User-agent: other\nDisallow: /\n\nUser-agent: folate\nDisallow: /x\n\nUser-agent: "
        b"*\nDisallow: /\n"
    ),
    "longest": rules(b"User-agent: *\nDisallow: /t\nAllow: /t/oats/1/$\n"),
}


def microblog(path: str) -> Iterator[bytes]:
    """A search that says it holds a million posts, and has new ones on every page."""
    page = int(parse_qs(urlsplit(path).query)["page"][0])
    return _cards(page)


def stuttering(path: str) -> Iterator[bytes]:
    return _cards(1)


def _cards(number: int) -> Iterator[bytes]:
    blog = {
        "id": f"9{number:06}",
        "text": f"燕麦 {number}",
        "created_at": "Mon Mar 02 08:00:00 +0800 2026",
        "user": {"id": 7},
    }
    data = {"cards": [{"card_type": 9, "mblog": blog}], "cardlistInfo": {"total": 10**6}}
    return answer(json.dumps({"ok": 1, "data": data}).encode(), kind="application/json")


def sitemaps(breadth: int) -> Callable[[str, int], str]:
    """Indexes of sitemaps that name indexes of sitemaps, `breadth` at a time."""

    def page(path: str, number: int) -> str:
        names = (
            f"<sitemap><loc>{path.rstrip('/')}/{child}.xml</loc></sitemap>"
            for child in range(breadth)
        )
        return f"<?xml version='1.0'?><sitemapindex>{''.join(names)}</sitemapindex>"

    return page


def board(path: str, number: int) -> str:
    """A calendar: every page links to the same thread, and to the next month."""
    return (
        post(1)
        if path.startswith("/t/")
        else f'<a href="{THREAD}">oats</a>{next_link(f"/c/food/2/?page={number + 1}")}'
    )


def boards(path: str, number: int) -> str:
    """Every board names two more."""
    if path.startswith("/t/"):
        return post(path.rpartition("/t/x/")[2].strip("/") or 1)
    own = int(path.strip("/").rpartition("/")[2]) if path != "/" else 1
    return "".join(
        f'<a href="/c/x/{child}/">board</a><a href="/t/x/{child}/">thread</a>'
        for child in (2 * own, 2 * own + 1)
    )


def crowd(path: str, number: int) -> str:
    """A page with 100,000 links to threads."""
    if path.startswith("/t/"):
        return post(path.rpartition("/t/x/")[2].strip("/"))
    return "".join(f'<a href="/t/x/{thread}/">x</a>' for thread in range(1, 100_001))


def tricks(path: str, number: int) -> str:
    """A thread whose next pages are no addresses of pages, one after another."""
    hrefs = [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://user:secret@{host}/t/oats/1/?page=2",
        "//169.254.169.254/",
        "http://[broken/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1:99999999/",
    ]
    if path.startswith("/t/"):
        return post(1) + next_link(hrefs[int(path.strip("/").rpartition("/")[2]) - 1])
    return "".join(f'<a href="/t/x/{thread}/">x</a>' for thread in range(1, len(hrefs) + 1))


@dataclass(frozen=True)
class Case:
    """A site with broken pages, where a crawl of it starts, and what the ledger then says."""

    site: Site
    reason: str | None
    requested_paths: int  # pages, at most
    status: str = "failed"
    spider: str = "forum"
    path: str = THREAD


def page_case(
    reply: Callable[[str], Iterable[bytes]], reason: str, requested_paths: int = 1
) -> Case:
    """A site without robots.txt that answers a thread's address with the unusable `reply`."""
    return Case(no_robots(reply), reason, requested_paths)


def endless(
    page: Callable[[str, int], str],
    reason: str,
    requested_paths: int,
    spider: str = "forum",
    path: str = THREAD,
) -> Case:
    """A site whose pages are read until a bound is reached."""
    return Case(pages(page), reason, requested_paths, "saturated", spider, path)


def bomb(encoding: str) -> Case:
    return page_case(
        lambda path: answer(compressed_spaces(BOMB, encoding), Content_Encoding=encoding),
        "answer too large",
    )


def with_next(page: Callable[[int], str]) -> Callable[[str, int], str]:
    """Pages that always name one more."""
    return lambda path, number: page(number) + next_link(f"?page={number + 1}")


def products(path: str, number: int) -> str:
    """A list of products without an end, one on each of its pages."""
    if path == "/list/":
        return f'<a href="/product/{number}">x</a>' + next_link(f"?page={number + 1}")
    return review(path.removeprefix("/product/"))


def product(path: str, number: int) -> str:
    """A list of one product, whose reviews have no end."""
    return '<a href="/product/1">x</a>' if path == "/list/" else with_next(review)(path, number)


def two_lines(path: str) -> Iterator[bytes]:
    """A redirect that tries to set a header in the request that follows it."""
    return redirect("/t/x/2/\r\n Set-Cookie: a=b") if path == THREAD else answer(status=404)


NOTHING_NEW = "3 pages in a row brought nothing new"
LONG = "address of more than 2,083 characters"
OFF_SITE = "leads off the site, to "
TWICE_PACKED = {"Content_Encoding": "gzip, gzip"}

PAGES: dict[str, Case] = {
    "thread-new-posts": endless(with_next(post), "cap of 12 pages of one thread", 12),
    "thread-same-post": endless(with_next(lambda number: post(1)), NOTHING_NEW, 4),
    "thread-empty": endless(
        with_next(lambda number: post(1) if number == 1 else ""), NOTHING_NEW, 4
    ),
    "thread-next-is-itself": Case(
        pages(lambda path, number: post(1) + next_link("#")), None, 1, "complete"
    ),
    "thread-in-a-ring": Case(
        pages(lambda path, number: post(number) + next_link(f"?page={number % 3 + 1}")),
        None,
        4,
        "complete",
    ),
    "calendar": endless(board, NOTHING_NEW, 5, path="/c/food/2/"),
    "boards": endless(boards, "cap of 20 pages; cap of 40 requests", 40, path="/"),
    "sitemap-chain": endless(
        sitemaps(1), "sitemaps more than 3 links deep", 4, "reviews", "/sitemap"
    ),
    "sitemap-tree": endless(sitemaps(50), "cap of 20 pages", 20, "reviews", "/sitemap"),
    "reviews-new": endless(with_next(review), "cap of 20 pages", 20, "reviews", "/product/1"),
    "product": endless(product, "cap of 12 pages of one product", 13, "reviews", "/list/"),
    "reviews-same": endless(
        with_next(lambda number: review(1)), NOTHING_NEW, 4, "reviews", "/product/1"
    ),
    "products": endless(products, "cap of 20 pages", 20, "reviews", "/list/"),
    "microblog": Case(no_robots(microblog), "cap of 20 pages", 20, "saturated", "microblog", ""),
    "microblog-same": Case(
        no_robots(stuttering),
        "empty pages after 1 posts of a total of 1000000",
        4,
        "saturated",
        "microblog",
        "",
    ),
    "crowd": endless(crowd, "cap of 40 requests", 40, path="/c/x/1/"),
    "gzip-bomb": bomb("gzip"),
    "br-bomb": bomb("br"),
    "zstd-bomb": bomb("zstd"),
    "deflate-bomb": bomb("deflate"),
    "nested-bomb": page_case(
        lambda path: answer(gzip.compress(compressed_spaces(BOMB, "gzip")), **TWICE_PACKED),
        "answer too large",
    ),
    "onion": page_case(
        lambda path: answer(b"x", Content_Encoding=", ".join(["gzip"] * 900)),
        "answer packed more than 2 times",
    ),
    "not-gzip": page_case(
        lambda path: answer(b"plain", Content_Encoding="gzip"), "answer can't be read (BadGzipFile)"
    ),
    "too-large": page_case(lambda path: answer(b" " * 11 * 2**20), "answer too large"),
    "endless-body": page_case(lambda path: chunked(b" " * 2**20), "answer too large"),
    "drip": page_case(lambda path: slow_body("text/html"), "no answer (DownloadTimeoutError)"),
    "silence": page_case(lambda path: silence(), "no answer (DownloadTimeoutError)"),
    "endless-headers": page_case(lambda path: endless_headers(), "no answer (DownloadFailedError)"),
    "long-header": page_case(
        lambda path: answer(post(1).encode(), X_Long="a" * 2**20), "no answer (DownloadFailedError)"
    ),
    "redirect-to-itself": page_case(redirect, "redirects in a circle"),
    "redirect-for-ever": page_case(hops, "more than 5 redirects"),
    "redirect-to-private": page_case(lambda path: redirect(PRIVATE), f"{OFF_SITE}169.254.169.254"),
    "redirect-to-port": page_case(
        lambda path: redirect("http://127.0.0.1:9/"), f"{OFF_SITE}127.0.0.1:9"
    ),
    "redirect-with-login": page_case(
        lambda path: redirect("http://a:secret@127.0.0.1/"), f"{OFF_SITE}nowhere"
    ),
    "redirect-script": page_case(
        lambda path: redirect("javascript:alert(1)"), "answer can't be read (ValueError)"
    ),
    "redirect-long": page_case(lambda path: redirect("/t/" + "a" * 9000), LONG),
    "redirect-lines": page_case(two_lines, "HTTP 404", 2),
    "long-address": Case(
        pages(lambda path, number: post(1) + next_link("/t/" + "a" * 2**20)), LONG, 1, "partial"
    ),
    "links": Case(pages(tricks), None, 9, "complete", path="/c/x/1/"),
    "retry-in-2200": page_case(
        lambda path: answer(status=503, Retry_After="Fri, 31 Dec 2199 23:59:59 GMT"), "HTTP 503"
    ),
    "retry-in-90000": page_case(
        lambda path: answer(status=503, Retry_After="Fri, 31 Dec 90000 23:59:59 GMT"), "HTTP 503"
    ),
}
STILL = frozenset({"silent", "drip", "to-silence", "silence"})  # sites that only a timeout ends
HEAVY = frozenset(
    {
        "gzip-bomb",
        "br-bomb",
        "zstd-bomb",
        "deflate-bomb",
        "nested-bomb",
        "large",
        "too-large",
        "endless",
        "endless-body",
        "headers",
        "endless-headers",
        "far-down",
        "first-500-kib",
        "crowd",
        "long-address",
    }
)  # sites whose answers take a while to be refused
