"""Nodes that match stretches of words, found in a part of a segment.

A node is *found* where all its matches are wanted, and *extended* where its matches are wanted that
begin (or end) at given places: a sequence is found at its rarest item and extended from there. All
places are word positions; the place behind the last word of a document belongs to that document.
"""

from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from corpora.index.segment import Positions, Segment
from corpora.query.syntax import (
    Alternatives,
    Both,
    Capture,
    Constrained,
    Element,
    Look,
    Near,
    Node,
    Or,
    Position,
    Repeat,
    Sequence,
    Term,
    Wildcard,
    Word,
)
from corpora.search.captures import ConstraintTest
from corpora.search.costs import NodeCosts, gap_of
from corpora.search.lookup import documents_of, ranges
from corpora.search.spans import (
    ABSENT,
    Captures,
    Mask,
    Matches,
    concatenate,
    concatenate_captures,
    distinct_rows,
    merge_captures,
    no_matches,
    related,
    take_captures,
)
from folate.core.errors import InputError


@dataclass(frozen=True)
class Extension:
    """Matches of a node from places: the place of each, by its index, and where it ends."""

    indexes: Positions
    edges: Positions
    captures: Captures

    def then(self, following: "Extension", *, forward: bool) -> "Extension":
        """Return this extension followed by one from its ends; the later words' captures win."""
        before = take_captures(self.captures, following.indexes)
        after = following.captures
        merged = merge_captures(after, before) if forward else merge_captures(before, after)
        return Extension(self.indexes[following.indexes], following.edges, merged)

    def take(self, chosen: Positions | Mask) -> "Extension":
        """Return some of the matches."""
        captures = take_captures(self.captures, chosen)
        return Extension(self.indexes[chosen], self.edges[chosen], captures)

    def distinct(self) -> "Extension":
        """Return each match once."""
        if not self.captures:
            _, chosen = np.unique((self.indexes << 32) | self.edges, return_index=True)
            return self if len(chosen) == len(self.edges) else self.take(chosen)
        captured = [edge for span in self.captures.values() for edge in span]
        return self.take(distinct_rows([self.indexes, self.edges, *captured]))


def _join_extensions(parts: Items[Extension]) -> Extension:
    if not parts:
        empty = np.empty(0, np.int64)
        return Extension(empty, empty, {})
    lengths = [len(part.edges) for part in parts]
    if len(parts) == 1:
        return parts[0]
    return Extension(
        np.concatenate([part.indexes for part in parts]),
        np.concatenate([part.edges for part in parts]),
        concatenate_captures([part.captures for part in parts], lengths),
    )


def _in_all(parts: Items[Matches]) -> Matches:
    """Return the stretches that all parts have; captures of later parts win."""
    found = parts[0]
    for others in parts[1:]:
        keys, other_keys = found.keys(), others.keys()
        # with captures, matches are in no order
        order = np.argsort(other_keys, kind="stable")
        low = np.searchsorted(other_keys, keys, "left", sorter=order)
        counts = np.searchsorted(other_keys, keys, "right", sorter=order) - low
        kept = found.take(np.repeat(np.arange(len(found)), counts))
        captures = take_captures(others.captures, order[ranges(low, counts)])
        merged = merge_captures(captures, kept.captures)
        found = Matches(kept.documents, kept.firsts, kept.lasts, merged).distinct()
    return found


def _is_one_word(node: Node) -> bool:
    """Return whether matches of a node from different places end in different places."""
    if isinstance(node, Capture | Constrained | Position):
        return _is_one_word(node.item)
    return isinstance(node, Word | Wildcard | Look)


class SpanMatcher:
    """Finds stretches of words in the documents from `first_document` to before `last_document`."""

    def __init__(
        self, segment: Segment, costs: NodeCosts, first_document: int, last_document: int
    ) -> None:
        self._segment = segment
        self._costs = costs
        self._first_document = first_document
        self._last_document = last_document
        self._bounds = segment.array("word_offsets")[first_document : last_document + 1]
        self._low = int(self._bounds[0])
        self._high = int(self._bounds[-1])
        self._found: dict[Node, Matches] = {}

    def find(self, node: Node) -> Matches:
        """Return all matches of a node. Raises InputError.

        They are distinct and in order, unless they have captures.
        """
        if node not in self._found:
            self._found[node] = self._find(node)
        return self._found[node]

    def _find(self, node: Node) -> Matches:
        match node:
            case Word() | Wildcard():
                positions = self._costs.test(node).find(self._low, self._high)
                documents = documents_of(self._bounds, positions, self._first_document)
                return Matches(documents, positions, positions + 1)
            case Term():
                return self._term(node)
            case Sequence():
                return self._find_sequence(node)
            case Repeat():
                return self._find_repeat(node)
            case Alternatives() | Or() | Both():
                parts = [self.find(item) for item in node.items]
                is_both = isinstance(node, Both)
                return _in_all(parts) if is_both else concatenate(parts).distinct()
            case Near():
                return self.find(self._costs.near(node))
            case Element():
                return self._elements(node, np.arange(self._first_document, self._last_document))
            case Position():
                return self._find_position(node)
            case Look():
                return self._find_look(node)
            case Capture():
                return self._captured(node, self.find(node.item))
            case Constrained():
                items = self.find(node.item)
                return items.take(self._meets(node, items))
        raise InputError(
            f"wanted words, got {type(node).__name__.lower()} inside of a pattern of words."
        )

    def extend(
        self, node: Node, documents: Positions, edges: Positions, *, forward: bool
    ) -> Extension:
        """Return the matches of a node that begin (or end) at places. Raises InputError."""
        match node:
            case Word() | Wildcard():
                return self._extend_word(node, documents, edges, forward)
            case Sequence():
                return self._extend_sequence(node.items, documents, edges, forward)
            case Repeat():
                return self._extend_repeat(node, documents, edges, forward)
            case Alternatives() | Or():
                parts = [
                    self.extend(item, documents, edges, forward=forward) for item in node.items
                ]
                return _join_extensions(parts).distinct()
            case Near():
                near = self._costs.near(node)
                return self.extend(near, documents, edges, forward=forward)
            case Look():
                return self._extend_look(node, documents, edges)
            case Capture() | Constrained() | Position():
                return self._extend_checked(node, documents, edges, forward)
            case _:
                found = self._found_near(node, documents)
                return self._join(found, documents, edges, (0, 0), forward)

    # --- finding ---

    def _term(self, node: Term) -> Matches:
        documents = np.arange(self._first_document, self._last_document)
        return self._costs.term_matches(node, documents)

    @cached_property
    def _places(self) -> Matches:
        """All places of documents with words, as stretches without a word."""
        offsets = self._segment.array("word_offsets")
        documents = np.arange(self._first_document, self._last_document)
        counts = offsets[documents + 1] - offsets[documents]
        documents, counts = documents[counts > 0], counts[counts > 0]
        places = ranges(offsets[documents], counts + 1)
        return Matches(np.repeat(documents, counts + 1), places, places)

    def _find_sequence(self, node: Sequence) -> Matches:
        start = self._costs.rarest(node.items)
        found = self.find(node.items[start])
        if start:
            before = node.items[:start]
            left = self._extend_sequence(before, found.documents, found.firsts, False)
            kept = take_captures(found.captures, left.indexes)
            found = Matches(
                found.documents[left.indexes],
                left.edges,
                found.lasts[left.indexes],
                merge_captures(kept, left.captures),
            )
        if start + 1 < len(node.items):
            after = node.items[start + 1 :]
            right = self._extend_sequence(after, found.documents, found.lasts, True)
            kept = take_captures(found.captures, right.indexes)
            found = Matches(
                found.documents[right.indexes],
                found.firsts[right.indexes],
                right.edges,
                merge_captures(right.captures, kept),
            )
        # equal matches with equal captures do no harm: the search removes them once, at its end
        return found if found.captures else found.distinct()

    def _find_repeat(self, node: Repeat) -> Matches:
        if not node.least or gap_of(node) is not None:
            places = self._places
            found = self._extend_repeat(node, places.documents, places.firsts, True)
            documents = places.documents[found.indexes]
            return Matches(
                documents, places.firsts[found.indexes], found.edges, found.captures
            ).distinct()
        once = self.find(node.item)
        rest = Repeat(node.item, node.least - 1, node.most - 1)
        more = self._extend_repeat(rest, once.documents, once.lasts, True)
        kept = take_captures(once.captures, more.indexes)
        return Matches(
            once.documents[more.indexes],
            once.firsts[more.indexes],
            more.edges,
            merge_captures(more.captures, kept),
        ).distinct()

    def _elements(self, node: Element, documents: Positions) -> Matches:
        """Return the posts or sentences of rising documents; those without words have none."""
        offsets = self._segment.array("word_offsets")
        lows, highs = offsets[documents], offsets[documents + 1]
        documents, lows, highs = (values[highs > lows] for values in (documents, lows, highs))
        if node.name == "post":
            return Matches(documents, lows, highs)
        if not len(documents):
            return no_matches()
        sentences = self._segment.array("sentences")
        first = np.searchsorted(sentences, lows.astype(np.uint32), "left")
        counts = np.searchsorted(sentences, highs.astype(np.uint32), "left") - first
        starts = sentences[ranges(first, counts)].astype(np.int64)
        ends = np.append(starts[1:], 0)
        # the last sentence of a document ends with it
        ends[np.cumsum(counts) - 1] = highs
        return Matches(np.repeat(documents, counts), starts, ends)

    def _find_position(self, node: Position) -> Matches:
        if isinstance(node.item, Element) and not node.is_negated:
            others = self.find(node.other)
            items = self._elements(node.item, np.unique(others.documents))
            return items.take(related(items, node.relation, others))
        items = self.find(node.item)
        return items.take(self._is_related(node, items))

    def _find_look(self, node: Look) -> Matches:
        places = self._places
        found = self.find(node.item)
        stands = np.zeros(len(places), np.bool_)
        edges = found.firsts if node.direction == "ahead" else found.lasts
        keys = places.firsts + places.documents
        stands[np.searchsorted(keys, edges + found.documents)] = True
        return places.take(stands != node.is_negated)

    # --- checking ---

    def _captured(self, node: Capture, matches: Matches) -> Matches:
        if node.name not in self._costs.names:
            return matches
        own = {node.name: (matches.firsts, matches.lasts)}
        captures = merge_captures(own, matches.captures)
        return Matches(matches.documents, matches.firsts, matches.lasts, captures)

    def _meets(self, node: Constrained, matches: Matches) -> Mask:
        names = self._costs.names.difference(matches.captures)
        absent = np.full(len(matches) if names else 0, ABSENT, np.int64)
        missing = dict.fromkeys(names, (absent, absent))
        complete = Matches(
            matches.documents,
            matches.firsts,
            matches.lasts,
            merge_captures(matches.captures, missing),
        )
        test = ConstraintTest(self._segment, self._costs.masks)
        return test.test(node.constraint, complete)

    def _is_related(self, node: Position, matches: Matches) -> Mask:
        if isinstance(node.other, Element) and node.relation == "within":
            return np.asarray(self._is_within(node.other, matches) != node.is_negated)
        if isinstance(node.other, Element):
            others = self._elements(node.other, np.unique(matches.documents))
        else:
            others = self.find(node.other)
        return np.asarray(related(matches, node.relation, others) != node.is_negated)

    def _is_within(self, element: Element, matches: Matches) -> Mask:
        """Return which stretches are within one sentence, or one post."""
        if element.name == "post":
            return np.ones(len(matches), np.bool_)
        sentences = self._segment.array("sentences")
        following = np.searchsorted(sentences, matches.firsts.astype(np.uint32), "right")
        ends = sentences[np.minimum(following, len(sentences) - 1)] if len(sentences) else 0
        is_last = following == len(sentences)
        # a sentence ends with its post, and stretches never leave theirs
        is_inside = is_last | (matches.lasts <= ends) | (matches.lasts == matches.firsts)
        return np.asarray(is_inside, np.bool_)

    def _extend_checked(
        self,
        node: Capture | Constrained | Position,
        documents: Positions,
        edges: Positions,
        forward: bool,
    ) -> Extension:
        found = self.extend(node.item, documents, edges, forward=forward)
        near, far = edges[found.indexes], found.edges
        firsts, lasts = (near, far) if forward else (far, near)
        matches = Matches(documents[found.indexes], firsts, lasts, found.captures)
        if isinstance(node, Capture):
            captures = self._captured(node, matches).captures
            return Extension(found.indexes, found.edges, captures)
        if isinstance(node, Constrained):
            return found.take(self._meets(node, matches))
        return found.take(self._is_related(node, matches))

    # --- extending ---

    def _edges(self, documents: Positions, forward: bool) -> Positions:
        """Return the last place, or the first, of each document."""
        bounds: Positions = self._segment.array("word_offsets")[documents + int(forward)]
        return bounds

    def _extend_word(
        self, node: Word | Wildcard, documents: Positions, edges: Positions, forward: bool
    ) -> Extension:
        bounds = self._edges(documents, forward)
        indexes = np.flatnonzero(edges < bounds if forward else edges > bounds)
        ends = edges[indexes] + (1 if forward else -1)
        if not (isinstance(node, Word) and node.condition is None):
            matches = self._costs.test(node).test(ends - 1 if forward else ends)
            indexes, ends = indexes[matches], ends[matches]
        return Extension(indexes, ends, {})

    def _extend_gap(
        self, gap: tuple[int, int], documents: Positions, edges: Positions, forward: bool
    ) -> Extension:
        bounds = self._edges(documents, forward)
        room = bounds - edges if forward else edges - bounds
        counts = np.maximum(np.minimum(room, gap[1]) - gap[0] + 1, 0)
        indexes = np.repeat(np.arange(len(edges)), counts)
        steps = ranges(np.full(len(edges), gap[0]), counts)
        ends = edges[indexes] + (steps if forward else -steps)
        return Extension(indexes, ends, {})

    def _extend_sequence(
        self, items: Items[Node], documents: Positions, edges: Positions, forward: bool
    ) -> Extension:
        result = Extension(np.arange(len(edges)), edges, {})
        gap = (0, 0)
        for item in items if forward else reversed(items):
            own = gap_of(item)
            if own is not None:
                gap = (gap[0] + own[0], gap[1] + own[1])
                continue
            step = self._step(item, documents[result.indexes], result.edges, gap, forward)
            result = result.then(step, forward=forward)
            gap = (0, 0)
        if gap != (0, 0):
            step = self._extend_gap(gap, documents[result.indexes], result.edges, forward)
            result = result.then(step, forward=forward)
        return result

    def _step(
        self,
        item: Node,
        documents: Positions,
        edges: Positions,
        gap: tuple[int, int],
        forward: bool,
    ) -> Extension:
        """Extend over a gap and an item, by the way that looks at fewer places."""
        if gap == (0, 0):
            return self.extend(item, documents, edges, forward=forward)
        places = len(edges) * (gap[1] - gap[0] + 1)
        if not isinstance(item, Look) and self._costs.cost(item) < places:
            found = self._found_near(item, documents)
            return self._join(found, documents, edges, gap, forward)
        over = self._extend_gap(gap, documents, edges, forward)
        after = self.extend(item, documents[over.indexes], over.edges, forward=forward)
        result = over.then(after, forward=forward)
        return result if _is_one_word(item) else result.distinct()

    def _found_near(self, node: Node, documents: Positions) -> Matches:
        """Return the matches of a node in some documents at least."""
        if node in self._found:
            return self._found[node]
        match node:
            case Term():
                return self._costs.term_matches(node, documents)
            case Element():
                return self._elements(node, np.unique(documents))
            case Or() | Alternatives():
                parts = [self._found_near(item, documents) for item in node.items]
                return concatenate(parts).distinct()
        return self.find(node)

    def _join(
        self,
        matches: Matches,
        documents: Positions,
        edges: Positions,
        gap: tuple[int, int],
        forward: bool,
    ) -> Extension:
        """Return the matches that begin (or end) a gap after (or before) places."""
        if forward:
            near, far = matches.firsts + matches.documents, matches.lasts
        else:
            near, far = matches.lasts + matches.documents, matches.firsts
        order = np.argsort(near, kind="stable")
        near = near[order]
        bounds = self._edges(documents, forward)
        if forward:
            low = edges + gap[0]
            high = np.minimum(edges + gap[1], bounds)
        else:
            low = np.maximum(edges - gap[1], bounds)
            high = edges - gap[0]
        first = np.searchsorted(near, low + documents, "left")
        last = np.searchsorted(near, high + documents, "right")
        counts = np.where(low <= high, np.maximum(last - first, 0), 0)
        chosen = order[ranges(first, counts)]
        indexes = np.repeat(np.arange(len(edges)), counts)
        return Extension(indexes, far[chosen], take_captures(matches.captures, chosen)).distinct()

    def _extend_repeat(
        self, node: Repeat, documents: Positions, edges: Positions, forward: bool
    ) -> Extension:
        gap = gap_of(node)
        if gap is not None:
            return self._extend_gap(gap, documents, edges, forward)
        level = Extension(np.arange(len(edges)), edges, {})
        levels = [] if node.least else [level]
        for number in range(1, node.most + 1):
            step = self.extend(node.item, documents[level.indexes], level.edges, forward=forward)
            level = level.then(step, forward=forward).distinct()
            if not len(level.edges):
                break
            if number >= node.least:
                levels.append(level)
        return _join_extensions(levels).distinct()

    def _extend_look(self, node: Look, documents: Positions, edges: Positions) -> Extension:
        ahead = node.direction == "ahead"
        found = self.extend(node.item, documents, edges, forward=ahead)
        stands = np.zeros(len(edges), np.bool_)
        stands[found.indexes] = True
        indexes = np.flatnonzero(stands != node.is_negated)
        return Extension(indexes, edges[indexes], {})
