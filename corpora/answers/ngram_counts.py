"""Counting of word n-grams: all of some posts, or those that contain a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpora.answers.words import (
    Occurrences,
    SegmentPosts,
    WordCounts,
    count_distinct,
    count_occurrences,
    is_among,
    pair_keys,
    spread,
    word_total,
)
from corpora.index.lexicon import Lexicon
from corpora.index.segment import Positions

MAX_STARTS_AT_ONCE = 1 << 25
"""N-grams that are sorted at once, in about 700 MB."""

_KEY_BITS = 64


class _Starts(NamedTuple):
    """Positions of words where n-grams begin, in one segment."""

    posts: SegmentPosts
    positions: Positions

    def words(self, place: int) -> npt.NDArray[np.uint32]:
        """Return the word at a place of each n-gram."""
        ids: npt.NDArray[np.uint32] = self.posts.segment.array("words")[self.positions + place]
        return ids

    def chosen(self, mask: npt.NDArray[np.bool_]) -> "_Starts":
        return _Starts(self.posts, self.positions[mask])


@dataclass(frozen=True)
class NgramTable:
    """The distinct n-grams of one length in some posts, in the order of the numbers of words."""

    posts: Sequence[SegmentPosts]
    lexicon: Lexicon
    # the word that all n-grams contain, None for all n-grams
    word: int | None
    # numbers of words (n-grams, n), and occurrences
    words: npt.NDArray[np.uint32]
    frequencies: npt.NDArray[np.int64]

    @property
    def length(self) -> int:
        """The number of words of each n-gram."""
        return int(self.words.shape[1])

    def chosen(self, indexes: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "NgramTable":
        """Return some of the n-grams, in the order of `indexes`."""
        words, frequencies = self.words[indexes], self.frequencies[indexes]
        return NgramTable(self.posts, self.lexicon, self.word, words, frequencies)

    def texts(self) -> list[tuple[str, ...]]:
        """Return the words of each n-gram."""
        words = self.lexicon.strings(self.words.reshape(-1))
        ends = range(self.length, len(words) + 1, self.length)
        return [tuple(words[end - self.length : end]) for end in ends]

    def count(self) -> WordCounts:
        """Count the occurrences, posts and authors of each n-gram."""
        parts = []
        for posts in self.posts:
            starts, numbers = self._find(self._possible_starts(posts))
            documents = posts.segment.documents_of_words(starts.positions)
            parts.append(Occurrences(posts.segment, numbers, documents))
        return count_occurrences(parts, len(self.words))

    def _possible_starts(self, posts: SegmentPosts) -> _Starts:
        """Return where n-grams with the first words of the table begin, and maybe others."""
        postings = posts.segment.words
        firsts = np.unique(self.words[:, 0]).tolist()
        if self.word is not None or sum(map(postings.count, firsts)) > word_total(posts):
            return _starts(posts, self.length, self.word)
        places = np.concatenate([np.empty(0, np.int64), *map(postings.values_of, firsts)])
        return _inside(posts, np.sort(places), self.length)

    def _find(self, starts: _Starts) -> tuple[_Starts, Positions]:
        """Return where n-grams of the table begin, and their indexes."""
        numbers = np.zeros(len(starts.positions), np.int64)
        for place, keys in enumerate(self._prefixes):
            # most are left out here, by a table of words
            is_possible = self._is_word_at[place][starts.words(place)]
            starts, numbers = starts.chosen(is_possible), numbers[is_possible]
            own = pair_keys(numbers, starts.words(place))
            numbers = np.minimum(np.searchsorted(keys, own), max(len(keys) - 1, 0))
            is_found = keys[numbers] == own if len(keys) else np.zeros(0, bool)
            starts, numbers = starts.chosen(is_found), numbers[is_found]
        return starts, self._index_of_prefix[numbers]

    @cached_property
    def _prefixes(self) -> list[npt.NDArray[np.uint64]]:
        """For each place, the distinct keys of the number of the prefix before it and a word."""
        return self._numbered_prefixes[0]

    @cached_property
    def _index_of_prefix(self) -> Positions:
        """The index of the n-gram that each of the longest prefixes is."""
        numbers = self._numbered_prefixes[1]
        indexes = np.empty(len(numbers), np.int64)
        indexes[numbers] = np.arange(len(numbers))
        return indexes

    @cached_property
    def _numbered_prefixes(self) -> tuple[list[npt.NDArray[np.uint64]], Positions]:
        prefixes = []
        numbers = np.zeros(len(self.words), np.int64)
        for place in range(self.length):
            keys = pair_keys(numbers, self.words[:, place])
            distinct, numbers = np.unique(keys, return_inverse=True)
            prefixes.append(distinct)
        return prefixes, numbers

    @cached_property
    def _is_word_at(self) -> list[npt.NDArray[np.bool_]]:
        """For each place, whether each word of the lexicon is there in some n-gram."""
        tables = []
        for place in range(self.length):
            table = np.zeros(len(self.lexicon), bool)
            table[self.words[:, place]] = True
            tables.append(table)
        return tables


def count_ngrams(
    posts: Sequence[SegmentPosts],
    lexicon: Lexicon,
    length: int,
    *,
    word: int | None = None,
    min_frequency: int = 1,
) -> NgramTable:
    """Count the n-grams of posts, or those with a word of this number.

    Those that occur less than `min_frequency` times are left out.
    """
    starts = [_starts(part, length, word) for part in posts]
    # divided by the first word, so that memory is bounded
    passes = -(-sum(len(part.positions) for part in starts) // MAX_STARTS_AT_ONCE) or 1
    words = [np.empty((0, length), np.uint32)]
    frequencies = [np.empty(0, np.int64)]
    for number in range(passes):
        own = starts
        if passes > 1:
            own = [part.chosen(part.words(0) % passes == number) for part in starts]
        found, counts = _count_at_once(own, length, len(lexicon), min_frequency)
        words.append(found)
        frequencies.append(counts)
    return NgramTable(posts, lexicon, word, np.concatenate(words), np.concatenate(frequencies))


def _starts(posts: SegmentPosts, length: int, word: int | None) -> _Starts:
    """Return where n-grams of the posts begin, or those of them that contain a word."""
    bounds = posts.segment.array("word_offsets")
    if word is None:
        lows, highs = bounds[posts.documents], bounds[posts.documents + 1]
        return _Starts(posts, spread(lows, highs - length + 1))
    places = posts.segment.words.values_of(word)
    places = places[is_among(posts)[posts.segment.documents_of_words(places)]]
    starts = np.unique(places[:, np.newaxis] - np.arange(length))
    return _inside(posts, starts[starts >= 0], length)


def _inside(posts: SegmentPosts, starts: Positions, length: int) -> _Starts:
    """Return the starts of n-grams that are within one of the posts."""
    documents = posts.segment.documents_of_words(starts)
    ends = posts.segment.array("word_offsets")[documents + 1]
    return _Starts(posts, starts[is_among(posts)[documents] & (starts + length <= ends)])


def _count_at_once(
    starts: Sequence[_Starts], length: int, size: int, min_frequency: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the n-grams that occur often enough, and their frequencies.

    An n-gram is one key, in which each word has its bits; keys are sorted. Where they are too many,
    what was joined so far is numbered anew.
    """
    bits = max(size - 1, 1).bit_length()
    keys = _words_at(starts, 0)
    used = bits
    renumbered: dict[int, npt.NDArray[np.uint64]] = {}
    for place in range(1, length):
        if used + bits > _KEY_BITS:
            renumbered[place], numbers = np.unique(keys, return_inverse=True)
            keys = numbers.astype(np.uint64)
            used = max(len(renumbered[place]) - 1, 1).bit_length()
        keys <<= np.uint64(bits)
        keys |= _words_at(starts, place)
        used += bits
    distinct, frequencies = count_distinct(keys)
    is_kept = frequencies >= min_frequency
    return _split_keys(distinct[is_kept], length, bits, renumbered), frequencies[is_kept]


def _split_keys(
    keys: npt.NDArray[np.uint64],
    length: int,
    bits: int,
    renumbered: dict[int, npt.NDArray[np.uint64]],
) -> npt.NDArray[np.uint32]:
    """Return the words (keys, length) that keys were joined of."""
    words = np.empty((len(keys), length), np.uint32)
    for place in range(length - 1, 0, -1):
        words[:, place] = keys & np.uint64((1 << bits) - 1)
        keys = keys >> np.uint64(bits)
        if place in renumbered:
            keys = renumbered[place][keys]
    words[:, 0] = keys
    return words


def _words_at(starts: Sequence[_Starts], place: int) -> npt.NDArray[np.uint64]:
    parts = [np.empty(0, np.uint64)]
    parts += [part.words(place).astype(np.uint64) for part in starts]
    return np.concatenate(parts)
