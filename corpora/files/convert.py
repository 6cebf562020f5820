"""Conversion of the rows of a file to posts."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from itertools import chain
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

# Fields that identify a post without an id: who wrote what, when and about what, but no counts,
# which grow.
_IDENTITY_FIELDS = (
    "author",
    "published_at",
    "title",
    "text",
    "url",
    "thread",
    "parent",
    "subject",
)
# Fields that distinguish posts where author and time do not.
_EXTRA_IDENTITY_FIELDS = ("rating", "place")
# Texts that may identify a person: characters of a name, digits of a number.
_MIN_NAME_CHARACTERS = 2
_MIN_NUMBER_DIGITS = 7
# Readers of optional fields.
_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("url", "crawl", "title", "language", "subject", "place"), cell_to_text),
    **dict.fromkeys(COUNT_FIELDS, parse_count),
    "verified": cell_to_bool,
}


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How the columns of a file become fields of a Post."""

    # Of rows that name no source themselves.
    source: str
    # Column by field, or columns as "a|b", of which the first that is not empty counts.
    mapping: Mapping[str, str] = field(default_factory=dict)
    # Of rows that name no kind themselves.
    kind: str = "review"
    # "source" or "kind" where the option applies to every row, whatever the row says.
    overridden_fields: frozenset[str] = frozenset()
    # A rating r is stored as r / rating_scale; None: ratings run from 0 to 1.
    rating_scale: float | None = None
    # Order of month and day in 3/8/2026; None: the order that the file's dates show.
    date_order: DateOrder | None = None
    # IANA name, for dates without an offset.
    timezone: str = "UTC"
    crawl: str | None = None
    # Key of the hashes of authors.
    salt: str = ""
    # Of a text file, as `folate.core.encoding.require_encoding` returns it; None: detected.
    encoding: str | None = None
    # Sheet of a workbook; None: its first visible one.
    sheet: str | None = None
    # Later dates are from the future; None: the time of the import.
    now: datetime | None = None


class _RejectedRowError(Exception):
    """A row is no post."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: RejectReason = reason


class RowConverter:
    """Converts rows to posts.

    `columns` are the columns of each field, of which the first that is not empty counts. `rows`
    reads the file from its start: once more, when the order of day and month must be detected.
    """

    def __init__(
        self,
        options: ImportOptions,
        columns: Mapping[str, tuple[str, ...]],
        rows: Callable[[], Iterator[SourceRow | Reject]],
        ids: identity.IdSurvey,
    ) -> None:
        # Optional values that could not be read, by field and reason.
        self.unread_values: Counter[str] = Counter()
        # Texts from which the words of reposted authors were removed.
        self.removed_repost_chains = 0
        # How the order of day and month was decided; "" where no date needed it.
        self.date_order_note = f"{options.date_order}, as said" if options.date_order else ""
        self._rows = rows
        self._ids = ids
        # All columns that fields are read from.
        self.used_columns = set(chain.from_iterable(columns.values()))
        self._options = options
        self._columns = columns
        self._optional_fields = [
            (name, columns[name], _READERS[name]) for name in columns if name in _READERS
        ]
        self._pseudonym = make_pseudonymizer(options.salt)
        self._now = options.now or datetime.now(UTC)

    def convert(self, row: SourceRow) -> Post | Reject:
        """Convert a row to a post, or to the reject that says why it is none."""
        try:
            return self._convert_values(row.values)
        except _RejectedRowError as rejection:
            return self.reject(row, rejection.reason, str(rejection))
        except InputError as error:  # the record itself refuses a value
            return self.reject(row, "unreadable value", str(error))

    def is_edited_post(self, row: SourceRow) -> bool:
        """Return whether the row is one of several states of a post (`IdSurvey.edited_keys`)."""
        return (
            bool(self._ids.edited_keys)
            and identity.row_id_key(row.values, self._columns) in self._ids.edited_keys
        )

    def reject(self, row: SourceRow, reason: RejectReason, detail: str) -> Reject:
        """Return the reject of a row, without personal data."""
        return self.redact_persons(Reject(row.number, reason, detail, row.values))

    def redact_persons(self, reject: Reject) -> Reject:
        """Return the reject without personal data, so that it may be stored in a file.

        It has the values of columns that fields are read from, authors as hashes, and only the
        names of other columns, whose contents nobody knows. Cells of these and of authors are also
        removed from the detail and from other cells, except from the text, which stays as it was
        written. All strings can be encoded in UTF-8.
        """
        author_columns = self._columns.get("author", ())
        text_columns = (*self._columns.get("text", ()), *self._columns.get("title", ()))
        public_cells = {}
        private_texts = []
        for column, cell in reject.values.items():
            if column in self.used_columns and column not in author_columns:
                public_cells[column] = cell
            elif _may_identify_person(cell):
                private_texts.append(str(cell).strip())
        private_texts.sort(key=len, reverse=True)
        values = {}
        for column, cell in public_cells.items():
            is_text = column in text_columns
            values[column] = cell if is_text else _remove_texts(cell, private_texts)
        for column in author_columns:
            cell = reject.values.get(column)
            if not is_missing(cell):
                values[column] = self._pseudonym(self._options.source, str(cell))
        unused = [column for column in reject.values if column not in self.used_columns]
        return replace(
            reject,
            detail=_remove_texts(reject.detail, private_texts),
            values=storable_value(values),
            unused=tuple(map(repair_surrogates, unused)),
        )

    def _convert_values(self, values: Mapping[str, Any]) -> Post:
        source = self._read_source(values)
        fields: dict[str, Any] = {"kind": self._read_kind(values), "crawl": self._options.crawl}
        unread: list[str] = []
        for name, columns, reader in self._optional_fields:
            cell = _first_value(values, columns)
            if cell is not None:
                fields[name] = _read_optional(reader, cell, name, unread)
        if fields.get("title") is not None:
            fields["title"] = markup_to_text(fields["title"])
        fields["text"] = self._read_text(values, fields)
        fields["fetched_at"] = self._read_fetched_at(values, unread)
        fields["published_at"], fields["precision"] = self._read_published_at(
            values, fields["fetched_at"], unread
        )
        fields["rating"] = self._read_rating(values, unread)
        fields["author"] = self._read_author(values, source, unread)
        fields["parent"] = self._read_id(values, "parent", source, unread)
        fields["thread"] = self._read_thread(values, unread)
        is_ambiguous = (
            bool(self._ids.ambiguous_keys)
            and identity.row_id_key(values, self._columns) in self._ids.ambiguous_keys
        )
        own_id = None if is_ambiguous else self._read_id(values, "id", source, unread)
        post = Post(id=own_id or f"{source}:{_identity_digest(fields)}", source=source, **fields)
        if unread:
            self.unread_values.update(unread)
        return post

    def _read_thread(self, values: Mapping[str, Any], unread: list[str]) -> str | None:
        cell = self._cell(values, "thread")
        if cell is None:
            return None
        thread: str | None = _read_optional(cell_to_text, cell, "thread", unread)
        if thread is None or self._ids.is_invalid_id(identity.strip_invisible(thread)):
            return None
        return thread

    def _cell(self, values: Mapping[str, Any], name: str) -> Any:
        return _first_value(values, self._columns.get(name, ()))

    def _read_source(self, values: Mapping[str, Any]) -> str:
        cell = self._cell(values, "source")
        if cell is None:
            return repair_surrogates(self._options.source)
        source: str = repair_surrogates(_read_required(cell_to_text, cell, "bad source").strip())
        if problem := source_name_problem(source):
            raise _RejectedRowError("bad source", problem)
        return source

    def _read_kind(self, values: Mapping[str, Any]) -> str:
        kind = self._cell(values, "kind") or self._options.kind
        if kind not in POST_KINDS:
            raise _RejectedRowError(
                "unknown kind", f"wanted one of {', '.join(POST_KINDS)}, got {str(kind)[:60]!r}"
            )
        return str(kind)

    def _read_text(self, values: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
        """Return the text; it is empty only where there is a title."""
        for column in self._columns.get("text", ()):
            if is_blank(values.get(column)):
                continue
            text = str(_read_required(cell_to_text, values[column], "unreadable value"))
            own_text = self._extract_own_text(text, fields["kind"])
            if own_text.strip():
                return own_text
        if fields.get("title") is not None:
            return ""
        raise _RejectedRowError("no text", "neither a text nor a title, markup left out")

    def _extract_own_text(self, cell: str, kind: str) -> str:
        """Return what the author wrote, without markup and labels of the site.

        In a repost on a microblog the words of the reposted authors are removed.
        """
        text = strip_fold_label(markup_to_text(cell))
        if kind != "microblog" and not has_weibo_repost_chain(text):
            return text
        own_text = strip_repost_chain(text)
        self.removed_repost_chains += own_text != text.strip()
        return own_text

    def _read_published_at(
        self, values: Mapping[str, Any], fetched_at: datetime | None, unread: list[str]
    ) -> TimestampWithPrecision:
        cell = self._cell(values, "published_at")
        if cell is None:
            raise _RejectedRowError("no date", "the post has no date")
        try:
            moment, precision = self._parse_moment(cell, fetched_at)
        except DateError as error:
            raise _RejectedRowError("unreadable date", f"{str(cell)[:60]!r}: {error}") from error
        if reason := date_reject_reason(moment, self._now):
            raise _RejectedRowError(reason, f"{str(cell)[:60]!r}")
        stated_precision = self._cell(values, "precision")
        if stated_precision in TIME_PRECISIONS:
            return moment, stated_precision
        if stated_precision is not None:
            unread.append("precision unreadable")
        return moment, precision

    def _read_fetched_at(self, values: Mapping[str, Any], unread: list[str]) -> datetime | None:
        cell = self._cell(values, "fetched_at")
        if cell is None:
            return None
        try:
            moment, _ = self._parse_moment(cell, None)
        except DateError:
            unread.append("fetched_at unreadable")
            return None
        if reason := date_reject_reason(moment, self._now):
            unread.append(f"fetched_at: {reason}")
            return None
        return moment

    def _parse_moment(self, cell: Any, fetched_at: datetime | None) -> TimestampWithPrecision:
        """Parse a date; one such as "3 days ago" only where `fetched_at` is known."""
        if isinstance(cell, str) and len(cell) > bounds.MAX_DATE_CHARACTERS:
            raise DateError("longer than any date")
        order = self._options.date_order
        if not order and is_ambiguous_date(cell, self._now):
            order = self._detected_order
        return parse_date(
            cell,
            self._options.timezone,
            fetched_at or self._now,
            order,
            allow_relative=fetched_at is not None,
        )

    @cached_property
    def _detected_order(self) -> DateOrder | None:
        """The order of day and month that the file's dates show; it reads the file once more."""
        evidence = DateOrderEvidence()
        for row in self._rows():
            if isinstance(row, SourceRow):
                for name in ("published_at", "fetched_at"):
                    evidence.add_value(self._cell(row.values, name), self._now)
        self.date_order_note = str(evidence)
        return evidence.order

    def _read_rating(self, values: Mapping[str, Any], unread: list[str]) -> float | None:
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

    def _read_author(self, values: Mapping[str, Any], source: str, unread: list[str]) -> str | None:
        cell = self._cell(values, "author")
        name = None if cell is None else _read_optional(cell_to_text, cell, "author", unread)
        return None if name is None else self._pseudonym(source, name.strip())

    def _read_id(
        self, values: Mapping[str, Any], name: str, source: str, unread: list[str]
    ) -> str | None:
        """Return the id of a post, prefixed by its source; exports of Folate have the prefix."""
        cell = self._cell(values, name)
        text = None if cell is None else _read_optional(cell_to_text, cell, name, unread)
        if text is None:
            return None
        native_id = identity.strip_invisible(text)
        if not native_id or self._ids.is_invalid_id(native_id):
            return None
        prefix = f"{source}:"
        if native_id.startswith(prefix) and len(native_id) > len(prefix):
            return native_id
        return prefix + native_id


def _may_identify_person(cell: Any) -> bool:
    """Return whether a cell may be a name, address or number, long enough to search for."""
    text = str(cell).strip()
    if len(text) < _MIN_NAME_CHARACTERS:
        return False
    return any(map(str.isalpha, text)) or sum(map(str.isdigit, text)) >= _MIN_NUMBER_DIGITS


def _remove_texts(cell: Any, texts: Sequence[str]) -> Any:
    """Replace each of `texts` in a cell by an ellipsis."""
    if isinstance(cell, str):
        for text in texts:
            cell = cell.replace(text, "…")
    return cell


def _first_value(values: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    for column in columns:
        cell = values.get(column)
        if not is_missing(cell):
            return cell
    return None


def _read_required(reader: Any, cell: Any, reason: RejectReason) -> Any:
    try:
        return reader(cell)
    except ValueError as error:
        raise _RejectedRowError(reason, str(error)) from error


def _read_optional(reader: Callable[[Any], Any], cell: Any, name: str, unread: list[str]) -> Any:
    """Read an optional value; return None, and add a line to `unread`, when it can't be read."""
    try:
        return reader(cell)
    except ValueError:
        unread.append(f"{name} unreadable")
        return None


def _identity_digest(fields: Mapping[str, Any]) -> str:
    """Return an id for a post that has none, from what identifies it.

    An author writes the same text only once at one time; several people may on one day.
    """
    names: tuple[str, ...] = _IDENTITY_FIELDS
    if fields["author"] is None or fields["precision"] == "day":
        names += _EXTRA_IDENTITY_FIELDS
    contents = repr([str(fields.get(name) or "") for name in names])
    return blake2b(contents.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
