"""Text files of unknown encoding: it is found by reading (see `folate.core.encoding`), or given."""

import codecs
import io
import re
import zlib
from collections.abc import Callable
from typing import IO

from corpora.files.bounds import OutOfBoundsError
from folate.core import encoding as encodings

Opener = Callable[[], IO[bytes]]

_SAMPLE = 10_000  # lines by which the encoding is judged
_SAMPLE_BYTES = 16 * 2**20  # bytes of them: lines of 1,600 bytes
_START = 100  # lines by which UTF-16 is told
_ESCAPED = re.compile("[\udc80-\udcff]")  # what `_escape` makes of bytes
_MOST_DAMAGED = 0.1  # of the lines of a file that is read without those that hold more than ASCII
_ERRORS = "folate.escape"
_UTF8_SIGNS = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LEAST_SIGNS = 2  # characters of three or four bytes in UTF-8: so many are not in a line of another encoding by chance


def detect_encoding(opener: Opener, requested: str | None = None) -> str:
    """Find the encoding by its mark, as `given`, by its NULs, or as `folate.core.encoding.detect_text_encoding` finds it.

    Raises UnicodeError for what is no text, and UnknownEncodingError where several encodings fit alike, unless few lines are in doubt.
    """
    sample = _sample(opener)
    start = b"".join(sample[:_START])
    marked = encodings.encoding_from_bom(start)
    if requested:
        return marked if marked and requested in ("utf-8", "utf-16") else requested
    if marked:
        return marked
    with_nul = sum(b"\0" in line for line in sample)
    if with_nul and (wide := encodings.detect_utf16_without_bom(start)):
        return wide
    if b"\0" in b"".join(sample[:1]) or 2 * with_nul > len(sample):
        raise UnicodeError("wanted text, got a binary file")
    try:
        return encodings.detect_text_encoding(line.rstrip(b"\r\n") for line in sample)
    except encodings.UnknownEncodingError:
        damaged = sum(not line.isascii() for line in sample)
        if sample[0].isascii() and damaged <= max(1, _MOST_DAMAGED * len(sample)):
            return "utf-8"  # then these lines are rejects
        raise


def open_text(opener: Opener, encoding: str) -> io.TextIOWrapper:
    """Open the file's text, line breaks as they are. Bytes that are not of this encoding become lone surrogates: see `is_garbled`."""
    return io.TextIOWrapper(opener(), encoding=encoding, errors=_ERRORS, newline="")


def is_garbled(text: str, encoding: str) -> bool:
    """Whether `text` was read from bytes that are not of this encoding, or that are UTF-8 amid another one."""
    if text.isascii():
        return False
    if _ESCAPED.search(text):
        return True
    if encoding.startswith("utf"):
        return False
    try:
        data = text.encode(encoding)
    except UnicodeError:  # its decoder reads more than its encoder writes
        return False
    return len(_UTF8_SIGNS.findall(data)) >= _LEAST_SIGNS and encodings.can_decode(data, "utf-8")


def replace_undecodable(text: str) -> str:
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


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Like `surrogateescape`, which can't hold the ASCII bytes that a broken character of UTF-16 has."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC80 | byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_ERRORS, _escape)
