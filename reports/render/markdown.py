"""Renders a report as Markdown: CommonMark with the tables of GitHub."""

import re
from collections.abc import Iterable
from datetime import date

from folate.core.text import printable_text
from reports.build import Report
from reports.figures import Figure
from reports.messages import Messages, load_messages
from reports.render.tables import ReportTable, TableCell, report_tables

_SPECIAL_CHARACTERS = re.compile(
    r"[\\`*_\[\]<>&|~$@]"  # anywhere
    r"|:(?=[!-~])|(?<=www)\."  # in an address
    r"|^[#+=-]"  # at the beginning of a heading or a list
)
_NUMBERED_ITEM = re.compile(r"^(\d+)([.)])(?=\s|$)")


def render_markdown(report: Report) -> bytes:
    """Render the report in UTF-8; the same report gives the same bytes."""
    message = load_messages(report.language)
    title = message("page.title", project=report.project, week=str(report.week))
    blocks = [f"# {escape_markdown(title)}", escape_markdown(message.days(report.week))]
    if report.partial_until:
        day = escape_markdown(message.day(report.partial_until))
        blocks.append(f"**{escape_markdown(message('page.partial'))} {day}**")
    for table in report_tables(report):
        blocks.extend(_render_table(table, message))
    blocks.append(escape_markdown(message("page.made")))
    return ("\n\n".join(blocks) + "\n").encode("utf-8", "replace")


def escape_markdown(text: str) -> str:
    """Return `text` on one line, with every character escaped that Markdown would interpret."""
    line = printable_text(" ".join(text.split()))
    escaped = _SPECIAL_CHARACTERS.sub(r"\\\g<0>", line)
    return _NUMBERED_ITEM.sub(r"\1\\\2", escaped)


def _render_table(table: ReportTable, message: Messages) -> list[str]:
    """Return the blocks of a table: its heading, and its rows as a table or as a list."""
    blocks = [f"## {escape_markdown(table.title)}"]
    if not table.rows:
        return [*blocks, escape_markdown(table.empty_text)]
    if table.lead:
        blocks.append(escape_markdown(table.lead))
    rows = [[_render_cell(cell, message) for cell in row] for row in table.rows]
    if len(table.columns) == 1:
        items = [f"- {cell}" for (cell,) in rows]
        return [*blocks, "\n".join(items)]
    titles = [escape_markdown(title) for title in table.columns]
    lines = [_table_line(cells) for cells in (titles, _column_alignments(table), *rows)]
    blocks.append("\n".join(lines))
    flags = _collect_flags(table)
    if flags:
        flag_names = [message.word("flag", flag) for flag in flags]
        note = message("table.notes", flags=message("join.list").join(flag_names))
        blocks.append(escape_markdown(note))
    return blocks


def _table_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _column_alignments(table: ReportTable) -> list[str]:
    """Return the delimiter row: columns with numbers are aligned to the right."""
    delimiters = []
    for column_cells in zip(*table.rows, strict=True):
        has_numbers = any(isinstance(cell, Figure | int) for cell in column_cells)
        delimiters.append("--:" if has_numbers else "---")
    return delimiters


def _collect_flags(table: ReportTable) -> list[str]:
    """Return the flags of all figures in the table, each once, in order of appearance."""
    flags: dict[str, None] = {}
    for row in table.rows:
        for cell in row:
            if isinstance(cell, Figure):
                flags.update(dict.fromkeys(cell.flags))
    return list(flags)


def _render_cell(cell: TableCell, message: Messages) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Figure):
        return escape_markdown(_format_figure(cell, message))
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int):
        return f"{cell:,}"
    return escape_markdown(cell)


def _format_figure(figure: Figure, message: Messages) -> str:
    """Return a figure with its interval, as `31.2% (28.9 to 33.5)`."""
    number = message.number(figure)
    interval = message.interval(figure)
    return f"{number} ({interval})" if interval else number
