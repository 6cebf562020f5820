"""How Folate behaves on the wire: stays on the site, obeys robots.txt and its delay, backs off when told to."""

import asyncio
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from protego import Protego
from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.extensions.httpcache import DummyPolicy, FilesystemCacheStorage
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Request, Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import Settings

from crawlers.ledger import utc_now
from crawlers.parse.blocked import blocking_reason
from crawlers.parse.page import Page

MAX_WAIT_SECONDS = 120.0  # seconds; a site that asks for more is left alone
MAX_URL_LENGTH = (
    2083  # characters; Scrapy's own limit, which is that of the shortest of the old browsers
)
MAX_REDIRECTS = 5  # RFC 9309, 2.3.1.2, has this for robots.txt; pages get no more
MAX_CONTENT_ENCODINGS = 2  # layers of Content-Encoding; each is unpacked to as many as MAX_BYTES
MAX_ROBOTS_TXT_BYTES = (
    500 * 2**10
)  # bytes of robots.txt, comments left out, that are read: RFC 9309, 2.5
MAX_ROBOTS_TXT_AGE_HOURS = 24.0  # RFC 9309, 2.4: a robots.txt kept for longer must not be used
URL_TOO_LONG_REASON = f"address of more than {MAX_URL_LENGTH:,} characters"

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_UTF16 = (BOM_UTF16_LE, BOM_UTF16_BE)
_NOT_UTF8 = re.compile(
    "[\udc80-\udcff]"
)  # bytes as the error handler `surrogateescape` leaves them
_TOO_MANY_REDIRECTS = "max redirections reached"  # the words of Scrapy's RedirectMiddleware
_NO_ANSWER = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)


def site_from_url(url: str) -> str:
    """Return host and port, without `www.` and the scheme's usual port: what a crawl stays on.

    Empty for an address that has no host, an impossible port, or a login before its host.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:  # UnicodeError is one: a label of 64 characters is no name of a host
        return ""
    if not host or "@" in parts.netloc:
        return ""
    host = f"[{host}]" if ":" in host else host.removeprefix("www.")
    return host if port in (None, _PORTS.get(parts.scheme)) else f"{host}:{port}"


def failure_reason(error: BaseException) -> str:
    """Say in the words of the ledger why a page could not be had."""
    name = type(error).__name__
    if isinstance(error, DownloadCancelledError) or "DOWNLOAD_MAXSIZE" in str(error):
        return "answer too large"
    if isinstance(error, IgnoreRequest):
        text = str(error)
        return f"more than {MAX_REDIRECTS} redirects" if text == _TOO_MANY_REDIRECTS else text
    if isinstance(error, _NO_ANSWER):
        return f"no answer ({name})"
    return f"answer can't be read ({name})"


class StayOnSite:
    """Refuses requests off the sites of the start addresses, redirects included.

    Other hosts, private addresses among them, other ports and other schemes than http and https
    are all off the site.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        site = site_from_url(request.url)
        web = request.url.lower().startswith(("http://", "https://"))
        if not web or site not in self._crawler.spider.sites:
            raise IgnoreRequest(f"leads off the site, to {site or 'nowhere'}")
        if len(request.url) > MAX_URL_LENGTH:
            raise IgnoreRequest(URL_TOO_LONG_REASON)


class Robots:
    """Keeps to the robots.txt of each origin (scheme, host, port): RFC 9309.

    One that is not there (4xx) forbids nothing. One that can't be had, for whatever reason,
    forbids everything: nothing is sent before its rules are there.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"]
        stale = (
            crawler.settings.getfloat("HTTPCACHE_EXPIRATION_SECS") > MAX_ROBOTS_TXT_AGE_HOURS * 3600
        )
        self._meta = {"robots": True, "dont_redirect": True, "dont_cache": stale}
        self._rules: dict[str, asyncio.Task[Protego | str]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get("robots"):
            return
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = asyncio.ensure_future(self._ask(f"{origin}/robots.txt"))
        rules = await asyncio.shield(self._rules[origin])
        if isinstance(rules, str):
            raise IgnoreRequest(rules)
        if not rules.can_fetch(request.url, self._agent):
            raise IgnoreRequest("robots.txt forbids it")

    async def _ask(self, url: str) -> Protego | str:
        """The rules at `url`, or why nothing may be fetched."""
        location = b""
        for redirects in range(MAX_REDIRECTS + 1):
            answers = await asyncio.gather(self._get(url, location), return_exceptions=True)
            answer: Response | BaseException = answers[0]
            if isinstance(answer, BaseException):
                reason = failure_reason(answer)
                silent = reason.startswith("no answer") and not redirects
                return reason if silent else f"robots.txt can't be read ({reason})"
            if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                return self._read(answer)
            url, location = answer.url, answer.headers["Location"]
        return f"robots.txt can't be read (more than {MAX_REDIRECTS} redirects)"

    async def _get(self, url: str, location: bytes) -> Response:
        """Fetch `location` as seen from `url`, through all the other middlewares."""
        address = urljoin(url, location.decode("utf-8", "replace"))
        request = Request(address, callback=NO_CALLBACK, meta=dict(self._meta), priority=1000)
        return await self._crawler.engine.download_async(request)

    def _read(self, response: Response) -> Protego | str:
        status = response.status
        if 400 <= status < 500 and status != 429:
            return Protego.parse("")
        if not 200 <= status < 300:
            return f"robots.txt can't be read (HTTP {status})"
        obstacle = (
            blocking_reason(page_from_response(response, response.request))
            if _is_markup(response.body)
            else None
        )
        text = decode_robots_txt(response.body)
        if obstacle or text is None or "Content-Encoding" in response.headers:
            return f"robots.txt can't be read ({obstacle or 'not text'})"
        rules = Protego.parse(text)
        delay = rules.crawl_delay(self._agent) or 0.0
        if delay > MAX_WAIT_SECONDS:
            return f"robots.txt asks for a delay of {delay:,.10g} s, more than {MAX_WAIT_SECONDS:g} s is not waited"
        self._crawler.get_extension(Throttle).enforce_min_delay(delay)
        return rules


def _is_markup(body: bytes) -> bool:
    return body.lstrip().startswith(b"<")


def decode_robots_txt(body: bytes) -> str | None:
    """Decode a robots.txt: its lines without comments, up to LONGEST_RULES. None when it is no text.

    Bytes that are not UTF-8 are percent-encoded as they stand: so a path in GB18030 still fits its address.
    """
    if body.startswith(_UTF16):
        text = body.decode("utf-16", "replace")
    elif _BINARY.search(body):
        return None
    else:
        raw = body.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")
        text = _NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", raw)
    lines, left = [], MAX_ROBOTS_TXT_BYTES
    for line in text.splitlines():
        rule = line.partition("#")[0].strip()
        left -= len(rule) + 1 if rule else 0
        if left < 0:
            break
        lines.append(rule)
    return "\n".join(lines)


class FewPackings:
    """Refuses an answer packed into itself so often that unpacking it would hold the machine."""

    def process_response(self, request: Request, response: Response) -> Response:
        packings = b",".join(response.headers.getlist("Content-Encoding")).count(b",") + 1
        if packings > MAX_CONTENT_ENCODINGS:
            raise IgnoreRequest(f"answer packed more than {MAX_CONTENT_ENCODINGS} times")
        return response


class Backoff(RetryMiddleware):  # type: ignore[misc]
    """Waits before a retry: as long as Retry-After says, else 1, 2, 4 … seconds. Meanwhile the source asks nothing else."""

    async def process_response(self, request: Request, response: Response) -> Any:
        told = parse_retry_after(response.headers.get("Retry-After"))
        if told is not None and told > MAX_WAIT_SECONDS:
            return response
        answer = super().process_response(request, response)
        return await _after(answer, told)

    async def process_exception(self, request: Request, exception: Exception) -> Any:
        return await _after(super().process_exception(request, exception), None)


async def _after(answer: Any, told: float | None) -> Any:
    if isinstance(answer, Request):
        await asyncio.sleep(
            told
            if told is not None
            else min(2.0 ** (answer.meta["retry_times"] - 1), MAX_WAIT_SECONDS)
        )
    return answer


def parse_retry_after(header: bytes | None) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date (RFC 9110, 10.2.3); None without a valid one."""
    text = (header or b"").decode("latin-1").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - utc_now()).total_seconds())
    except (ValueError, TypeError):
        return None


class Throttle(AutoThrottle):  # type: ignore[misc]
    """AutoThrottle that also keeps robots.txt's Crawl-delay."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.mindelay = self.maxdelay = 0.0  # set when the spider opens

    def enforce_min_delay(self, delay_seconds: float) -> None:
        """Leave at least `delay` seconds between two requests from now on."""
        self.mindelay = max(self.mindelay, delay_seconds)
        self.maxdelay = max(self.maxdelay, self.mindelay)
        downloader = self.crawler.engine.downloader
        downloader._delay = max(downloader._delay, self.mindelay)
        for slot in downloader.slots.values():
            slot.delay = max(slot.delay, self.mindelay)


class Cache:
    """Pages that other runs fetched within `cache_hours`; those of this run go into its own folder."""

    def __init__(self, settings: Settings) -> None:
        own, *others = settings.getlist("HTTPCACHE_DIRS")
        self._own = _storage(settings, own)
        self._all = [self._own, *(_storage(settings, folder) for folder in others)]

    def open_spider(self, spider: Spider) -> None:
        for storage in self._all:
            storage.open_spider(spider)

    def close_spider(self, spider: Spider) -> None:
        for storage in self._all:
            storage.close_spider(spider)

    def retrieve_response(self, spider: Spider, request: Request) -> Response | None:
        cached = (storage.retrieve_response(spider, request) for storage in self._all)
        return next((response for response in cached if response is not None), None)

    def store_response(self, spider: Spider, request: Request, response: Response) -> None:
        self._own.store_response(spider, request, response)


def _storage(settings: Settings, folder: str) -> FilesystemCacheStorage:
    storage = FilesystemCacheStorage(settings)
    storage.cachedir = folder
    return storage


class CachePolicy(DummyPolicy):  # type: ignore[misc]
    """Keeps every good answer for `cache_hours`, but no login page and no captcha."""

    def should_cache_response(self, response: Response, request: Request) -> bool:
        return (
            bool(super().should_cache_response(response, request))
            and blocking_reason(page_from_response(response, request)) is None
        )


def page_from_response(response: Response, request: Request) -> Page:
    """The parser's view of a response, made once; one from the cache keeps the time when it left the server."""
    page: Page | None = request.meta.get("page")
    if page is None or page.body is not response.body:
        cached = request.meta.get("cache_timestamp") if "cached" in response.flags else None
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1")
        page = Page(
            response.url,
            response.body,
            datetime.fromtimestamp(cached, UTC) if cached else utc_now(),
            kind,
        )
        request.meta["page"] = page
    return page
