"""A report as Markdown (CommonMark with GitHub's tables)."""

import re
from datetime import date

from folate.core.text import printable_text
from reports.build import Report
from reports.figures import Figure
from reports.messages import Messages, load_messages
from reports.render.tables import ReportTable, TableCell, report_tables

_SIGNS = re.compile(
    r"[\\`*_\[\]<>&|~$@]"  # mean something anywhere
    r"|:(?=[!-~])|(?<=www)\."  # begin an address
    r"|^[#+=-]"  # begin a heading or a list
)
_LIST = re.compile(r"^(\d+)([.)])(?=\s|$)")


def render_markdown(report: Report) -> bytes:
    """The report in UTF-8. The same report gives the same bytes."""
    say = load_messages(report.language)
    head = [
        f"# {escape_markdown(say('page.title', project=report.project, week=str(report.week)))}",
        escape_markdown(say.days(report.week)),
    ]
    if report.partial_until:
        head.append(
            f"**{escape_markdown(say('page.partial'))} {escape_markdown(say.day(report.partial_until))}**"
        )
    parts = [
        *head,
        *(part for table in report_tables(report) for part in _table(table, say)),
        escape_markdown(say("page.made")),
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def escape_markdown(text: str) -> str:
    """`text` on one line, to be read as it is: whatever it says, it starts no heading, list, link, table cell or tag."""
    line = printable_text(" ".join(text.split()))
    return _LIST.sub(r"\1\\\2", _SIGNS.sub(r"\\\g<0>", line))


def _table(table: ReportTable, say: Messages) -> list[str]:
    parts = [
        f"## {escape_markdown(table.title)}",
        *([escape_markdown(table.lead)] if table.lead and table.rows else []),
    ]
    if not table.rows:
        return [*parts, escape_markdown(table.empty_text)]
    if len(table.columns) == 1:
        return [*parts, "\n".join(f"- {_cell(row[0], say)}" for row in table.rows)]
    numbers = [
        any(isinstance(row[place], Figure | int) for row in table.rows)
        for place in range(len(table.columns))
    ]
    lines = [
        [escape_markdown(name) for name in table.columns],
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
            escape_markdown(
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


def _cell(cell: TableCell, say: Messages) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Figure):
        return escape_markdown(_figure(cell, say))
    if isinstance(cell, date):
        return cell.isoformat()
    return f"{cell:,}" if isinstance(cell, int) else escape_markdown(cell)


def _figure(figure: Figure, say: Messages) -> str:
    """`31.2% (28.9 to 33.5)`."""
    interval = say.interval(figure)
    return f"{say.number(figure)} ({interval})" if interval else say.number(figure)
