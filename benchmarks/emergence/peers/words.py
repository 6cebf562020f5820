"""Post counts by word and week, for the peers that look at words.

Unlike in Folate, copies are counted and an author counts once per post.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.emergence.planting import WINDOW_WEEKS
from nlp.text.stopwords import stopwords
from nlp.topics.stream import Floats

# Posts of the week that a peer needs for an alarm, as many as Folate needs authors.
MIN_POSTS = 5


@dataclass(frozen=True)
class WordCounts:
    """Counts of the words that were used in the current week, which is the last one."""

    # Sorted.
    words: list[str]
    # (words, weeks): posts with the word.
    weekly: Floats
    # (weeks,): all posts.
    size: Floats
    # By word: ids of the posts of the current week.
    posts: list[frozenset[str]]
    # (words,): authors of the current week.
    authors: Floats

    @property
    def now(self) -> Floats:
        """(words,): posts of the current week."""
        return self.weekly[:, -1]

    @property
    def past(self) -> Floats:
        """(words,): posts of all weeks before."""
        total: Floats = self.weekly[:, :-1].sum(axis=1)
        return total


def count_words(posts: pa.Table) -> WordCounts:
    """Count the words of two characters or more that are no stopwords."""
    weekly: dict[str, Counter[int]] = defaultdict(Counter)
    post_ids: dict[str, set[str]] = defaultdict(set)
    authors: dict[str, set[str]] = defaultdict(set)
    columns = [posts[name].to_pylist() for name in ("id", "author", "week", "words")]
    for post_id, author, week, words in zip(*columns, strict=True):
        for word in {word for word in words if len(word) > 1} - stopwords():
            weekly[word][week] += 1
            if week == WINDOW_WEEKS - 1:
                post_ids[word].add(post_id)
                authors[word].add(author or post_id)
    names = sorted(post_ids)
    counts = np.zeros((len(names), WINDOW_WEEKS))
    for row, name in enumerate(names):
        counts[row] = [weekly[name][week] for week in range(WINDOW_WEEKS)]
    size = np.bincount(posts["week"].to_numpy(), minlength=WINDOW_WEEKS).astype(float)
    return WordCounts(
        words=names,
        weekly=counts,
        size=size,
        posts=[frozenset(post_ids[name]) for name in names],
        authors=np.array([len(authors[name]) for name in names], float),
    )
