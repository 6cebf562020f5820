"""A hype score: that of Santiment's Emerging Trends (academy.santiment.net/metrics/emerging-trends), one of the few that vendors publish.

    score = (v - m) v log10(u) / (1 + m)        v: share of the posts now, m: mean share of the moments before, u: authors now

There a moment is a day and m the mean of 14; here it is seven days and m the mean of the eight weeks before. The ten best words are
the trends. Texts that are word for word the same count once, as there.
"""

import numpy as np
import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.words import LEAST, count

TOP = 10


def find(posts: pa.Table) -> Alarms:
    counts = count(_distinct(posts))
    shares = counts.weekly / np.maximum(counts.size, 1)
    now, before = shares[:, -1], shares[:, :-1].mean(axis=1)
    score = (now - before) * now * np.log10(np.maximum(counts.authors, 1)) / (1 + before)
    best = [
        i for i in np.argsort(-score, kind="stable") if score[i] > 0 and counts.now[i] >= LEAST
    ][:TOP]
    return [FinderAlarm(counts.words[i], counts.posts[i]) for i in best]


def _distinct(posts: pa.Table) -> pa.Table:
    """The earliest post of every text, whatever the order of the rows."""
    ordered = posts.sort_by([("published_at", "ascending"), ("id", "ascending")])
    first: dict[str, int] = {}
    for place, body in enumerate(ordered["body"].to_pylist()):
        first.setdefault(body, place)
    return ordered.take(pa.array(list(first.values()), pa.int64()))
