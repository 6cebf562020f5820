"""The canonical form of a query: the one way to write its tree, which parses to that tree."""

import re
from collections.abc import Sequence
from enum import Enum, IntEnum

from corpora.query.patterns import escape_pattern, escape_text, write_flags
from corpora.query.syntax import (
    MAX_REPETITIONS,
    Alternatives,
    And,
    Both,
    Capture,
    CaptureAll,
    CaptureAny,
    CaptureComparison,
    CaptureConstraint,
    CaptureEdge,
    CaptureLiteral,
    CaptureNot,
    CaptureValue,
    Constrained,
    Element,
    Filter,
    Look,
    Near,
    Node,
    Not,
    Or,
    Position,
    Repeat,
    Term,
    Wildcard,
    Word,
    WordAll,
    WordAny,
    WordCondition,
    WordMatch,
    WordNot,
)
from corpora.query.syntax import Sequence as SequenceNode

_SPECIAL = r"\s()（）\[\]{}<>\"“”'|!*?:：%\\@,;^=~/#&+"
_BARE_WORD = re.compile(rf"[^{_SPECIAL}-][^{_SPECIAL}]*(?:['&+#][^{_SPECIAL}]+)*")
_RESERVED = re.compile(r"AND|OR|NOT|NEAR|within|containing|overlap")
_BARE_VALUE = re.compile(r"[^\s()（）\"“”\\<>=]+")


def canonical(tree: Node) -> str:
    """Return the canonical form of the tree of a query.

    It does not begin with `-`, which a command line would take for an option. Raises UnwritableTree
    for a tree that no query has.
    """
    text = _plain(tree)
    return f"NOT {text[1:]}" if text.startswith("-") else text


class UnwritableTree(ValueError):
    """A tree that no query has, such as a filter within a sequence."""


class _Edge(Enum):
    """What a part of the plain form looks like at one of its ends, to a neighbour of it."""

    PLAIN = 0  # a word, a filter, an operator
    STRING = 1  # a quoted phrase or a parenthesis
    CHUNK = 2


_JOINED_EDGES = {
    (_Edge.CHUNK, _Edge.CHUNK),
    (_Edge.CHUNK, _Edge.STRING),
    (_Edge.STRING, _Edge.CHUNK),
}


def _plain(node: Node) -> str:
    match node:
        case Term():
            return _term(node)
        case Wildcard():
            return node.pattern + write_flags(node.flags)
        case Filter():
            return _filter(node)
        case And():
            return _juxtaposed(node.items)
        case Or():
            return " OR ".join(_grouped(item, And, Or) for item in node.items)
        case Not():
            return _negated(node.item)
        case Near():
            left = _grouped(node.left, And, Or, Not)
            right = _grouped(node.right, And, Or, Not, Near)
            return f"{left} {_near_sign(node)} {right}"
        case _:
            return _stretch(node, _Level.CONSTRAINED)


def _grouped(node: Node, *kinds: type[Node]) -> str:
    """Return a node, in parentheses if it is of one of the kinds."""
    text = _plain(node)
    return f"({text})" if isinstance(node, kinds) else text


def _juxtaposed(items: Sequence[Node]) -> str:
    texts = [_grouped(item, And, Or) for item in items]
    result = texts[0]
    for left, right, text in zip(items, items[1:], texts[1:], strict=False):
        is_joined = (_end_edge(left), _start_edge(right)) in _JOINED_EDGES
        result += f" AND {text}" if is_joined else f" {text}"
    return result


def _negated(item: Node) -> str:
    if isinstance(item, Term | Wildcard | Filter):
        return f"-{_plain(item)}"
    return f"NOT {_grouped(item, And, Or, Near)}"


def _start_edge(node: Node) -> _Edge:
    match node:
        case Not():
            return _Edge.PLAIN
        case Near():
            return _start_edge(node.left)
        case _:
            return _edge(node)


def _end_edge(node: Node) -> _Edge:
    match node:
        case Not(item=Near()):
            return _Edge.STRING
        case Not():
            return _end_edge(node.item)
        case Near():
            return _end_edge(node.right)
        case _:
            return _edge(node)


def _edge(node: Node) -> _Edge:
    match node:
        case Term():
            return _Edge.STRING if _is_quoted(node.text) else _Edge.PLAIN
        case Wildcard() | Filter():
            return _Edge.PLAIN
        case And() | Or() | Near():
            return _Edge.STRING
        case _:
            return _Edge.CHUNK


def _is_quoted(text: str) -> bool:
    return not _BARE_WORD.fullmatch(text) or _RESERVED.fullmatch(text) is not None


def _term(node: Term) -> str:
    text = f'"{escape_text(node.text)}"' if _is_quoted(node.text) else node.text
    return text + write_flags(node.flags)


def _filter(node: Filter) -> str:
    if node.operator == "..":
        return f"{node.field}:{node.value}..{node.until}"
    sign = "" if node.operator == "=" else node.operator
    is_bare = _BARE_VALUE.fullmatch(node.value) is not None
    value = node.value if is_bare else f'"{escape_text(node.value)}"'
    if node.field == "tag" and is_bare_tag(node.value):
        value = node.value.replace(" / ", "/")
    return f"{node.field}:{sign}{value}"


def is_bare_tag(value: str) -> bool:
    """Return whether the levels of a tag need no quotes."""
    return _BARE_VALUE.fullmatch(value.replace(" / ", "/")) is not None


def _near_sign(node: Near) -> str:
    if node.before == node.after:
        return f"NEAR/{node.after}"
    before = f"-{node.before}" if node.before else "0"
    return f"NEAR/{before},{node.after}"


# --- the corpus-query form ---


class _Level(IntEnum):
    """How tightly parts of the corpus-query form bind; looser ones are put in parentheses."""

    CONSTRAINED = 0
    POSITION = 1
    BOOLEAN = 2
    SEQUENCE = 3
    CAPTURE = 4
    REPEAT = 5


def _stretch(node: Node, level: _Level) -> str:
    """Return a node of the corpus-query form; in parentheses if it binds less than `level`."""
    text, own_level = _stretch_text(node)
    return f"({text})" if own_level < level else text


def _stretch_text(node: Node) -> tuple[str, _Level]:
    match node:
        case Word():
            condition = _condition(node.condition) if node.condition else ""
            return f"[{condition}]", _Level.REPEAT
        case Element():
            return f"<{node.name}/>", _Level.REPEAT
        case Look():
            return f"({_look_sign(node)} {_stretch(node.item, _Level.CONSTRAINED)})", _Level.REPEAT
        case Repeat():
            item = _stretch(node.item, _Level.REPEAT)
            if isinstance(node.item, Repeat):
                item = f"({item})"
            return f"{item}{_repetitions(node)}", _Level.REPEAT
        case Capture():
            return f"{node.name}:{_stretch(node.item, _Level.CAPTURE)}", _Level.CAPTURE
        case SequenceNode():
            items = [_stretch(item, _Level.CAPTURE) for item in node.items]
            return " ".join(items), _Level.SEQUENCE
        case Alternatives():
            return _boolean(node.items, " | "), _Level.BOOLEAN
        case Both():
            return _boolean(node.items, " & "), _Level.BOOLEAN
        case Position():
            return _position(node), _Level.POSITION
        case Constrained():
            item = _stretch(node.item, _Level.CONSTRAINED)
            return f"{item} :: {_constraint(node.constraint)}", _Level.CONSTRAINED
    name = type(node).__name__
    raise UnwritableTree(f"wanted a part of the corpus-query form, got {name}.")


def _boolean(items: Sequence[Node], sign: str) -> str:
    return sign.join(_stretch(item, _Level.SEQUENCE) for item in items)


def _position(node: Position) -> str:
    sign = f"!{node.relation}" if node.is_negated else node.relation
    item = _stretch(node.item, _Level.SEQUENCE)
    is_chain = isinstance(node.other, Position)
    other = _stretch(node.other, _Level.POSITION if is_chain else _Level.SEQUENCE)
    return f"{item} {sign} {other}"


def _look_sign(node: Look) -> str:
    direction = "?" if node.direction == "ahead" else "?<"
    return direction + ("!" if node.is_negated else "=")


def _repetitions(node: Repeat) -> str:
    match node.least, node.most:
        case 0, 1:
            return "?"
        case 0, most if most == MAX_REPETITIONS:
            return "*"
        case 1, most if most == MAX_REPETITIONS:
            return "+"
        case least, most if least == most:
            return f"{{{least}}}"
        case least, most:
            return f"{{{least},{most}}}"


def _condition(node: WordCondition) -> str:
    match node:
        case WordMatch():
            return _word_match(node)
        case WordAll():
            return " & ".join(_grouped_condition(item) for item in node.items)
        case WordAny():
            return " | ".join(_grouped_condition(item) for item in node.items)
        case WordNot():
            return f"!{_grouped_condition(node.item)}"


def _grouped_condition(node: WordCondition) -> str:
    text = _condition(node)
    return f"({text})" if isinstance(node, WordAll | WordAny) else text


def _word_match(node: WordMatch) -> str:
    sign = "!=" if node.is_negated else "="
    escape = escape_text if node.is_literal else escape_pattern
    prefix = "l" if node.is_literal else ""
    return f'{node.attribute}{sign}{prefix}"{escape(node.pattern)}"{write_flags(node.flags)}'


def _constraint(node: CaptureConstraint) -> str:
    match node:
        case CaptureComparison():
            return f"{_operand(node.left)} {node.operator} {_operand(node.right)}"
        case CaptureAll():
            return " & ".join(_grouped_constraint(item) for item in node.items)
        case CaptureAny():
            return " | ".join(_grouped_constraint(item) for item in node.items)
        case CaptureNot():
            return f"!({_constraint(node.item)})"


def _grouped_constraint(node: CaptureConstraint) -> str:
    text = _constraint(node)
    return f"({text})" if isinstance(node, CaptureAll | CaptureAny) else text


def _operand(node: CaptureValue | CaptureLiteral | CaptureEdge) -> str:
    match node:
        case CaptureValue():
            return f"{node.name}.{node.attribute}"
        case CaptureLiteral():
            return f'"{escape_text(node.text)}"'
        case CaptureEdge():
            return f"{node.edge}({node.name})"
