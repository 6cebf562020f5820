"""A workbook: its sheets, the parts of the archive that it is built of, and the rows of a sheet."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from corpora.files.workbook import archive
from corpora.files.workbook.archive import ElementHandler, WorkbookArchive, WorkbookError
from corpora.files.workbook.shared_strings import SharedStrings, decode_escapes
from corpora.files.workbook.sheet import SheetReader, SheetRow
from corpora.files.workbook.styles import StyleHandler

# Bytes of a sheet or of the shared strings, unpacked: 1,048,576 rows of 50 columns stay below.
_MAX_CONTENT_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Workbook:
    """How a workbook is built."""

    path: Path
    # Part of the archive by sheet name; the first sheet that is not hidden comes first.
    sheet_parts: dict[str, str]
    # The part with the texts that cells share.
    shared_strings_part: str | None
    # By number of the style: "date" where it shows a number as a day, "moment" where with a clock.
    date_styles: dict[int, str]
    # Day 0 of its dates.
    epoch: datetime

    @classmethod
    def open(cls, path: Path) -> "Workbook":
        """Read how a workbook is built. Raises WorkbookError and OutOfBoundsError."""
        with closing(WorkbookArchive(path)) as parts:
            return cls._read_structure(path, parts)

    @classmethod
    def _read_structure(cls, path: Path, parts: WorkbookArchive) -> "Workbook":
        main_part = "xl/workbook.xml"
        for relation in parts.read_relations(""):
            if relation.kind == "officeDocument":
                main_part = relation.part
                break
        if main_part.endswith(".bin"):
            raise WorkbookError("wanted a workbook of XML (.xlsx), got a binary one (.xlsb)")
        relations = parts.read_relations(main_part)
        outline = _OutlineHandler(
            {relation.id: relation.part for relation in relations if relation.kind == "worksheet"}
        )
        parts.parse(main_part, archive.MAX_STRUCTURE_BYTES, outline)
        if not outline.visible_sheets and not outline.hidden_sheets:
            raise WorkbookError("wanted a workbook with a sheet, got one without")
        part_by_kind = {}
        for kind in ("sharedStrings", "styles"):
            part_by_kind[kind] = posixpath.join(posixpath.dirname(main_part), f"{kind}.xml")
        part_by_kind |= {relation.kind: relation.part for relation in relations}
        styles = StyleHandler()
        if parts.has_part(part_by_kind["styles"]):
            parts.parse(part_by_kind["styles"], archive.MAX_STRUCTURE_BYTES, styles)
        shared_strings = part_by_kind["sharedStrings"]
        return cls(
            path=path,
            sheet_parts=outline.visible_sheets | outline.hidden_sheets,
            shared_strings_part=shared_strings if parts.has_part(shared_strings) else None,
            date_styles=styles.date_styles(),
            epoch=outline.epoch,
        )

    def rows(self, sheet: str, oddities: Counter[str]) -> Iterator[SheetRow]:
        """Yield the rows of a sheet that are not empty.

        `oddities` counts what the rows don't show (see `SheetReader`). Raises WorkbookError and
        OutOfBoundsError.
        """
        with closing(WorkbookArchive(self.path)) as parts, closing(SharedStrings()) as strings:
            if self.shared_strings_part:
                parts.parse(self.shared_strings_part, _MAX_CONTENT_BYTES, strings)
            reader = SheetReader(self.date_styles, self.epoch, strings, oddities)
            for _ in parts.parse_chunks(self.sheet_parts[sheet], _MAX_CONTENT_BYTES, reader):
                yield from reader.take_rows()


class _OutlineHandler(ElementHandler):
    """Collects the sheets of a workbook, and day 0 of its dates."""

    def __init__(self, part_by_relation: Mapping[str, str]) -> None:
        self.visible_sheets: dict[str, str] = {}
        self.hidden_sheets: dict[str, str] = {}
        self.epoch = datetime(1899, 12, 30)  # noqa: DTZ001  # the clocks of a sheet have no zone
        self._part_by_relation = part_by_relation

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            self.epoch = datetime(1904, 1, 1)  # noqa: DTZ001
        elif name == "sheet":
            self._add_sheet(attributes)

    def _add_sheet(self, attributes: Mapping[str, str]) -> None:
        relation_id = ""
        for key, value in attributes.items():
            if key.endswith(" id"):
                relation_id = value
                break
        part = self._part_by_relation.get(relation_id)
        if not part:  # a sheet of a chart has no rows
            return
        is_visible = attributes.get("state", "visible") == "visible"
        sheets = self.visible_sheets if is_visible else self.hidden_sheets
        sheets[decode_escapes(attributes.get("name", part))] = part
