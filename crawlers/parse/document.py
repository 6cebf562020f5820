"""Parsing of HTML to a tree, however deep its elements nest."""

import re
from collections import Counter

from lxml import etree, html

from folate.core.markup import BLOCK_ELEMENTS

_VOID_TAGS = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_INLINE_TAGS = frozenset(
    {
        "a",
        "abbr",
        "b",
        "big",
        "cite",
        "code",
        "del",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "tt",
        "u",
    }
)
_MAX_DEPTH = 512  # elements; Blink and WebKit stop nesting there, too
_MAX_BARE_DEPTH = 128  # for elements without attributes: they carry no structure
_MAX_ATTRIBUTES = 1000  # of one tag; libxml2 takes quadratic time
_ATTRIBUTE = r"""(?:[\s/]++[^\s=>/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]++))?+)"""
# Possessive: it never backtracks, so a search takes linear time.
_START_TAG = re.compile(rf"<[a-zA-Z][^\s/<>]*+{_ATTRIBUTE}*+")
_CROWDED_TAG = re.compile(rf"<[a-zA-Z][^\s/<>]*+{_ATTRIBUTE}{{{_MAX_ATTRIBUTES}}}")
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)([^<>]*+)>")


def parse_html(text: str) -> tuple[html.HtmlElement, bool]:
    """Parse a page, or a part of one; a text without markup gives an empty element.

    libxml2 silently ends a page that nests deeper than 256 elements. Such a page is parsed again
    without the elements that only nest. The second value says whether elements with attributes,
    or text, had to be removed, so that something may be lost.
    """
    text = _START_TAG.sub(_cap_attributes, text.replace("\0", ""))
    tree, is_cut = _parse_tree(text, huge=False)
    if not is_cut:
        return tree, False
    flat_text, is_lossy = _flatten_tags(text)
    tree, is_cut = _parse_tree(flat_text, huge=True)
    return tree, is_lossy or is_cut


def _parse_tree(text: str, *, huge: bool) -> tuple[html.HtmlElement, bool]:
    """Return the tree, and whether libxml2 stopped before the end.

    In HTML, libxml2 does not expand entities that the page defines.
    """
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=huge)
    try:
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # the text is empty
        return html.Element("html"), False
    return tree, any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log)


def _cap_attributes(match: re.Match[str]) -> str:
    """Return a start tag with as many attributes as libxml2 parses in reasonable time."""
    tag = match[0]
    crowded = _CROWDED_TAG.match(tag) if len(tag) > 2 * _MAX_ATTRIBUTES else None
    return crowded[0] if crowded else tag


def _flatten_tags(text: str) -> tuple[str, bool]:
    """Return `text` without too deeply nested tags, and whether one of them had attributes."""
    flattener = _TagFlattener()
    text_start = 0
    for tag in _TAG.finditer(text):
        flattener.parts.append(text[text_start : tag.start()])
        text_start = tag.end()
        name = tag[2].lower()
        if name in _VOID_TAGS or tag[3].endswith("/"):
            flattener.parts.append(tag[0])
        elif tag[1]:
            flattener.close(name)
        else:
            flattener.open(name, tag[0], bare=not tag[3].strip())
    flattener.parts.append(text[text_start:])
    return "".join(flattener.parts), flattener.is_lossy


class _TagFlattener:
    """Writes the tags of a page again, without those that nest too deeply."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        # Whether a tag with attributes was left out.
        self.is_lossy = False
        # The name of each open element, and whether its tag was written.
        self._open_elements: list[tuple[str, bool]] = []
        # The number of open elements whose tags were written.
        self._depth = 0
        self._open_blocks: Counter[str] = Counter()
        # Open inline elements since each open block: </b> does not end a <div>.
        self._open_inline: list[Counter[str]] = [Counter()]

    def open(self, name: str, tag: str, *, bare: bool) -> None:
        """Add a start tag; `bare` tells that it has no attributes."""
        written = self._depth < (_MAX_BARE_DEPTH if bare else _MAX_DEPTH)
        self.is_lossy |= not written and not bare
        self._open_elements.append((name, written))
        self._depth += written
        if name in _INLINE_TAGS:
            self._open_inline[-1][name] += 1
        else:
            self._open_blocks[name] += 1
            self._open_inline.append(Counter())
        self.parts.append(tag if written else _line_break(name))

    def close(self, name: str) -> None:
        """End the innermost element of that name and all inside it; ignore an unmatched end tag."""
        if not (self._open_inline[-1] if name in _INLINE_TAGS else self._open_blocks)[name]:
            return
        closed_name = None
        while closed_name != name:
            closed_name, written = self._open_elements.pop()
            self._depth -= written
            if closed_name in _INLINE_TAGS:
                self._open_inline[-1][closed_name] -= 1
            else:
                self._open_blocks[closed_name] -= 1
                self._open_inline.pop()
            self.parts.append(f"</{closed_name}>" if written else _line_break(closed_name))


def _line_break(name: str) -> str:
    return "<br>" if name in BLOCK_ELEMENTS else ""
