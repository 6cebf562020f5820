"""Stretches of words that match, as arrays, and how they lie to one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions

Mask = npt.NDArray[np.bool_]
Captures = Mapping[str, tuple[Positions, Positions]]
"""For each name the first word and the one after the last of the captured stretch of each match;
ABSENT where a match captured none."""

ABSENT = -1


@dataclass(frozen=True)
class Matches:
    """Stretches of words, [first, last), with their documents; a stretch may have no word."""

    documents: Positions
    firsts: Positions
    lasts: Positions
    captures: Captures = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.documents)

    def take(self, indexes: Positions | Mask) -> "Matches":
        """Return some of the matches."""
        return Matches(
            self.documents[indexes],
            self.firsts[indexes],
            self.lasts[indexes],
            take_captures(self.captures, indexes),
        )

    def keys(self) -> Positions:
        """Return a number for each stretch, which rises by document, first and last word."""
        # the places of a document, the one behind its last word too, are numbers of its own
        keys: Positions = (self.firsts + self.documents) << 24
        keys += self.lasts - self.firsts
        return keys

    def without_captures(self) -> "Matches":
        """Return the distinct stretches."""
        return Matches(self.documents, self.firsts, self.lasts).distinct()

    def distinct(self) -> "Matches":
        """Return each match once, ordered by document, first and last word."""
        if self.captures:
            captured = [edge for span in self.captures.values() for edge in span]
            columns = [self.documents, self.firsts, self.lasts, *captured]
            return self.take(distinct_rows(columns))
        keys = self.keys()
        if len(keys) < 2 or bool((keys[1:] > keys[:-1]).all()):
            return self
        _, indexes = np.unique(keys, return_index=True)
        return self.take(indexes)


def no_matches() -> Matches:
    """Return no match."""
    empty = np.empty(0, np.int64)
    return Matches(empty, empty, empty)


def concatenate(parts: Sequence[Matches]) -> Matches:
    """Return the matches of several parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return no_matches()
    return Matches(
        np.concatenate([part.documents for part in parts]),
        np.concatenate([part.firsts for part in parts]),
        np.concatenate([part.lasts for part in parts]),
        concatenate_captures([part.captures for part in parts], list(map(len, parts))),
    )


def take_captures(captures: Captures, indexes: Positions | Mask) -> Captures:
    """Return the captures of some matches."""
    return {name: (first[indexes], last[indexes]) for name, (first, last) in captures.items()}


def concatenate_captures(parts: Sequence[Captures], lengths: Sequence[int]) -> Captures:
    """Return the captures of several parts; a part without a name has captured nothing by it."""
    joined = {}
    names = dict.fromkeys(name for part in parts for name in part)
    for name in names:
        firsts = []
        lasts = []
        for part, length in zip(parts, lengths, strict=True):
            absent = np.full(length if name not in part else 0, ABSENT, np.int64)
            first, last = part.get(name, (absent, absent))
            firsts.append(first)
            lasts.append(last)
        joined[name] = (np.concatenate(firsts), np.concatenate(lasts))
    return joined


def merge_captures(winning: Captures, other: Captures) -> Captures:
    """Return the captures of two parts of the same matches; the first wins where both have one."""
    merged = dict(other)
    for name, (first, last) in winning.items():
        if name in other:
            is_absent = first == ABSENT
            merged[name] = (
                np.where(is_absent, other[name][0], first),
                np.where(is_absent, other[name][1], last),
            )
        else:
            merged[name] = (first, last)
    return merged


def distinct_rows(columns: Sequence[Positions]) -> Positions:
    """Return the indexes of one of each of the distinct rows, ordered by the columns in turn."""
    order = np.lexsort(list(reversed(columns)))
    if not len(order):
        return order
    is_new = np.zeros(len(order), np.bool_)
    is_new[0] = True
    for column in columns:
        ordered = column[order]
        is_new[1:] |= ordered[1:] != ordered[:-1]
    return order[is_new]


def related(
    items: Matches, relation: Literal["within", "containing", "overlap"], others: Matches
) -> Mask:
    """Return which items are within, contain or overlap one of the others."""
    if not len(others):
        return np.zeros(len(items), np.bool_)
    firsts = items.firsts + items.documents
    lasts = items.lasts + items.documents
    order = np.argsort(others.firsts + others.documents, kind="stable")
    other_firsts = (others.firsts + others.documents)[order]
    other_lasts = (others.lasts + others.documents)[order]
    if relation == "containing":
        nearest = np.minimum.accumulate(other_lasts[::-1])[::-1]
        index = np.searchsorted(other_firsts, firsts, "left")
        exists = index < len(nearest)
        mask: Mask = exists & (nearest[np.minimum(index, len(nearest) - 1)] <= lasts)
        return mask
    farthest = np.maximum.accumulate(other_lasts)
    if relation == "within":
        index = np.searchsorted(other_firsts, firsts, "right") - 1
        reaches = farthest[np.maximum(index, 0)] >= lasts
    else:
        index = np.searchsorted(other_firsts, lasts, "left") - 1
        reaches = farthest[np.maximum(index, 0)] > firsts
    within: Mask = (index >= 0) & reaches
    return within
