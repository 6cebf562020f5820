"""Dated streams of real posts, read from whatever table holds them."""

import csv
import sys
from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from folate.core.errors import InputError
from nlp.text.language import identify
from nlp.text.segment import Segmenter

TIMES = ("first_seen", "published_at", "created_at", "time", "购买时间", "date")
TEXTS = ("text", "title", "content", "body", "评论内容")
_FORMATS = ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M")


@dataclass(frozen=True)
class Raw:
    """A post of the base stream."""

    at: datetime
    text: str
    language: str
    words: tuple[str, ...]
    hashtags: tuple[str, ...]


def existing(name: str) -> Path:
    """A file of an argument. Raises ArgumentTypeError."""
    path = Path(name)
    if not path.is_file():
        raise ArgumentTypeError(f"wanted a CSV or TSV file, got {name!r}, which is none.")
    return path


def rows(path: Path) -> list[tuple[datetime, str]]:
    """The (time, text) rows of a CSV or TSV with a header, in order of time; rows without either are left out.

    Raises InputError when no column has a name among `TIMES` or `TEXTS` (letter case aside).
    """
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        time, text = _column(reader, TIMES, path), _column(reader, TEXTS, path)
        found = [
            (moment(row[time] or row.get("date") or ""), (row[text] or "").strip())
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


def moment(text: str) -> datetime | None:
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


def annotate(chosen: list[tuple[datetime, str]], segmenter: Segmenter) -> list[Raw]:
    """What Folate's own pipeline says of the text."""
    return [
        Raw(at, text, identify(text), tuple(segmenter.words(text)), tuple(segmenter.hashtags(text)))
        for at, text in chosen
    ]
