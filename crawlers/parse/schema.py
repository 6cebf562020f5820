"""schema.org data of a page, from JSON-LD and microdata, in one shape: plain dictionaries with `@type`."""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree, html

from crawlers.parse.page import Page

Thing = dict[str, Any]


def things(page: Page) -> tuple[list[Thing], int]:
    """Top-level things of the page, and how many JSON-LD blocks were broken.

    extruct's costly microdata pass runs only on pages that carry any.
    """
    blocks, broken = _json_ld(page)
    return blocks + (_microdata(page) if "itemtype" in page.text else []), broken


def _json_ld(page: Page) -> tuple[list[Thing], int]:
    from extruct.jsonld import JsonLdExtractor

    found: list[Thing] = []
    broken = 0
    for script in page.tree.xpath('//script[@type="application/ld+json"]'):
        try:
            found += [block for block in JsonLdExtractor().extract_items(script) if isinstance(block, dict)]
        except (ValueError, RecursionError):
            broken += 1
    return found, broken


def _microdata(page: Page) -> list[Thing]:
    from extruct.w3cmicrodata import MicrodataExtractor

    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    tree = html.document_fromstring(etree.tostring(page.tree, encoding="utf-8", method="html"), parser=parser)
    return [_plain(item) for item in MicrodataExtractor(nested=True).extract_items(tree, page.url)]


def _plain(value: Any) -> Any:
    """extruct's microdata items in the shape of JSON-LD."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and "type" in value:
        kind = value["type"][0] if isinstance(value["type"], list) else value["type"]
        return {"@type": str(kind).rsplit("/", 1)[-1], **{key: _plain(item) for key, item in value.get("properties", {}).items()}}
    return value


def kinds(thing: Any) -> frozenset[str]:
    """The types of a thing, without their prefix; empty for what is no thing."""
    kind = thing.get("@type", ()) if isinstance(thing, dict) else ()
    return frozenset(str(name).rsplit("/", 1)[-1].removeprefix("schema:") for name in (kind if isinstance(kind, list) else [kind]) if name)


def walk(value: Any, parent: Thing | None = None) -> Iterator[tuple[Thing, Thing | None]]:
    """Every thing inside `value` with the thing that holds it, in document order."""
    if isinstance(value, list):
        for item in value:
            yield from walk(item, parent)
    elif isinstance(value, dict):
        yield value, parent
        for key, item in value.items():
            if isinstance(item, list | dict):
                yield from walk(item, value if kinds(value) or key != "@graph" else parent)


def first(value: Any) -> Any:
    """The first of a list, or the value itself."""
    return next(iter(value), None) if isinstance(value, list) else value


def words(value: Any) -> str | None:
    """Text, or the name of a thing; None when there is none."""
    value = first(value)
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value")
    return str(value).strip() or None if isinstance(value, str | int | float) else None


def own_id(thing: Thing) -> str | None:
    """The site's own id of a thing, when it gives one: `identifier`, or what stands after # or the last / of `@id` and `url`."""
    own = words(thing.get("identifier"))
    for address in (words(thing.get("@id")), words(thing.get("url"))):
        match = re.search(r"[#/=]([\w-]*\d[\w-]*)/?$", address or "")
        own = own or (match[1] if match else None)
    return own
