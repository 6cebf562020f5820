"""Threaded forums: from an index, a board or one thread to every page of every thread."""

from collections.abc import Iterator
from typing import Any

from crawlers.ledger import LedgerRow
from crawlers.parse.forum import thread_id
from crawlers.parse.page import Link
from crawlers.spiders.base import SourceSpider


class ForumSpider(SourceSpider):
    """Boards, then threads, then their pages. A thread that several boards list, or that is pinned, is read once."""

    reader = "forum"
    lists = frozenset({"board"})
    threads = frozenset({"thread"})
    never_empty = frozenset({"board", "thread"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen: set[tuple[str, str]] = set()

    def start_links(self) -> Iterator[Link]:
        for url in self.source.start:
            thread = thread_id(url)
            if thread:
                yield Link(url, {"role": "thread", "query": url, "thread": thread})
            else:
                self._seen.add(("board", url))
                yield Link(url, {"role": "board", "query": url})

    def should_follow(self, link: Link, row: LedgerRow, depth: int) -> bool:
        context = link.context
        if context.get("page", 1) > 1 or context.get("opener"):
            return True
        key = (context["role"], context.get("thread") or link.url)
        if key in self._seen:
            return False
        self._seen.add(key)
        if f"{self.source.name}:thread:{context.get('thread')}" in self.known:
            row.dropped["thread known and old"] += 1
            return False
        return True
