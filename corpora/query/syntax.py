"""The syntax tree of corpus queries: one tree for the plain form and for the corpus-query form.

A query selects posts and, in them, hits. Nodes of the first group select posts; nodes of the second
group also match stretches of text. A stretch is measured in characters (`Term`) or in words (all
others). docs/query-language.md defines both for users.
"""

from dataclasses import dataclass, field
from typing import Literal

# Switches of a comparison of texts. Without any, texts are compared folded: case, width and
# traditional characters make no difference, and diacritics do.
Flag = Literal["case", "no_diacritics", "width", "script"]
Flags = frozenset[Flag]
NO_FLAGS: Flags = frozenset()


@dataclass(frozen=True)
class Node:
    """Any node of the tree."""


# --- nodes that select posts ---


@dataclass(frozen=True)
class And(Node):
    """Posts that every item selects; their hits are the hits of all items but `Not`."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Or(Node):
    """Posts that some item selects; their hits are the hits of all items."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Not(Node):
    """Posts that the item does not select; they have no hits of their own."""

    item: Node


@dataclass(frozen=True)
class Filter(Node):
    """Posts by metadata, such as `brand:kraft` or `rating:<=2`.

    `field` is one of `corpora.query.fields.FIELDS`. `operator` is `=` for a value, `..` for a
    range (`value` to `until`, both included; an empty one is open), or a comparison of numbers.
    """

    field: str
    operator: Literal["=", "..", "<", "<=", ">", ">="]
    value: str
    until: str = ""


# --- nodes that match stretches of text ---


@dataclass(frozen=True)
class Term(Node):
    """A word or phrase as `nlp.text.term_matcher.TermMatcher` finds it; measured in characters.

    Overlapping occurrences are hits of their own: 哈哈 is twice in 哈哈哈.
    """

    text: str
    flags: Flags = NO_FLAGS


@dataclass(frozen=True)
class WordMatch(Node):
    """Condition on one attribute of a word: `word = "pregnan.*"`.

    `pattern` is an RE2 expression for the whole value, unless `is_literal`.
    """

    attribute: Literal["word", "lemma", "pos"]
    pattern: str
    is_literal: bool = False
    is_negated: bool = False
    flags: Flags = NO_FLAGS


@dataclass(frozen=True)
class WordAll(Node):
    """Conditions of one word that must all be true."""

    items: tuple["WordCondition", ...]


@dataclass(frozen=True)
class WordAny(Node):
    """Conditions of one word of which one must be true."""

    items: tuple["WordCondition", ...]


@dataclass(frozen=True)
class WordNot(Node):
    """A condition of one word that must be false."""

    item: "WordCondition"


WordCondition = WordMatch | WordAll | WordAny | WordNot


@dataclass(frozen=True)
class Word(Node):
    """One word: `[word="叶酸" & pos="N.*"]`; any word, `[]`, without a condition."""

    condition: WordCondition | None = None


@dataclass(frozen=True)
class Wildcard(Node):
    """One word by a pattern with `*` (any characters) and `?` (one character): `pregnan*`."""

    pattern: str
    flags: Flags = NO_FLAGS


@dataclass(frozen=True)
class Sequence(Node):
    """Items that follow one another within one post, without a word between them."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat(Node):
    """An item `least` to `most` times in a row. `most` is at most MAX_REPETITIONS."""

    item: Node
    least: int
    most: int


@dataclass(frozen=True)
class Alternatives(Node):
    """Stretches that any of the items matches: `"a" | "b"` in the corpus-query form."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Both(Node):
    """Stretches that all of the items match: `("a" []) & ([] "b")` in the corpus-query form.

    Conditions of one word are joined to one `Word` instead.
    """

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Near(Node):
    """The stretch from an item to another that is at most some words away, without overlap.

    `after`: most words from the end of `left` to the start of `right`, where 1 is the next word.
    `before`: likewise where `right` comes first. `NEAR/5` is 5 and 5, `NEAR/-3,5` is 3 and 5; 0
    forbids the order.
    """

    left: Node
    right: Node
    before: int
    after: int


@dataclass(frozen=True)
class Element(Node):
    """A whole sentence or post: `<sentence/>`, `<post/>`."""

    name: Literal["sentence", "post"]


@dataclass(frozen=True)
class Position(Node):
    """Stretches of `item` that are within, contain or overlap a stretch of `other`."""

    item: Node
    relation: Literal["within", "containing", "overlap"]
    other: Node
    is_negated: bool = False


@dataclass(frozen=True)
class Look(Node):
    """A place, of no width, that `item` does or does not follow (`ahead`) or precede."""

    item: Node
    direction: Literal["ahead", "behind"]
    is_negated: bool = False


@dataclass(frozen=True)
class Capture(Node):
    """A named part of a match, for the constraint of the query: `A:[]`."""

    name: str
    item: Node


@dataclass(frozen=True)
class CaptureValue(Node):
    """Attribute of the (first) word of a capture, such as `A.word`."""

    name: str
    attribute: Literal["word", "lemma", "pos"]


@dataclass(frozen=True)
class CaptureLiteral(Node):
    """A text that a captured value is compared with."""

    text: str


@dataclass(frozen=True)
class CaptureEdge(Node):
    """Position of the first (`start`) or after the last word (`end`) of a capture: `start(A)`."""

    name: str
    edge: Literal["start", "end"]


@dataclass(frozen=True)
class CaptureComparison(Node):
    """A comparison of two values; `<` and its like only compare positions."""

    left: "CaptureValue | CaptureLiteral | CaptureEdge"
    operator: Literal["=", "!=", "<", "<=", ">", ">="]
    right: "CaptureValue | CaptureLiteral | CaptureEdge"


@dataclass(frozen=True)
class CaptureAll(Node):
    """Constraints that must all be true."""

    items: tuple["CaptureConstraint", ...]


@dataclass(frozen=True)
class CaptureAny(Node):
    """Constraints of which one must be true."""

    items: tuple["CaptureConstraint", ...]


@dataclass(frozen=True)
class CaptureNot(Node):
    """A constraint that must be false."""

    item: "CaptureConstraint"


CaptureConstraint = CaptureComparison | CaptureAll | CaptureAny | CaptureNot


@dataclass(frozen=True)
class Constrained(Node):
    """Matches of `item` whose captures meet a constraint: `A:[] B:[] :: A.word = B.word`."""

    item: Node
    constraint: CaptureConstraint


MAX_REPETITIONS = 100
"""Most repetitions of `{n,m}`, `+` and `*`."""

MAX_NEAR_WORDS = 100
"""Most words of `NEAR/n`."""


@dataclass(frozen=True)
class Query:
    """A parsed query: as it was typed, its tree, and its canonical form, which parses to the tree.

    `saved` names the saved queries (`@name`) that were put into it.
    """

    text: str
    tree: Node
    canonical: str
    saved: tuple[str, ...] = field(default=())
