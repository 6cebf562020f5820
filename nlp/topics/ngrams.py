"""Frequent n-grams of sequences of codes (words or characters), by length and week.

An n-gram can only be frequent in a week when both of its (n-1)-grams are (the a-priori principle),
so each length examines only where the length before survived. Lookups are hashes of integers, one
week at a time: time is linear in the length of the sequence, and memory is that of one week.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nlp.topics.stream import Bools, Codes, Ints, sorted_unique


@dataclass(frozen=True)
class CodeSequence:
    """The codes of one week, post after post."""

    codes: Codes
    # Whether the next code is adjacent to this one in the text; False at the last code.
    continues: Bools
    # Post of each code.
    post_of_code: Codes


WeeklySequence = Callable[[int], CodeSequence]
"""Week index -> the sequence of that week."""


@dataclass(frozen=True)
class FrequentNgrams:
    """The n-grams of one length that are frequent in some week.

    An n-gram is identified by its row here, and its (n-1)-grams by their rows in the length before.
    """

    # (rows,), sorted: row of the first n - 1 codes x alphabet_size + last code.
    keys: Ints
    # (rows,): row of the last n - 1 codes.
    suffix_rows: Ints
    # (rows, weeks): occurrences in the weeks where the n-gram is frequent, 0 in the others.
    weekly_counts: Codes
    alphabet_size: int

    @property
    def prefix_rows(self) -> Ints:
        return self.keys // self.alphabet_size

    @property
    def last_codes(self) -> Codes:
        return (self.keys % self.alphabet_size).astype(np.int32)


@dataclass(frozen=True)
class _WeekNgrams:
    """The frequent n-grams of one length in one week, with rows of that week's own."""

    prefix_rows: Ints
    last_codes: Ints
    suffix_rows: Ints
    counts: Ints


def frequent_ngrams(
    weekly_sequence: WeeklySequence, weeks: int, max_length: int, min_count: int, alphabet_size: int
) -> list[FrequentNgrams]:
    """Return the n-grams for n = 1 to `max_length` with `min_count` occurrences within some week.

    Codes are below `alphabet_size`.
    """
    levels_by_week = [
        list(_week_levels(weekly_sequence(week), max_length, min_count, alphabet_size))
        for week in range(weeks)
    ]
    # By week: rows in the length before, over all weeks, of that week's n-grams of that length.
    shared_rows = [np.zeros(1, np.int64)] * weeks
    levels = []
    for n in range(max_length):
        week_keys = [
            shared_rows[week][week_levels[n].prefix_rows] * alphabet_size
            + week_levels[n].last_codes
            for week, week_levels in enumerate(levels_by_week)
        ]
        keys = sorted_unique(np.concatenate(week_keys))
        suffix_rows = np.zeros(len(keys), np.int64)
        weekly_counts = np.zeros((len(keys), weeks), np.int32)
        for week, week_levels in enumerate(levels_by_week):
            rows = np.searchsorted(keys, week_keys[week])
            suffix_rows[rows] = shared_rows[week][week_levels[n].suffix_rows]
            weekly_counts[rows, week] = week_levels[n].counts
            shared_rows[week] = rows
        levels.append(FrequentNgrams(keys, suffix_rows, weekly_counts, alphabet_size))
    return levels


def _week_levels(
    sequence: CodeSequence, max_length: int, min_count: int, alphabet_size: int
) -> Iterator[_WeekNgrams]:
    """Yield the frequent n-grams of one week for n = 1 to `max_length`."""
    counts = np.bincount(sequence.codes, minlength=alphabet_size)
    frequent = np.flatnonzero(counts >= min_count)
    zeros = np.zeros_like(frequent)
    yield _WeekNgrams(zeros, frequent, zeros, counts[frequent])
    row_of_code = np.full(alphabet_size, -1, np.int32)
    row_of_code[frequent] = np.arange(len(frequent), dtype=np.int32)
    starts = np.flatnonzero(row_of_code[sequence.codes] >= 0)
    rows = row_of_code[sequence.codes[starts]]
    starts, prefixes, suffixes = _extend_ngrams(starts, rows, 1, sequence.continues)
    for n in range(2, max_length + 1):
        keys, rows, counts = _frequent_keys(
            prefixes * alphabet_size + sequence.codes[starts + n - 1], min_count
        )
        is_frequent = rows >= 0
        starts = starts[is_frequent]
        rows = rows[is_frequent]
        suffix_rows = np.zeros(len(keys), np.int64)
        suffix_rows[rows] = suffixes[is_frequent]
        yield _WeekNgrams(keys // alphabet_size, keys % alphabet_size, suffix_rows, counts)
        starts, prefixes, suffixes = _extend_ngrams(starts, rows, n, sequence.continues)


def _frequent_keys(keys: Ints, min_count: int) -> tuple[Ints, Codes, Ints]:
    """Return the frequent keys, sorted, the row of each given key among them (else -1), counts."""
    encoded = pc.dictionary_encode(pa.array(keys))
    codes = encoded.indices.to_numpy()
    distinct = encoded.dictionary.to_numpy()
    counts = np.bincount(codes, minlength=len(distinct))
    frequent = np.flatnonzero(counts >= min_count)
    frequent = frequent[np.argsort(distinct[frequent])]
    row_of_code = np.full(len(distinct), -1, np.int32)
    row_of_code[frequent] = np.arange(len(frequent), dtype=np.int32)
    return distinct[frequent], row_of_code[codes], counts[frequent]


def _extend_ngrams(starts: Ints, rows: Codes, n: int, continues: Bools) -> tuple[Ints, Ints, Codes]:
    """Find the start positions whose n-gram can grow by one code.

    The text must continue, and the n-gram that starts one position later must be frequent too.
    Returns these positions, the rows of their n-grams, and the rows of the n-grams one later.
    """
    growing = np.flatnonzero(starts[1:] == starts[:-1] + 1)
    growing = growing[continues[starts[growing] + n - 1]]
    return starts[growing], rows[growing].astype(np.int64), rows[growing + 1]


def ngram_codes(levels: Sequence[FrequentNgrams], n: int, rows: Ints) -> Codes:
    """Return the codes, of shape (rows, n), of some n-grams of `levels[n - 1]`."""
    codes = np.empty((len(rows), n), np.int32)
    for position in range(n - 1, -1, -1):
        codes[:, position] = levels[position].last_codes[rows]
        rows = levels[position].prefix_rows[rows]
    return codes


class NgramSearch:
    """A search for the occurrences of selected n-grams; it follows only their prefixes."""

    def __init__(self, levels: Sequence[FrequentNgrams], selected: Sequence[Bools]) -> None:
        """Prepare the search for n-grams.

        `levels` has the frequent n-grams of length 1, 2, ...; `selected` has for each level a mask
        over its n-grams, true for those to search for.
        """
        self.levels = levels
        self.selected = selected
        is_needed = [mask.copy() for mask in selected]
        for n in range(len(levels) - 1, 0, -1):
            is_needed[n - 1][levels[n].prefix_rows[is_needed[n]]] = True
        self._rows = [np.flatnonzero(mask) for mask in is_needed]
        self._keys = [
            pa.array(level.keys[rows]) for level, rows in zip(levels, self._rows, strict=True)
        ]
        # Row of each code: the keys of the first level are the codes themselves.
        self._row_of_code = np.full(levels[0].alphabet_size, -1, np.int64)
        self._row_of_code[levels[0].keys[self._rows[0]]] = self._rows[0]

    def occurrences(self, sequence: CodeSequence) -> Iterator[tuple[Ints, Ints]]:
        """Yield, for each length, the start positions of selected n-grams and their rows."""
        starts = np.flatnonzero(self._row_of_code[sequence.codes] >= 0)
        rows = self._row_of_code[sequence.codes[starts]]
        for n, (level, is_selected) in enumerate(zip(self.levels, self.selected, strict=True)):
            if n:
                continues = sequence.continues[starts + n - 1]
                starts = starts[continues]
                keys = rows[continues] * level.alphabet_size + sequence.codes[starts + n]
                matches = pc.index_in(pa.array(keys), self._keys[n])
                indexes = pc.fill_null(matches, -1).to_numpy()
                is_match = indexes >= 0
                starts = starts[is_match]
                rows = self._rows[n][indexes[is_match]]
            selected = is_selected[rows]
            yield starts[selected], rows[selected]
