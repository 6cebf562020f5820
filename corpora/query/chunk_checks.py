"""Checks of the tokens of a chunk: what is refused is named, at its place in the query."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from bcql_py.parser import Token, TokenType

from corpora.query.errors import query_error
from corpora.query.fields import FIELDS
from corpora.query.syntax import MAX_REPETITIONS
from folate.core.errors import suggestion
from folate.core.text import quote_name

ATTRIBUTES = ("word", "lemma", "pos")
"""Attributes of words."""

ELEMENTS: dict[str, Literal["sentence", "post"]] = {
    "s": "sentence",
    "sentence": "sentence",
    "post": "post",
}
"""Names of tags, and what they stand for."""

EDGES = ("start", "end")
"""Functions of captures in constraints."""

_MAX_DIGITS = 6
_REFUSED: dict[TokenType, str] = {
    TokenType.REL_LINE: "relations such as -obj-> are not executed: sentences are not parsed.",
    TokenType.ROOT_REL_CARET: "relations such as ^--> are not executed: sentences are not parsed.",
    TokenType.ALIGN_LINE: "alignments such as ==>nl are not executed: there are no parallel texts.",
    TokenType.SEMICOLON: "relations, which ; separates, are not executed.",
    TokenType.UNDERSCORE: "_ stands for a part of a relation; possible: [] for any word.",
    TokenType.IN: "ranges of integers such as in[1,5] are not executed: no attribute is a number.",
    TokenType.TRUE: "wanted a comparison, got true.",
    TokenType.FALSE: "wanted a comparison, got false.",
}
_STRINGS = (TokenType.STRING, TokenType.LITERAL_STRING)
_COMPARISONS = (
    TokenType.EQ,
    TokenType.NEQ,
    TokenType.LT,
    TokenType.LTE,
    TokenType.GT,
    TokenType.GTE,
)
_OPENERS = (
    TokenType.LPAREN,
    TokenType.LOOKAHEAD_POS,
    TokenType.LOOKAHEAD_NEG,
    TokenType.LOOKBEHIND_POS,
    TokenType.LOOKBEHIND_NEG,
)


def check_tokens(query: str, start: int, tokens: Sequence[Token]) -> None:
    """Raise InputError for what is refused in the chunk of a query that begins at `start`."""
    captures = set()
    for token, following in pairwise(tokens):
        if token.type == TokenType.IDENTIFIER and following.type == TokenType.COLON:
            captures.add(token.value)
    _TokenChecks(query, start, tokens, frozenset(captures)).run()


class _TokenChecks:
    """Walks over the tokens; knows which are in brackets and which in constraints."""

    def __init__(
        self, query: str, start: int, tokens: Sequence[Token], captures: frozenset[str]
    ) -> None:
        self._query = query
        self._start = start
        self._tokens = tokens
        self._captures = captures

    def run(self) -> None:
        """Check each token where it stands. Raises InputError."""
        for index, token, is_in_bracket, is_in_constraint in self._places():
            if token.type in _REFUSED:
                raise self._error(token, _REFUSED[token.type])
            if token.type == TokenType.LBRACE:
                self._check_repetition(index)
            elif is_in_bracket:
                self._check_in_bracket(index)
            elif is_in_constraint:
                self._check_in_constraint(index)
            else:
                self._check_stretch(index)

    def _places(self) -> Iterator[tuple[int, Token, bool, bool]]:
        """Yield each token with its number, and whether it is in brackets and in a constraint."""
        is_in_bracket = False
        in_constraint = [False]
        for index, token in enumerate(self._tokens):
            if token.type == TokenType.LBRACKET:
                is_in_bracket = True
            elif token.type == TokenType.RBRACKET:
                is_in_bracket = False
            elif token.type in _OPENERS:
                in_constraint.append(in_constraint[-1])
            elif token.type == TokenType.RPAREN and len(in_constraint) > 1:
                in_constraint.pop()
            elif token.type == TokenType.DOUBLE_COLON:
                in_constraint[-1] = True
            yield index, token, is_in_bracket, in_constraint[-1]

    def _peek(self, index: int) -> TokenType:
        return self._tokens[index].type if index < len(self._tokens) else TokenType.EOF

    def _check_repetition(self, index: int) -> None:
        """Check `{n}`, `{n,}`, `{,m}` or `{n,m}`; its syntax is left to the parser."""
        numbers: list[str] = []
        token = self._tokens[index]
        position = index + 1
        while self._peek(position) in (TokenType.INTEGER, TokenType.COMMA):
            numbers.append(self._tokens[position].value)
            position += 1
        text = "".join(numbers)
        least, _, most = text.partition(",")
        wanted = f"wanted repetitions from 0 to {MAX_REPETITIONS}, the most not 0,"
        if max(len(least), len(most)) > _MAX_DIGITS or "-" in text:
            raise self._error(token, f"{wanted} got {{{text[:30]}}}.")
        bounds = [int(number) for number in (least, most) if number.isdecimal()]
        if bounds and (max(bounds) > MAX_REPETITIONS or (bounds[-1] == 0 and "," not in text[-1:])):
            raise self._error(token, f"{wanted} got {{{text}}}.")
        if len(bounds) == 2 and bounds[0] > bounds[1]:
            raise self._error(
                token, f"wanted the fewest repetitions before the most, got {{{text}}}."
            )

    def _check_in_bracket(self, index: int) -> None:
        """Check attributes and comparisons, as in `[word = "a"]`."""
        token = self._tokens[index]
        if token.type in (TokenType.LT, TokenType.LTE, TokenType.GT, TokenType.GTE):
            raise self._error(token, f"wanted = or != behind an attribute, got {token.value}.")
        if token.type != TokenType.IDENTIFIER:
            return
        if self._peek(index + 1) == TokenType.LPAREN:
            raise self._error(token, f"functions such as {token.value[:30]}(…) are not executed.")
        if self._peek(index + 1) in _COMPARISONS:
            self._check_attribute(token)

    def _check_in_constraint(self, index: int) -> None:
        """Check captures and functions, as in `:: A.word = B.word & start(A) < start(B)`."""
        token = self._tokens[index]
        if token.type == TokenType.INTEGER:
            raise self._error(token, "wanted A.word, start(A), end(A) or a text, got a number.")
        if token.type != TokenType.IDENTIFIER or self._peek(index - 1) == TokenType.DOT:
            return
        if self._peek(index + 1) == TokenType.LPAREN:
            if token.value not in EDGES:
                raise self._error(
                    token,
                    f"wanted start(…) or end(…) in a constraint, got {token.value[:30]}(…): other "
                    "functions are not executed.",
                )
            return
        if token.value not in self._captures:
            raise self._error(
                token,
                f"no capture {quote_name(token.value)}; {suggestion(token.value, self._captures)}",
            )
        if self._peek(index + 1) == TokenType.DOT and index + 2 < len(self._tokens):
            self._check_attribute(self._tokens[index + 2])

    def _check_stretch(self, index: int) -> None:
        """Check captures, tags and functions between stretches."""
        token = self._tokens[index]
        if token.type in (TokenType.LT, TokenType.LT_SLASH):
            self._check_tag(index)
        elif token.type == TokenType.IDENTIFIER and self._peek(index + 1) == TokenType.LPAREN:
            raise self._error(token, f"functions such as {token.value[:30]}(…) are not executed.")
        elif self._peek(index + 1) == TokenType.COLON and token.value in FIELDS:
            raise self._error(
                token, f"wanted a capture whose name is no field, got {token.value!r}."
            )

    def _check_tag(self, index: int) -> None:
        name = self._tokens[index + 1]
        if name.type not in (TokenType.IDENTIFIER, *_STRINGS):
            return
        if name.type != TokenType.IDENTIFIER or name.value.lower() not in ELEMENTS:
            raise self._error(
                name, f"no tag {quote_name(name.value)}; {suggestion(name.value, ELEMENTS)}"
            )
        if self._peek(index + 2) == TokenType.IDENTIFIER:
            raise self._error(
                self._tokens[index + 2],
                "wanted a tag without attributes; possible: conditions of posts such as "
                "source:weibo.",
            )

    def _check_attribute(self, token: Token) -> None:
        if token.value not in ATTRIBUTES:
            raise self._error(
                token,
                f"no attribute {quote_name(token.value)}; {suggestion(token.value, ATTRIBUTES)}",
            )

    def _error(self, token: Token, sentence: str) -> Exception:
        position = min(self._start + token.position, len(self._query) - 1)
        return query_error(self._query, position, sentence)
