"""`python -m demo.serve`: the demo web on loopback."""

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from demo import truth
from demo.forum import Forum
from demo.generate import SEED, World, generate_world
from demo.markup import STYLESHEET, render_page
from demo.microblog import Microblog
from demo.shop import Shop

ROBOTS_TXT = (
    "User-agent: *\nDisallow: /admin/\nDisallow: /forum/search\nDisallow: /gym/search\nAllow: /\n"
)
HTML_TYPE, JSON_TYPE, TEXT_TYPE = (
    "text/html; charset=utf-8",
    "application/json; charset=utf-8",
    "text/plain; charset=utf-8",
)
_EMOTICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#f4c542"/>'
    '<circle cx="5.5" cy="6.5" r="1"/><circle cx="10.5" cy="6.5" r="1"/></svg>'
)


@dataclass(frozen=True)
class PageResponse:
    """What the server says to one request."""

    body: str
    content_type: str = HTML_TYPE
    status: int = HTTPStatus.OK
    location: str | None = None


Query = Mapping[str, str]
Route = tuple[re.Pattern[str], Callable[[re.Match[str], Query], PageResponse]]


class DemoWeb:
    """All sites of the demo web under one address."""

    def __init__(self, world: World, origin: str = "") -> None:
        self.origin = origin
        self.forums = {site: Forum(world, site) for site in ("forum", "gym")}
        self.microblog = Microblog(world)
        self.shop = Shop(world)
        self._routes = self._table()

    def respond(self, target: str) -> PageResponse:
        """What `target` (path and query) gives."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        for pattern, reply in self._routes:
            match = pattern.fullmatch(parts.path)
            if match:
                return reply(match, query)
        return _found(None)

    def _table(self) -> list[Route]:
        shop, microblog = self.shop, self.microblog
        rows: list[tuple[str, Callable[[re.Match[str], Query], PageResponse]]] = [
            ("/", lambda m, q: PageResponse(_START)),
            ("/robots.txt", lambda m, q: PageResponse(ROBOTS_TXT, TEXT_TYPE)),
            ("/style.css", lambda m, q: PageResponse(STYLESHEET, "text/css; charset=utf-8")),
            ("/emoticon/default.svg", lambda m, q: PageResponse(_EMOTICON, "image/svg+xml")),
            (
                "/admin/.*",
                lambda m, q: PageResponse(
                    render_page("Admin", "<h1>Staff only</h1>", "en"), status=HTTPStatus.FORBIDDEN
                ),
            ),
            ("/(forum|gym)/", lambda m, q: PageResponse(self.forums[m[1]].index_page())),
            (
                "/(forum|gym)/search",
                lambda m, q: PageResponse(render_page("Search", "<h1>No search today.</h1>", "en")),
            ),
            (
                r"/(forum|gym)/c/[^/]+/(\d+)/",
                lambda m, q: _found(self.forums[m[1]].board_page(int(m[2]), _number(q))),
            ),
            (
                r"/(forum|gym)/t/[^/]+/(\d+)/(?:(\d+)/)?",
                lambda m, q: _found(self.forums[m[1]].thread_page(int(m[2]), int(m[3] or 1))),
            ),
            (
                r"/(forum|gym)/t/[^/]+/(\d+)/post/(\d+)/",
                lambda m, q: _moved(self.forums[m[1]].permalink_target(int(m[2]), int(m[3]))),
            ),
            ("/m/", lambda m, q: PageResponse(microblog.timeline_page())),
            (r"(?:/m)?/status/(\d+)", lambda m, q: _found(microblog.status_page(m[1]))),
            ("(?:/m)?/api/container/getIndex", lambda m, q: self._search(q)),
            (
                "(?:/m)?/statuses/extend",
                lambda m, q: PageResponse(microblog.full_text_json(q.get("id", "")), JSON_TYPE),
            ),
            ("/shop/", lambda m, q: PageResponse(shop.index_page())),
            ("/shop/c/([a-z]+)/", lambda m, q: _found(shop.category_page(m[1]))),
            (r"/shop/p/(\d+)/", lambda m, q: _found(shop.product_page(int(m[1]), _number(q)))),
        ]
        return [(re.compile(pattern), reply) for pattern, reply in rows]

    def _search(self, query: Query) -> PageResponse:
        return PageResponse(
            self.microblog.search_json(query.get("containerid", ""), _number(query), self.origin),
            JSON_TYPE,
        )


_START = render_page(
    "燕麦镇 Oatville",
    "<h1>燕麦镇 Oatville</h1><p>一个不存在的小镇，十周的早餐闲话。"
    "Ten weeks of small talk about breakfast, in a town that does not exist.</p><ul>"
    '<li class="card"><a href="/forum/">早餐论坛 Breakfast Forum</a> <span class="soft">boards, threads, quotes</span></li>'
    '<li class="card"><a href="/m/">微博 Microblog</a> <span class="soft">reposts, hashtags, emoticons</span></li>'
    '<li class="card"><a href="/shop/">商店 Shop</a> <span class="soft">products and their reviews</span></li>'
    '<li class="card"><a href="/gym/">撸铁食堂 The Gym Canteen</a> <span class="soft">opened in the middle of February</span></li></ul>',
)


def _number(query: Query) -> int:
    """The `page` asked for: 0, which no list has, when it is not a number."""
    text = query.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _found(body: str | None) -> PageResponse:
    if body is None:
        return PageResponse(
            render_page("404", "<h1>404</h1><p>这里什么也没有。Nothing here.</p>"),
            status=HTTPStatus.NOT_FOUND,
        )
    return PageResponse(body)


def _moved(location: str | None) -> PageResponse:
    return (
        PageResponse("", status=HTTPStatus.FOUND, location=location) if location else _found(None)
    )


class RequestHandler(BaseHTTPRequestHandler):
    """Keeps connections open and sends each answer in one piece."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    web: DemoWeb

    def do_GET(self) -> None:
        answer = self.web.respond(self.path)
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        if answer.location:
            self.send_header("Location", answer.location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Silent: whoever crawls keeps the log."""


def make_server(world: World, port: int = 0) -> ThreadingHTTPServer:
    """A server of `world` on 127.0.0.1, bound and not yet serving; port 0 takes any free one."""
    web = DemoWeb(world)
    bound = ThreadingHTTPServer(
        ("127.0.0.1", port), type("BoundHandler", (RequestHandler,), {"web": web})
    )
    web.origin = f"http://127.0.0.1:{bound.server_address[1]}"
    return bound


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demo.serve", description="Serve the demo web on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, default=8099, help="0 takes any free port")
    parser.add_argument(
        "--port-file", type=Path, help="write the port here once the server listens"
    )
    parser.add_argument(
        "--truth", type=Path, help="write what there is to find here, as JSON lines"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    world = generate_world(options.seed)
    with make_server(world, options.port) as bound:
        url = f"http://127.0.0.1:{bound.server_address[1]}"
        if options.truth:
            truth.write_truth(world, url, options.truth)
        if options.port_file:
            partial = options.port_file.with_suffix(".part")
            partial.write_text(f"{bound.server_address[1]}\n", encoding="ascii")
            partial.replace(options.port_file)  # whoever waits for the file never reads half of it
        print(url, flush=True)
        try:
            bound.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
