"""The spider of shops: from products, a list of them or a shop's front page to all reviews."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from scrapy.exceptions import IgnoreRequest
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from crawlers.ledger import LedgerRow
from crawlers.parse.page import Link, ParsedPage, RequestContext
from crawlers.spiders.base import SourceSpider

# Links from the start: sitemaps.org has an index of sitemaps, and no index of indexes.
MAX_SITEMAP_DEPTH = 3


class ReviewsSpider(SourceSpider):
    """Crawls products, then the pages of their reviews."""

    parser_name = "reviews"
    list_roles = frozenset({"start", "product", "sitemap"})
    thread_roles = frozenset({"product"})
    never_empty_roles = frozenset({"start"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What the site reports and what was listed, by (query, product).
        self._totals: dict[tuple[str, str], int] = {}
        self._listed_ids: dict[tuple[str, str], set[str]] = defaultdict(set)

    def start_links(self) -> Iterator[Link]:
        """Yield the start addresses."""
        for url in self.source.start:
            yield Link(url, {"role": "start", "query": url})

    def should_follow(self, link: Link, row: LedgerRow, depth: int) -> bool:
        """Return whether a link is not too deep in sitemaps."""
        if link.context["role"] == "sitemap" and depth > MAX_SITEMAP_DEPTH:
            row.limits_reached[f"sitemaps more than {MAX_SITEMAP_DEPTH} links deep"] = 1
            return False
        return True

    def handle_failure(self, row: LedgerRow, failure: Failure) -> None:
        """Record a missing sitemap as a limit, any other failure as a problem."""
        error = failure.value
        status = error.response.status if isinstance(error, HttpError) else 0
        is_absent = isinstance(error, IgnoreRequest) or (400 <= status < 500 and status != 429)
        # The address of a sitemap is a guess.
        if is_absent and failure.request.meta["context"]["role"] == "sitemap":
            row.limits_reached["no sitemap"] = 1
        else:
            super().handle_failure(row, failure)

    def generated_links(
        self, row: LedgerRow, context: RequestContext, parsed: ParsedPage
    ) -> Iterator[Link]:
        """Count the reviews of a product; yield no links."""
        product = (row.query, context.get("product", row.query))
        self._listed_ids[product].update(parsed.listed_ids)
        if parsed.reported_total is not None:
            self._totals[product] = parsed.reported_total
        return iter(())

    def closed(self, reason: str) -> None:
        """Report products with fewer reviews than they count, then write the ledger."""
        for (query, product), total in self._totals.items():
            if len(self._listed_ids[query, product]) < total:
                self.rows[query].limits_reached["a product shows fewer reviews than it counts"] += 1
        super().closed(reason)
