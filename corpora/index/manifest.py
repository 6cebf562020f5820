"""The manifest of an index: which files it has, and which version of the store they are of.

It is written last and replaced whole, so an index that was cut off anywhere is the one before.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from corpora.index.build import WrittenFile
from corpora.index.layout import FORMAT_VERSION, MANIFEST_FILE
from folate.core.files import write_atomically

_BLOCK_BYTES = 1 << 20


class UnusableIndex(Exception):
    """An index that is missing, damaged or of another kind; its text says which, in a clause."""


@dataclass(frozen=True)
class TableVersion:
    """A version of a table, and the digest of its entry in the log, which no other store has."""

    number: int
    digest: str


@dataclass(frozen=True)
class SegmentEntry:
    """A segment: its folder, its number of documents, and the file that lists those not live."""

    name: str
    documents: int
    dead_file: str | None = None
    dead_documents: int = 0


@dataclass(frozen=True)
class Manifest:
    """What an index consists of."""

    timezone: str
    versions: Mapping[str, TableVersion] = field(default_factory=dict)
    # files of the lexicon in order
    lexicon: tuple[str, ...] = ()
    segments: tuple[SegmentEntry, ...] = ()
    # every file by its path in the folder
    files: Mapping[str, WrittenFile] = field(default_factory=dict)
    # number of the next file or folder
    next_number: int = 1

    @property
    def version_numbers(self) -> dict[str, int]:
        """The version of each table."""
        return {table: version.number for table, version in self.versions.items()}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of the index in `folder`. Raises OSError."""
    contents = {"format": FORMAT_VERSION, **asdict(manifest)}
    text = json.dumps(contents, ensure_ascii=False)
    document = {"checksum": zlib.crc32(text.encode()), "contents": text}
    write_atomically(folder / MANIFEST_FILE, json.dumps(document, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of the index in `folder`, whose files may be damaged.

    Raises UnusableIndex.
    """
    try:
        document = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        text = document["contents"]
        if zlib.crc32(text.encode()) != document["checksum"]:
            raise UnusableIndex(f"its file {MANIFEST_FILE} is damaged")
        contents = json.loads(text)
        if contents.pop("format") != FORMAT_VERSION:
            raise UnusableIndex("it was made by another version of Folate")
        return _parse_contents(contents)
    except FileNotFoundError as error:
        raise UnusableIndex("there is none yet") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnusableIndex(f"its file {MANIFEST_FILE} is damaged") from error


def _parse_contents(contents: dict[str, object]) -> Manifest:
    values = json.loads(json.dumps(contents))
    values["versions"] = {name: TableVersion(**item) for name, item in values["versions"].items()}
    values["lexicon"] = tuple(values["lexicon"])
    values["segments"] = tuple(SegmentEntry(**item) for item in values["segments"])
    values["files"] = {path: WrittenFile(*item) for path, item in values["files"].items()}
    return Manifest(**values)


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Raise UnusableIndex when a file is missing or has another size."""
    for path, file in manifest.files.items():
        try:
            size = (folder / path).stat().st_size
        except OSError as error:
            raise UnusableIndex(f"its file {path} is missing") from error
        if size != file.size_bytes:
            raise UnusableIndex(
                f"its file {path} has {size:,} bytes instead of {file.size_bytes:,}"
            )


def find_changed_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield the files whose contents are not those that were written."""
    for path, file in manifest.files.items():
        try:
            if file_record(folder / path) != file:
                yield path
        except OSError:
            yield path


def file_record(path: Path) -> WrittenFile:
    """Return the size and the checksum of a file. Raises OSError."""
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            checksum = zlib.crc32(block, checksum)
        return WrittenFile(file.tell(), checksum)


def sync(path: Path) -> None:
    """Make a file or a folder survive a loss of power. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
