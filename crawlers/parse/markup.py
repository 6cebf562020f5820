"""Reading HTML elements: what a person would read in one, and the links that sites share."""

import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import parse_qs, urlsplit

from lxml import etree, html
from lxml.cssselect import CSSSelector

from crawlers.parse.page import Page

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
_SILENT = frozenset(["script", "style", "noscript", "template", "button", "form", "iframe"])
_EMOTICON = re.compile(r"emo|smil|face", re.I)
_QUOTES = "blockquote, .quote, .quotecontent, .quotetitle, .bbCodeBlock--quote, .misago-quote, .quote-block"
_NEXT = re.compile(r"(?=.)(next( page)?|下一?[页頁]|下一个|后页|weiter|nächste)?\s*[»>›→]*", re.I)
_PAGE = re.compile(r"[?&](?:page|paged|p|pn|pg)=(\d{1,9})(?:&|$)")
_PERSON_KEYS = ("uid", "id", "u", "un", "user", "author_id")


def select(element: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
    """What a CSS selector finds in `element`, itself included. Selectors are compiled once: that takes longer than a search."""
    return list(_compiled(selector)(element))


@cache
def _compiled(selector: str) -> CSSSelector:
    return CSSSelector(selector, translator="html")


def text_of(element: html.HtmlElement, drop: str = "") -> str:
    """What `element` shows: blocks on lines of their own, emoticons by their `alt`, without what the selector `drop` finds."""
    skipped = set(select(element, drop)) if drop else set()
    lines = "".join(_pieces(element, skipped)).replace("\xa0", " ").split("\n")
    return "\n".join(line for line in (re.sub(r"[ \t\r\f\v]+", " ", line).strip() for line in lines) if line)


def own_words(element: html.HtmlElement, drop: str = "") -> str:
    """`text_of` without quotations of others; with them when nothing else is there."""
    selectors = ", ".join(filter(None, (_QUOTES, drop)))
    return text_of(element, selectors) or text_of(element, drop)


def _pieces(element: html.HtmlElement, skipped: set[html.HtmlElement]) -> Iterator[str]:
    """Texts and line breaks in document order; a walk without recursion, since hostile pages nest deeply."""
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for event, node in walk:
        block = "\n" if node.tag in _BLOCKS else ""
        hidden = node.tag in _SILENT or node in skipped
        if event == "start" and hidden:
            walk.skip_subtree()
        elif event == "start":
            yield block + (_emoticon(node) if node.tag == "img" else "") + _one_line(node.text)
        else:
            yield "" if hidden else block
            yield _one_line(node.tail) if node is not element else ""


def _one_line(text: str | None) -> str:
    """Line breaks in the source are spaces on the page."""
    return re.sub(r"\s*[\r\n]\s*", " ", text or "")


def _emoticon(image: html.HtmlElement) -> str:
    alt = str(image.get("alt") or "").strip()
    known = alt.startswith("[") or _EMOTICON.search(f"{image.get('class') or ''} {image.get('src') or ''}")
    return alt if alt and len(alt) <= 12 and (known or not alt.isascii()) else ""


def next_page(page: Page) -> str | None:
    """The page after this one: rel=next, else a pager's link that says so or has the next number. None on the last page."""
    for element in page.tree.xpath('//*[self::a or self::link][contains(concat(" ", @rel, " "), " next ")][@href]'):
        return page.absolute(element.get("href"))
    pager = '//*[contains(@class, "pag") or contains(@class, "pg") or contains(@class, "next") or self::nav]/descendant-or-self::a[@href]'
    for link in page.tree.xpath(pager):
        url = page.absolute(link.get("href"))
        says_next = _NEXT.fullmatch(str(link.text_content()).strip()) or "nxt" in str(link.get("class")).split()
        if url and (says_next or (_PAGE.search(url) and page_number(url) == page_number(page.url) + 1)):
            return url
    return None


def page_number(url: str) -> int:
    """The page that an address asks for, 1 when it does not say."""
    match = _PAGE.search(url)
    return int(match[1]) if match else 1


def links(page: Page, selector: str = "a[href]") -> list[str]:
    """Addresses that the page's anchors name, in order, each once."""
    found = (page.absolute(a.get("href")) for a in select(page.tree, selector))
    return list(dict.fromkeys(url for url in found if url))


def person(element: html.HtmlElement) -> str | None:
    """The native id of the author whom `element` names: the user id or path of a link to the profile, else the name."""
    link = next(iter(element.xpath("ancestor-or-self::a[@href][1] | .//a[@href][1]")), None)
    if link is not None:
        parts = urlsplit(str(link.get("href")))
        query = parse_qs(parts.query)
        key = next((key for key in _PERSON_KEYS if key in query), None)
        if key:
            return f"{key}={query[key][0]}"
        if len(parts.path.strip("/")) > 1 and not parts.path.endswith(".php"):
            return parts.path.strip("/")
    return text_of(element) or str(element.get("content") or "").strip() or None
