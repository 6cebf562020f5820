"""HTML text to a tree, however deep it nests."""

import re
from collections import Counter

from lxml import etree, html

from folate.core.markup import BLOCK_ELEMENTS

_VOID = frozenset(
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
_INLINE = frozenset(
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
_DEEPEST = 512  # elements, where Blink and WebKit stop nesting, too
_DEEPEST_BARE = 128  # elements without attributes carry no structure: they are the first to go
_MOST_ATTRIBUTES = 1000  # of one tag; libxml2 takes quadratic time
_ATTRIBUTE = r"""(?:[\s/]++[^\s=>/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]++))?+)"""
_START = re.compile(
    rf"<[a-zA-Z][^\s/<>]*+{_ATTRIBUTE}*+"
)  # consumes what it looks at: one pass, linear time
_CROWDED = re.compile(rf"<[a-zA-Z][^\s/<>]*+{_ATTRIBUTE}{{{_MOST_ATTRIBUTES}}}")
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)([^<>]*+)>")


def parse_html(text: str) -> tuple[html.HtmlElement, bool]:
    """Parse a page, or a piece of one; an empty element for a text that holds none.

    libxml2 silently ends a page that nests deeper than 256 elements. Such a page is read again without the elements that
    only nest. The second value says whether elements with attributes had to go, or even text: then something may be lost.
    """
    text = _START.sub(_uncrowded, text.replace("\0", ""))
    tree, cut = _parsed(text, huge=False)
    if not cut:
        return tree, False
    shallow, lost = _shallow(text)
    tree, cut = _parsed(shallow, huge=True)
    return tree, lost or cut


def _parsed(text: str, *, huge: bool) -> tuple[html.HtmlElement, bool]:
    """The tree, and whether libxml2 gave up before the end. It expands no entities of the page's own in HTML."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=huge)
    try:
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # nothing in it
        return html.Element("html"), False
    return tree, any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log)


def _uncrowded(start: re.Match[str]) -> str:
    """A tag with no more attributes than libxml2 reads in reasonable time."""
    tag = start[0]
    most = _CROWDED.match(tag) if len(tag) > 2 * _MOST_ATTRIBUTES else None
    return most[0] if most else tag


def _shallow(text: str) -> tuple[str, bool]:
    """`text` without the tags that nest too deeply, and whether one of them had attributes."""
    tags = _Tags()
    end = 0
    for tag in _TAG.finditer(text):
        tags.pieces.append(text[end : tag.start()])
        end = tag.end()
        name = tag[2].lower()
        if name in _VOID or tag[3].endswith("/"):
            tags.pieces.append(tag[0])
        elif tag[1]:
            tags.close(name)
        else:
            tags.open(name, tag[0], bare=not tag[3].strip())
    tags.pieces.append(text[end:])
    return "".join(tags.pieces), tags.lost


class _Tags:
    """The tags of a page on their way out: which are open, which of those were written."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.lost = False  # whether a tag with attributes was left out
        self._open: list[tuple[str, bool]] = []  # name, whether written
        self._depth = 0  # of those written
        self._blocks: Counter[str] = Counter()
        self._inline: list[Counter[str]] = [Counter()]  # since each open block: </b> ends no <div>

    def open(self, name: str, tag: str, *, bare: bool) -> None:
        written = self._depth < (_DEEPEST_BARE if bare else _DEEPEST)
        self.lost |= not written and not bare
        self._open.append((name, written))
        self._depth += written
        if name in _INLINE:
            self._inline[-1][name] += 1
        else:
            self._blocks[name] += 1
            self._inline.append(Counter())
        self.pieces.append(tag if written else _break(name))

    def close(self, name: str) -> None:
        """End the innermost element of that name and all inside it. An end without a beginning is left out."""
        if not (self._inline[-1] if name in _INLINE else self._blocks)[name]:
            return
        ended = None
        while ended != name:
            ended, written = self._open.pop()
            self._depth -= written
            if ended in _INLINE:
                self._inline[-1][ended] -= 1
            else:
                self._blocks[ended] -= 1
                self._inline.pop()
            self.pieces.append(f"</{ended}>" if written else _break(ended))


def _break(name: str) -> str:
    return "<br>" if name in BLOCK_ELEMENTS else ""
