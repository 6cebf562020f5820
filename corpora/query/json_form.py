"""The tree of a query as JSON, for programs: docs/query-language.md defines it.

A node is an object with its `type` and the fields of its class in `corpora.query.syntax`; fields
that have their default value are left out.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from corpora.query import syntax
from corpora.query.build import BY_KIND
from corpora.query.canonical import UnwritableTree, canonical
from corpora.query.fields import KnownValues
from corpora.query.limits import MAX_DEPTH, MAX_QUERY_LENGTH, child_nodes
from corpora.query.parse import parse_query
from corpora.query.syntax import Node, Query
from folate.core.errors import InputError, suggestion
from folate.core.text import quote_name

MAX_JSON_LENGTH = 50 * MAX_QUERY_LENGTH
"""Most characters of the JSON of a query."""

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def type_name(node_class: type[Node]) -> str:
    """Return the `type` of the nodes of a class: `word_match` for WordMatch."""
    return _CAPITAL.sub("_", node_class.__name__).lower()


NODE_CLASSES: Mapping[str, type[Node]] = {
    type_name(node_class): node_class for node_class in Node.__subclasses__()
}
"""The class of nodes of each `type`."""


def query_to_json(query: Query) -> dict[str, Any]:
    """Return a query as plain values: as typed, canonical, its saved queries and its tree."""
    return {
        "query": query.text,
        "canonical": query.canonical,
        "saved": list(query.saved),
        "tree": tree_to_json(query.tree),
    }


def tree_to_json(node: Node) -> dict[str, Any]:
    """Return a tree as plain values."""
    values: dict[str, Any] = {"type": type_name(type(node))}
    for field in fields(node):
        value = getattr(node, field.name)
        if value != field.default:
            values[field.name] = _plain_value(value)
    return values


def tree_lines(node: Node, indent: str = "") -> Iterator[str]:
    """Yield one line for each node of a tree, indented below the one that it is part of."""
    texts = [type_name(type(node))]
    for field in fields(node):
        value = getattr(node, field.name)
        if value != field.default and not isinstance(value, Node | tuple):
            plain = json.dumps(_plain_value(value), ensure_ascii=False)
            texts.append(f"{field.name}={plain}")
    yield indent + " ".join(texts)
    for child in child_nodes(node):
        yield from tree_lines(child, f"{indent}  ")


def parse_json(text: str, known: KnownValues | None = None) -> Query:
    """Return the query that an object with a `tree` means, checked as if it were typed.

    The other keys of `query_to_json` may be there; `query` is kept as the text of the query.
    Raises InputError.
    """
    if len(text) > MAX_JSON_LENGTH:
        raise InputError(
            f"wanted the JSON of a query of at most {MAX_JSON_LENGTH:,} characters, got "
            f"{len(text):,}."
        )
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"wanted the JSON of a query, got an error: {error}.") from error
    if not isinstance(values, dict) or "tree" not in values:
        raise InputError('wanted an object with a "tree", got JSON without it.')
    tree = _read_node((Node,), values["tree"], 0)
    try:
        query = parse_query(canonical(tree), known=known)
    except UnwritableTree as error:
        raise InputError(f"wanted the tree of a query, got another: {error}") from error
    if query.tree != tree:
        raise InputError(
            f"wanted the tree of a query in its normal form, got one that is written as "
            f"{quote_name(query.canonical)}, which has another tree."
        )
    typed = values.get("query", query.canonical)
    return Query(typed if isinstance(typed, str) else query.canonical, tree, query.canonical)


def _plain_value(value: Any) -> Any:
    if isinstance(value, Node):
        return tree_to_json(value)
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return value


@cache
def _hints(name: str) -> dict[str, Any]:
    """Return the types of the fields of nodes of this type."""
    return get_type_hints(NODE_CLASSES[name], vars(syntax))


def _read_node(classes: tuple[type[Node], ...], value: Any, depth: int) -> Node:
    """Return the node of one of these classes, or of a class of them, that an object stands for."""
    if depth > MAX_DEPTH:
        raise InputError(f"wanted at most {MAX_DEPTH} nodes within one another, got more.")
    possible = [name for name, kind in NODE_CLASSES.items() if issubclass(kind, classes)]
    name = value.get("type") if isinstance(value, dict) else None
    if name not in possible:
        raise InputError(
            f"no node of type {name!r:.60} is possible here; {_suggest(name, possible)}"
        )
    node_class = NODE_CLASSES[name]
    known_fields = {field.name: field for field in fields(node_class)}
    for key in value:
        if key != "type" and key not in known_fields:
            raise InputError(f"no field {quote_name(key)} of {name}; {_suggest(key, known_fields)}")
    arguments = {}
    for key, field in known_fields.items():
        arguments[key] = _read_field(node_class, field, value, depth)
    if node_class in BY_KIND:
        if len(arguments["items"]) < 2:
            raise InputError(f"wanted two items of {name} or more, got {len(arguments['items'])}.")
        return BY_KIND[node_class](arguments["items"])
    return node_class(**arguments)


def _read_field(
    node_class: type[Node], field: "Field[Any]", values: Mapping[str, Any], depth: int
) -> Any:
    if field.name not in values:
        if field.default is MISSING:
            raise InputError(f"wanted {field.name!r} of {type_name(node_class)}, got none.")
        return field.default
    where = f"{type_name(node_class)}.{field.name}"
    return _read_value(_hints(type_name(node_class))[field.name], values[field.name], where, depth)


def _read_value(hint: Any, value: Any, where: str, depth: int) -> Any:
    """Convert a plain value to the type of a field."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise InputError(f"{where}: no {value!r:.60}; {_suggest(value, get_args(hint))}")
        return value
    if get_origin(hint) in (tuple, frozenset):
        if not isinstance(value, list):
            raise InputError(f"{where}: wanted a list, got {value!r:.60}.")
        items = [_read_value(get_args(hint)[0], item, where, depth) for item in value]
        return get_origin(hint)(items)
    classes = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    if value is None and type(None) in classes:
        return None
    node_classes = tuple(part for part in classes if issubclass(part, Node))
    if node_classes:
        return _read_node(node_classes, value, depth + 1)
    if type(value) is not hint:
        raise InputError(f"{where}: wanted {hint.__name__}, got {value!r:.60}.")
    return value


def _suggest(name: Any, possible: Any) -> str:
    return suggestion(str(name), possible)
