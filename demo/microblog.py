"""The microblog: the JSON that m.weibo.cn serves to its own pages, and plain pages for people."""

import json
import re
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from demo.generate import DemoPost, World
from demo.markup import absolute_time, page_items, render_page

CARDS_PER_PAGE, TIMELINE_POSTS = 10, 40  # posts a page of JSON, of the page for people
MAX_LISTED_CHARACTERS = 130  # characters that a list shows of a long post
_NOTHING = "这里还没有内容"
_EMOTICON = re.compile(r"\[[一-鿿a-z]{1,5}\]")
_HASHTAG = re.compile(r"#[^#\s]+#|#[A-Za-z]+")


class Microblog:
    """Search, single posts, and a timeline."""

    def __init__(self, world: World) -> None:
        self.posts = world.posts_on("microblog")[::-1]
        self._by_number = {post.number: post for post in self.posts}

    def search_json(self, container: str, page_number: int, origin: str) -> str:
        """One page of `containerid` = `100103type=1&q=QUERY`, newest first, as JSON; `origin` is the address of this server."""
        words = parse_qs(container).get("q", [""])[0].strip().casefold()
        found = [post for post in self.posts if words and words in _searchable(post)]
        cards = [
            _card(post, container, origin)
            for post in page_items(found, page_number, CARDS_PER_PAGE)
        ]
        if not cards:
            return json.dumps({"ok": 0, "msg": _NOTHING, "data": {"cards": []}}, ensure_ascii=False)
        info = {
            "containerid": container,
            "v_p": 42,
            "show_style": 1,
            "total": len(found),
            "page": page_number + 1,
        }
        return json.dumps(
            {"ok": 1, "data": {"cardlistInfo": info, "cards": cards, "scheme": ""}},
            ensure_ascii=False,
        )

    def full_text_json(self, number: str) -> str:
        """The whole text of a long post, as JSON."""
        post = self._find(number)
        if post is None:
            return json.dumps({"ok": 0, "msg": _NOTHING}, ensure_ascii=False)
        counts = {
            "reposts_count": post.reposts,
            "comments_count": post.replies,
            "attitudes_count": post.likes,
        }
        return json.dumps(
            {"ok": 1, "data": {"ok": 1, "longTextContent": _html(_chained(post)), **counts}},
            ensure_ascii=False,
        )

    def status_page(self, number: str) -> str | None:
        """The page of one post; None for a post that is not there."""
        post = self._find(number)
        return (
            render_page(f"{post.author.name}的微博", _article(post), post.slot.language)
            if post
            else None
        )

    def timeline_page(self) -> str:
        articles = "".join(_article(post) for post in self.posts[:TIMELINE_POSTS])
        return render_page("微博 Microblog", f"<h1>此刻 Now</h1>{articles}")

    def _find(self, number: str) -> DemoPost | None:
        return self._by_number.get(int(number)) if number.isascii() and number.isdigit() else None


def _chained(post: DemoPost) -> str:
    """The text with the chain of reposts behind it, as the site stores it."""
    return (
        f"{post.text}//@{post.reposted_via.author.name}:{post.reposted_via.text}"
        if post.reposted_via
        else post.text
    )


def _searchable(post: DemoPost) -> str:
    return f"{_chained(post)} {post.reposts_of.text if post.reposts_of else ''}".casefold()


def _card(post: DemoPost, container: str, origin: str) -> dict[str, Any]:
    scheme = f"{origin}/status/{post.number}?mblogid={post.number}&luicode=10000011&lfid={quote(container, safe='')}"
    return {
        "card_type": 9,
        "itemid": f"{container}_-_{post.number}",
        "scheme": scheme,
        "mblog": _mblog(post),
    }


def _mblog(post: DemoPost) -> dict[str, Any]:
    number, text = str(post.number), _chained(post)
    long = len(text) > MAX_LISTED_CHARACTERS
    shown = (
        f'{_html(text[:MAX_LISTED_CHARACTERS])}...<a href="/status/{number}">全文</a>'
        if long
        else _html(text)
    )
    mblog: dict[str, Any] = {
        "created_at": f"{post.time:%a %b %d %H:%M:%S +0800 %Y}",
        "id": number,
        "idstr": number,
        "mid": number,
        "can_edit": False,
        "text": shown,
        "textLength": len(text),
        "source": "微博网页版",
        "favorited": False,
        "user": _user(post),
        "reposts_count": _count(post.reposts),
        "comments_count": _count(post.replies),
        "attitudes_count": _count(post.likes),
        "isLongText": long,
        "pic_ids": [],
        "bid": f"D{post.number:x}",
    }
    if post.place:
        mblog["region_name"] = f"发布于 {post.place}"
    if post.reposts_of:
        mblog["retweeted_status"] = _mblog(post.reposts_of)
    return mblog


def _user(post: DemoPost) -> dict[str, Any]:
    author = post.author
    return {
        "id": author.number,
        "screen_name": author.name,
        "profile_url": f"/u/{author.number}?uid={author.number}",
        "verified": author.verified,
        "verified_type": 0 if author.verified else -1,
        "followers_count": _count(author.followers),
        "description": "",
    }


def _count(number: int | None) -> int | str | None:
    """As the site shows a count: `1.2万` from ten thousand on."""
    return number if number is None or number < 10_000 else f"{number / 10_000:g}万"


def _html(text: str) -> str:
    """Text as the site marks it up: hashtags are links, emoticons are images with their name in `alt`."""
    marked = _HASHTAG.sub(
        lambda m: (
            f'<a href="/m/?q={quote(m[0])}" data-hide=""><span class="surl-text">{m[0]}</span></a>'
        ),
        escape(text, quote=False),
    )
    return _EMOTICON.sub(
        lambda m: (
            f'<span class="url-icon"><img alt="{m[0]}" src="/emoticon/default.svg" style="width:1em; height:1em;" /></span>'
        ),
        marked,
    )


def _article(post: DemoPost) -> str:
    origin = f"<blockquote>{_article(post.reposts_of)}</blockquote>" if post.reposts_of else ""
    place = f" · {post.place}" if post.place else ""
    return (
        f'<article class="card"><div class="row"><strong>{escape(post.author.name)}</strong> '
        f'<a href="/m/status/{post.number}"><time datetime="{post.time.isoformat()}">{absolute_time(post)}</time></a></div>'
        f'<p lang="{post.slot.language}">{_html(_chained(post))}</p>{origin}'
        f'<span class="soft">转发 {post.reposts} · 评论 {post.replies} · 赞 {post.likes}{place}</span></article>'
    )
