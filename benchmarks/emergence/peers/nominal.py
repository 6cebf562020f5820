"""A significance test per word at the nominal 5 % level, as in most home-made trend alarms.

The p-value is the negative-binomial upper tail of this week's posts, expected from the share of the
weeks before, with a fixed dispersion.
"""

import numpy as np
import pyarrow as pa
from scipy.stats import nbinom

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.words import MIN_POSTS, count_words

DISPERSION = 0.1
MAX_P_VALUE = 0.05


def find(posts: pa.Table) -> Alarms:
    """Return the words with p < .05 among the posts of a brand, the smallest p-value first."""
    counts = count_words(posts)
    expected = (counts.past + 0.5) / max(counts.size[:-1].sum(), 1) * counts.size[-1]
    shape = 1 / DISPERSION
    p_values = nbinom.sf(counts.now - 1, shape, shape / (shape + expected))
    is_alarm = (p_values < MAX_P_VALUE) & (counts.now >= MIN_POSTS)
    return [
        FinderAlarm(counts.words[i], counts.posts[i])
        for i in np.argsort(p_values, kind="stable")
        if is_alarm[i]
    ]
