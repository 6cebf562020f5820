"""Microblogs that answer as m.weibo.cn does: searches by query, or the timelines named as start addresses."""

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

MAX_EMPTY_PAGES = 3  # in a row before a list that has not reached its total is given up


class MicroblogSpider(SourceSpider):
    """Pages of cards until the total that the site tells is reached. An empty page alone is not the end."""

    reader = "microblog"
    lists = frozenset({"list"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed: dict[str, set[str]] = defaultdict(set)
        self._totals: dict[str, int] = {}
        self._empty: dict[str, int] = defaultdict(int)

    def start_links(self) -> Iterator[Link]:
        for query in self.source.queries:
            yield Link(
                search_url(self.source.start[0], query), {"role": "list", "query": query, "page": 1}
            )
        if not self.source.queries:
            for url in self.source.start:
                yield Link(url, {"role": "list", "query": url, "page": 1})

    def generated_links(
        self, row: LedgerRow, context: RequestContext, parsed: ParsedPage
    ) -> Iterator[Link]:
        if context["role"] != "list":
            return
        query, listed = row.query, self._listed[row.query]
        new = set(parsed.listed_ids) - listed
        listed |= new
        self._empty[query] = 0 if new else self._empty[query] + 1
        if parsed.reported_total is not None:
            self._totals[query] = parsed.reported_total
        total = self._totals.get(query)
        if total is not None and len(listed) >= total:
            return
        if self._empty[query] >= MAX_EMPTY_PAGES:
            of = "an unknown total" if total is None else f"a total of {total}"
            row.limits_reached[f"empty pages after {len(listed)} posts of {of}"] = 1
            return
        page = context["page"] + 1
        url = (
            with_page_number(query, page)
            if query in self.source.start
            else search_url(self.source.start[0], query, page)
        )
        yield Link(url, {"role": "list", "query": query, "page": page})

    def refusal_reason(self, page: Page, parsed: ParsedPage) -> str | None:
        return microblog_refusal_reason(page)

    def handle_failure(self, row: LedgerRow, failure: Failure) -> None:
        context = failure.request.meta["context"]
        if context["role"] != "whole":
            super().handle_failure(row, failure)
            return
        row.problems[TRUNCATED_POST_PROBLEM] += 1
        beginning = Post.from_json(context["post"])  # better than nothing
        self.record.write_post(row, beginning.url or "", beginning)
