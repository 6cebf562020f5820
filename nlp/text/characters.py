"""What each code point is, as bits in one table: what regular expressions ask, for compiled code."""

import re
import sys
from functools import cache

import numpy as np
import numpy.typing as npt

from folate.core.text import HAN_RANGES
from nlp.text import compiled_words as bits
from nlp.text.patterns import EMOJI_CHARACTER
from nlp.text.segment import LETTER

_CLASSES = {
    bits.HAN: f"[{HAN_RANGES}]",
    bits.SPACE: r"\s",
    bits.DIGIT: r"\d",
    bits.LETTER: LETTER,
    # what jieba looks up in its dictionary; what it joins are letters and digits, which never come
    bits.DICTIONARY: r"[\u4e00-\u9fd5+#&._%-]",
    bits.EMOJI: EMOJI_CHARACTER,
}


@cache
def character_flags() -> npt.NDArray[np.uint16]:
    """Return the bits of every code point."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    flags = np.zeros(len(everything), np.uint16)
    for bit, expression in _CLASSES.items():
        for match in re.finditer(f"(?:{expression})+", everything):
            flags[match.start() : match.end()] |= bit
    alphanumeric = np.fromiter(map(str.isalnum, everything), bool, len(everything))
    flags[alphanumeric] |= bits.ALPHANUMERIC
    return flags
