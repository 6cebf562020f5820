"""Parser of the JSON of m.weibo.cn: search and timeline cards, statuses, comments and reposts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit, urlunsplit

from crawlers.parse.blocked import blocking_reason
from crawlers.parse.markup import html_to_text
from crawlers.parse.page import DroppedItem, Link, Page, ParsedPage, RequestContext, SourceInfo
from crawlers.parse.shop_payloads import coerce_to_list
from crawlers.parse.stubs import is_microblog_stub
from folate.core.counts import parse_count_or_none
from folate.core.post import Post
from folate.core.reposts import EMPTY_REPOST_TEXT, strip_repost_chain

API_PATH = "/api/container/getIndex"
_PLACE_PREFIX = re.compile(r"^(?:发布于|来自|IP属地[:：]?)\s*")
_LOGIN_STATUS = -100  # the value of `ok` when a login is required
TRUNCATED_POST_PROBLEM = "the rest of a long post could not be read"


def search_url(base: str, query: str, page: int = 1) -> str:
    """Return the address of one page of the search for `query`, in the newest form of the API."""
    container = quote(f"100103type=1&q={query}", safe="")
    return urljoin(base, f"{API_PATH}?containerid={container}&page_type=searchall&page={page}")


def with_page_number(url: str, page: int) -> str:
    """Return `url` with its `page` parameter set."""
    url_parts = urlsplit(url)
    values_by_key = parse_qs(url_parts.query, keep_blank_values=True)
    fields = {key: values[-1] for key, values in values_by_key.items()}
    fields["page"] = str(page)
    return urlunsplit(url_parts._replace(query=urlencode(fields)))


def microblog_refusal_reason(page: Page) -> str | None:
    """Return why a page is not a list of posts (a login page, no JSON); None when it is one."""
    content = page.json
    if not isinstance(content, dict):
        return blocking_reason(page) or "not the JSON that was asked for"
    if content.get("ok") == _LOGIN_STATUS or "passport" in str(content.get("url", "")):
        return "login page"
    return None


def parse_microblog_page(
    page: Page, source_info: SourceInfo, context: RequestContext
) -> ParsedPage:
    """Parse a list of posts (role `list`), or the full text of a truncated post (role `whole`)."""
    parsed = ParsedPage()
    data = _as_mapping(page.json).get("data")
    if context["role"] == "whole":
        _add_completed_post(parsed, data, context)
        return parsed
    parsed.reported_total = _reported_total(_as_mapping(data))
    for status in _iterate_statuses(_as_mapping(data)):
        parsed.listed_ids.append(_native_id(status) or "")
        _add_repost_chain(parsed, page, source_info, status, context)
    return parsed


def _as_mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}


def _as_text(value: Any) -> str:
    """Return a string or number as text; empty for any other value."""
    is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() if is_scalar else ""


def _reported_total(data: Mapping[str, Any]) -> int | None:
    list_info = _as_mapping(data.get("cardlistInfo"))
    return parse_count_or_none(list_info.get("total", data.get("total_number")))


def _iterate_statuses(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the statuses of a list.

    They are in cards, alone or in a group, or they are comments, or `data` is itself one.
    """
    for card in coerce_to_list(data.get("cards")):
        for inner_card in (card, *coerce_to_list(_as_mapping(card).get("card_group"))):
            if _as_mapping(_as_mapping(inner_card).get("mblog")):
                yield inner_card["mblog"]
    for comment in (*coerce_to_list(data.get("hot_data")), *coerce_to_list(data.get("data"))):
        if _as_mapping(comment):
            yield comment
    if "created_at" in data and "id" in data:
        yield data


def _add_repost_chain(
    parsed: ParsedPage,
    page: Page,
    source_info: SourceInfo,
    status: Mapping[str, Any],
    context: RequestContext,
) -> None:
    """Add a status, and before it the one that it reposts, which may be a repost itself."""
    chain = [status]
    while _as_mapping(chain[-1].get("retweeted_status")):
        chain.append(chain[-1]["retweeted_status"])
    reposted_id = None
    for chained_status in reversed(chain):
        _add_status(parsed, page, source_info, chained_status, context, reposted_id=reposted_id)
        reposted_id = _native_id(chained_status)


def _add_status(
    parsed: ParsedPage,
    page: Page,
    source_info: SourceInfo,
    status: Mapping[str, Any],
    context: RequestContext,
    *,
    reposted_id: str | None,
) -> None:
    """Add the post of a status, or the reason why there is none.

    `reposted_id` is the id of the status that it reposts. A truncated post is not added: a link
    to its full text is.
    """
    native_id = _native_id(status)
    timestamp = source_info.resolve_date([_as_text(status.get("created_at"))], page.fetched_at)
    text, is_complete = _status_text(status)
    if not text and reposted_id:
        text = EMPTY_REPOST_TEXT
    reason = "no id" if native_id is None else _drop_reason(status, text)
    if reason or native_id is None or isinstance(timestamp, str):
        parsed.dropped.append(DroppedItem(reason or str(timestamp), native_id))
        return
    post_count = len(parsed.posts)
    parsed.add_post(
        source_info,
        native_id,
        text=text,
        published_at=timestamp[0],
        precision=timestamp[1],
        fetched_at=page.fetched_at,
        url=urljoin(page.url, f"/status/{native_id}"),
        thread=f"{source_info.source}:{reposted_id or native_id}",
        parent=f"{source_info.source}:{reposted_id}" if reposted_id else None,
        **_author_fields(source_info, status),
        **_count_fields(status),
    )
    if not is_complete and len(parsed.posts) > post_count:
        post = parsed.posts.pop().to_json()
        url = urljoin(page.url, f"/statuses/extend?id={native_id}")
        parsed.links.append(Link(url, {"role": "whole", "query": context["query"], "post": post}))


def _drop_reason(status: Mapping[str, Any], text: str) -> str | None:
    """Return why a status is not a post, or None.

    A status with a text is a post, even if the data of its author are missing.
    """
    deleted = status.get("deleted")
    if deleted is True or _as_text(deleted).lower() in ("1", "true") or is_microblog_stub(text):
        return "removed by the site"
    if not text:
        return "no text" if _as_mapping(status.get("user")) else "removed by the site"
    return None


def _add_completed_post(parsed: ParsedPage, data: Any, context: RequestContext) -> None:
    """Add a truncated post with its full text; unchanged when the response has none."""
    post = Post.from_json(context["post"])
    full_markup = _as_mapping(data).get("longTextContent")
    text = _own_text(full_markup) if isinstance(full_markup, str) else ""
    if not text or is_microblog_stub(text):
        parsed.problems.append(TRUNCATED_POST_PROBLEM)
        parsed.posts.append(post)
    else:
        parsed.posts.append(replace(post, text=text))


def _native_id(status: Mapping[str, Any]) -> str | None:
    return _as_text(status.get("id")) or _as_text(status.get("mid")) or None


def _status_text(status: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the author's own words, and whether they are complete."""
    full_markup = _as_text(_as_mapping(status.get("longText")).get("longTextContent"))
    is_complete = bool(full_markup) or not status.get("isLongText")
    return _own_text(full_markup or _as_text(status.get("text"))), is_complete


def _own_text(markup: str) -> str:
    """Return the text of Weibo's markup without the chain of earlier reposts (`//@name:…`)."""
    if not markup.strip():
        return ""
    return strip_repost_chain(html_to_text(markup))


def _author_fields(source_info: SourceInfo, status: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a post that describe its author."""
    user = _as_mapping(status.get("user"))
    verified = user.get("verified")
    place = _PLACE_PREFIX.sub("", _as_text(status.get("region_name"))).strip()
    return {
        "author": source_info.author_pseudonym(_as_text(user.get("id")) or None),
        "followers": parse_count_or_none(user.get("followers_count")),
        "verified": verified if isinstance(verified, bool) else None,
        "place": place or None,
    }


def _count_fields(status: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the fields of a post that count reactions to it."""
    return {
        "likes": _like_count(status),
        "replies": parse_count_or_none(status.get("comments_count")),
        "reposts": parse_count_or_none(status.get("reposts_count")),
    }


def _like_count(status: Mapping[str, Any]) -> int | None:
    for key in ("attitudes_count", "like_counts", "like_count"):
        count = parse_count_or_none(status.get(key))
        if count is not None:
            return count
    return None
