"""Frequent n-grams of any sequence of codes, words or characters, length by length and week by week.

An n-gram can only be frequent in a week when both its (n-1)-grams are (the a-priori principle), so each length looks only where the
one before survived. Everything is a hash lookup on integers, one week at a time: linear in the length of the sequence, and in memory
no more than one week of it.
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
    continues: Bools  # whether the next code goes on where this one ends; never at the last
    post_of_code: Codes  # of each code


WeeklySequence = Callable[[int], CodeSequence]
"""The run of each week."""


@dataclass(frozen=True)
class FrequentNgrams:
    """The n-grams of one length that are frequent in some week. An n-gram is known by its row, those of length n - 1 by theirs."""

    keys: Ints  # (rows) sorted: row of the first n - 1 codes x alphabet + last code
    suffix_rows: Ints  # (rows) row of the last n - 1 codes
    weekly_counts: (
        Codes  # (rows, weeks) occurrences in the weeks where it is frequent, 0 in the others
    )
    alphabet_size: int

    @property
    def prefix_rows(self) -> Ints:
        return self.keys // self.alphabet_size

    @property
    def last_codes(self) -> Codes:
        return (self.keys % self.alphabet_size).astype(np.int32)


@dataclass(frozen=True)
class _Local:
    """The frequent n-grams of one length in one week, by rows of their own."""

    head: Ints
    last: Ints
    tail: Ints
    count: Ints


def frequent_ngrams(
    weekly_sequence: WeeklySequence, weeks: int, max_length: int, min_count: int, alphabet_size: int
) -> list[FrequentNgrams]:
    """The n-grams for n = 1 .. `longest` with at least `least` occurrences within some week; codes are below `alphabet`."""
    local = [
        list(_levels(weekly_sequence(week), max_length, min_count, alphabet_size))
        for week in range(weeks)
    ]
    row = [
        np.zeros(1, np.int64)
    ] * weeks  # of the local n-grams of the length before, among those of all weeks
    found = []
    for n in range(max_length):
        parts = [
            row[week][level[n].head] * alphabet_size + level[n].last
            for week, level in enumerate(local)
        ]
        keys = sorted_unique(np.concatenate(parts))
        tail, weekly = np.zeros(len(keys), np.int64), np.zeros((len(keys), weeks), np.int32)
        for week, level in enumerate(local):
            at = np.searchsorted(keys, parts[week])
            tail[at], weekly[at, week] = row[week][level[n].tail], level[n].count
            row[week] = at
        found.append(FrequentNgrams(keys, tail, weekly, alphabet_size))
    return found


def _levels(run: CodeSequence, longest: int, least: int, alphabet: int) -> Iterator[_Local]:
    count = np.bincount(run.codes, minlength=alphabet)
    often = np.flatnonzero(count >= least)
    yield _Local(np.zeros_like(often), often, np.zeros_like(often), count[often])
    row = np.full(alphabet, -1, np.int32)
    row[often] = np.arange(len(often), dtype=np.int32)
    at = np.flatnonzero(row[run.codes] >= 0)
    at, before, after = _extend(at, row[run.codes[at]], 1, run.continues)
    for n in range(2, longest + 1):
        keys, which, count = _frequent(before * alphabet + run.codes[at + n - 1], least)
        here = which >= 0
        at, which, after = at[here], which[here], after[here]
        tail = np.zeros(len(keys), np.int64)
        tail[which] = after
        yield _Local(keys // alphabet, keys % alphabet, tail, count)
        at, before, after = _extend(at, which, n, run.continues)


def _frequent(keys: Ints, least: int) -> tuple[Ints, Codes, Ints]:
    """The frequent keys, sorted; for each position which of them it is, else -1; their counts."""
    coded = pc.dictionary_encode(pa.array(keys))
    codes, names = coded.indices.to_numpy(), coded.dictionary.to_numpy()
    count = np.bincount(codes, minlength=len(names))
    often = np.flatnonzero(count >= least)
    often = often[np.argsort(names[often])]
    row = np.full(len(names), -1, np.int32)
    row[often] = np.arange(len(often), dtype=np.int32)
    return names[often], row[codes], count[often]


def _extend(at: Ints, which: Codes, n: int, joined: Bools) -> tuple[Ints, Ints, Codes]:
    """Positions whose n-gram can grow by one, since the run goes on and the n-gram one further is frequent as well.

    Gives the positions, their n-gram, and the one further.
    """
    grows = np.flatnonzero(at[1:] == at[:-1] + 1)
    grows = grows[joined[at[grows] + n - 1]]
    return at[grows], which[grows].astype(np.int64), which[grows + 1]


def ngram_codes(levels: Sequence[FrequentNgrams], n: int, rows: Ints) -> Codes:
    """The codes (rows, n) of n-grams of length `n`, whose grams are `levels[n - 1]`."""
    codes = np.empty((len(rows), n), np.int32)
    for place in range(n - 1, -1, -1):
        codes[:, place] = levels[place].last_codes[rows]
        rows = levels[place].prefix_rows[rows]
    return codes


class NgramSearch:
    """Finds where wanted n-grams occur; looks no further than they and what they begin with need."""

    def __init__(self, levels: Sequence[FrequentNgrams], wanted: Sequence[Bools]) -> None:
        """`wanted` are masks over the rows of each of `levels`."""
        self.levels, self.wanted = levels, wanted
        needed = [want.copy() for want in wanted]
        for n in range(len(levels) - 1, 0, -1):
            needed[n - 1][levels[n].prefix_rows[needed[n]]] = True
        self._rows = [np.flatnonzero(need) for need in needed]
        self._keys = [
            pa.array(level.keys[rows]) for level, rows in zip(levels, self._rows, strict=True)
        ]
        self._first = np.full(
            levels[0].alphabet_size, -1, np.int64
        )  # row of each code: the first keys are the codes themselves
        self._first[levels[0].keys[self._rows[0]]] = self._rows[0]

    def occurrences(self, run: CodeSequence) -> Iterator[tuple[Ints, Ints]]:
        """For each length the positions of `run` where a wanted n-gram starts, and its row."""
        at = np.flatnonzero(self._first[run.codes] >= 0)
        row = self._first[run.codes[at]]
        for n, (level, want) in enumerate(zip(self.levels, self.wanted, strict=True)):
            if n:
                on = run.continues[at + n - 1]
                at, row = at[on], row[on]
                place = pc.fill_null(
                    pc.index_in(
                        pa.array(row * level.alphabet_size + run.codes[at + n]), self._keys[n]
                    ),
                    -1,
                ).to_numpy()
                here = place >= 0
                at, row = at[here], self._rows[n][place[here]]
            mine = want[row]
            yield at[mine], row[mine]
