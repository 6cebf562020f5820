"""The spider of microblogs with the API of m.weibo.cn: searches or timelines."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from twisted.python.failure import Failure

from crawlers.ledger import LedgerRow
from crawlers.parse.microblog import (
    TRUNCATED_POST_PROBLEM,
    microblog_refusal_reason,
    search_url,
    with_page_number,
)
from crawlers.parse.page import Link, Page, ParsedPage, RequestContext
from crawlers.spiders.base import SourceSpider
from folate.core.post import Post

MAX_EMPTY_PAGES = 3  # in a row, before a list short of its total is given up


class MicroblogSpider(SourceSpider):
    """Reads pages of cards until the total that the site reports is reached.

    One empty page is not the end of a list.
    """

    parser_name = "microblog"
    list_roles = frozenset({"list"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed_ids: dict[str, set[str]] = defaultdict(set)
        self._totals: dict[str, int] = {}
        self._empty_pages: dict[str, int] = defaultdict(int)

    def start_links(self) -> Iterator[Link]:
        """Yield the first page of each query, or of each timeline without queries."""
        for query in self.source.queries:
            url = search_url(self.source.start[0], query)
            yield Link(url, {"role": "list", "query": query, "page": 1})
        if not self.source.queries:
            for url in self.source.start:
                yield Link(url, {"role": "list", "query": url, "page": 1})

    def generated_links(
        self, row: LedgerRow, context: RequestContext, parsed: ParsedPage
    ) -> Iterator[Link]:
        """Yield the next page of a list until its total is reached."""
        if context["role"] != "list":
            return
        query = row.query
        listed_ids = self._listed_ids[query]
        new_ids = set(parsed.listed_ids) - listed_ids
        listed_ids |= new_ids
        self._empty_pages[query] = 0 if new_ids else self._empty_pages[query] + 1
        if parsed.reported_total is not None:
            self._totals[query] = parsed.reported_total
        total = self._totals.get(query)
        if total is not None and len(listed_ids) >= total:
            return
        if self._empty_pages[query] >= MAX_EMPTY_PAGES:
            total_text = "an unknown total" if total is None else f"a total of {total}"
            row.limits_reached[f"empty pages after {len(listed_ids)} posts of {total_text}"] = 1
            return
        page = context["page"] + 1
        url = (
            with_page_number(query, page)
            if query in self.source.start
            else search_url(self.source.start[0], query, page)
        )
        yield Link(url, {"role": "list", "query": query, "page": page})

    def refusal_reason(self, page: Page, parsed: ParsedPage) -> str | None:
        """Return why a page is not a list of posts, or None."""
        return microblog_refusal_reason(page)

    def handle_failure(self, row: LedgerRow, failure: Failure) -> None:
        """Write the truncated post when its full text can't be fetched."""
        context = failure.request.meta["context"]
        if context["role"] != "whole":
            super().handle_failure(row, failure)
            return
        row.problems[TRUNCATED_POST_PROBLEM] += 1
        truncated_post = Post.from_json(context["post"])
        self.writer.write_post(row, truncated_post.url or "", truncated_post)
