"""The JSON that m.weibo.cn serves: search and timeline cards, statuses, comments, and the posts they repost (转发)."""

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
_PLACE = re.compile(r"^(?:发布于|来自|IP属地[:：]?)\s*")
_LOGIN = -100  # what `ok` says when the site wants a login
TRUNCATED_POST_PROBLEM = "the rest of a long post could not be read"


def search_url(base: str, query: str, page: int = 1) -> str:
    """The address of one page of the search for `query`, newest API form."""
    container = quote(f"100103type=1&q={query}", safe="")
    return urljoin(base, f"{API_PATH}?containerid={container}&page_type=searchall&page={page}")


def with_page_number(url: str, page: int) -> str:
    """`url` with its `page` parameter set."""
    parts = urlsplit(url)
    fields = {
        key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()
    } | {"page": str(page)}
    return urlunsplit(parts._replace(query=urlencode(fields)))


def microblog_refusal_reason(page: Page) -> str | None:
    """Why this answer is no list of posts (login wanted, not JSON at all); None when it is one, even an empty one."""
    answer = page.json
    if not isinstance(answer, dict):
        return blocking_reason(page) or "not the JSON that was asked for"
    if answer.get("ok") == _LOGIN or "passport" in str(answer.get("url", "")):
        return "login page"
    return None


def parse_microblog_page(page: Page, site: SourceInfo, context: RequestContext) -> ParsedPage:
    """The posts of a list (`role` list), or one long post whose list showed only its beginning (`role` whole)."""
    parsed = ParsedPage()
    data = _mapping(page.json).get("data")
    if context["role"] == "whole":
        _complete(parsed, data, context)
        return parsed
    parsed.reported_total = _total(_mapping(data))
    for mblog in _mblogs(_mapping(data)):
        parsed.listed_ids.append(_native(mblog) or "")
        _status(parsed, page, site, mblog, context)
    return parsed


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _scalar(value: Any) -> str:
    """Text or a number as text; the empty text for whatever else stands where one of them belongs."""
    return (
        str(value).strip()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        else ""
    )


def _total(data: Mapping[str, Any]) -> int | None:
    return parse_count_or_none(
        _mapping(data.get("cardlistInfo")).get("total", data.get("total_number"))
    )


def _mblogs(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The posts of a list: cards that hold one, alone or in a group; comments; or the answer is itself one post."""
    for card in coerce_to_list(data.get("cards")):
        for inner in (card, *coerce_to_list(_mapping(card).get("card_group"))):
            if _mapping(_mapping(inner).get("mblog")):
                yield inner["mblog"]
    for comment in (*coerce_to_list(data.get("hot_data")), *coerce_to_list(data.get("data"))):
        if _mapping(comment):
            yield comment
    if "created_at" in data and "id" in data:
        yield data


def _status(
    parsed: ParsedPage,
    page: Page,
    site: SourceInfo,
    mblog: Mapping[str, Any],
    context: RequestContext,
) -> None:
    """One post, and before it the one that it reposts, which may be a repost itself."""
    chain = [mblog]
    while _mapping(chain[-1].get("retweeted_status")):
        chain.append(chain[-1]["retweeted_status"])
    for reposted, status in zip([{}, *reversed(chain)], reversed(chain), strict=False):
        _one(parsed, page, site, status, _native(reposted), context)


def _one(
    parsed: ParsedPage,
    page: Page,
    site: SourceInfo,
    mblog: Mapping[str, Any],
    root: str | None,
    context: RequestContext,
) -> None:
    """One post, with `root`, the id of the post that it reposts; or why there is none."""
    native = _native(mblog)
    when = site.resolve_date([_scalar(mblog.get("created_at"))], page.fetched_at)
    text, whole = _text(mblog)
    if not text and root:
        text = EMPTY_REPOST_TEXT
    reason = "no id" if native is None else _gone(mblog, text)
    if reason or native is None or isinstance(when, str):
        parsed.dropped.append(DroppedItem(reason or str(when), native))
        return
    before = len(parsed.posts)
    parsed.add_post(
        site,
        native,
        text=text,
        published_at=when[0],
        precision=when[1],
        fetched_at=page.fetched_at,
        url=urljoin(page.url, f"/status/{native}"),
        thread=f"{site.source}:{root or native}",
        parent=f"{site.source}:{root}" if root else None,
        **_author(site, mblog),
        **_counts(mblog),
    )
    if not whole and len(parsed.posts) > before:
        post = parsed.posts.pop().to_json()
        url = urljoin(page.url, f"/statuses/extend?id={native}")
        parsed.links.append(Link(url, {"role": "whole", "query": context["query"], "post": post}))


def _gone(mblog: Mapping[str, Any], text: str) -> str | None:
    """Why a status is no post. One that can be read is, even if its author's data are missing."""
    if (
        _scalar(mblog.get("deleted")).lower() in ("1", "true")
        or mblog.get("deleted") is True
        or is_microblog_stub(text)
    ):
        return "removed by the site"
    if not text:
        return "no text" if _mapping(mblog.get("user")) else "removed by the site"
    return None


def _complete(parsed: ParsedPage, data: Any, context: RequestContext) -> None:
    """The post that a list showed cut short, with its whole text; as it was when the answer has none."""
    post = Post.from_json(context["post"])
    whole = _mapping(data).get("longTextContent")
    text = _own(whole) if isinstance(whole, str) else ""
    if not text or is_microblog_stub(text):
        parsed.problems.append(TRUNCATED_POST_PROBLEM)
    parsed.posts.append(post if not text or is_microblog_stub(text) else replace(post, text=text))


def _native(mblog: Mapping[str, Any]) -> str | None:
    return _scalar(mblog.get("id")) or _scalar(mblog.get("mid")) or None


def _text(mblog: Mapping[str, Any]) -> tuple[str, bool]:
    """The author's own words, and whether they are whole."""
    whole = _scalar(_mapping(mblog.get("longText")).get("longTextContent"))
    return _own(whole or _scalar(mblog.get("text"))), bool(whole) or not mblog.get("isLongText")


def _own(markup: str) -> str:
    """Text of Weibo's markup, up to the chain of earlier reposts (`//@name:…`): those are other people's words."""
    if not markup.strip():
        return ""
    return strip_repost_chain(html_to_text(markup))


def _author(site: SourceInfo, mblog: Mapping[str, Any]) -> dict[str, Any]:
    user = _mapping(mblog.get("user"))
    verified = user.get("verified")
    place = _PLACE.sub("", _scalar(mblog.get("region_name"))).strip()
    return {
        "author": site.author_pseudonym(_scalar(user.get("id")) or None),
        "followers": parse_count_or_none(user.get("followers_count")),
        "verified": verified if isinstance(verified, bool) else None,
        "place": place or None,
    }


def _counts(mblog: Mapping[str, Any]) -> dict[str, int | None]:
    likes = (mblog.get(name) for name in ("attitudes_count", "like_counts", "like_count"))
    return {
        "likes": next((n for n in map(parse_count_or_none, likes) if n is not None), None),
        "replies": parse_count_or_none(mblog.get("comments_count")),
        "reposts": parse_count_or_none(mblog.get("reposts_count")),
    }
