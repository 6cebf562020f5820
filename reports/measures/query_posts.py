"""The posts of some weeks, and what a query of the corpus finds in them, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.answers.searched import is_metadata, searched_posts
from corpora.answers.words import SegmentPosts
from corpora.index.segment import Positions, Segment
from corpora.query.canonical import canonical
from corpora.query.syntax import And, Filter, Node, Not, Query
from corpora.search.hits import SegmentHits, Unit
from corpora.search.order import hits_of_posts
from corpora.search.view import CorpusView
from folate.core.weeks import Period, Week, last_day
from nlp.stats.estimation import Ints

Flags = NDArray[np.bool_]

_EPOCH = date(1970, 1, 1)
_SOURCE_PREFIX = "source:"
_COPY_KEY = "is:duplicate"
# Fields that posts have as published, or that people give; others are known of annotated posts.
_PUBLISHED_FIELDS = frozenset(
    {"source", "kind", "place", "rating", "author", "id", "week", "day", "label"}
)


@dataclass(frozen=True)
class QueryPosts:
    """One element for each post of some weeks that the metadata of a query admit.

    Of a query with metadata only: for each post of the weeks, so that its rate says something.
    """

    query: Query
    unit: Unit
    weeks: Sequence[Period]
    sources: Sequence[str]
    # index into `weeks`
    week: Ints
    # index into `sources`
    source: Ints
    author: NDArray[np.uint64]
    # words, characters or posts, by `unit`
    size: Ints
    hits: Ints
    matches: Flags
    is_copy: Flags
    has_words: Flags
    # segment, and number of the document in it, for `post_ids`
    places: Sequence[tuple[Segment, Positions]]

    @property
    def needs_annotations(self) -> bool:
        """Whether a post that is not annotated can't match: of words, or of what models say."""
        return self.unit == "word" or _has_annotated_field(self.query.tree)

    def post_ids(self, chosen: Flags, count: int) -> list[str]:
        """Return the ids of the first posts among the chosen, in order of publication."""
        candidates: list[tuple[int, str]] = []
        first = 0
        for segment, documents in self.places:
            own = documents[chosen[first : first + len(documents)]][:count]
            moments = segment.array("published")[own].tolist()
            candidates += zip(moments, segment.ids(own), strict=True)
            first += len(documents)
        return [post_id for _, post_id in sorted(candidates)[:count]]

    def in_weeks(self, weeks: Sequence[Period], *, without_copies: bool = False) -> str:
        """Return the canonical query whose posts are the matching ones of consecutive weeks."""
        items = self.query.tree.items if isinstance(self.query.tree, And) else (self.query.tree,)
        conditions: tuple[Node, ...] = (period_filter(weeks),)
        if without_copies:
            conditions += (Not(Filter("is", "=", "duplicate")),)
        return canonical(And((*items, *conditions)))


def read_query_posts(view: CorpusView, query: Query, weeks: Sequence[Period]) -> QueryPosts:
    """Search the posts of consecutive weeks. Raises InputError for a query that can't be run."""
    result = view.search(query)
    matching = {id(hits.segment): hits for hits in result.segments}
    first_day = _day_number(last_day(weeks[0])) - 6
    parts: list[dict[str, Any]] = []
    places: list[tuple[Segment, Positions]] = []
    for posts in _compared_posts(view, query):
        days = posts.segment.array("days")[posts.documents].astype(np.int64)
        week = (days - first_day) // 7
        is_inside = (week >= 0) & (week < len(weeks))
        documents = posts.documents[is_inside]
        columns = _columns(posts.segment, documents, result.unit)
        columns |= _hit_columns(matching.get(id(posts.segment)), documents)
        parts.append(columns | {"week": week[is_inside]})
        places.append((posts.segment, documents))
    sources = sorted({name for segment, _ in places for name in _source_names(segment)})
    source = [_source_column(segment, documents, sources) for segment, documents in places]
    return QueryPosts(
        query=query,
        unit=result.unit,
        weeks=weeks,
        sources=sources,
        week=_joined([part["week"] for part in parts], np.int64),
        source=_joined(source, np.int64),
        author=_joined([part["author"] for part in parts], np.uint64),
        size=_joined([part["size"] for part in parts], np.int64),
        hits=_joined([part["hits"] for part in parts], np.int64),
        matches=_joined([part["matches"] for part in parts], np.bool_),
        is_copy=_joined([part["is_copy"] for part in parts], np.bool_),
        has_words=_joined([part["has_words"] for part in parts], np.bool_),
        places=places,
    )


def _compared_posts(view: CorpusView, query: Query) -> Sequence[SegmentPosts]:
    if is_metadata(query.tree):
        return [SegmentPosts(segment, segment.live_documents) for segment in view.segments]
    return searched_posts(view, query)


def period_filter(weeks: Sequence[Period]) -> Filter:
    """Return the condition on metadata that admits the posts of consecutive weeks."""
    first, last = weeks[0], weeks[-1]
    if isinstance(first, Week) and isinstance(last, Week):
        if first == last:
            return Filter("week", "=", str(first))
        return Filter("week", "..", str(first), str(last))
    first_day = last_day(first) - timedelta(days=6)
    return Filter("day", "..", str(first_day), str(last_day(last)))


def _day_number(day: date) -> int:
    return (day - _EPOCH).days


def _columns(segment: Segment, documents: Positions, unit: Unit) -> dict[str, NDArray[Any]]:
    is_copy = np.zeros(segment.document_count, bool)
    is_copy[segment.documents_with(_COPY_KEY)] = True
    return {
        "author": segment.array("authors")[documents],
        "size": _sizes(segment, documents, unit),
        "is_copy": is_copy[documents],
        "has_words": segment.has_words[documents],
    }


def _sizes(segment: Segment, documents: Positions, unit: Unit) -> Ints:
    """Return the words or characters of each document, or 1."""
    if unit == "post":
        return np.ones(len(documents), np.int64)
    bounds = segment.array("word_offsets" if unit == "word" else "char_offsets")
    lengths = np.asarray(bounds[documents + 1] - bounds[documents], np.int64)
    # a separator follows the characters of each document
    return lengths if unit == "word" else lengths - 1


def _hit_columns(hits: SegmentHits | None, documents: Positions) -> dict[str, NDArray[Any]]:
    if hits is None or not len(hits.documents):
        return {
            "hits": np.zeros(len(documents), np.int64),
            "matches": np.zeros(len(documents), bool),
        }
    index = np.searchsorted(hits.documents, documents)
    index = np.minimum(index, len(hits.documents) - 1)
    matches = hits.documents[index] == documents
    counts = np.where(matches, hits_of_posts(hits)[index], 0)
    return {"hits": counts.astype(np.int64), "matches": matches}


def _source_names(segment: Segment) -> list[str]:
    return [
        key.removeprefix(_SOURCE_PREFIX) for key in segment.fields if key.startswith(_SOURCE_PREFIX)
    ]


def _source_column(segment: Segment, documents: Positions, sources: Sequence[str]) -> Ints:
    column = np.zeros(segment.document_count, np.int64)
    for name in _source_names(segment):
        column[segment.documents_with(_SOURCE_PREFIX + name)] = sources.index(name)
    return column[documents]


def _joined(columns: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate([*columns, np.empty(0, dtype)]).astype(dtype)


def _has_annotated_field(value: Any) -> bool:
    """Return whether a tree has a condition on what only annotated posts have."""
    if isinstance(value, Filter):
        return value.field not in _PUBLISHED_FIELDS and value.value != "verified"
    if isinstance(value, tuple):
        return any(map(_has_annotated_field, value))
    if is_dataclass(value):
        return any(_has_annotated_field(getattr(value, field.name)) for field in fields(value))
    return False
