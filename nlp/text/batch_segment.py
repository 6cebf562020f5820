"""Words of many texts at once, compiled: the words that `Segmenter.locate_words` describes.

Import it in functions: numba takes a while.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nlp.text import compiled_words
from nlp.text.batches import FoldedBatch, code_points
from nlp.text.characters import DICTIONARY_CHARACTERS, character_flags
from nlp.text.chinese import JOINS_FILE, SEGMENTER_FOLDER, WORDS_FILE, read_weights
from nlp.text.segment import WordColumns

# Entries of the table of pieces after which it is begun anew.
_MAX_PIECES = 1 << 18
_FIRST_PIECES = 1 << 12
_UNREACHABLE = re.compile(f"[^{DICTIONARY_CHARACTERS}]")

PieceWords = Sequence[tuple[str, int, int]]
"""The words of a piece: normal form, start in the piece and length."""


class BatchSegmenter:
    """Cuts joined texts into words by compiled code.

    `uncut` is the expression of what is one piece, `first_characters` those with which one of the
    whole words in it begins. `split_uncut` returns the pieces of a match, none for what is no word,
    and `piece_words(piece, is_spaced)` the words of a piece; their results are kept in a table.
    """

    def __init__(
        self,
        uncut: re.Pattern[str],
        first_characters: Iterable[str],
        split_uncut: Callable[[str], Sequence[str]],
        piece_words: Callable[[str, bool], PieceWords],
    ) -> None:
        self._uncut = uncut
        self._flags = character_flags()
        self._first_characters = frozenset(first_characters)
        self._split_uncut = split_uncut
        self._piece_words = piece_words
        self._table = _PieceTable()

    def locate_words(self, batch: FoldedBatch) -> WordColumns:
        """Return the words of folded texts; places are those in the plain texts."""
        uncut = self._find_uncut(batch)
        starts, ends, kinds = compiled_words.cut_pieces(
            batch.codes, self._flags, uncut, *chinese_arrays()
        )
        numbers = self._table.number_pieces(batch.codes, starts, ends, kinds)
        for index in self._table.added:
            piece = batch.joined[starts[index] : ends[index]]
            is_spaced = kinds[index] == compiled_words.SPACED
            self._table.append_words(self._piece_words(piece, is_spaced))
        words, places, lengths, offsets = compiled_words.list_words(
            starts, numbers, self._table.entries(), batch.offsets
        )
        places -= np.repeat(batch.offsets[:-1], np.diff(offsets))
        return WordColumns(
            self._table.vocabulary, self._table.hashtags, words, places, lengths, offsets
        )

    def _find_uncut(self, batch: FoldedBatch) -> npt.NDArray[np.int64]:
        """Return starts, ends and kinds of what is one piece."""
        spans: list[tuple[int, int, int]] = []
        for match in batch.find_all(self._uncut, self._first_characters):
            pieces = self._split_uncut(match[0])
            if not pieces:
                spans.append((*match.span(), compiled_words.SKIPPED))
            start = match.start()
            for piece in pieces:
                spans.append((start, start + len(piece), compiled_words.PLAIN))
                start += len(piece)
        return np.array(spans, np.int64).reshape(-1, 3)


class _PieceTable:
    """Distinct pieces of text, numbered from 0, and the words of each."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._counts = np.zeros(2, np.int64)
        self._hashes = np.zeros(_FIRST_PIECES, np.uint64)
        self._kinds = np.zeros(_FIRST_PIECES, np.uint8)
        self._offsets = np.zeros(_FIRST_PIECES + 1, np.int64)
        self._texts = np.zeros(8 * _FIRST_PIECES, np.uint32)
        self._slots = np.full(4 * _FIRST_PIECES, -1, np.int32)
        self.vocabulary: list[str] = []
        self.hashtags: list[int] = []
        self._word_numbers: dict[str, int] = {}
        self._word_offsets = [0]
        self._words: list[tuple[int, int, int]] = []
        # indices of the pieces that the last call added, in the order of their numbers
        self.added: list[int] = []

    def number_pieces(
        self,
        codes: npt.NDArray[np.uint32],
        starts: npt.NDArray[np.int64],
        ends: npt.NDArray[np.int64],
        kinds: npt.NDArray[np.uint8],
    ) -> npt.NDArray[np.int32]:
        """Return the numbers of pieces of `codes`; new ones get the next numbers."""
        if self._counts[0] > _MAX_PIECES:
            self._clear()
        self._reserve(len(starts), int((ends - starts).sum()))
        table = (self._slots, self._hashes, self._kinds, self._offsets, self._texts)
        numbers: npt.NDArray[np.int32]
        numbers, added = compiled_words.find_or_add_pieces(
            codes, starts, ends, kinds, table, self._counts
        )
        self.added = added.tolist()
        return numbers

    def append_words(self, words: PieceWords) -> None:
        """Give the next piece its words."""
        for word, start, length in words:
            word_number = self._word_numbers.setdefault(word, len(self.vocabulary))
            if word_number == len(self.vocabulary):
                self.vocabulary.append(word)
                if word[0] == "#":
                    self.hashtags.append(word_number)
            self._words.append((word_number, start, length))
        self._word_offsets.append(len(self._words))

    def entries(self) -> Any:
        """Return where the words of each piece begin, and their numbers, starts and lengths."""
        words = np.array(self._words, np.int64).reshape(-1, 3)
        return (np.array(self._word_offsets, np.int64), *map(np.ascontiguousarray, words.T))

    def _reserve(self, pieces: int, characters: int) -> None:
        """Make room for more pieces."""
        wanted = int(self._counts[0]) + pieces
        if wanted > len(self._hashes):
            self._hashes = _grown(self._hashes, wanted)
            self._kinds = _grown(self._kinds, wanted)
            self._offsets = _grown(self._offsets, wanted + 1)
        self._texts = _grown(self._texts, int(self._counts[1]) + characters)
        if 2 * wanted > len(self._slots):
            self._slots = np.full(1 << (4 * wanted).bit_length(), -1, np.int32)
            compiled_words.fill_slots(self._slots, self._hashes, self._counts[0])


def _grown(array: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    """Return an array, or a longer copy of it with room for `length` elements."""
    if length <= len(array):
        return array
    longer = np.zeros(max(length, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer


@cache
def chinese_arrays() -> tuple[Any, Any]:
    """Load the dictionary and the joins that ship with Folate, as arrays."""
    return (
        dictionary_arrays(read_weights(SEGMENTER_FOLDER / WORDS_FILE)),
        join_arrays(read_weights(SEGMENTER_FOLDER / JOINS_FILE)),
    )


def dictionary_arrays(word_frequencies: dict[str, int]) -> Any:
    """Return jieba's dictionary with some frequencies replaced, as `build_trie` makes it."""
    import jieba

    lines = Path(jieba.__file__).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split(" ") for line in lines]
    frequencies = {entry[0]: int(entry[1]) for entry in entries} | word_frequencies
    log_total = math.log(sum(frequencies.values()))
    words = [word for word in frequencies if not _UNREACHABLE.search(word)]
    words.sort(key=frequencies.__getitem__, reverse=True)
    logs = np.array([math.log(frequencies[word] or 1) - log_total for word in words])
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum([len(word) for word in words], out=offsets[1:])
    codes = code_points("".join(words))
    weights, masks, roots, table = compiled_words.build_trie(
        codes, offsets, logs, int(codes.max()) + 1
    )
    return weights, masks, math.log(1) - log_total, roots, table


_JOIN_FEATURE = re.compile(
    r"(?P<lengths>[123]{2})(?P<right_start>\D)?"
    r"|(?P<mark>[<>]?)(?P<end>\D)(?P<end_lengths>[123]{2})"
    r"|(?P<meeting>\D\+\D)"
    r"|(?P<left>[^\d_]{1,2})_(?P<left_flag>[01])"
    r"|_(?P<right>[^\d_]{1,2})(?P<right_flag>[01])"
    r"|(?P<pair>[^\d_]+_[^\d_]+)"
)


def join_arrays(weights: dict[str, int]) -> Any:
    """Return the weights of joins by the number of their feature, as `build_joins` makes it."""
    keys = np.array([_join_key(name) for name in weights], np.uint64)
    return compiled_words.build_joins(keys, np.array([*weights.values()], np.int64))


def _join_key(name: str) -> int:
    """Return the number of a feature that `nlp.text.chinese.join_features` names."""
    match = _JOIN_FEATURE.fullmatch(name)
    if not match:
        raise ValueError(f"wanted a feature of two pieces, got {name!r}.")
    if match["pair"]:
        left, right = match["pair"].split("_")
        codes = code_points(left + right)
        return int(compiled_words.pair_key(codes, 0, len(left), len(codes)))
    return int(compiled_words.join_key(*_join_parts(match)))


def _join_parts(match: re.Match[str]) -> tuple[int, int, int, int]:
    """Return kind, lengths and the two characters of a feature."""
    if match["lengths"]:
        lengths = _packed_lengths(match["lengths"])
        if match["right_start"]:
            return compiled_words.JOIN_RIGHT_START, lengths, ord(match["right_start"]), 0
        return compiled_words.JOIN_LENGTHS, lengths, 0, 0
    if match["end"]:
        kind = _END_KINDS[match["mark"]]
        return kind, _packed_lengths(match["end_lengths"]), ord(match["end"]), 0
    if match["meeting"]:
        return compiled_words.JOIN_MEETING, 0, ord(match["meeting"][0]), ord(match["meeting"][2])
    if match["left"]:
        first = ord(match["left"][0]) if len(match["left"]) > 1 else 0
        return compiled_words.JOIN_LEFT, int(match["left_flag"]), first, ord(match["left"][-1])
    second = ord(match["right"][1]) if len(match["right"]) > 1 else 0
    return compiled_words.JOIN_RIGHT, int(match["right_flag"]), ord(match["right"][0]), second


_END_KINDS = {
    "": compiled_words.JOIN_LEFT_END,
    "<": compiled_words.JOIN_LEFT_START,
    ">": compiled_words.JOIN_RIGHT_END,
}


def _packed_lengths(digits: str) -> int:
    return int(digits[0]) * 4 + int(digits[1])
