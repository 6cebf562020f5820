"""Import of a file: its posts, and the rows that are rejected."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import NamedTuple

from corpora.files import bounds
from corpora.files.convert import ImportOptions, RowConverter
from corpora.files.formats import TabularFile, open_tabular_file
from corpora.files.identity import IdSurvey, survey_ids
from corpora.files.rows import Reject, SourceRow
from folate.core.errors import ConfigError, InputError, suggestion
from folate.core.post import POST_FIELDS, POST_KINDS, Post, source_name_problem
from folate.core.text import join_names, quote_name


class ImportReader:
    """An iterator over the posts and rejects of one file, converted on demand."""

    def __init__(self, file: TabularFile, converter: RowConverter) -> None:
        self._file = file
        self._converter = converter
        # Optional values that could not be read, by field and reason; complete once all is read.
        self.unread_values = converter.unread_values
        # Columns that no field is read from.
        self.unused_columns = tuple(
            column for column in file.columns if column and column not in converter.used_columns
        )
        # The other sheets of a workbook.
        self.unread_sheets = file.unread_sheets

    def notes(self) -> list[str]:
        """Return sentences on what a reader of the file may not expect.

        They are complete once the rows are read.
        """
        notes = self._file.notes()
        if count := self._converter.removed_repost_chains:
            notes.append(f"{count:,} texts of reposts were kept without what others wrote in them")
        return notes

    @property
    def date_order_note(self) -> str:
        """What is taken for the order of day and month in dates like 3/8/2026; "" for none."""
        return self._converter.date_order_note

    def __iter__(self) -> Iterator[Post | Reject]:
        digests: set[int] = set()
        sources: set[str] = set()
        # Rows of the latest text of each post of which the file has several texts, by post id.
        latest_states: dict[str, list[_PostState]] = {}
        for row in self._file.rows():
            if not isinstance(row, SourceRow):
                yield self._converter.redact_persons(row)
                continue
            post = self._converter.convert(row)
            if not isinstance(post, Post):
                yield post
                continue
            digest = hash(post)
            if post.source not in sources and len(sources) == bounds.MAX_SOURCES:
                problem = (
                    f"wanted at most {bounds.MAX_SOURCES:,} names of sources in a file; "
                    "--source gives one to all rows"
                )
                yield self._converter.reject(row, "too many sources", problem)
                continue
            if digest in digests:
                problem = "every field is that of an earlier row"
                yield self._converter.reject(row, "duplicate row", problem)
                continue
            sources.add(post.source)
            if self._converter.is_edited_post(row):
                yield from self._add_state(latest_states, _PostState(post, row))
                if len(latest_states) >= _MAX_PENDING_POSTS:
                    yield from _take_posts(latest_states)
                continue
            digests.add(digest)
            yield post
        yield from _take_posts(latest_states)

    def _add_state(
        self, latest_states: "dict[str, list[_PostState]]", state: "_PostState"
    ) -> Iterator[Reject]:
        """Keep the rows of the latest text of a post, and yield those of others as rejects."""
        post_id = state.post.id
        states = latest_states.setdefault(post_id, [])
        if not states or states[0].post.body == state.post.body:
            states.append(state)
            return
        if _fetched_at(state.post) >= max(_fetched_at(earlier.post) for earlier in states):
            superseded_rows = [earlier.row for earlier in states]
            latest_states[post_id] = [state]
        else:
            superseded_rows = [state.row]
        for row in superseded_rows:
            detail = f"row {latest_states[post_id][0].row.number} has a later text of this id"
            yield self._converter.reject(row, "id repeated with another text", detail)


_MAX_PENDING_POSTS = 100_000
"""Posts whose latest text is awaited. When there are so many they are yielded, and a later text of
one is then a change of the post."""


class _PostState(NamedTuple):
    """One state of a post that a file has several times, and its row."""

    post: Post
    row: SourceRow


def _take_posts(latest_states: dict[str, list[_PostState]]) -> Iterator[Post]:
    """Yield the posts and empty the dictionary."""
    for states in latest_states.values():
        for state in states:
            yield state.post
    latest_states.clear()


def _fetched_at(post: Post) -> datetime:
    return post.fetched_at or datetime.min.replace(tzinfo=UTC)


def read_post_file(path: Path, options: ImportOptions) -> ImportReader:
    """Read posts from a CSV, TSV, JSONL, XLSX or Parquet file (text files also as .gz).

    Columns with the names of a Post's fields need no mapping. A post without an `id` gets a digest
    of its contents, so that reading the file again gives the same ids. Raises InputError when the
    file can't be read or lacks a column, ConfigError when a column is mapped to no field.
    """
    _check_options(options)
    file = open_tabular_file(
        path,
        lambda names: _has_required_columns(names, options.mapping),
        options.encoding,
        options.sheet,
    )
    columns = {}
    for field in POST_FIELDS:
        is_mapped = field in options.mapping
        is_named = _find_column(file.columns, field) is not None
        if is_mapped or (is_named and field not in options.overridden_fields):
            columns[field] = _find_columns(path, file, field, options.mapping.get(field, field))
    if "text" not in columns and "title" not in columns:
        raise _missing_column_error(path, file, "text")
    if "published_at" not in columns:
        raise _missing_column_error(path, file, "published_at")
    ids = survey_ids(_readable_rows(file), columns) if "id" in columns else IdSurvey()
    return ImportReader(file, RowConverter(options, columns, file.rows, ids))


def _missing_column_error(path: Path, file: TabularFile, field: str) -> InputError:
    return InputError(
        f"{quote_name(path.name)} has no column {field!r}: name one with --map {field}=COLUMN; "
        f"its columns are {join_names(file.columns)}."
    )


def _readable_rows(file: TabularFile) -> Iterator[SourceRow | Reject]:
    """Yield the rows up to where a file breaks off; the import itself reports the break."""
    with suppress(InputError):
        yield from file.rows()


def _find_columns(path: Path, file: TabularFile, field: str, mapped: str) -> tuple[str, ...]:
    """Return the columns that hold a field, in order of preference. Raises InputError.

    `mapped` is the name of a column, or several names as "a|b".
    """
    names = [mapped] if _find_column(file.columns, mapped) else mapped.split("|")
    columns = []
    for name in names:
        column = _find_column(file.columns, name.strip())
        if column is None:
            raise InputError(
                f"{quote_name(path.name)} has no column {quote_name(name.strip())} for {field!r}; "
                f"its columns are {join_names(file.columns)}."
            )
        columns.append(column)
    return tuple(columns)


def _has_required_columns(names: Collection[str], mapping: Mapping[str, str]) -> bool:
    """Return whether columns of these names hold a date, and a text or a title."""

    def has_field(field: str) -> bool:
        mapped_names = mapping.get(field, field).split("|")
        return any(_find_column(names, name.strip()) is not None for name in mapped_names)

    return has_field("published_at") and (has_field("text") or has_field("title"))


def _find_column(columns: Collection[str], requested: str) -> str | None:
    """Return the column of this name; a name of several lines also goes by its first line."""
    if requested in columns:
        return requested
    matches = []
    for name in columns:
        if "\n" not in name:
            continue
        on_one_line = " ".join(name.split())
        if requested in (on_one_line, name.splitlines()[0].strip()):
            matches.append(name)
    return matches[0] if len(matches) == 1 else None


def _check_options(options: ImportOptions) -> None:
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
