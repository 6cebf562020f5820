"""Parser of threaded forums: boards list threads, threads list posts, both in pages."""

import re
from collections.abc import Iterable, Mapping
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

# A parameter's value that names a thread: 5, 5.0 (SMF: from its first post), 5-slug.
_THREAD_VALUE = re.compile(r"(\d+)(?:\.0|-.*)?", re.S)

_MAX_NUMBER_DIGITS = 18  # no forum counts further


def parse_forum_page(page: Page, source_info: SourceInfo, context: RequestContext) -> ParsedPage:
    """Parse a thread page to its posts, a board page to its threads and boards.

    `context["role"]` is `thread` or `board`.
    """
    if context["role"] == "thread":
        parsed = parse_thread_page(page, source_info, context)
    else:
        parsed = parse_board_page(page, context)
    if page.too_deep:
        parsed.problems.append(NESTING_PROBLEM)
    return parsed


def thread_id(url: str) -> str | None:
    """Return the native id of the thread whose first page is at `url`, or None."""
    return _find_number(url, THREAD_PATH_PATTERN, THREAD_QUERY_URLS, strict=False)


def board_id(url: str) -> str | None:
    """Return the native id of the board at `url`, or None; boards and categories may share ids."""
    return _find_number(url, BOARD_PATH_PATTERN, BOARD_QUERY_URLS, strict=True)


def _find_number(
    url: str, path_pattern: re.Pattern[str], formats: Iterable[QueryUrlFormat], *, strict: bool
) -> str | None:
    """Return the number in the path of `url` or in its parameters, or None.

    With `strict`, other parameters that change the page are not allowed.
    """
    path, _, query = url.partition("#")[0].partition("?")
    fields = parse_qsl(query.replace(";", "&"), keep_blank_values=True)
    if not fields:
        return _first_group(path_pattern.search(path))
    first_key, first_value = fields[0]
    route = ""
    if not first_value:
        route = first_key
    elif first_key in ("p", "r"):
        route = first_value
    if "/" in route:  # the parameters contain a path: index.php?threads/oats.9/
        if len(fields) > 1:
            return None
        return _first_group(path_pattern.search("/" + route.lstrip("/")))
    values = {key.lower(): value for key, value in fields}
    if not _is_first_page(values) or not NON_THREAD_PARAMETERS.isdisjoint(values):
        return None
    for url_format in formats:
        if not _matches_format(path, values, url_format):
            continue
        expected_parameters = {url_format.id_parameter, *FIRST_PAGE_PARAMETERS}
        expected_parameters |= IGNORED_PARAMETERS
        if url_format.required_parameter:
            expected_parameters.add(url_format.required_parameter[0])
        if url_format.id_parameter:
            value = values.get(url_format.id_parameter)
        else:
            value = first_key
            expected_parameters.add(first_key.lower())
        match = _THREAD_VALUE.fullmatch(value or "")
        if match and not (strict and values.keys() - expected_parameters):
            return match[1]
    return None


def _is_first_page(values: Mapping[str, str]) -> bool:
    """Return whether the parameters of an address ask for a first page."""
    for key, first_value in FIRST_PAGE_PARAMETERS.items():
        if values.get(key, first_value) != first_value:
            return False
    return True


def _matches_format(path: str, values: Mapping[str, str], url_format: QueryUrlFormat) -> bool:
    """Return whether an address has the path and the required parameter of a format."""
    if not path.endswith(url_format.path_suffix):
        return False
    if url_format.required_parameter is None:
        return True
    key, expected_value = url_format.required_parameter
    return values.get(key) == expected_value


def _first_group(match: re.Match[str] | None) -> str | None:
    """Return the first group that took part in a match; None without a match."""
    return next(filter(None, match.groups()), None) if match else None


def parse_board_page(page: Page, context: RequestContext) -> ParsedPage:
    """Parse a board page to links: to threads, to the next page, and to boards.

    Boards are followed when the crawl began at an index, or the page lists nothing but boards.
    """
    parsed = ParsedPage()
    query = context["query"]
    urls = link_urls(page)
    for url in urls:
        native_id = thread_id(url)
        if native_id:
            parsed.links.append(Link(url, {"role": "thread", "query": query, "thread": native_id}))
    if not board_id(query) or not parsed.links:
        board_urls = [url for url in urls if board_id(url)]
        parsed.links += [Link(url, {"role": "board", "query": query}) for url in board_urls]
    next_url = next_page_url(page)
    if next_url:
        parsed.links.append(Link(next_url, {**context, "page": context.get("page", 1) + 1}))
    return parsed


def parse_thread_page(page: Page, source_info: SourceInfo, context: RequestContext) -> ParsedPage:
    """Parse one page of a thread to its posts and the link to its next page.

    `context` has the id of the `thread` and, from the second page on, the id of its `opener`, and
    the number of `posts` on earlier pages where the forum numbers posts in each thread.
    """
    parsed = ParsedPage()
    thread = context.get("thread") or urlsplit(page.url).path
    opener_id = context.get("opener")
    thread_posts = extract_thread_posts(page, source_info, thread)
    is_numbered_per_thread = has_per_thread_numbers(thread_posts, thread, opener_id)
    if is_numbered_per_thread:
        thread_posts = prefix_thread_ids(thread_posts, thread, context.get("posts", 0))
    opener_id = opener_id or _first_native_id(thread_posts)
    for thread_post in thread_posts:
        _add_post(parsed, page, source_info, thread_post, thread=thread, opener_id=opener_id)
    next_url = next_page_url(page)
    if next_url and next_url != page.url:
        next_context = {**context, "role": "thread", "thread": thread, "opener": opener_id}
        if is_numbered_per_thread:
            next_context["posts"] = context.get("posts", 0) + len(thread_posts)
        parsed.links.append(Link(next_url, next_context))
    return parsed


def _first_native_id(thread_posts: list[ThreadPost]) -> str | None:
    native_ids = (thread_post.native_id for thread_post in thread_posts)
    return next(filter(None, native_ids), None)


def has_per_thread_numbers(
    thread_posts: list[ThreadPost], thread: str, opener_id: str | None
) -> bool:
    """Return whether the forum numbers the posts of each thread separately, from 1 or 0.

    On the first page (`opener_id` is None) only its first post decides, because a thread must keep
    its ids while it grows. In a forum with one numbering for all threads, post 1 opens thread 1.
    """
    if opener_id is not None:
        return opener_id in (f"{thread}-0", f"{thread}-1") and not all(
            thread_post.has_site_unique_id for thread_post in thread_posts
        )
    first = next((thread_post for thread_post in thread_posts if thread_post.native_id), None)
    return (
        first is not None
        and not first.has_site_unique_id
        and first.native_id in ("0", "1")
        and thread != "1"
    )


def prefix_thread_ids(
    thread_posts: list[ThreadPost], thread: str, earlier_post_count: int
) -> list[ThreadPost]:
    """Return the posts of a page with the thread's id before their numbers, for site-wide ids.

    `earlier_post_count` is the number of posts on earlier pages: where the numbers start again on
    this page, it is added to them. Where only the first post has the number of the opener, the
    page repeats the opener.
    """
    numbers = [
        int(thread_post.native_id)
        for thread_post in thread_posts
        if thread_post.native_id
        and not thread_post.has_site_unique_id
        and len(thread_post.native_id) < _MAX_NUMBER_DIGITS
    ]
    numbers_restart = (
        earlier_post_count > 0
        and numbers[:1] in ([0], [1])
        and (len(numbers) == 1 or numbers[1] == numbers[0] + 1)
    )
    return [
        _renumber_post(thread_post, thread, earlier_post_count if numbers_restart else 0)
        for thread_post in thread_posts
    ]


def _renumber_post(thread_post: ThreadPost, thread: str, offset: int) -> ThreadPost:
    if thread_post.native_id is None or thread_post.has_site_unique_id:
        return thread_post
    number = thread_post.native_id
    if len(number) < _MAX_NUMBER_DIGITS:
        number = str(int(number) + offset)
    return replace(thread_post, native_id=f"{thread}-{number}")


def _add_post(
    parsed: ParsedPage,
    page: Page,
    source_info: SourceInfo,
    thread_post: ThreadPost,
    *,
    thread: str,
    opener_id: str | None,
) -> None:
    """Add one post, or the reason why there is none, to the results of a page."""
    is_opener = thread_post.native_id == opener_id
    native_id = thread_post.native_id
    text: str | None = thread_post.text
    if not text and is_opener:  # an opening post may be a title and a picture
        text = thread_post.title
    is_readable_opener = thread_post.removal_reason == HIDDEN and is_opener and text
    if native_id is None:
        parsed.dropped.append(DroppedItem("no id"))
    elif thread_post.removal_reason and not is_readable_opener:
        parsed.dropped.append(DroppedItem(thread_post.removal_reason, native_id))
    elif isinstance(thread_post.published, str):
        parsed.dropped.append(DroppedItem(thread_post.published, native_id))
    elif not text:
        parsed.dropped.append(DroppedItem("no text", native_id))
    else:
        parsed.add_post(
            source_info,
            native_id,
            text=text,
            title=thread_post.title if is_opener and thread_post.text else None,
            thread=f"{source_info.source}:thread:{thread}",
            parent=None if is_opener else f"{source_info.source}:{opener_id}",
            published_at=thread_post.published[0],
            precision=thread_post.published[1],
            url=thread_post.url,
            author=source_info.author_pseudonym(thread_post.author),
            place=thread_post.place,
            likes=thread_post.likes,
            fetched_at=page.fetched_at,
        )
