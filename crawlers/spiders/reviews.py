"""Review pages of products, from the products themselves, a list of them, or the front page of a shop."""

from collections.abc import Iterator

from crawlers.parse.page import Link
from crawlers.spiders.base import SourceSpider


class ReviewsSpider(SourceSpider):
    """Products, then the pages of their reviews."""

    reader = "reviews"
    lists = frozenset({"start", "product"})

    def entries(self) -> Iterator[Link]:
        for url in self.source.start:
            yield Link(url, {"role": "start", "query": url})
