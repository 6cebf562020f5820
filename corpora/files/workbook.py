"""Excel workbooks (.xlsx, ECMA-376) as rows, read as a stream: what a file claims of its size is never believed.

openpyxl knows number formats, dates and escapes. It does not read the sheets: it would hold a row of any length and every shared
text in memory, pad rows to the claimed size, and give an error or a formula without a value as if it were a text or nothing.
"""

import io
import os
import posixpath
import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Protocol
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from corpora.files import bounds
from corpora.files.bounds import OutOfBoundsError

_PART = (
    2 * 2**30
)  # bytes of a sheet or of the shared texts, unpacked: 1,048,576 rows of 50 columns stay below
_STRUCTURE = 64 * 2**20  # bytes of each part that says how the workbook is built, unpacked
_DIRECTORY = 2 * 2**20  # bytes of the archive's directory: some 20,000 parts
_SHEETS = 1_000
_STYLES = 65_536  # Excel knows 65,490
_TEXTS = 10_000_000  # shared texts: ten columns of 1,048,576 rows, no two cells alike
_TAG = 2**20  # bytes of one tag with its attributes
_DEPTH = 64  # elements in one another; a sheet has eight
_CHUNK = 2**16  # bytes that are parsed at once
_BUILT_IN_DATES = {
    *range(14, 18),
    *range(27, 32),
    36,
    *range(50, 55),
    57,
    58,
}  # ECMA-376 18.8.30, with those of Chinese
_BUILT_IN_CLOCKS = {*range(18, 23), *range(32, 36), 45, 46, 47, 55, 56}
_DAMAGED = (  # what zipfile and expat raise for what is damaged, encrypted, or packed in a way that they don't know
    BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, ValueError, LookupError, OverflowError,
    expat.ExpatError,
)  # fmt: skip


class WorkbookError(Exception):
    """A workbook is damaged, or is none; the message says how."""


@dataclass(frozen=True)
class SheetRow:
    """A row of a sheet: its cells by column, counted from 0; `problem` says why it can't be read, and then it has no cells."""

    number: int
    cells: dict[int, Any]
    problem: str | None = None


@dataclass(frozen=True)
class Workbook:
    """How a workbook is built."""

    path: Path
    sheet_parts: dict[
        str, str
    ]  # name: part of the archive; the first that is not hidden comes first
    shared_strings_part: str | None  # the part with the texts that cells share
    date_styles: dict[
        int, str
    ]  # style of a cell: "date" where it shows its number as a day, "moment" where with a clock
    epoch: datetime  # day 0

    @classmethod
    def open(cls, path: Path) -> "Workbook":
        """Read how a workbook is built. Raises WorkbookError and OutOfBoundsError."""
        with closing(_Archive(path)) as archive:
            main = next(
                (target.part for target in archive.targets("") if target.kind == "officeDocument"),
                "xl/workbook.xml",
            )
            if main.endswith(".bin"):
                raise WorkbookError("wanted a workbook of XML (.xlsx), got a binary one (.xlsb)")
            targets = archive.targets(main)
            outline = _Outline(
                {target.id: target.part for target in targets if target.kind == "worksheet"}
            )
            archive.parse(main, _STRUCTURE, outline)
            if not outline.visible and not outline.hidden:
                raise WorkbookError("wanted a workbook with a sheet, got one without")
            parts = {
                kind: posixpath.join(posixpath.dirname(main), f"{kind}.xml")
                for kind in ("sharedStrings", "styles")
            }
            parts |= {target.kind: target.part for target in targets}
            styles = _Styles()
            if archive.has(parts["styles"]):
                archive.parse(parts["styles"], _STRUCTURE, styles)
            sheets = outline.visible | outline.hidden
            shared = parts["sharedStrings"] if archive.has(parts["sharedStrings"]) else None
            return cls(path, sheets, shared, styles.dates(), outline.epoch)

    def rows(self, sheet: str, oddities: Counter[str]) -> Iterator[SheetRow]:
        """Give the rows of a sheet that are not empty, and count in `oddities` what a reader of the rows can't see.

        Raises WorkbookError and OutOfBoundsError.
        """
        with closing(_Archive(self.path)) as archive, closing(_SharedTexts()) as texts:
            if self.shared_strings_part:
                archive.parse(self.shared_strings_part, _PART, texts)
            reader = _SheetReader(self, texts, oddities)
            for _ in archive.chunks(self.sheet_parts[sheet], _PART, reader):
                yield from reader.take()


@dataclass(frozen=True)
class _Target:
    """What a part of the archive points to."""

    id: str
    kind: str
    part: str


class _Handler(Protocol):
    """What is told of the elements of a part. Names are without their namespace."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def text(self, data: str) -> None: ...


class _Archive:
    """The parts of a workbook, by name; letter case does not count (ECMA-376 part 2, 6.2.2)."""

    def __init__(self, path: Path) -> None:
        self._file = _SmallReads(path)
        try:
            self._archive = ZipFile(self._file)
        except _DAMAGED as error:
            self._file.close()
            raise WorkbookError(f"the archive is damaged: {error}") from error
        except OutOfBoundsError:
            self._file.close()
            raise
        self._parts = {_normal(info.filename): info for info in self._archive.infolist()}

    def close(self) -> None:
        self._archive.close()
        self._file.close()

    def has(self, part: str) -> bool:
        return _normal(part) in self._parts

    def targets(self, part: str) -> list[_Target]:
        """What `part` points to; nothing where the archive does not say."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if _normal(relations) not in self._parts:
            return []
        found = _Relations(folder)
        self.parse(relations, _STRUCTURE, found)
        return found.targets

    def parse(self, part: str, limit: int, handler: _Handler) -> None:
        for _ in self.chunks(part, limit, handler):
            pass

    def chunks(self, part: str, limit: int, handler: _Handler) -> Iterator[None]:
        """Parse a part of at most `limit` bytes, pausing after every 64 KiB. Raises WorkbookError and OutOfBoundsError."""
        info = self._parts.get(_normal(part))
        if info is None:
            raise WorkbookError(f"the archive has no part {part!r}, as a workbook has")
        if info.flag_bits & 1:
            raise WorkbookError("it is encrypted: save it without a password")
        if info.compress_type not in (
            ZIP_STORED,
            ZIP_DEFLATED,
        ):  # the others unpack without bounds, and no spreadsheet program uses them
            raise WorkbookError(
                f"the part {part!r} is packed in the unknown way {info.compress_type}"
            )
        parser, size = _BoundedParser(handler), 0
        try:
            with self._archive.open(info) as file:
                while chunk := file.read(_CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise OutOfBoundsError(
                            f"wanted at most {limit // 2**20:,} MiB in the part {part!r}, got more"
                        )
                    parser.feed(chunk)
                    yield
            parser.feed(b"", last=True)
            yield
        except _DAMAGED as error:
            raise WorkbookError(f"the part {part!r} is damaged: {error}") from error


class _SmallReads(io.FileIO):
    """A file that zipfile can't read into memory at once: it would hold a directory of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _DIRECTORY:
            raise OutOfBoundsError(
                f"wanted an archive whose directory has at most {_DIRECTORY // 2**20} MiB, got {size:,} bytes"
            )
        return super().read(_DIRECTORY if size is None or size < 0 else size) or b""


class _BoundedParser:
    """Tells a handler of elements, but of no entities, which can multiply, and within bounds on tags and depth."""

    def __init__(self, handler: _Handler) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = _refuse_entities
        self._handler = handler
        self._depth = 0
        self._waiting = 0  # bytes since the last event: the length of a tag that is not complete

    def feed(self, chunk: bytes, last: bool = False) -> None:
        self._waiting += len(chunk)
        self._parser.Parse(chunk, last)
        if self._waiting > _TAG:
            raise OutOfBoundsError(f"wanted tags of at most {_TAG:,} bytes, got a longer one")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._waiting = 0
        self._depth += 1
        if self._depth > _DEPTH:
            raise OutOfBoundsError(f"wanted at most {_DEPTH} elements in one another, got more")
        self._handler.start(name.rpartition(" ")[2], attributes)

    def _end(self, name: str) -> None:
        self._waiting = 0
        self._depth -= 1
        self._handler.end(name.rpartition(" ")[2])

    def _text(self, data: str) -> None:
        self._waiting = 0
        self._handler.text(data)


def _refuse_entities(*_: Any) -> None:
    raise WorkbookError("wanted parts without a document type, got one that can define entities")


class _Silent:
    """A handler that needs only some of the events."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        pass

    def end(self, name: str) -> None:
        pass

    def text(self, data: str) -> None:
        pass


class _Relations(_Silent):
    """Gathers what the relations of a part in `folder` point to."""

    def __init__(self, folder: str) -> None:
        self.targets: list[_Target] = []
        self._folder = folder

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if (
            name == "Relationship"
            and attributes.get("TargetMode") != "External"
            and len(self.targets) < _SHEETS
        ):
            kind = attributes.get("Type", "").rpartition("/")[2]
            part = posixpath.normpath(
                posixpath.join("/", self._folder, attributes.get("Target", ""))
            ).lstrip("/")
            self.targets.append(_Target(attributes.get("Id", ""), kind, part))


class _Outline(_Silent):
    """Gathers the sheets of a workbook, and day 0 of its dates."""

    def __init__(self, parts: Mapping[str, str]) -> None:
        self.visible: dict[str, str] = {}
        self.hidden: dict[str, str] = {}
        self.epoch = datetime(1899, 12, 30)  # noqa: DTZ001  # the clocks of a sheet have no zone
        self._parts = parts

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            self.epoch = datetime(1904, 1, 1)  # noqa: DTZ001
        if name == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            sheets = (
                self.visible if attributes.get("state", "visible") == "visible" else self.hidden
            )
            if part := self._parts.get(relation):  # a sheet of a chart has no rows
                sheets[_unescape(attributes.get("name", part))] = part


class _Styles(_Silent):
    """Gathers which styles of cells show a number as a date or a time."""

    def __init__(self) -> None:
        self._formats: dict[str, str] = {}
        self._of_style: list[str] = []
        self._is_cell_style = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._formats) + len(self._of_style) > _STYLES:
            raise OutOfBoundsError(f"wanted at most {_STYLES:,} styles, got more")
        if name == "numFmt":
            self._formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._is_cell_style = True
        elif name == "xf" and self._is_cell_style:
            self._of_style.append(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._is_cell_style = False

    def dates(self) -> dict[int, str]:
        kinds = {
            style: _kind_of_date(number, self._formats.get(number))
            for style, number in enumerate(self._of_style)
        }
        return {style: kind for style, kind in kinds.items() if kind}


@lru_cache(maxsize=4_096)
def _kind_of_date(number: str, code: str | None) -> str | None:
    """What a number format shows: a "date", or a "moment" with a clock; None for what is no point in time."""
    from openpyxl.styles.numbers import STRIP_RE, is_date_format, is_timedelta_format

    if code is None:
        builtin = int(number) if _is_small(number) else 0
        return (
            "date"
            if builtin in _BUILT_IN_DATES
            else "moment"
            if builtin in _BUILT_IN_CLOCKS
            else None
        )
    if not is_date_format(code) or is_timedelta_format(code):
        return None
    bare = STRIP_RE.sub("", code.split(";")[0])
    return "moment" if any(letter in "hs" for letter in bare.lower()) else "date"


class _SharedTexts(_Silent):
    """The texts that cells share, in a temporary file: in memory each needs eight bytes, however long it is."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._ends = array("Q", [0])  # where each text ends in the file
        self._text = _Text()

    def close(self) -> None:
        self._file.close()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self._text = _Text()
        else:
            self._text.start(name)

    def end(self, name: str) -> None:
        if name != "si":
            self._text.end(name)
            return
        if len(self._ends) > _TEXTS:
            raise OutOfBoundsError(f"wanted at most {_TEXTS:,} shared texts, got more")
        self._ends.append(
            self._ends[-1] + self._file.write(self._text.value().encode("utf-8", "surrogatepass"))
        )

    def text(self, data: str) -> None:
        self._text.add(data)

    def __getitem__(self, index: int) -> str:
        """Give a text. Raises ValueError when there is none of this number."""
        if not 0 <= index < len(self._ends) - 1:
            raise ValueError(
                f"wanted one of {len(self._ends) - 1:,} shared texts, got number {index:,}"
            )
        self._file.flush()
        start, end = self._ends[index], self._ends[index + 1]
        return os.pread(self._file.fileno(), end - start, start).decode("utf-8", "surrogatepass")


class _Text:
    """A text of runs (`r`) in `t` elements, without the readings (`rPh`) that stand above characters.

    Of a text longer than is read one character more than CELL is kept, by which it is known.
    """

    def __init__(self) -> None:
        self._runs: list[str] = []
        self.length = 0
        self._is_text = False
        self._is_reading = False

    def start(self, name: str) -> None:
        self._is_reading |= name == "rPh"
        self._is_text = name in ("t", "v") and not self._is_reading

    def end(self, name: str) -> None:
        self._is_reading &= name != "rPh"
        self._is_text = False

    def add(self, data: str) -> None:
        if self._is_text and self.length <= bounds.MAX_CELL_CHARACTERS:
            self._runs.append(data)
            self.length += len(data)

    def value(self) -> str:
        return _unescape("".join(self._runs))[: bounds.MAX_CELL_CHARACTERS + 1]


def _unescape(text: str) -> str:
    """Text with `_x000D_` as the character it stands for (ECMA-376 22.9.2.19, ST_Xstring)."""
    if "_x" not in text:
        return text
    from openpyxl.utils.escape import unescape

    decoded: str = unescape(text)
    return decoded


@dataclass(slots=True)
class _Cell:
    """A cell as it stands in the sheet."""

    kind: str
    style: str
    text: _Text = field(default_factory=_Text)
    has_formula: bool = False


@dataclass(slots=True)
class _RawRow:
    """A row as it stands in the sheet: its cells by column, and why it can't be read."""

    number: int
    cells: dict[int, _Cell] = field(default_factory=dict)
    characters: int = 0
    problem: str | None = None

    def add(self, column: int, cell: _Cell) -> None:
        self.characters += cell.text.length
        if not 0 <= column < bounds.MAX_COLUMNS:
            self.problem = "has a cell whose column can't be told"
        elif column in self.cells:
            self.problem = "has two cells in one column"
        elif self.characters > bounds.MAX_ROW_CHARACTERS:
            self.problem = bounds.ROW_TOO_LONG_PROBLEM
        if self.problem:
            self.cells.clear()
        else:
            self.cells[column] = cell


class _SheetReader(_Silent):
    """Gathers the rows of a sheet. They are made of their cells one by one, since many may share one long text."""

    def __init__(self, book: Workbook, texts: _SharedTexts, oddities: Counter[str]) -> None:
        self._book = book
        self._texts = texts
        self._oddities = oddities
        self._complete: list[_RawRow] = []
        self._row: _RawRow | None = None
        self._number = 0  # of the last row
        self._column = -1  # of the last cell
        self._cell: _Cell | None = None

    def take(self) -> Iterator[SheetRow]:
        """Give the rows that were completed since this was last called, without blank ones."""
        complete, self._complete = self._complete, []
        for raw in complete:
            row = self._read(raw)
            if row.problem or any(value not in (None, "") for value in row.cells.values()):
                yield row

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._cell is not None:
            self._cell.has_formula |= name == "f"
            self._cell.text.start(name)
        elif name == "c" and self._row is not None:
            reference = attributes.get("r")
            self._column = (
                _column(reference.rstrip("0123456789")) if reference else self._column + 1
            )
            self._cell = _Cell(attributes.get("t", "n"), attributes.get("s", "0"))
        elif name == "row":
            number = attributes.get("r", "")
            self._number = int(number) if _is_small(number) else self._number + 1
            self._row, self._column = _RawRow(self._number), -1
            self._oddities["hidden"] += attributes.get("hidden") in ("1", "true")
        elif name == "mergeCell":
            self._oddities["merged"] += 1

    def end(self, name: str) -> None:
        if name == "c" and self._row is not None and self._cell is not None:
            if not self._row.problem:
                self._row.add(self._column, self._cell)
            self._cell = None
        elif name == "row" and self._row is not None:
            self._complete.append(self._row)
            self._row = None
        elif self._cell is not None:
            self._cell.text.end(name)

    def text(self, data: str) -> None:
        if self._cell is not None:
            self._cell.text.add(data)

    def _read(self, raw: _RawRow) -> SheetRow:
        cells: dict[int, Any] = {}
        length = 0
        try:
            for column, cell in raw.cells.items():
                cells[column] = value = self._value(cell)
                length += len(value) if isinstance(value, str) else 0
                if length > bounds.MAX_ROW_CHARACTERS:
                    return SheetRow(raw.number, {}, bounds.ROW_TOO_LONG_PROBLEM)
        except ValueError as error:
            return SheetRow(raw.number, {}, str(error))
        return SheetRow(raw.number, cells, raw.problem)

    def _value(self, cell: _Cell) -> Any:
        """Read a cell: None for a blank one and for an error such as #N/A. Raises ValueError."""
        text = cell.text.value()
        if cell.kind == "e":
            self._oddities["errors"] += 1
            return None
        if not text:
            self._oddities["formulas"] += cell.has_formula
            return None
        if cell.kind == "s":
            return self._texts[_number(text, int)]
        if cell.kind in ("str", "inlineStr"):
            return text
        if cell.kind == "b":
            return text.strip() in ("1", "true")
        if cell.kind == "d":
            return _iso(text)
        number = _number(text, float)
        kind = self._book.date_styles.get(int(cell.style)) if _is_small(cell.style) else None
        if kind:
            return _moment(number, self._book.epoch, kind)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _normal(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").lower()


def _is_small(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) < 8


@lru_cache(maxsize=bounds.MAX_COLUMNS)
def _column(letters: str) -> int:
    """The number of a column from its letters, such as AB, counted from 0; -1 where it can't be told."""
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        return -1
    column = 0
    for letter in letters.upper():
        column = 26 * column + ord(letter) - ord("A") + 1
    return column - 1


def _number(text: str, kind: type[Any]) -> Any:
    try:
        return kind(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"wanted a number in a cell, got {text[:60]!r}") from error


def _iso(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _moment(number: float, epoch: datetime, kind: str) -> date | datetime | time | float:
    """The point in time that a number of days stands for; the number where there is none."""
    from openpyxl.utils.datetime import from_excel

    try:
        moment: datetime | time | timedelta = from_excel(number, epoch)
    except (ValueError, OverflowError):
        return number
    if isinstance(moment, datetime) and kind == "date" and number == int(number):
        return moment.date()
    return moment if isinstance(moment, datetime | time) else number
