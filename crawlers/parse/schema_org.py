"""schema.org data of a page: JSON-LD, microdata and RDFa Lite as dictionaries with `@type`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from crawlers.parse.markup import select_css, visible_text
from crawlers.parse.page import Page

Thing = dict[str, Any]

_ID_TEXT = re.compile(r"[\w-]+")
_MAX_ID_LENGTH = 200  # characters
# Posts inside a text are texts of other authors.
_POST_SELECTOR = "[itemtype$='/Review'], [itemtype$='/Comment'], [typeof$='Review']"


@dataclass(frozen=True)
class MarkupSyntax:
    """The attributes by which a page marks things and their properties."""

    scope: str
    kind: str
    name: str


MICRODATA_SYNTAX = MarkupSyntax("itemscope", "itemtype", "itemprop")
RDFA_SYNTAX = MarkupSyntax("typeof", "typeof", "property")  # RDFa Lite


@dataclass(frozen=True)
class StructuredData:
    """Top-level things of a page by syntax; many pages describe a thing in several syntaxes."""

    json_ld: list[Thing]
    microdata: list[Thing]
    rdfa: list[Thing]
    # The number of JSON-LD blocks that could not be parsed.
    broken_json_ld_blocks: int


def extract_structured_data(page: Page) -> StructuredData:
    """Return the things of a page; its markup is searched only where it has the attributes."""
    blocks, broken = _extract_json_ld(page)
    return StructuredData(
        json_ld=blocks,
        microdata=_extract_markup(page, MICRODATA_SYNTAX) if "itemscope" in page.text else [],
        rdfa=_extract_markup(page, RDFA_SYNTAX) if "typeof" in page.text else [],
        broken_json_ld_blocks=broken,
    )


def _extract_json_ld(page: Page) -> tuple[list[Thing], int]:
    from extruct.jsonld import JsonLdExtractor

    things: list[Thing] = []
    broken = 0
    for script in page.tree.xpath('//script[@type="application/ld+json"]'):
        try:
            things += [
                block
                for block in JsonLdExtractor().extract_items(script)
                if isinstance(block, dict)
            ]
        except (ValueError, RecursionError, IndexError):  # IndexError: jstyleson, in a cut block
            broken += 1
    return things, broken


def _extract_markup(page: Page, syntax: MarkupSyntax) -> list[Thing]:
    """Return the things in a page's markup; extruct's own extractors take quadratic time.

    Of a property with several texts only the first is read.
    """
    markup = _MarkupExtractor(page, syntax, frozenset(select_css(page.tree, _POST_SELECTOR)))
    markup.collect_things()
    markup.resolve_references()
    return markup.top


class _MarkupExtractor:
    """Extracts the things of one syntax from the markup of a page."""

    def __init__(
        self, page: Page, syntax: MarkupSyntax, posts: frozenset[html.HtmlElement]
    ) -> None:
        self.top: list[Thing] = []
        self._page = page
        self._syntax = syntax
        self._posts = posts
        self._things: dict[html.HtmlElement, Thing] = {}
        # Things, and ids of elements with more of their properties.
        self._references: list[tuple[Thing, str]] = []

    def collect_things(self) -> None:
        """Collect the things of the page with the properties inside them."""
        open_nodes: list[html.HtmlElement] = []
        for event, node in etree.iterwalk(self._page.tree, events=("start", "end")):
            if event == "end":
                if open_nodes and node is open_nodes[-1]:
                    open_nodes.pop()
                continue
            parent = self._things[open_nodes[-1]] if open_nodes else None
            names = str(node.get(self._syntax.name) or "").split()
            if node.get(self._syntax.scope) is not None:
                self._things[node] = self._create_thing(node)
                if parent is None or not names:
                    self.top.append(self._things[node])
                open_nodes.append(node)
            if parent is not None:
                self._add_property(parent, names, node)

    def resolve_references(self) -> None:
        """Add the properties that `itemref` names; things among them are no longer top-level."""
        if not self._references:
            return
        nodes_by_id = {}
        for node in self._page.tree.iter(etree.Element):
            if node.get("id"):
                nodes_by_id[str(node.get("id"))] = node
        properties_by_id: dict[str, Thing] = {}
        for thing, name in self._references:
            if name in nodes_by_id and name not in properties_by_id:
                properties_by_id[name] = self._own_properties(nodes_by_id[name])
            for key, values in properties_by_id.get(name, {}).items():
                thing.setdefault(key, values)
        referenced: set[int] = set()
        for properties in properties_by_id.values():
            for values in properties.values():
                referenced.update(map(id, values))
        self.top = [thing for thing in self.top if id(thing) not in referenced]

    def _own_properties(self, root: html.HtmlElement) -> Thing:
        """Return the properties in an element that belong to no thing inside it."""
        properties: Thing = {}
        walk = etree.iterwalk(root, events=("start",))
        for _, node in walk:
            names = str(node.get(self._syntax.name) or "").split()
            self._add_property(properties, names, node)
            if node in self._things:
                walk.skip_subtree()
        return properties

    def _create_thing(self, node: html.HtmlElement) -> Thing:
        """Return a thing with the type of an element, and record its references."""
        kind = str(node.get(self._syntax.kind) or "").split()
        thing: Thing = {"@type": kind[0].rsplit("/", 1)[-1]} if kind else {}
        self._references += [(thing, name) for name in str(node.get("itemref") or "").split()]
        return thing

    def _add_property(self, parent: Thing, names: list[str], node: html.HtmlElement) -> None:
        """Add the value of a node to its parent; of texts only the first with each name."""
        thing = self._things.get(node)
        short_names = [name.rsplit("/", 1)[-1].removeprefix("schema:") for name in names]
        missing = [name for name in short_names if thing is not None or name not in parent]
        if missing:
            value = thing if thing is not None else _property_value(self._page, node, self._posts)
            for name in missing:
                parent.setdefault(name, []).append(value)


def _property_value(
    page: Page, node: html.HtmlElement, excluded: frozenset[html.HtmlElement]
) -> str:
    """Return the value of a property (HTML Living Standard, 5.2.4).

    As in schema.org's examples, every element may have a `content`.
    """
    attributes_by_tag = {
        "a": "href",
        "area": "href",
        "link": "href",
        "img": "src",
        "data": "value",
        "meter": "value",
        "time": "datetime",
    }
    value = node.get(attributes_by_tag.get(node.tag, "content"))
    if value is None and node.tag != "meta":
        return visible_text(node, excluded)
    try:
        if node.tag in ("a", "area", "link", "img"):
            return str(urljoin(page.url, value.strip()))
        return str(value or "")
    except ValueError:  # not an address
        return str(value)


def thing_types(thing: Any) -> frozenset[str]:
    """Return the types of a thing without their prefix; none for any other value."""
    types = thing.get("@type", ()) if isinstance(thing, dict) else ()
    return frozenset(
        str(name).rsplit("/", 1)[-1].removeprefix("schema:")
        for name in (types if isinstance(types, list) else [types])
        if name
    )


def iterate_things(value: Any) -> Iterator[tuple[Thing, Thing | None]]:
    """Yield every thing inside `value` once, in document order, with the thing around it.

    It works without recursion. A thing that an `itemref` puts into itself is not repeated.
    """
    yielded_ids: set[int] = set()
    pending: list[tuple[Any, Thing | None]] = [(value, None)]
    while pending:
        current, parent = pending.pop()
        if isinstance(current, list):
            pending += [(item, parent) for item in reversed(current)]
        elif isinstance(current, dict) and id(current) not in yielded_ids:
            yielded_ids.add(id(current))
            yield current, parent
            is_typed = bool(thing_types(current))
            for key, item in reversed(current.items()):
                if isinstance(item, list | dict):
                    pending.append((item, current if is_typed or key != "@graph" else parent))


def first_value(value: Any) -> Any:
    """Return the first element of a list, or the value itself."""
    return next(iter(value), None) if isinstance(value, list) else value


def text_value(value: Any) -> str | None:
    """Return a text, or the name of a thing; None when there is none."""
    value = first_value(value)
    for _ in range(2):  # {"name": {"@value": "oats", "@language": "en"}}
        if isinstance(value, dict):
            value = first_value(value.get("name") or value.get("@value"))
    is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() or None if is_scalar else None


def thing_id(thing: Thing) -> str | None:
    """Return the site's own id of a thing, or None.

    It is the `identifier`, or the end of `@id` or `url` after # or the last /.
    """
    native_id = text_value(thing.get("identifier"))
    for address in (text_value(thing.get("@id")), text_value(thing.get("url"))):
        native_id = native_id or _id_from_address(address or "")
    return native_id


def _id_from_address(address: str) -> str | None:
    """Return the last part of an address when it is an id, which has a digit."""
    address = address.removesuffix("/")
    end = address[max(map(address.rfind, "#/=")) + 1 :]
    if end == address or len(end) > _MAX_ID_LENGTH or not any(map(str.isdigit, end)):
        return None
    return end if _ID_TEXT.fullmatch(end) else None
