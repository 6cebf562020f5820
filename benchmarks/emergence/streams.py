"""Dated streams of real posts, read from whatever table holds them."""

import csv
import sys
from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from folate.core.errors import InputError
from nlp.text.language import identify_language
from nlp.text.segment import Segmenter

TIME_COLUMNS = ("first_seen", "published_at", "created_at", "time", "购买时间", "date")
TEXT_COLUMNS = ("text", "title", "content", "body", "评论内容")
_FORMATS = ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M")


@dataclass(frozen=True)
class StreamPost:
    """A post of the base stream."""

    published_at: datetime
    text: str
    language: str
    words: tuple[str, ...]
    hashtags: tuple[str, ...]


def existing_file(name: str) -> Path:
    """A file of an argument. Raises ArgumentTypeError."""
    path = Path(name)
    if not path.is_file():
        raise ArgumentTypeError(f"wanted a CSV or TSV file, got {name!r}, which is none.")
    return path


def read_dated_texts(path: Path) -> list[tuple[datetime, str]]:
    """The (time, text) rows of a CSV or TSV with a header, in order of time; rows without either are left out.

    Raises InputError when no column has a name among `TIMES` or `TEXTS` (letter case aside).
    """
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        time, text = _column(reader, TIME_COLUMNS, path), _column(reader, TEXT_COLUMNS, path)
        found = [
            (parse_time(row[time] or row.get("date") or ""), (row[text] or "").strip())
            for row in reader
        ]
    return sorted((at, body) for at, body in found if at is not None and body)


def _column(reader: "csv.DictReader[str]", names: tuple[str, ...], path: Path) -> str:
    """The column whose name stands first in `names`."""
    own = {column.lower(): column for column in reader.fieldnames or ()}
    for name in names:
        if name in own:
            return own[name]
    raise InputError(
        f"wanted a column of {path.name} named one of {', '.join(names)}; it has {', '.join(own)}."
    )


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 or American time; UTC where it has no offset; None when it is neither."""
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def annotate_posts(chosen: list[tuple[datetime, str]], segmenter: Segmenter) -> list[StreamPost]:
    """What Folate's own pipeline says of the text."""
    return [
        StreamPost(
            at,
            text,
            identify_language(text),
            tuple(segmenter.words(text)),
            tuple(segmenter.hashtags(text)),
        )
        for at, text in chosen
    ]
