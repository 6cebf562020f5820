"""Joining nodes to larger ones in their normal form, without lists in lists of the same kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar, cast

from corpora.query.syntax import (
    Alternatives,
    And,
    Both,
    CaptureAll,
    CaptureAny,
    CaptureConstraint,
    Node,
    Or,
    Word,
    WordAll,
    WordAny,
    WordCondition,
)
from corpora.query.syntax import Sequence as SequenceNode

Item = TypeVar("Item", bound=Node)
ListNode = (
    And | Or | SequenceNode | Alternatives | Both | WordAll | WordAny | CaptureAll | CaptureAny
)


def all_of(items: Sequence[Node]) -> Node:
    """Join items by AND."""
    return _join(And, items)


def any_of(items: Sequence[Node]) -> Node:
    """Join items by OR."""
    return _join(Or, items)


def sequence(items: Sequence[Node]) -> Node:
    """Join items that follow one another."""
    return _join(SequenceNode, items)


def alternatives(items: Sequence[Node]) -> Node:
    """Join items of which any matches a stretch."""
    return _join(Alternatives, items)


def both(items: Sequence[Node]) -> Node:
    """Join items that all match a stretch; conditions of one word become one word."""
    flat = _flatten(Both, items)
    conditions = [item.condition for item in flat if isinstance(item, Word)]
    if not conditions:
        return _join(Both, flat)
    given = [condition for condition in conditions if condition is not None]
    word = Word(all_conditions(given) if given else None)
    place = next(place for place, item in enumerate(flat) if isinstance(item, Word))
    others = [item for item in flat if not isinstance(item, Word)]
    return _join(Both, [*others[:place], word, *others[place:]])


def all_conditions(items: Sequence[WordCondition]) -> WordCondition:
    """Join conditions of one word that must all be true."""
    return cast(WordCondition, _join(WordAll, items))


def any_condition(items: Sequence[WordCondition]) -> WordCondition:
    """Join conditions of one word of which one must be true."""
    return cast(WordCondition, _join(WordAny, items))


def all_constraints(items: Sequence[CaptureConstraint]) -> CaptureConstraint:
    """Join constraints on captures that must all be true."""
    return cast(CaptureConstraint, _join(CaptureAll, items))


def any_constraint(items: Sequence[CaptureConstraint]) -> CaptureConstraint:
    """Join constraints on captures of which one must be true."""
    return cast(CaptureConstraint, _join(CaptureAny, items))


def _flatten(kind: type[ListNode], items: Iterable[Node]) -> list[Node]:
    flat: list[Node] = []
    for item in items:
        if isinstance(item, kind):
            flat += item.items
        else:
            flat.append(item)
    return flat


def _join(kind: type[ListNode], items: Iterable[Node]) -> Node:
    flat = _flatten(kind, items)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))  # type: ignore[arg-type]


BY_KIND: Mapping[type[Node], Callable[[Sequence[Node]], Node]] = {
    And: all_of,
    Or: any_of,
    SequenceNode: sequence,
    Alternatives: alternatives,
    Both: both,
    WordAll: partial(_join, WordAll),
    WordAny: partial(_join, WordAny),
    CaptureAll: partial(_join, CaptureAll),
    CaptureAny: partial(_join, CaptureAny),
}
"""How items are joined to a node of each class that has a list of them."""
