"""What nodes cost in a segment: where a search starts, and how many matches it keeps in memory."""

import math
from collections.abc import Sequence as Items
from functools import cached_property

import numpy as np

from corpora.index.segment import Positions, Segment
from corpora.query.syntax import (
    Alternatives,
    And,
    Both,
    Capture,
    Constrained,
    Element,
    Look,
    Near,
    Node,
    Not,
    Or,
    Position,
    Repeat,
    Sequence,
    Term,
    Wildcard,
    Word,
)
from corpora.search.captures import captured_names
from corpora.search.conditions import LexiconMasks, WordTest, word_test
from corpora.search.hits import words_touched
from corpora.search.lookup import documents_of
from corpora.search.spans import Matches
from corpora.search.terms import TermSearch

_ANY_WORD = Word()


def gap_of(node: Node) -> tuple[int, int] | None:
    """Return the least and the most words of a node that any words match; None for others."""
    if node == _ANY_WORD:
        return 1, 1
    if isinstance(node, Repeat) and gap_of(node.item) == (1, 1):
        return node.least, node.most
    return None


def constrained_names(node: Node) -> frozenset[str]:
    """Return the names of the captures that some constraint of a query looks at."""
    names: frozenset[str] = frozenset()
    if isinstance(node, Constrained):
        names = frozenset(captured_names(node.constraint))
    return names.union(*map(constrained_names, children(node)))


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes that a node is made of."""
    match node:
        case And() | Or() | Sequence() | Alternatives() | Both():
            return node.items
        case Not() | Repeat() | Look() | Capture() | Constrained():
            return (node.item,)
        case Near():
            return (node.left, node.right)
        case Position():
            return (node.item, node.other)
    return ()


class NodeCosts:
    """The nodes of one query in one segment: their tests, and how many matches they may have."""

    def __init__(self, segment: Segment, masks: LexiconMasks, names: frozenset[str]) -> None:
        self.masks = masks
        # captures that a constraint looks at; others are not kept
        self.names = names
        self._segment = segment
        self._tests: dict[Node, WordTest] = {}
        self._terms: dict[Node, TermSearch] = {}
        # in characters
        self._term_hits: dict[Node, Matches] = {}

    def test(self, node: Word | Wildcard) -> WordTest:
        """Return the test of a word."""
        if node not in self._tests:
            self._tests[node] = word_test(self._segment, self.masks, node)
        return self._tests[node]

    def term(self, node: Term) -> TermSearch:
        """Return the search for a term."""
        if node not in self._terms:
            self._terms[node] = TermSearch(self._segment, node)
        return self._terms[node]

    def term_matches(self, node: Term, documents: Positions) -> Matches:
        """Return the words that the hits of a term in some documents touch."""
        if node not in self._term_hits:
            starts, ends = self.term(node).find()
            hit_documents = documents_of(self._segment.array("char_offsets"), starts)
            self._term_hits[node] = Matches(hit_documents, starts, ends)
        is_asked = np.zeros(self._segment.document_count, np.bool_)
        is_asked[documents] = True
        hits = self._term_hits[node]
        hits = hits.take(is_asked[hits.documents])
        firsts, lasts = words_touched(self._segment, hits.documents, hits.firsts, hits.lasts)
        has_words = lasts > firsts
        return Matches(hits.documents, firsts, lasts).take(has_words).distinct()

    def near(self, node: Near) -> Node:
        """Return NEAR as sequences in either order."""
        orders: list[Node] = []
        if node.after:
            orders.append(Sequence((node.left, _gap(node.after), node.right)))
        if node.before:
            orders.append(Sequence((node.right, _gap(node.before), node.left)))
        return Alternatives(tuple(orders))

    def rarest(self, items: Items[Node]) -> int:
        """Return the index of the item from which a sequence is found."""
        return min(range(len(items)), key=lambda index: self.cost(items[index]))

    def cost(self, node: Node) -> int:
        """Return how many postings or words are read to find a node, at most."""
        words = len(self._segment.array("words"))
        match node:
            case Word() | Wildcard():
                return self.test(node).count
            case Term():
                return self.term(node).count
            case Sequence():
                return min(map(self.cost, node.items))
            case Repeat():
                gap = gap_of(node)
                if gap is not None:
                    return words * (gap[1] - gap[0] + 1)
                return self.cost(node.item) if node.least else words * 2
            case Look():
                return words + self._segment.document_count
            case Near():
                return self.cost(self.near(node))
            case Element():
                is_post = node.name == "post"
                sentences = self._segment.array("sentences")
                return self._segment.document_count if is_post else len(sentences)
            case Position() if isinstance(node.other, Element):
                return self.cost(node.item)
        return sum(map(self.cost, children(node)))

    def work(self, node: Node) -> int:
        """Return how many matches are in memory at once where a node is found, roughly."""
        if isinstance(node, Near):
            return self.work(self.near(node))
        if isinstance(node, Sequence):
            return self.cost(node) * math.prod(map(self._width, node.items))
        inner = sum(map(self.work, children(node)))
        return max(self.cost(node), inner)

    def _width(self, node: Node) -> int:
        """Return how many matches a node may have from one place, roughly."""
        match node:
            case Repeat() if gap_of(node):
                return min(node.most - node.least + 1, self._usual_words)
            case Repeat():
                # repetitions of words other than any grow rarer soon
                return min(node.most - node.least + 1, _USUAL_REPETITIONS)
            case Alternatives():
                return len(node.items)
            case Capture() | Constrained() | Position():
                return self._width(children(node)[0])
            case Sequence():
                return math.prod(map(self._width, node.items))
            case Near():
                return min(node.before + node.after, self._usual_words)
        return 1

    @cached_property
    def _usual_words(self) -> int:
        """The words that most posts do not exceed: no gap is longer than its post."""
        posts = max(self._segment.document_count, 1)
        return 2 * len(self._segment.array("words")) // posts + 1


_USUAL_REPETITIONS = 4


def _gap(words: int) -> Node:
    return Repeat(_ANY_WORD, 0, words - 1)
