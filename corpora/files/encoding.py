"""Text files of unknown encoding: UTF-8, UTF-16 or GB18030, found by reading."""

import codecs
import io
import re
import zlib
from collections.abc import Callable
from typing import IO

from corpora.files.bounds import OutOfBoundsError

Opener = Callable[[], IO[bytes]]

_SAMPLE = 10_000  # lines by which the encoding is judged
_SAMPLE_BYTES = 16 * 2**20  # bytes of them: lines of 1,600 bytes
_START = 100  # lines by which UTF-16 is told
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ESCAPED = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of bytes
_LEAST_NULS = 0.01  # of the bytes of UTF-16: even long Chinese texts come with commas, digits and line breaks


def find_encoding(opener: Opener) -> str:
    """The encoding by its mark, by its NULs, or by which of UTF-8 and GB18030 most lines are. Raises UnicodeError for what is no text."""
    sample = _sample(opener)
    start = b"".join(sample[:_START])
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    with_nul = sum(b"\0" in line for line in sample)
    if with_nul and (wide := _utf16(start)):
        return wide
    if b"\0" in b"".join(sample[:1]) or 2 * with_nul > len(sample):
        raise UnicodeError("wanted text, got a binary file")
    foreign = [line for line in sample if not line.isascii()]
    return "utf-8" if 2 * sum(_decodes(line) for line in foreign) >= len(foreign) else "gb18030"


def open_text(opener: Opener, encoding: str) -> io.TextIOWrapper:
    """The file's text, line breaks as they are. Bytes that are not of this encoding become lone surrogates: see `is_garbled`."""
    return io.TextIOWrapper(opener(), encoding=encoding, errors="surrogateescape", newline="")


def is_garbled(text: str) -> bool:
    """Whether bytes of another encoding stand in a text of `open_text`."""
    return _ESCAPED.search(text) is not None


def readable(text: str) -> str:
    """The text with U+FFFD for what is garbled, or UTF-8 after all."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _sample(opener: Opener) -> list[bytes]:
    """The first lines, the last of which may be cut. What comes before a break in a packed file is taken."""
    sample: list[bytes] = []
    left = _SAMPLE_BYTES
    with opener() as file:
        try:
            while len(sample) < _SAMPLE and left > 0 and (line := file.readline(left)):
                sample.append(line)
                left -= len(line)
        except (OSError, EOFError, zlib.error, OutOfBoundsError):
            if not sample:
                raise
    return sample


def _utf16(start: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of its ASCII is NUL, that of a line break too."""
    if start.count(0) < _LEAST_NULS * len(start):
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(start)  # may end amid a character
        except UnicodeDecodeError:
            continue
        if "\n" in text or "\r" in text:
            return encoding
    return None


def _decodes(line: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(line)  # may end amid a character
    except UnicodeDecodeError:
        return False
    return True
