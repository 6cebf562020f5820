"""Keyness by log-odds with an informative Dirichlet prior: this week against those before.

Monroe, Colaresi & Quinn 2008, "Fightin' Words", eq. 22. The prior is the counts of both sides,
scaled to 1,000 words; an alarm is z > 1.96, as in the paper.
"""

import numpy as np
import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.words import MIN_POSTS, count_words
from nlp.stats.estimation import log_odds_z_scores

MIN_Z = 1.96


def find(posts: pa.Table) -> Alarms:
    """Return the key words among the posts of a brand, the highest z first."""
    counts = count_words(posts)
    z = log_odds_z_scores(counts.now, counts.past, counts.now + counts.past)
    is_alarm = (z > MIN_Z) & (counts.now >= MIN_POSTS)
    return [
        FinderAlarm(counts.words[i], counts.posts[i])
        for i in np.argsort(-z, kind="stable")
        if is_alarm[i]
    ]
