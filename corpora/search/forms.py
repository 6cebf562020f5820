"""Forms in which texts are compared: folded, or with what the flags of a query keep."""

import re
import unicodedata
from functools import cache

from corpora.query.syntax import Flag, Flags
from nlp.text.normalize import normalize_except, normalize_text

PUBLISHED_FLAGS: Flags = frozenset({"case", "width", "script"})
"""Flags that look at the text as published, which the folded text no longer shows."""

FIRST_WITHOUT_DIACRITICS = 0x3100
"""Code point from which on no character is taken for a diacritic, or for one with a diacritic."""

_REGEX_CHARACTERS = re.compile(r"[\\.+*?()|\[\]{}^$]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_WILDCARD = re.compile(r"[*?]|[^*?]+")
_GAP = re.compile(r"[\s-]")


def without_diacritics(text: str) -> str:
    """Return a text without combining marks, letters with marks as their base letters.

    >>> without_diacritics("pâté")
    'pate'
    """
    return text if text.isascii() else "".join(map(base_character, text))


@cache
def base_character(character: str) -> str:
    """Return a character without its diacritics; "" for a combining mark."""
    if ord(character) >= FIRST_WITHOUT_DIACRITICS:
        return character
    if unicodedata.category(character) == "Mn":
        return ""
    parts = unicodedata.normalize("NFD", character)
    only_marks = all(unicodedata.category(mark) == "Mn" for mark in parts[1:])
    return parts[0] if only_marks else character


def word_form(text: str, flags: Flags) -> str:
    """Return the form in which a word is compared under some flags."""
    form = normalize_except(text, flags) if flags & PUBLISHED_FLAGS else normalize_text(text)
    return without_diacritics(form) if "no_diacritics" in flags else form


def literal_word(pattern: str, is_literal: bool, flags: Flags) -> str | None:
    """Return the word that a pattern stands for, in its form; None where it is an expression."""
    if not is_literal and _REGEX_CHARACTERS.search(pattern):
        return None
    return word_form(pattern, flags)


def word_expression(pattern: str, is_literal: bool, flags: Flags) -> str:
    """Return an RE2 expression for the whole form of a word.

    Without the flag `case`, the expression ignores case; characters beyond ASCII are folded.
    """
    if is_literal:
        return re.escape(word_form(pattern, flags))
    composed = unicodedata.normalize("NFC", pattern)
    expression = _NOT_ASCII.sub(lambda run: _escaped_form(run[0], flags), composed)
    # forms are in lower case: only capitals of the expression need the slower comparison
    ignores_case = "case" not in flags and expression != expression.lower()
    return f"(?i){expression}" if ignores_case else expression


def wildcard_expression(pattern: str, flags: Flags) -> str:
    """Return an RE2 expression for a pattern with `*` and `?`."""
    expression = ""
    for piece in _WILDCARD.findall(pattern):
        if piece in "*?":
            expression += ".*" if piece == "*" else "."
        else:
            expression += re.escape(word_form(piece, flags))
    return expression


def _escaped_form(run: str, flags: Flags) -> str:
    form = word_form(run, flags)
    return form if not _REGEX_CHARACTERS.search(form) else re.escape(form)


def published_traits(text: str, flags: Flags) -> list[tuple[str, ...]]:
    """Return what flags look at in each character of a published text, gaps left out.

    Two texts that are equal when folded are equal under the flags where their traits are.
    """
    kept = sorted(flags & PUBLISHED_FLAGS)
    traits = []
    for character in text:
        is_mark = "no_diacritics" in flags and not base_character(character)
        if not is_mark and not _GAP.fullmatch(unicodedata.normalize("NFKC", character)):
            traits.append(tuple(_without_marks(character, flag, flags) for flag in kept))
    return traits


def _without_marks(character: str, flag: Flag, flags: Flags) -> str:
    form = normalize_except(character, {flag})
    return without_diacritics(form) if "no_diacritics" in flags else form


def term_traits(term: str, pieces: str, flags: Flags) -> list[tuple[str, ...]]:
    """Return the traits of a term as typed, one for each character of its joined pieces.

    Where the pieces have other characters than the term (`㎏` is `kg`), theirs are returned.
    """
    traits = published_traits(unicodedata.normalize("NFC", term), flags)
    return traits if len(traits) == len(pieces) else published_traits(pieces, flags)
