"""Signi-Trend: Schubert, Weiler & Kriegel, KDD 2014, doi:10.1145/2623330.2623740. An alarm is a significance of 3 or more.

    significance = (x - max(EWMA, b)) / (sqrt(EWMVar) + b)        x: share of the epoch's posts that hold the word
    EWMA    <- EWMA + a (x - EWMA)
    EWMVar  <- (1 - a) (EWMVar + a (x - EWMA)^2)                   a = 1 - exp(log(1/2) / half-life)

An epoch is seven days, so that weekend and weekday never differ. `b`, the background noise, is one post an epoch, the mildest
that keeps a single post from being a trend; the hash tables of the paper save memory and are not needed here. While the
epochs are few, `a` is corrected as in the authors' ELKI.
"""

import numpy as np
import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.words import LEAST, count

HALF_LIFE = 4.0  # epochs: half of the baseline
SIGMA = 3.0


def find(posts: pa.Table) -> Alarms:
    counts = count(posts)
    size = np.maximum(counts.size, 1)
    shares, noise = counts.weekly / size, 1 / size[-1]
    rate = weight = 1 - np.exp(np.log(0.5) / HALF_LIFE)
    mean, variance = shares[:, 0].copy(), np.zeros(len(shares))
    for x in shares[:, 1:-1].T:
        corrected = rate / (weight * (1 - rate) + rate)
        weight += (1 - weight) * rate
        change = x - mean
        mean += corrected * change
        variance = (1 - corrected) * (variance + corrected * change**2)
    significance = (shares[:, -1] - np.maximum(mean, noise)) / (np.sqrt(variance) + noise)
    best = [
        i
        for i in np.argsort(-significance, kind="stable")
        if significance[i] >= SIGMA and counts.now[i] >= LEAST
    ]
    return [FinderAlarm(counts.words[i], counts.posts[i]) for i in best]
