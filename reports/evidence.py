"""The evidence of one number of a report, as `folate evidence ID` prints it."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from corpora.index.versions import version_name
from corpora.store.snapshot import Snapshot
from folate.core.measures import SENTIMENT_MEASURES
from folate.core.post import post_body
from folate.core.text import excerpt, printable_lines, printable_text
from reports import queries
from reports.figures import UNMEASURABLE_FLAG, Figure, is_corpus_measure
from reports.messages import load_messages

_LINE_WIDTH = 100
_LABEL_WIDTH = 12
_EXCERPT_LENGTH = 80
_SHOWN_HASH_LENGTH = 8
_FIGURE_COLUMNS = (
    "measure",
    "week",
    "brand",
    "subject",
    "value",
    "low",
    "high",
    "n",
    "query",
    "versions",
)


def explain_evidence(row: Mapping[str, Any], snapshot: Snapshot, timezone: str = "UTC") -> str:
    """Explain a row of `evidence`: value, interval, definition, query, versions and posts.

    The posts are those of `snapshot`: one at the row's versions shows them as they were. Their days
    are those of `timezone`, an IANA name; their authors are hashes.
    """
    message = load_messages("en")
    figure = _figure_from_row(row)
    subjects = [printable_text(name) for name in (figure.brand, figure.subject) if name]
    subject = f" of {', '.join(subjects)}" if subjects else ""
    versions = [f"{name} {number}" for name, number in json.loads(figure.versions).items()]
    definition = textwrap.wrap(
        row["definition"],
        _LINE_WIDTH,
        initial_indent="definition".ljust(_LABEL_WIDTH),
        subsequent_indent=" " * _LABEL_WIDTH,
    )
    lines = [
        f"{message.measure(figure.measure)}{subject}, {figure.week}",
        f"value       {message.number(figure)}",
        f"interval    {message.interval(figure) or 'none'}",
        f"n           {figure.n:,}",
        *definition,
        f"versions    {', '.join(versions) or 'an empty corpus'}",
        *_corpus_lines(figure),
        "query",
        textwrap.indent(printable_lines(figure.query), "  "),
        *_post_lines(snapshot, figure, ZoneInfo(timezone)),
    ]
    return "\n".join(lines)


def _corpus_lines(figure: Figure) -> Iterator[str]:
    """Yield how to ask the query again where it is one of the corpus, not SQL."""
    if is_corpus_measure(figure.measure):
        version = version_name(json.loads(figure.versions))
        yield f"corpus      {version} (folate count QUERY --at {version})"


def _figure_from_row(row: Mapping[str, Any]) -> Figure:
    """Restore a figure; the table has no flags, but a missing sentiment with posts is one."""
    is_unmeasurable = row["measure"] in SENTIMENT_MEASURES and row["value"] is None and row["n"] > 0
    return Figure(
        **{name: row[name] for name in _FIGURE_COLUMNS},
        posts=tuple(row["posts"] or ()),
        flags=(UNMEASURABLE_FLAG,) if is_unmeasurable else (),
    )


def _post_lines(snapshot: Snapshot, figure: Figure, zone: ZoneInfo) -> Iterator[str]:
    """Yield how many posts are behind the figure, and those that the snapshot has."""
    if not figure.posts:
        yield "posts       none"
        return
    yield f"posts       {len(figure.posts)} of those behind it"
    rows = snapshot.sql(queries.posts_query(figure.posts)).to_pylist()
    row_by_id = {row["id"]: row for row in rows}
    for post_id in figure.posts:
        if post_id in row_by_id:
            yield _post_line(row_by_id[post_id], zone)


def _post_line(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    day = row["published_at"].astimezone(zone)
    author = (row["author"] or "")[:_SHOWN_HASH_LENGTH] or "no author"
    text = printable_text(excerpt(post_body(row["title"], row["text"]), _EXCERPT_LENGTH))
    return f"  {printable_text(row['id'])}  {day:%Y-%m-%d}  {author}  {text}"
