"""How Folate behaves on the wire: stays on the site, obeys robots.txt and its delay, backs off when told to."""

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.extensions.httpcache import DummyPolicy
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Request, Response

from crawlers.ledger import now
from crawlers.parse.page import Page
from crawlers.parse.wall import wall

LONGEST_WAIT = 120.0  # seconds; a server that asks for more is left alone


def site_of(url: str) -> str:
    """Host and port, without `www.`: what a crawl stays on."""
    return urlsplit(url).netloc.lower().removeprefix("www.")


class StayOnSite:
    """Refuses requests off the sites of the start addresses, redirects included, and schemes other than http and https."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in ("http", "https") or site_of(request.url) not in self._crawler.spider.sites:
            raise IgnoreRequest(f"leads off the site, to {site_of(request.url) or 'nowhere'}")


class RobotsAnswer:
    """RFC 9309, 2.3.1: a robots.txt that is not there (4xx) forbids nothing, one that can't be had (5xx, no answer) everything."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        if not _is_robots(request) or response.status < 400:
            return response
        if response.status < 500 and response.status != 429:
            return Response(request.url, body=b"")
        return self._forbid(request, f"robots.txt can't be read (HTTP {response.status})")

    def process_exception(self, request: Request, exception: Exception) -> Response | None:
        return self._forbid(request, f"no answer ({type(exception).__name__})") if _is_robots(request) else None

    def _forbid(self, request: Request, reason: str) -> Response:
        self._crawler.spider.robots[site_of(request.url)] = reason
        return Response(request.url, body=b"User-agent: *\nDisallow: /")


def _is_robots(request: Request) -> bool:
    return bool(request.meta.get("dont_obey_robotstxt")) and urlsplit(request.url).path == "/robots.txt"


class Backoff(RetryMiddleware):  # type: ignore[misc]
    """Waits before a retry: as long as Retry-After says, else 1, 2, 4 … seconds. Meanwhile the source asks nothing else."""

    async def process_response(self, request: Request, response: Response) -> Any:
        told = retry_after(response.headers.get("Retry-After"))
        if told is not None and told > LONGEST_WAIT:
            return response
        answer = super().process_response(request, response)
        return await _after(answer, told)

    async def process_exception(self, request: Request, exception: Exception) -> Any:
        return await _after(super().process_exception(request, exception), None)


async def _after(answer: Any, told: float | None) -> Any:
    if isinstance(answer, Request):
        await asyncio.sleep(told if told is not None else min(2.0 ** (answer.meta["retry_times"] - 1), LONGEST_WAIT))
    return answer


def retry_after(header: bytes | None) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date (RFC 9110, 10.2.3); None without a valid one."""
    text = (header or b"").decode("latin-1").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now()).total_seconds())
    except (ValueError, TypeError):
        return None


class Throttle(AutoThrottle):  # type: ignore[misc]
    """AutoThrottle that also keeps robots.txt's Crawl-delay."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.mindelay = self.maxdelay = 0.0  # set when the spider opens
        crawler.signals.connect(self._robots_parsed, signal=signals.robots_parsed)

    def _robots_parsed(self, robotparser: Any, request: Request) -> None:
        asked = robotparser.crawl_delay(self.crawler.settings["ROBOTSTXT_USER_AGENT"]) or 0.0
        self.mindelay = max(self.mindelay, asked)
        self.maxdelay = max(self.maxdelay, self.mindelay)
        downloader = self.crawler.engine.downloader
        downloader._delay = max(downloader._delay, self.mindelay)
        for slot in downloader.slots.values():
            slot.delay = max(slot.delay, self.mindelay)


class CachePolicy(DummyPolicy):  # type: ignore[misc]
    """Keeps every good answer for `cache_hours`, but no login page and no captcha."""

    def should_cache_response(self, response: Response, request: Request) -> bool:
        return bool(super().should_cache_response(response, request)) and wall(page_of(response, request)) is None


def page_of(response: Response, request: Request) -> Page:
    """The parser's view of a response, made once; one from the cache keeps the time when it left the server."""
    page: Page | None = request.meta.get("page")
    if page is None or page.body is not response.body:
        cached = request.meta.get("cache_timestamp") if "cached" in response.flags else None
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1")
        page = Page(response.url, response.body, datetime.fromtimestamp(cached, UTC) if cached else now(), kind)
        request.meta["page"] = page
    return page
