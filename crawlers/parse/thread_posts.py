"""Extraction of the posts of a thread page from its markup or its JSON-LD."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
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

REMOVED = "removed by the site"
HIDDEN = "hidden from guests"

_NUMBER = re.compile(r"\d[\d.,]*\s*[万萬kK]?")
_TRAILING_NUMBER = re.compile(r"(?<!\d)(\d+)$")
_MAX_DATE_ELEMENTS = 20  # elements searched for the date of a post
_PLACE = re.compile(r"(?:IP属地|IP归属地|来自|发布于)[:：\s]*([一-鿿]{2,8}|[A-Za-z ]{2,30})")


@dataclass(frozen=True, kw_only=True)
class ThreadPost:
    """One post of a thread page, before it becomes a Post."""

    # The forum's own number of the post.
    native_id: str | None
    text: str
    # The title of the thread.
    title: str | None
    # The time of publication, or the reason why it is unknown.
    published: TimestampWithPrecision | str
    # The native id of the author.
    author: str | None
    url: str
    place: str | None = None
    likes: int | None = None
    # Why only a stub is left of the post; None for a post that can be read.
    removal_reason: str | None = None
    # Whether `native_id` is certainly unique on the whole site.
    has_site_unique_id: bool = False


def extract_thread_posts(page: Page, source_info: SourceInfo, thread: str) -> list[ThreadPost]:
    """Return all posts of a thread page in order, with the removed ones.

    JSON-LD is used only where no profile fits: it often contains nothing but the first post.
    """
    for profile in (MICRODATA_PROFILE, *FORUM_PROFILES):
        nodes = select_css(page.tree, profile.post)
        if nodes:
            thread_page = ThreadPage(page, profile, nodes, thread)
            title = _thread_title(page, profile)
            elements = [PostElement(thread_page, node) for node in nodes]
            date_texts = chain.from_iterable(element.dates for element in elements)
            order = infer_date_order(date_texts, page.fetched_at)
            return [element.to_thread_post(source_info, title, order) for element in elements]
    return list(_posts_from_json_ld(page, source_info, thread))


@dataclass(frozen=True)
class ThreadPage:
    """A page of posts, which may be nested in one another.

    Every selector is applied once, for all posts of the page.
    """

    page: Page
    profile: ForumProfile
    posts: list[html.HtmlElement]
    thread: str

    @cached_property
    def owners(self) -> Mapping[html.HtmlElement, html.HtmlElement]:
        """Return the innermost post around each element.

        In schema.org, answers are nested in the post that they answer.
        """
        posts = set(self.posts)
        open_posts: list[html.HtmlElement] = []
        owners = {}
        for event, node in etree.iterwalk(self.page.tree, events=("start", "end")):
            if event == "start" and node in posts:
                open_posts.append(node)
            if event == "start" and open_posts:
                owners[node] = open_posts[-1]
            if event == "end" and open_posts and node is open_posts[-1]:
                open_posts.pop()
        return owners

    @cached_property
    def excluded_elements(self) -> set[html.HtmlElement]:
        """Return the elements in posts that are not their authors' words: signatures, notices."""
        selector = ", ".join(filter(None, (self.profile.excluded, self.profile.hidden_notice)))
        elements = select_css(self.page.tree, selector) if selector else []
        return {*self.posts, *elements}

    @cached_property
    def quoted_or_not_own(self) -> set[html.HtmlElement]:
        """Return the excluded elements and the quotations of others."""
        return self.excluded_elements | quotation_elements(self.page)

    @cached_property
    def _elements_by_selector(self) -> dict[str, Mapping[html.HtmlElement, list[html.HtmlElement]]]:
        return {}

    def select_in_post(self, post: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
        """Return the elements that `selector` matches in `post`, without those of nested posts."""
        if not selector:
            return []
        if selector not in self._elements_by_selector:
            elements_by_post = defaultdict(list)
            for element in select_css(self.page.tree, selector):
                if element in self.owners:
                    elements_by_post[self.owners[element]].append(element)
            self._elements_by_selector[selector] = elements_by_post
        return self._elements_by_selector[selector].get(post, [])


@dataclass(frozen=True)
class PostElement:
    """One post in the markup, read by the selectors of a forum profile."""

    thread_page: ThreadPage
    node: html.HtmlElement

    @property
    def page(self) -> Page:
        """Return the page of the post."""
        return self.thread_page.page

    @property
    def profile(self) -> ForumProfile:
        """Return the profile of the forum software."""
        return self.thread_page.profile

    def to_thread_post(
        self, source_info: SourceInfo, title: str | None, order: DateOrder | None
    ) -> ThreadPost:
        """Return the post; `order` is the order of day and month in the dates of the page."""
        native_id, is_unique = self.native_id_and_uniqueness
        return ThreadPost(
            native_id=native_id,
            text=self.text,
            title=title,
            published=source_info.resolve_date(self.dates, self.page.fetched_at, order),
            author=self.author,
            url=self.url,
            place=self.place,
            likes=self.likes,
            removal_reason=self.removal_reason,
            has_site_unique_id=is_unique,
        )

    def _select_all(self, selector: str) -> list[html.HtmlElement]:
        return self.thread_page.select_in_post(self.node, selector)

    def _select_first(self, selector: str) -> html.HtmlElement | None:
        return next(iter(self._select_all(selector)), None)

    @cached_property
    def body(self) -> html.HtmlElement | None:
        """Return the element with the text of the post."""
        return self._select_first(self.profile.body)

    @cached_property
    def text(self) -> str:
        """Return the author's own words, or the quotations when the post has nothing else."""
        if self.body is None:
            return ""
        own_text = visible_text(self.body, self.thread_page.quoted_or_not_own)
        return own_text or visible_text(self.body, self.thread_page.excluded_elements)

    @property
    def native_id_and_uniqueness(self) -> tuple[str | None, bool]:
        """Return the forum's number of the post, and whether it is certainly unique on the site.

        A position in the thread (Discourse) is prefixed with the id of the thread.
        """
        number, is_unique = self._id_number
        position = self._select_first('[itemprop="position"]')
        if position is None:
            return number, is_unique
        digits = _NUMBER.search(visible_text(position) or str(position.get("content")))
        if digits and number in (None, digits[0]):
            return f"{self.thread_page.thread}-{digits[0]}", True
        return number, is_unique

    @property
    def _id_number(self) -> tuple[str | None, bool]:
        """Return the number in the ids or the permalink of the post, and whether it is unique."""
        unique_ids = [self.node.get(name) for name in ("data-pid", "data-post-id", "data-content")]
        other_ids = [
            self.node.get("id"),
            self.node.get("itemid"),
            self.body.get("id") if self.body is not None else None,
            self._permalink,
        ]
        for i, value in enumerate((*unique_ids, *other_ids)):
            match = _TRAILING_NUMBER.search((value or "").strip("/"))
            if match:
                return match[1], i < len(unique_ids)
        return None, False

    @property
    def removal_reason(self) -> str | None:
        """Return why only a stub is left of the post, or None.

        Its class says so, or its whole text is a known stub. A notice above a readable post is
        not a reason.
        """
        marks = self._select_all(self.profile.removed)
        is_marked = any(mark is self.node or mark is self.body for mark in marks)
        if is_marked or is_forum_stub(self.text):
            return REMOVED
        if self.text:
            return None
        notices = self._select_all(self.profile.hidden_notice)
        if marks or any(is_forum_stub(visible_text(notice)) for notice in notices):
            return REMOVED
        return HIDDEN if notices else None

    @cached_property
    def dates(self) -> list[str | None]:
        """Return texts that may contain the date of publication, the best first.

        The date of an edit comes later in the markup.
        """
        elements = self._select_all(self.profile.date)[:_MAX_DATE_ELEMENTS]
        return list(chain.from_iterable(map(_date_texts, elements)))

    @property
    def author(self) -> str | None:
        """Return the native id of the author."""
        element = self._select_first(self.profile.author)
        return author_native_id(element) if element is not None else None

    @property
    def place(self) -> str | None:
        """Return the place that the site shows for the author's address."""
        element = self._select_first(self.profile.place)
        match = _PLACE.search(visible_text(element)) if element is not None else None
        return match[1] if match else None

    @property
    def likes(self) -> int | None:
        """Return the number of likes, where the page shows it."""
        element = self._select_first(self.profile.likes)
        if element is None:
            return None
        number = _NUMBER.search(visible_text(element) or str(element.get("content") or ""))
        return parse_count_or_none(number[0]) if number else None

    @property
    def url(self) -> str:
        """Return the permalink, or the address of the page with the post's anchor."""
        anchor = self.node.get("id")
        fallback_url = f"{self.page.url}#{anchor}" if anchor else self.page.url
        return self.page.absolute_url(self._permalink) or fallback_url

    @cached_property
    def _permalink(self) -> str | None:
        """Return the link around the date, or a link in it with the number of the post."""
        date = self._select_first(self.profile.date)
        if date is None:
            return None
        number = _TRAILING_NUMBER.search(str(self.node.get("id") or ""))
        for link in date.xpath("ancestor-or-self::a[@href][1]"):
            return str(link.get("href"))
        for link in select_css(date, "a[href]"):
            href = str(link.get("href"))
            if number and number[1] in href:
                return href
        return None


def _date_texts(element: html.HtmlElement) -> Iterator[str | None]:
    """Yield texts of an element that may contain a date, machine-readable ones first."""
    yield from (element.get(name) for name in ("datetime", "content", "data-time", "title"))
    for inner in select_css(element, "time[datetime], [title]"):
        yield from (inner.get("datetime"), inner.get("title"))
    yield visible_text(element)


def _thread_title(page: Page, profile: ForumProfile) -> str | None:
    for selector in filter(None, (profile.title, '[itemprop="headline"]', "h1", "title")):
        elements = select_css(page.tree, selector)
        if elements and visible_text(elements[0]):
            return visible_text(elements[0]).replace("\n", " ")
    return None


def _posts_from_json_ld(page: Page, source_info: SourceInfo, thread: str) -> Iterator[ThreadPost]:
    """Yield the posts in JSON-LD: the opening one and its comments.

    Their ids may be positions in the thread, so they are prefixed with its id.
    """
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
        profile_url = text_value(author.get("url")) if isinstance(author, dict) else None
        native_id = thing_id(thing)
        text = html_to_text(
            text_value(thing.get("text")) or text_value(thing.get("articleBody")) or ""
        )
        yield ThreadPost(
            native_id=f"{thread}-{native_id}" if native_id else None,
            text=text,
            title=text_value(thing.get("headline")),
            published=source_info.resolve_date([date], page.fetched_at, order),
            author=_url_path(profile_url) or text_value(author),
            url=page.absolute_url(text_value(thing.get("url")), keep_fragment=True) or page.url,
            removal_reason=REMOVED if is_forum_stub(text) else None,
            has_site_unique_id=True,
        )


def _url_path(url: str | None) -> str | None:
    """Return the path of an address without outer slashes; None when it is empty."""
    try:
        return urlsplit(url or "").path.strip("/") or None
    except ValueError:
        return None
