"""What every spider does: ask, keep the page, parse it, write the posts, follow the links, and keep the ledger."""

from collections.abc import AsyncIterator, Collection, Iterator
from typing import Any, ClassVar

import scrapy
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawlers.ledger import Row
from crawlers.middlewares import page_of, site_of
from crawlers.parse import READERS
from crawlers.parse.page import Context, Link, Page, Parsed, Site
from crawlers.parse.wall import wall
from crawlers.record import Record
from folate.config import Source

PATIENCE = 20  # a source is given up when failures in a row weigh this much:
PAGE, SITE = 1, 5  # one of the page's own (404, 403) or of the whole site (429, 5xx, no answer, captcha, login page)


class SourceSpider(scrapy.Spider):  # type: ignore[misc]
    """Reads one source. A subclass says where to start, which links to follow, and what ends a list."""

    reader: ClassVar[str]
    lists: ClassVar[frozenset[str]]  # roles of pages that `Source.pages` caps
    never_empty: ClassVar[frozenset[str]] = frozenset()  # roles of pages that always hold something

    def __init__(self, source: Source, site: Site, record: Record, known: Collection[str] = ()) -> None:
        super().__init__(name=source.name)
        self.source, self.site, self.record, self.known = source, site, record, frozenset(known)
        self.sites = {site_of(url) for url in source.start}
        self.robots: dict[str, str] = {}  # site: why its robots.txt could not be read
        self.rows: dict[str, Row] = {}
        self._failures = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "SourceSpider":
        spider: SourceSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider._sent, signal=signals.request_reached_downloader)
        crawler.signals.connect(spider._broken, signal=signals.spider_error)
        return spider

    def entries(self) -> Iterator[Link]:
        """The first pages, one or more for each row of the ledger."""
        raise NotImplementedError

    def wanted(self, link: Link) -> bool:
        """Whether to follow a link that the parser found. Every page is asked for once in any case."""
        return True

    def after(self, row: Row, context: Context, parsed: Parsed) -> Iterator[Link]:
        """Links that no page names, such as the next page of an API."""
        return iter(())

    def refusal(self, page: Page, parsed: Parsed) -> str | None:
        """Why a page that was served is not the one asked for."""
        return None if parsed.posts or parsed.listed or parsed.dropped or parsed.links else wall(page)

    async def start(self) -> AsyncIterator[Request]:
        for link in self.entries():
            self.rows.setdefault(link.context["query"], Row(self.site.crawl, self.source.name, link.context["query"]))
            for request in self._ask(link):
                yield request

    def parse(self, response: Response) -> Iterator[Request]:
        page, context = page_of(response, response.request), response.meta["context"]
        row = self.rows[context["query"]]
        self.record.keep(page, self.source.name, context, response.status)
        parsed = READERS[self.reader](page, self.site, context)
        reason = self.refusal(page, parsed)
        if reason:
            self._failed(row, reason, SITE)
            return
        self._failures = 0
        row.pages += 1
        row.problems.update(parsed.problems)
        told = parsed.posts or parsed.dropped or parsed.links or parsed.total == 0
        if context["role"] in self.never_empty and not told:
            row.problems["nothing on the page was recognised"] += 1
        for post in parsed.posts:
            self.record.post(row, post)
        for dropped in parsed.dropped:
            self.record.reject(row, page, dropped)
        for link in (*parsed.links, *self.after(row, context, parsed)):
            if site_of(link.url) in self.sites and self.wanted(link):
                yield from self._ask(link)

    def lost(self, failure: Failure) -> Any:
        """A page that could not be had, after all retries."""
        row = self.rows[failure.request.meta["context"]["query"]]
        error = failure.value
        if isinstance(error, HttpError):
            status = error.response.status
            self._failed(row, f"HTTP {status}", SITE if status == 429 or status >= 500 else PAGE)
        elif isinstance(error, IgnoreRequest):  # nothing was sent
            forbidden = "robots.txt" in str(error)
            reason = self.robots.get(site_of(failure.request.url), "robots.txt forbids it") if forbidden else str(error)
            row.problems[reason] += 1
        else:
            self._failed(row, f"no answer ({type(error).__name__})", SITE)

    def closed(self, reason: str) -> None:
        for row in self.rows.values():
            if reason != "finished":
                row.problems[f"stopped early: {reason}"] += 1
            self.record.finish(row)

    def _ask(self, link: Link) -> Iterator[Request]:
        row = self.rows[link.context["query"]]
        if link.context["role"] in self.lists:
            if row.lists >= self.source.pages:
                row.limits[f"cap of {self.source.pages} pages"] = 1
                return
            row.lists += 1
        yield Request(link.url, callback=self.parse, errback=self.lost, meta={"context": link.context})

    def _failed(self, row: Row, reason: str, weight: int) -> None:
        row.problems[reason] += 1
        self._failures += weight
        if self._failures >= PATIENCE:
            raise CloseSpider("too many failures in a row")

    def _sent(self, request: Request, spider: Any) -> None:
        context = request.meta.get("context")
        if context:
            self.rows[context["query"]].requests += 1

    def _broken(self, failure: Failure, response: Response, spider: Any) -> None:
        """A parser that raised: our fault, and said so."""
        context = response.meta.get("context")
        if context:
            self.rows[context["query"]].problems[f"parser error ({type(failure.value).__name__})"] += 1
