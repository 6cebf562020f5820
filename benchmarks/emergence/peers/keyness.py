"""Log-odds with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, "Fightin' Words", eq. 22): this week against those before.

The prior is the counts of both, scaled to 1,000 words; an alarm is z > 1.96, as in the paper.
"""

import numpy as np
import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.words import LEAST, count
from nlp.stats.estimation import log_odds_z_scores

Z = 1.96


def find(posts: pa.Table) -> Alarms:
    counts = count(posts)
    z = log_odds_z_scores(counts.now, counts.past, counts.now + counts.past)
    best = [i for i in np.argsort(-z, kind="stable") if z[i] > Z and counts.now[i] >= LEAST]
    return [FinderAlarm(counts.words[i], counts.posts[i]) for i in best]
