"""Random samples of whole posts, the same on every machine."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from corpora.answers.answer import Answer
from corpora.answers.cells import hit_counts
from corpora.answers.concordance import LineQueries
from corpora.answers.metadata import ShownFields
from corpora.answers.random_choice import choose, id_keys, random_keys
from corpora.search.hits import SegmentHits
from corpora.search.order import Order, post_order
from corpora.search.view import CorpusView
from folate.core.errors import InputError

SHOWN_FIELDS = ("source", "day")
"""Metadata that are always shown."""

DEFINITIONS = {
    "id": "id of the post",
    "source": "metadata: source",
    "day": "metadata: day",
    "hits": "places where the query matches in the post",
    "text": "title, line break and text, without markup of the site",
    "query": "a query that finds the post",
    "version": "version of the corpus",
}


def sample_posts(
    view: CorpusView, query: str, count: int, seed: int = 0, show: Sequence[str] = ()
) -> Answer:
    """Return `count` random posts of a query, by moment of publication. Raises InputError.

    A post is chosen by a hash of the seed and its id, so that a larger sample contains a smaller
    one of the same seed, and posts that are added later replace few.
    """
    if count < 1:
        raise InputError(f"wanted a sample of at least 1 post, got {count}.")
    shown = ShownFields(view, [*SHOWN_FIELDS, *show])
    parsed = view.parse(query)
    result = view.search(parsed)
    chosen = _choose_posts(result.segments, post_order(result), count, seed)
    queries = LineQueries(parsed)
    rows: list[dict[str, Any]] = [{}] * len(chosen)
    for number, places, indexes in chosen.runs():
        part = _rows(result.segments[number], indexes, shown, queries, view.version)
        for place, row in zip(places.tolist(), part, strict=True):
            rows[place] = row
    definitions = {name: f"metadata: {name}" for name in shown.names}
    return Answer(
        name="sample",
        query=query,
        canonical=parsed.canonical,
        version=view.version,
        rows=rows,
        definitions=_ordered(definitions),
        notes=(*result.notes, f"{len(rows):,} of {result.post_count:,} posts, seed {seed}"),
    )


def _choose_posts(segments: Sequence[SegmentHits], order: Order, count: int, seed: int) -> Order:
    keys = np.zeros(len(order), np.uint64)
    for number, places, indexes in order.runs():
        hits = segments[number]
        keys[places] = random_keys(seed, id_keys(hits.segment, hits.documents[indexes]))
    chosen = choose(keys, count)
    return Order(order.segments[chosen], order.indexes[chosen])


def _rows(
    hits: SegmentHits,
    indexes: Any,
    shown: ShownFields,
    queries: LineQueries,
    version: str,
) -> list[dict[str, Any]]:
    documents = hits.documents[indexes]
    ids = hits.segment.ids(documents)
    offsets = hits.segment.array("char_offsets")
    texts = hits.segment.texts(offsets[documents], offsets[documents + 1] - 1)
    columns = shown.of_documents(hits.segment, documents, ids)
    counts = hit_counts(hits)[indexes].tolist()
    row_queries = queries.of_posts(ids)
    rows = []
    for place, post_id in enumerate(ids):
        row: dict[str, Any] = {"id": post_id}
        for name, column in zip(shown.names, columns, strict=True):
            row[name] = column[place]
        row |= {"hits": counts[place], "text": texts[place]}
        row |= {"query": row_queries[place], "version": version}
        rows.append(row)
    return rows


def _ordered(shown: dict[str, str]) -> dict[str, str]:
    """Return the definitions in the order of the columns."""
    first = {"id": DEFINITIONS["id"]} | shown
    return first | {name: DEFINITIONS[name] for name in DEFINITIONS if name not in first}
