"""Signi-Trend (Schubert, Weiler & Kriegel, KDD 2014, doi:10.1145/2623330.2623740).

An alarm is a significance of 3 or more:

    significance = (x - max(EWMA, b)) / (sqrt(EWMVar) + b)
    EWMA        <- EWMA + a (x - EWMA)
    EWMVar      <- (1 - a) (EWMVar + a (x - EWMA)^2)
    a            = 1 - exp(log(1/2) / half-life)

x is the share of the epoch's posts that contain the word. An epoch is seven days, so that weekends
and weekdays do not differ. b, the background noise, is one post per epoch, the smallest that keeps
a single post from being a trend. The hash tables of the paper save memory and are not needed here.
In the first epochs `a` is corrected as in the authors' ELKI.
"""

import numpy as np
import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.words import MIN_POSTS, count_words

# In epochs: half of the baseline.
HALF_LIFE = 4.0
MIN_SIGNIFICANCE = 3.0


def find(posts: pa.Table) -> Alarms:
    """Return the significant words among the posts of a brand, best first."""
    counts = count_words(posts)
    size = np.maximum(counts.size, 1)
    shares = counts.weekly / size
    noise = 1 / size[-1]
    rate = 1 - np.exp(np.log(0.5) / HALF_LIFE)
    weight = rate
    mean = shares[:, 0].copy()
    variance = np.zeros(len(shares))
    for share in shares[:, 1:-1].T:
        corrected_rate = rate / (weight * (1 - rate) + rate)
        weight += (1 - weight) * rate
        change = share - mean
        mean += corrected_rate * change
        variance = (1 - corrected_rate) * (variance + corrected_rate * change**2)
    significance = (shares[:, -1] - np.maximum(mean, noise)) / (np.sqrt(variance) + noise)
    is_alarm = (significance >= MIN_SIGNIFICANCE) & (counts.now >= MIN_POSTS)
    return [
        FinderAlarm(counts.words[i], counts.posts[i])
        for i in np.argsort(-significance, kind="stable")
        if is_alarm[i]
    ]
