"""A file as Posts and rejects."""

from collections.abc import Iterator
from math import inf
from pathlib import Path

from corpora.files.making import ImportOptions, Maker
from corpora.files.rejects import Reject, Row
from corpora.files.sheets import Sheet, open_sheet
from folate.core.text import listed, quoted
from folate.errors import ConfigError, InputError, possible
from folate.post import FIELDS, KINDS, Post, source_problem


class Reading:
    """Posts and rejects of one file, made as they are asked for; `ignored` names the columns that no field takes."""

    def __init__(self, sheet: Sheet, maker: Maker) -> None:
        self._sheet = sheet
        self._maker = maker
        self.ignored = tuple(column for column in sheet.columns if column and column not in maker.used)

    def __iter__(self) -> Iterator[Post | Reject]:
        seen: set[int] = set()
        for row in self._sheet.rows():
            made = self._maker.post(row) if isinstance(row, Row) else self._maker.without_authors(row)
            if isinstance(made, Post) and isinstance(row, Row):
                digest = hash(made)
                if digest in seen:
                    made = self._maker.reject(row, "duplicate row", "every field is that of an earlier row")
                seen.add(digest)
            yield made


def read(path: Path, options: ImportOptions) -> Reading:
    """The posts of a CSV, TSV, JSONL, XLSX or Parquet file (text files also as .gz), and why the other rows are none.

    Columns with the names of a Post's fields need no mapping. A post without an `id` gets a digest of what it says, so that
    reading the file again gives the same ids. Raises InputError when the file can't be read or lacks a column, ConfigError
    when a column is mapped to what is no field.
    """
    _check(options)
    sheet = open_sheet(path)
    columns = {
        name: _columns(path, sheet, name, options.mapping.get(name, name))
        for name in FIELDS
        if name in options.mapping or (name in sheet.columns and name not in options.decided)
    }
    for needed, present in (("text", "text" in columns or "title" in columns), ("published_at", "published_at" in columns)):
        if not present:
            have = listed(sheet.columns)
            raise InputError(f"{quoted(path.name)} has no column {needed!r}: name one with --map {needed}=COLUMN; its columns are {have}.")
    return Reading(sheet, Maker(options, columns))


def _columns(path: Path, sheet: Sheet, name: str, wanted: str) -> tuple[str, ...]:
    """The columns that hold a field, in order of preference. Raises InputError."""
    columns = (wanted,) if wanted in sheet.columns else tuple(part.strip() for part in wanted.split("|"))
    for column in columns:
        if column not in sheet.columns:
            raise InputError(f"{quoted(path.name)} has no column {quoted(column)} for {name!r}; its columns are {listed(sheet.columns)}.")
    return columns


def _check(options: ImportOptions) -> None:
    for name in options.mapping:
        if name not in FIELDS:
            raise ConfigError(f"a post has no field {name!r} to map a column to; {possible(name, FIELDS)}")
    if options.kind not in KINDS:
        raise InputError(f"wanted a kind among {', '.join(KINDS)}, got {options.kind!r}.")
    if problem := source_problem(options.source):
        raise InputError(f"{problem}; name another with --source.")
    if options.rating_scale is not None and not 0 < options.rating_scale < inf:
        raise InputError(f"wanted a rating scale above 0 and finite, got {options.rating_scale!r}.")
