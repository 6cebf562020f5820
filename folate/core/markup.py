"""Texts that were taken from web pages with their markup: entities and tags as a reader sees them.

What only looks like markup stays: AT&T, <3, a<b and c>d, <strong opinions>, and `<br>` where somebody writes of it.
"""

import re
from html import unescape
from html.entities import html5

BLOCK_ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "address article blockquote br dd div dl dt figure h1 h2 h3 h4 h5 h6 hr li ol p pre section table tbody td th tr ul",
    )
)
"""Elements that stand on lines of their own."""

_INLINE = frozenset(
    re.findall(
        r"\w+",
        "a b big center cite code del em font i img ins label mark s small span strike strong sub sup u wbr",
    )
)
_ALONE = frozenset(
    ["br", "hr", "wbr"]
)  # never closed; others without attributes are tags only if they are
_ENTITY = re.compile(r"(?<!`)&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});(?!`)")
_ATTRIBUTE = r"""\s+[A-Za-z_:@][\w:.-]{0,60}\s{0,3}=\s{0,3}(?:"[^"<>]{0,4000}"|'[^'<>]{0,4000}'|[^\s"'<>=`]{1,4000})"""
_TAG = re.compile(
    rf"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]{{0,10}})(?P<attributes>(?:{_ATTRIBUTE}){{0,40}})\s{{0,10}}/?>"
)
_ALT = re.compile(r"""\salt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_QUOTED = re.compile(r"""[`'"“‘「『]$""")
_SPOKEN_OF = re.compile(
    r"""[`'"”’」』]|\s{0,2}(?:tags?|elements?|标签|標籤|元素|标记|標記)(?![A-Za-z])""",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_LONGEST_EMOTICON = 12  # characters of `alt`; longer ones describe a picture


def markup_to_text(text: str) -> str:
    """The text as a reader of the page saw it: entities as characters, blocks on lines of their own, emoticons by their `alt`.

    A text without markup comes back unchanged.
    """
    shown = _without_tags(_without_unseen(text)) if "<" in text else text
    if "&" in shown:
        decoded = _ENTITY.sub(_character, shown)
        shown = (
            decoded if decoded == shown else _ENTITY.sub(_character, decoded).replace("\xa0", " ")
        )  # &amp;nbsp; was escaped twice
    return shown


def emoticon_text(alt: str, attributes: str = "") -> str:
    """What a reader sees of a small picture: its `alt`, if it is an emoticon's by its look or by what the tag says `about` it."""
    alt = alt.strip()
    known = alt.startswith("[") or re.search(r"emo|smil|face", attributes, re.IGNORECASE)
    return alt if alt and len(alt) <= _LONGEST_EMOTICON and (known or not alt.isascii()) else ""


def _character(match: re.Match[str]) -> str:
    return unescape(match[0]) if match[0][1] == "#" or match[0][1:] in html5 else match[0]


_UNSEEN = re.compile(r"(?<!`)<(?:!--|(?P<name>script|style)(?:\s[^<>]{0,4000})?>)", re.IGNORECASE)
_UNSEEN_ENDS = {
    "": re.compile("-->"),
    "script": re.compile(r"</script\s{0,10}>", re.IGNORECASE),
    "style": re.compile(r"</style\s{0,10}>", re.IGNORECASE),
}


def _without_unseen(text: str) -> str:
    """Leave out comments, scripts and style sheets, which no reader sees. One that is not closed is text."""
    pieces: list[str] = []
    position = copied = 0
    unclosed: set[str] = set()
    while start := _UNSEEN.search(text, position):
        position = start.end()
        name = (start["name"] or "").lower()
        end = None if name in unclosed else _UNSEEN_ENDS[name].search(text, position)
        if end is None:
            unclosed.add(name)
            continue
        pieces.append(text[copied : start.start()])
        position = copied = end.end()
    return "".join([*pieces, text[copied:]])


def _without_tags(text: str) -> str:
    tags = _tags(text)
    if not tags:
        return text
    pieces, end = [], 0
    for tag in tags:
        pieces += [text[end : tag.start()], _shown(tag)]
        end = tag.end()
    lines = "".join([*pieces, text[end:]]).split("\n")
    return "\n".join(line for line in (_SPACES.sub(" ", line).strip() for line in lines) if line)


def _tags(text: str) -> list[re.Match[str]]:
    """The tags of a text: elements of HTML with attributes, closed, or such as need no closing."""
    accepted: set[int] = set()
    open_tags: dict[str, list[int]] = {}
    matches = [
        match
        for match in _TAG.finditer(text)
        if match["name"].lower() in BLOCK_ELEMENTS | _INLINE and not _is_spoken_of(text, match)
    ]
    for n, match in enumerate(matches):
        name = match["name"].lower()
        if match["close"]:
            if opened := open_tags.get(name):
                accepted |= {opened.pop(), n}
            elif name in _ALONE:  # </br>
                accepted.add(n)
            continue
        if match["attributes"] or name in _ALONE:
            accepted.add(n)
        open_tags.setdefault(name, []).append(n)
    return [match for n, match in enumerate(matches) if n in accepted]


def _is_spoken_of(text: str, match: re.Match[str]) -> bool:
    """Whether a tag is the subject of its sentence: in quotes, or called a tag."""
    after = _SPOKEN_OF.match(text, match.end())
    return after is not None and (
        after[0].strip().isalpha()
        or _QUOTED.search(text[max(0, match.start() - 1) : match.start()]) is not None
    )


def _shown(tag: re.Match[str]) -> str:
    name = tag["name"].lower()
    if name in BLOCK_ELEMENTS:
        return "\n"
    if name != "img":
        return ""
    alt = _ALT.search(tag["attributes"])
    return emoticon_text(
        unescape(next(filter(None, alt.groups()), "")) if alt else "", tag["attributes"]
    )
