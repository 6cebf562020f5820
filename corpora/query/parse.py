"""Parsing of queries: text to tree, for both forms of the language."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken

from corpora.query.build import all_of, any_of
from corpora.query.canonical import canonical
from corpora.query.errors import PLACE_PREFIX, copy_notes, query_error
from corpora.query.fields import KnownValues, known_values
from corpora.query.groups import join_chunks
from corpora.query.limits import MAX_NODES, MAX_QUERY_LENGTH, TOO_MANY_NODES, size_problem
from corpora.query.scan import Kind, Piece, Scan, has_something_to_match, scan
from corpora.query.syntax import And, Filter, Near, Node, Not, Or, Query, Term
from folate.core.errors import InputError, suggestion
from folate.core.text import quote_name

NO_SAVED: Mapping[str, str] = {}
"""No saved queries."""

# With the operators between the nodes.
_MAX_PIECES = 2 * MAX_NODES
_GRAMMAR = """
start: any
any: all (OR all)*
all: negated (AND? negated)*
?negated: NOT negated -> not
    | near
?near: near NEAR primary -> near
    | primary
?primary: LEAF -> leaf
    | STRING -> leaf
    | SAVED -> leaf
    | CHUNK -> leaf
    | OPEN any CLOSE -> group
%declare LEAF STRING SAVED CHUNK AND OR NOT NEAR OPEN CLOSE
"""


def parse_query(
    text: str, saved: Mapping[str, str] = NO_SAVED, known: KnownValues | None = None
) -> Query:
    """Parse a query in the plain form, the corpus-query form or both. Raises InputError.

    `saved` has the queries that `@name` stands for. `known` has the closed sets of values; without
    it, those that do not depend on a project.
    """
    parser = _Parser(saved, known_values() if known is None else known)
    tree = parser.parse(text)
    written = canonical(tree)
    if len(written) > MAX_QUERY_LENGTH:
        raise InputError(
            f"wanted a query whose canonical form, with its saved queries, has at most "
            f"{MAX_QUERY_LENGTH:,} characters, got {len(written):,}."
        )
    return Query(text, tree, written, tuple(parser.used))


def check_saved(saved: Mapping[str, str], known: KnownValues) -> None:
    """Raise InputError for the first saved query that can't be parsed."""
    parser = _Parser(saved, known)
    for name in saved:
        parser.parse_saved(name)


class _Parser:
    """Parses one query, and the saved queries in it once each."""

    def __init__(self, saved: Mapping[str, str], known: KnownValues) -> None:
        self._saved = saved
        self._known = known
        self._trees: dict[str, Node] = {}
        self._open: list[str] = []
        # names of the saved queries in the order of their use
        self.used: dict[str, None] = {}

    def parse(self, text: str) -> Node:
        """Return the tree of a query. Raises InputError."""
        _check_characters(text)
        scanned = scan(_LINE_BREAK.sub(" ", text), self._known)
        pieces = join_chunks(scanned)
        if len(pieces) > _MAX_PIECES:
            raise query_error(text, pieces[_MAX_PIECES].start, TOO_MANY_NODES)
        tree = self._tree(scanned, pieces)
        if problem := size_problem(tree):
            raise query_error(text, 0, problem)
        return tree

    def parse_saved(self, name: str) -> Node:
        """Return the tree of a saved query. Raises InputError."""
        if name in self._trees:
            return self._trees[name]
        if name not in self._saved:
            raise InputError(
                f"no saved query {quote_name(name)} in [queries] of folate.toml (the account of "
                f"somebody is quoted); {suggestion(name, self._saved)}"
            )
        if name in self._open:
            cycle = [*self._open[self._open.index(name) :], name]
            raise InputError(
                f"wanted saved queries that are not made of themselves, got "
                f"{' -> '.join('@' + part for part in cycle)}."
            )
        self._open.append(name)
        try:
            self._trees[name] = self.parse(self._saved[name])
        except InputError as error:
            raise _within_saved(name, error) from error
        finally:
            self._open.pop()
        return self._trees[name]

    def _tree(self, scanned: Scan, pieces: list[Piece]) -> Node:
        interactive = _grammar().parse_interactive("")
        for index, piece in enumerate(pieces):
            try:
                interactive.feed_token(Token(piece.kind.value, str(index)))
            except UnexpectedToken as error:
                raise _unexpected(scanned.text, pieces, index) from error
        try:
            parsed = interactive.feed_eof()
        except UnexpectedToken as error:
            raise _unexpected(scanned.text, pieces, len(pieces)) from error
        return self._build(scanned, pieces, parsed)

    def _build(self, scanned: Scan, pieces: list[Piece], parsed: Tree[Token]) -> Node:
        """Return our tree for lark's, from its leaves up: it may be deeper than calls can be."""
        nodes: dict[int, Node] = {}
        for part in parsed.iter_subtrees():
            children = [nodes[id(child)] for child in part.children if isinstance(child, Tree)]
            tokens = [pieces[int(child)] for child in part.children if isinstance(child, Token)]
            match part.data:
                case "leaf":
                    node = self._leaf(scanned, tokens[0])
                case "not":
                    node = Not(children[0])
                case "near":
                    node = _near(scanned, tokens[0], children)
                case "all":
                    node = all_of(children)
                case "any":
                    node = any_of(children)
                case _:
                    node = children[0]
            nodes[id(part)] = node
        return nodes[id(parsed)]

    def _leaf(self, scanned: Scan, piece: Piece) -> Node:
        """Return the tree of a leaf of the plain form."""
        if piece.kind == Kind.SAVED:
            return self._use_saved(scanned, piece)
        if piece.kind == Kind.CHUNK:
            from corpora.query.chunks import parse_chunk

            return parse_chunk(scanned, piece.start, piece.end)
        assert piece.node is not None  # noqa: S101
        if isinstance(piece.node, Term) and not has_something_to_match(piece.node.text):
            raise query_error(
                scanned.text, piece.start, "wanted a word with a character, got blanks or hyphens."
            )
        return piece.node

    def _use_saved(self, scanned: Scan, piece: Piece) -> Node:
        try:
            tree = self.parse_saved(piece.name)
        except InputError as error:
            outer = query_error(scanned.text, piece.start, str(error))
            copy_notes(error, outer)
            raise outer from error
        self.used[piece.name] = None
        return tree


def _within_saved(name: str, error: InputError) -> InputError:
    sentence = str(error).removeprefix(PLACE_PREFIX)
    outer = InputError(f"saved query {quote_name(name)}: {sentence}")
    copy_notes(error, outer)
    return outer


def _near(scanned: Scan, sign: Piece, operands: list[Node]) -> Near:
    """Join two stretches by NEAR. Raises InputError for metadata and for what has no hits."""
    for operand in operands:
        if not _is_stretch(operand):
            raise query_error(
                scanned.text,
                sign.start,
                "wanted words, phrases or OR of them on both sides of NEAR, got a condition of "
                "posts.",
            )
    before, after = sign.distances
    return Near(operands[0], operands[1], before, after)


def _is_stretch(node: Node) -> bool:
    if isinstance(node, Or):
        return all(map(_is_stretch, node.items))
    return not isinstance(node, And | Not | Filter)


_WANTED_OPERAND = "a word, phrase or condition"


def _unexpected(text: str, pieces: list[Piece], index: int) -> InputError:
    """Return the error about the piece with this number, which may be the end of the query."""
    previous = pieces[index - 1] if index else None
    behind = ""
    if previous is not None:
        behind = f" behind {text[previous.start : previous.end][:30]}"
    if index == len(pieces):
        return query_error(
            text, max(0, len(text) - 1), f"wanted {_WANTED_OPERAND}{behind}, got the end."
        )
    piece = pieces[index]
    got = text[piece.start : piece.end][:30]
    return query_error(text, piece.start, f"wanted {_WANTED_OPERAND}{behind}, got {got}.")


def _check_characters(text: str) -> None:
    """Raise InputError for a query that is too long, empty, or has characters that deceive."""
    if len(text) > MAX_QUERY_LENGTH:
        raise InputError(
            f"wanted a query of at most {MAX_QUERY_LENGTH:,} characters, got {len(text):,}."
        )
    if not text.strip():
        raise InputError("wanted a query, such as 叶酸 or brand:kraft, got nothing.")
    match = _REFUSED_CHARACTER.search(text)
    if match:
        name = unicodedata.name(match[0], "control character")
        raise query_error(
            text,
            match.start(),
            f"wanted a query without invisible controls, got U+{ord(match[0]):04X} {name}.",
        )


# Control characters but for blanks, directions of writing, and lone surrogates.
_REFUSED_CHARACTER = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)
_LINE_BREAK = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]")


@cache
def _grammar() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic")
