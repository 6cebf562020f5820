"""Text from outside, made safe to print: nothing in it can command a terminal, turn a line around or fill a screen."""

import re
from collections.abc import Iterable
from unicodedata import category

MAX_LINE_LENGTH = (
    2_000  # characters of one printed line; an error with a whole table header in it is cut here
)
MAX_LISTED_NAMES = 30  # of a list that is printed in a sentence
MAX_EXCERPT_LENGTH = 180  # characters of a post, or of an answer of a server, that are quoted
MAX_NAME_LENGTH = 60  # characters of one name in such a list

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_JOINER = "\N{ZERO WIDTH JOINER}"
_JOINED = frozenset(
    {"So", "Sk", "Mn"}
)  # categories of emoji, their skin tones and variation selectors
_ESCAPED_IN_JSON = re.compile(
    r"[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)


def printable_text(text: str) -> str:
    """Return `text` on one line, with U+FFFD for whatever could command a terminal or hide.

    Replaced are control characters (line breaks and tabs among them), bidirectional and zero-width characters, surrogates,
    and code points without a character. Spaces of every width become plain ones; a zero-width joiner stays in emoji.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(char, text[place - 1 : place]) for place, char in enumerate(text))


def printable_lines(text: str) -> str:
    """Return `text` with each of its lines made `printable`; tabs stay."""
    return "\n".join("\t".join(map(printable_text, line.split("\t"))) for line in text.split("\n"))


def to_single_line(text: str) -> str:
    """Return `text` on one line, `printable` and cut to LONGEST_LINE characters."""
    return printable_text(
        truncate_text(
            " ".join(text[: 2 * MAX_LINE_LENGTH].split()),
            omitted_length=max(0, len(text) - 2 * MAX_LINE_LENGTH),
        )
    )


def truncate_text(text: str, max_length: int = MAX_LINE_LENGTH, omitted_length: int = 0) -> str:
    """Return the first `length` characters of `text` and how many more there are (`longer_by` of them not in `text`)."""
    more = max(0, len(text) - max_length) + omitted_length
    return f"{text[:max_length]} … and {more:,} more characters" if more else text


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
    """Return the first `most` of `names` for a sentence, each printable and short, and how many more there are."""
    every = list(names)
    shown = ", ".join(
        printable_text(name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}…")
        for name in every[:max_names]
    )
    return f"{shown} and {len(every) - max_names:,} more" if len(every) > max_names else shown


def quote_name(name: str) -> str:
    """Return `name` in quotes for a sentence, as Python writes it, and short."""
    return printable_text(
        repr(name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}…")
    )


def escape_json(text: str) -> str:
    """Return JSON with `\\uXXXX` for the invisible characters that `ensure_ascii=False` leaves as they are.

    They stand in strings only, so the value is the same.
    """
    return _ESCAPED_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _harmless(char: str, before: str) -> str:
    """What to print for a character that stands after the character `before`."""
    if char.isprintable() or (char == _JOINER and before and category(before) in _JOINED):
        return char
    return " " if category(char) == "Zs" else _REPLACEMENT
