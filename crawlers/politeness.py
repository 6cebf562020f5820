"""Scrapy middlewares and extensions for polite crawling.

They keep a crawl on its sites, obey robots.txt, back off on request, and cache pages.
"""

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

MAX_WAIT_SECONDS = 120.0  # a site that asks for a longer delay is not crawled
MAX_URL_LENGTH = 2083  # characters; Scrapy's own limit
MAX_REDIRECTS = 5  # RFC 9309, 2.3.1.2, for robots.txt; used for pages, too
MAX_CONTENT_ENCODINGS = 2  # layers; each is decompressed to at most MAX_RESPONSE_BYTES
MAX_ROBOTS_TXT_BYTES = 500 * 2**10  # that are parsed, without comments: RFC 9309, 2.5
MAX_ROBOTS_TXT_AGE_HOURS = 24.0  # RFC 9309, 2.4: an older copy must not be used
URL_TOO_LONG_REASON = f"address of more than {MAX_URL_LENGTH:,} characters"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECT_STATUS_CODES = frozenset({301, 302, 303, 307, 308})
_CONTROL_BYTE = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_UTF16_BOMS = (BOM_UTF16_LE, BOM_UTF16_BE)
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")  # as the error handler `surrogateescape` gives it
_SCRAPY_REDIRECT_ERROR = "max redirections reached"  # the message of its RedirectMiddleware
_NO_ANSWER_ERRORS = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)


def site_from_url(url: str) -> str:
    """Return the host of an address without `www.`, with its port unless it is the default.

    The result is empty for an address without a host, with an impossible port, or with a login.
    """
    try:
        url_parts = urlsplit(url)
        host = (url_parts.hostname or "").encode("idna").decode()
        port = url_parts.port
    except ValueError:  # UnicodeError included: a host name with a label of 64 characters
        return ""
    if not host or "@" in url_parts.netloc:
        return ""
    host = f"[{host}]" if ":" in host else host.removeprefix("www.")
    return host if port in (None, _DEFAULT_PORTS.get(url_parts.scheme)) else f"{host}:{port}"


def failure_reason(error: BaseException) -> str:
    """Return the ledger's reason for a page that could not be fetched."""
    error_name = type(error).__name__
    if isinstance(error, DownloadCancelledError) or "DOWNLOAD_MAXSIZE" in str(error):
        return "answer too large"
    if isinstance(error, IgnoreRequest):
        if str(error) == _SCRAPY_REDIRECT_ERROR:
            return f"more than {MAX_REDIRECTS} redirects"
        return str(error)
    if isinstance(error, _NO_ANSWER_ERRORS):
        return f"no answer ({error_name})"
    return f"answer can't be read ({error_name})"


class StayOnSite:
    """Downloader middleware: refuse requests off the sites of the start addresses.

    Redirects are checked, too. Other hosts (with private addresses), other ports, and schemes
    other than http and https are off the site.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raise IgnoreRequest for a request off the site or with too long an address."""
        site = site_from_url(request.url)
        is_web = request.url.lower().startswith(("http://", "https://"))
        if not is_web or site not in self._crawler.spider.sites:
            raise IgnoreRequest(f"leads off the site, to {site or 'nowhere'}")
        if len(request.url) > MAX_URL_LENGTH:
            raise IgnoreRequest(URL_TOO_LONG_REASON)


class Robots:
    """Downloader middleware: obey the robots.txt of each origin (scheme, host, port), RFC 9309.

    A missing one (4xx) forbids nothing. One that can't be fetched, for whatever reason, forbids
    everything: no request is sent before the rules are known.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"]
        cache_seconds = crawler.settings.getfloat("HTTPCACHE_EXPIRATION_SECS")
        dont_cache = cache_seconds > MAX_ROBOTS_TXT_AGE_HOURS * 3600
        self._request_meta = {"robots": True, "dont_redirect": True, "dont_cache": dont_cache}
        # The rules by origin, or the reason why nothing may be fetched.
        self._rules: dict[str, asyncio.Task[Protego | str]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raise IgnoreRequest for a request that robots.txt forbids."""
        if request.meta.get("robots"):
            return
        url_parts = urlsplit(request.url)
        origin = f"{url_parts.scheme}://{url_parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = asyncio.ensure_future(self._load_rules(f"{origin}/robots.txt"))
        rules = await asyncio.shield(self._rules[origin])
        if isinstance(rules, str):
            raise IgnoreRequest(rules)
        if not rules.can_fetch(request.url, self._agent):
            raise IgnoreRequest("robots.txt forbids it")

    async def _load_rules(self, url: str) -> Protego | str:
        """Return the rules at `url`, or the reason why nothing may be fetched."""
        location = b""
        for redirect_count in range(MAX_REDIRECTS + 1):
            outcomes = await asyncio.gather(self._fetch(url, location), return_exceptions=True)
            outcome: Response | BaseException = outcomes[0]
            if isinstance(outcome, BaseException):
                reason = failure_reason(outcome)
                if reason.startswith("no answer") and not redirect_count:
                    return reason
                return f"robots.txt can't be read ({reason})"
            if outcome.status not in _REDIRECT_STATUS_CODES or "Location" not in outcome.headers:
                return self._parse_rules(outcome)
            url = outcome.url
            location = outcome.headers["Location"]
        return f"robots.txt can't be read (more than {MAX_REDIRECTS} redirects)"

    async def _fetch(self, url: str, location: bytes) -> Response:
        """Fetch `location`, relative to `url`, through all other middlewares."""
        address = urljoin(url, location.decode("utf-8", "replace"))
        request = Request(
            address, callback=NO_CALLBACK, meta=dict(self._request_meta), priority=1000
        )
        return await self._crawler.engine.download_async(request)

    def _parse_rules(self, response: Response) -> Protego | str:
        """Return the rules of a response, or the reason why nothing may be fetched."""
        status = response.status
        if 400 <= status < 500 and status != 429:
            return Protego.parse("")
        if not 200 <= status < 300:
            return f"robots.txt can't be read (HTTP {status})"
        obstacle = None
        if response.body.lstrip().startswith(b"<"):
            obstacle = blocking_reason(page_from_response(response, response.request))
        text = decode_robots_txt(response.body)
        if obstacle or text is None or "Content-Encoding" in response.headers:
            return f"robots.txt can't be read ({obstacle or 'not text'})"
        rules = Protego.parse(text)
        delay = rules.crawl_delay(self._agent) or 0.0
        if delay > MAX_WAIT_SECONDS:
            return (
                f"robots.txt asks for a delay of {delay:,.10g} s, "
                f"more than {MAX_WAIT_SECONDS:g} s is not waited"
            )
        self._crawler.get_extension(Throttle).enforce_min_delay(delay)
        return rules


def decode_robots_txt(body: bytes) -> str | None:
    """Return the lines of a robots.txt without comments, up to MAX_ROBOTS_TXT_BYTES.

    Returns None when it is not text. Bytes that are not UTF-8 are percent-encoded, so that a path
    in GB18030 matches its address.
    """
    if body.startswith(_UTF16_BOMS):
        text = body.decode("utf-16", "replace")
    elif _CONTROL_BYTE.search(body):
        return None
    else:
        raw = body.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")
        text = _ESCAPED_BYTE.sub(lambda match: f"%{ord(match[0]) - 0xDC00:02X}", raw)
    lines = []
    remaining_bytes = MAX_ROBOTS_TXT_BYTES
    for line in text.splitlines():
        rule = line.partition("#")[0].strip()
        remaining_bytes -= len(rule) + 1 if rule else 0
        if remaining_bytes < 0:
            break
        lines.append(rule)
    return "\n".join(lines)


class ContentEncodingLimit:
    """Downloader middleware: refuse a response with too many layers of Content-Encoding."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the response. Raises IgnoreRequest for too many layers of compression."""
        encodings = b",".join(response.headers.getlist("Content-Encoding"))
        if encodings.count(b",") + 1 > MAX_CONTENT_ENCODINGS:
            raise IgnoreRequest(f"answer packed more than {MAX_CONTENT_ENCODINGS} times")
        return response


class Backoff(RetryMiddleware):  # type: ignore[misc]
    """Downloader middleware: wait before a retry as Retry-After says, else 1, 2, 4 … seconds.

    No other request of the source is sent meanwhile.
    """

    async def process_response(self, request: Request, response: Response) -> Any:
        """Return the response, or after a delay the request to send again."""
        retry_after = parse_retry_after(response.headers.get("Retry-After"))
        if retry_after is not None and retry_after > MAX_WAIT_SECONDS:
            return response
        return await _delay_retry(super().process_response(request, response), retry_after)

    async def process_exception(self, request: Request, exception: Exception) -> Any:
        """Return None, or after a delay the request to send again."""
        return await _delay_retry(super().process_exception(request, exception), None)


async def _delay_retry(outcome: Any, retry_after: float | None) -> Any:
    """Return the outcome of RetryMiddleware; when it is a retry, sleep first."""
    if isinstance(outcome, Request):
        backoff_seconds = min(2.0 ** (outcome.meta["retry_times"] - 1), MAX_WAIT_SECONDS)
        await asyncio.sleep(backoff_seconds if retry_after is None else retry_after)
    return outcome


def parse_retry_after(header: bytes | None) -> float | None:
    """Return the seconds that a Retry-After header asks for; None without a valid header.

    The header has a number of seconds or a date (RFC 9110, 10.2.3).
    """
    text = (header or b"").decode("latin-1").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - utc_now()).total_seconds())
    except (ValueError, TypeError):
        return None


class Throttle(AutoThrottle):  # type: ignore[misc]
    """AutoThrottle that never falls below the Crawl-delay of robots.txt."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        # AutoThrottle sets both when the spider opens.
        self.mindelay = 0.0
        self.maxdelay = 0.0

    def enforce_min_delay(self, delay_seconds: float) -> None:
        """Leave at least `delay_seconds` between two requests from now on."""
        self.mindelay = max(self.mindelay, delay_seconds)
        self.maxdelay = max(self.maxdelay, self.mindelay)
        downloader = self.crawler.engine.downloader
        downloader._delay = max(downloader._delay, self.mindelay)
        for slot in downloader.slots.values():
            slot.delay = max(slot.delay, self.mindelay)


class Cache:
    """HTTP cache storage that writes to the folder of this run and reads those of all runs."""

    def __init__(self, settings: Settings) -> None:
        folders = settings.getlist("HTTPCACHE_DIRS")
        self._storages = [_make_storage(settings, folder) for folder in folders]
        self._own_storage = self._storages[0]

    def open_spider(self, spider: Spider) -> None:
        """Open all storages."""
        for storage in self._storages:
            storage.open_spider(spider)

    def close_spider(self, spider: Spider) -> None:
        """Close all storages."""
        for storage in self._storages:
            storage.close_spider(spider)

    def retrieve_response(self, spider: Spider, request: Request) -> Response | None:
        """Return the first cached response to a request, or None."""
        for storage in self._storages:
            response = storage.retrieve_response(spider, request)
            if response is not None:
                return response
        return None

    def store_response(self, spider: Spider, request: Request, response: Response) -> None:
        """Store a response in this run's folder."""
        self._own_storage.store_response(spider, request, response)


def _make_storage(settings: Settings, folder: str) -> FilesystemCacheStorage:
    storage = FilesystemCacheStorage(settings)
    storage.cachedir = folder
    return storage


class CachePolicy(DummyPolicy):  # type: ignore[misc]
    """HTTP cache policy: keep good responses for `cache_hours`, but no login pages or captchas."""

    def should_cache_response(self, response: Response, request: Request) -> bool:
        """Return whether to store a response."""
        if not super().should_cache_response(response, request):
            return False
        return blocking_reason(page_from_response(response, request)) is None


def page_from_response(response: Response, request: Request) -> Page:
    """Return the Page of a response, which is built once for each request.

    A response from the cache keeps the time when it was fetched from the server.
    """
    page: Page | None = request.meta.get("page")
    if page is None or page.body is not response.body:
        timestamp = request.meta.get("cache_timestamp") if "cached" in response.flags else None
        fetched_at = datetime.fromtimestamp(timestamp, UTC) if timestamp else utc_now()
        content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
        page = Page(response.url, response.body, fetched_at, content_type)
        request.meta["page"] = page
    return page
