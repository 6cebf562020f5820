"""Text from outside made safe to print: no control sequences, no endless lines."""

import re
from collections.abc import Iterable
from unicodedata import category

MAX_LINE_LENGTH = 2_000
"""Characters of one printed line; an error with a whole table header in it is cut here."""

MAX_LISTED_NAMES = 30
"""Names of a list in a sentence."""

MAX_EXCERPT_LENGTH = 180
"""Characters of a post, or of a server's answer, that are quoted."""

MAX_NAME_LENGTH = 60
"""Characters of one name in such a list."""

HAN_RANGES = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""Chinese characters, for the inside of a character class: 〇, the CJK ideographs with all their
extensions, and the compatibility ideographs."""

_HAN = re.compile(f"[{HAN_RANGES}]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ZERO_WIDTH_JOINER = "\N{ZERO WIDTH JOINER}"
# Unicode categories of emoji, their skin tones and variation selectors.
_EMOJI_CATEGORIES = frozenset({"So", "Sk", "Mn"})
_INVISIBLE = re.compile(
    r"[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)


def contains_chinese(text: str) -> bool:
    """Return whether a text contains a Chinese character."""
    return _HAN.search(text) is not None


def printable_text(text: str) -> str:
    """Return `text` on one line, with U+FFFD for characters that control a terminal or are hidden.

    These are control characters (line breaks and tabs too), bidirectional and zero-width
    characters, surrogates, and code points without a character. Spaces of every width become plain
    ones; a zero-width joiner stays in emoji.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_printable_char(char, text[i - 1 : i]) for i, char in enumerate(text))


def printable_lines(text: str) -> str:
    """Apply `printable_text` to each line of `text`; tabs stay."""
    lines = []
    for line in text.split("\n"):
        cells = map(printable_text, line.split("\t"))
        lines.append("\t".join(cells))
    return "\n".join(lines)


def to_single_line(text: str) -> str:
    """Return `text` on one printable line of at most MAX_LINE_LENGTH characters."""
    start = " ".join(text[: 2 * MAX_LINE_LENGTH].split())
    omitted_length = max(0, len(text) - 2 * MAX_LINE_LENGTH)
    return printable_text(truncate_text(start, omitted_length=omitted_length))


def truncate_text(text: str, max_length: int = MAX_LINE_LENGTH, omitted_length: int = 0) -> str:
    """Return the first `max_length` characters of `text` and the number of those left out.

    `omitted_length` is the number of characters that were cut from `text` before.
    """
    omitted_length += max(0, len(text) - max_length)
    if not omitted_length:
        return text
    return f"{text[:max_length]} … and {omitted_length:,} more characters"


def excerpt(text: str, max_length: int = MAX_EXCERPT_LENGTH) -> str:
    """Return `text` on one line, cut to `max_length` characters with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= max_length else line[: max_length - 1].rstrip() + "…"


def replace_control_characters(text: str) -> str:
    """Return `text` with U+FFFD for control characters other than line breaks.

    Bidirectional characters stay: this is for HTML, where <bdi> isolates them.
    """
    return "".join(
        char if char == "\n" or category(char) != "Cc" else _REPLACEMENT for char in text
    )


def join_names(names: Iterable[str], max_names: int = MAX_LISTED_NAMES) -> str:
    """Join the first `max_names` names for a sentence, each short and printable; count the rest."""
    all_names = list(names)
    listed = ", ".join(printable_text(_shorten_name(name)) for name in all_names[:max_names])
    omitted_count = len(all_names) - max_names
    return f"{listed} and {omitted_count:,} more" if omitted_count > 0 else listed


def quote_name(name: str) -> str:
    """Return `name` in quotes for a sentence, as Python writes it, and short."""
    return printable_text(repr(_shorten_name(name)))


def escape_json(text: str) -> str:
    """Escape the invisible characters of JSON text that `ensure_ascii=False` leaves, as `\\uXXXX`.

    They occur in strings only, so the value is the same.
    """
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _shorten_name(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}…"


def _printable_char(char: str, previous: str) -> str:
    """Return the printable form of a character that follows `previous`."""
    if char.isprintable():
        return char
    if char == _ZERO_WIDTH_JOINER and previous and category(previous) in _EMOJI_CATEGORIES:
        return char
    return " " if category(char) == "Zs" else _REPLACEMENT
