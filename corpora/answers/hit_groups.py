"""Hits grouped: by the word before or after them, by their own text, or by metadata."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest

import numpy as np
import numpy.typing as npt

from corpora.answers.answer import Answer
from corpora.answers.cells import Axis
from corpora.answers.metadata import GROUPED_FIELDS, FieldValues, require_fields
from corpora.answers.row_queries import both_nodes, near_node, word_node, words_node
from corpora.index.segment import Positions
from corpora.query.build import all_conditions, all_of, any_of
from corpora.query.canonical import canonical
from corpora.query.syntax import (
    And,
    Constrained,
    Filter,
    Near,
    Node,
    Not,
    Or,
    Position,
    Term,
    Wildcard,
    Word,
    WordMatch,
)
from corpora.search.forms import wildcard_expression, without_diacritics
from corpora.search.hits import SegmentHits, Unit
from corpora.search.view import CorpusView
from corpora.search.windows import words_around
from folate.core.errors import InputError
from nlp.text.normalize import normalize_text
from nlp.text.term_matcher import term_shape

GROUPS = ("left", "right", "hit", *GROUPED_FIELDS)
"""What hits can be grouped by."""

DEFINITIONS = {
    "value": "the word before (left) or after (right) the hit, its text folded, with one blank "
    "for the blanks and hyphens between words, or the metadata; missing where there is none",
    "hits": "hits of the group",
    "posts": "posts with such a hit",
    "share": "of all hits",
    "query": "a query that finds these posts; missing where there is no value",
    "version": "version of the corpus",
}

_NO_VALUE = -1


@dataclass(frozen=True)
class _SegmentGroups:
    """Hits of a segment and the value of each; of fields with several values, each of them."""

    hits: SegmentHits
    # numbers of hits, and the number of the value of each, _NO_VALUE for none
    places: Positions
    codes: npt.NDArray[np.int64]
    names: Sequence[str]


def grouped_hits(view: CorpusView, query: str, group: str, limit: int | None = None) -> Answer:
    """Return the groups of the hits of a query, the largest first. Raises InputError."""
    require_fields([group], GROUPS, "group by")
    parsed = view.parse(query)
    result = view.search(parsed)
    if result.unit == "post" and group in ("left", "right", "hit"):
        raise InputError(
            f"wanted a query with words to group by {group}, got one with metadata only."
        )
    parts = [_group(view, hits, group, result.unit) for hits in result.segments]
    counts = _count(parts)
    ordered = sorted(counts, key=lambda value: (-counts[value][0], value is None, value or ""))
    rows = []
    for value in ordered[:limit]:
        hit_count, post_count = counts[value]
        row_query = None
        if value is not None:
            row_query = canonical(_row_tree(parsed.tree, group, value, result.unit))
        rows.append(
            {
                "value": value,
                "hits": hit_count,
                "posts": post_count,
                "share": round(hit_count / result.hit_count, 6),
                "query": row_query,
                "version": view.version,
            }
        )
    summary = f"{len(rows):,} of {len(counts):,} groups of {result.hit_count:,} hits"
    return Answer(
        name="kwic",
        query=query,
        canonical=parsed.canonical,
        version=view.version,
        rows=rows,
        definitions=DEFINITIONS,
        notes=(*result.notes, summary),
    )


def _group(view: CorpusView, hits: SegmentHits, group: str, unit: Unit) -> _SegmentGroups:
    match group:
        case "left" | "right":
            return _group_by_neighbour(view, hits, group)
        case "hit":
            return _group_by_text(view, hits, unit)
        case _:
            return _group_by_field(Axis(view, group), hits)


def _group_by_neighbour(view: CorpusView, hits: SegmentHits, side: str) -> _SegmentGroups:
    is_left = side == "left"
    windows = words_around(hits, int(is_left), int(not is_left))
    places = np.arange(hits.hit_count)
    ids, codes = np.unique(windows.words[:, 0], return_inverse=True)
    codes[~windows.inside[:, 0]] = _NO_VALUE
    return _SegmentGroups(hits, places, codes, view.lexicon.strings(ids))


def _group_by_text(view: CorpusView, hits: SegmentHits, unit: Unit) -> _SegmentGroups:
    if unit == "word":
        texts = _words_of_hits(view, hits)
    else:
        folded = hits.segment.folded_texts(hits.starts, hits.ends)
        plain = {text: _without_gaps(text) for text in set(folded)}
        texts = [plain[text] for text in folded]
    names = sorted(set(texts))
    code_of_name = {name: code for code, name in enumerate(names)}
    codes = np.array([code_of_name[text] for text in texts], np.int64)
    return _SegmentGroups(hits, np.arange(len(texts)), codes, names)


def _words_of_hits(view: CorpusView, hits: SegmentHits) -> list[str]:
    """Return the words of each hit, separated by spaces."""
    words = hits.segment.array("words")
    texts_by_words: dict[tuple[int, ...], str] = {}
    texts = []
    spans = zip(hits.first_words.tolist(), hits.last_words.tolist(), strict=True)
    for first, last in spans:
        ids = words[first:last]
        key = tuple(ids.tolist())
        if key not in texts_by_words:
            texts_by_words[key] = " ".join(view.lexicon.strings(ids))
        texts.append(texts_by_words[key])
    return texts


def _group_by_field(axis: Axis, hits: SegmentHits) -> _SegmentGroups:
    values = axis.values(hits.segment, hits.documents)
    first_hits = np.searchsorted(hits.hit_documents, hits.documents, "left")
    hit_counts = np.searchsorted(hits.hit_documents, hits.documents, "right") - first_hits
    places, codes = _spread_to_hits(values, first_hits, hit_counts)
    has_value = np.zeros(hits.hit_count, bool)
    has_value[places] = True
    without = np.flatnonzero(~has_value)
    return _SegmentGroups(
        hits,
        np.concatenate([places, without]),
        np.concatenate([codes, np.full(len(without), _NO_VALUE)]),
        values.names,
    )


def _spread_to_hits(
    values: FieldValues, first_hits: Positions, hit_counts: Positions
) -> tuple[Positions, npt.NDArray[np.int64]]:
    """Return each value of a post once for each hit in it: numbers of hits, and of values."""
    counts = hit_counts[values.places]
    bounds = np.cumsum(counts) - counts
    within = np.arange(int(counts.sum())) - np.repeat(bounds, counts)
    return np.repeat(first_hits[values.places], counts) + within, np.repeat(values.codes, counts)


def _count(parts: Sequence[_SegmentGroups]) -> dict[str | None, tuple[int, int]]:
    """Return the hits and the posts of each value."""
    counts: dict[str | None, tuple[int, int]] = {}
    for part in parts:
        codes = part.codes + 1
        hit_counts = np.bincount(codes, minlength=len(part.names) + 1)
        pairs = codes * part.hits.segment.document_count + part.hits.hit_documents[part.places]
        pairs.sort()
        is_first = np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]
        of_posts = pairs[is_first] // part.hits.segment.document_count
        post_counts = np.bincount(of_posts, minlength=len(part.names) + 1)
        for code in np.flatnonzero(hit_counts).tolist():
            name = part.names[code - 1] if code else None
            hits, posts = counts.get(name, (0, 0))
            counts[name] = (hits + int(hit_counts[code]), posts + int(post_counts[code]))
    return counts


def _row_tree(tree: Node, group: str, value: str, unit: Unit) -> Node:
    """Return the tree that finds the posts of a group."""
    match group:
        case "left":
            return near_node(tree, word_node(value), before=1, after=0) or tree
        case "right":
            return near_node(tree, word_node(value), before=0, after=1) or tree
        case "hit" if unit == "word":
            words = words_node(tuple(value.split(" ")))
            return _with_equal_hit(tree, partial(_equal_words, words)) or tree
        case "hit":
            return _with_equal_hit(tree, partial(_equal_term, value)) or tree
        case _:
            return both_nodes(tree, Filter(group, "=", value))


def _with_equal_hit(node: Node, equal: Callable[[Node], Node | None]) -> Node | None:
    """Return the tree of posts of `node` with a hit as wanted; None if it has no such hits.

    `equal` returns it of a node that is a word, phrase or pattern.
    """
    match node:
        case And(items):
            equal_items = [_with_equal_hit(item, equal) for item in items]
            found = [item for item in equal_items if item is not None]
            if len(found) == 1:
                # an equal hit implies the hit
                pairs = zip(items, equal_items, strict=True)
                return all_of([item if other is None else other for item, other in pairs])
            return both_nodes(node, any_of(found)) if found else None
        case Or(items):
            equal_items = [_with_equal_hit(item, equal) for item in items]
            found = [item for item in equal_items if item is not None]
            return any_of(found) if found else None
        case Not() | Filter():
            return None
    return equal(node)


def _equal_words(words: Node, node: Node) -> Node | None:
    """Return the tree of posts of a pattern with a hit that is these words; None for no such."""
    match node:
        case Wildcard(pattern, flags):
            if not isinstance(words, Word) or words.condition is None:
                return None
            wildcard = WordMatch("word", wildcard_expression(pattern, flags), flags=flags)
            return Word(all_conditions([wildcard, words.condition]))
        case Term() | Near() | Constrained():
            # wherever these words are, they are a hit
            return both_nodes(node, words)
    return Position(Position(words, "within", node), "containing", node)


def _equal_term(value: str, node: Node) -> Node | None:
    """Return the term if a text, folded and without gaps, is a hit of it; None for another term."""
    if not isinstance(node, Term):
        return None
    if "no_diacritics" in node.flags:
        is_equal = _comparable(without_diacritics(value)) == _comparable(
            without_diacritics(node.text)
        )
        return Term(value, node.flags - {"no_diacritics"}) if is_equal else None
    return node if _comparable(node.text) == _comparable(value) else None


def _comparable(text: str) -> str:
    return _without_gaps(normalize_text(text))


def _without_gaps(text: str) -> str:
    """Return the folded text of a hit with its gaps as no query can tell them apart.

    >>> _without_gaps("folic-acid"), _without_gaps("folic  acid"), _without_gaps("叶 酸")
    ('folic acid', 'folic acid', '叶酸')
    """
    shape = term_shape(text)
    gaps = ["" if is_optional else " " for is_optional in shape.optional_gaps]
    return "".join(chain.from_iterable(zip_longest(shape.pieces, gaps, fillvalue="")))
