"""What stands behind one number of a report, as `folate evidence ID` prints it."""

import json
import textwrap
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from corpora.store.snapshot import Snapshot
from folate.core.post import post_body
from folate.core.text import excerpt, printable_lines, printable_text
from reports import queries
from reports.figures import UNMEASURABLE_FLAG, Figure
from reports.messages import load_messages

_WIDTH = 100


def explain_evidence(row: Mapping[str, Any], snapshot: Snapshot, timezone: str = "UTC") -> str:
    """The text for one row of `evidence`: value, interval, definition, query, corpus versions and posts (authors as hashes).

    `snapshot` is the corpus that the posts are shown from: the one at the row's versions shows them as they stood.
    Their days are those of `zone` (IANA).
    """
    say, figure = load_messages("en"), _figure(row)
    about = ", ".join(printable_text(name) for name in (figure.brand, figure.subject) if name)
    lines = [
        f"{say.measure(figure.measure)}{f' of {about}' if about else ''}, {figure.week}",
        f"value       {say.number(figure)}",
        f"interval    {say.interval(figure) or 'none'}",
        f"n           {figure.n:,}",
        *textwrap.wrap(
            row["definition"], _WIDTH, initial_indent="definition  ", subsequent_indent=" " * 12
        ),
        f"versions    {', '.join(f'{name} {number}' for name, number in json.loads(figure.versions).items()) or 'an empty corpus'}",
        "query",
        textwrap.indent(printable_lines(figure.query), "  "),
        *_posts(snapshot, figure, ZoneInfo(timezone)),
    ]
    return "\n".join(lines)


def _figure(row: Mapping[str, Any]) -> Figure:
    kept = ("measure", "week", "brand", "subject", "value", "low", "high", "n", "query", "versions")
    unmeasurable = (
        row["measure"] in queries.SENTIMENT_MEASURES and row["value"] is None and row["n"] > 0
    )  # the table keeps no flags
    return Figure(
        **{name: row[name] for name in kept}, posts=tuple(row["posts"] or ()), flags=(UNMEASURABLE_FLAG,) if unmeasurable else ()
    )  # fmt: skip


def _posts(snapshot: Snapshot, figure: Figure, zone: ZoneInfo) -> list[str]:
    rows = {row["id"]: row for row in snapshot.sql(queries.posts_query(figure.posts)).to_pylist()}
    shown = [_post(rows[post], zone) for post in figure.posts if post in rows]
    return [
        f"posts       {len(figure.posts)} of those behind it"
        if figure.posts
        else "posts       none",
        *shown,
    ]


def _post(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    day = row["published_at"].astimezone(zone)
    who, said = (
        (row["author"] or "")[:8] or "no author",
        printable_text(excerpt(post_body(row["title"], row["text"]), 80)),
    )
    return f"  {printable_text(row['id'])}  {day:%Y-%m-%d}  {who}  {said}"
