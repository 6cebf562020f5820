"""A significance test a word, at the usual 5 %: what most home-made trend alarms come to.

Negative-binomial upper tail of this week's posts, expected from the share of the weeks before, with a fixed dispersion.
"""

import numpy as np
import pyarrow as pa
from scipy.stats import nbinom

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.words import LEAST, count

DISPERSION = 0.1
NOMINAL = 0.05


def find(posts: pa.Table) -> Alarms:
    counts = count(posts)
    expected = (counts.past + 0.5) / max(counts.size[:-1].sum(), 1) * counts.size[-1]
    shape = 1 / DISPERSION
    p = nbinom.sf(counts.now - 1, shape, shape / (shape + expected))
    best = [i for i in np.argsort(p, kind="stable") if p[i] < NOMINAL and counts.now[i] >= LEAST]
    return [FinderAlarm(counts.words[i], counts.posts[i]) for i in best]
