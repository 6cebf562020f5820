"""Normal forms of text: width, traditional characters, case and spacing folded, emoji kept."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from nlp.text.markup import AlignedText, blank_markup, strip_markup, strip_markup_aligned
from nlp.text.patterns import EMOJI_CHARACTER, HANDLE, URL


class ScriptConverter(Protocol):
    """The part of OpenCC that is used: conversion from one Chinese script to another."""

    def convert(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text folded once, for all functions that annotate it."""

    original: str
    """The text as published."""
    plain: AlignedText
    """The text without markup and labels of the site, aligned with the original."""
    folded: str
    """The plain text folded by `fold_text`: as long as the plain text."""

    def folded_in_place(self) -> str:
        """Return the original folded with its markup blanked: as long as the original."""
        return self.folded if self.plain.starts is None else fold_text(self.original)


def fold_once(text: str | FoldedText) -> FoldedText:
    """Strip the markup of a text and fold it; a text that is folded already is returned."""
    if isinstance(text, FoldedText):
        return text
    plain = strip_markup_aligned(text)
    return FoldedText(text, plain, fold_text(plain.text))


def normalize_text(text: str) -> str:
    """Return the normal form of a text, in which spellings of one word are equal.

    That is NFKC, simplified characters, lower case, typewriter apostrophes, single spaces, and no
    control or invisible characters. Lone surrogates become U+FFFD. Normalising twice changes
    nothing.

    >>> normalize_text("ＡＢＣ　買了蘋果手機！")
    'abc 买了苹果手机!'
    """
    text = _INVISIBLE.sub("", text).lower()
    if not text.isascii():
        compatible = unicodedata.normalize("NFKC", _repair_surrogates(text))
        text = _simplify(_APOSTROPHE.sub("'", compatible)).lower()
    return " ".join(text.split())


def normalize_except(text: str, kept: Collection[str]) -> str:
    """Normalise a text as `normalize_text` does, but keep its `case`, `width` or `script`.

    >>> normalize_except("ＡＢＣ　買了蘋果手機！", {"case", "script"})
    'ABC 買了蘋果手機!'
    """
    text = _repair_surrogates(_INVISIBLE.sub("", text))
    if "width" not in kept:
        text = _APOSTROPHE.sub("'", unicodedata.normalize("NFKC", text))
    if "script" not in kept:
        text = _simplify(text)
    if "case" not in kept:
        text = text.lower()
    return " ".join(text.split())


def fold_text(text: str) -> str:
    """Normalise a text as far as no character moves: the result is as long as `text`.

    Offsets into the result are therefore offsets into `text`. Characters that do not fold one to
    one (`㎏`, combining accents) stay; markup and labels of the site become spaces.
    """
    text = blank_markup(text)
    if text.isascii():
        return text.lower()
    folded = fold_characters(text)
    simplified = _simplify(folded)
    return (
        simplified if len(simplified) == len(folded) else "".join(map(_simplify_character, folded))
    )


def fold_characters(text: str) -> str:
    """Fold each character of a text by itself, as `fold_text` does; traditional ones stay."""
    return text.translate(_fold_table())


def simplify(text: str) -> str:
    """Return a text in simplified characters, which may be longer or shorter."""
    return _simplify(text)


def strip_for_duplicates(text: str) -> str:
    """Return what copies of one text share: its normalised letters, digits and emoji, in order.

    Markup and labels of the site, reposted chains (`//@name: …` to the end), @names, URLs and
    spaces are dropped. A text of nothing else keeps the words of its chain, or else its whole
    normal form, so that it does not equal every other such text.
    """
    return strip_plain_for_duplicates(strip_markup(text))


def strip_plain_for_duplicates(plain: str) -> str:
    """Strip a text without markup as `strip_for_duplicates` does."""
    normal = normalize_text(plain)
    for candidate in (_CHAIN.sub("", normal), normal):
        if _MAY_QUOTE.search(candidate):
            candidate = _QUOTED.sub(" ", candidate)
        stripped = _SEPARATORS.sub("", candidate)
        if stripped:
            return stripped
    return normal.replace(" ", "")


_APOSTROPHE = re.compile("[‘’ʼ]")
# Control and format characters, variation selectors, and joiners that join no emoji.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180b-\u180e"
    "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
    rf"|\u200d(?!{EMOJI_CHARACTER})"
)
_CHAIN = re.compile(r"//\s?@.*", re.DOTALL)
_QUOTED = re.compile(rf"{URL}|(?://\s?)?{HANDLE}\s?:?")
# Part of every URL and @name: a cheap test that most texts fail.
_MAY_QUOTE = re.compile(r"@|://|www|\.[0-9a-z]")
_SEPARATORS = re.compile(rf"[^\w{EMOJI_CHARACTER[1:-1]}]+|_+")
SHARED_CHARACTER = rf"(?:[^\W_]|{EMOJI_CHARACTER})"
"""A letter, digit or emoji, which `strip_for_duplicates` keeps."""


def _repair_surrogates(text: str) -> str:
    """Join surrogate pairs, and replace lone ones, which OpenCC does not take, by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _simplify(text: str) -> str:
    return _simplifier().convert(text)


@cache
def _simplifier() -> ScriptConverter:
    from opencc import OpenCC

    converter: ScriptConverter = OpenCC("t2s")
    return converter


def _simplify_character(character: str) -> str:
    simplified = _simplify(character)
    return simplified if len(simplified) == 1 else character


class _FoldTable(dict[int, int]):
    """Code point -> folded code point, computed at the first look-up."""

    def __missing__(self, code: int) -> int:
        character = _APOSTROPHE.sub("'", "\ufffd" if 0xD800 <= code < 0xE000 else chr(code))
        compatible = unicodedata.normalize("NFKC", character)
        for folded in (compatible, compatible.lower()):
            if len(folded) == 1:
                character = folded
        if character.isspace() and character != "\n":
            character = " "
        self[code] = ord(character)
        return self[code]


@cache
def _fold_table() -> _FoldTable:
    return _FoldTable()
