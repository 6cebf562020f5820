"""What each code point is, as bits of one table: character classes for compiled code."""

import re
import sys
import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

from folate.core.text import HAN_RANGES
from nlp.text import compiled_words as bits
from nlp.text.language import ANY_LETTER, LATIN_LETTERS, MAY_NOT_COUNT
from nlp.text.markup import MARKUP_START
from nlp.text.normalize import SHARED_CHARACTER, fold_characters
from nlp.text.patterns import EMOJI_CHARACTER, KANA_RANGES
from nlp.text.segment import LETTER

DICTIONARY_CHARACTERS = (
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ebef"
    "\U0002f800-\U0002fa1f+#&._%-"
)
"""Characters of words that rjieba finds in its dictionary, for the inside of a character class.

Letters and digits are so, too, but never reach the dictionary."""

_CLASSES = {
    bits.HAN: f"[{HAN_RANGES}]",
    bits.SPACE: r"\s",
    bits.DIGIT: r"\d",
    bits.LETTER: LETTER,
    bits.DICTIONARY: f"[{DICTIONARY_CHARACTERS}]",
    bits.EMOJI: EMOJI_CHARACTER,
    bits.MARKUP: MARKUP_START,
    bits.CONTENT: SHARED_CHARACTER,
    bits.KANA: f"[{KANA_RANGES}]",
    bits.ALPHABETIC: ANY_LETTER,
    bits.LATIN: f"[{LATIN_LETTERS}]",
    bits.NOT_COUNTED: MAY_NOT_COUNT,
}
# Scripts and signs of which no character changes beside another one.
_SIMPLE = re.compile(
    "[\t\n -~\u00a1-\u00ac\u00ae-\u00ff\u2010-\u2027\u2030-\u205e\u3000-\u3029"
    f"\u3041-\u3096\u30a1-\u30fe{HAN_RANGES}\uff01-\uff5e\uffe5\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff]"
)


@cache
def character_flags() -> npt.NDArray[np.uint16]:
    """Return the bits of every code point."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    flags = np.zeros(len(everything), np.uint16)
    for bit, expression in _CLASSES.items():
        for match in re.finditer(f"(?:{expression})+", everything):
            flags[match.start() : match.end()] |= bit
    for match in _SIMPLE.finditer(everything):
        if _is_simple(match[0]):
            flags[match.start()] |= bits.SIMPLE
    alphanumeric = np.fromiter(map(str.isalnum, everything), bool, len(everything))
    flags[alphanumeric] |= bits.ALPHANUMERIC
    return flags


def _is_simple(character: str) -> bool:
    """Return whether the normal form of a character is its folded form, or neither is content."""
    normal = unicodedata.normalize("NFKC", character.lower()).lower()
    if not re.search(SHARED_CHARACTER, normal):
        return not re.search(SHARED_CHARACTER, fold_characters(character))
    return normal == fold_characters(character)
