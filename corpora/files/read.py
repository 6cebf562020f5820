"""A file as Posts and rejects."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from corpora.files import bounds
from corpora.files.convert import ImportOptions, RowConverter
from corpora.files.formats import TabularFile, open_tabular_file
from corpora.files.identity import IdSurvey, survey_ids
from corpora.files.rows import Reject, SourceRow
from folate.core.errors import ConfigError, InputError, suggestion
from folate.core.post import POST_FIELDS, POST_KINDS, Post, source_name_problem
from folate.core.text import join_names, quote_name


class ImportReader:
    """Posts and rejects of one file, made as they are asked for; `ignored` names the columns that no field takes, `unread_sheets`
    the other sheets of a workbook.

    Once read, `unread` counts the values of fields that a post may lack which could not be read, by field and reason, and
    `dates` says what is taken for the order of day and month in dates like 3/8/2026 ("" when there are none).
    """

    def __init__(self, sheet: TabularFile, maker: RowConverter) -> None:
        self._sheet = sheet
        self._maker = maker
        self.unread_values = maker.unread_values
        self.unused_columns = tuple(
            column for column in sheet.columns if column and column not in maker.used_columns
        )
        self.unread_sheets = sheet.unread_sheets

    def notes(self) -> list[str]:
        """Sentences on what a person who looks at the file may not expect; complete once the rows were read."""
        notes = self._sheet.notes()
        if self._maker.removed_repost_chains:
            notes.append(
                f"{self._maker.removed_repost_chains:,} texts of reposts were kept without what others wrote in them"
            )
        return notes

    @property
    def date_order_note(self) -> str:
        return self._maker.date_order_note

    def __iter__(self) -> Iterator[Post | Reject]:
        seen: set[int] = set()
        latest: dict[
            str, list[tuple[Post, SourceRow]]
        ] = {}  # rows of the latest text of those posts of which the file has several
        sources: set[str] = set()
        for row in self._sheet.rows():
            made = (
                self._maker.convert(row)
                if isinstance(row, SourceRow)
                else self._maker.redact_persons(row)
            )
            if isinstance(made, Post) and isinstance(row, SourceRow):
                digest = hash(made)
                if made.source not in sources and len(sources) == bounds.MAX_SOURCES:
                    problem = f"wanted at most {bounds.MAX_SOURCES:,} names of sources in a file; --source gives one to all rows"
                    made = self._maker.reject(row, "too many sources", problem)
                elif digest in seen:
                    made = self._maker.reject(
                        row, "duplicate row", "every field is that of an earlier row"
                    )
                else:
                    sources.add(made.source)
                    if self._maker.is_edited_post(row):
                        yield from self._superseded(latest, made, row)
                        if len(latest) >= _MOST_STATES:
                            yield from _states(latest)
                        continue
                    seen.add(digest)
            yield made
        yield from _states(latest)

    def _superseded(
        self, latest: dict[str, list[tuple[Post, SourceRow]]], post: Post, row: SourceRow
    ) -> Iterator[Reject]:
        """Keep the rows of the latest text of a post; those that give way are rejects."""
        sights = latest.setdefault(post.id, [])
        if not sights or sights[0][0].body == post.body:
            sights.append((post, row))
            return
        if _fetched(post) >= max(_fetched(earlier) for earlier, _ in sights):
            gone, latest[post.id] = [earlier for _, earlier in sights], [(post, row)]
        else:
            gone = [row]
        for superseded in gone:
            detail = f"row {latest[post.id][0][1].number} has a later text of this id"
            yield self._maker.reject(superseded, "id repeated with another text", detail)


_MOST_STATES = 100_000
"""Posts whose latest text is awaited: past them those in hand are given, and a later text is a change of the post."""


def _states(latest: dict[str, list[tuple[Post, SourceRow]]]) -> Iterator[Post]:
    """Give the posts in hand and forget them."""
    yield from [post for sights in latest.values() for post, _ in sights]
    latest.clear()


def _fetched(post: Post) -> datetime:
    return post.fetched_at or datetime.min.replace(tzinfo=UTC)


def read_post_file(path: Path, options: ImportOptions) -> ImportReader:
    """The posts of a CSV, TSV, JSONL, XLSX or Parquet file (text files also as .gz), and why the other rows are none.

    Columns with the names of a Post's fields need no mapping. A post without an `id` gets a digest of what it says, so that
    reading the file again gives the same ids. Raises InputError when the file can't be read or lacks a column, ConfigError
    when a column is mapped to what is no field.
    """
    _check(options)
    sheet = open_tabular_file(
        path, lambda names: _has_needed(names, options.mapping), options.encoding, options.sheet
    )
    columns = {
        name: _columns(path, sheet, name, options.mapping.get(name, name))
        for name in POST_FIELDS
        if name in options.mapping
        or (_named(sheet.columns, name) is not None and name not in options.overridden_fields)
    }
    for needed, present in (
        ("text", "text" in columns or "title" in columns),
        ("published_at", "published_at" in columns),
    ):
        if not present:
            have = join_names(sheet.columns)
            raise InputError(
                f"{quote_name(path.name)} has no column {needed!r}: name one with --map {needed}=COLUMN; its columns are {have}."
            )
    ids = survey_ids(_readable_rows(sheet), columns) if "id" in columns else IdSurvey()
    return ImportReader(sheet, RowConverter(options, columns, sheet.rows, ids))


def _readable_rows(sheet: TabularFile) -> Iterator[SourceRow | Reject]:
    """The rows up to where a file breaks off, which the reading itself will tell."""
    with suppress(InputError):
        yield from sheet.rows()


def _columns(path: Path, sheet: TabularFile, name: str, wanted: str) -> tuple[str, ...]:
    """The columns that hold a field, in order of preference. Raises InputError."""
    columns = []
    for part in (wanted,) if _named(sheet.columns, wanted) else wanted.split("|"):
        column = _named(sheet.columns, part.strip())
        if column is None:
            have = join_names(sheet.columns)
            raise InputError(
                f"{quote_name(path.name)} has no column {quote_name(part.strip())} for {name!r}; its columns are {have}."
            )
        columns.append(column)
    return tuple(columns)


def _has_needed(names: Collection[str], mapping: Mapping[str, str]) -> bool:
    """Whether columns of these names hold a date, and a text or a title."""

    def has(field: str) -> bool:
        return any(
            _named(names, part.strip()) is not None for part in mapping.get(field, field).split("|")
        )

    return has("published_at") and (has("text") or has("title"))


def _named(columns: Collection[str], wanted: str) -> str | None:
    """The column of this name; a name that goes on over a line break is also called by its first line."""
    if wanted in columns:
        return wanted
    called = [
        name
        for name in columns
        if "\n" in name and wanted in (_on_one_line(name), name.splitlines()[0].strip())
    ]
    return called[0] if len(called) == 1 else None


def _on_one_line(name: str) -> str:
    return " ".join(name.split())


def _check(options: ImportOptions) -> None:
    for name in options.mapping:
        if name not in POST_FIELDS:
            raise ConfigError(
                f"a post has no field {name!r} to map a column to; {suggestion(name, POST_FIELDS)}"
            )
    if options.kind not in POST_KINDS:
        raise InputError(f"wanted a kind among {', '.join(POST_KINDS)}, got {options.kind!r}.")
    if problem := source_name_problem(options.source):
        raise InputError(f"{problem}; name another with --source.")
    if options.rating_scale is not None and not 0 < options.rating_scale < inf:
        raise InputError(f"wanted a rating scale above 0 and finite, got {options.rating_scale!r}.")
