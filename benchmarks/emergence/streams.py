"""Base streams of the benchmark: dated texts from CSV or TSV files, segmented by Folate."""

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
_TIME_FORMATS = ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M")


@dataclass(frozen=True)
class StreamPost:
    """A post of a base stream, with the annotations that topic discovery uses."""

    published_at: datetime
    text: str
    language: str
    words: tuple[str, ...]
    hashtags: tuple[str, ...]


def existing_file(name: str) -> Path:
    """Parse a file name on the command line. Raises ArgumentTypeError if there is no such file."""
    path = Path(name)
    if not path.is_file():
        raise ArgumentTypeError(f"wanted a CSV or TSV file, got {name!r}, which is none.")
    return path


def read_dated_texts(path: Path) -> list[tuple[datetime, str]]:
    """Read the (time, text) rows of a CSV or TSV file with a header, in order of time.

    Rows without either are left out. Raises InputError when no column has a name among
    `TIME_COLUMNS` or `TEXT_COLUMNS` (letter case aside).
    """
    csv.field_size_limit(sys.maxsize)
    dated_texts = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        time_column = _find_column(reader, TIME_COLUMNS, path)
        text_column = _find_column(reader, TEXT_COLUMNS, path)
        for row in reader:
            published_at = parse_time(row[time_column] or row.get("date") or "")
            text = (row[text_column] or "").strip()
            if published_at is not None and text:
                dated_texts.append((published_at, text))
    return sorted(dated_texts)


def _find_column(reader: "csv.DictReader[str]", names: tuple[str, ...], path: Path) -> str:
    """Return the column with the first of `names` that the file has."""
    column_by_name = {column.lower(): column for column in reader.fieldnames or ()}
    for name in names:
        if name in column_by_name:
            return column_by_name[name]
    raise InputError(
        f"wanted a column of {path.name} named one of {', '.join(names)}; "
        f"it has {', '.join(column_by_name)}."
    )


def parse_time(text: str) -> datetime | None:
    """Parse an ISO 8601 or American time, as UTC when it has no offset; None when it is neither."""
    for time_format in _TIME_FORMATS:
        try:
            return datetime.strptime(text, time_format).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def annotate_posts(
    dated_texts: list[tuple[datetime, str]], segmenter: Segmenter
) -> list[StreamPost]:
    """Annotate texts with language, words and hashtags, as Folate's pipeline does."""
    return [
        StreamPost(
            published_at=published_at,
            text=text,
            language=identify_language(text),
            words=tuple(segmenter.words(text)),
            hashtags=tuple(segmenter.hashtags(text)),
        )
        for published_at, text in dated_texts
    ]
