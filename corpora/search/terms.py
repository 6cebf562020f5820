"""Terms found in the characters of a segment, exactly as `TermMatcher` finds them in one text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions, Segment
from corpora.query.syntax import Flags, Term
from corpora.search.forms import (
    FIRST_WITHOUT_DIACRITICS,
    PUBLISHED_FLAGS,
    base_character,
    published_traits,
    term_traits,
    without_diacritics,
)
from nlp.text.longest_match import SPACED_LETTERS
from nlp.text.term_matcher import TermShape, term_shape

Codes = npt.NDArray[Any]
"""Code points of text."""

BLOCK_LENGTH = 500_000
"""Candidates, or characters, that are looked at in one go."""

_LAST_SPACED_LETTER = 0x530
_LAST_GAP = 0x3001


@dataclass(frozen=True)
class Anchor:
    """The part of a term that its search starts from: two neighbouring characters, or one."""

    piece: int
    # of the first character in the piece
    offset: int
    length: int
    first_key: int
    last_key: int
    # occurrences
    count: int


class TermSearch:
    """The search for one term in one segment."""

    def __init__(self, segment: Segment, term: Term) -> None:
        self._segment = segment
        self._term = term.text
        self._flags: Flags = term.flags
        self._is_stripped = "no_diacritics" in term.flags
        text = without_diacritics(term.text) if self._is_stripped else term.text
        self._shape: TermShape = term_shape(text)

    @cached_property
    def count(self) -> int:
        """The number of postings, or of characters, that the search reads."""
        if not self._shape.pieces:
            return 0
        return len(self._segment.array("folded")) if self._is_stripped else self._anchor.count

    def find(self) -> tuple[Positions, Positions]:
        """Return the first character and the one after the last of each hit, in rising order."""
        if not self._shape.pieces:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        blocks = list(self._stripped_blocks() if self._is_stripped else self._blocks())
        starts = np.concatenate([block[0] for block in blocks])
        ends = np.concatenate([block[1] for block in blocks])
        if self._flags & PUBLISHED_FLAGS:
            has_traits = self._has_traits(starts, ends)
            return starts[has_traits], ends[has_traits]
        return starts, ends

    @cached_property
    def _anchor(self) -> Anchor:
        anchors = [
            anchor
            for number, piece in enumerate(self._shape.pieces)
            for anchor in self._anchors(number, _codes(piece))
        ]
        return min(anchors, key=lambda anchor: anchor.count)

    def _anchors(self, number: int, piece: list[int]) -> Iterator[Anchor]:
        pairs = self._segment.pairs
        if len(piece) == 1:
            first, last = piece[0] << 32, (piece[0] << 32) | 0xFFFFFFFF
            yield Anchor(number, 0, 1, first, last, pairs.count_range(first, last))
        for offset in range(len(piece) - 1):
            key = piece[offset] << 32 | piece[offset + 1]
            yield Anchor(number, offset, 2, key, key, pairs.count(key))

    def _blocks(self) -> Iterator[tuple[Positions, Positions]]:
        """Yield the hits among some candidates after the others."""
        anchor = self._anchor
        pairs = self._segment.pairs
        low = int(np.searchsorted(pairs.keys, np.uint64(anchor.first_key), "left"))
        high = int(np.searchsorted(pairs.keys, np.uint64(anchor.last_key), "right"))
        candidates = pairs.values[pairs.offsets[low] : pairs.offsets[high]]
        if high - low > 1:
            candidates = np.sort(candidates)
        folded = self._segment.array("folded")
        for start in range(0, max(len(candidates), 1), BLOCK_LENGTH):
            places = candidates[start : start + BLOCK_LENGTH].astype(np.int64)
            yield self._verified(folded, places, anchor)

    def _stripped_blocks(self) -> Iterator[tuple[Positions, Positions]]:
        """Yield the hits in the text without diacritics of some documents after the others."""
        offsets = self._segment.array("char_offsets")
        first = _codes(self._shape.pieces[0])
        anchor = Anchor(0, 0, 1, first[0], first[0], 0)
        document = 0
        while document + 1 < len(offsets):
            low = int(offsets[document])
            end = int(np.searchsorted(offsets, low + BLOCK_LENGTH, "right")) - 1
            document = max(end, document + 1)
            codes = self._segment.array("folded")[low : offsets[document]]
            stripped, places = _without_diacritics(codes)
            starts, ends = self._verified(stripped, np.flatnonzero(stripped == first[0]), anchor)
            yield places[starts] + low, places[ends - 1] + low + 1
        yield np.empty(0, np.int64), np.empty(0, np.int64)

    def _verified(
        self, codes: Codes, places: Positions, anchor: Anchor
    ) -> tuple[Positions, Positions]:
        """Return the occurrences of the term among places where its anchor occurs in a text."""
        pieces = [_codes(piece) for piece in self._shape.pieces]
        starts = places - anchor.offset
        if anchor.offset:
            starts = starts[starts >= 0]
        unknown = [
            offset
            for offset in range(len(pieces[anchor.piece]))
            if not anchor.offset <= offset < anchor.offset + anchor.length
        ]
        if unknown:
            starts = starts[_has_piece(codes, starts, pieces[anchor.piece], unknown)]
        ends = starts + len(pieces[anchor.piece])
        for number in range(anchor.piece, len(pieces) - 1):
            optional = self._shape.optional_gaps[number]
            keep, ends = _piece_after(codes, ends, pieces[number + 1], optional)
            starts, ends = starts[keep], ends[keep]
        for number in range(anchor.piece, 0, -1):
            optional = self._shape.optional_gaps[number - 1]
            keep, starts = _piece_before(codes, starts, pieces[number - 1], optional)
            starts, ends = starts[keep], ends[keep]
        shape = self._shape
        if shape.starts_word or shape.ends_in_letter or shape.ends_in_digit:
            is_bounded = self._has_boundaries(codes, starts, ends)
            return starts[is_bounded], ends[is_bounded]
        return starts, ends

    def _has_boundaries(
        self, codes: Codes, starts: Positions, ends: Positions
    ) -> npt.NDArray[np.bool_]:
        """Return whether words end where the term asks for it."""
        letters = _letter_table()
        keep = np.ones(len(starts), np.bool_)
        if self._shape.starts_word:
            before = codes.take(starts - 1, mode="clip")
            is_word = letters[np.minimum(before, _LAST_SPACED_LETTER)] | _is_digit(before)
            keep &= ~is_word | (starts == 0)
        after = codes.take(ends, mode="clip")
        if self._shape.ends_in_letter:
            keep &= ~letters[np.minimum(after, _LAST_SPACED_LETTER)]
        if self._shape.ends_in_digit:
            keep &= ~_is_digit(after)
        return keep

    def _has_traits(self, starts: Positions, ends: Positions) -> npt.NDArray[np.bool_]:
        """Return whether the published characters are as the flags want them."""
        wanted = term_traits(self._term, "".join(self._shape.pieces), self._flags)
        verdicts: dict[str, bool] = {}
        keep = np.zeros(len(starts), np.bool_)
        for low in range(0, len(starts), BLOCK_LENGTH // 5):
            high = low + BLOCK_LENGTH // 5
            for index, text in enumerate(self._segment.texts(starts[low:high], ends[low:high])):
                if text not in verdicts:
                    verdicts[text] = published_traits(text, self._flags) == wanted
                keep[low + index] = verdicts[text]
        return keep


def _has_piece(
    codes: Codes, starts: Positions, piece: list[int], offsets: list[int] | range
) -> Positions:
    """Return the indexes of the starts where a piece stands, as far as `offsets` of it tell."""
    indexes = np.arange(len(starts))
    for offset in offsets:
        found = codes.take(starts[indexes] + offset, mode="clip") == piece[offset]
        indexes = indexes[found]
    return indexes


def _piece_after(
    codes: Codes, ends: Positions, piece: list[int], optional: bool
) -> tuple[Positions, Positions]:
    """Return which ends are followed by a gap and a piece, and for all ends where that ends."""
    starts = _skip_gaps(codes, ends, 1)
    keep = np.arange(len(ends)) if optional else np.flatnonzero(starts > ends)
    keep = keep[_has_piece(codes, starts[keep], piece, range(len(piece)))]
    return keep, starts + len(piece)


def _piece_before(
    codes: Codes, starts: Positions, piece: list[int], optional: bool
) -> tuple[Positions, Positions]:
    """Return which starts follow a piece and a gap, and for all starts where that begins."""
    ends = _skip_gaps(codes, starts - 1, -1) + 1
    begins = ends - len(piece)
    keep = begins >= 0 if optional else (begins >= 0) & (ends < starts)
    kept = np.flatnonzero(keep)
    kept = kept[_has_piece(codes, begins[kept], piece, range(len(piece)))]
    return kept, begins


def _skip_gaps(codes: Codes, places: Positions, step: int) -> Positions:
    """Return for each place the first one from there on, in steps, that is in no gap."""
    gaps = _gap_table()
    places = places.copy()
    active = np.flatnonzero(places >= 0)
    while len(active):
        current = places[active]
        is_gap = gaps[np.minimum(codes.take(current, mode="clip"), _LAST_GAP)]
        is_gap &= (current >= 0) & (current < len(codes))
        active = active[is_gap]
        places[active] += step
    return places


def _without_diacritics(codes: Codes) -> tuple[Codes, Positions]:
    """Return code points without diacritics, and where each of them stood."""
    bases = _base_table()[np.minimum(codes, FIRST_WITHOUT_DIACRITICS)]
    stripped = np.where(codes < FIRST_WITHOUT_DIACRITICS, bases, codes)
    # base of a combining mark
    places = np.flatnonzero(stripped != _NO_BASE)
    return stripped[places], places


_NO_BASE = np.uint32(0xFFFFFFFF)


@cache
def _base_table() -> npt.NDArray[np.uint32]:
    table = np.full(FIRST_WITHOUT_DIACRITICS + 1, _NO_BASE, np.uint32)
    for code in range(FIRST_WITHOUT_DIACRITICS):
        base = base_character(chr(code))
        if base:
            table[code] = ord(base)
    return table


@cache
def _letter_table() -> npt.NDArray[np.bool_]:
    """Return for each code point whether it is in SPACED_LETTERS; the last stands for the rest."""
    letter = re.compile(f"[{SPACED_LETTERS}]")
    flags = [bool(letter.match(chr(code))) for code in range(_LAST_SPACED_LETTER)]
    return np.array([*flags, False])


@cache
def _gap_table() -> npt.NDArray[np.bool_]:
    """Return for each code point whether a gap of a term may have it; the last likewise."""
    gap = re.compile(r"[\s-]")
    flags = [bool(gap.match(chr(code))) for code in range(_LAST_GAP)]
    return np.array([*flags, False])


def _is_digit(codes: Codes) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = (codes >= ord("0")) & (codes <= ord("9"))
    return flags


def _codes(text: str) -> list[int]:
    return [ord(character) for character in text]
