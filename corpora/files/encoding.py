"""Text files of unknown encoding, which is given or detected (see `folate.core.encoding`)."""

import codecs
import io
import re
import zlib
from collections.abc import Callable
from typing import IO

from corpora.files.bounds import OutOfBoundsError
from folate.core import encoding as encodings

Opener = Callable[[], IO[bytes]]

# Lines by which the encoding is detected, and their bytes: lines of 1,600 bytes.
_SAMPLE_LINES = 10_000
_SAMPLE_BYTES = 16 * 2**20
# Lines by which UTF-16 is detected.
_START_LINES = 100
# What `_escape_bytes` makes of undecodable bytes.
_ESCAPED = re.compile("[\udc80-\udcff]")
# Share of lines with more than ASCII up to which a file of unknown encoding is read without them.
_MAX_DAMAGED_SHARE = 0.1
_ERROR_HANDLER = "folate.escape"
_UTF8_CHARACTER = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# Characters of three or four bytes in UTF-8 that no line of another encoding has by chance.
_MIN_UTF8_CHARACTERS = 2


def detect_encoding(opener: Opener, requested: str | None = None) -> str:
    """Return the encoding of a text file: by its byte order mark, as `requested`, or detected.

    Raises UnicodeError for what is no text, and UnknownEncodingError where several encodings fit
    alike, unless few lines are in doubt.
    """
    sample = _read_sample(opener)
    start = b"".join(sample[:_START_LINES])
    encoding_of_mark = encodings.encoding_from_bom(start)
    if requested:
        is_refined = encoding_of_mark and requested in ("utf-8", "utf-16")
        return encoding_of_mark if encoding_of_mark and is_refined else requested
    if encoding_of_mark:
        return encoding_of_mark
    nul_line_count = sum(b"\0" in line for line in sample)
    if nul_line_count and (utf16 := encodings.detect_utf16_without_bom(start)):
        return utf16
    if b"\0" in b"".join(sample[:1]) or 2 * nul_line_count > len(sample):
        raise UnicodeError("wanted text, got a binary file")
    try:
        return encodings.detect_text_encoding(line.rstrip(b"\r\n") for line in sample)
    except encodings.UnknownEncodingError:
        damaged_count = sum(not line.isascii() for line in sample)
        if sample[0].isascii() and damaged_count <= max(1, _MAX_DAMAGED_SHARE * len(sample)):
            return "utf-8"  # these lines are rejected when they are read
        raise


def open_text(opener: Opener, encoding: str) -> io.TextIOWrapper:
    """Open a file as text, with its line breaks unchanged.

    Bytes that are not of this encoding become lone surrogates (see `is_garbled`).
    """
    return io.TextIOWrapper(opener(), encoding=encoding, errors=_ERROR_HANDLER, newline="")


def is_garbled(text: str, encoding: str) -> bool:
    """Return whether `text` comes from bytes of another encoding, also UTF-8."""
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
    return len(_UTF8_CHARACTER.findall(data)) >= _MIN_UTF8_CHARACTERS and encodings.can_decode(
        data, "utf-8"
    )


def replace_undecodable(text: str) -> str:
    """Decode escaped bytes as UTF-8, with U+FFFD for those that are not."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _read_sample(opener: Opener) -> list[bytes]:
    """Read the first lines, the last of which may be truncated.

    Of a compressed file that breaks off, the lines before the break are read.
    """
    sample: list[bytes] = []
    bytes_left = _SAMPLE_BYTES
    with opener() as file:
        try:
            while len(sample) < _SAMPLE_LINES and bytes_left > 0:
                line = file.readline(bytes_left)
                if not line:
                    break
                sample.append(line)
                bytes_left -= len(line)
        except (OSError, EOFError, zlib.error, OutOfBoundsError):
            if not sample:
                raise
    return sample


def _escape_bytes(error: UnicodeError) -> tuple[str, int]:
    """Replace undecodable bytes by lone surrogates.

    Unlike `surrogateescape` it also takes ASCII bytes, which a broken character of UTF-16 has.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    undecodable = error.object[error.start : error.end]
    return "".join(chr(0xDC80 | byte) for byte in undecodable), error.end


codecs.register_error(_ERROR_HANDLER, _escape_bytes)
