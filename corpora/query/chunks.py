"""The corpus-query form: chunks of a query, parsed by bcql_py and converted to our tree.

bcql_py knows BlackLab's whole grammar. Its tree has no positions: what we refuse is therefore
looked for among its tokens, which have them, and strings are counted while the tree is converted.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from bcql_py.exceptions import BCQLSyntaxError
from bcql_py.models import (
    AnnotationConstraint,
    AnnotationRef,
    BCQLNode,
    BoolConstraint,
    CaptureNode,
    ConstraintBoolean,
    ConstraintComparison,
    ConstraintFunctionCall,
    ConstraintLiteral,
    ConstraintNot,
    GlobalConstraintNode,
    GroupNode,
    LookaheadNode,
    LookbehindNode,
    NegationNode,
    NotConstraint,
    PositionFilterNode,
    RepetitionNode,
    SequenceBoolNode,
    SequenceNode,
    SpanQuery,
    StringValue,
    TokenQuery,
)
from bcql_py.parser import BCQLParser, Token, TokenType
from bcql_py.parser.lexer import BCQLLexer

from corpora.query.build import (
    all_conditions,
    all_constraints,
    alternatives,
    any_condition,
    any_constraint,
    both,
    sequence,
)
from corpora.query.chunk_checks import ELEMENTS, check_tokens
from corpora.query.errors import query_error
from corpora.query.patterns import (
    matches_part_of_speech,
    pattern_problem,
    split_switches,
    unescape_pattern,
    unescape_text,
)
from corpora.query.scan import Scan
from corpora.query.syntax import (
    MAX_REPETITIONS,
    NO_FLAGS,
    Alternatives,
    Capture,
    CaptureComparison,
    CaptureConstraint,
    CaptureEdge,
    CaptureLiteral,
    CaptureNot,
    CaptureValue,
    Constrained,
    Element,
    Look,
    Node,
    Position,
    Repeat,
    Word,
    WordCondition,
    WordMatch,
    WordNot,
)
from folate.core.labels import PARTS_OF_SPEECH
from folate.core.text import join_names, quote_name

_STRINGS = (TokenType.STRING, TokenType.LITERAL_STRING)
_POSITION_WORDS = (TokenType.WITHIN, TokenType.CONTAINING, TokenType.OVERLAP)


def parse_chunk(scan: Scan, start: int, end: int) -> Node:
    """Return the tree of the chunk of a query from `start` to `end`. Raises InputError."""
    text = scan.chunk_text(start, end)
    try:
        tokens = BCQLLexer(text).tokenize()
        check_tokens(scan.text, start, tokens)
        tree = BCQLParser(tokens, source=text).parse()
        return _Converter(scan, start, tokens).convert(tree)
    except BCQLSyntaxError as error:
        position = start + min(error.position or 0, len(text) - 1)
        raise query_error(scan.text, position, _our_words(error.message)) from error
    except RecursionError as error:
        raise query_error(
            scan.text, start, "wanted fewer parts within one another than this part has."
        ) from error


def _our_words(message: str) -> str:
    sentence = message.replace("token query", "word in brackets").rstrip(".")
    return f"{sentence[:1].lower()}{sentence[1:]}.".replace("expected ", "wanted ", 1)


class _Converter:
    """Converts a tree of bcql_py; visits strings and `within` in the order of the text."""

    def __init__(self, scan: Scan, start: int, tokens: Sequence[Token]) -> None:
        self._scan = scan
        self._start = start
        self._strings = [token for token in tokens if token.type in _STRINGS]
        self._position_words = [token for token in tokens if token.type in _POSITION_WORDS]
        self._next_string = 0
        self._next_position_word = 0

    def convert(self, node: BCQLNode) -> Node:
        """Return our node for one of bcql_py that matches stretches."""
        match node:
            case GroupNode():
                return self.convert(node.child)
            case TokenQuery():
                return self._word(node)
            case SequenceNode():
                return sequence([self.convert(child) for child in node.children])
            case SequenceBoolNode():
                return self._boolean(node)
            case RepetitionNode():
                most = MAX_REPETITIONS if node.max_count is None else node.max_count
                return Repeat(self.convert(node.child), node.min_count, most)
            case NegationNode():
                return self._negation(node)
            case SpanQuery():
                return _element(node)
            case PositionFilterNode():
                return self._position(node)
            case LookaheadNode() | LookbehindNode():
                return _look(self.convert(node.body), node)
            case CaptureNode():
                return Capture(node.label, self.convert(node.body))
            case GlobalConstraintNode():
                item = self.convert(node.body)
                return Constrained(item, self._constraint(node.constraint))
        raise self._refusal(f"{node.node_type.replace('_', ' ')} is not executed.")

    def _refusal(self, sentence: str) -> Exception:
        """Return an error at the last string that was visited."""
        visited = self._strings[: self._next_string]
        position = self._start + (visited[-1].position if visited else 0)
        return query_error(self._scan.text, position, sentence)

    def _boolean(self, node: SequenceBoolNode) -> Node:
        left, operations = _left_spine(node)
        result = self.convert(left)
        for operator, right in operations:
            item = self.convert(right)
            if operator == "|":
                result = alternatives([result, item])
            elif operator == "&":
                result = both([result, item])
            else:
                raise self._refusal("-> between stretches is not executed; possible: !a | b.")
        return result

    def _negation(self, node: NegationNode) -> Node:
        condition = word_condition(self.convert(node.child))
        if condition is None:
            raise self._refusal(
                "wanted one word behind !, got a longer stretch; possible: (?! …), which looks "
                "ahead, or NOT before the query."
            )
        return Word(WordNot(condition))

    def _position(self, node: PositionFilterNode) -> Node:
        item = self.convert(node.left)
        token = self._position_words[self._next_position_word]
        self._next_position_word += 1
        is_negated = self._start + token.position in self._scan.negated
        other = self.convert(node.right)
        return Position(item, node.operator, other, is_negated)

    # --- words ---

    def _word(self, node: TokenQuery) -> Word:
        if node.shorthand is not None:
            return Word(self._match("word", "=", node.shorthand))
        if node.constraint is None:
            return Word()
        return Word(self._condition(node.constraint))

    def _condition(self, node: BCQLNode) -> WordCondition:
        match node:
            case AnnotationConstraint():
                return self._match(node.annotation, node.operator, node.value)
            case NotConstraint():
                return WordNot(self._condition(node.operand))
            case BoolConstraint():
                left, operations = _left_spine(node)
                result = self._condition(left)
                for operator, right in operations:
                    result = _join_conditions(operator, result, self._condition(right))
                return result
        raise self._refusal(f"{node.node_type.replace('_', ' ')} is not executed.")

    def _match(self, attribute: str, operator: str, value: StringValue) -> WordMatch:
        position = self._take_string()
        flags = self._scan.flags.get(position, NO_FLAGS)
        is_negated = operator == "!="
        name = _attribute(attribute)
        if value.is_literal:
            pattern, switched = unescape_text(value.value), NO_FLAGS
        else:
            pattern, switched = split_switches(unescape_pattern(value.value))
            problem = pattern_problem(pattern)
            if problem:
                inside = position + 1 + len(value.value) - len(pattern)
                raise query_error(self._scan.text, inside + problem[0], problem[1])
        if name == "pos" and not matches_part_of_speech(pattern, value.is_literal):
            raise query_error(
                self._scan.text,
                position,
                f"no part of speech matches {quote_name(pattern)}; "
                f"possible: {join_names(PARTS_OF_SPEECH)}.",
            )
        return WordMatch(name, pattern, value.is_literal, is_negated, flags | switched)

    def _take_string(self) -> int:
        """Return the position of the next string in the query."""
        position: int = self._start + self._strings[self._next_string].position
        self._next_string += 1
        return position

    # --- constraints on captures ---

    def _constraint(self, node: BCQLNode) -> CaptureConstraint:
        match node:
            case ConstraintComparison():
                return self._comparison(node)
            case ConstraintNot():
                return CaptureNot(self._constraint(node.operand))
            case ConstraintBoolean():
                left, operations = _left_spine(node)
                result = self._constraint(left)
                for operator, right in operations:
                    result = _join_constraints(operator, result, self._constraint(right))
                return result
        raise self._refusal(
            "wanted comparisons such as A.word = B.word or start(A) < start(B) behind ::, got a "
            "value."
        )

    def _comparison(self, node: ConstraintComparison) -> CaptureComparison:
        left = self._operand(node.left)
        right = self._operand(node.right)
        kinds = {type(left), type(right)}
        are_edges = kinds == {CaptureEdge}
        are_values = CaptureValue in kinds and CaptureEdge not in kinds
        if not are_edges and not are_values:
            raise self._refusal(
                "wanted a comparison of A.word with B.word or a text, or of start(A) or end(A) "
                "with start(B) or end(B)."
            )
        if are_values and node.operator not in ("=", "!="):
            raise self._refusal(
                f"wanted = or != between texts, got {node.operator}; possible for it: start(A), "
                "end(A)."
            )
        return CaptureComparison(left, node.operator, right)

    def _operand(self, node: BCQLNode) -> CaptureValue | CaptureLiteral | CaptureEdge:
        match node:
            case AnnotationRef() if node.annotation:
                return CaptureValue(node.label, _attribute(node.annotation))
            case ConstraintLiteral():
                position = self._take_string()
                if position in self._scan.flags:
                    raise query_error(
                        self._scan.text, position, "wanted a text without flags behind ::."
                    )
                return CaptureLiteral(unescape_text(node.value))
            case ConstraintFunctionCall(args=[AnnotationRef(annotation="") as capture]):
                edge: Literal["start", "end"] = "start" if node.name == "start" else "end"
                return CaptureEdge(capture.label, edge)
        raise self._refusal("wanted A.word, a text, start(A) or end(A) in a comparison.")


def word_condition(node: Node) -> WordCondition | None:
    """Return the condition of a node that matches one word; None for others and for `[]`."""
    if isinstance(node, Word):
        return node.condition
    if isinstance(node, Alternatives):
        conditions = [word_condition(item) for item in node.items]
        found = [condition for condition in conditions if condition is not None]
        return any_condition(found) if len(found) == len(conditions) else None
    return None


def _left_spine(
    node: SequenceBoolNode | BoolConstraint | ConstraintBoolean,
) -> tuple[BCQLNode, Iterator[tuple[str, BCQLNode]]]:
    """Return the first operand of a chain of operators, and each operator with its right one.

    Chains lean to the left, and may be longer than functions can call themselves.
    """
    operations: list[tuple[str, BCQLNode]] = []
    first: BCQLNode = node
    while isinstance(first, type(node)):
        operations.append((first.operator, first.right))
        first = first.left
    return first, reversed(operations)


def _join_conditions(operator: str, left: WordCondition, right: WordCondition) -> WordCondition:
    match operator:
        case "&":
            return all_conditions([left, right])
        case "|":
            return any_condition([left, right])
        case _:
            return any_condition([WordNot(left), right])


def _join_constraints(
    operator: str, left: CaptureConstraint, right: CaptureConstraint
) -> CaptureConstraint:
    match operator:
        case "&":
            return all_constraints([left, right])
        case "|":
            return any_constraint([left, right])
        case _:
            return any_constraint([CaptureNot(left), right])


def _attribute(name: str) -> Literal["word", "lemma", "pos"]:
    """Return the name of an attribute, which `check_tokens` has checked."""
    match name:
        case "lemma":
            return "lemma"
        case "pos":
            return "pos"
        case _:
            return "word"


def _look(item: Node, node: LookaheadNode | LookbehindNode) -> Look:
    is_negated = not node.positive
    if isinstance(node, LookaheadNode):
        return Look(item, "ahead", is_negated)
    return Look(item, "behind", is_negated)


def _element(node: SpanQuery) -> Node:
    """Return a whole sentence or post, or the place where one begins or ends."""
    element = Element(ELEMENTS[str(node.tag_name).lower()])
    match node.position:
        case "start":
            return Look(element, "ahead")
        case "end":
            return Look(element, "behind")
        case _:
            return element
