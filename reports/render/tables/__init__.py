"""A report as neutral tables: what Markdown and the workbook print, and any other form may.

A section of the report gets its tables by one function, listed in SECTIONS: report and catalogue in, tables out.
"""

from reports.build import Report
from reports.messages import load_messages
from reports.render.tables import relations, sections
from reports.render.tables.table import ReportTable, TableBuilder, TableCell

__all__ = ["ReportTable", "TableCell", "report_tables"]
TABLE_BUILDERS: tuple[TableBuilder, ...] = (
    *sections.SECTION_TABLE_BUILDERS,
    *relations.RELATION_TABLE_BUILDERS,
    *sections.CLOSING_TABLE_BUILDERS,
)
"""In the order that they are printed in."""


def report_tables(report: Report) -> list[ReportTable]:
    """Every table of the report that has rows, or something to say of having none; the evidence is the last."""
    say = load_messages(report.language)
    return [
        table
        for section in TABLE_BUILDERS
        for table in section(report, say)
        if table.rows or table.empty_text
    ]
