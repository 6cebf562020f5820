"""Files with the rejected rows of imports, for a person to read."""

import json
import os
from collections import Counter
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import NamedTuple, Self

from corpora.files import Reject

MAX_REJECT_CHARACTERS = 64_000_000
"""Characters of the rejects of one file that are written."""

_MAX_NAME_BYTES = 200
"""Longest file name before suffixes are added; file systems allow 255 bytes."""


def format_reasons(reasons: Counter[str]) -> str:
    """Return counts by reason as one line, most frequent first: "no date 12, no text 3"."""
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())


class _FileIdentity(NamedTuple):
    """Distinguishes a file from a later one of the same name."""

    inode: int
    modified_ns: int


class RejectsWriter:
    """Writes the rejects of one import to FILE.jsonl in a folder.

    They replace those of the last import of a file of this name. Rejects of an import that ended
    while this one ran are kept, and these are written to FILE.2.jsonl, FILE.3.jsonl and so on. An
    import that fails leaves the folder as it was.
    """

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._name = _shorten_name(name)
        self._earlier_files = self._list_files()
        self._count = 0
        self._characters = 0
        self._file = NamedTemporaryFile(  # noqa: SIM115  # closed in __exit__
            "w",
            encoding="utf-8",
            errors="replace",
            dir=folder,
            prefix=".",
            suffix=".part",
            delete=False,
        )

    def write(self, reject: Reject) -> None:
        """Write one reject as a line of JSON, unless MAX_REJECT_CHARACTERS were written already."""
        self._count += 1
        if self.is_full:
            return
        # not asdict, which would copy nested values
        row = {field.name: getattr(reject, field.name) for field in fields(reject)}
        line = json.dumps(row, ensure_ascii=False, default=str) + "\n"
        self._characters += self._file.write(line)

    @property
    def is_full(self) -> bool:
        """Whether further rejects are not written any more."""
        return self._characters > MAX_REJECT_CHARACTERS

    def notes(self) -> list[str]:
        """Return a note for the user when not all rejects were written."""
        if not self.is_full:
            return []
        return [
            f"of the rejected rows only the first {MAX_REJECT_CHARACTERS:,} characters are kept; "
            "all are counted"
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        temporary_file = Path(self._file.name)
        if kind is None:
            current_files = self._list_files()
            for path, identity in self._earlier_files.items():
                if current_files.get(path) == identity:
                    path.unlink(missing_ok=True)
            if self._count:
                self._publish(temporary_file)
        temporary_file.unlink(missing_ok=True)

    def _list_files(self) -> dict[Path, _FileIdentity]:
        """Return the rejects files of imports of this name, with their identities."""
        files = {}
        for entry in os.scandir(self._folder):
            if not (entry.name.startswith(self._name) and entry.name.endswith(".jsonl")):
                continue
            number = entry.name.removeprefix(self._name).removesuffix("jsonl").strip(".")
            if not number or number.isdecimal():
                status = entry.stat()
                files[Path(entry.path)] = _FileIdentity(status.st_ino, status.st_mtime_ns)
        return files

    def _publish(self, temporary_file: Path) -> None:
        """Move the file atomically to the first name that no concurrent import has taken."""
        number = 1
        while True:
            suffix = "jsonl" if number == 1 else f"{number}.jsonl"
            target = self._folder / f"{self._name}.{suffix}"
            try:
                target.touch(exist_ok=False)
            except FileExistsError:
                number += 1
            else:
                temporary_file.replace(target)
                return


def _shorten_name(name: str) -> str:
    """Return the name, a long one cut and made unique by a digest."""
    name_bytes = os.fsencode(name)
    if len(name_bytes) <= _MAX_NAME_BYTES:
        return name
    digest = blake2b(name_bytes, digest_size=8).hexdigest()
    return f"{name_bytes[: _MAX_NAME_BYTES - 20].decode('utf-8', 'ignore')}.{digest}"
