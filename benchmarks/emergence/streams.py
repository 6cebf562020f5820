"""Dated streams of real posts, read from whatever table holds them."""

import csv
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nlp.language import identify
from nlp.segment import Segmenter

TIMES = ("first_seen", "published_at", "created_at", "time", "date")
TEXTS = ("text", "title", "content", "body")
_FORMATS = ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Raw:
    """A post of the base stream."""

    at: datetime
    text: str
    language: str
    words: tuple[str, ...]
    hashtags: tuple[str, ...]


def rows(path: Path) -> list[tuple[datetime, str]]:
    """The (time, text) rows of a CSV or TSV with a header, in order of time; rows without either are left out."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        time = next(c for c in TIMES if c in (reader.fieldnames or ()))
        text = next(c for c in TEXTS if c in (reader.fieldnames or ()))
        found = [(moment(row[time] or row.get("date") or ""), (row[text] or "").strip()) for row in reader]
    return sorted((at, body) for at, body in found if at is not None and body)


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
    return [Raw(at, text, identify(text), tuple(segmenter.words(text)), tuple(segmenter.hashtags(text))) for at, text in chosen]
