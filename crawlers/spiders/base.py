"""What every spider does: ask, keep the page, parse it, write the posts, follow the links, and keep the ledger."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import scrapy
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawlers.archive import CrawlWriter
from crawlers.ledger import LedgerRow
from crawlers.parse import PARSERS
from crawlers.parse.blocked import blocking_reason
from crawlers.parse.page import Link, Page, ParsedPage, RequestContext, SourceInfo
from crawlers.patience import MAX_PARSE_SECONDS, ParseTimeoutError, cpu_limit
from crawlers.politeness import (
    MAX_URL_LENGTH,
    URL_TOO_LONG_REASON,
    failure_reason,
    page_from_response,
    site_from_url,
)
from folate.core.config import Source

MAX_FAILURE_WEIGHT = 20  # a source is given up when failures in a row weigh this much:
PAGE_FAILURE_WEIGHT, SITE_FAILURE_WEIGHT = (
    1,
    5,
)  # one of the page's own (404, 403) or of the whole site (429, 5xx, no answer, captcha, login page)
MAX_BARREN_PAGES = 3  # in a row, of one list or thread, before it is given up: one alone may be full of removed posts
TIMEOUT_CLOSE_REASON = (
    "closespider_timeout"  # the reason that Scrapy gives when CLOSESPIDER_TIMEOUT is over
)
DATA_CAP_CLOSE_REASON = "too much data"


@dataclass
class PageChain:
    """Pages that follow one another by "next": of a board, a thread, a product."""

    pages: int = 1  # asked for
    barren: int = 0  # in a row that brought nothing new
    seen: set[str] = field(default_factory=set)  # ids of posts and addresses that its pages named

    def add(self, names: set[str]) -> None:
        """Note what a page named."""
        self.barren = 0 if names - self.seen else self.barren + 1
        self.seen |= names


class SourceSpider(scrapy.Spider):  # type: ignore[misc]
    """Reads one source. A subclass says where to start, which links to follow, and what ends a list."""

    reader: ClassVar[str]
    lists: ClassVar[frozenset[str]]  # roles of pages that `Source.pages` caps
    threads: ClassVar[frozenset[str]] = (
        frozenset()
    )  # those that `Source.thread_pages` caps, each for itself
    never_empty: ClassVar[frozenset[str]] = frozenset()  # roles of pages that always hold something

    def __init__(
        self, source: Source, site: SourceInfo, record: CrawlWriter, known: Collection[str] = ()
    ) -> None:
        super().__init__(name=source.name)
        self.source, self.site, self.record, self.known = source, site, record, frozenset(known)
        self.sites = {site_from_url(url) for url in source.start} - {""}
        self.rows: dict[str, LedgerRow] = {}
        self._chains: dict[
            str, PageChain
        ] = {}  # those that are being read, by the address of their first page
        self._waiting: Counter[str] = Counter()  # pages asked for and not come, by query
        self._asked = self._bytes = self._failures = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "SourceSpider":
        spider: SourceSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider._sent, signal=signals.request_reached_downloader)
        crawler.signals.connect(spider._dropped, signal=signals.request_dropped)
        crawler.signals.connect(spider._broken, signal=signals.spider_error)
        return spider

    def start_links(self) -> Iterator[Link]:
        """The first pages, one or more for each row of the ledger."""
        raise NotImplementedError

    def should_follow(self, link: Link, row: LedgerRow, depth: int) -> bool:
        """Whether to follow a link that the parser found `depth` links from the start.

        Every page is asked for once in any case.
        """
        return True

    def generated_links(
        self, row: LedgerRow, context: RequestContext, parsed: ParsedPage
    ) -> Iterator[Link]:
        """Links that no page names, such as the next page of an API."""
        return iter(())

    def refusal_reason(self, page: Page, parsed: ParsedPage) -> str | None:
        """Why a page that was served is not the one asked for."""
        return (
            None
            if parsed.posts or parsed.listed_ids or parsed.dropped or parsed.links
            else blocking_reason(page)
        )

    async def start(self) -> AsyncIterator[Request]:
        for link in self.start_links():
            for request in self._ask(link, self._row(link.context["query"])):
                yield request

    def parse(self, response: Response) -> Iterator[Request]:
        page, context = page_from_response(response, response.request), response.meta["context"]
        row = self._come(response.request)
        self._bytes += len(response.body)
        self.record.archive_page(page, self.source.name, context, response.status)
        if page.decoding_problem:
            self._failed(row, page.decoding_problem, PAGE_FAILURE_WEIGHT)
            return
        try:
            with cpu_limit():
                parsed = PARSERS[self.reader](page, self.site, context)
                reason = self.refusal_reason(page, parsed)
        except ParseTimeoutError:
            parsed, reason = ParsedPage(), f"page not read within {MAX_PARSE_SECONDS:g} s"
        if reason:
            self._failed(row, reason, SITE_FAILURE_WEIGHT)
            return
        self._failures = 0
        row.pages += 1
        row.problems.update(parsed.problems)
        told = parsed.posts or parsed.dropped or parsed.links or parsed.reported_total == 0
        if context["role"] in self.never_empty and not told:
            row.problems["nothing on the page was recognised"] += 1
        for post in parsed.posts:
            self.record.write_post(row, page.url, post)
        for dropped in parsed.dropped:
            self.record.write_reject(row, page.url, dropped)
        links = [*parsed.links, *self.generated_links(row, context, parsed)]
        self.record.write_progress_row(row)
        if self._bytes > self.source.gigabytes * 1e9:
            self._waiting[row.query] += bool(links)  # which stay unread
            raise CloseSpider(DATA_CAP_CLOSE_REASON)
        yield from self._follow(row, context, parsed, links, response.meta.get("depth", 0))

    def handle_failure(self, row: LedgerRow, failure: Failure) -> None:
        """A page that could not be had, after all retries."""
        error = failure.value
        if isinstance(error, HttpError):
            status = error.response.status
            self._failed(
                row,
                f"HTTP {status}",
                SITE_FAILURE_WEIGHT if status == 429 or status >= 500 else PAGE_FAILURE_WEIGHT,
            )
        elif isinstance(error, IgnoreRequest):  # nothing more was sent
            row.problems[failure_reason(error)] += 1
        else:
            self._failed(row, failure_reason(error), SITE_FAILURE_WEIGHT)

    def closed(self, reason: str) -> None:
        """Write the rows of the ledger; those of which pages were not read say why."""
        if reason != "finished":
            for link in self.start_links():
                if link.context["query"] not in self.rows:
                    self._row(link.context["query"])
                    self._waiting[link.context["query"]] += 1
        caps = {
            TIMEOUT_CLOSE_REASON: f"time limit of {self.source.hours:,.6g} h reached",
            DATA_CAP_CLOSE_REASON: f"cap of {self.source.gigabytes:,.6g} GB reached",
        }
        for row in self.rows.values():
            if reason != "finished" and self._waiting[row.query] > 0:
                counts = row.limits_reached if reason in caps else row.problems
                counts[f"stopped early: {caps.get(reason, reason)}"] += 1
            self.record.write_final_row(row)

    def _row(self, query: str) -> LedgerRow:
        """The row of a query, which is written down as soon as it is begun."""
        if query not in self.rows:
            self.rows[query] = LedgerRow(self.site.crawl_id, self.source.name, query)
            self.record.write_progress_row(self.rows[query])
        return self.rows[query]

    def _follow(
        self,
        row: LedgerRow,
        context: RequestContext,
        parsed: ParsedPage,
        links: list[Link],
        depth: int,
    ) -> Iterator[Request]:
        """Ask for the pages that a page names; its next one only while the chain brings anything new."""
        address = context["chain"]
        chain = self._chains.setdefault(address, PageChain())
        following = [link for link in links if link.context.get("chain") == address]
        others = [link for link in links if link.context.get("chain") != address]
        chain.add(_names(parsed) | {link.url for link in others})
        if not following:
            del self._chains[address]
        elif chain.barren >= MAX_BARREN_PAGES:
            row.limits_reached[f"{MAX_BARREN_PAGES} pages in a row brought nothing new"] += 1
            following = []
        for link in (*others, *following):
            if site_from_url(link.url) in self.sites and self.should_follow(link, row, depth + 1):
                yield from self._ask(link, row)

    def _ask(self, link: Link, row: LedgerRow) -> Iterator[Request]:
        """The request for a link, unless it is one too many."""
        role, source = link.context["role"], self.source
        context = {"chain": link.url, **link.context}
        chain = self._chains.get(context["chain"])
        if len(link.url) > MAX_URL_LENGTH:
            row.problems[URL_TOO_LONG_REASON] += 1
        elif role in self.lists and row.list_pages >= source.pages:
            row.limits_reached[f"cap of {source.pages} pages"] = 1
        elif role in self.threads and chain and chain.pages >= source.thread_pages:
            row.limits_reached[f"cap of {source.thread_pages} pages of one {role}"] += 1
        elif self._asked >= source.requests:
            row.limits_reached[f"cap of {source.requests} requests"] = 1
        else:
            row.list_pages += role in self.lists
            if chain:
                chain.pages += 1
            self._asked += 1
            self._waiting[row.query] += 1
            yield Request(link.url, self.parse, errback=self._lost, meta={"context": context})

    def _come(self, request: Request) -> LedgerRow:
        """The row of a request that has come to its end, well or not."""
        row = self.rows[request.meta["context"]["query"]]
        self._waiting[row.query] -= 1
        return row

    def _lost(self, failure: Failure) -> None:
        row = self._come(failure.request)
        try:
            self.handle_failure(row, failure)
        finally:
            self.record.write_progress_row(row)

    def _failed(self, row: LedgerRow, reason: str, weight: int) -> None:
        row.problems[reason] += 1
        self._failures += weight
        if self._failures >= MAX_FAILURE_WEIGHT:
            raise CloseSpider("too many failures in a row")

    def _sent(self, request: Request, spider: Any) -> None:
        context = request.meta.get("context")
        if context:
            self.rows[context["query"]].requests += 1

    def _dropped(self, request: Request, spider: Any) -> None:
        """An address that was asked for before: by another page, or by this one on a way in a circle."""
        row = self._come(request)
        self._asked -= 1
        if request.url in request.meta.get("redirect_urls", ()):
            row.problems["redirects in a circle"] += 1

    def _broken(self, failure: Failure, response: Response, spider: Any) -> None:
        """A parser that raised: our fault, and said so."""
        context = response.meta.get("context")
        if context:
            self.rows[context["query"]].problems[
                f"parser error ({type(failure.value).__name__})"
            ] += 1


def _names(parsed: ParsedPage) -> set[str]:
    """Ids of what a page holds."""
    dropped = {item.id for item in parsed.dropped if item.id}
    return {post.id for post in parsed.posts} | dropped | set(parsed.listed_ids)
