"""The microblog of the demo web: JSON as that of m.weibo.cn, and HTML pages."""

import json
import re
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from demo.generate import DemoPost, World
from demo.markup import absolute_time, page_items, render_page

CARDS_PER_PAGE = 10
TIMELINE_POSTS = 40
MAX_LISTED_CHARACTERS = 130  # of a long post in a list
_NO_CONTENT = "这里还没有内容"
_EMOTICON = re.compile(r"\[[一-鿿a-z]{1,5}\]")
_HASHTAG = re.compile(r"#[^#\s]+#|#[A-Za-z]+")


class Microblog:
    """Search results, single posts, and a timeline."""

    def __init__(self, world: World) -> None:
        self.posts = world.posts_on("microblog")[::-1]
        self._by_number = {post.number: post for post in self.posts}

    def search_json(self, container: str, page_number: int, origin: str) -> str:
        """Return a page of search results as JSON, newest first.

        `container` is `100103type=1&q=QUERY`, `origin` the address of this server.
        """
        words = parse_qs(container).get("q", [""])[0].strip().casefold()
        matches = [post for post in self.posts if words and words in _search_text(post)]
        cards = [
            _card_json(post, container, origin)
            for post in page_items(matches, page_number, CARDS_PER_PAGE)
        ]
        if not cards:
            return json.dumps(
                {"ok": 0, "msg": _NO_CONTENT, "data": {"cards": []}}, ensure_ascii=False
            )
        info = {
            "containerid": container,
            "v_p": 42,
            "show_style": 1,
            "total": len(matches),
            "page": page_number + 1,
        }
        return json.dumps(
            {"ok": 1, "data": {"cardlistInfo": info, "cards": cards, "scheme": ""}},
            ensure_ascii=False,
        )

    def full_text_json(self, number: str) -> str:
        """Return the full text of a post as JSON."""
        post = self._find_post(number)
        if post is None:
            return json.dumps({"ok": 0, "msg": _NO_CONTENT}, ensure_ascii=False)
        counts = {
            "reposts_count": post.reposts,
            "comments_count": post.replies,
            "attitudes_count": post.likes,
        }
        return json.dumps(
            {
                "ok": 1,
                "data": {
                    "ok": 1,
                    "longTextContent": _text_to_html(_text_with_chain(post)),
                    **counts,
                },
            },
            ensure_ascii=False,
        )

    def status_page(self, number: str) -> str | None:
        """Return the page of a post; None for a post that does not exist."""
        post = self._find_post(number)
        return (
            render_page(f"{post.author.name}的微博", _render_article(post), post.slot.language)
            if post
            else None
        )

    def timeline_page(self) -> str:
        """Return the page of the latest posts."""
        articles = "".join(_render_article(post) for post in self.posts[:TIMELINE_POSTS])
        return render_page("微博 Microblog", f"<h1>此刻 Now</h1>{articles}")

    def _find_post(self, number: str) -> DemoPost | None:
        return self._by_number.get(int(number)) if number.isascii() and number.isdigit() else None


def _text_with_chain(post: DemoPost) -> str:
    """Return the text followed by its chain of reposts, as the site stores it."""
    if post.reposted_via is None:
        return post.text
    return f"{post.text}//@{post.reposted_via.author.name}:{post.reposted_via.text}"


def _search_text(post: DemoPost) -> str:
    return f"{_text_with_chain(post)} {post.reposts_of.text if post.reposts_of else ''}".casefold()


def _card_json(post: DemoPost, container: str, origin: str) -> dict[str, Any]:
    scheme = (
        f"{origin}/status/{post.number}?mblogid={post.number}&luicode=10000011&lfid"
        f"={quote(container, safe='')}"
    )
    return {
        "card_type": 9,
        "itemid": f"{container}_-_{post.number}",
        "scheme": scheme,
        "mblog": _status_json(post),
    }


def _status_json(post: DemoPost) -> dict[str, Any]:
    number = str(post.number)
    text = _text_with_chain(post)
    is_long = len(text) > MAX_LISTED_CHARACTERS
    listed_html = (
        f'{_text_to_html(text[:MAX_LISTED_CHARACTERS])}...<a href="/status/{number}">全文</a>'
        if is_long
        else _text_to_html(text)
    )
    status: dict[str, Any] = {
        "created_at": f"{post.time:%a %b %d %H:%M:%S +0800 %Y}",
        "id": number,
        "idstr": number,
        "mid": number,
        "can_edit": False,
        "text": listed_html,
        "textLength": len(text),
        "source": "微博网页版",
        "favorited": False,
        "user": _user_json(post),
        "reposts_count": _shown_count(post.reposts),
        "comments_count": _shown_count(post.replies),
        "attitudes_count": _shown_count(post.likes),
        "isLongText": is_long,
        "pic_ids": [],
        "bid": f"D{post.number:x}",
    }
    if post.place:
        status["region_name"] = f"发布于 {post.place}"
    if post.reposts_of:
        status["retweeted_status"] = _status_json(post.reposts_of)
    return status


def _user_json(post: DemoPost) -> dict[str, Any]:
    author = post.author
    return {
        "id": author.number,
        "screen_name": author.name,
        "profile_url": f"/u/{author.number}?uid={author.number}",
        "verified": author.verified,
        "verified_type": 0 if author.verified else -1,
        "followers_count": _shown_count(author.followers),
        "description": "",
    }


def _shown_count(number: int | None) -> int | str | None:
    """Return a count as the site shows it: `1.2万` from 10,000 on."""
    return number if number is None or number < 10_000 else f"{number / 10_000:g}万"


def _text_to_html(text: str) -> str:
    """Return the site's markup of a text: hashtags as links, emoticons as images with `alt`."""
    marked = _HASHTAG.sub(
        lambda m: (
            f'<a href="/m/?q={quote(m[0])}" data-hide=""><span class="surl-text">{m[0]}</span></a>'
        ),
        escape(text, quote=False),
    )
    return _EMOTICON.sub(
        lambda m: (
            f'<span class="url-icon"><img alt="{m[0]}" src="/emoticon/default.svg" '
            f'style="width:1em; height:1em;" /></span>'
        ),
        marked,
    )


def _render_article(post: DemoPost) -> str:
    origin = (
        f"<blockquote>{_render_article(post.reposts_of)}</blockquote>" if post.reposts_of else ""
    )
    place = f" · {post.place}" if post.place else ""
    return (
        f'<article class="card"><div class="row"><strong>{escape(post.author.name)}</strong> '
        f'<a href="/m/status/{post.number}"><time datetime'
        f'="{post.time.isoformat()}">{absolute_time(post)}</time></a></div>'
        f'<p lang="{post.slot.language}">{_text_to_html(_text_with_chain(post))}</p>{origin}'
        f'<span class="soft">转发 {post.reposts} · 评论 {post.replies} · 赞 {post.likes}{place}'
        f"</span></article>"
    )
