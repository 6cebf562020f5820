"""Import of posts from files. Importing a file again adds no post twice."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from corpora.files import ImportOptions, Reject, read_post_file
from corpora.store.store import UpsertCounts
from folate.core.dates import DateOrder
from folate.core.encoding import require_encoding
from folate.core.errors import InputError
from folate.core.post import Post
from folate.core.progress import track_items
from folate.pipeline.project import Project
from folate.pipeline.rejects import RejectsWriter, format_reasons


def import_file(
    project: Project,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    source: str | None = None,
    kind: str | None = None,
    rating_scale: float | None = None,
    encoding: str | None = None,
    date_order: DateOrder | None = None,
    sheet: str | None = None,
) -> dict[str, Any]:
    """Import one file into the store and return what was read, as one row of plain values.

    `mapping` has the column of each post field whose column has another name. `source` and `kind`
    apply to every row; without them the row's own columns count, else the file's name and "review".
    Ratings run from 0 to `rating_scale`, else from 0 to 1. `date_order` is the order of day and
    month in dates such as 3/8/2026; without it the order is derived from the file's other dates,
    and such a date is rejected where they don't show it. `sheet` is the sheet of a workbook to
    read, else the first.

    The row has counts: `added`, `changed`, `known`, `repeated` in the file, and `rejected`, with
    `reasons`; `unused_columns`; `unread_fields`: values that could not be read and are missing in
    the posts, by field and reason; `dates`: the order of day and month and why it was chosen;
    `unread_sheets`; `notes`: sentences for the user; and `problem`: why the file could not be read
    to its end, or None. Rows before that point are imported.

    Rejected rows are written to rejects/FILE.jsonl (see `RejectsWriter`). Raises InputError when
    the file can't be read at all, ConfigError when `encoding` is unknown.
    """
    overridden = {name for name, value in (("source", source), ("kind", kind)) if value}
    options = ImportOptions(
        mapping=dict(mapping or {}),
        source=source or path.name.split(".")[0],
        kind=kind or "review",
        overridden_fields=frozenset(overridden),
        rating_scale=rating_scale,
        date_order=date_order,
        timezone=project.config.timezone,
        crawl=f"import:{path.name}",
        salt=project.load_or_create_salt(),
        encoding=require_encoding(encoding) if encoding else None,
        sheet=sheet,
    )
    rows = read_post_file(path, options)
    reasons = Counter[str]()
    problems: list[str] = []
    with RejectsWriter(project.rejects_folder, path.name) as rejects:
        tracked_rows = track_items(rows, "reading", unit="row")
        readable_rows = _stop_at_input_error(tracked_rows, problems)
        counts = project.store.upsert_posts(_filter_posts(readable_rows, rejects, reasons))
    notes = rows.notes() + rejects.notes()
    if not reasons and not problems and counts == UpsertCounts():
        notes.append("it has no rows below the header")
    return {
        "file": path.name,
        "added": counts.inserted,
        "changed": counts.updated,
        "known": counts.unchanged,
        "repeated": counts.repeated,
        "rejected": reasons.total(),
        "reasons": format_reasons(reasons),
        "unused_columns": list(rows.unused_columns),
        "unread_fields": format_reasons(rows.unread_values),
        "dates": rows.date_order_note,
        "unread_sheets": list(rows.unread_sheets),
        "notes": notes,
        "problem": problems[0] if problems else None,
    }


def _stop_at_input_error(
    rows: Iterable[Post | Reject], problems: list[str]
) -> Iterator[Post | Reject]:
    """Yield rows until the file can't be read any further; append the reason to `problems`."""
    try:
        yield from rows
    except InputError as error:
        problems.append(str(error))


def _filter_posts(
    rows: Iterable[Post | Reject], rejects: RejectsWriter, reasons: Counter[str]
) -> Iterator[Post]:
    """Yield the posts among `rows`; count the rejects in `reasons` and write them to `rejects`."""
    for row in rows:
        if isinstance(row, Post):
            yield row
        else:
            reasons[row.reason] += 1
            rejects.write(row)
