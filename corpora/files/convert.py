"""Rows as Posts."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any

from corpora.files import bounds, identity
from corpora.files.cells import cell_to_bool, cell_to_text, is_blank, is_missing, storable_value
from corpora.files.rows import Reject, RejectReason, SourceRow
from folate.core.counts import RatingRangeError, parse_count, parse_rating
from folate.core.dates import (
    DateError,
    DateOrder,
    DateOrderEvidence,
    TimestampWithPrecision,
    date_reject_reason,
    is_ambiguous_date,
    parse_date,
)
from folate.core.errors import InputError
from folate.core.markup import markup_to_text
from folate.core.post import (
    COUNT_FIELDS,
    POST_KINDS,
    TIME_PRECISIONS,
    Post,
    make_pseudonymizer,
    repair_surrogates,
    source_name_problem,
)
from folate.core.reposts import has_weibo_repost_chain, strip_fold_label, strip_repost_chain

# what makes a post without an id the same post: who wrote what, when and about what, but no counts, which grow
_IDENTITY = ("author", "published_at", "title", "text", "url", "thread", "parent", "subject")
_SHORTEST_NAME, _SHORTEST_NUMBER = 2, 7  # characters, digits
_CORRECTABLE = ("rating", "place")  # they tell posts apart where author and clock do not
_READERS: dict[str, Callable[[Any], Any]] = {  # of fields that a post may lack
    **dict.fromkeys(("url", "crawl", "title", "language", "subject", "place"), cell_to_text),
    **dict.fromkeys(COUNT_FIELDS, parse_count),
    "verified": cell_to_bool,
}


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How the columns of a file become fields of a Post. What a row says itself goes before `source` and `kind`, unless
    `decided` names the field: then the option holds for every row."""

    source: str
    mapping: Mapping[str, str] = field(
        default_factory=dict
    )  # field: column, or columns as "a|b": the first that is not empty
    kind: str = "review"
    overridden_fields: frozenset[str] = frozenset()
    rating_scale: float | None = (
        None  # a rating r is kept as r / rating_scale; ratings run from 0 to 1 when missing
    )
    date_order: DateOrder | None = (
        None  # of month and day in 3/8/2026; what the file's dates show when missing
    )
    timezone: str = "UTC"  # IANA name, of dates without an offset
    crawl: str | None = None
    salt: str = ""
    encoding: str | None = (
        None  # of a text file, as `folate.core.encoding.require_encoding` gives it; found by reading when missing
    )
    sheet: str | None = None  # of a workbook; its first visible one when missing
    now: datetime | None = None  # later dates are from the future; the time of reading when missing


class _RefusedError(Exception):
    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: RejectReason = reason


class RowConverter:
    """Makes posts of rows whose fields lie in `columns`: field -> columns, the first that is not empty counts.

    `rows` reads the file from its start: once more, when the order of day and month is to be found out.
    `unread` counts the values of fields that a post may lack which could not be read, by field and reason.
    """

    def __init__(
        self,
        options: ImportOptions,
        columns: Mapping[str, tuple[str, ...]],
        rows: Callable[[], Iterator[SourceRow | Reject]],
        ids: identity.IdSurvey,
    ) -> None:
        self.unread_values: Counter[str] = Counter()
        self.removed_repost_chains = 0  # of reposts that were left out of texts
        self.date_order_note = f"{options.date_order}, as said" if options.date_order else ""
        self._rows = rows
        self._ids = ids
        self.used_columns = {column for names in columns.values() for column in names}
        self._options = options
        self._columns = columns
        self._plain = [
            (name, columns[name], _READERS[name]) for name in columns if name in _READERS
        ]
        self._pseudonym = make_pseudonymizer(options.salt)
        self._now = options.now or datetime.now(UTC)

    def convert(self, row: SourceRow) -> Post | Reject:
        try:
            return self._post(row.values)
        except _RefusedError as refused:
            return self.reject(row, refused.reason, str(refused))
        except InputError as error:  # the record itself refuses a value
            return self.reject(row, "unreadable value", str(error))

    def is_edited_post(self, row: SourceRow) -> bool:
        """Whether the row is one of several states of a post: see `identity.Ids.edited`."""
        return (
            bool(self._ids.edited_keys)
            and identity.row_id_key(row.values, self._columns) in self._ids.edited_keys
        )

    def reject(self, row: SourceRow, reason: RejectReason, detail: str) -> Reject:
        return self.redact_persons(Reject(row.number, reason, detail, row.values))

    def redact_persons(self, reject: Reject) -> Reject:
        """The reject as it may be kept in a file for people to read.

        Of the row it has what columns hold that fields take, authors as hashes, and of the others the names alone: nobody knows
        what they hold. The cells of these and of authors are cut from the detail and from other cells, too, except from the text,
        which stays as it was written. Nothing that UTF-8 can't hold is in it.
        """
        authors, texts = (
            self._columns.get("author", ()),
            (*self._columns.get("text", ()), *self._columns.get("title", ())),
        )
        known = {
            column: cell
            for column, cell in reject.values.items()
            if column in self.used_columns and column not in authors
        }
        private = [
            str(cell).strip()
            for column, cell in reject.values.items()
            if column not in known and _may_tell_a_person(cell)
        ]
        private.sort(key=len, reverse=True)
        values = {
            column: cell if column in texts else _without(cell, private)
            for column, cell in known.items()
        }
        for column in authors:
            if not is_missing(cell := reject.values.get(column)):
                values[column] = self._pseudonym(self._options.source, str(cell))
        unused = tuple(
            repair_surrogates(column) for column in reject.values if column not in self.used_columns
        )
        return replace(
            reject,
            detail=_without(reject.detail, private),
            values=storable_value(values),
            unused=unused,
        )

    def _post(self, values: Mapping[str, Any]) -> Post:
        source = self._source(values)
        known: dict[str, Any] = {"kind": self._kind(values), "crawl": self._options.crawl}
        unread: list[str] = []
        for name, columns, reader in self._plain:
            cell = _first(values, columns)
            if cell is not None:
                known[name] = _read_or_miss(reader, cell, name, unread)
        if known.get("title") is not None:
            known["title"] = markup_to_text(known["title"])
        known["text"] = self._text(values, known)
        known["fetched_at"] = self._fetched(values, unread)
        known["published_at"], known["precision"] = self._published(
            values, known["fetched_at"], unread
        )
        known["rating"] = self._rating(values, unread)
        known["author"] = self._author(values, source, unread)
        known["parent"] = self._native(values, "parent", source, unread)
        thread = self._cell(values, "thread")
        discussion = (
            None if thread is None else _read_or_miss(cell_to_text, thread, "thread", unread)
        )
        is_named = discussion is not None and not self._ids.is_invalid_id(
            identity.strip_invisible(discussion)
        )
        known["thread"] = discussion if is_named else None
        is_shared = (
            bool(self._ids.ambiguous_keys)
            and identity.row_id_key(values, self._columns) in self._ids.ambiguous_keys
        )
        native = None if is_shared else self._native(values, "id", source, unread)
        post = Post(id=native or f"{source}:{_digest(known)}", source=source, **known)
        if unread:
            self.unread_values.update(unread)
        return post

    def _cell(self, values: Mapping[str, Any], name: str) -> Any:
        return _first(values, self._columns.get(name, ()))

    def _source(self, values: Mapping[str, Any]) -> str:
        cell = self._cell(values, "source")
        if cell is None:
            return repair_surrogates(self._options.source)
        source: str = repair_surrogates(_read(cell_to_text, cell, "bad source").strip())
        if problem := source_name_problem(source):
            raise _RefusedError("bad source", problem)
        return source

    def _kind(self, values: Mapping[str, Any]) -> str:
        kind = self._cell(values, "kind") or self._options.kind
        if kind not in POST_KINDS:
            raise _RefusedError(
                "unknown kind", f"wanted one of {', '.join(POST_KINDS)}, got {str(kind)[:60]!r}"
            )
        return str(kind)

    def _text(self, values: Mapping[str, Any], known: Mapping[str, Any]) -> str:
        """The text; empty only where a title says it all."""
        for column in self._columns.get("text", ()):
            if is_blank(values.get(column)):
                continue
            own = self._own(
                str(_read(cell_to_text, values[column], "unreadable value")), known["kind"]
            )
            if own.strip():
                return own
        if known.get("title") is not None:
            return ""
        raise _RefusedError("no text", "neither a text nor a title, markup left out")

    def _own(self, cell: str, kind: str) -> str:
        """What the author wrote: without markup, labels of the site, and the words of those whose post a microblog repeats."""
        text = markup_to_text(cell)
        shown = strip_fold_label(text)
        if kind != "microblog" and not has_weibo_repost_chain(shown):
            return shown
        own = strip_repost_chain(shown)
        self.removed_repost_chains += own != shown.strip()
        return own

    def _published(
        self, values: Mapping[str, Any], fetched_at: datetime | None, unread: list[str]
    ) -> TimestampWithPrecision:
        cell = self._cell(values, "published_at")
        if cell is None:
            raise _RefusedError("no date", "the post has no date")
        try:
            moment, precision = self._moment(cell, fetched_at)
        except DateError as error:
            raise _RefusedError("unreadable date", f"{str(cell)[:60]!r}: {error}") from error
        if reason := date_reject_reason(moment, self._now):
            raise _RefusedError(reason, f"{str(cell)[:60]!r}")
        said = self._cell(values, "precision")
        if said is not None and said not in TIME_PRECISIONS:
            unread.append("precision unreadable")
        return moment, said if said in TIME_PRECISIONS else precision

    def _fetched(self, values: Mapping[str, Any], unread: list[str]) -> datetime | None:
        cell = self._cell(values, "fetched_at")
        if cell is None:
            return None
        try:
            moment, _ = self._moment(cell, None)
        except DateError:
            unread.append("fetched_at unreadable")
            return None
        if reason := date_reject_reason(moment, self._now):
            unread.append(f"fetched_at: {reason}")
            return None
        return moment

    def _moment(self, cell: Any, fetched_at: datetime | None) -> TimestampWithPrecision:
        """Read a date; one told from the time at which it was shown only where the row says when that was."""
        if isinstance(cell, str) and len(cell) > bounds.MAX_DATE_CHARACTERS:
            raise DateError("longer than any date")
        order = self._options.date_order or (
            self._shown_order if is_ambiguous_date(cell, self._now) else None
        )
        return parse_date(
            cell,
            self._options.timezone,
            fetched_at or self._now,
            order,
            allow_relative=fetched_at is not None,
        )

    @cached_property
    def _shown_order(self) -> DateOrder | None:
        """The order of day and month that the dates of the file show; reads the file once more."""
        evidence = DateOrderEvidence()
        for row in self._rows():
            if isinstance(row, SourceRow):
                for name in ("published_at", "fetched_at"):
                    evidence.add_value(self._cell(row.values, name), self._now)
        self.date_order_note = str(evidence)
        return evidence.order

    def _rating(self, values: Mapping[str, Any], unread: list[str]) -> float | None:
        cell = self._cell(values, "rating")
        if cell is None:
            return None
        try:
            return parse_rating(cell, self._options.rating_scale or 1.0)
        except RatingRangeError:
            unread.append("rating out of range")
        except ValueError:
            unread.append("rating unreadable")
        return None

    def _author(self, values: Mapping[str, Any], source: str, unread: list[str]) -> str | None:
        cell = self._cell(values, "author")
        name = None if cell is None else _read_or_miss(cell_to_text, cell, "author", unread)
        return None if name is None else self._pseudonym(source, name.strip())

    def _native(
        self, values: Mapping[str, Any], name: str, source: str, unread: list[str]
    ) -> str | None:
        """An id of this source; those that a Folate wrote have its name already."""
        cell = self._cell(values, name)
        text = None if cell is None else _read_or_miss(cell_to_text, cell, name, unread)
        if text is None:
            return None
        native = identity.strip_invisible(text)
        if not native or self._ids.is_invalid_id(native):
            return None
        return (
            native
            if native.startswith(f"{source}:") and len(native) > len(source) + 1
            else f"{source}:{native}"
        )


def _may_tell_a_person(cell: Any) -> bool:
    """Whether a cell may hold a name, an address or a number of somebody, and is long enough to be looked for elsewhere."""
    text = str(cell).strip()
    return len(text) >= _SHORTEST_NAME and (
        any(map(str.isalpha, text)) or sum(map(str.isdigit, text)) >= _SHORTEST_NUMBER
    )


def _without(cell: Any, private: Sequence[str]) -> Any:
    """The cell with … for every one of these texts in it."""
    if isinstance(cell, str):
        for text in private:
            cell = cell.replace(text, "…")
    return cell


def _first(values: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    for column in columns:
        cell = values.get(column)
        if not is_missing(cell):
            return cell
    return None


def _read(reader: Any, cell: Any, reason: RejectReason) -> Any:
    try:
        return reader(cell)
    except ValueError as error:
        raise _RefusedError(reason, str(error)) from error


def _read_or_miss(reader: Callable[[Any], Any], cell: Any, name: str, unread: list[str]) -> Any:
    """The value of a field that a post may lack: None, and noted in `unread`, when it can't be read."""
    try:
        return reader(cell)
    except ValueError:
        unread.append(f"{name} unreadable")
        return None


def _digest(known: Mapping[str, Any]) -> str:
    """The native id of a post that has none. An author says the same only once at one time; several people may on one day."""
    certain = known["author"] is not None and known["precision"] != "day"
    said = repr(
        [
            str(known.get(name) or "")
            for name in (_IDENTITY if certain else _IDENTITY + _CORRECTABLE)
        ]
    )
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
