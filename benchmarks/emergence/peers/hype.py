"""The hype score of Santiment's Emerging Trends, one of the few that vendors publish.

From academy.santiment.net/metrics/emerging-trends:

    score = (v - m) v log10(u) / (1 + m)

v is the share of the posts now, m the mean share of the moments before, u the authors now. There a
moment is a day and m the mean of 14 days; here it is seven days and m the mean of the eight weeks
before. The ten best words are the trends. Identical texts count once, as there.
"""

import numpy as np
import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.words import MIN_POSTS, count_words

# Number of words that are trends.
MAX_TRENDS = 10


def find(posts: pa.Table) -> Alarms:
    """Return the words with the highest scores among the posts of a brand, best first."""
    counts = count_words(_distinct_texts(posts))
    shares = counts.weekly / np.maximum(counts.size, 1)
    now = shares[:, -1]
    before = shares[:, :-1].mean(axis=1)
    score = (now - before) * now * np.log10(np.maximum(counts.authors, 1)) / (1 + before)
    is_eligible = (score > 0) & (counts.now >= MIN_POSTS)
    trends = [i for i in np.argsort(-score, kind="stable") if is_eligible[i]]
    return [FinderAlarm(counts.words[i], counts.posts[i]) for i in trends[:MAX_TRENDS]]


def _distinct_texts(posts: pa.Table) -> pa.Table:
    """Return the earliest post of every text, whatever the order of the rows."""
    ordered = posts.sort_by([("published_at", "ascending"), ("id", "ascending")])
    first_row: dict[str, int] = {}
    for row, body in enumerate(ordered["body"].to_pylist()):
        first_row.setdefault(body, row)
    return ordered.take(pa.array(list(first_row.values()), pa.int64()))
