"""Finders that Folate is compared with, on the same stream in the same run: what a careful afternoon would give.

A peer gives (name, posts that hold it) of the terms it would raise an alarm for, best first.
"""

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
from scipy.stats import nbinom

from nlp.statistics import log_odds
from nlp.topics.candidates import stopwords

Found = list[tuple[str, set[str]]]
DISPERSION = 0.1  # of the nominal test
LEAST = 5  # posts
NOMINAL = 0.05
Z = 1.96


def _counts(table: pa.Table, brand: str) -> tuple[dict[str, Counter[int]], dict[str, set[str]], Counter[int]]:
    """Posts by word and week, this week's posts of each word, posts by week; no copy is set aside."""
    weekly: dict[str, Counter[int]] = defaultdict(Counter)
    posts: dict[str, set[str]] = defaultdict(set)
    size: Counter[int] = Counter()
    last = max(table["week"].to_pylist())
    for id_, week, words, brands in zip(*(table[c].to_pylist() for c in ("id", "week", "words", "brands")), strict=True):
        if brand and brand not in brands:
            continue
        size[week] += 1
        for word in {w for w in words if len(w) > 1} - stopwords():
            weekly[word][week] += 1
            if week == last:
                posts[word].add(id_)
    return weekly, posts, size


def nominal(table: pa.Table, brand: str) -> Found:
    """Negative-binomial test of this week's posts against the baseline's share, p < .05, posts in place of authors."""
    weekly, posts, size = _counts(table, brand)
    last = max(size)
    scored = []
    for word in sorted(posts):
        expected = (sum(weekly[word].values()) - len(posts[word]) + 0.5) / max(sum(size.values()) - size[last], 1) * size[last]
        shape = 1 / DISPERSION
        p = nbinom.sf(len(posts[word]) - 1, shape, shape / (shape + expected))
        if len(posts[word]) >= LEAST and p < NOMINAL:
            scored.append((p, word))
    return [(word, posts[word]) for _, word in sorted(scored)]


def keyness(table: pa.Table, brand: str) -> Found:
    """Log-odds with an informative Dirichlet prior of this week's words against the baseline's, z > 1.96."""
    weekly, posts, size = _counts(table, brand)
    last = max(size)
    words = sorted(weekly)
    now = np.array([weekly[w][last] for w in words], float)
    past = np.array([sum(weekly[w].values()) for w in words], float) - now
    z = log_odds(now, past, now + past)
    best = [i for i in np.argsort(-z, kind="stable") if z[i] > Z and now[i] >= LEAST]
    return [(words[i], posts[words[i]]) for i in best]


PEERS = {"nominal p < .05": nominal, "log-odds keyness": keyness}
