"""Posts of a segment by metadata: `brand:kraft`, `week:2026-W01..2026-W10`, `rating:<=2`."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.index.segment import Segment
from corpora.query.fields import MAX_STARS
from corpora.query.syntax import Filter
from corpora.search.spans import Mask
from folate.core.config import LEVEL_SEPARATOR
from folate.core.errors import InputError
from folate.core.weeks import Week
from nlp.text.normalize import normalize_text

_EPOCH = date(1970, 1, 1)
_COMPARE: dict[str, Callable[[Any, float], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def documents_admitted(segment: Segment, node: Filter) -> Mask:
    """Return for each document whether it meets a condition. Raises InputError."""
    if node.field in ("day", "week"):
        return _by_day(segment, node)
    if node.field == "rating":
        return _by_rating(segment, node)
    if node.field == "author":
        return _by_author(segment, node.value)
    if node.field == "id":
        return _by_id(segment, node.value)
    if node.operator != "=":
        raise InputError(
            f"wanted one value for {node.field}, got {node.operator}{node.value}; "
            "possible: ranges of day, week and rating, and comparisons of rating."
        )
    mask = np.zeros(segment.document_count, np.bool_)
    for key in keys_admitted(segment, node.field, node.value):
        mask[segment.documents_with(key)] = True
    return mask


def keys_admitted(segment: Segment, field: str, value: str) -> list[str]:
    """Return the keys of metadata that a condition asks for."""
    normal = normalize_text(value)
    exact = [f"{field}:{value}", f"{field}:{normal}"]
    prefix = f"{field}:"
    if field == "place":
        keys = segment.fields_from(prefix)
        return [key for key in keys if normal in key[len(prefix) :]]
    if field == "tag":
        exact += [key for name in exact for key in segment.fields_from(name + LEVEL_SEPARATOR)]
    return list(dict.fromkeys(exact))


def _by_day(segment: Segment, node: Filter) -> Mask:
    days = segment.array("days")
    first, last = _day_bounds(node)
    mask = np.ones(len(days), np.bool_)
    if first is not None:
        mask &= days >= (first - _EPOCH).days
    if last is not None:
        mask &= days <= (last - _EPOCH).days
    return mask


def _day_bounds(node: Filter) -> tuple[date | None, date | None]:
    if node.operator == "=":
        return _first_day(node.field, node.value), _last_day(node.field, node.value)
    if node.operator != "..":
        raise InputError(
            f"wanted a {node.field} or a range, got {node.operator}{node.value}; "
            f"possible: {node.field}:a..b, {node.field}:a.., {node.field}:..b."
        )
    first = _first_day(node.field, node.value) if node.value else None
    return first, _last_day(node.field, node.until) if node.until else None


def _first_day(field: str, value: str) -> date:
    return Week.parse(value).monday if field == "week" else _parse_day(value)


def _last_day(field: str, value: str) -> date:
    if field == "week":
        return Week.parse(value).monday + timedelta(days=6)
    return _parse_day(value)


def _parse_day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"wanted a day such as 2026-03-01, got {value!r}.") from error


def _by_rating(segment: Segment, node: Filter) -> Mask:
    # ratings are stored in 32 bits: a star of five is no round number of them
    stars = np.round(segment.array("ratings").astype(np.float64) * MAX_STARS, 4)
    if node.operator == "=":
        return _flags(stars == _stars(node.value))
    if node.operator in _COMPARE:
        return _flags(_COMPARE[node.operator](stars, _stars(node.value)))
    mask = ~np.isnan(stars)
    if node.value:
        mask &= stars >= _stars(node.value)
    if node.until:
        mask &= stars <= _stars(node.until)
    return mask


def _stars(value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise InputError(f"wanted stars such as 2 or 4.5, got {value!r}.") from error


def _by_author(segment: Segment, value: str) -> Mask:
    from corpora.index.build import author_key

    return _flags(segment.array("authors") == np.uint64(author_key(value, "")))


def _by_id(segment: Segment, value: str) -> Mask:
    mask = np.zeros(segment.document_count, np.bool_)
    mask[segment.documents_of_ids(pa.array([value], pa.string()))] = True
    return mask


def _flags(values: npt.NDArray[Any]) -> Mask:
    return np.asarray(values, np.bool_)
