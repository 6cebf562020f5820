"""The rows of imported files that became no posts, kept for a person to read."""

import json
import os
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self

from corpora.files import Reject

MAX_REJECT_CHARACTERS = 64_000_000
"""Characters of the rejects of one file that are kept."""
_LONGEST_NAME = 200  # bytes; with what is added, a name of a file has 255


class RejectsWriter:
    """The rejects of one import: FILE.jsonl in the folder `rejects`, in place of those of the last import of a file of this name.

    Rejects of an import that ended while this one ran stay, and these go to FILE.2.jsonl, FILE.3.jsonl … An import that fails
    leaves the folder as it was.
    """

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._name = _short(name)
        self._earlier = self._files()
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
        """Keep one reject, as a line of JSON, unless MAX_CHARACTERS are kept already."""
        self._count += 1
        if self.is_full:
            return
        row = {
            field.name: getattr(reject, field.name) for field in fields(reject)
        }  # asdict would descend into values
        self._characters += self._file.write(
            json.dumps(row, ensure_ascii=False, default=str) + "\n"
        )

    @property
    def is_full(self) -> bool:
        """Tell whether further rejects are no longer kept."""
        return self._characters > MAX_REJECT_CHARACTERS

    def notes(self) -> list[str]:
        """Say that not all rejects were kept, where it is so."""
        if not self.is_full:
            return []
        return [
            f"of the rejected rows only the first {MAX_REJECT_CHARACTERS:,} characters are kept; all are counted"
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
        aside = Path(self._file.name)
        if kind is None:
            present = self._files()
            for path, identity in self._earlier.items():
                if present.get(path) == identity:
                    path.unlink(missing_ok=True)
            if self._count:
                self._publish(aside)
        aside.unlink(missing_ok=True)

    def _files(self) -> dict[Path, tuple[int, int]]:
        """The files with rejects of a file of this name, and what tells each from a later one of its name."""
        files = {}
        for entry in os.scandir(self._folder):
            number = entry.name.removeprefix(self._name).removesuffix("jsonl").strip(".")
            if (
                entry.name.startswith(self._name)
                and entry.name.endswith(".jsonl")
                and (not number or number.isdecimal())
            ):
                status = entry.stat()
                files[Path(entry.path)] = status.st_ino, status.st_mtime_ns
        return files

    def _publish(self, aside: Path) -> None:
        """Give the file the first name that no import that ran beside this one took, whole and at once."""
        number = 1
        while True:
            target = self._folder / (
                f"{self._name}.jsonl" if number == 1 else f"{self._name}.{number}.jsonl"
            )
            try:
                target.touch(exist_ok=False)
            except FileExistsError:
                number += 1
            else:
                aside.replace(target)
                return


def _short(name: str) -> str:
    """A name that leaves room for an ending; what is cut from a long one is told by a digest."""
    data = os.fsencode(name)
    if len(data) <= _LONGEST_NAME:
        return name
    return f"{data[: _LONGEST_NAME - 20].decode('utf-8', 'ignore')}.{blake2b(data, digest_size=8).hexdigest()}"
