"""A report as neutral tables: what Markdown and the workbook print, and any other form may.

A section of the report gets its tables by one function, listed in SECTIONS: report and catalogue in, tables out.
"""

from reports.build import Report
from reports.messages import catalogue
from reports.render.tables import relations, sections
from reports.render.tables.table import Cell, Section, Table

__all__ = ["Cell", "Table", "tables"]
SECTIONS: tuple[Section, ...] = (*sections.ALL, *relations.ALL, *sections.LAST)
"""In the order that they are printed in."""


def tables(report: Report) -> list[Table]:
    """Every table of the report that has rows, or something to say of having none; the evidence is the last."""
    say = catalogue(report.language)
    return [
        table for section in SECTIONS for table in section(report, say) if table.rows or table.empty
    ]
