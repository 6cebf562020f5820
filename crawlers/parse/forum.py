"""Threaded forums: boards list threads, threads list posts, both in pages.

schema.org microdata is tried first, then the selectors of `crawlers.parse.software`, then JSON-LD: forum software that
writes JSON-LD often describes the opening post only, so that it comes last.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from lxml import html

from crawlers.parse.markup import links, next_page, own_words, person, text_of
from crawlers.parse.page import Context, Dropped, Link, Page, Parsed, Site
from crawlers.parse.software import BOARD, MICRODATA, SOFTWARE, THREAD, Software
from crawlers.parse.times import Moment, epoch, moment

_TRAILING_NUMBER = re.compile(r"(\d+)$")
_REMOVED = re.compile(
    r"this post (is hidden|has been (removed|deleted))|\[?(removed|deleted)( by (a )?moderator)?\]?$|message (deleted|removed)"
    r"|.{0,12}(内容自动屏蔽|已被(系统)?(删除|屏蔽|折叠|隐藏)|被管理员(或版主)?屏蔽|违规已被)",
    re.I | re.S,
)
_STUB = 200  # characters; a stub says little
_PLACE = re.compile(r"(?:IP属地|IP归属地|来自|发布于)[:：\s]*([一-鿿]{2,8}|[A-Za-z ]{2,30})")


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
    """Links to threads, to boards (when the crawl began at an index, not at one board), and to the next page."""
    parsed = Parsed()
    query = context["query"]
    for url in links(page):
        number = thread_id(url)
        if number:
            parsed.links.append(Link(url, {"role": "thread", "query": query, "thread": number}))
        elif board_id(url) and not board_id(query):
            parsed.links.append(Link(url, {"role": "board", "query": query}))
    following = next_page(page)
    if following:
        parsed.links.append(Link(following, {**context, "page": context.get("page", 1) + 1}))
    return parsed


def thread_page(page: Page, site: Site, context: Context) -> Parsed:
    """The posts of one page of a thread; `context` has the thread's number and, from its second page on, its opener."""
    parsed = Parsed()
    thread = context.get("thread") or urlsplit(page.url).path
    opener = context.get("opener")
    for element in _elements(page):
        opener = opener or element.native
        _add(parsed, site, element, f"{site.source}:thread:{thread}", opener)
    following = next_page(page)
    if following and following != page.url:
        parsed.links.append(Link(following, {**context, "role": "thread", "thread": thread, "opener": opener}))
    return parsed


@dataclass(frozen=True)
class Element:
    """One post as it stands on a page, read by the selectors of one software."""

    page: Page
    node: html.HtmlElement
    software: Software

    def _find(self, selector: str) -> html.HtmlElement | None:
        return next(iter(self.node.cssselect(selector)), None) if selector else None

    @cached_property
    def body(self) -> html.HtmlElement | None:
        return self._find(self.software.body)

    @cached_property
    def text(self) -> str:
        return own_words(self.body, self.software.drop) if self.body is not None else ""

    @cached_property
    def native(self) -> str | None:
        """The forum's own number of the post, from the ids of its element or its body, or its permalink."""
        ids = [self.node.get(name) for name in ("data-pid", "data-post-id", "data-content", "id", "itemid")]
        for value in (*ids, self.body.get("id") if self.body is not None else None, self._permalink):
            match = _TRAILING_NUMBER.search((value or "").strip("/"))
            if match:
                return match[1]
        return None

    @property
    def removed(self) -> bool:
        """Whether only a stub is left: by the software's own class, or because the text says so."""
        if len(self.text) < _STUB and _REMOVED.match(self.text):
            return True
        return self._find(self.software.removed) is not None

    def when(self, site: Site) -> Moment | None:
        """The date of publication: the first element that tells one. The date of an edit stands further down."""
        for element in self.node.cssselect(self.software.date):
            for value in _told(element):
                found = epoch(value) or moment(value, self.page.fetched_at, site.zone)
                if found:
                    return found
        return None

    @property
    def author(self) -> str | None:
        name = self._find(self.software.author)
        return person(name) if name is not None else None

    @property
    def place(self) -> str | None:
        shown = self._find(self.software.place)
        match = _PLACE.search(text_of(shown)) if shown is not None else None
        return match[1] if match else None

    @property
    def url(self) -> str:
        anchor = self.node.get("id")
        return self.page.absolute(self._permalink) or (f"{self.page.url}#{anchor}" if anchor else self.page.url)

    @cached_property
    def _permalink(self) -> str | None:
        """The link that the date carries, or beside it the one that names the post; never that of its author."""
        date = self._find(self.software.date)
        if date is None:
            return None
        number = _TRAILING_NUMBER.search(str(self.node.get("id") or ""))
        links = [str(link.get("href")) for link in date.xpath("ancestor-or-self::a[@href][1]")]
        links += [str(link.get("href")) for link in date.cssselect("a[href]") if number and number[1] in str(link.get("href"))]
        return next(iter(links), None)


def _elements(page: Page) -> list[Element]:
    for software in (MICRODATA, *SOFTWARE):
        nodes = page.tree.cssselect(software.post)
        if nodes:
            return [Element(page, node, software) for node in nodes]
    return []


def _add(parsed: Parsed, site: Site, element: Element, thread: str, opener: str | None) -> None:
    """The post of one element, or why there is none."""
    native, when = element.native, element.when(site)
    title = _title(element.page, element.software) if native == opener else None
    if native is None:
        parsed.dropped.append(Dropped("no id"))
    elif element.removed:
        parsed.dropped.append(Dropped("removed by the site", native))
    elif when is None or not (element.text or title):
        parsed.dropped.append(Dropped("no date" if when is None else "no text", native))
    else:
        parsed.add(
            site,
            native,
            text=element.text or title,  # an opening post may be a title and a picture
            title=title if element.text else None,
            thread=thread,
            parent=f"{site.source}:{opener}" if native != opener else None,
            published_at=when[0],
            precision=when[1],
            url=element.url,
            author=site.author(element.author),
            place=element.place,
            fetched_at=element.page.fetched_at,
        )


def _told(element: html.HtmlElement) -> Iterator[str | None]:
    """Texts of an element that may tell a date, the exact ones first."""
    yield from (element.get(name) for name in ("datetime", "content", "data-time", "title"))
    for inner in element.cssselect("time[datetime], [title]"):
        yield from (inner.get("datetime"), inner.get("title"))
    yield text_of(element)


def _title(page: Page, software: Software) -> str | None:
    for selector in filter(None, (software.title, '[itemprop="headline"]', "h1", "title")):
        found = page.tree.cssselect(selector)
        if found and text_of(found[0]):
            return text_of(found[0]).replace("\n", " ")
    return None
