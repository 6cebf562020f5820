"""Review pages of products, from the products themselves, a list of them, or the front page of a shop."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from twisted.python.failure import Failure

from crawlers.ledger import Row
from crawlers.parse.page import Context, Link, Parsed
from crawlers.spiders.base import SourceSpider


class ReviewsSpider(SourceSpider):
    """Products, then the pages of their reviews."""

    reader = "reviews"
    lists = frozenset({"start", "product"})
    never_empty = frozenset({"start"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._totals: dict[tuple[str, str], int] = {}  # by (query, product)
        self._found: dict[tuple[str, str], set[str]] = defaultdict(set)

    def entries(self) -> Iterator[Link]:
        for url in self.source.start:
            yield Link(url, {"role": "start", "query": url})

    def lost(self, failure: Failure) -> Any:
        context = failure.request.meta["context"]
        if context["role"] == "sitemap":  # asked for by guess
            self.rows[context["query"]].limits["no sitemap"] = 1
            return None
        return super().lost(failure)

    def after(self, row: Row, context: Context, parsed: Parsed) -> Iterator[Link]:
        product = (row.query, context.get("product", row.query))
        self._found[product].update(parsed.listed)
        if parsed.total is not None:
            self._totals[product] = parsed.total
        return iter(())

    def closed(self, reason: str) -> None:
        for (query, product), total in self._totals.items():
            found = len(self._found[query, product])
            if found < total:
                self.rows[query].limits["a product shows fewer reviews than it counts"] += 1
        super().closed(reason)
