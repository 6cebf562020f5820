"""Errors of queries: one sentence, and beside it the place in the query that it is about."""

import unicodedata

from folate.core.errors import InputError
from folate.core.text import printable_text

# Characters of a query that are shown before and after the place.
_SHOWN_BEFORE = 50
_SHOWN_AFTER = 30


PLACE_PREFIX = "query, "
"""Beginning of a message about a query."""


def query_error(query: str, position: int, sentence: str) -> InputError:
    """Return an error about the character at `position` of a query.

    Its message is a sentence with the number of the character, from 1. Its note (`add_note`), which
    tracebacks and the command line show below it, is the query with a caret under the character.
    """
    error = InputError(f"{PLACE_PREFIX}character {position + 1:,}: {sentence}")
    error.add_note(point_at(query, position))
    return error


def copy_notes(source: Exception, target: Exception) -> None:
    """Add the notes of an error to another."""
    for note in getattr(source, "__notes__", ()):
        target.add_note(note)


def point_at(query: str, position: int) -> str:
    """Return the query, cut around `position`, and below it a line with a caret under that place.

    Characters of Chinese are taken as two columns wide, as terminals print them.
    """
    start = max(0, position - _SHOWN_BEFORE)
    end = position + _SHOWN_AFTER
    before = ("…" if start else "") + printable_text(query[start:position])
    after = printable_text(query[position:end]) + ("…" if end < len(query) else "")
    width = sum(map(_column_width, before))
    return f"  {before}{after}\n  {' ' * width}^"


def _column_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
