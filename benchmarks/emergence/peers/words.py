"""Posts by word and week, as the peers that look at words count them: no copy is set aside, no author counted once."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.emergence.planting import WINDOW_WEEKS
from nlp.text.stopwords import stopwords
from nlp.topics.stream import Floats

LEAST = (
    5  # posts this week: no peer raises an alarm for fewer, as Folate raises none for fewer authors
)


@dataclass(frozen=True)
class Counts:
    """Counts of the words that somebody used this week. The last week is the one at hand."""

    words: list[str]  # sorted
    weekly: Floats  # (words, weeks), posts
    size: Floats  # (weeks,), all posts
    posts: list[frozenset[str]]  # by word: ids of this week's
    authors: Floats  # (words,), of this week's

    @property
    def now(self) -> Floats:
        return self.weekly[:, -1]

    @property
    def past(self) -> Floats:
        """(words,), posts of all weeks before."""
        total: Floats = self.weekly[:, :-1].sum(axis=1)
        return total


def count(posts: pa.Table) -> Counts:
    """Words of two characters and more that are no function word."""
    weekly: dict[str, Counter[int]] = defaultdict(Counter)
    ids: dict[str, set[str]] = defaultdict(set)
    authors: dict[str, set[str]] = defaultdict(set)
    for id_, author, week, words in zip(
        *(posts[c].to_pylist() for c in ("id", "author", "week", "words")), strict=True
    ):
        for word in {w for w in words if len(w) > 1} - stopwords():
            weekly[word][week] += 1
            if week == WINDOW_WEEKS - 1:
                ids[word].add(id_)
                authors[word].add(author or id_)
    names = sorted(ids)
    counts = np.array(
        [[weekly[w][week] for week in range(WINDOW_WEEKS)] for w in names], float
    ).reshape(-1, WINDOW_WEEKS)
    size = np.bincount(posts["week"].to_numpy(), minlength=WINDOW_WEEKS).astype(float)
    return Counts(
        names,
        counts,
        size,
        [frozenset(ids[w]) for w in names],
        np.array([len(authors[w]) for w in names], float),
    )
