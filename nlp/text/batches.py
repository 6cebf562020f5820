"""Many texts folded at once: what `fold_once` and `strip_for_duplicates` give, but faster.

Import it in functions: numba takes a while.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nlp.text import compiled_words
from nlp.text.characters import character_flags
from nlp.text.markup import AlignedText, blank_markup, strip_markup_aligned
from nlp.text.normalize import (
    FoldedText,
    fold_characters,
    fold_text,
    simplify,
    strip_plain_for_duplicates,
)

Codes = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.int64]

SEPARATOR = "\n"
"""Between two texts of a batch; no word and no other thing that is one piece goes beyond it."""

_UNKNOWN = 0xFFFFFFFF


class FoldedBatch(NamedTuple):
    """Texts folded together."""

    texts: list[FoldedText]
    joined: str
    """The folded plain texts, a line break after each."""
    codes: Codes
    """The code points of `joined`."""
    offsets: Ints
    """Where each text begins in `joined`, and the end."""
    starts: list[int]
    """The same as a list, without the end."""
    stripped: list[str]
    """Of each text, what copies share (`strip_for_duplicates`)."""

    def find_all(
        self, pattern: re.Pattern[str], first_characters: Iterable[str]
    ) -> Iterator[re.Match[str]]:
        """Yield the matches of a pattern in all texts, as `finditer` does, but faster.

        A match must begin with one of the characters, or where a URL, @name, hashtag, emoticon or
        emoji may begin; with a small letter or digit of ASCII only where none is before it.
        """
        is_start = np.zeros(sys.maxunicode + 1, bool)
        is_start[list(map(ord, first_characters))] = True
        last_end = 0
        candidates = compiled_words.find_starts(self.codes, character_flags(), is_start)
        for start in candidates.tolist():
            match = pattern.match(self.joined, start) if start >= last_end else None
            if match:
                last_end = match.end()
                yield match


def fold_texts(originals: Sequence[str]) -> FoldedBatch:
    """Fold many texts, each as `fold_once` does."""
    plains = _strip_markup(originals)
    unfolded = [
        plain.text if plain.starts is None else blank_markup(plain.text) for plain in plains
    ]
    offsets = text_offsets(unfolded)
    plain_codes = code_points(_join(unfolded))
    joined = _fold(unfolded, plain_codes, offsets)
    codes = code_points(joined)
    starts = offsets[:-1].tolist()
    bounds = zip(starts, offsets[1:].tolist(), strict=True)
    folded = [joined[start : end - 1] for start, end in bounds]
    texts = list(map(FoldedText, originals, plains, folded))
    stripped = _strip(plains, plain_codes, codes, offsets)
    return FoldedBatch(texts, joined, codes, offsets, starts, stripped)


def code_points(text: str) -> Codes:
    """Return the code points of a text, surrogates too."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def text_offsets(texts: Sequence[str]) -> Ints:
    """Return where each of the joined texts begins, and the end."""
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) + 1 for text in texts], out=offsets[1:])
    return offsets


def _join(texts: Sequence[str]) -> str:
    return SEPARATOR.join([*texts, ""])


def _strip_markup(originals: Sequence[str]) -> list[AlignedText]:
    codes = code_points(_join(originals))
    may_have_markup = compiled_words.find_markup(codes, text_offsets(originals), character_flags())
    plains = [AlignedText(text) for text in originals]
    for index in np.flatnonzero(may_have_markup).tolist():
        plains[index] = strip_markup_aligned(originals[index])
    return plains


def _fold(texts: Sequence[str], codes: Codes, offsets: Ints) -> str:
    """Return texts without markup folded and joined; their `codes` are as many."""
    is_ascii = np.fromiter(map(str.isascii, texts), bool, len(texts))
    table = _fold_table()
    folded, missing = compiled_words.translate(codes, offsets, is_ascii, table, _UNKNOWN)
    if len(missing):
        characters = np.unique(missing)
        table[characters] = code_points(fold_characters(_to_text(characters)))
        folded, _ = compiled_words.translate(codes, offsets, is_ascii, table, _UNKNOWN)
    simplified = simplify(_to_text(folded))
    ends = (offsets[1:] - 1).tolist()
    if len(simplified) != len(codes) or any(simplified[end] != SEPARATOR for end in ends):
        return _join(list(map(fold_text, texts)))
    return simplified


@cache
def _fold_table() -> Codes:
    """Return the table of folded characters, which is filled as characters come."""
    return np.full(sys.maxunicode + 1, _UNKNOWN, np.uint32)


def _to_text(codes: Codes) -> str:
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def _strip(
    plains: Sequence[AlignedText], plain_codes: Codes, codes: Codes, offsets: Ints
) -> list[str]:
    """Return of each text what copies share."""
    content, starts, is_sure = compiled_words.strip_texts(
        plain_codes, codes, offsets, character_flags()
    )
    joined = _to_text(content)
    bounds = zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    stripped = [joined[start:end] for start, end in bounds]
    for index, plain in enumerate(plains):
        if plain.starts is not None or not is_sure[index]:
            stripped[index] = strip_plain_for_duplicates(plain.text)
    return stripped
