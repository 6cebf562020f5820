"""The tables of a report, which Markdown and the workbook render.

Each section of the report has a function that creates its tables from the report and the messages
of a language.
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
"""In the order of the tables in a report."""


def report_tables(report: Report) -> list[ReportTable]:
    """Return the tables of a report that have rows or a text in their place; evidence is last."""
    message = load_messages(report.language)
    tables: list[ReportTable] = []
    for build_tables in TABLE_BUILDERS:
        tables += build_tables(report, message)
    return [table for table in tables if table.rows or table.empty_text]
