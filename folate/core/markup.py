"""Conversion of texts with HTML markup to plain text.

What only looks like markup is not changed: AT&T, <3, a<b and c>d, <strong opinions>, and `<br>` in
a sentence about the tag.
"""

import re
from html import unescape
from html.entities import html5

BLOCK_ELEMENTS = frozenset(
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
        "tbody",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
"""Elements with lines of their own."""

_INLINE_ELEMENTS = frozenset(
    [
        "a",
        "b",
        "big",
        "center",
        "cite",
        "code",
        "del",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "label",
        "mark",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "u",
        "wbr",
    ]
)
# Never closed; other elements without attributes are tags only if they are closed.
_VOID_ELEMENTS = frozenset(["br", "hr", "wbr"])
_ENTITY = re.compile(r"(?<!`)&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});(?!`)")
_ATTRIBUTE = (
    r"\s+[A-Za-z_:@][\w:.-]{0,60}\s{0,3}=\s{0,3}"
    r"""(?:"[^"<>]{0,4000}"|'[^'<>]{0,4000}'|[^\s"'<>=`]{1,4000})"""
)
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,10})"
    rf"(?P<attributes>(?:{_ATTRIBUTE}){{0,40}})\s{{0,10}}/?>"
)
_ALT = re.compile(r"""\salt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_OPENING_QUOTE = re.compile(r"""[`'"“‘「『]$""")
# What follows a tag that is the subject of a sentence.
_AFTER_MENTIONED_TAG = re.compile(
    r"""[`'"”’」』]|\s{0,2}(?:tags?|elements?|标签|標籤|元素|标记|標記)(?![A-Za-z])""",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
# Characters of `alt`; a longer one describes a picture.
_MAX_EMOTICON_LENGTH = 12


def markup_to_text(text: str) -> str:
    """Convert markup to text as a browser shows it.

    Entities become characters, blocks have lines of their own, emoticons become their `alt`. A text
    without markup is returned unchanged.
    """
    if "<" in text:
        text = _replace_tags(_remove_invisible_elements(text))
    if "&" in text:
        decoded = _ENTITY.sub(_decode_entity, text)
        if decoded != text:
            # Twice: some pages have &amp;nbsp;.
            text = _ENTITY.sub(_decode_entity, decoded).replace("\xa0", " ")
    return text


def emoticon_text(alt: str, attributes: str = "") -> str:
    """Return the `alt` of an image if it is an emoticon, by its form or the tag's `attributes`."""
    alt = alt.strip()
    if not alt or len(alt) > _MAX_EMOTICON_LENGTH:
        return ""
    is_marked = alt.startswith("[") or re.search(r"emo|smil|face", attributes, re.IGNORECASE)
    return alt if is_marked or not alt.isascii() else ""


def _decode_entity(match: re.Match[str]) -> str:
    is_entity = match[0][1] == "#" or match[0][1:] in html5
    return unescape(match[0]) if is_entity else match[0]


_INVISIBLE_START = re.compile(
    r"(?<!`)<(?:!--|(?P<name>script|style)(?:\s[^<>]{0,4000})?>)", re.IGNORECASE
)
_INVISIBLE_ENDS = {
    "": re.compile("-->"),
    "script": re.compile(r"</script\s{0,10}>", re.IGNORECASE),
    "style": re.compile(r"</style\s{0,10}>", re.IGNORECASE),
}


def _remove_invisible_elements(text: str) -> str:
    """Remove comments, scripts and style sheets that are closed."""
    pieces: list[str] = []
    position = copied_end = 0
    unclosed: set[str] = set()
    while start := _INVISIBLE_START.search(text, position):
        position = start.end()
        name = (start["name"] or "").lower()
        end = None if name in unclosed else _INVISIBLE_ENDS[name].search(text, position)
        if end is None:
            unclosed.add(name)
            continue
        pieces.append(text[copied_end : start.start()])
        position = copied_end = end.end()
    return "".join([*pieces, text[copied_end:]])


def _replace_tags(text: str) -> str:
    tags = _find_tags(text)
    if not tags:
        return text
    pieces = []
    previous_end = 0
    for tag in tags:
        pieces += [text[previous_end : tag.start()], _text_of_tag(tag)]
        previous_end = tag.end()
    pieces.append(text[previous_end:])
    lines = [_SPACES.sub(" ", line).strip() for line in "".join(pieces).split("\n")]
    return "\n".join(filter(None, lines))


def _find_tags(text: str) -> list[re.Match[str]]:
    """Find the tags of HTML elements that have attributes, are closed, or need no closing."""
    accepted: set[int] = set()
    open_tags: dict[str, list[int]] = {}
    elements = BLOCK_ELEMENTS | _INLINE_ELEMENTS
    html_tags = [match for match in _TAG.finditer(text) if match["name"].lower() in elements]
    matches = [match for match in html_tags if not _is_mentioned_tag(text, match)]
    for index, match in enumerate(matches):
        name = match["name"].lower()
        if match["close"]:
            if opened := open_tags.get(name):
                accepted |= {opened.pop(), index}
            elif name in _VOID_ELEMENTS:  # </br>
                accepted.add(index)
            continue
        if match["attributes"] or name in _VOID_ELEMENTS:
            accepted.add(index)
        open_tags.setdefault(name, []).append(index)
    return [matches[index] for index in sorted(accepted)]


def _is_mentioned_tag(text: str, match: re.Match[str]) -> bool:
    """Return whether a sentence is about a tag, which is in quotes or called a tag."""
    following = _AFTER_MENTIONED_TAG.match(text, match.end())
    if following is None:
        return False
    previous_char = text[max(0, match.start() - 1) : match.start()]
    return following[0].strip().isalpha() or _OPENING_QUOTE.search(previous_char) is not None


def _text_of_tag(tag: re.Match[str]) -> str:
    name = tag["name"].lower()
    if name in BLOCK_ELEMENTS:
        return "\n"
    if name != "img":
        return ""
    alt = _ALT.search(tag["attributes"])
    if not alt:
        return ""
    return emoticon_text(unescape(alt[1] or alt[2] or alt[3] or ""), tag["attributes"])
