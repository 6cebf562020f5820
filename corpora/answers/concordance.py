"""Concordances: hits with the text around them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from corpora.answers.answer import Answer
from corpora.answers.context_order import context_order
from corpora.answers.hit_list import HitList, document_spans
from corpora.answers.metadata import ShownFields, Value, require_fields
from corpora.answers.random_choice import choose, id_keys, random_keys
from corpora.answers.row_queries import both_nodes
from corpora.index.segment import Positions
from corpora.query.canonical import canonical
from corpora.query.fields import FIELDS
from corpora.query.syntax import Filter, Query
from corpora.search.hits import SegmentHits
from corpora.search.view import CorpusView
from folate.core.errors import InputError

DEFAULT_CONTEXT = 40
"""Characters of context on each side."""
MAX_CONTEXT = 10_000

Row = Mapping[str, Any]

SORTS = ("date", "left", "right", "hit", "author", *(name for name in FIELDS if name != "author"))
"""What lines can be sorted by."""

# Lines that are read at once.
_BLOCK = 20_000
# Ids that stand in a query without quotation marks, most of them by far.
_PLAIN_IDS = re.compile(r"(?:(?:^| )[A-Za-z0-9_][A-Za-z0-9_:.-]*)*")
_PLACEHOLDER = "placeholder"

DEFINITIONS = {
    "id": "id of the post",
    "left": "text before the hit, without markup of the site; at most `context` characters",
    "hit": "the text that matches",
    "right": "text after the hit, likewise",
    "query": "a query that finds the post of the line",
    "version": "version of the corpus",
}


@dataclass(frozen=True)
class ConcordanceRequest:
    """What a concordance shows of the hits of a query."""

    context: int = DEFAULT_CONTEXT
    # one of SORTS
    sort: str = "date"
    # hits of a random sample, None for all
    sample: int | None = None
    seed: int = 0
    # most lines, None for all
    limit: int | None = None
    # names of metadata
    show: Sequence[str] = ()


def concordance(view: CorpusView, query: str, request: ConcordanceRequest) -> Answer:
    """Return the hits of a query with the text around them; lines are read when they are needed.

    Raises InputError.
    """
    _check(request)
    shown = ShownFields(view, request.show)
    parsed = view.parse(query)
    result = view.search(parsed)
    hits = chosen_hits(view, HitList.of_result(result), request)
    rows = ConcordanceRows(hits, shown, LineQueries(parsed), request.context, view.version)
    definitions = {name: f"metadata: {name}" for name in shown.names}
    total = f"{result.hit_count:,} hits in {result.post_count:,} posts"
    counted = total if len(hits) == result.hit_count else f"{len(hits):,} of {total}"
    return Answer(
        name="kwic",
        query=query,
        canonical=parsed.canonical,
        version=view.version,
        rows=rows,
        definitions=_in_order(DEFINITIONS, definitions),
        notes=(*result.notes, counted),
    )


def chosen_hits(view: CorpusView, hits: HitList, request: ConcordanceRequest) -> HitList:
    """Return the sampled hits, sorted, as many as are wanted."""
    if request.sample is not None:
        hits = sample_hits(hits, request.sample, request.seed)
    if request.sort != "date":
        hits = hits.take(_sorted(view, hits, request.sort))
    return hits if request.limit is None else hits.take(slice(request.limit))


def sample_hits(hits: HitList, count: int, seed: int) -> HitList:
    """Return a random sample of hits, in their order."""
    keys = hits.numbers(lambda part: _random_keys(part, seed))
    return hits.take(choose(keys, count))


class ConcordanceRows(Sequence[Row]):
    """The lines of a concordance, which are read from the index block by block."""

    def __init__(
        self,
        hits: HitList,
        shown: ShownFields,
        queries: "LineQueries",
        context: int,
        version: str,
    ) -> None:
        self.hits = hits
        self._shown = shown
        self._queries = queries
        self._context = context
        self._version = version

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "ConcordanceRows": ...
    def __getitem__(self, index: int | slice) -> "Row | ConcordanceRows":
        if isinstance(index, slice):
            hits = self.hits.take(index)
            return ConcordanceRows(hits, self._shown, self._queries, self._context, self._version)
        place = range(len(self))[index]
        return self._read(slice(place, place + 1))[0]

    def __iter__(self) -> Iterator[Row]:
        for first in range(0, len(self), _BLOCK):
            yield from self._read(slice(first, first + _BLOCK))

    def _read(self, chosen: slice) -> Sequence[Row]:
        hits = self.hits.take(chosen)
        if len(hits.parts) == 1:
            return self._read_part(hits.parts[0][1])
        rows: list[Row] = [{}] * len(hits)
        for places, part in hits.parts:
            for place, row in zip(places.tolist(), self._read_part(part), strict=True):
                rows[place] = row
        return rows

    def _read_part(self, hits: SegmentHits) -> Sequence[Row]:
        ids = hits.segment.ids(hits.hit_documents)
        shown = self._shown.of_documents(hits.segment, hits.hit_documents, ids)
        # far faster than one dict(zip(…)) a line
        rows: list[dict[str, Value]] = [
            {"id": post_id, "left": left, "hit": hit, "right": right}
            for post_id, left, hit, right in zip(ids, *self._contexts(hits), strict=True)
        ]
        queries: list[Value] = [*self._queries.of_posts(ids)]
        for name, values in zip((*self._shown.names, "query"), (*shown, queries), strict=True):
            for row, value in zip(rows, values, strict=True):
                row[name] = value
        for row in rows:
            row["version"] = self._version
        return rows

    def _contexts(self, hits: SegmentHits) -> tuple[list[str], list[str], list[str]]:
        """Return the texts left of the hits, of the hits and right of them."""
        first, end = document_spans(hits)
        starts = np.maximum(hits.starts - self._context, first)
        ends = np.minimum(hits.ends + self._context, end)
        texts = hits.segment.texts(starts, ends)
        low = (hits.starts - starts).tolist()
        high = (hits.ends - starts).tolist()
        return (
            [text[:cut] for text, cut in zip(texts, low, strict=True)],
            [text[cut:end] for text, cut, end in zip(texts, low, high, strict=True)],
            [text[cut:] for text, cut in zip(texts, high, strict=True)],
        )


class LineQueries:
    """The queries of lines: the query of the concordance, restricted to one post."""

    def __init__(self, query: Query) -> None:
        tree = both_nodes(query.tree, Filter("id", "=", _PLACEHOLDER))
        before, _, after = canonical(tree).rpartition(f"id:{_PLACEHOLDER}")
        self._before = before
        self._after = after

    def of_posts(self, ids: Sequence[str]) -> list[str]:
        """Return the query for each post, given its id."""
        before = self._before
        after = self._after
        if _PLAIN_IDS.fullmatch(" ".join(ids)):
            return [f"{before}id:{post_id}{after}" for post_id in ids]
        return [f"{before}{canonical(Filter('id', '=', post_id))}{after}" for post_id in ids]


def _check(request: ConcordanceRequest) -> None:
    require_fields([request.sort], SORTS, "sort by")
    if not 0 <= request.context <= MAX_CONTEXT:
        raise InputError(
            f"wanted 0 to {MAX_CONTEXT:,} characters of context, got {request.context}."
        )
    for name, value in (("sample", request.sample), ("limit", request.limit)):
        if value is not None and value < 1:
            raise InputError(f"wanted a {name} of at least 1, got {value}.")


def _sorted(view: CorpusView, hits: HitList, sort: str) -> Positions:
    match sort:
        case "left" | "right" | "hit":
            return context_order(hits, sort)
        case "author":
            keys = hits.numbers(lambda part: part.segment.array("authors")[part.hit_documents])
            return np.argsort(keys, kind="stable")
        case _:
            values = _values(ShownFields(view, [sort]), hits)
            order = sorted(range(len(values)), key=lambda place: _sort_key(values[place]))
            return np.array(order, np.int64)


def _values(shown: ShownFields, hits: HitList) -> list[Any]:
    values: list[Any] = [None] * len(hits)
    for places, part in hits.parts:
        ids = part.segment.ids(part.hit_documents)
        column = shown.of_documents(part.segment, part.hit_documents, ids)[0]
        for place, value in zip(places.tolist(), column, strict=True):
            values[place] = value
    return values


def _sort_key(value: Any) -> tuple[bool, Any]:
    """Return a key that puts missing values last."""
    return (True, "") if value is None else (False, value)


def _random_keys(hits: SegmentHits, seed: int) -> Any:
    first, _ = document_spans(hits)
    ids = id_keys(hits.segment, hits.hit_documents)
    return random_keys(seed, ids, hits.starts - first)


def _in_order(definitions: Mapping[str, str], shown: Mapping[str, str]) -> dict[str, str]:
    """Return definitions in the order of the columns, those of metadata before the last two."""
    names = list(definitions)
    ordered = {name: definitions[name] for name in names[:-2]}
    ordered |= shown
    ordered |= {name: definitions[name] for name in names[-2:]}
    return ordered
