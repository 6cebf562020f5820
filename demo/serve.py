"""`python -m demo.serve`: the server of the demo web on 127.0.0.1."""

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
HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
_EMOTICON_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" '
    'fill="#f4c542"/>'
    '<circle cx="5.5" cy="6.5" r="1"/><circle cx="10.5" cy="6.5" r="1"/></svg>'
)


@dataclass(frozen=True)
class PageResponse:
    """The response to one request."""

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
        self._routes = self._build_routes()

    def respond(self, target: str) -> PageResponse:
        """Return the response to a target, which is a path with a query."""
        url_parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(url_parts.query).items()}
        for pattern, reply in self._routes:
            match = pattern.fullmatch(url_parts.path)
            if match:
                return reply(match, query)
        return _page_or_404(None)

    def _build_routes(self) -> list[Route]:
        """Return the patterns of paths with their handlers, in order of precedence."""
        shop = self.shop
        microblog = self.microblog
        rows: list[tuple[str, Callable[[re.Match[str], Query], PageResponse]]] = [
            ("/", lambda m, q: PageResponse(_START_PAGE)),
            ("/robots.txt", lambda m, q: PageResponse(ROBOTS_TXT, TEXT_TYPE)),
            ("/style.css", lambda m, q: PageResponse(STYLESHEET, "text/css; charset=utf-8")),
            ("/emoticon/default.svg", lambda m, q: PageResponse(_EMOTICON_SVG, "image/svg+xml")),
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
                lambda m, q: _page_or_404(self.forums[m[1]].board_page(int(m[2]), _page_number(q))),
            ),
            (
                r"/(forum|gym)/t/[^/]+/(\d+)/(?:(\d+)/)?",
                lambda m, q: _page_or_404(self.forums[m[1]].thread_page(int(m[2]), int(m[3] or 1))),
            ),
            (
                r"/(forum|gym)/t/[^/]+/(\d+)/post/(\d+)/",
                lambda m, q: _redirect_or_404(
                    self.forums[m[1]].permalink_target(int(m[2]), int(m[3]))
                ),
            ),
            ("/m/", lambda m, q: PageResponse(microblog.timeline_page())),
            (r"(?:/m)?/status/(\d+)", lambda m, q: _page_or_404(microblog.status_page(m[1]))),
            ("(?:/m)?/api/container/getIndex", lambda m, q: self._search_microblog(q)),
            (
                "(?:/m)?/statuses/extend",
                lambda m, q: PageResponse(microblog.full_text_json(q.get("id", "")), JSON_TYPE),
            ),
            ("/shop/", lambda m, q: PageResponse(shop.index_page())),
            ("/shop/c/([a-z]+)/", lambda m, q: _page_or_404(shop.category_page(m[1]))),
            (
                r"/shop/p/(\d+)/",
                lambda m, q: _page_or_404(shop.product_page(int(m[1]), _page_number(q))),
            ),
        ]
        return [(re.compile(pattern), reply) for pattern, reply in rows]

    def _search_microblog(self, query: Query) -> PageResponse:
        return PageResponse(
            self.microblog.search_json(
                query.get("containerid", ""), _page_number(query), self.origin
            ),
            JSON_TYPE,
        )


_START_PAGE = render_page(
    "燕麦镇 Oatville",
    "<h1>燕麦镇 Oatville</h1><p>一个不存在的小镇，十周的早餐闲话。"
    "Ten weeks of small talk about breakfast, in a town that does not exist.</p><ul>"
    '<li class="card"><a href="/forum/">早餐论坛 Breakfast Forum</a> <span class="soft">boards, '
    "threads, quotes</span></li>"
    '<li class="card"><a href="/m/">微博 Microblog</a> <span class="soft">reposts, hashtags, '
    "emoticons</span></li>"
    '<li class="card"><a href="/shop/">商店 Shop</a> <span class="soft">products and their reviews'
    "</span></li>"
    '<li class="card"><a href="/gym/">撸铁食堂 The Gym Canteen</a> <span class="soft">'
    "opened in the middle of February</span></li></ul>",
)


def _page_number(query: Query) -> int:
    """Return the `page` of a query: 1 by default, 0, which no list has, when it is no number."""
    text = query.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _page_or_404(body: str | None) -> PageResponse:
    if body is None:
        return PageResponse(
            render_page("404", "<h1>404</h1><p>这里什么也没有。Nothing here.</p>"),
            status=HTTPStatus.NOT_FOUND,
        )
    return PageResponse(body)


def _redirect_or_404(location: str | None) -> PageResponse:
    return (
        PageResponse("", status=HTTPStatus.FOUND, location=location)
        if location
        else _page_or_404(None)
    )


class RequestHandler(BaseHTTPRequestHandler):
    """Serves `web`, keeps connections open, and sends each response at once."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    web: DemoWeb

    def do_GET(self) -> None:
        """Send the response to a GET or HEAD request."""
        response = self.web.respond(self.path)
        body = response.body.encode()
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(body)))
        if response.location:
            self.send_header("Location", response.location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the crawler keeps a log."""


def make_server(world: World, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of `world` on 127.0.0.1, not yet serving; port 0 is any free port."""
    web = DemoWeb(world)
    server = ThreadingHTTPServer(
        ("127.0.0.1", port), type("BoundHandler", (RequestHandler,), {"web": web})
    )
    web.origin = f"http://127.0.0.1:{server.server_address[1]}"
    return server


def main() -> None:
    """Serve the demo web until interrupted."""
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
    with make_server(world, options.port) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        if options.truth:
            truth.write_truth(world, url, options.truth)
        if options.port_file:
            partial = options.port_file.with_suffix(".part")
            partial.write_text(f"{server.server_address[1]}\n", encoding="ascii")
            partial.replace(options.port_file)  # a reader never sees a part of it
        print(url, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
