"""The posts of a thread page, as its markup or its JSON-LD describes them, before they become Posts."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from lxml import etree, html

from crawlers.parse.forum_profiles import FORUM_PROFILES, MICRODATA_PROFILE, ForumProfile
from crawlers.parse.markup import (
    author_native_id,
    html_to_text,
    quotation_elements,
    select_css,
    visible_text,
)
from crawlers.parse.page import Page, SourceInfo, infer_date_order
from crawlers.parse.schema_org import (
    extract_structured_data,
    first_value,
    iterate_things,
    text_value,
    thing_id,
    thing_types,
)
from crawlers.parse.stubs import is_forum_stub
from folate.core.counts import parse_count_or_none
from folate.core.dates import DateOrder, TimestampWithPrecision
from folate.core.text import HAN_RANGES

REMOVED = "removed by the site"
HIDDEN = "hidden from guests"

_NUMBER = re.compile(r"\d[\d.,]*\s*[万萬kK]?")
_TRAILING_NUMBER = re.compile(r"(?<!\d)(\d+)$")
_MOST_DATES = 20  # elements tried for the date of a post
_PLACE = re.compile(
    rf"(?:IP属地|IP归属地|来自|发布于)[:：\s]*([{HAN_RANGES}]{{2,8}}|[A-Za-z ]{{2,30}})"
)


@dataclass(frozen=True, kw_only=True)
class ThreadPost:
    """One post of a page."""

    native_id: str | None  # the forum's own number of it
    text: str
    title: str | None  # of the thread
    published: TimestampWithPrecision | str  # or why it is not known
    author: str | None  # native id
    url: str
    place: str | None = None
    likes: int | None = None
    removal_reason: str | None = None  # why only a stub is left of it
    has_site_unique_id: bool = False  # whether `native` is certainly unique on the whole site


def extract_thread_posts(page: Page, site: SourceInfo, thread: str) -> list[ThreadPost]:
    """All posts of a thread page, in order, removed ones too. JSON-LD is read last: it often tells of the first post only."""
    for software in (MICRODATA_PROFILE, *FORUM_PROFILES):
        nodes = select_css(page.tree, software.post)
        if nodes:
            thread_page = ThreadPage(page, software, nodes, thread)
            title = _title(page, software)
            elements = [PostElement(thread_page, node) for node in nodes]
            order = infer_date_order(
                (text for element in elements for text in element.dates), page.fetched_at
            )
            return [element.entry(site, title, order) for element in elements]
    return list(_described(page, site, thread))


@dataclass(frozen=True)
class ThreadPage:
    """A page of posts. Every selector is looked up once for all posts: they may nest in one another."""

    page: Page
    software: ForumProfile
    posts: list[html.HtmlElement]
    thread: str

    @cached_property
    def owners(self) -> Mapping[html.HtmlElement, html.HtmlElement]:
        """The innermost post around each element: schema.org nests answers in the post that they answer."""
        posts = set(self.posts)
        around: list[html.HtmlElement] = []
        owners = {}
        for event, node in etree.iterwalk(self.page.tree, events=("start", "end")):
            if event == "start" and node in posts:
                around.append(node)
            if event == "start" and around:
                owners[node] = around[-1]
            if event == "end" and around and node is around[-1]:
                around.pop()
        return owners

    @cached_property
    def excluded_elements(self) -> set[html.HtmlElement]:
        """Elements in posts that are not their authors' words: signatures and notices."""
        dropped = ", ".join(filter(None, (self.software.excluded, self.software.hidden_notice)))
        return set(self.posts) | set(select_css(self.page.tree, dropped) if dropped else ())

    @cached_property
    def quoted_or_not_own(self) -> set[html.HtmlElement]:
        return self.excluded_elements | quotation_elements(self.page)

    @cached_property
    def _selected(self) -> dict[str, Mapping[html.HtmlElement, list[html.HtmlElement]]]:
        return {}

    def select_in_post(self, post: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
        """What the selector finds in `post` and not in one nested in it."""
        if not selector:
            return []
        if selector not in self._selected:
            by_post = defaultdict(list)
            for element in select_css(self.page.tree, selector):
                if element in self.owners:
                    by_post[self.owners[element]].append(element)
            self._selected[selector] = by_post
        return self._selected[selector].get(post, [])


@dataclass(frozen=True)
class PostElement:
    """One post as it stands in the markup, read by the selectors of one software."""

    on: ThreadPage
    node: html.HtmlElement

    @property
    def page(self) -> Page:
        return self.on.page

    @property
    def software(self) -> ForumProfile:
        return self.on.software

    def entry(self, site: SourceInfo, title: str | None, order: DateOrder | None) -> ThreadPost:
        native, exact = self.native
        return ThreadPost(
            native_id=native,
            text=self.text,
            title=title,
            published=site.resolve_date(self.dates, self.page.fetched_at, order),
            author=self.author,
            url=self.url,
            place=self.place,
            likes=self.likes,
            removal_reason=self.gone,
            has_site_unique_id=exact,
        )

    def _all(self, selector: str) -> list[html.HtmlElement]:
        return self.on.select_in_post(self.node, selector)

    def _find(self, selector: str) -> html.HtmlElement | None:
        return next(iter(self._all(selector)), None)

    @cached_property
    def body(self) -> html.HtmlElement | None:
        return self._find(self.software.body)

    @cached_property
    def text(self) -> str:
        """The author's own words; with the quotations of others when there is nothing else."""
        if self.body is None:
            return ""
        return visible_text(self.body, self.on.quoted_or_not_own) or visible_text(
            self.body, self.on.excluded_elements
        )

    @property
    def native(self) -> tuple[str | None, bool]:
        """The forum's own number of the post, and whether it is certainly unique on the whole site.

        Where it is only the post's position in the thread (Discourse), the thread's number stands before it.
        """
        number, exact = self._number
        position = self._find('[itemprop="position"]')
        if position is None:
            return number, exact
        digits = _NUMBER.search(visible_text(position) or str(position.get("content")))
        return (
            (f"{self.on.thread}-{digits[0]}", True)
            if digits and number in (None, digits[0])
            else (number, exact)
        )

    @property
    def _number(self) -> tuple[str | None, bool]:
        """The number in the ids of the post's element or its body, or in its permalink."""
        exact = [self.node.get(name) for name in ("data-pid", "data-post-id", "data-content")]
        others = [
            self.node.get("id"),
            self.node.get("itemid"),
            self.body.get("id") if self.body is not None else None,
            self._permalink,
        ]
        for i, value in enumerate((*exact, *others)):
            match = _TRAILING_NUMBER.search((value or "").strip("/"))
            if match:
                return match[1], i < len(exact)
        return None, False

    @property
    def gone(self) -> str | None:
        """Why only a stub is left of the post: its software's own class says so, or the text is a known stub and nothing else.

        A notice above a post whose words can be read says nothing of the kind.
        """
        marks = self._all(self.software.removed)
        if is_forum_stub(self.text) or any(
            mark is self.node or mark is self.body for mark in marks
        ):
            return REMOVED
        if self.text:
            return None
        blocks = self._all(self.software.hidden_notice)
        if marks or any(is_forum_stub(visible_text(block)) for block in blocks):
            return REMOVED
        return HIDDEN if blocks else None

    @cached_property
    def dates(self) -> list[str | None]:
        """Texts that may tell the date of publication, the best first. The date of an edit stands further down."""
        return [
            text
            for element in self._all(self.software.date)[:_MOST_DATES]
            for text in _told(element)
        ]

    @property
    def author(self) -> str | None:
        name = self._find(self.software.author)
        return author_native_id(name) if name is not None else None

    @property
    def place(self) -> str | None:
        shown = self._find(self.software.place)
        match = _PLACE.search(visible_text(shown)) if shown is not None else None
        return match[1] if match else None

    @property
    def likes(self) -> int | None:
        shown = self._find(self.software.likes)
        number = (
            _NUMBER.search(visible_text(shown) or str(shown.get("content") or ""))
            if shown is not None
            else None
        )
        return parse_count_or_none(number[0]) if number else None

    @property
    def url(self) -> str:
        anchor = self.node.get("id")
        return self.page.absolute_url(self._permalink) or (
            f"{self.page.url}#{anchor}" if anchor else self.page.url
        )

    @cached_property
    def _permalink(self) -> str | None:
        """The link that the date carries, or beside it the one that names the post; never that of its author."""
        date = self._find(self.software.date)
        if date is None:
            return None
        number = _TRAILING_NUMBER.search(str(self.node.get("id") or ""))
        links = [str(link.get("href")) for link in date.xpath("ancestor-or-self::a[@href][1]")]
        links += [
            str(link.get("href"))
            for link in select_css(date, "a[href]")
            if number and number[1] in str(link.get("href"))
        ]
        return next(iter(links), None)


def _told(element: html.HtmlElement) -> Iterator[str | None]:
    """Texts of an element that may tell a date, the exact ones first."""
    yield from (element.get(name) for name in ("datetime", "content", "data-time", "title"))
    for inner in select_css(element, "time[datetime], [title]"):
        yield from (inner.get("datetime"), inner.get("title"))
    yield visible_text(element)


def _title(page: Page, software: ForumProfile) -> str | None:
    for selector in filter(None, (software.title, '[itemprop="headline"]', "h1", "title")):
        found = select_css(page.tree, selector)
        if found and visible_text(found[0]):
            return visible_text(found[0]).replace("\n", " ")
    return None


def _described(page: Page, site: SourceInfo, thread: str) -> Iterator[ThreadPost]:
    """Posts that JSON-LD describes: the opening one and its comments. Their ids may be positions in the thread."""
    posts = [
        thing
        for thing, _ in iterate_things(extract_structured_data(page).json_ld)
        if thing_types(thing) & {"DiscussionForumPosting", "Comment"}
    ]
    dates = [
        text_value(thing.get("datePublished")) or text_value(thing.get("dateCreated"))
        for thing in posts
    ]
    order = infer_date_order(dates, page.fetched_at)
    for thing, date in zip(posts, dates, strict=True):
        author = first_value(thing.get("author"))
        profile = text_value(author.get("url")) if isinstance(author, dict) else None
        own = thing_id(thing)
        text = html_to_text(
            text_value(thing.get("text")) or text_value(thing.get("articleBody")) or ""
        )
        yield ThreadPost(
            native_id=f"{thread}-{own}" if own else None,
            text=text,
            title=text_value(thing.get("headline")),
            published=site.resolve_date([date], page.fetched_at, order),
            author=_path(profile) or text_value(author),
            url=page.absolute_url(text_value(thing.get("url")), keep_fragment=True) or page.url,
            removal_reason=REMOVED if is_forum_stub(text) else None,
            has_site_unique_id=True,
        )


def _path(url: str | None) -> str | None:
    """The path of an address, without the slashes around it; None when there is none."""
    try:
        return urlsplit(url or "").path.strip("/") or None
    except ValueError:
        return None
