"""Dispersion: how evenly hits, or words, are spread over authors, sources or weeks."""

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from corpora.answers.answer import Answer
from corpora.answers.parts import PartKind, Parts, part_hits, part_sizes, parts_of
from corpora.answers.ranking import best_first, rounded
from corpora.answers.row_queries import both_nodes, word_node
from corpora.answers.searched import searched_posts
from corpora.answers.words import (
    SegmentPosts,
    WordForm,
    all_posts,
    annotated_posts,
    count_distinct,
    count_occurrences,
    find_words,
    first_of_pair,
    pair_keys,
    posts_by_segment,
    second_of_pair,
    word_frequencies,
)
from corpora.query.canonical import canonical
from corpora.query.syntax import Node
from corpora.search.view import CorpusView
from folate.core.text import printable_text
from nlp.stats.dispersion import deviation_of_proportions, sparse_deviations

ALL_KINDS: tuple[PartKind, ...] = get_args(PartKind)

_DISPERSION_DEFINITIONS = {
    "parts": "authors, sources or weeks that have posts",
    "range": "how many of them have any occurrence",
    "dp": "Gries' DP: half the sum of |share of occurrences - share of size| over all parts; "
    "0 is even",
    "dp_norm": "DP / (1 - smallest share of size), from 0, even, to 1, all in the smallest part",
}
DEFINITIONS = {
    "over": "what the parts are",
    "frequency": "hits of the query",
    **_DISPERSION_DEFINITIONS,
    "posts": "posts that match",
    "authors": "authors of these posts",
    "query": "selects these posts",
    "version": "of the corpus",
}
WORD_DEFINITIONS = {
    "word": "a word, or a lemma",
    "frequency": "its occurrences in the posts",
    **_DISPERSION_DEFINITIONS,
    "posts": "posts with it",
    "authors": "authors of these posts",
    "query": "selects these posts",
    "version": "of the corpus",
}


def dispersion(view: CorpusView, query: str, *, over: Sequence[PartKind] = ALL_KINDS) -> Answer:
    """Return how evenly the hits of a query are spread, one row for each kind of parts.

    The size of a part is that of its searched posts, in the unit of the hits. Raises InputError.
    """
    parsed = view.parse(query)
    result = view.search(parsed)
    posts = searched_posts(view, parsed)
    authors = len(result.authors())
    rows: list[dict[str, Any]] = []
    for kind in over:
        parts = parts_of(posts, kind)
        sizes = part_sizes(parts, posts, result.unit)
        found = deviation_of_proportions(part_hits(parts, result.segments), sizes)
        rows.append(
            {
                "over": kind,
                "frequency": result.hit_count,
                "parts": int(np.count_nonzero(sizes)),
                "range": found.range,
                "dp": None if found.deviation is None else rounded(found.deviation),
                "dp_norm": None if found.normalised is None else rounded(found.normalised),
                "posts": result.post_count,
                "authors": authors,
                "query": parsed.canonical,
                "version": view.version,
            }
        )
    return Answer(
        "dispersion", query, parsed.canonical, view.version, rows, DEFINITIONS, result.notes
    )


def word_dispersion(
    view: CorpusView,
    query: str | None = None,
    *,
    over: PartKind = "authors",
    form: WordForm = "word",
    limit: int = 50,
) -> Answer:
    """Return how evenly the most frequent words of the posts of a query, or of all, are spread.

    `limit` is the number of words, 0 for all. Raises InputError.
    """
    parsed = None if query is None else view.parse(query)
    result = None if parsed is None else view.search(parsed)
    found = all_posts(view) if result is None else posts_by_segment(view, result)
    posts, missing = annotated_posts(found, form)
    size = len(view.lexicon)
    frequencies = np.zeros(size, np.int64)
    for part in posts:
        frequencies += word_frequencies(part, form, size)
    ids = np.flatnonzero(frequencies)
    best = best_first(frequencies[ids], limit, lambda indexes: view.lexicon.strings(ids[indexes]))
    tree = None if parsed is None else parsed.tree
    rows = _word_rows(view, tree, posts, parts_of(posts, over), ids[best], form)
    return Answer(
        "dispersion",
        query or "",
        "" if parsed is None else parsed.canonical,
        view.version,
        rows,
        WORD_DEFINITIONS,
        (*(() if result is None else result.notes), *missing),
    )


def _word_rows(
    view: CorpusView,
    tree: Node | None,
    posts: Sequence[SegmentPosts],
    parts: Parts,
    ids: npt.NDArray[np.int64],
    form: WordForm,
) -> list[dict[str, Any]]:
    found = [find_words(part, ids, form, len(view.lexicon)) for part in posts]
    counts = count_occurrences(found, len(ids))
    sizes = part_sizes(parts, posts, "word")
    keys = [np.empty(0, np.uint64)]
    for part, numbers in zip(found, parts.numbers, strict=True):
        keys.append(pair_keys(part.numbers, numbers[part.documents]))
    pairs, in_part = count_distinct(np.concatenate(keys))
    deviations, ranges = sparse_deviations(
        first_of_pair(pairs), second_of_pair(pairs), in_part, sizes, len(ids)
    )
    used = sizes[sizes > 0]
    room = 1 - used.min() / used.sum() if len(used) > 1 else np.nan
    rows = []
    for place, word in enumerate(view.lexicon.strings(ids)):
        rows.append(
            {
                "word": printable_text(word),
                "frequency": int(counts.occurrences[place]),
                "parts": len(used),
                "range": int(ranges[place]),
                "dp": rounded(deviations[place]),
                "dp_norm": rounded(deviations[place] / room),
                "posts": int(counts.posts[place]),
                "authors": int(counts.authors[place]),
                "query": canonical(both_nodes(tree, word_node(word, form))),
                "version": view.version,
            }
        )
    return rows
