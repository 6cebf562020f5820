"""A report as Markdown (CommonMark with GitHub's tables)."""

import re
from datetime import date

from folate.core.text import printable_text
from reports.build import Report
from reports.measures.figures import Figure
from reports.messages import Catalogue, catalogue
from reports.render.tables import Cell, Table, tables

_SIGNS = re.compile(
    r"[\\`*_\[\]<>&|~$@]"  # mean something anywhere
    r"|:(?=[!-~])|(?<=www)\."  # begin an address
    r"|^[#+=-]"  # begin a heading or a list
)
_LIST = re.compile(r"^(\d+)([.)])(?=\s|$)")


def render(report: Report) -> bytes:
    """The report in UTF-8. The same report gives the same bytes."""
    say = catalogue(report.language)
    head = [
        f"# {escape(say('page.title', project=report.project, week=str(report.week)))}",
        escape(say.days(report.week)),
    ]
    if report.partial_until:
        head.append(f"**{escape(say('page.partial'))} {escape(say.day(report.partial_until))}**")
    parts = [
        *head,
        *(part for table in tables(report) for part in _table(table, say)),
        escape(say("page.made")),
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def escape(text: str) -> str:
    """`text` on one line, to be read as it is: whatever it says, it starts no heading, list, link, table cell or tag."""
    line = printable_text(" ".join(text.split()))
    return _LIST.sub(r"\1\\\2", _SIGNS.sub(r"\\\g<0>", line))


def _table(table: Table, say: Catalogue) -> list[str]:
    parts = [
        f"## {escape(table.title)}",
        *([escape(table.lead)] if table.lead and table.rows else []),
    ]
    if not table.rows:
        return [*parts, escape(table.empty)]
    if len(table.columns) == 1:
        return [*parts, "\n".join(f"- {_cell(row[0], say)}" for row in table.rows)]
    numbers = [
        any(isinstance(row[place], Figure | int) for row in table.rows)
        for place in range(len(table.columns))
    ]
    lines = [
        [escape(name) for name in table.columns],
        ["--:" if number else "---" for number in numbers],
    ]
    lines += [[_cell(cell, say) for cell in row] for row in table.rows]
    flags = dict.fromkeys(
        flag
        for row in table.rows
        for cell in row
        if isinstance(cell, Figure)
        for flag in cell.flags
    )
    notes = (
        [
            escape(
                say(
                    "table.notes",
                    flags=say("join.list").join(say.word("flag", flag) for flag in flags),
                )
            )
        ]
        if flags
        else []
    )
    return [*parts, "\n".join(f"| {' | '.join(line)} |" for line in lines), *notes]


def _cell(cell: Cell, say: Catalogue) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Figure):
        return escape(_figure(cell, say))
    if isinstance(cell, date):
        return cell.isoformat()
    return f"{cell:,}" if isinstance(cell, int) else escape(cell)


def _figure(figure: Figure, say: Catalogue) -> str:
    """`31.2% (28.9 to 33.5)`."""
    interval = say.interval(figure)
    return f"{say.number(figure)} ({interval})" if interval else say.number(figure)
