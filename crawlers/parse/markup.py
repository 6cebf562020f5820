"""Visible text of HTML elements, quotations, links to the next page, and authors' ids."""

import re
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from itertools import chain
from urllib.parse import parse_qs, urlsplit

from cssselect.xpath import HTMLTranslator, XPathExpr
from lxml import etree, html

from crawlers.parse.document import parse_html
from crawlers.parse.page import Page
from folate.core.markup import BLOCK_ELEMENTS

_SKIPPED_TAGS = frozenset(["script", "style", "noscript", "template", "button", "form", "iframe"])
_EMOTICON = re.compile(r"emo|smil|face", re.I)
_WHITESPACE = re.compile(r"\s+")
_QUOTE_CLASSES = frozenset(
    (
        *("quote", "quotecontent", "quotetitle", "quotebox", "quoteBox", "Quote", "UserQuote"),
        *("bbCodeBlock--quote", "bbCodeQuote", "quoteContainer"),  # XenForo
        *("bbcode_quote", "bbcode_postedby", "quote_container"),  # vBulletin
        *("quoteheader", "quotefooter", "topslice_quote", "botslice_quote"),  # SMF
        *("misago-quote", "quote-block", "ipsQuote", "ipsQuote_citation"),
    )
)
"""Classes of quotations; selecting so many by CSS takes longer than all other parsing."""

_WROTE = re.compile(
    r"(?:wrote|said|posted|writes|says)(?: in [^:：]{1,80})?\s*[:：]$"
    r"|(?:写道|寫道|说|說|发表于|發表於)\s*[:：]$",
    re.I,
)
_QUOTE_LABEL = re.compile(r"\s*(?:quote|引用|zitat|cita)", re.I)
_MAX_LABEL_LENGTH = 200  # characters of the line above a quotation that names its author
_NEXT_LABEL = re.compile(
    r"(?=.)(next( page)?|下一?[页頁]|下一个|后页|weiter|nächste)?\s*[»>›→]*", re.I
)
_REL_NEXT_XPATH = '//*[self::a or self::link][contains(concat(" ", @rel, " "), " next ")][@href]'
_PAGE_PARAMETER = re.compile(r"[?&](?:page|paged|p|pn|pg)=(\d{1,9})(?:&|$)")
_USER_ID_PARAMETERS = ("uid", "id", "u", "un", "user", "author_id")

_HIDDEN_CLASSES = frozenset(
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
"""Classes of elements that no reader sees."""

_ZERO_VALUE = re.compile(r"[+-]?0(?:\.0{1,9})?(?![.\d])")
# In px or em; nothing that is to be seen is moved so far.
_FAR_OFF_VALUE = re.compile(r"-(?:[5-9]\d\d|\d{4,9})(?!\d)")
_OUT_OF_FLOW = re.compile(r"absolute|fixed")
_CLIPPED = re.compile(r"hidden|clip")
_HIDING_DECLARATIONS: tuple[dict[str, re.Pattern[str]], ...] = (
    {"display": re.compile(r"none")},
    {"visibility": re.compile(r"hidden|collapse")},
    {"opacity": _ZERO_VALUE},
    {"font-size": _ZERO_VALUE},
    {"font": re.compile(r"0(?:px)?\s{0,3}/")},
    {"color": re.compile(r"transparent")},
    {"transform": re.compile(r"scale\(\s{0,3}0\s{0,3}\)")},
    {"text-indent": _FAR_OFF_VALUE},
    *(
        {"position": _OUT_OF_FLOW, side: _FAR_OFF_VALUE}
        for side in ("left", "top", "right", "bottom")
    ),
    *(
        {"overflow": _CLIPPED, size: _ZERO_VALUE}
        for size in ("width", "height", "max-width", "max-height")
    ),
    {"clip": re.compile(r"rect\((?:\s{0,3}[01](?:px)?\s{0,3},?){4}\)")},
    {"clip-path": re.compile(r"inset\(\s{0,3}(?:50|100)%")},
)
"""CSS declarations; all of one entry together hide an element from every reader."""

_CSS_COMMENT = re.compile(r"/\*[^*]*\*/")
_COLLAPSED_NAME = re.compile(
    r"spoil|collaps|expand|unfold|accordion|toggle|read-?more|show-?more|show-?hide|full-?text"
    r"|剧透|展开",
    re.I,
)
"""Classes and ids of elements that a reader opens by a click."""


class _SingleStepTranslator(HTMLTranslator):
    """Translates CSS to XPath with one step, whose conditions test a single element.

    Nested matches are then not collected repeatedly.
    """

    def css_to_xpath(self, css: str, prefix: str = "descendant-or-self::") -> str:
        """Return one step with every selector of the list as an alternative.

        libxml2 takes quadratic time for the union of two sets.
        """
        alternatives = super().css_to_xpath(css, prefix="self::").split(" | ")
        return f"{prefix}*[{' or '.join(alternatives)}]"

    def xpath_descendant_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        """Translate `left right`."""
        return right.add_condition(f"ancestor::{left}")

    def xpath_child_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        """Translate `left > right`."""
        return right.add_condition(f"parent::{left}")

    def xpath_direct_adjacent_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        """Translate `left + right`."""
        return right.add_condition(f"preceding-sibling::*[1]/self::{left}")

    def xpath_indirect_adjacent_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        """Translate `left ~ right`."""
        return right.add_condition(f"preceding-sibling::{left}")

    def xpath_first_child_pseudo(self, xpath: XPathExpr) -> XPathExpr:
        """Translate `:first-child`."""
        return xpath.add_condition("not(preceding-sibling::*[1])")

    def xpath_last_child_pseudo(self, xpath: XPathExpr) -> XPathExpr:
        """Translate `:last-child`."""
        return xpath.add_condition("not(following-sibling::*[1])")


def select_css(element: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
    """Return the elements in `element`, itself included, that a CSS selector matches.

    An empty selector, as of a field that a profile lacks, matches none. Compiled selectors are
    cached: compiling takes longer than a search.
    """
    return list(_compile_selector(selector)(element)) if selector else []


@cache
def _compile_selector(selector: str) -> etree.XPath:
    return etree.XPath(_SingleStepTranslator().css_to_xpath(selector))


def visible_text(element: html.HtmlElement, excluded: Collection[html.HtmlElement] = ()) -> str:
    """Return the text that a reader sees in `element`, without the elements in `excluded`.

    Blocks are on lines of their own, emoticons are given by their `alt`. Text that the page hides
    from every reader is left out (noise against copying, labels for screen readers). Text that a
    reader opens by a click is included: spoilers, <details>, texts behind a "read more".
    """
    text = "".join(_iterate_text(element, excluded)).replace("\xa0", " ")
    lines = (re.sub(r"[ \t\r\f\v]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(filter(None, lines))


def html_to_text(markup: str) -> str:
    """Return the visible text of a piece of HTML."""
    return visible_text(parse_html(f"<div>{markup}</div>")[0])


def quotation_elements(page: Page) -> set[html.HtmlElement]:
    """Return the elements of a page that quote others, and those that name the quoted author."""
    quotes = {
        node
        for node in select_css(page.tree, "[class]")
        if not _QUOTE_CLASSES.isdisjoint(str(node.get("class")).split())
    }
    blockquotes = select_css(page.tree, "blockquote:not(.postcontent)")
    quotes.update(blockquotes)
    for quote in blockquotes:
        label = quote.getprevious()
        is_label = label is not None and label.tag == "p" and not (label.tail or "").strip()
        if is_label and _WROTE.search(_label_text(label)):
            quotes.add(label)
    for cell in select_css(page.tree, "td.alt2, td.quote"):  # vBulletin 3, phpBB 2
        table = next(
            (ancestor for ancestor in cell.iterancestors() if ancestor.tag == "table"), None
        )
        label = table.getprevious() if table is not None else None
        if "quote" in str(cell.get("class")).split() and table is not None:
            quotes.add(table)
        elif label is not None and _QUOTE_LABEL.match(_label_text(label)):
            quotes |= {table, label}
    return quotes


def _label_text(element: html.HtmlElement) -> str:
    """Return the text of a short element; empty for a long one, which is no label."""
    text = ""
    for steps, (event, node) in enumerate(etree.iterwalk(element, events=("start", "end"))):
        if event == "start":
            text += node.text or ""
        elif node is not element:
            text += node.tail or ""
        if len(text) > _MAX_LABEL_LENGTH or steps > _MAX_LABEL_LENGTH:
            return ""
    return text.strip()


def _iterate_text(
    element: html.HtmlElement, excluded: Collection[html.HtmlElement]
) -> Iterator[str]:
    """Yield texts and line breaks in document order, without recursion: pages may nest deeply."""
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    # The elements around the current one that a click opens.
    collapsed: list[html.HtmlElement] = []
    skipped: html.HtmlElement | None = None
    for event, node in walk:
        block = "\n" if node.tag in BLOCK_ELEMENTS else ""
        if event == "start":
            if node is not element and (
                node.tag in _SKIPPED_TAGS
                or node in excluded
                or (_is_hidden(node) and not _is_revealed_by_click(node, collapsed))
            ):
                skipped = node
                walk.skip_subtree()
                continue
            if _is_collapsed(node):
                collapsed.append(node)
            yield (
                block
                + (_emoticon_text(node) if node.tag == "img" else "")
                + _collapse_line_breaks(node.text)
            )
        else:
            if collapsed and node is collapsed[-1]:
                collapsed.pop()
            yield "" if node is skipped or event != "end" else block
            yield _collapse_line_breaks(node.tail) if node is not element else ""


def _is_hidden(node: html.HtmlElement) -> bool:
    """Return whether the attributes of an element hide it from every reader."""
    attributes = node.attrib
    if not attributes:
        return False
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return True
    if attributes.get("aria-hidden") == "true":  # an emoji is often hidden from screen readers only
        return any(map(str.isalnum, chain.from_iterable(node.itertext())))
    if not _HIDDEN_CLASSES.isdisjoint(str(attributes.get("class", "")).split()):
        return True
    return "style" in attributes and _is_hiding_style(str(attributes["style"]))


@lru_cache(maxsize=1024)
def _is_hiding_style(style: str) -> bool:
    """Return whether a `style` attribute hides its element; the last value of a property counts."""
    declarations: dict[str, str] = {}
    for declaration in _CSS_COMMENT.sub("", style.lower()).split(";"):
        name, _, value = declaration.partition(":")
        declarations[name.strip()] = value.strip()
    return any(
        all(pattern.match(declarations.get(name, "")) for name, pattern in hiding_values.items())
        for hiding_values in _HIDING_DECLARATIONS
    )


def _is_collapsed(node: html.HtmlElement) -> bool:
    names = f"{node.get('class', '')} {node.get('id', '')}" if node.attrib else ""
    return node.tag == "details" or bool(_COLLAPSED_NAME.search(names))


def _is_revealed_by_click(
    node: html.HtmlElement, open_collapsed: Collection[html.HtmlElement]
) -> bool:
    """Return whether a click shows a hidden element.

    It does when the element or one around it is a spoiler, or when a switch precedes it.
    """
    if open_collapsed or _is_collapsed(node):
        return True
    for inner in (node, node.getparent()):
        sibling = inner.getprevious()
        if sibling is not None and any(
            "onclick" in part.attrib or part.tag == "button" for part in (sibling, *sibling[:5])
        ):
            return True
    return False


def _collapse_line_breaks(text: str | None) -> str:
    """Return a text with line breaks of the source as spaces, as a browser shows them."""
    return _WHITESPACE.sub(_replace_line_break, text or "")


def _replace_line_break(match: re.Match[str]) -> str:
    return " " if "\n" in match[0] or "\r" in match[0] else match[0]


def _emoticon_text(image: html.HtmlElement) -> str:
    alt = str(image.get("alt") or "").strip()
    is_emoticon = alt.startswith("[") or _EMOTICON.search(
        f"{image.get('class') or ''} {image.get('src') or ''}"
    )
    return alt if alt and len(alt) <= 12 and (is_emoticon or not alt.isascii()) else ""


def next_page_url(page: Page) -> str | None:
    """Return the address of the next page, or None on the last page.

    It is that of rel=next, else a link in a pager with a word for "next" or the next page number.
    """
    for element in page.tree.xpath(_REL_NEXT_XPATH):
        return page.absolute_url(element.get("href"))
    current_page = page_number(page.url)
    for link in _pager_links(page.tree):
        url = page.absolute_url(link.get("href"))
        says_next = (
            _NEXT_LABEL.fullmatch(_label_text(link)) or "nxt" in str(link.get("class")).split()
        )
        if url and (
            says_next or (_PAGE_PARAMETER.search(url) and page_number(url) == current_page + 1)
        ):
            return url
    return None


def _pager_links(tree: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """Yield the links with an address inside of pagers, in document order."""
    depth = 0  # number of pagers around the current element
    for event, node in etree.iterwalk(tree, events=("start", "end")):
        names = str(node.get("class", ""))
        if "pag" in names or "pg" in names or "next" in names or node.tag == "nav":
            depth += 1 if event == "start" else -1
            is_inside = True
        else:
            is_inside = depth > 0
        if event == "start" and is_inside and node.tag == "a" and node.get("href") is not None:
            yield node


def page_number(url: str) -> int:
    """Return the page number in an address, 1 by default."""
    match = _PAGE_PARAMETER.search(url)
    return int(match[1]) if match else 1


def link_urls(page: Page, selector: str = "a[href]") -> list[str]:
    """Return the addresses of the page's links that match `selector`, in order, each once."""
    urls = (page.absolute_url(a.get("href")) for a in select_css(page.tree, selector))
    return list(dict.fromkeys(url for url in urls if url))


def author_native_id(element: html.HtmlElement) -> str | None:
    """Return the native id of the author in `element`.

    It is the user id or the path of a link to the profile, else the name.
    """
    link = next(iter(element.xpath("ancestor-or-self::a[@href][1] | .//a[@href][1]")), None)
    if link is not None:
        try:
            url_parts = urlsplit(str(link.get("href")))
        except ValueError:  # no address
            return visible_text(element) or None
        query = parse_qs(url_parts.query)
        key = next((key for key in _USER_ID_PARAMETERS if key in query), None)
        if key:
            return f"{key}={query[key][0]}"
        if len(url_parts.path.strip("/")) > 1 and not url_parts.path.endswith(".php"):
            return url_parts.path.strip("/")
    return visible_text(element) or str(element.get("content") or "").strip() or None
