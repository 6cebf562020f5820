"""Counts of queries: posts, hits and authors, in all and by metadata."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from corpora.answers.answer import Answer
from corpora.answers.cells import Grid, authors_by_cell, cell_sums, matching_posts, unit_sizes
from corpora.answers.metadata import GROUPED_FIELDS, require_fields
from corpora.answers.row_queries import both_nodes
from corpora.answers.searched import searched_posts
from corpora.query.canonical import canonical
from corpora.query.syntax import Filter, Query
from corpora.search.hits import SearchResult
from corpora.search.view import CorpusView
from folate.core.errors import InputError
from folate.core.text import join_names

DEFINITIONS = {
    "query": "a query that finds the posts that are counted",
    "posts": "posts that match",
    "hits": "places where the query matches; overlapping ones all count",
    "authors": "authors of these posts; a post without an author counts as one of its own",
    "per_million": "hits per million units of `size`",
    "unit": "what size is counted in: word, character, or post",
    "size": "units of the posts that the metadata of the query admit",
    "version": "version of the corpus",
}

_MILLION = 1_000_000


def count_queries(view: CorpusView, queries: Sequence[str], by: Sequence[str] = ()) -> Answer:
    """Count the posts, hits and authors of queries, by metadata if wanted. Raises InputError."""
    if not queries:
        raise InputError("wanted at least one query to count, got none.")
    require_fields(by, GROUPED_FIELDS, "count by")
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    canonicals = []
    for text in queries:
        query = view.parse(text)
        result = view.search(query)
        canonicals.append(query.canonical)
        notes += result.notes
        if by:
            counted, without = _count_by(view, query, result, by)
            rows += counted
            notes += without
        else:
            rows.append(_total_row(view, query, result))
    units = list(dict.fromkeys(row["unit"] for row in rows))
    if len(units) > 1:
        notes.append(f"rates of different units can't be compared: per million {join_names(units)}")
    return Answer(
        name="count",
        query=" | ".join(queries),
        canonical=" | ".join(canonicals),
        version=view.version,
        rows=rows,
        definitions=_definitions(by),
        notes=tuple(dict.fromkeys(notes)),
    )


def per_million(hits: float, size: float) -> float | None:
    """Return hits per million units, None where there are none."""
    return round(hits * _MILLION / size, 3) if size else None


def _total_row(view: CorpusView, query: Query, result: SearchResult) -> dict[str, Any]:
    return {
        "query": query.canonical,
        "posts": result.post_count,
        "hits": result.hit_count,
        "authors": len(result.authors()),
        "per_million": per_million(result.hit_count, result.size),
        "unit": result.unit,
        "size": result.size,
        "version": view.version,
    }


def _count_by(
    view: CorpusView, query: Query, result: SearchResult, by: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a row for each combination of values that matching posts have, and notes."""
    grid = Grid(view, by)
    matching = matching_posts(grid, result)
    posts = np.bincount(matching.cells, minlength=grid.size)
    hits = np.bincount(matching.cells, matching.hits, minlength=grid.size).astype(np.int64)
    authors = authors_by_cell(matching.cells, matching.authors, grid.size)
    sizes = np.zeros(grid.size, np.int64)
    for segment, documents in searched_posts(view, query):
        values = unit_sizes(segment, documents, result.unit)
        sizes += cell_sums(grid, segment, documents, [values])[0]
    rows = []
    for cell in np.flatnonzero(posts).tolist():
        labels = grid.labels(cell)
        row: dict[str, Any] = dict(zip(by, labels, strict=True))
        row["asked"] = query.canonical
        row["posts"] = int(posts[cell])
        row["hits"] = int(hits[cell])
        row["authors"] = int(authors[cell])
        row["per_million"] = per_million(row["hits"], int(sizes[cell]))
        row["unit"] = result.unit
        row["size"] = int(sizes[cell])
        row["query"] = cell_query(query, by, labels)
        row["version"] = view.version
        rows.append(row)
    if not matching.without_cell:
        return rows, []
    note = f"{matching.without_cell:,} of {result.post_count:,} posts of {query.canonical} have no "
    return rows, [f"{note}{' or no '.join(by)} and are in no row"]


def cell_query(query: Query, fields: Sequence[str], labels: Sequence[str]) -> str:
    """Return the query that finds the posts of a query in a cell."""
    filters = [Filter(name, "=", label) for name, label in zip(fields, labels, strict=True)]
    return canonical(both_nodes(query.tree, *filters))


def _definitions(by: Sequence[str]) -> dict[str, str]:
    if not by:
        return DEFINITIONS
    names = ("posts", "hits", "authors", "per_million", "unit", "size", "query", "version")
    definitions = {name: f"metadata: {name}" for name in by}
    definitions["asked"] = "the query that was asked"
    definitions |= {name: DEFINITIONS[name] for name in names}
    definitions["size"] += " and that have these values"
    return definitions
