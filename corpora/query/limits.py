"""Limits of the size of queries, so that none takes long to parse or overflows the stack."""

from collections.abc import Iterator
from dataclasses import fields

from corpora.query.syntax import Node

MAX_QUERY_LENGTH = 10_000
"""Most characters of a query."""

MAX_NODES = 2_000
"""Most parts of a query, with those of the saved queries in it."""

TOO_MANY_NODES = f"wanted at most {MAX_NODES:,} parts of a query, got more."

MAX_DEPTH = 100
"""Most parts within one another."""


def child_nodes(node: Node) -> Iterator[Node]:
    """Yield the nodes that are directly within a node, in the order of the text."""
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from value


def size_problem(tree: Node) -> str | None:
    """Return why a tree is too large; None for one within the limits."""
    count = 0
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > MAX_DEPTH:
            return f"wanted at most {MAX_DEPTH} parts within one another, got more."
        if count > MAX_NODES:
            return TOO_MANY_NODES
        waiting += [(child, depth + 1) for child in child_nodes(node)]
    return None
