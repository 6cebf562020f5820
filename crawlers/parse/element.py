"""The posts of a thread page, as its markup or its JSON-LD describes them, before they become Posts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urljoin, urlsplit

from lxml import html

from crawlers.parse.markup import own_words, person, select, text_of
from crawlers.parse.page import Page, Site, order_shown
from crawlers.parse.schema import first, kinds, own_id, things, walk, words
from crawlers.parse.software import MICRODATA, SOFTWARE, Software
from folate.core.counts import count
from folate.core.dates import Moment, Order

_NUMBER = re.compile(r"\d[\d.,]*\s*[万萬kK]?")
_TRAILING_NUMBER = re.compile(r"(\d+)$")
_STUB = 100  # characters; a stub says little
_REMOVED = re.compile(
    r"this post (is hidden|has been (removed|deleted))|\[?(removed|deleted)( by (a )?moderator)?\]?$|(message|post) (deleted|removed)$"
    r"|(提示[:：]\s*)?(该|此|本)(帖子?|楼层?|回复|评论|内容|主题)[^\n，。]{0,16}(删除|屏蔽|折叠|隐藏)|.{0,4}作者被禁止或删除",
    re.I,
)
_PLACE = re.compile(r"(?:IP属地|IP归属地|来自|发布于)[:：\s]*([一-鿿]{2,8}|[A-Za-z ]{2,30})")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One post of a page."""

    native: str | None  # the forum's own number of it
    text: str
    title: str | None  # of the thread
    when: Moment | str  # or why it is not known
    author: str | None  # native id
    url: str
    place: str | None = None
    likes: int | None = None
    removed: bool = False  # only a stub is left


def entries(page: Page, site: Site, thread: str) -> list[Entry]:
    """All posts of a thread page, in order, removed ones too. JSON-LD is read last: it often tells of the first post only."""
    for software in (MICRODATA, *SOFTWARE):
        nodes = select(page.tree, software.post)
        if nodes:
            title = _title(page, software)
            elements = [Element(page, node, software, frozenset(nodes), thread) for node in nodes]
            order = order_shown((text for element in elements for text in element.dates), page.fetched_at)
            return [element.entry(site, title, order) for element in elements]
    return list(_described(page, site, thread))


@dataclass(frozen=True)
class Element:
    """One post as it stands in the markup, read by the selectors of one software."""

    page: Page
    node: html.HtmlElement
    software: Software
    posts: frozenset[html.HtmlElement]  # all on the page: schema.org nests answers in the post they answer
    thread: str

    def entry(self, site: Site, title: str | None, order: Order | None) -> Entry:
        return Entry(
            native=self.native,
            text=self.text,
            title=title,
            when=site.date(self.dates, self.page.fetched_at, order),
            author=self.author,
            url=self.url,
            place=self.place,
            likes=self.likes,
            removed=self.removed,
        )

    def _all(self, selector: str) -> list[html.HtmlElement]:
        """What the selector finds in this post and not in one nested in it."""
        found = select(self.node, selector) if selector else []
        return [one for one in found if next(up for up in (one, *one.iterancestors()) if up in self.posts) is self.node]

    def _find(self, selector: str) -> html.HtmlElement | None:
        return next(iter(self._all(selector)), None)

    @cached_property
    def body(self) -> html.HtmlElement | None:
        return self._find(self.software.body)

    @cached_property
    def text(self) -> str:
        return own_words(self.body, self.software.drop) if self.body is not None else ""

    @cached_property
    def native(self) -> str | None:
        """The forum's own number of the post, from the ids of its element or its body, or its permalink.

        Where that is only its place in the thread (Discourse), the thread's number stands before it.
        """
        number, place = self._number, self._find('[itemprop="position"]')
        if place is None:
            return number
        digits = _NUMBER.search(text_of(place) or str(place.get("content")))
        return f"{self.thread}-{digits[0]}" if digits and number in (None, digits[0]) else number

    @property
    def _number(self) -> str | None:
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

    @cached_property
    def dates(self) -> list[str | None]:
        """Texts that may tell the date of publication, the best first. The date of an edit stands further down."""
        return [text for element in self._all(self.software.date) for text in _told(element)]

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
    def likes(self) -> int | None:
        shown = self._find(self.software.likes)
        number = _NUMBER.search(text_of(shown) or str(shown.get("content") or "")) if shown is not None else None
        return count(number[0]) if number else None

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
        links += [str(link.get("href")) for link in select(date, "a[href]") if number and number[1] in str(link.get("href"))]
        return next(iter(links), None)


def _told(element: html.HtmlElement) -> Iterator[str | None]:
    """Texts of an element that may tell a date, the exact ones first."""
    yield from (element.get(name) for name in ("datetime", "content", "data-time", "title"))
    for inner in select(element, "time[datetime], [title]"):
        yield from (inner.get("datetime"), inner.get("title"))
    yield text_of(element)


def _title(page: Page, software: Software) -> str | None:
    for selector in filter(None, (software.title, '[itemprop="headline"]', "h1", "title")):
        found = select(page.tree, selector)
        if found and text_of(found[0]):
            return text_of(found[0]).replace("\n", " ")
    return None


def _described(page: Page, site: Site, thread: str) -> Iterator[Entry]:
    """Posts that JSON-LD describes: the opening one and its comments. Their ids may be places in the thread."""
    posts = [thing for thing, _ in walk(things(page)[0]) if kinds(thing) & {"DiscussionForumPosting", "Comment"}]
    dates = [words(thing.get("datePublished") or thing.get("dateCreated")) for thing in posts]
    order = order_shown(dates, page.fetched_at)
    for thing, date in zip(posts, dates, strict=True):
        author = first(thing.get("author"))
        profile = words(author.get("url")) if isinstance(author, dict) else None
        text = words(thing.get("text")) or words(thing.get("articleBody")) or ""
        own = own_id(thing)
        yield Entry(
            native=f"{thread}-{own}" if own else None,
            text=text_of(html.fromstring(f"<div>{text}</div>")),
            title=words(thing.get("headline")),
            when=site.date([date], page.fetched_at, order),
            author=urlsplit(profile).path.strip("/") if profile else words(author),
            url=urljoin(page.url, words(thing.get("url")) or ""),
        )
