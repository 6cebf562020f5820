"""The base of all spiders: request, archive, parse, write posts, follow links, keep the ledger."""

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

MAX_FAILURE_WEIGHT = 20  # a source is given up when failures in a row weigh this much
PAGE_FAILURE_WEIGHT = 1  # of a failure of one page: 404, 403
SITE_FAILURE_WEIGHT = 5  # of the whole site: 429, 5xx, no answer, captcha, login page
# Pages in a row that brought nothing new before a list or thread is given up. One alone is not
# enough: it may be full of removed posts.
MAX_BARREN_PAGES = 3
TIMEOUT_CLOSE_REASON = "closespider_timeout"  # Scrapy's word for the end of CLOSESPIDER_TIMEOUT
DATA_CAP_CLOSE_REASON = "too much data"


@dataclass
class PageChain:
    """Pages linked by "next": of a board, a thread or a product."""

    # Pages requested so far.
    pages: int = 1
    # Pages in a row that brought nothing new.
    barren: int = 0
    # Ids of posts, and addresses, that the pages named.
    named_ids: set[str] = field(default_factory=set)

    def add_page(self, names: set[str]) -> None:
        """Count a page by the ids and addresses that it names."""
        self.barren = 0 if names - self.named_ids else self.barren + 1
        self.named_ids |= names


class SourceSpider(scrapy.Spider):  # type: ignore[misc]
    """Crawls one source.

    A subclass says where to start, which links to follow, and where a list ends.
    """

    # The key of the parser in `crawlers.parse.PARSERS`.
    parser_name: ClassVar[str]
    # Roles of pages that `Source.pages` caps.
    list_roles: ClassVar[frozenset[str]]
    # Roles of pages that `Source.thread_pages` caps, for each chain of pages.
    thread_roles: ClassVar[frozenset[str]] = frozenset()
    # Roles of pages that always contain something.
    never_empty_roles: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        source: Source,
        source_info: SourceInfo,
        writer: CrawlWriter,
        known_thread_ids: Collection[str] = (),
    ) -> None:
        super().__init__(name=source.name)
        self.source = source
        self.source_info = source_info
        self.writer = writer
        self.known_thread_ids = frozenset(known_thread_ids)
        self.sites = {site_from_url(url) for url in source.start} - {""}
        self.rows: dict[str, LedgerRow] = {}
        # The chains that are being read, by the address of their first page.
        self._chains: dict[str, PageChain] = {}
        # Pages requested and not yet answered, by query.
        self._pending: Counter[str] = Counter()
        self._request_count = 0
        self._byte_count = 0
        self._failure_weight = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "SourceSpider":
        """Create the spider and connect its handlers of Scrapy's signals."""
        spider: SourceSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider._count_request, signal=signals.request_reached_downloader)
        crawler.signals.connect(spider._handle_duplicate, signal=signals.request_dropped)
        crawler.signals.connect(spider._handle_parser_error, signal=signals.spider_error)
        return spider

    def start_links(self) -> Iterator[Link]:
        """Yield the first pages, one or more for each row of the ledger."""
        raise NotImplementedError

    def should_follow(self, link: Link, row: LedgerRow, depth: int) -> bool:
        """Return whether to follow a link that the parser found `depth` links from the start.

        No page is requested twice in any case.
        """
        return True

    def generated_links(
        self, row: LedgerRow, context: RequestContext, parsed: ParsedPage
    ) -> Iterator[Link]:
        """Yield links that no page contains, such as the next page of an API."""
        return iter(())

    def refusal_reason(self, page: Page, parsed: ParsedPage) -> str | None:
        """Return why a page that was served is not the requested one, or None."""
        if parsed.posts or parsed.listed_ids or parsed.dropped or parsed.links:
            return None
        return blocking_reason(page)

    async def start(self) -> AsyncIterator[Request]:
        """Yield the first requests."""
        for link in self.start_links():
            for request in self._make_requests(link, self._start_row(link.context["query"])):
                yield request

    def parse(self, response: Response) -> Iterator[Request]:
        """Archive and parse a page, write its posts and yield requests for its links."""
        page = page_from_response(response, response.request)
        context = response.meta["context"]
        row = self._finish_request(response.request)
        self._byte_count += len(response.body)
        self.writer.archive_page(page, self.source.name, context, response.status)
        if page.decoding_problem:
            self._add_failure(row, page.decoding_problem, PAGE_FAILURE_WEIGHT)
            return
        try:
            with cpu_limit():
                parsed = PARSERS[self.parser_name](page, self.source_info, context)
                reason = self.refusal_reason(page, parsed)
        except ParseTimeoutError:
            parsed = ParsedPage()
            reason = f"page not read within {MAX_PARSE_SECONDS:g} s"
        if reason:
            self._add_failure(row, reason, SITE_FAILURE_WEIGHT)
            return
        self._failure_weight = 0
        row.pages += 1
        self._write_parsed_page(row, page, context, parsed)
        links = [*parsed.links, *self.generated_links(row, context, parsed)]
        self.writer.write_progress_row(row)
        if self._byte_count > self.source.gigabytes * 1e9:
            self._pending[row.query] += bool(links)  # they stay unread
            raise CloseSpider(DATA_CAP_CLOSE_REASON)
        yield from self._follow_links(row, context, parsed, links, response.meta.get("depth", 0))

    def _write_parsed_page(
        self, row: LedgerRow, page: Page, context: RequestContext, parsed: ParsedPage
    ) -> None:
        """Write the posts and the dropped items of a page, and add its problems to the row."""
        row.problems.update(parsed.problems)
        has_content = parsed.posts or parsed.dropped or parsed.links or parsed.reported_total == 0
        if context["role"] in self.never_empty_roles and not has_content:
            row.problems["nothing on the page was recognised"] += 1
        for post in parsed.posts:
            self.writer.write_post(row, page.url, post)
        for dropped in parsed.dropped:
            self.writer.write_reject(row, page.url, dropped)

    def handle_failure(self, row: LedgerRow, failure: Failure) -> None:
        """Add a page that could not be fetched, after all retries, to the row's problems."""
        error = failure.value
        if isinstance(error, HttpError):
            status = error.response.status
            is_site_failure = status == 429 or status >= 500
            weight = SITE_FAILURE_WEIGHT if is_site_failure else PAGE_FAILURE_WEIGHT
            self._add_failure(row, f"HTTP {status}", weight)
        elif isinstance(error, IgnoreRequest):  # the request was not sent
            row.problems[failure_reason(error)] += 1
        else:
            self._add_failure(row, failure_reason(error), SITE_FAILURE_WEIGHT)

    def closed(self, reason: str) -> None:
        """Write the final rows of the ledger, with the reason where pages were not read."""
        if reason != "finished":
            for link in self.start_links():
                if link.context["query"] not in self.rows:
                    self._start_row(link.context["query"])
                    self._pending[link.context["query"]] += 1
        caps = {
            TIMEOUT_CLOSE_REASON: f"time limit of {self.source.hours:,.6g} h reached",
            DATA_CAP_CLOSE_REASON: f"cap of {self.source.gigabytes:,.6g} GB reached",
        }
        for row in self.rows.values():
            if reason != "finished" and self._pending[row.query] > 0:
                counts = row.limits_reached if reason in caps else row.problems
                counts[f"stopped early: {caps.get(reason, reason)}"] += 1
            self.writer.write_final_row(row)

    def _start_row(self, query: str) -> LedgerRow:
        """Return the row of a query; a new one is written to the ledger at once."""
        if query not in self.rows:
            self.rows[query] = LedgerRow(self.source_info.crawl_id, self.source.name, query)
            self.writer.write_progress_row(self.rows[query])
        return self.rows[query]

    def _follow_links(
        self,
        row: LedgerRow,
        context: RequestContext,
        parsed: ParsedPage,
        links: list[Link],
        depth: int,
    ) -> Iterator[Request]:
        """Yield requests for a page's links; for its next page only while the chain brings news."""
        chain_url = context["chain"]
        chain = self._chains.setdefault(chain_url, PageChain())
        next_links = [link for link in links if link.context.get("chain") == chain_url]
        other_links = [link for link in links if link.context.get("chain") != chain_url]
        chain.add_page(_item_ids(parsed) | {link.url for link in other_links})
        if not next_links:
            del self._chains[chain_url]
        elif chain.barren >= MAX_BARREN_PAGES:
            row.limits_reached[f"{MAX_BARREN_PAGES} pages in a row brought nothing new"] += 1
            next_links = []
        for link in (*other_links, *next_links):
            if site_from_url(link.url) in self.sites and self.should_follow(link, row, depth + 1):
                yield from self._make_requests(link, row)

    def _make_requests(self, link: Link, row: LedgerRow) -> Iterator[Request]:
        """Yield the request for a link, or none where a cap is reached."""
        source = self.source
        role = link.context["role"]
        context = {"chain": link.url, **link.context}
        chain = self._chains.get(context["chain"])
        if len(link.url) > MAX_URL_LENGTH:
            row.problems[URL_TOO_LONG_REASON] += 1
        elif role in self.list_roles and row.list_pages >= source.pages:
            row.limits_reached[f"cap of {source.pages} pages"] = 1
        elif role in self.thread_roles and chain and chain.pages >= source.thread_pages:
            row.limits_reached[f"cap of {source.thread_pages} pages of one {role}"] += 1
        elif self._request_count >= source.requests:
            row.limits_reached[f"cap of {source.requests} requests"] = 1
        else:
            row.list_pages += role in self.list_roles
            if chain:
                chain.pages += 1
            self._request_count += 1
            self._pending[row.query] += 1
            yield Request(
                link.url, self.parse, errback=self._handle_error, meta={"context": context}
            )

    def _finish_request(self, request: Request) -> LedgerRow:
        """Return the row of a request that ended, well or not, and count it as answered."""
        row = self.rows[request.meta["context"]["query"]]
        self._pending[row.query] -= 1
        return row

    def _handle_error(self, failure: Failure) -> None:
        row = self._finish_request(failure.request)
        try:
            self.handle_failure(row, failure)
        finally:
            self.writer.write_progress_row(row)

    def _add_failure(self, row: LedgerRow, reason: str, weight: int) -> None:
        """Add a problem to the row; close the spider after too many failures in a row."""
        row.problems[reason] += 1
        self._failure_weight += weight
        if self._failure_weight >= MAX_FAILURE_WEIGHT:
            raise CloseSpider("too many failures in a row")

    def _count_request(self, request: Request, spider: Any) -> None:
        context = request.meta.get("context")
        if context:
            self.rows[context["query"]].requests += 1

    def _handle_duplicate(self, request: Request, spider: Any) -> None:
        """Forget a request for an address requested before, by another page or a redirect loop."""
        row = self._finish_request(request)
        self._request_count -= 1
        if request.url in request.meta.get("redirect_urls", ()):
            row.problems["redirects in a circle"] += 1

    def _handle_parser_error(self, failure: Failure, response: Response, spider: Any) -> None:
        """Add an exception of a parser to the problems of its row."""
        context = response.meta.get("context")
        if context:
            problem = f"parser error ({type(failure.value).__name__})"
            self.rows[context["query"]].problems[problem] += 1


def _item_ids(parsed: ParsedPage) -> set[str]:
    """Return the ids of all items of a page."""
    dropped_ids = {item.id for item in parsed.dropped if item.id}
    return {post.id for post in parsed.posts} | dropped_ids | set(parsed.listed_ids)
