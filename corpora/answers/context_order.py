"""The order of concordance lines by their contexts: alphabetical, and in Chinese by character.

The right context is compared from the hit to the right, the left context from the hit to the left,
word by word: of two words that are left of the hit, the letters are compared from first to last. A
Chinese character (also kana and emoji) is a word of its own. Text is compared folded, by code
point, which orders Chinese characters by radical and strokes; spaces, punctuation and line breaks
only separate words.
"""

import unicodedata
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from corpora.answers.hit_list import HitList, document_spans
from corpora.index.segment import Positions
from corpora.search.hits import SegmentHits
from folate.core.text import contains_chinese

COMPARED_CHARACTERS = 16
"""Characters next to a hit that are compared, and of the hit itself."""

Side = Literal["left", "right", "hit"]
Codes = npt.NDArray[np.uint32]

_SEPARATOR, _LETTER, _SINGLE = 0, 1, 2
_PLANE = 0x10000
_BLOCK = 100_000


def context_order(hits: HitList, side: Side) -> Positions:
    """Return the order of hits by a context or by their own text; equal ones stay in order."""
    blocks = [
        hits.take(slice(first, first + _BLOCK)).numbers(lambda part: compared_codes(part, side))
        for first in range(0, len(hits), _BLOCK)
    ]
    if not blocks:
        return np.empty(0, np.int64)
    codes = np.concatenate(blocks).astype(">u4")
    # bytes are compared from the first to the last
    rows = codes.view(f"V{4 * COMPARED_CHARACTERS}")[:, 0]
    return np.argsort(rows, kind="stable")


def compared_codes(hits: SegmentHits, side: Side) -> Codes:
    """Return the code points of each hit that are compared, one row a hit, filled up with 0."""
    codes = _adjacent_codes(hits, side)
    classes = _classes(codes)
    if side == "left":
        turned = _turned_places(classes)
        codes, classes = codes.ravel()[turned], classes.ravel()[turned]
    return _drop_separators(codes, classes)


def _adjacent_codes(hits: SegmentHits, side: Side) -> Codes:
    """Return the folded code points next to each hit, from the hit outwards; 0 beyond the post."""
    first, end = document_spans(hits)
    places = np.arange(COMPARED_CHARACTERS)
    match side:
        case "left":
            positions = hits.starts[:, np.newaxis] - 1 - places
        case "right":
            positions = hits.ends[:, np.newaxis] + places
        case "hit":
            positions = hits.starts[:, np.newaxis] + places
            end = hits.ends
    inside = (positions >= first[:, np.newaxis]) & (positions < end[:, np.newaxis])
    codes: Codes = hits.segment.array("folded")[np.where(inside, positions, 0)]
    codes[~inside] = 0
    return codes


def _turned_places(classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Return where each element is after each run of letters was turned around.

    Letters that are read backwards from a hit are read forwards then. Places count the elements of
    all rows.
    """
    rows, width = classes.shape
    columns = np.arange(width, dtype=np.int8)
    is_letter = classes == _LETTER
    continues = is_letter[:, 1:] & is_letter[:, :-1]
    starts = np.tile(columns, (rows, 1))
    ends = starts.copy()
    starts[:, 1:] *= ~continues
    ends[:, :-1][continues] = width
    # column by column is far faster than accumulate, which goes through short rows
    for column in range(1, width):
        np.maximum(starts[:, column], starts[:, column - 1], out=starts[:, column])
        last = width - 1 - column
        np.minimum(ends[:, last], ends[:, last + 1], out=ends[:, last])
    row_starts = np.arange(rows, dtype=np.int32)[:, np.newaxis] * width
    turned: npt.NDArray[np.int32] = row_starts + (starts + ends - columns)
    return turned


def _drop_separators(codes: Codes, classes: npt.NDArray[np.uint8]) -> Codes:
    """Keep one space after each run of letters, and no other separator."""
    rows, width = codes.shape
    is_word = classes != _SEPARATOR
    is_letter = classes == _LETTER
    is_last = is_letter.copy()
    is_last[:, :-1] &= ~is_letter[:, 1:]
    # a row has at most as many spaces as letters
    row_starts = np.arange(rows)[:, np.newaxis] * 2 * width
    ends = row_starts + np.cumsum(is_word + is_last.view(np.int8), axis=1)
    kept = np.zeros(rows * 2 * width, np.uint32)
    kept[ends[is_word] - 1 - is_last[is_word]] = codes[is_word]
    kept[ends[is_last] - 1] = ord(" ")
    return kept.reshape(rows, 2 * width)[:, :width]


def _classes(codes: Codes) -> npt.NDArray[np.uint8]:
    """Return for each code point whether it separates words, is a letter, or a word by itself."""
    basic = _basic_classes()[np.minimum(codes, _PLANE - 1)]
    return np.where(codes < _PLANE, basic, np.uint8(_SINGLE))


@cache
def _basic_classes() -> npt.NDArray[np.uint8]:
    classes = np.zeros(_PLANE, np.uint8)
    for code in range(_PLANE):
        character = chr(code)
        category = unicodedata.category(character)
        if contains_chinese(character) or category in ("Lo", "So"):
            classes[code] = _SINGLE
        elif category[0] in "LMN":
            classes[code] = _LETTER
    return classes
