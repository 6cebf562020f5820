"""Threaded forums: boards list threads, threads list posts, both in pages."""

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from crawlers.parse.forum_profiles import (
    BOARD_PATH_PATTERN,
    BOARD_QUERY_URLS,
    FIRST_PAGE_PARAMETERS,
    IGNORED_PARAMETERS,
    NON_THREAD_PARAMETERS,
    THREAD_PATH_PATTERN,
    THREAD_QUERY_URLS,
    QueryUrlFormat,
)
from crawlers.parse.markup import link_urls, next_page_url
from crawlers.parse.page import (
    NESTING_PROBLEM,
    DroppedItem,
    Link,
    Page,
    ParsedPage,
    RequestContext,
    SourceInfo,
)
from crawlers.parse.thread_posts import HIDDEN, ThreadPost, extract_thread_posts

_VALUE = re.compile(
    r"(\d+)(?:\.0|-.*)?", re.S
)  # of a parameter that names a thread: 5, 5.0 (SMF: from its first post), 5-slug

_LONGEST_NUMBER = 18  # digits; no forum counts further


def parse_forum_page(page: Page, site: SourceInfo, context: RequestContext) -> ParsedPage:
    """The posts of a thread page, or the threads and boards that a board page lists, by `context["role"]`."""
    parsed = (
        parse_thread_page(page, site, context)
        if context["role"] == "thread"
        else parse_board_page(page, context)
    )
    if page.too_deep:
        parsed.problems.append(NESTING_PROBLEM)
    return parsed


def thread_id(url: str) -> str | None:
    """The forum's own number of the thread that `url` opens; None when it opens none, or another page of one."""
    return _number(url, THREAD_PATH_PATTERN, THREAD_QUERY_URLS, strict=False)


def board_id(url: str) -> str | None:
    """The forum's own number of the board that `url` opens; boards and categories may share numbers."""
    return _number(url, BOARD_PATH_PATTERN, BOARD_QUERY_URLS, strict=True)


def _number(
    url: str, paths: re.Pattern[str], scripts: Iterable[QueryUrlFormat], *, strict: bool
) -> str | None:
    """The number that the path of `url`, or its parameters, name. `strict` wants no parameters that change the page."""
    path, _, query = url.partition("#")[0].partition("?")
    fields = parse_qsl(query.replace(";", "&"), keep_blank_values=True)
    if not fields:
        return _group(paths.search(path))
    first_key, first_value = fields[0]
    route = first_key if not first_value else first_value if first_key in ("p", "r") else ""
    if "/" in route:  # an address inside the parameters: index.php?threads/oats.9/
        return _group(paths.search("/" + route.lstrip("/"))) if len(fields) == 1 else None
    given = {key.lower(): value for key, value in fields}
    if any(
        given.get(key, first) != first for key, first in FIRST_PAGE_PARAMETERS.items()
    ) or not NON_THREAD_PARAMETERS.isdisjoint(given):
        return None
    for script in scripts:
        if not path.endswith(script.path_suffix) or (
            script.required_parameter
            and given.get(script.required_parameter[0]) != script.required_parameter[1]
        ):
            continue
        others = (
            set(given)
            - {script.id_parameter, *FIRST_PAGE_PARAMETERS, *IGNORED_PARAMETERS}
            - ({script.required_parameter[0]} if script.required_parameter else set())
        )
        value = given.get(script.id_parameter) if script.id_parameter else first_key
        if not script.id_parameter:
            others.discard(first_key.lower())
        match = _VALUE.fullmatch(value or "")
        if match and not (strict and others):
            return match[1]
    return None


def _group(match: re.Match[str] | None) -> str | None:
    return next((group for group in match.groups() if group), None) if match else None


def parse_board_page(page: Page, context: RequestContext) -> ParsedPage:
    """Links to threads, to the next page, and to boards: when the crawl began at an index, or this page is a mere list of boards."""
    parsed = ParsedPage()
    query = context["query"]
    found = link_urls(page)
    for url in found:
        number = thread_id(url)
        if number:
            parsed.links.append(Link(url, {"role": "thread", "query": query, "thread": number}))
    if not board_id(query) or not parsed.links:
        parsed.links += [
            Link(url, {"role": "board", "query": query}) for url in found if board_id(url)
        ]
    following = next_page_url(page)
    if following:
        parsed.links.append(Link(following, {**context, "page": context.get("page", 1) + 1}))
    return parsed


def parse_thread_page(page: Page, site: SourceInfo, context: RequestContext) -> ParsedPage:
    """The posts of one page of a thread.

    `context` has the thread's number and, from its second page on, the id of its opener and, where posts are numbered in
    each thread anew, how many `posts` the pages before this one had.
    """
    parsed = ParsedPage()
    thread = context.get("thread") or urlsplit(page.url).path
    opener = context.get("opener")
    shown = extract_thread_posts(page, site, thread)
    anew = has_per_thread_numbers(shown, thread, opener)
    if anew:
        shown = prefix_thread_ids(shown, thread, context.get("posts", 0))
    opener = opener or next((entry.native_id for entry in shown if entry.native_id), None)
    for entry in shown:
        _add(parsed, page, site, entry, f"{site.source}:thread:{thread}", opener)
    following = next_page_url(page)
    if following and following != page.url:
        before = {"posts": context.get("posts", 0) + len(shown)} if anew else {}
        parsed.links.append(
            Link(
                following,
                {**context, "role": "thread", "thread": thread, "opener": opener, **before},
            )
        )
    return parsed


def has_per_thread_numbers(shown: list[ThreadPost], thread: str, opener: str | None) -> bool:
    """Whether the forum numbers the posts of each thread anew, from 1 or 0.

    On the first page (`opener` is None) its first post tells, whatever follows: a thread must keep its ids while it grows.
    In a forum that counts through, post 1 opens thread 1.
    """
    if opener is not None:
        return opener in (f"{thread}-0", f"{thread}-1") and not all(
            entry.has_site_unique_id for entry in shown
        )
    first = next((entry for entry in shown if entry.native_id), None)
    return (
        first is not None
        and not first.has_site_unique_id
        and first.native_id in ("0", "1")
        and thread != "1"
    )


def prefix_thread_ids(shown: list[ThreadPost], thread: str, before: int) -> list[ThreadPost]:
    """The posts of a page with the thread's number before their own, so that it is unique on the site.

    `before` is how many posts the earlier pages had: where the numbers start again on this page, they go on from there.
    Where only the first post has its number again, the page repeats the opener.
    """
    numbers = [
        int(entry.native_id)
        for entry in shown
        if entry.native_id
        and not entry.has_site_unique_id
        and len(entry.native_id) < _LONGEST_NUMBER
    ]
    again = (
        before > 0
        and numbers[:1] in ([0], [1])
        and (len(numbers) == 1 or numbers[1] == numbers[0] + 1)
    )
    return [_renumbered(entry, thread, before if again else 0) for entry in shown]


def _renumbered(entry: ThreadPost, thread: str, offset: int) -> ThreadPost:
    if entry.native_id is None or entry.has_site_unique_id:
        return entry
    number = (
        str(int(entry.native_id) + offset)
        if len(entry.native_id) < _LONGEST_NUMBER
        else entry.native_id
    )
    return replace(entry, native_id=f"{thread}-{number}")


def _add(
    parsed: ParsedPage,
    page: Page,
    site: SourceInfo,
    entry: ThreadPost,
    thread: str,
    opener: str | None,
) -> None:
    """The post of one entry, or why there is none."""
    opens = entry.native_id == opener
    text = entry.text or (
        entry.title if opens else None
    )  # an opening post may be a title and a picture
    if entry.native_id is None:
        parsed.dropped.append(DroppedItem("no id"))
    elif entry.removal_reason and not (entry.removal_reason == HIDDEN and opens and text):
        parsed.dropped.append(DroppedItem(entry.removal_reason, entry.native_id))
    elif isinstance(entry.published, str) or not text:
        parsed.dropped.append(
            DroppedItem(
                entry.published if isinstance(entry.published, str) else "no text", entry.native_id
            )
        )
    else:
        parsed.add_post(
            site,
            entry.native_id,
            text=text,
            title=entry.title if opens and entry.text else None,
            thread=thread,
            parent=None if opens else f"{site.source}:{opener}",
            published_at=entry.published[0],
            precision=entry.published[1],
            url=entry.url,
            author=site.author_pseudonym(entry.author),
            place=entry.place,
            likes=entry.likes,
            fetched_at=page.fetched_at,
        )
