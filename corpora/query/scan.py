"""The scanner of queries: cuts a text into words, phrases, filters, operators and chunks.

A query has two forms in one text. Pieces of the plain form are words, filters, saved queries and
Boolean operators. Pieces of the corpus-query form are brackets, tags, braces and its operators.
Quoted strings and parentheses belong to either. A *chunk* is a run of strings, parentheses and
corpus-query pieces with at least one of the latter; `corpora.query.chunks` parses it.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from corpora.query.errors import query_error
from corpora.query.fields import FIELDS, KnownValues, UnfitValue, read_value
from corpora.query.patterns import FLAG_LETTERS, read_flags, unescape_text
from corpora.query.syntax import MAX_NEAR_WORDS, NO_FLAGS, Filter, Flags, Node, Term, Wildcard
from folate.core.errors import suggestion
from folate.core.text import quote_name
from nlp.text.normalize import normalize_text

MAX_NESTING = 50
"""Most parentheses within one another."""


class Kind(StrEnum):
    """What a piece of a query is. The names are the terminals of the grammar of the plain form."""

    LEAF = "LEAF"  # a word, phrase, wildcard or filter: a node
    SAVED = "SAVED"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    NEAR = "NEAR"
    OPEN = "OPEN"
    CLOSE = "CLOSE"
    STRING = "STRING"  # quoted: a phrase, or a word of a chunk
    CORPUS = "CORPUS"  # only part of a chunk
    CHUNK = "CHUNK"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a query from character `start` to `end`."""

    kind: Kind
    start: int
    end: int
    # of a leaf, and of a string as a phrase of the plain form
    node: Node | None = None
    # of a saved query
    name: str = ""
    # of NEAR: most words where the right item comes first, and where it comes second
    distances: tuple[int, int] = (0, 0)
    # of a parenthesis: it opens a lookahead or a lookbehind
    is_look: bool = False
    # of a corpus-query piece: the operator that is written there, or nothing
    operator: str = ""


@dataclass
class Scan:
    """The pieces of a query, and what the grammar of chunks does not know."""

    text: str
    pieces: list[Piece] = field(default_factory=list)
    # flags by the position of the string that they follow
    flags: dict[int, Flags] = field(default_factory=dict)
    # positions of "within" and the like that "!" negates
    negated: set[int] = field(default_factory=set)
    # stretches of the text that the grammar of chunks must not see
    hidden: list[tuple[int, int]] = field(default_factory=list)
    # positions of the quotes “ and ”, which it does not know
    curly_quotes: list[int] = field(default_factory=list)

    def chunk_text(self, start: int, end: int) -> str:
        """Return a part of the query as the grammar of chunks takes it, of the same length."""
        characters = list(self.text[start:end])
        for first, last in self.hidden:
            if start <= first < end:
                characters[first - start : last - start] = " " * (last - first)
        for position in self.curly_quotes:
            if start <= position < end:
                characters[position - start] = '"'
        return "".join(characters)


def scan(text: str, known: KnownValues) -> Scan:
    """Cut a query into pieces. Raises InputError."""
    scanner = _Scanner(text, known)
    while scanner.skip_blanks():
        scanner.read_piece()
    return scanner.result


_ENDS_CONSTRAINT = (Kind.LEAF, Kind.SAVED, Kind.AND, Kind.OR, Kind.NOT, Kind.NEAR)
_OPENERS = "(（"
_CLOSERS = ")）"
_CLOSING_QUOTES = {'"': '"', "'": "'", "“": "”"}
# The beginnings of pieces, tried in this order.
_LOOK = re.compile(r"\(\?(?:<?[=!])")
_LITERAL = re.compile(r"l(?=[\"'])")
_RELATION = re.compile(r"[-=]>|\^-|-[^\s()\[\]{}\"']{0,60}->|=[^\s()\[\]{}\"']{0,60}=>")
_KEYWORD = re.compile(r"(AND|OR|NOT)(?=[\s()（）\"“\[<]|$)")
_NEAR = re.compile(r"NEAR(?:/(-?[0-9]+)(?:,([0-9]+))?)?(?=[\s()（）\"“\[<]|$)")
_NAMED = re.compile(r"([A-Za-z_][A-Za-z_0-9]*)[:：](?!:)")
_SAVED_NAME = re.compile(r"@([\w-]+)")
_VALUE = re.compile(r"[^\s()（）\"“”]*")
_CAPTURED = re.compile(r"\s*(?:\[|\(|<|!|l?[\"']|[A-Za-z_][A-Za-z_0-9]*:)")
_POSITION_WORD = re.compile(r"(!\s*)?(within|containing|overlap)(?=[\s<(\[\"']|$)")
_BEGINS_STRETCH = re.compile(r"\s*(?:[<(\[\"'“!]|l[\"']|([A-Za-z_][A-Za-z_0-9]*):)")
_TAG = re.compile(r"</?(?:[^<>\"'()\[\]]|\"[^\"]*\"|'[^']*')*>")
_BRACES = re.compile(r"\{[^{}\"]*\}")
_OPERATOR = re.compile(r"::|!=|<=|>=|->|[|&!;,=<>]")
_QUANTIFIER = re.compile("[+*?]")
_OPERAND = re.compile(r"[A-Za-z_][A-Za-z_0-9]*(?:\s*\.\s*[A-Za-z_][A-Za-z_0-9]*)?|-?[0-9]+")
_FLAG = re.compile(r"%([A-Za-z]+)")
_WORD = re.compile(r"[^\s()（）\"“”\[\]{}<>|]+")
_WORD_FLAGS = re.compile(rf"(.+)%([{''.join(FLAG_LETTERS)}]+)", re.DOTALL)
_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_ONLY_STARS = re.compile(r"\*+")
_NOTHING_TO_MATCH = re.compile(r"[\s-]*")


class _Scanner:
    """Reads one piece after the other."""

    def __init__(self, text: str, known: KnownValues) -> None:
        self.result = Scan(text)
        self._text = text
        self._known = known
        self._position = 0
        # whether the text is in a constraint (after `::`), for each open parenthesis and outside
        self._in_constraint = [False]
        # whether a constraint wants an operand next
        self._wants_operand = False

    def skip_blanks(self) -> bool:
        """Move to the next character that is no blank; return whether there is one."""
        while self._position < len(self._text) and self._text[self._position].isspace():
            self._position += 1
        return self._position < len(self._text)

    def read_piece(self) -> None:
        """Read the piece that begins here."""
        character = self._text[self._position]
        if character in _OPENERS:
            self._read_opener()
        elif character in _CLOSERS:
            self._read_closer()
        elif self._is_string_start():
            self._read_string()
        elif character == "[":
            self._read_bracket()
        elif not self._read_corpus_piece() and not self._read_plain_piece():
            self._read_word()

    # --- what both forms have ---

    def _read_opener(self) -> None:
        look = _LOOK.match(self._text, self._position)
        end = look.end() if look else self._position + 1
        if len(self._in_constraint) > MAX_NESTING:
            raise self._error(f"wanted at most {MAX_NESTING} parentheses within one another.")
        self._in_constraint.append(self._in_constraint[-1])
        self._wants_operand = True
        self._add(Kind.OPEN, end, is_look=look is not None)

    def _read_closer(self) -> None:
        if len(self._in_constraint) == 1:
            raise self._error("wanted an opening parenthesis before this closing one.")
        self._in_constraint.pop()
        self._wants_operand = False
        self._add(Kind.CLOSE, self._position + 1)

    def _is_string_start(self) -> bool:
        is_quote = self._text[self._position] in _CLOSING_QUOTES
        return is_quote or _LITERAL.match(self._text, self._position) is not None

    def _read_string(self) -> None:
        """Read a quoted string with its flags: a phrase, or a word of a chunk."""
        start = self._position
        end, inside = self._find_string_end(start)
        flags = self._read_flags(start, end)
        self._wants_operand = False
        if self._text[start] == "l":
            self._add(Kind.CORPUS, self._flags_end(end))
            return
        phrase = " ".join(unescape_text(inside).split())
        self._add(Kind.STRING, self._flags_end(end), node=Term(phrase, flags))

    def _find_string_end(self, start: int) -> tuple[int, str]:
        """Return the end of the string that begins at `start`, and what is between its quotes."""
        quote_at = start + (self._text[start] == "l")
        closing = _CLOSING_QUOTES[self._text[quote_at]]
        position = quote_at + 1
        while position < len(self._text) and self._text[position] != closing:
            position += 2 if self._text[position] == "\\" else 1
        if position >= len(self._text):
            raise query_error(self._text, start, f"wanted a closing {closing} for this quote.")
        if closing == "”":
            self.result.curly_quotes += [quote_at, position]
        return position + 1, self._text[quote_at + 1 : position]

    def _read_flags(self, start: int, end: int) -> Flags:
        """Return the flags that follow the string from `start` to `end`, and hide them."""
        match = _FLAG.match(self._text, end)
        if not match:
            return NO_FLAGS
        flags = read_flags(match[1])
        if flags is None:
            hint = '; possible: a literal string, l"…"' if "l" in match[1] else ""
            raise query_error(
                self._text,
                end,
                f"wanted flags among %c (case matters), %d (diacritics do not), %w (width matters) "
                f"and %s (traditional or simplified matters), got {match[0][:20]}{hint}.",
            )
        self.result.flags[start] = flags
        self.result.hidden.append((end, match.end()))
        return flags

    def _flags_end(self, end: int) -> int:
        match = _FLAG.match(self._text, end)
        return match.end() if match else end

    # --- the corpus-query form ---

    def _read_bracket(self) -> None:
        """Read `[…]`, the conditions of a word."""
        start = position = self._position
        depth = 0
        while position < len(self._text):
            character = self._text[position]
            if character in _CLOSING_QUOTES or _LITERAL.match(self._text, position):
                end, _ = self._find_string_end(position)
                self._read_flags(position, end)
                position = self._flags_end(end)
                continue
            if character == "#" or self._text.startswith("/*", position):
                raise query_error(self._text, position, "wanted a query without comments.")
            depth += (character == "[") - (character == "]")
            position += 1
            if depth == 0:
                self._add(Kind.CORPUS, position)
                return
        raise query_error(self._text, start, "wanted a closing ] for this bracket.")

    def _read_corpus_piece(self) -> bool:
        """Read a piece that only the corpus-query form has; return whether there is one here."""
        character = self._text[self._position]
        if self._in_constraint[-1] and self._read_constraint_piece():
            return True
        if self._read_capture() or self._read_position_word():
            return True
        if character == "<":
            return self._read_whole(_TAG, "a tag such as <sentence/>; a word with < is quoted")
        if character == "{":
            return self._read_whole(_BRACES, "a number of repetitions such as {2} or {0,5}")
        if character in "]}>":
            raise self._error(f"wanted an opening bracket before this {character}.")
        if self._text.startswith("/*", self._position):
            raise self._error("wanted a query without comments.")
        if self._follows_stretch() and self._read_match(_QUANTIFIER):
            return True
        self._refuse_relation()
        if self._text.startswith("::", self._position):
            self._in_constraint[-1] = True
            self._wants_operand = True
            return self._read_match(_OPERATOR)
        return character in "|&!;" and self._read_match(_OPERATOR)

    def _read_constraint_piece(self) -> bool:
        match = _OPERATOR.match(self._text, self._position)
        if match and match[0] != ";":
            self._wants_operand = True
            return self._read_match(_OPERATOR)
        if self._wants_operand and self._read_match(_OPERAND):
            self._wants_operand = False
            return True
        return False

    def _read_whole(self, pattern: re.Pattern[str], wanted: str) -> bool:
        if not pattern.match(self._text, self._position):
            raise self._error(f"wanted {wanted}.")
        return self._read_match(pattern)

    def _read_match(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._position)
        if match:
            self._add(Kind.CORPUS, match.end(), operator=match[0])
        return match is not None

    def _read_capture(self) -> bool:
        """Read the name of a capture, `A:`."""
        match = _NAMED.match(self._text, self._position)
        if not match or match[1] in FIELDS or match[0][-1] != ":":
            return False
        captured = _CAPTURED.match(self._text, match.end())
        if not captured:
            return False
        # `brnad:"kraft"` is a field with a slip of the pen, unless captures are compared
        if captured[0][-1] in "\"'" and "::" not in self._text:
            return False
        self._add(Kind.CORPUS, match.end(), operator=match[0])
        return True

    def _read_position_word(self) -> bool:
        """Read `within` and the like, with `!` before it, where it stands between stretches."""
        match = _POSITION_WORD.match(self._text, self._position)
        if not match or not self.result.pieces:
            return False
        previous = self.result.pieces[-1].kind
        if previous not in (Kind.CORPUS, Kind.STRING, Kind.CLOSE):
            return False
        following = _BEGINS_STRETCH.match(self._text, match.end())
        begins_stretch = following is not None and following[1] not in FIELDS
        if previous != Kind.CORPUS and not begins_stretch:
            return False
        if match[1]:
            self.result.hidden.append((match.start(), match.start(2)))
            self.result.negated.add(match.start(2))
        self._add(Kind.CORPUS, match.end(), operator=match[2])
        return True

    def _follows_stretch(self) -> bool:
        """Return whether a piece ends right here that can be repeated."""
        if not self.result.pieces:
            return False
        previous = self.result.pieces[-1]
        return previous.end == self._position and previous.kind in (
            Kind.CORPUS,
            Kind.STRING,
            Kind.CLOSE,
        )

    def _refuse_relation(self) -> None:
        match = _RELATION.match(self._text, self._position)
        if not match:
            return
        if match[0].startswith("=") and match[0].endswith("=>"):
            raise self._error(
                "alignments such as ==>nl are not executed: there are no parallel texts."
            )
        if match[0] == "->":
            raise self._error(
                "wanted -> in a constraint or between brackets' conditions only; possible: !a | b."
            )
        raise self._error("relations such as -obj-> are not executed: sentences are not parsed.")

    # --- the plain form ---

    def _read_plain_piece(self) -> bool:
        """Read an operator, a filter or a saved query; return whether there is one here."""
        character = self._text[self._position]
        if match := _KEYWORD.match(self._text, self._position):
            self._add(Kind(match[1]), match.end())
            return True
        if match := _NEAR.match(self._text, self._position):
            self._add(Kind.NEAR, match.end(), distances=self._read_distances(match))
            return True
        if match := _NAMED.match(self._text, self._position):
            return self._read_filter(match)
        if character == "-":
            following = self._text[self._position + 1 : self._position + 2]
            if not following or following.isspace():
                raise self._error("wanted a word or condition right behind -, which excludes it.")
            self._add(Kind.NOT, self._position + 1)
            return True
        if character == "@":
            match = _SAVED_NAME.match(self._text, self._position)
            if not match:
                raise self._error(
                    'wanted the name of a saved query behind @; the sign itself is quoted: "@".'
                )
            self._add(Kind.SAVED, match.end(), name=match[1])
            return True
        return False

    def _read_distances(self, match: re.Match[str]) -> tuple[int, int]:
        """Return the distances of `NEAR/5` or `NEAR/-3,5`."""
        wanted = "wanted NEAR with a number of words, such as NEAR/5, or NEAR/-3,5 for both orders"
        first, second = match[1], match[2]
        if first is None or len(first) > 6 or len(second or "") > 6:
            raise self._error(f"{wanted}, got {match[0][:30]}.")
        after = int(second) if second is not None else int(first)
        before = -int(first) if second is not None else int(first)
        if before < 0 or after < 0 or not before + after:
            raise self._error(f"{wanted}, got {match[0]}.")
        if max(before, after) > MAX_NEAR_WORDS:
            raise self._error(f"wanted at most {MAX_NEAR_WORDS} words of NEAR, got {match[0]}.")
        return before, after

    def _read_filter(self, match: re.Match[str]) -> bool:
        """Read `field:value`."""
        name = match[1]
        if name not in FIELDS:
            if match[0][-1] != ":":
                return False
            raise self._error(
                f"no field {quote_name(name)} (a word with a colon is quoted); "
                f"{suggestion(name, FIELDS)}",
            )
        start = match.end()
        if self._text[start : start + 1] in ('"', "“"):
            end, inside = self._find_string_end(start)
            value = unescape_text(inside)
        else:
            value_match = _VALUE.match(self._text, start)
            end = value_match.end() if value_match else start
            value = self._text[start:end]
        try:
            read = read_value(FIELDS[name], value, self._known)
        except UnfitValue as error:
            raise query_error(self._text, start, str(error)) from error
        node = Filter(name, read.operator, read.value, read.until)
        self._add(Kind.LEAF, end, node=node)
        return True

    def _read_word(self) -> None:
        """Read a word or a wildcard with its flags."""
        match = _WORD.match(self._text, self._position)
        if not match:
            raise self._error("wanted a word, got this; possible: it in quotes.")
        if self._text[match.end() : match.end() + 1] == "(" and _FUNCTION.fullmatch(match[0]):
            raise self._error(
                f"functions such as {match[0][:30]}(…) are not executed; possible: a blank before "
                "the parenthesis of a group."
            )
        if match[0].startswith("+"):
            raise self._error("wanted words without +: every word is required, unless OR is used.")
        flagged = _WORD_FLAGS.fullmatch(match[0])
        word = flagged[1] if flagged else match[0]
        flags = (read_flags(flagged[2]) if flagged else None) or NO_FLAGS
        self._add(Kind.LEAF, match.end(), node=self._word_node(word, flags))

    def _word_node(self, word: str, flags: Flags) -> Node:
        if _ONLY_STARS.fullmatch(word):
            raise self._error("wanted a pattern with more than *; possible: [] for any word.")
        if "*" in word or "?" in word:
            return Wildcard(word, flags)
        return Term(word, flags)

    def _add(
        self,
        kind: Kind,
        end: int,
        *,
        node: Node | None = None,
        name: str = "",
        distances: tuple[int, int] = (0, 0),
        is_look: bool = False,
        operator: str = "",
    ) -> None:
        piece = Piece(kind, self._position, end, node, name, distances, is_look, operator)
        self.result.pieces.append(piece)
        self._position = end
        if kind in _ENDS_CONSTRAINT:
            self._in_constraint[-1] = False

    def _error(self, sentence: str) -> Exception:
        return query_error(self._text, self._position, sentence)


def has_something_to_match(term: str) -> bool:
    """Return whether a term has a character that a text could have: not only blanks and hyphens."""
    return _NOTHING_TO_MATCH.fullmatch(normalize_text(term)) is None
