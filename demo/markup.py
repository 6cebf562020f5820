"""The frame of all pages of the demo web, pagers, and dates."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from math import ceil
from typing import TypeVar

from demo.catalog import DEMO_NOW
from demo.generate import DemoPost

T = TypeVar("T")

STYLESHEET = """
:root{--ink:#2a2622;--soft:#7a7068;--line:#e7e0d6;--paper:#fffdf9;--ground:#f6f1e8;--accent:#8a5a1c}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.65 system-ui,"PingFang SC",\
"Noto Sans CJK SC",sans-serif}
header,main,footer{max-width:52rem;margin:0 auto;padding:1rem 1.25rem}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
header{display:flex;gap:1.25rem;align-items:baseline;flex-wrap:wrap}header strong{font-size:1.15rem}
footer,.soft,time{color:var(--soft);font-size:.875rem}
h1{font-size:1.5rem;line-height:1.3}ul{list-style:none;padding:0;margin:0}
.card{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;\
padding:.9rem 1.1rem;margin:.7rem 0}
.row{display:flex;justify-content:space-between;gap:1rem;flex-wrap:wrap}.pager{display:flex;\
gap:1rem;justify-content:center;padding:1rem}
blockquote{margin:.4rem 0;padding:.2rem .8rem;border-left:3px solid var(--line);color:var(--soft)}\
.flag{color:#b3541e}.stars{color:#c98a1b}
.url-icon img{width:1em;height:1em}p{margin:.4rem 0}h3{margin:.5rem 0;font-size:1rem}
""".strip()

_SITES = (
    ("/forum/", "论坛 Forum"),
    ("/m/", "微博 Microblog"),
    ("/shop/", "商店 Shop"),
    ("/gym/", "健身 Gym"),
)


def render_page(title: str, body: str, language: str = "zh", head: str = "") -> str:
    """Return an HTML page; `title` is plain text, `head` and `body` are markup."""
    site_links = " ".join(f'<a href="{path}">{name}</a>' for path, name in _SITES)
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if language == "zh" else "en"}">\n<head>\n<meta '
        f'charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f'<link rel="stylesheet" href="/style.css">\n{head}</head>\n<body>\n'
        f'<header><a href="/"><strong>燕麦镇 Oatville</strong></a> {site_links}</header>\n'
        f"<main>\n{body}\n</main>\n"
        "<footer>An invented place: every brand, account and sentence is made up. 纯属虚构。"
        "</footer>\n</body>\n</html>\n"
    )


def page_items(items: Sequence[T], number: int, size: int) -> Sequence[T]:
    """Return page `number`, from 1, of `items`; empty after the last page."""
    return items[(number - 1) * size : number * size]


def page_count(count: int, size: int) -> int:
    """Return the number of pages of `count` items, at least one."""
    return max(1, ceil(count / size))


def next_link_tag(url: str | None) -> str:
    """Return the `<link rel="next">` of the head; empty on the last page."""
    return f'<link rel="next" href="{escape(url)}">\n' if url else ""


def render_pager(number: int, last: int, url: str | None, language: str) -> str:
    """Return the foot of a list: the page's number and the link to the next page."""
    zh = language == "zh"
    position = f"第 {number} / {last} 页" if zh else f"Page {number} of {last}"
    next_link = (
        f'<a rel="next" href="{escape(url)}">{"下一页" if zh else "Next page"}</a>' if url else ""
    )
    return f'<nav class="pager"><span class="soft">{position}</span>{next_link}</nav>'


def relative_time(moment: datetime, language: str) -> str:
    """Return a date as lists show it: relative in its first week."""
    hours = int((DEMO_NOW - moment).total_seconds() // 3600)
    zh = language == "zh"
    if hours < 1:
        return "刚刚" if zh else "just now"
    if hours < 24:
        return f"{hours} 小时前" if zh else f"{hours} hours ago"
    if hours < 24 * 7:
        return f"{hours // 24} 天前" if zh else f"{hours // 24} days ago"
    return f"{moment:%Y-%m-%d}" if zh else f"{moment:%b} {moment.day}, {moment.year}"


def absolute_time(post: DemoPost) -> str:
    """Return the full date of a post in its language."""
    if post.slot.language == "zh":
        return f"{post.time:%Y-%m-%d %H:%M}"
    return f"{post.time:%b} {post.time.day}, {post.time.year}, {post.time:%H:%M}"
