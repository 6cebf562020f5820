"""schema.org data of a page, from JSON-LD, microdata and RDFa Lite, in one shape: plain dictionaries with `@type`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from crawlers.parse.markup import select_css, visible_text
from crawlers.parse.page import Page

Thing = dict[str, Any]

_ID = re.compile(r"[\w-]+")
_LONGEST_ID = 200  # characters
_POSTS = "[itemtype$='/Review'], [itemtype$='/Comment'], [typeof$='Review']"  # those inside a text are texts of others


@dataclass(frozen=True)
class MarkupSyntax:
    """The attributes in which a page tells of things."""

    scope: str
    kind: str
    name: str


MICRODATA_SYNTAX = MarkupSyntax("itemscope", "itemtype", "itemprop")
RDFA_SYNTAX = MarkupSyntax("typeof", "typeof", "property")  # RDFa Lite


@dataclass(frozen=True)
class StructuredData:
    """Top-level things of a page, by the syntax that tells of them: many pages tell of the same thing twice."""

    json_ld: list[Thing]
    microdata: list[Thing]
    rdfa: list[Thing]
    broken_json_ld_blocks: int  # JSON-LD blocks that could not be read


def extract_structured_data(page: Page) -> StructuredData:
    """What the page tells of. Its markup is searched only where it has the attributes."""
    blocks, broken = _json_ld(page)
    return StructuredData(
        json_ld=blocks,
        microdata=_told_in_markup(page, MICRODATA_SYNTAX) if "itemscope" in page.text else [],
        rdfa=_told_in_markup(page, RDFA_SYNTAX) if "typeof" in page.text else [],
        broken_json_ld_blocks=broken,
    )


def _json_ld(page: Page) -> tuple[list[Thing], int]:
    from extruct.jsonld import JsonLdExtractor

    found: list[Thing] = []
    broken = 0
    for script in page.tree.xpath('//script[@type="application/ld+json"]'):
        try:
            found += [
                block
                for block in JsonLdExtractor().extract_items(script)
                if isinstance(block, dict)
            ]
        except (
            ValueError,
            RecursionError,
            IndexError,
        ):  # the last one: jstyleson at the end of a cut block
            broken += 1
    return found, broken


def _told_in_markup(page: Page, syntax: MarkupSyntax) -> list[Thing]:
    """Things that attributes tell of. Of a property that is text only the first value is read; extruct's takes quadratic time."""
    markup = _Markup(page, syntax, frozenset(select_css(page.tree, _POSTS)))
    markup.collect()
    markup.follow()
    return markup.top


class _Markup:
    """A walk through a page's attributes."""

    def __init__(
        self, page: Page, syntax: MarkupSyntax, posts: frozenset[html.HtmlElement]
    ) -> None:
        self.top: list[Thing] = []
        self._page, self._syntax, self._posts = page, syntax, posts
        self._things: dict[html.HtmlElement, Thing] = {}
        self._references: list[
            tuple[Thing, str]
        ] = []  # things, and ids of elements where more of their properties stand

    def collect(self) -> None:
        """Find the things of the page with what stands inside them."""
        around: list[html.HtmlElement] = []
        for event, node in etree.iterwalk(self._page.tree, events=("start", "end")):
            if event == "end":
                if around and node is around[-1]:
                    around.pop()
                continue
            holder = self._things[around[-1]] if around else None
            names = str(node.get(self._syntax.name) or "").split()
            if node.get(self._syntax.scope) is not None:
                self._things[node] = self._thing(node)
                if holder is None or not names:
                    self.top.append(self._things[node])
                around.append(node)
            if holder is not None:
                self._tell(holder, names, node)

    def follow(self) -> None:
        """Add to things what `itemref` names. What a thing refers to is no longer a thing of its own."""
        if not self._references:
            return
        named = {
            str(node.get("id")): node
            for node in self._page.tree.iter(etree.Element)
            if node.get("id")
        }
        elsewhere: dict[str, Thing] = {}
        for thing, name in self._references:
            if name in named and name not in elsewhere:
                elsewhere[name] = self._properties(named[name])
            for key, values in elsewhere.get(name, {}).items():
                thing.setdefault(key, values)
        held = {
            id(value)
            for properties in elsewhere.values()
            for values in properties.values()
            for value in values
        }
        self.top = [thing for thing in self.top if id(thing) not in held]

    def _properties(self, root: html.HtmlElement) -> Thing:
        """Properties in an element that belong to no thing inside it."""
        found: Thing = {}
        walk = etree.iterwalk(root, events=("start",))
        for _, node in walk:
            names = str(node.get(self._syntax.name) or "").split()
            self._tell(found, names, node)
            if node in self._things:
                walk.skip_subtree()
        return found

    def _thing(self, node: html.HtmlElement) -> Thing:
        kind = str(node.get(self._syntax.kind) or "").split()
        thing: Thing = {"@type": kind[0].rsplit("/", 1)[-1]} if kind else {}
        self._references += [(thing, name) for name in str(node.get("itemref") or "").split()]
        return thing

    def _tell(self, holder: Thing, names: list[str], node: html.HtmlElement) -> None:
        """Add the value of a node to its holder; of texts only the first with each name."""
        thing = self._things.get(node)
        short = [name.rsplit("/", 1)[-1].removeprefix("schema:") for name in names]
        missing = [name for name in short if thing is not None or name not in holder]
        if missing:
            value = thing if thing is not None else _value(self._page, node, self._posts)
            for name in missing:
                holder.setdefault(name, []).append(value)


def _value(page: Page, node: html.HtmlElement, left_out: frozenset[html.HtmlElement]) -> str:
    """The value of a property (HTML Living Standard, 5.2.4, and `content` on every element, as schema.org's examples have it)."""
    attribute = {
        "a": "href",
        "area": "href",
        "link": "href",
        "img": "src",
        "data": "value",
        "meter": "value",
        "time": "datetime",
    }
    told = node.get(attribute.get(node.tag, "content"))
    if told is None and node.tag != "meta":
        return visible_text(node, left_out)
    try:
        return (
            urljoin(page.url, told.strip())
            if node.tag in ("a", "area", "link", "img")
            else str(told or "")
        )
    except ValueError:  # no address
        return str(told)


def thing_types(thing: Any) -> frozenset[str]:
    """The types of a thing, without their prefix; empty for what is no thing."""
    kind = thing.get("@type", ()) if isinstance(thing, dict) else ()
    return frozenset(
        str(name).rsplit("/", 1)[-1].removeprefix("schema:")
        for name in (kind if isinstance(kind, list) else [kind])
        if name
    )


def iterate_things(value: Any) -> Iterator[tuple[Thing, Thing | None]]:
    """Every thing inside `value` once, with the thing that holds it, in document order; without recursion.

    A thing that an `itemref` puts into itself ends there.
    """
    seen: set[int] = set()
    waiting: list[tuple[Any, Thing | None]] = [(value, None)]
    while waiting:
        current, parent = waiting.pop()
        if isinstance(current, list):
            waiting += [(item, parent) for item in reversed(current)]
        elif isinstance(current, dict) and id(current) not in seen:
            seen.add(id(current))
            yield current, parent
            inner = [
                (item, current if thing_types(current) or key != "@graph" else parent)
                for key, item in current.items()
            ]
            waiting += [pair for pair in reversed(inner) if isinstance(pair[0], list | dict)]


def first_value(value: Any) -> Any:
    """The first of a list, or the value itself."""
    return next(iter(value), None) if isinstance(value, list) else value


def text_value(value: Any) -> str | None:
    """Text, or the name of a thing; None when there is none."""
    value = first_value(value)
    for _ in range(2):  # {"name": {"@value": "oats", "@language": "en"}}
        if isinstance(value, dict):
            value = first_value(value.get("name") or value.get("@value"))
    known = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() or None if known else None


def thing_id(thing: Thing) -> str | None:
    """The site's own id of a thing, when it gives one: `identifier`, or what stands after # or the last / of `@id` and `url`."""
    own = text_value(thing.get("identifier"))
    for address in (text_value(thing.get("@id")), text_value(thing.get("url"))):
        own = own or _end(address or "")
    return own


def _end(address: str) -> str | None:
    """The last part of an address that is an id: it has a digit."""
    address = address.removesuffix("/")
    end = address[max(map(address.rfind, "#/=")) + 1 :]
    return (
        end
        if end != address
        and len(end) <= _LONGEST_ID
        and any(map(str.isdigit, end))
        and _ID.fullmatch(end)
        else None
    )
