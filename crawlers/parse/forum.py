"""Threaded forums: boards list threads, threads list posts, both in pages."""

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from crawlers.parse.forum_profiles import (
    BOARD_PATHS,
    BOARD_SCRIPTS,
    FIRST_PAGE,
    HARMLESS,
    NOT_THE_THREAD,
    THREAD_PATHS,
    THREAD_SCRIPTS,
    Script,
)
from crawlers.parse.markup import links, next_page
from crawlers.parse.page import TOO_DEEP, Context, Dropped, Link, Page, Parsed, Site
from crawlers.parse.thread_posts import HIDDEN, Entry, entries

_VALUE = re.compile(
    r"(\d+)(?:\.0|-.*)?", re.S
)  # of a parameter that names a thread: 5, 5.0 (SMF: from its first post), 5-slug

_LONGEST_NUMBER = 18  # digits; no forum counts further


def read(page: Page, site: Site, context: Context) -> Parsed:
    """The posts of a thread page, or the threads and boards that a board page lists, by `context["role"]`."""
    parsed = (
        thread_page(page, site, context)
        if context["role"] == "thread"
        else board_page(page, context)
    )
    if page.too_deep:
        parsed.problems.append(TOO_DEEP)
    return parsed


def thread_id(url: str) -> str | None:
    """The forum's own number of the thread that `url` opens; None when it opens none, or another page of one."""
    return _number(url, THREAD_PATHS, THREAD_SCRIPTS, strict=False)


def board_id(url: str) -> str | None:
    """The forum's own number of the board that `url` opens; boards and categories may share numbers."""
    return _number(url, BOARD_PATHS, BOARD_SCRIPTS, strict=True)


def _number(
    url: str, paths: re.Pattern[str], scripts: Iterable[Script], *, strict: bool
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
        given.get(key, first) != first for key, first in FIRST_PAGE.items()
    ) or not NOT_THE_THREAD.isdisjoint(given):
        return None
    for script in scripts:
        if not path.endswith(script.path) or (
            script.mode and given.get(script.mode[0]) != script.mode[1]
        ):
            continue
        others = (
            set(given)
            - {script.number, *FIRST_PAGE, *HARMLESS}
            - ({script.mode[0]} if script.mode else set())
        )
        value = given.get(script.number) if script.number else first_key
        if not script.number:
            others.discard(first_key.lower())
        match = _VALUE.fullmatch(value or "")
        if match and not (strict and others):
            return match[1]
    return None


def _group(match: re.Match[str] | None) -> str | None:
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
        parsed.links += [
            Link(url, {"role": "board", "query": query}) for url in found if board_id(url)
        ]
    following = next_page(page)
    if following:
        parsed.links.append(Link(following, {**context, "page": context.get("page", 1) + 1}))
    return parsed


def thread_page(page: Page, site: Site, context: Context) -> Parsed:
    """The posts of one page of a thread.

    `context` has the thread's number and, from its second page on, the id of its opener and, where posts are numbered in
    each thread anew, how many `posts` the pages before this one had.
    """
    parsed = Parsed()
    thread = context.get("thread") or urlsplit(page.url).path
    opener = context.get("opener")
    shown = entries(page, site, thread)
    anew = numbered_anew(shown, thread, opener)
    if anew:
        shown = with_thread(shown, thread, context.get("posts", 0))
    opener = opener or next((entry.native for entry in shown if entry.native), None)
    for entry in shown:
        _add(parsed, page, site, entry, f"{site.source}:thread:{thread}", opener)
    following = next_page(page)
    if following and following != page.url:
        before = {"posts": context.get("posts", 0) + len(shown)} if anew else {}
        parsed.links.append(
            Link(
                following,
                {**context, "role": "thread", "thread": thread, "opener": opener, **before},
            )
        )
    return parsed


def numbered_anew(shown: list[Entry], thread: str, opener: str | None) -> bool:
    """Whether the forum numbers the posts of each thread anew, from 1 or 0.

    On the first page (`opener` is None) its first post tells, whatever follows: a thread must keep its ids while it grows.
    In a forum that counts through, post 1 opens thread 1.
    """
    if opener is not None:
        return opener in (f"{thread}-0", f"{thread}-1") and not all(entry.exact for entry in shown)
    first = next((entry for entry in shown if entry.native), None)
    return first is not None and not first.exact and first.native in ("0", "1") and thread != "1"


def with_thread(shown: list[Entry], thread: str, before: int) -> list[Entry]:
    """The posts of a page with the thread's number before their own, so that it is unique on the site.

    `before` is how many posts the earlier pages had: where the numbers start again on this page, they go on from there.
    Where only the first post has its number again, the page repeats the opener.
    """
    numbers = [
        int(entry.native)
        for entry in shown
        if entry.native and not entry.exact and len(entry.native) < _LONGEST_NUMBER
    ]
    again = (
        before > 0
        and numbers[:1] in ([0], [1])
        and (len(numbers) == 1 or numbers[1] == numbers[0] + 1)
    )
    return [_renumbered(entry, thread, before if again else 0) for entry in shown]


def _renumbered(entry: Entry, thread: str, offset: int) -> Entry:
    if entry.native is None or entry.exact:
        return entry
    number = (
        str(int(entry.native) + offset) if len(entry.native) < _LONGEST_NUMBER else entry.native
    )
    return replace(entry, native=f"{thread}-{number}")


def _add(
    parsed: Parsed, page: Page, site: Site, entry: Entry, thread: str, opener: str | None
) -> None:
    """The post of one entry, or why there is none."""
    opens = entry.native == opener
    text = entry.text or (
        entry.title if opens else None
    )  # an opening post may be a title and a picture
    if entry.native is None:
        parsed.dropped.append(Dropped("no id"))
    elif entry.gone and not (entry.gone == HIDDEN and opens and text):
        parsed.dropped.append(Dropped(entry.gone, entry.native))
    elif isinstance(entry.when, str) or not text:
        parsed.dropped.append(
            Dropped(entry.when if isinstance(entry.when, str) else "no text", entry.native)
        )
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
