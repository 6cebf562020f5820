"""The zip archive of a workbook and its XML parts, parsed within limits on size and depth."""

import io
import posixpath
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from corpora.files.bounds import OutOfBoundsError

# Bytes, unpacked, of a part that says how the workbook is built.
MAX_STRUCTURE_BYTES = 64 * 2**20
# Bytes of the archive's directory: some 20,000 parts.
_MAX_DIRECTORY_BYTES = 2 * 2**20
# Relations of one part that are read; each sheet needs one.
_MAX_RELATIONS = 1_000
# Bytes of one tag with its attributes.
_MAX_TAG_BYTES = 2**20
# Elements within one another; a sheet has eight.
_MAX_DEPTH = 64
# Bytes that are parsed at once.
_CHUNK_BYTES = 2**16
# What zipfile and expat raise for what is damaged, encrypted, or packed in an unknown way.
_DAMAGE_ERRORS = (
    BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    expat.ExpatError,
)


class WorkbookError(Exception):
    """A workbook is damaged, or the file is no workbook; the message says how."""


class ElementHandler:
    """Receives the elements of an XML part; names come without their namespace."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Receive a start tag."""

    def end(self, name: str) -> None:
        """Receive an end tag."""

    def text(self, data: str) -> None:
        """Receive character data."""


@dataclass(frozen=True)
class Relation:
    """A reference from one part of the archive to another."""

    id: str
    # The last segment of the relation's type, such as "worksheet" or "styles".
    kind: str
    # Name of the part that is referred to.
    part: str


class WorkbookArchive:
    """The parts of a workbook, by name; letter case is ignored (ECMA-376 part 2, 6.2.2)."""

    def __init__(self, path: Path) -> None:
        """Read the archive's directory. Raises WorkbookError and OutOfBoundsError."""
        self._file = _LimitedReadFile(path)
        try:
            self._archive = ZipFile(self._file)
        except _DAMAGE_ERRORS as error:
            self._file.close()
            raise WorkbookError(f"the archive is damaged: {error}") from error
        except OutOfBoundsError:
            self._file.close()
            raise
        self._parts = {_normalize_part(info.filename): info for info in self._archive.infolist()}

    def close(self) -> None:
        """Close the file."""
        self._archive.close()
        self._file.close()

    def has_part(self, part: str) -> bool:
        """Return whether the archive has a part of this name."""
        return _normalize_part(part) in self._parts

    def read_relations(self, part: str) -> list[Relation]:
        """Return what `part` refers to ("" is the package); empty where the archive has no list."""
        folder, name = posixpath.split(part)
        relations_part = posixpath.join(folder, "_rels", f"{name}.rels")
        if not self.has_part(relations_part):
            return []
        handler = _RelationHandler(folder)
        self.parse(relations_part, MAX_STRUCTURE_BYTES, handler)
        return handler.relations

    def parse(self, part: str, max_bytes: int, handler: ElementHandler) -> None:
        """Parse a whole part. Raises WorkbookError and OutOfBoundsError."""
        for _ in self.parse_chunks(part, max_bytes, handler):
            pass

    def parse_chunks(self, part: str, max_bytes: int, handler: ElementHandler) -> Iterator[None]:
        """Parse a part of at most `max_bytes`, pausing after every 64 KiB.

        Raises WorkbookError and OutOfBoundsError.
        """
        info = self._parts.get(_normalize_part(part))
        if info is None:
            raise WorkbookError(f"the archive has no part {part!r}, as a workbook has")
        if info.flag_bits & 1:
            raise WorkbookError("it is encrypted: save it without a password")
        # other methods unpack without bounds, and no spreadsheet program uses them
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise WorkbookError(
                f"the part {part!r} is packed in the unknown way {info.compress_type}"
            )
        parser = _BoundedParser(handler)
        size = 0
        try:
            with self._archive.open(info) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    size += len(chunk)
                    if size > max_bytes:
                        raise OutOfBoundsError(
                            f"wanted at most {max_bytes // 2**20:,} MiB in the part {part!r}, "
                            "got more"
                        )
                    parser.feed(chunk)
                    yield
            parser.feed(b"", is_last=True)
            yield
        except _DAMAGE_ERRORS as error:
            raise WorkbookError(f"the part {part!r} is damaged: {error}") from error


class _LimitedReadFile(io.FileIO):
    """A file that zipfile can't read into memory at once: a directory may claim any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise OutOfBoundsError(
                f"wanted an archive whose directory has at most {_MAX_DIRECTORY_BYTES // 2**20} "
                f"MiB, got {size:,} bytes"
            )
        is_unlimited = size is None or size < 0
        return super().read(_MAX_DIRECTORY_BYTES if is_unlimited else size) or b""


class _BoundedParser:
    """An expat parser without entities, which can multiply, and with limits on tags and depth."""

    def __init__(self, handler: ElementHandler) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._handle_start
        self._parser.EndElementHandler = self._handle_end
        self._parser.CharacterDataHandler = self._handle_text
        self._parser.StartDoctypeDeclHandler = _refuse_document_type
        self._handler = handler
        self._depth = 0
        # Bytes since the last event: the length of an incomplete tag.
        self._pending_bytes = 0

    def feed(self, chunk: bytes, is_last: bool = False) -> None:
        self._pending_bytes += len(chunk)
        self._parser.Parse(chunk, is_last)
        if self._pending_bytes > _MAX_TAG_BYTES:
            raise OutOfBoundsError(
                f"wanted tags of at most {_MAX_TAG_BYTES:,} bytes, got a longer one"
            )

    def _handle_start(self, name: str, attributes: dict[str, str]) -> None:
        self._pending_bytes = 0
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise OutOfBoundsError(f"wanted at most {_MAX_DEPTH} elements in one another, got more")
        self._handler.start(name.rpartition(" ")[2], attributes)

    def _handle_end(self, name: str) -> None:
        self._pending_bytes = 0
        self._depth -= 1
        self._handler.end(name.rpartition(" ")[2])

    def _handle_text(self, data: str) -> None:
        self._pending_bytes = 0
        self._handler.text(data)


def _refuse_document_type(*_: Any) -> None:
    raise WorkbookError("wanted parts without a document type, got one that can define entities")


class _RelationHandler(ElementHandler):
    """Collects the relations of a part in `folder`."""

    def __init__(self, folder: str) -> None:
        self.relations: list[Relation] = []
        self._folder = folder

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name != "Relationship" or attributes.get("TargetMode") == "External":
            return
        if len(self.relations) >= _MAX_RELATIONS:
            return
        kind = attributes.get("Type", "").rpartition("/")[2]
        path = posixpath.join("/", self._folder, attributes.get("Target", ""))
        part = posixpath.normpath(path).lstrip("/")
        self.relations.append(Relation(attributes.get("Id", ""), kind, part))


def _normalize_part(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").lower()
