"""Metadata of posts as columns of answers: shown beside lines, sorted by, counted by."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions, Segment
from corpora.query.fields import FIELDS, MAX_STARS, PART_SEPARATOR
from corpora.search.order import mondays
from corpora.search.view import CorpusView
from folate.core.errors import InputError, suggestion
from folate.core.weeks import Week

Value = str | float | int | bool | None

_EPOCH = date(1970, 1, 1).toordinal()

COMPUTED_FIELDS = ("week", "day", "rating", "id")
"""Fields that are read from arrays of the index."""

# Fields whose longer values, such as `sentiment:negative/kraft`, are details of the shorter ones.
_DETAILED_FIELDS = ("sentiment", "aspect", "label")

POST_COLUMNS = (
    "url", "title", "author", "published_at", "followers", "verified", "likes", "replies",
    "reposts", "views", "thread", "parent", "subject", "text",
)  # fmt: skip
"""Columns of the table `posts` that a line can show besides the fields."""

INDEXED_FIELDS = tuple(name for name in FIELDS if name not in (*COMPUTED_FIELDS, "author"))
"""Fields whose values are kept as keys of the index, such as "brand:kraft"."""

GROUPED_FIELDS = ("week", "day", *INDEXED_FIELDS)
"""Fields that posts are counted by."""


@dataclass(frozen=True)
class FieldValues:
    """The values of one field of many posts; a post may have several, or none."""

    # of each value: the place of its post among the posts that were asked for
    places: Positions
    # of each value: its number in `names`
    codes: npt.NDArray[np.int64]
    # distinct values
    names: Sequence[str]


def field_values(segment: Segment, field: str, documents: Positions) -> FieldValues:
    """Return the values of a field of distinct documents, whose numbers rise.

    `field` is "week", "day" or one of INDEXED_FIELDS.
    """
    match field:
        case "week":
            return _values_of_days(mondays(segment.array("days")[documents]), week_name)
        case "day":
            return _values_of_days(segment.array("days")[documents], day_name)
        case _:
            return _values_of_keys(segment, field, documents)


def week_name(monday: int) -> str:
    """Return the ISO week of a day, in days since 1970-01-01."""
    return str(Week.from_date(date.fromordinal(_EPOCH + monday)))


def day_name(day: int) -> str:
    """Return a day, in days since 1970-01-01, as text."""
    return date.fromordinal(_EPOCH + day).isoformat()


def require_fields(names: Iterable[str], possible: Sequence[str], wanted: str) -> None:
    """Raise InputError for a name that is not possible; `wanted` says what the names are for."""
    for name in names:
        if name not in possible:
            # a field of other questions is no misspelling of another one
            end = suggestion("" if name in (*FIELDS, *POST_COLUMNS) else name, possible)
            raise InputError(f"no field {name!r} to {wanted}; {end}")


def _values_of_days(
    days: npt.NDArray[np.integer[Any]], name_of: Callable[[int], str]
) -> FieldValues:
    first = int(days.min(initial=0)) if len(days) else 0
    offsets = np.asarray(days, np.int64) - first
    seen = np.flatnonzero(np.bincount(offsets)) if len(days) else offsets
    codes = np.searchsorted(seen, offsets)
    names = [name_of(first + offset) for offset in seen.tolist()]
    return FieldValues(np.arange(len(days)), codes, names)


def _values_of_keys(segment: Segment, field: str, documents: Positions) -> FieldValues:
    first, names = segment.values_of_field(field)
    end = first + len(names)
    offsets = segment.array("field_offsets")[first : end + 1]
    found = segment.array("field_values")[offsets[0] : offsets[-1]]
    is_general = np.ones(len(names), bool)
    if field in _DETAILED_FIELDS:
        is_general = np.array([PART_SEPARATOR not in name for name in names], bool)
    codes = np.repeat(np.arange(len(names)), np.diff(offsets))
    if len(documents) == segment.document_count and is_general.all():
        return FieldValues(np.asarray(found, np.int64), codes, names)
    is_asked = np.zeros(segment.document_count, bool)
    is_asked[documents] = True
    is_chosen = is_asked[found] & np.repeat(is_general, np.diff(offsets))
    return FieldValues(np.searchsorted(documents, found[is_chosen]), codes[is_chosen], names)


class ShownFields:
    """The metadata of posts that lines show or are sorted by."""

    def __init__(self, view: CorpusView, names: Sequence[str]) -> None:
        """Take the names of fields, or of POST_COLUMNS. Raises InputError for unknown ones."""
        possible = [*FIELDS, *POST_COLUMNS]
        require_fields(names, possible, "show")
        self.names = tuple(dict.fromkeys(names))
        self._view = view
        self._columns = [name for name in self.names if name in POST_COLUMNS]

    def of_documents(
        self, segment: Segment, documents: Positions, ids: Sequence[str]
    ) -> list[list[Value]]:
        """Return for each name the value of each document; `ids` are their ids."""
        distinct, places = np.unique(documents, return_inverse=True)
        stored = self._stored_values(ids)
        values: list[list[Value]] = []
        for name in self.names:
            if name in self._columns:
                column: list[Value] = [stored[post_id][name] for post_id in ids]
            elif name == "id":
                column = list(ids)
            else:
                of_distinct = self._values(segment, name, distinct)
                column = [of_distinct[place] for place in places.tolist()]
            values.append(column)
        return values

    def _values(self, segment: Segment, name: str, documents: Positions) -> list[Value]:
        if name == "rating":
            return rating_stars(segment, documents)
        found = field_values(segment, name, documents)
        if found.names and not (np.bincount(found.places) > 1).any():
            return _single_values(found, len(documents))
        texts: list[Value] = [None] * len(documents)
        for place, code in zip(found.places.tolist(), found.codes.tolist(), strict=True):
            value = found.names[code]
            earlier = texts[place]
            texts[place] = value if earlier is None else f"{earlier}, {value}"
        return texts

    def _stored_values(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        if not self._columns:
            return {}
        columns = ", ".join(self._columns)
        query = f"SELECT id, {columns} FROM posts WHERE id IN (SELECT unnest($ids))"
        rows = self._view.snapshot.sql(query, {"ids": list(dict.fromkeys(ids))}).to_pylist()
        return {row["id"]: {name: _plain(row[name]) for name in self._columns} for row in rows}


def _single_values(found: FieldValues, count: int) -> list[Value]:
    values = np.full(count, None, object)
    values[found.places] = np.array(found.names, object)[found.codes]
    listed: list[Value] = values.tolist()
    return listed


def rating_stars(segment: Segment, documents: Positions) -> list[Value]:
    """Return the ratings of documents in stars of five; None where there is none."""
    stars = segment.array("ratings")[documents].astype(np.float64) * MAX_STARS
    return [None if value != value else round(value, 3) for value in stars.tolist()]


def _plain(value: Any) -> Value:
    plain: Value = value.isoformat() if hasattr(value, "isoformat") else value
    return plain
