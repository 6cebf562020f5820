"""Texts of a workbook: runs and escapes, and the texts that cells share."""

import os
from array import array
from collections.abc import Mapping
from tempfile import TemporaryFile

from corpora.files import bounds
from corpora.files.bounds import OutOfBoundsError
from corpora.files.workbook.archive import ElementHandler

# Ten columns of 1,048,576 rows, no two cells alike.
_MAX_SHARED_STRINGS = 10_000_000


class SharedStrings(ElementHandler):
    """The texts that cells share, in a temporary file: each needs eight bytes of memory."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  # closed by `close`
        # Where each text ends in the file, after a 0.
        self._end_offsets = array("Q", [0])
        self._text = RichText()

    def close(self) -> None:
        """Delete the temporary file."""
        self._file.close()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self._text = RichText()
        else:
            self._text.start(name)

    def end(self, name: str) -> None:
        if name != "si":
            self._text.end(name)
            return
        if len(self._end_offsets) > _MAX_SHARED_STRINGS:
            raise OutOfBoundsError(f"wanted at most {_MAX_SHARED_STRINGS:,} shared texts, got more")
        data = self._text.value().encode("utf-8", "surrogatepass")
        self._end_offsets.append(self._end_offsets[-1] + self._file.write(data))

    def text(self, data: str) -> None:
        self._text.append(data)

    def __getitem__(self, index: int) -> str:
        """Return a text. Raises ValueError when there is none of this number."""
        count = len(self._end_offsets) - 1
        if not 0 <= index < count:
            raise ValueError(f"wanted one of {count:,} shared texts, got number {index:,}")
        self._file.flush()
        start = self._end_offsets[index]
        end = self._end_offsets[index + 1]
        data = os.pread(self._file.fileno(), end - start, start)
        return data.decode("utf-8", "surrogatepass")


class RichText:
    """A text of runs (`r`) in `t` elements, without phonetic guides (`rPh`) above characters.

    Of a text longer than `bounds.MAX_CELL_CHARACTERS` one character more is kept, which shows
    that it is too long.
    """

    def __init__(self) -> None:
        # Characters so far, before escapes are decoded.
        self.length = 0
        self._runs: list[str] = []
        self._is_in_text = False
        self._is_in_phonetic_guide = False

    def start(self, name: str) -> None:
        """Receive a start tag within the text."""
        self._is_in_phonetic_guide |= name == "rPh"
        self._is_in_text = name in ("t", "v") and not self._is_in_phonetic_guide

    def end(self, name: str) -> None:
        """Receive an end tag within the text."""
        self._is_in_phonetic_guide &= name != "rPh"
        self._is_in_text = False

    def append(self, data: str) -> None:
        """Append character data if it belongs to a run."""
        if self._is_in_text and self.length <= bounds.MAX_CELL_CHARACTERS:
            self._runs.append(data)
            self.length += len(data)

    def value(self) -> str:
        """Return the text with its escapes decoded."""
        return decode_escapes("".join(self._runs))[: bounds.MAX_CELL_CHARACTERS + 1]


def decode_escapes(text: str) -> str:
    """Replace `_x000D_` by the character of that code (ECMA-376 22.9.2.19, ST_Xstring)."""
    if "_x" not in text:
        return text
    from openpyxl.utils.escape import unescape

    decoded: str = unescape(text)
    return decoded
