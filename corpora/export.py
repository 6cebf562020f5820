"""Export of posts and annotations as JSON lines, CSV or Parquet, written as they are read."""

import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.store.snapshot import Snapshot
from folate.core.errors import ConfigError, suggestion
from folate.core.post import POST_FIELDS
from folate.core.spreadsheet import CsvWriter
from folate.core.text import escape_json

EXPORT_FORMATS = ("jsonl", "csv", "parquet")
_POST_COLUMNS = ", ".join(f"p.{name}" for name in POST_FIELDS)
_POSTS_QUERY = f"SELECT {_POST_COLUMNS} FROM posts p ORDER BY p.published_at, p.id"
_ANNOTATIONS_QUERY = """
    WITH of_brands AS (
        SELECT m.id, list({
            'brand': m.brand, 'start': m.start, 'end': m."end", 'via': m.via, 'label': s.label,
            'negative': s.negative, 'neutral': s.neutral, 'positive': s.positive
        } ORDER BY m.start NULLS LAST, m.brand) AS mentions
        FROM mentions m LEFT JOIN sentiments s ON s.id = m.id AND s.brand = m.brand
        GROUP BY m.id
    ), spoken AS (
        SELECT id, list({
            'brand': brand, 'aspect': aspect, 'label': label, 'negative': negative,
            'neutral': neutral, 'positive': positive, 'confidence': confidence, 'start': start,
            'end': "end"
        } ORDER BY confidence DESC, aspect, brand) AS aspects
        FROM aspects GROUP BY id
    ), compared AS (
        SELECT id, list({
            'brand': brand, 'other': other, 'kind': kind, 'start': start, 'end': "end"
        } ORDER BY start, brand) AS comparisons
        FROM comparisons GROUP BY id
    )
    SELECT p.id, t.language, s.label, s.negative, s.neutral, s.positive,
           coalesce(b.mentions, []) AS mentions, coalesce(a.aspects, []) AS aspects,
           coalesce(c.comparisons, []) AS comparisons, j.emotion,
           CASE WHEN j.emotion IS NOT NULL THEN {
               'happy': j.happy, 'angry': j.angry, 'sad': j.sad, 'fear': j.fear,
               'surprise': j.surprise, 'neutral': j.neutral
           } END AS emotions,
           CASE WHEN j.buy IS NOT NULL THEN {
               'buy': j.buy, 'switch': j.switch, 'ask': j.ask, 'complain': j.complain
           } END AS intents,
           coalesce(j.tags, []) AS tags
    FROM posts p
    LEFT JOIN texts t ON t.id = p.id
    LEFT JOIN sentiments s ON s.id = p.id AND s.brand IS NULL
    LEFT JOIN of_brands b ON b.id = p.id
    LEFT JOIN spoken a ON a.id = p.id
    LEFT JOIN compared c ON c.id = p.id
    LEFT JOIN judgements j ON j.id = p.id
    ORDER BY p.published_at, p.id
"""
_QUERIES = {"posts": _POSTS_QUERY, "annotations": _ANNOTATIONS_QUERY}


def export_rows(snapshot: Snapshot, what: str, form: str, out: BinaryIO) -> int:
    """Write rows to `out` and return how many.

    `what` is "posts" (the fields of a Post) or "annotations" (one row per post with everything that
    was annotated), `form` one of `EXPORT_FORMATS`. Rows are ordered by time of publication. JSON
    lines leave out missing fields. CSV is UTF-8 with a byte order mark, its lists are JSON, and
    cells that a spreadsheet would run as a formula get an apostrophe before them
    (`folate.core.spreadsheet`). Raises ConfigError for unknown names.
    """
    if what not in _QUERIES:
        raise ConfigError(f"nothing named {what!r} to export; {suggestion(what, _QUERIES)}")
    if form not in EXPORT_FORMATS:
        raise ConfigError(f"no format {form!r} to export; {suggestion(form, EXPORT_FORMATS)}")
    query = _QUERIES[what]
    schema = snapshot.sql(f"FROM ({query}) LIMIT 0").schema
    return _WRITERS[form](snapshot.stream(query), schema, out)


def _write_json_lines(batches: Iterable[pa.RecordBatch], schema: pa.Schema, out: BinaryIO) -> int:
    count = 0
    for row in _iterate_rows(batches):
        present = {name: value for name, value in row.items() if value is not None}
        line = escape_json(json.dumps(present, ensure_ascii=False, default=_format_moment))
        out.write(line.encode() + b"\n")
        count += 1
    return count


def _write_csv(batches: Iterable[pa.RecordBatch], schema: pa.Schema, out: BinaryIO) -> int:
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    writer = CsvWriter(text, _format_moment)
    writer.write_row(schema.names)
    count = 0
    for row in _iterate_rows(batches):
        writer.write_row(row.values())
        count += 1
    text.detach()  # the caller closes `out`
    return count


def _write_parquet(batches: Iterable[pa.RecordBatch], schema: pa.Schema, out: BinaryIO) -> int:
    count = 0
    with pq.ParquetWriter(_CountingStream(out), schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


_WRITERS = {"jsonl": _write_json_lines, "csv": _write_csv, "parquet": _write_parquet}


class _CountingStream(io.RawIOBase):
    """A stream that knows its position, which a pipe does not."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        self._position += len(data)
        self._out.write(data)
        return len(data)


def _iterate_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()


def _format_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
