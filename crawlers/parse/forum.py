"""Threaded forums: boards list threads, threads list posts, both in pages.

schema.org microdata is tried first, then the selectors of `crawlers.parse.software`, then JSON-LD: forum software that
writes JSON-LD often describes the opening post only, so that it comes last.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml import html

from crawlers.parse.markup import links, next_page, own_words, person, text_of
from crawlers.parse.page import Context, Dropped, Link, Page, Parsed, Site
from crawlers.parse.software import BOARD, MICRODATA, SOFTWARE, THREAD, Software
from crawlers.parse.times import Moment, epoch, moment

_TRAILING_NUMBER = re.compile(r"(\d+)$")
_REMOVED = re.compile(
    r"this post (is hidden|has been (removed|deleted))|\[?(removed|deleted)( by (a )?moderator)?\]?$|message (deleted|removed)"
    r"|.{0,12}(内容自动屏蔽|已被(系统)?(删除|屏蔽|折叠|隐藏)|被管理员(或版主)?屏蔽|违规已被)", re.I | re.S,
)
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
    software, nodes = _posts(page)
    for node in nodes:
        native = _native(node, software)
        opener = opener or native
        _post(parsed, page, site, node, software, native, f"{site.source}:thread:{thread}", opener)
    following = next_page(page)
    if following and following != page.url:
        parsed.links.append(Link(following, {**context, "role": "thread", "thread": thread, "opener": opener}))
    return parsed


def _posts(page: Page) -> tuple[Software, list[html.HtmlElement]]:
    for software in (MICRODATA, *SOFTWARE):
        nodes = page.tree.cssselect(software.post)
        if nodes:
            return software, nodes
    return MICRODATA, []


def _native(node: html.HtmlElement, software: Software) -> str | None:
    """The forum's own number of a post, from the ids that its element or its body carry."""
    body = _first(node, software.body)
    ids = [node.get(name) for name in ("data-pid", "data-post-id", "data-content", "id", "itemid")]
    for value in (*ids, body.get("id") if body is not None else None, _permalink(node, software)):
        match = _TRAILING_NUMBER.search((value or "").strip("/"))
        if match:
            return match[1]
    return None


def _post(
    parsed: Parsed, page: Page, site: Site, node: html.HtmlElement, software: Software, native: str | None, thread: str, opener: str | None,
) -> None:
    body, name = _first(node, software.body), _first(node, software.author)
    words = own_words(body, software.drop) if body is not None else ""
    when = _date(node, software, page, site)
    removed = bool(software.removed and (node.cssselect(software.removed) or _is(node, software.removed)))
    if removed or (len(words) < 200 and _REMOVED.match(words)):
        parsed.dropped.append(Dropped("removed by the site", native))
    elif not native or when is None or not words:
        parsed.dropped.append(Dropped("no id" if not native else "no date" if when is None else "no text", native))
    else:
        place = _PLACE.search(text_of(_first(node, software.place))) if software.place and _first(node, software.place) is not None else None
        parsed.add(
            site, native, text=words, title=_title(page, software) if native == opener else None, published_at=when[0], precision=when[1],
            url=_address(page, node, software), thread=thread, parent=f"{site.source}:{opener}" if native != opener else None,
            author=site.author(person(name) if name is not None else None), fetched_at=page.fetched_at, place=place[1] if place else None,
        )


def _date(node: html.HtmlElement, software: Software, page: Page, site: Site) -> Moment | None:
    """The date of publication: the first element that tells one (an edit, further down, does not count)."""
    for element in node.cssselect(software.date):
        for value in _told(element):
            found = epoch(value) or moment(value, page.fetched_at, site.zone)
            if found:
                return found
    return None


def _told(element: html.HtmlElement) -> Iterator[str | None]:
    yield from (element.get(name) for name in ("datetime", "content", "data-time", "title"))
    for inner in element.cssselect("time[datetime], [title]"):
        yield from (inner.get("datetime"), inner.get("title"))
    yield text_of(element)


def _permalink(node: html.HtmlElement, software: Software) -> str | None:
    date = _first(node, software.date)
    link = date.xpath("ancestor-or-self::a[@href][1] | .//a[@href][1]") if date is not None else []
    return str(link[0].get("href")) if link else None


def _address(page: Page, node: html.HtmlElement, software: Software) -> str:
    anchor = node.get("id")
    return page.absolute(_permalink(node, software)) or (f"{page.url}#{anchor}" if anchor else page.url)


def _title(page: Page, software: Software) -> str | None:
    for selector in filter(None, (software.title, '[itemprop="headline"]', "h1", "title")):
        element = _first(page.tree, selector)
        if element is not None and text_of(element):
            return text_of(element).replace("\n", " ")
    return None


def _first(node: html.HtmlElement, selector: str) -> html.HtmlElement | None:
    return next(iter(node.cssselect(selector)), None)


def _is(node: html.HtmlElement, selector: str) -> bool:
    return any(found is node for found in (node.getparent().cssselect(selector) if node.getparent() is not None else ()))
