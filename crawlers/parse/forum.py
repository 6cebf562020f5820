"""Threaded forums: boards list threads, threads list posts, both in pages."""

import re
from urllib.parse import urlsplit

from crawlers.parse.element import Entry, entries
from crawlers.parse.markup import links, next_page
from crawlers.parse.page import Context, Dropped, Link, Page, Parsed, Site
from crawlers.parse.software import BOARD, THREAD


def read(page: Page, site: Site, context: Context) -> Parsed:
    """The posts of a thread page, or the threads and boards that a board page lists, by `context["role"]`."""
    return thread_page(page, site, context) if context["role"] == "thread" else board_page(page, context)


def thread_id(url: str) -> str | None:
    """The forum's own number of the thread that `url` opens; None when it opens none, or another page of one."""
    return _number(THREAD, url)


def board_id(url: str) -> str | None:
    """The forum's own number of the board that `url` opens; boards and categories may share numbers."""
    return _number(BOARD, url)


def _number(patterns: re.Pattern[str], url: str) -> str | None:
    parts = urlsplit(url)
    match = patterns.search(f"{parts.path}?{parts.query}" if parts.query else parts.path)
    return next((group for group in match.groups() if group), None) if match else None


def board_page(page: Page, context: Context) -> Parsed:
    """Links to threads, to the next page, and to boards: when the crawl began at an index, or this page is a mere list of boards."""
    parsed = Parsed()
    query = context["query"]
    found = links(page)
    for url in found:
        number = thread_id(url)
        if number:
            parsed.links.append(Link(url, {"role": "thread", "query": query, "thread": number}))
    if not board_id(query) or not parsed.links:
        parsed.links += [Link(url, {"role": "board", "query": query}) for url in found if board_id(url)]
    following = next_page(page)
    if following:
        parsed.links.append(Link(following, {**context, "page": context.get("page", 1) + 1}))
    return parsed


def thread_page(page: Page, site: Site, context: Context) -> Parsed:
    """The posts of one page of a thread; `context` has the thread's number and, from its second page on, its opener."""
    parsed = Parsed()
    thread = context.get("thread") or urlsplit(page.url).path
    opener = context.get("opener")
    where = f"{site.source}:thread:{thread}"
    for entry in entries(page, site, thread):
        opener = opener or entry.native
        _add(parsed, page, site, entry, where, opener)
    following = next_page(page)
    if following and following != page.url:
        parsed.links.append(Link(following, {**context, "role": "thread", "thread": thread, "opener": opener}))
    return parsed


def _add(parsed: Parsed, page: Page, site: Site, entry: Entry, thread: str, opener: str | None) -> None:
    """The post of one entry, or why there is none."""
    opens = entry.native == opener
    text = entry.text or (entry.title if opens else None)  # an opening post may be a title and a picture
    if entry.native is None:
        parsed.dropped.append(Dropped("no id"))
    elif entry.removed:
        parsed.dropped.append(Dropped("removed by the site", entry.native))
    elif isinstance(entry.when, str) or not text:
        parsed.dropped.append(Dropped(entry.when if isinstance(entry.when, str) else "no text", entry.native))
    else:
        parsed.add(
            site,
            entry.native,
            text=text,
            title=entry.title if opens and entry.text else None,
            thread=thread,
            parent=None if opens else f"{site.source}:{opener}",
            published_at=entry.when[0],
            precision=entry.when[1],
            url=entry.url,
            author=site.author(entry.author),
            place=entry.place,
            likes=entry.likes,
            fetched_at=page.fetched_at,
        )
