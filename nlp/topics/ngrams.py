"""Frequent n-grams of any sequence of codes, words or characters, level by level.

An n-gram can only be frequent when both its (n-1)-grams are (the a-priori principle), so each level looks only where
the level before survived. Everything is a hash lookup on integers: linear in the length of the sequence.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nlp.topics.stream import Bools, Codes, Ints


@dataclass(frozen=True)
class Level:
    """The frequent n-grams of one length, and the positions where they start. An n-gram is known by its row in its level."""

    n: int
    at: Ints
    which: Codes  # which n-gram starts at each of `at`
    spell: Codes  # (n-grams, n) codes
    weekly: Ints  # (n-grams, weeks) occurrences
    head: Ints  # of each n-gram its first n - 1, in the level before
    tail: Ints  # and its last n - 1


def levels(codes: Codes, joined: Bools, week: Codes, weeks: int, longest: int, least: int) -> Iterator[Level]:
    """Frequent n-grams for n = 1 .. `longest`: those with at least `least` occurrences within one week.

    `joined[i]` says that position `i + 1` continues the run of position `i`; `week` is the week of each position.
    """
    at = np.arange(len(codes), dtype=np.int64)
    before, after, spell = np.zeros(len(codes), np.int64), np.zeros(len(codes), np.int32), np.empty((1, 0), np.int32)
    size = int(codes.max(initial=0)) + 1
    for n in range(1, longest + 1):
        kept, which, weekly = _frequent(before * size + codes[at + n - 1], week[at], weeks, least)
        here = which >= 0
        at, which, after = at[here], which[here], after[here]
        head, tail = kept // size, np.zeros(len(kept), np.int64)
        tail[which] = after
        spell = np.column_stack([spell[head], (kept % size).astype(np.int32)])
        yield Level(n, at, which, spell, weekly, head, tail)
        at, before, after = _extend(at, which, n, joined)


def _frequent(keys: Ints, week: Codes, weeks: int, least: int) -> tuple[Ints, Codes, Ints]:
    """The keys frequent in some week, sorted; for each position which of them it is, else -1; their counts by week."""
    coded = pc.dictionary_encode(pa.array(keys))
    codes, names = coded.indices.to_numpy(), coded.dictionary.to_numpy()
    often = np.flatnonzero(np.bincount(codes, minlength=len(names)) >= least)
    row = np.full(len(names), -1, np.int32)
    row[often] = np.arange(len(often), dtype=np.int32)
    here = row[codes] >= 0
    weekly = np.bincount(row[codes[here]].astype(np.int64) * weeks + week[here], minlength=len(often) * weeks).reshape(-1, weeks)
    peak = weekly.max(axis=1, initial=0) >= least
    kept, weekly = often[peak], weekly[peak]
    by_key = np.argsort(names[kept])
    kept, weekly = kept[by_key], weekly[by_key]
    number = np.full(len(names), -1, np.int32)
    number[kept] = np.arange(len(kept), dtype=np.int32)
    return names[kept], number[codes], weekly


def _extend(at: Ints, which: Codes, n: int, joined: Bools) -> tuple[Ints, Ints, Codes]:
    """Positions whose n-gram can grow by one, since the run goes on and the n-gram one further is frequent as well.

    Gives the positions, their n-gram, and the one further.
    """
    grows = np.flatnonzero(at[1:] == at[:-1] + 1)
    grows = grows[joined[at[grows] + n - 1]]
    return at[grows], which[grows].astype(np.int64), which[grows + 1]
