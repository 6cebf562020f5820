"""Rows as Posts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from corpora.files import bounds
from corpora.files.dates import EARLIEST, Moment, latest, read_date
from corpora.files.rejects import Reason, Reject, Row
from corpora.files.values import is_blank, is_missing, read_count, read_number, read_text, read_truth, storable_value
from folate.errors import InputError
from folate.post import COUNTS, KINDS, PRECISIONS, Post, pseudonyms, source_problem, storable

# what makes a post without an id the same post: who wrote what, when and about what, but no counts, which grow
_IDENTITY = ("author", "published_at", "title", "text", "url", "thread", "parent", "subject")
_CORRECTABLE = ("rating", "place")  # they tell posts apart where author and clock do not
_READERS: dict[str, tuple[Any, Reason]] = {
    **dict.fromkeys(("url", "thread", "crawl", "title", "language", "subject", "place"), (read_text, "unreadable value")),
    **dict.fromkeys(COUNTS, (read_count, "unreadable count")),
    "verified": (read_truth, "unreadable value"),
}


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How the columns of a file become fields of a Post. What a row says itself goes before `source` and `kind`, unless
    `decided` names the field: then the option holds for every row."""

    source: str
    mapping: Mapping[str, str] = field(default_factory=dict)  # field: column, or columns as "a|b": the first that is not empty
    kind: str = "review"
    decided: frozenset[str] = frozenset()
    rating_scale: float | None = None  # a rating r is kept as r / rating_scale; ratings run from 0 to 1 when missing
    zone: str = "UTC"  # IANA name, of dates without an offset
    crawl: str | None = None
    salt: str = ""
    sheet: str | None = None  # of a workbook; its first visible one when missing
    now: datetime | None = None  # later dates are from the future; the time of reading when missing


class _RefusedError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason


class Maker:
    """Makes posts of rows whose fields lie in `columns`: field -> columns, the first that is not empty counts."""

    def __init__(self, options: ImportOptions, columns: Mapping[str, tuple[str, ...]]) -> None:
        self.used = {column for names in columns.values() for column in names}
        self._options = options
        self._columns = columns
        self._plain = [(name, columns[name], *_READERS[name]) for name in columns if name in _READERS]
        self._pseudonym = pseudonyms(options.salt)
        self._now = options.now or datetime.now(UTC)
        self._latest = latest(self._now)

    def post(self, row: Row) -> Post | Reject:
        try:
            return self._post(row.values)
        except _RefusedError as refused:
            return self.reject(row, refused.reason, str(refused))
        except InputError as error:  # the record itself refuses a value
            return self.reject(row, "unreadable value", str(error))

    def reject(self, row: Row, reason: Reason, detail: str) -> Reject:
        return self.without_authors(Reject(row.number, reason, detail, row.values))

    def without_authors(self, reject: Reject) -> Reject:
        """Rejects are kept in a file for people to read: no names in it, and nothing that UTF-8 can't hold."""
        authors = {
            column: self._pseudonym(self._options.source, str(reject.values[column]))
            for column in self._columns.get("author", ())
            if not is_missing(reject.values.get(column))
        }
        return replace(reject, values=storable_value(reject.values | authors))

    def _post(self, values: Mapping[str, Any]) -> Post:
        source = self._source(values)
        known: dict[str, Any] = {"kind": self._kind(values), "crawl": self._options.crawl}
        for name, columns, reader, reason in self._plain:
            cell = _first(values, columns)
            if cell is not None:
                known[name] = _read(reader, cell, reason)
        known["text"] = self._text(values, known)
        known["published_at"], known["precision"] = self._published(values)
        known["fetched_at"] = self._fetched(values)
        known["rating"] = self._rating(values)
        known["author"] = self._author(values, source)
        known["parent"] = self._native(values, "parent", source)
        identity = self._native(values, "id", source) or f"{source}:{_digest(known)}"
        return Post(id=identity, source=source, **known)

    def _cell(self, values: Mapping[str, Any], name: str) -> Any:
        return _first(values, self._columns.get(name, ()))

    def _source(self, values: Mapping[str, Any]) -> str:
        cell = self._cell(values, "source")
        if cell is None:
            return storable(self._options.source)
        source: str = storable(_read(read_text, cell, "bad source").strip())
        if problem := source_problem(source):
            raise _RefusedError("bad source", problem)
        return source

    def _kind(self, values: Mapping[str, Any]) -> str:
        kind = self._cell(values, "kind") or self._options.kind
        if kind not in KINDS:
            raise _RefusedError("unknown kind", f"wanted one of {', '.join(KINDS)}, got {str(kind)[:60]!r}")
        return str(kind)

    def _text(self, values: Mapping[str, Any], known: Mapping[str, Any]) -> str:
        """The text; empty only where a title says it all."""
        for column in self._columns.get("text", ()):
            if not is_blank(values.get(column)):
                return str(_read(read_text, values[column], "unreadable value"))
        if "title" in known:
            return ""
        raise _RefusedError("no text", "neither a text nor a title")

    def _published(self, values: Mapping[str, Any]) -> Moment:
        cell = self._cell(values, "published_at")
        if cell is None:
            raise _RefusedError("no date", "the post has no date")
        moment, precision = self._moment(cell)
        if moment > self._latest:
            raise _RefusedError("date in the future", f"{str(cell)[:60]!r}")
        if moment < EARLIEST:
            raise _RefusedError("date too early", f"{str(cell)[:60]!r}")
        said = self._cell(values, "precision")
        return moment, said if said in PRECISIONS else precision

    def _fetched(self, values: Mapping[str, Any]) -> datetime | None:
        cell = self._cell(values, "fetched_at")
        return None if cell is None else self._moment(cell)[0]

    def _moment(self, cell: Any) -> Moment:
        if isinstance(cell, str) and len(cell) > bounds.DATE:
            raise _RefusedError("unreadable date", f"{cell[:60]!r}: longer than any date")
        try:
            return read_date(cell, self._options.zone, self._now)
        except ValueError as error:
            raise _RefusedError("unreadable date", f"{str(cell)[:60]!r}: {error}") from error

    def _rating(self, values: Mapping[str, Any]) -> float | None:
        cell = self._cell(values, "rating")
        if cell is None:
            return None
        scale = self._options.rating_scale or 1.0
        rating: float = _read(read_number, cell, "unreadable rating") / scale
        if not 0 <= rating <= 1:
            raise _RefusedError("rating out of range", f"wanted 0 to {scale:g}, got {str(cell)[:60]!r} (--rating-scale names the top)")
        return rating

    def _author(self, values: Mapping[str, Any], source: str) -> str | None:
        cell = self._cell(values, "author")
        return None if cell is None else self._pseudonym(source, _read(read_text, cell, "unreadable value").strip())

    def _native(self, values: Mapping[str, Any], name: str, source: str) -> str | None:
        """An id of this source; those that a Folate wrote have its name already."""
        cell = self._cell(values, name)
        if cell is None:
            return None
        native: str = _read(read_text, cell, "unreadable value").strip()
        return native if native.startswith(f"{source}:") and len(native) > len(source) + 1 else f"{source}:{native}"


def _first(values: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    for column in columns:
        cell = values.get(column)
        if not is_missing(cell):
            return cell
    return None


def _read(reader: Any, cell: Any, reason: Reason) -> Any:
    try:
        return reader(cell)
    except ValueError as error:
        raise _RefusedError(reason, str(error)) from error


def _digest(known: Mapping[str, Any]) -> str:
    """The native id of a post that has none. An author says the same only once at one time; several people may on one day."""
    certain = known["author"] is not None and known["precision"] != "day"
    said = repr([str(known.get(name) or "") for name in (_IDENTITY if certain else _IDENTITY + _CORRECTABLE)])
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
