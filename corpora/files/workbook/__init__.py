"""Excel workbooks (.xlsx, ECMA-376) as rows, read as a stream.

openpyxl knows number formats, dates and escapes, but does not read the sheets here. It would keep
a row of any length and every shared string in memory, pad rows to the size that a file claims, and
give an error or a formula without a value as if it were a text or nothing.
"""

from corpora.files.workbook.archive import WorkbookError
from corpora.files.workbook.book import Workbook

__all__ = ["Workbook", "WorkbookError"]
