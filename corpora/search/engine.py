"""The search: posts that a query selects and the hits in them, segment by segment."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.index.layout import HAS_TAGS, HAS_WORDS
from corpora.index.lexicon import Lexicon
from corpora.index.segment import Positions, Segment
from corpora.query.syntax import (
    And,
    Filter,
    Node,
    Not,
    Or,
    Term,
    Wildcard,
    WordCondition,
    WordMatch,
    WordNot,
)
from corpora.query.syntax import Word as WordNode
from corpora.search.conditions import LexiconMasks
from corpora.search.costs import NodeCosts, children, constrained_names
from corpora.search.hits import SearchResult, SegmentHits, Spans, Unit, words_touched
from corpora.search.lookup import distinct_documents, documents_of
from corpora.search.matcher import SpanMatcher
from corpora.search.metadata import documents_admitted
from corpora.search.metadata_notes import metadata_notes
from corpora.search.spans import Mask, distinct_rows
from folate.core.errors import InputError

BLOCK_MATCHES = 250_000
"""Matches that a block of documents may have at once, roughly: arrays that stay in the cache."""

MAX_HITS = 100_000_000
"""Hits of a query, at most: their positions are held in memory."""

NO_POSTS = ("the corpus has no posts yet: run 'folate import' or 'folate crawl'",)
"""The notes of an answer from an empty corpus."""


@dataclass(frozen=True)
class _Found:
    """Hits of one part of a query in a segment, in words or in characters, in order."""

    # of each document in the positions of the spans
    bounds: npt.NDArray[Any]
    spans: Spans
    in_words: bool

    def post_mask(self) -> Mask:
        """Return for each document whether it has hits."""
        mask = np.zeros(len(self.bounds) - 1, np.bool_)
        mask[distinct_documents(self.bounds, self.spans[0])] = True
        return mask

    def within(self, mask: Mask) -> "_Found":
        """Return the hits in some documents."""
        keep = mask[documents_of(self.bounds, self.spans[0])]
        if keep.all():
            return self
        first, last = self.spans
        return _Found(self.bounds, (first[keep], last[keep]), self.in_words)


def search_segments(segments: Sequence[Segment], lexicon: Lexicon, tree: Node) -> SearchResult:
    """Return the hits of a tree in all segments. Raises InputError."""
    masks = LexiconMasks(lexicon)
    unit = unit_of(tree)
    searches = [SegmentSearch(segment, masks, tree, unit) for segment in segments]
    hits = []
    total = 0
    for search in searches:
        hits.append(search.hits())
        total += hits[-1].hit_count
        _check_count(total)
    return SearchResult(
        segments=hits,
        unit=unit,
        size=sum(search.size for search in searches),
        searched_posts=sum(search.searched_posts for search in searches),
        posts_without_words=sum(search.count_without(HAS_WORDS) for search in searches),
        notes=(*_notes(searches, tree), *metadata_notes(segments, tree)) if segments else NO_POSTS,
    )


def unit_of(tree: Node) -> Unit:
    """Return what the length of the hits of a tree is counted in."""
    if isinstance(tree, Filter | Not):
        return "post"
    if isinstance(tree, Term):
        return "character"
    if isinstance(tree, And | Or):
        units = {unit_of(item) for item in tree.items}
        ranked: tuple[Unit, ...] = ("word", "character", "post")
        return next((unit for unit in ranked if unit in units), "post")
    return "word"


def _notes(searches: list["SegmentSearch"], tree: Node) -> tuple[str, ...]:
    searched = sum(search.searched_posts for search in searches)
    notes = []
    if _needs_words(tree):
        missing = sum(search.count_without(HAS_WORDS) for search in searches)
        if missing:
            notes.append(
                f"{missing:,} of {searched:,} posts have no words yet: run 'folate annotate'"
            )
    if _needs_tags(tree):
        missing = sum(search.count_without(HAS_TAGS) for search in searches)
        if missing:
            notes.append(
                f"{missing:,} of {searched:,} posts have no lemmas and parts of speech yet: "
                "run 'folate annotate --tags'"
            )
    return tuple(notes)


def _needs_words(node: Node) -> bool:
    if isinstance(node, And | Or | Not):
        return any(map(_needs_words, children(node)))
    return not isinstance(node, Filter | Term)


def _needs_tags(node: Node) -> bool:
    if isinstance(node, WordNode):
        return node.condition is not None and _condition_needs_tags(node.condition)
    return any(map(_needs_tags, children(node)))


def _condition_needs_tags(condition: WordCondition) -> bool:
    if isinstance(condition, WordMatch):
        return condition.attribute != "word"
    if isinstance(condition, WordNot):
        return _condition_needs_tags(condition.item)
    return any(map(_condition_needs_tags, condition.items))


class SegmentSearch:
    """The search for a tree in one segment."""

    def __init__(self, segment: Segment, masks: LexiconMasks, tree: Node, unit: Unit) -> None:
        self._segment = segment
        self._tree = tree
        self._unit: Unit = unit
        self._costs = NodeCosts(segment, masks, constrained_names(tree))

    # --- what was searched ---

    @cached_property
    def _searched(self) -> Mask | None:
        """The live posts that the metadata of the query admit; None for all live posts."""
        admitted = self._admitted(self._tree)
        live = self._segment.live
        return admitted if admitted is None or live is None else admitted & live

    @cached_property
    def searched_posts(self) -> int:
        """The number of posts that were searched."""
        if self._searched is None:
            return self._segment.live_counts.posts
        return int(np.count_nonzero(self._searched))

    @property
    def size(self) -> int:
        """The words, characters or posts that were searched."""
        if self._unit == "post":
            return self.searched_posts
        if self._searched is None:
            counts = self._segment.live_counts
            return counts.words if self._unit == "word" else counts.characters
        name = "word_offsets" if self._unit == "word" else "char_offsets"
        offsets = self._segment.array(name)
        separators = 0 if self._unit == "word" else self.searched_posts
        return int(np.diff(offsets)[self._searched].sum()) - separators

    def count_without(self, state: int) -> int:
        """Return how many of the searched posts lack HAS_WORDS or HAS_TAGS."""
        if self._searched is None:
            counts = self._segment.live_counts
            return counts.posts - (counts.with_words if state == HAS_WORDS else counts.with_tags)
        has = self._segment.has_words if state == HAS_WORDS else self._segment.has_tags
        return self.searched_posts - int(np.count_nonzero(has & self._searched))

    def _admitted(self, node: Node) -> Mask | None:
        """Return the posts that metadata admit for matches of a node; None for all."""
        if isinstance(node, Filter):
            return documents_admitted(self._segment, node)
        if isinstance(node, Not):
            inner = self._admitted(node.item) if _is_metadata(node.item) else None
            return None if inner is None else ~inner
        if isinstance(node, And | Or):
            masks = [self._admitted(item) for item in node.items]
            known = [mask for mask in masks if mask is not None]
            if isinstance(node, And):
                return np.logical_and.reduce(known) if known else None
            return np.logical_or.reduce(known) if len(known) == len(masks) else None
        return None

    # --- hits ---

    def hits(self) -> SegmentHits:
        """Return the matching posts and the hits in them. Raises InputError."""
        mask, found = self._select(self._tree)
        if self._segment.live is not None:
            mask = mask & self._segment.live
            found = [part.within(mask) for part in found]
        documents = np.flatnonzero(mask)
        if self._unit == "post":
            return self._whole_posts(documents)
        if len(found) == 1:
            return self._segment_hits(documents, found[0])
        return self._joined(documents, found)

    def _whole_posts(self, documents: Positions) -> SegmentHits:
        chars = self._segment.array("char_offsets")
        words = self._segment.array("word_offsets")
        return SegmentHits(
            self._segment,
            documents,
            characters=(chars[documents], chars[documents + 1] - 1),
            words=(words[documents], words[documents + 1]),
            # posts without words have the word positions of another
            hit_documents=documents,
        )

    def _segment_hits(self, documents: Positions, found: _Found) -> SegmentHits:
        if found.in_words:
            return SegmentHits(self._segment, documents, words=found.spans)
        return SegmentHits(self._segment, documents, characters=found.spans)

    def _joined(self, documents: Positions, found: list[_Found]) -> SegmentHits:
        """Return the distinct hits of several parts."""
        if not found:
            empty = np.empty(0, np.int64)
            return SegmentHits(self._segment, documents, characters=(empty, empty))
        parts = [self._segment_hits(documents, part) for part in found]
        hit_documents = np.concatenate([part.hit_documents for part in parts])
        starts = np.concatenate([part.starts for part in parts])
        ends = np.concatenate([part.ends for part in parts])
        order = distinct_rows([starts, ends])
        hit_documents, starts, ends = hit_documents[order], starts[order], ends[order]
        words = words_touched(self._segment, hit_documents, starts, ends)
        return SegmentHits(
            self._segment,
            documents,
            characters=(starts, ends),
            words=words,
            hit_documents=hit_documents,
        )

    def _select(self, node: Node) -> tuple[Mask, list[_Found]]:
        """Return the posts that a node selects, and its hits by part."""
        if isinstance(node, Filter):
            return documents_admitted(self._segment, node), []
        if isinstance(node, Not):
            mask, _ = self._select(node.item)
            return ~mask, []
        if isinstance(node, And):
            return self._select_all(node)
        if isinstance(node, Or):
            selected = [self._select(item) for item in node.items]
            mask = np.logical_or.reduce([mask for mask, _ in selected])
            return mask, [part for _, parts in selected for part in parts]
        found = self._find_term(node) if isinstance(node, Term) else self._find_words(node)
        return found.post_mask(), [found]

    def _select_all(self, node: And) -> tuple[Mask, list[_Found]]:
        mask = np.ones(self._segment.document_count, np.bool_)
        found: list[_Found] = []
        # metadata first: where no post is left, texts need not be read
        for item in sorted(node.items, key=lambda item: not _is_metadata(item)):
            if not mask.any():
                break
            item_mask, parts = self._select(item)
            mask &= item_mask
            found += parts
        return mask, [part.within(mask) for part in found]

    def _find_term(self, node: Term) -> _Found:
        spans = self._costs.term(node).find()
        return _Found(self._segment.array("char_offsets"), spans, in_words=False)

    def _find_words(self, node: Node) -> _Found:
        firsts = []
        lasts = []
        total = 0
        for low, high in self._blocks(node):
            first, last = self._find_in_block(node, low, high)
            firsts.append(first)
            lasts.append(last)
            total += len(first)
            _check_count(total)
        spans = (np.concatenate(firsts), np.concatenate(lasts))
        return _Found(self._segment.array("word_offsets"), spans, in_words=True)

    def _find_in_block(self, node: Node, low: int, high: int) -> Spans:
        """Return the hits in the documents from `low` to before `high`."""
        if isinstance(node, WordNode | Wildcard):
            offsets = self._segment.array("word_offsets")
            positions = self._costs.test(node).find(int(offsets[low]), int(offsets[high]))
            first = positions.astype(np.uint32)
            return first, first + np.uint32(1)
        matches = SpanMatcher(self._segment, self._costs, low, high).find(node)
        if matches.captures:
            matches = matches.without_captures()
        has_words = matches.lasts > matches.firsts
        if not has_words.all():
            matches = matches.take(has_words)
        return matches.firsts.astype(np.uint32), matches.lasts.astype(np.uint32)

    def _blocks(self, node: Node) -> list[tuple[int, int]]:
        """Return blocks of documents, from the first to before the last of each."""
        count = self._segment.document_count
        blocks = min(-(-self._costs.work(node) // BLOCK_MATCHES), count)
        if blocks <= 1:
            return [(0, count)]
        offsets = self._segment.array("word_offsets")
        words = np.linspace(0, int(offsets[-1]), blocks + 1)[1:-1]
        cuts = np.unique(np.searchsorted(offsets, words.astype(np.int64))).tolist()
        bounds = [0, *[cut for cut in cuts if 0 < cut < count], count]
        return list(itertools.pairwise(bounds))


def _is_metadata(node: Node) -> bool:
    """Return whether a node selects posts by metadata only."""
    if isinstance(node, And | Or | Not):
        return all(map(_is_metadata, children(node)))
    return isinstance(node, Filter)


def _check_count(hits: int) -> None:
    if hits > MAX_HITS:
        raise InputError(
            f"wanted at most {MAX_HITS:,} hits of a query, got more; possible: a query with "
            "fewer repetitions of any word, or a condition such as week:2026-W10."
        )
