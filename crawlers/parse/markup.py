"""Reading HTML elements: what a person would read in one, and the links that sites share."""

import re
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from urllib.parse import parse_qs, urlsplit

from cssselect.xpath import HTMLTranslator, XPathExpr
from lxml import etree, html

from crawlers.parse.document import parse_html
from crawlers.parse.page import Page
from folate.core.markup import BLOCK_ELEMENTS

_SILENT = frozenset(["script", "style", "noscript", "template", "button", "form", "iframe"])
_EMOTICON = re.compile(r"emo|smil|face", re.I)
_SPACES = re.compile(r"\s+")
_QUOTES = frozenset(
    (
        *("quote", "quotecontent", "quotetitle", "quotebox", "quoteBox", "Quote", "UserQuote"),
        *("bbCodeBlock--quote", "bbCodeQuote", "quoteContainer"),  # XenForo
        *("bbcode_quote", "bbcode_postedby", "quote_container"),  # vBulletin
        *("quoteheader", "quotefooter", "topslice_quote", "botslice_quote"),  # SMF
        *("misago-quote", "quote-block", "ipsQuote", "ipsQuote_citation"),
    )
)
"""Classes of quotations; a search for so many by CSS takes longer than the rest of a page."""

_WROTE = re.compile(
    r"(?:wrote|said|posted|writes|says)(?: in [^:：]{1,80})?\s*[:：]$|(?:写道|寫道|说|說|发表于|發表於)\s*[:：]$",
    re.I,
)
_QUOTE_LABEL = re.compile(r"\s*(?:quote|引用|zitat|cita)", re.I)
_LONGEST_LABEL = 200  # characters above a quotation that say whose it is
_NEXT = re.compile(r"(?=.)(next( page)?|下一?[页頁]|下一个|后页|weiter|nächste)?\s*[»>›→]*", re.I)
_PAGE = re.compile(r"[?&](?:page|paged|p|pn|pg)=(\d{1,9})(?:&|$)")
_PERSON_KEYS = ("uid", "id", "u", "un", "user", "author_id")

_UNSEEN = frozenset(
    {
        "visually-hidden",
        "visuallyhidden",
        "sr-only",
        "u-srOnly",
        "screen-reader-text",
        "screen-reader-only",
        "element-invisible",
        "assistive-text",
        "d-none",
        "hidden",
        "jammer",
    }
)
"""Classes of what no reader sees."""

_ZERO = re.compile(r"[+-]?0(?:\.0{1,9})?(?![.\d])")
_FAR_OFF = re.compile(
    r"-(?:[5-9]\d\d|\d{4,9})(?!\d)"
)  # px or em; nobody moves what is to be seen so far
_OUT_OF_FLOW = re.compile(r"absolute|fixed")
_CLIPPED = re.compile(r"hidden|clip")
_UNSEEN_STYLES: tuple[dict[str, re.Pattern[str]], ...] = (
    {"display": re.compile(r"none")},
    {"visibility": re.compile(r"hidden|collapse")},
    {"opacity": _ZERO},
    {"font-size": _ZERO},
    {"font": re.compile(r"0(?:px)?\s{0,3}/")},
    {"color": re.compile(r"transparent")},
    {"transform": re.compile(r"scale\(\s{0,3}0\s{0,3}\)")},
    {"text-indent": _FAR_OFF},
    *({"position": _OUT_OF_FLOW, side: _FAR_OFF} for side in ("left", "top", "right", "bottom")),
    *(
        {"overflow": _CLIPPED, size: _ZERO}
        for size in ("width", "height", "max-width", "max-height")
    ),
    {"clip": re.compile(r"rect\((?:\s{0,3}[01](?:px)?\s{0,3},?){4}\)")},
    {"clip-path": re.compile(r"inset\(\s{0,3}(?:50|100)%")},
)
"""Declarations that together hide an element from every reader."""

_COMMENT = re.compile(r"/\*[^*]*\*/")
_COLLAPSED = re.compile(
    r"spoil|collaps|expand|unfold|accordion|toggle|read-?more|show-?more|show-?hide|full-?text|剧透|展开",
    re.I,
)
"""Classes and ids of what a reader opens by a click."""


class _Translator(HTMLTranslator):
    """CSS to XPath whose steps are conditions on one element: nested matches are not collected again and again."""

    def css_to_xpath(self, css: str, prefix: str = "descendant-or-self::") -> str:
        """One step with every selector of the list as an alternative: libxml2 unites two sets in quadratic time."""
        alternatives = super().css_to_xpath(css, prefix="self::").split(" | ")
        return f"{prefix}*[{' or '.join(alternatives)}]"

    def xpath_descendant_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        return right.add_condition(f"ancestor::{left}")

    def xpath_child_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        return right.add_condition(f"parent::{left}")

    def xpath_direct_adjacent_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        return right.add_condition(f"preceding-sibling::*[1]/self::{left}")

    def xpath_indirect_adjacent_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        return right.add_condition(f"preceding-sibling::{left}")

    def xpath_first_child_pseudo(self, xpath: XPathExpr) -> XPathExpr:
        return xpath.add_condition("not(preceding-sibling::*[1])")

    def xpath_last_child_pseudo(self, xpath: XPathExpr) -> XPathExpr:
        return xpath.add_condition("not(following-sibling::*[1])")


def select_css(element: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
    """What a CSS selector finds in `element`, itself included. Selectors are compiled once: that takes longer than a search."""
    return list(_compiled(selector)(element))


@cache
def _compiled(selector: str) -> etree.XPath:
    return etree.XPath(_Translator().css_to_xpath(selector))


def visible_text(element: html.HtmlElement, excluded: Collection[html.HtmlElement] = ()) -> str:
    """What `element` shows: blocks on lines of their own, emoticons by their `alt`, without the elements `left_out` in it.

    What a page hides from every reader is no text of it (noise against copying, labels for screen readers). What a
    reader opens by a click is: spoilers, <details>, texts behind a "read more".
    """
    lines = "".join(_pieces(element, excluded)).replace("\xa0", " ").split("\n")
    return "\n".join(
        line for line in (re.sub(r"[ \t\r\f\v]+", " ", line).strip() for line in lines) if line
    )


def html_to_text(markup: str) -> str:
    """`text_of` a piece of HTML."""
    return visible_text(parse_html(f"<div>{markup}</div>")[0])


def quotation_elements(page: Page) -> set[html.HtmlElement]:
    """The elements of a page that quote others, and those that say whom."""
    quotes = {
        node
        for node in select_css(page.tree, "[class]")
        if not _QUOTES.isdisjoint(str(node.get("class")).split())
    }
    blockquotes = select_css(page.tree, "blockquote:not(.postcontent)")
    quotes.update(blockquotes)
    for quote in blockquotes:
        label = quote.getprevious()
        if (
            label is not None
            and label.tag == "p"
            and not (label.tail or "").strip()
            and _WROTE.search(_beginning(label))
        ):
            quotes.add(label)
    for cell in select_css(page.tree, "td.alt2, td.quote"):  # vBulletin 3, phpBB 2
        table = next((up for up in cell.iterancestors() if up.tag == "table"), None)
        label = table.getprevious() if table is not None else None
        if "quote" in str(cell.get("class")).split() and table is not None:
            quotes.add(table)
        elif label is not None and _QUOTE_LABEL.match(_beginning(label)):
            quotes |= {table, label}
    return quotes


def _beginning(element: html.HtmlElement) -> str:
    """The text of a short element; the empty text for a long one, which labels nothing."""
    text = ""
    for steps, (event, node) in enumerate(etree.iterwalk(element, events=("start", "end"))):
        text += str(
            (node.text if event == "start" else node.tail if node is not element else None) or ""
        )
        if len(text) > _LONGEST_LABEL or steps > _LONGEST_LABEL:
            return ""
    return text.strip()


def _pieces(element: html.HtmlElement, left_out: Collection[html.HtmlElement]) -> Iterator[str]:
    """Texts and line breaks in document order; a walk without recursion, since hostile pages nest deeply."""
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    collapsed: list[html.HtmlElement] = []  # elements around the current one that a click opens
    silent: html.HtmlElement | None = None
    for event, node in walk:
        block = "\n" if node.tag in BLOCK_ELEMENTS else ""
        if event == "start":
            if node is not element and (
                node.tag in _SILENT
                or node in left_out
                or (_is_hidden(node) and not _opens(node, collapsed))
            ):
                silent = node
                walk.skip_subtree()
                continue
            if _is_collapsed(node):
                collapsed.append(node)
            yield block + (_emoticon(node) if node.tag == "img" else "") + _one_line(node.text)
        else:
            if collapsed and node is collapsed[-1]:
                collapsed.pop()
            yield "" if node is silent or event != "end" else block
            yield _one_line(node.tail) if node is not element else ""


def _is_hidden(node: html.HtmlElement) -> bool:
    """Whether the element itself says that no reader sees it."""
    attributes = node.attrib
    if not attributes:
        return False
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return True
    if (
        attributes.get("aria-hidden") == "true"
    ):  # an emoji is often hidden from screen readers alone
        return any(char.isalnum() for piece in node.itertext() for char in piece)
    if not _UNSEEN.isdisjoint(str(attributes.get("class", "")).split()):
        return True
    return "style" in attributes and _is_unseen(str(attributes["style"]))


@lru_cache(maxsize=1024)
def _is_unseen(style: str) -> bool:
    """Whether the declarations of a `style` attribute hide its element; of several of one property the last is in force."""
    declarations: dict[str, str] = {}
    for declaration in _COMMENT.sub("", style.lower()).split(";"):
        name, _, value = declaration.partition(":")
        declarations[name.strip()] = value.strip()
    return any(
        all(pattern.match(declarations.get(name, "")) for name, pattern in together.items())
        for together in _UNSEEN_STYLES
    )


def _is_collapsed(node: html.HtmlElement) -> bool:
    named = f"{node.get('class', '')} {node.get('id', '')}" if node.attrib else ""
    return node.tag == "details" or bool(_COLLAPSED.search(named))


def _opens(node: html.HtmlElement, around: Collection[html.HtmlElement]) -> bool:
    """Whether a click shows the hidden element: it or one around it is a spoiler, or a switch stands before it."""
    if around or _is_collapsed(node):
        return True
    for below in (node, node.getparent()):
        switch = below.getprevious()
        if switch is not None and any(
            "onclick" in part.attrib or part.tag == "button" for part in (switch, *switch[:5])
        ):
            return True
    return False


def _one_line(text: str | None) -> str:
    """Line breaks in the source are spaces on the page."""
    return _SPACES.sub(_space, text or "")


def _space(match: re.Match[str]) -> str:
    return " " if "\n" in match[0] or "\r" in match[0] else match[0]


def _emoticon(image: html.HtmlElement) -> str:
    alt = str(image.get("alt") or "").strip()
    known = alt.startswith("[") or _EMOTICON.search(
        f"{image.get('class') or ''} {image.get('src') or ''}"
    )
    return alt if alt and len(alt) <= 12 and (known or not alt.isascii()) else ""


def next_page_url(page: Page) -> str | None:
    """The page after this one: rel=next, else a pager's link that says so or has the next number. None on the last page."""
    for element in page.tree.xpath(
        '//*[self::a or self::link][contains(concat(" ", @rel, " "), " next ")][@href]'
    ):
        return page.absolute_url(element.get("href"))
    number = page_number(page.url)
    for link in _pager_links(page.tree):
        url = page.absolute_url(link.get("href"))
        says_next = _NEXT.fullmatch(_beginning(link)) or "nxt" in str(link.get("class")).split()
        if url and (says_next or (_PAGE.search(url) and page_number(url) == number + 1)):
            return url
    return None


def _pager_links(tree: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """Links with an address inside what looks like a pager, in document order."""
    depth = 0  # of pagers around the current element
    for event, node in etree.iterwalk(tree, events=("start", "end")):
        names = str(node.get("class", ""))
        if "pag" in names or "pg" in names or "next" in names or node.tag == "nav":
            depth += 1 if event == "start" else -1
            inside = True
        else:
            inside = depth > 0
        if event == "start" and inside and node.tag == "a" and node.get("href") is not None:
            yield node


def page_number(url: str) -> int:
    """The page that an address asks for, 1 when it does not say."""
    match = _PAGE.search(url)
    return int(match[1]) if match else 1


def link_urls(page: Page, selector: str = "a[href]") -> list[str]:
    """Addresses that the page's anchors name, in order, each once."""
    found = (page.absolute_url(a.get("href")) for a in select_css(page.tree, selector))
    return list(dict.fromkeys(url for url in found if url))


def author_native_id(element: html.HtmlElement) -> str | None:
    """The native id of the author whom `element` names: the user id or path of a link to the profile, else the name."""
    link = next(iter(element.xpath("ancestor-or-self::a[@href][1] | .//a[@href][1]")), None)
    if link is not None:
        try:
            parts = urlsplit(str(link.get("href")))
        except ValueError:  # no address
            return visible_text(element) or None
        query = parse_qs(parts.query)
        key = next((key for key in _PERSON_KEYS if key in query), None)
        if key:
            return f"{key}={query[key][0]}"
        if len(parts.path.strip("/")) > 1 and not parts.path.endswith(".php"):
            return parts.path.strip("/")
    return visible_text(element) or str(element.get("content") or "").strip() or None
