"""The spider of threaded forums: from an index, a board or a thread to all pages of all threads."""

from collections.abc import Iterator
from typing import Any

from crawlers.ledger import LedgerRow
from crawlers.parse.forum import thread_id
from crawlers.parse.page import Link
from crawlers.spiders.base import SourceSpider


class ForumSpider(SourceSpider):
    """Crawls boards, then threads, then the pages of threads.

    A thread that is pinned or that several boards list is read once.
    """

    parser_name = "forum"
    list_roles = frozenset({"board"})
    thread_roles = frozenset({"thread"})
    never_empty_roles = frozenset({"board", "thread"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # (role, thread id or address) of every link that was followed.
        self._seen_links: set[tuple[str, str]] = set()

    def start_links(self) -> Iterator[Link]:
        """Yield the start addresses as threads or boards."""
        for url in self.source.start:
            native_id = thread_id(url)
            if native_id:
                yield Link(url, {"role": "thread", "query": url, "thread": native_id})
            else:
                self._seen_links.add(("board", url))
                yield Link(url, {"role": "board", "query": url})

    def should_follow(self, link: Link, row: LedgerRow, depth: int) -> bool:
        """Return whether a board or thread is new and not among the known threads."""
        context = link.context
        if context.get("page", 1) > 1 or context.get("opener"):
            return True
        key = (context["role"], context.get("thread") or link.url)
        if key in self._seen_links:
            return False
        self._seen_links.add(key)
        if f"{self.source.name}:thread:{context.get('thread')}" in self.known_thread_ids:
            row.dropped["thread known and old"] += 1
            return False
        return True
