"""BERTrend's rule of weak signals (Boutaleb, Picault & Grosjean 2024, arXiv:2411.05930).

With the settings of github.com/rte-france/BERTrend. A BERTopic model is fitted to every slice of
seven days; a new topic is one of those before it when the cosine of their mean vectors is .7 or
more. The popularity p of a topic is p + n when the slice has n posts of it, else p exp(-.01 k^2), k
slices after the last. A topic is a weak signal when p is between the 10th and the 90th percentile
of all popularities of the window and rose (slope of the last 14 days > 0), a strong one when p is
above, noise when below. An alarm is a weak or strong signal with posts this week. BERTrend gives no
order: here the share of the popularity that came this week decides.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.models import embed_documents, fit_topic_model
from benchmarks.emergence.peers.words import MIN_POSTS
from benchmarks.emergence.planting import WINDOW_WEEKS
from nlp.topics.stream import Floats

# Cosine from which two topics are the same.
MIN_SIMILARITY = 0.7
# Neighbours of UMAP, as BERTrend sets them.
NEIGHBOURS = 5
DECAY_RATE = 0.01
DECAY_POWER = 2
LOW_PERCENTILE = 10
HIGH_PERCENTILE = 90
# Lower popularities do not count for the percentiles.
MIN_POPULARITY = 1e-5


@dataclass
class Signal:
    """A topic over the slices."""

    name: str
    vector: Floats
    # One per slice since it first appeared.
    popularity: list[float] = field(default_factory=list)
    # The last slice with posts of it.
    updated: int = 0
    # Ids of the posts of that slice.
    posts: frozenset[str] = frozenset()


def find(posts: pa.Table) -> Alarms:
    """Return the weak and strong signals among the posts of a brand, best first."""
    documents = posts["words"].to_pylist()
    weeks = np.array(posts["week"].to_pylist())
    embeddings = embed_documents(documents)
    post_ids = posts["id"].to_pylist()
    signals: list[Signal] = []
    for week in range(WINDOW_WEEKS):
        rows = np.flatnonzero(weeks == week)
        model = fit_topic_model([documents[row] for row in rows], embeddings[rows], NEIGHBOURS)
        for topic in sorted(set(model.topic) - {-1}):
            members = rows[np.array(model.topic) == topic]
            _update_signals(
                signals,
                week,
                model.names[topic],
                embeddings[members].mean(axis=0),
                frozenset(post_ids[row] for row in members),
            )
        for signal in signals:
            if signal.updated < week:
                decay = float(np.exp(-DECAY_RATE * (week - signal.updated) ** DECAY_POWER))
                signal.popularity.append(signal.popularity[-1] * decay)
    return _select_alarms(signals)


def _update_signals(
    signals: list[Signal], week: int, name: str, vector: Floats, posts: frozenset[str]
) -> None:
    """Add a topic's posts to the most similar signal, or begin a new one."""
    vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
    cosines = [float(vector @ signal.vector) for signal in signals]
    if cosines and max(cosines) >= MIN_SIMILARITY:
        signal = signals[int(np.argmax(cosines))]
    else:
        signal = Signal(name, vector)
        signals.append(signal)
    if signal.popularity and signal.updated == week:  # a second topic of this slice
        signal.popularity[-1] += len(posts)
        signal.posts |= posts
        return
    previous = signal.popularity[-1] if signal.popularity else 0.0
    signal.popularity.append(previous + len(posts))
    signal.updated = week
    signal.posts = posts


def _select_alarms(signals: list[Signal]) -> Alarms:
    popularities: list[float] = []
    for signal in signals:
        popularities += [value for value in signal.popularity if value > MIN_POPULARITY]
    low = 0.0
    high = 0.0
    if popularities:
        low, high = np.percentile(popularities, [LOW_PERCENTILE, HIGH_PERCENTILE])
    selected = []
    for signal in signals:
        is_current = signal.updated == WINDOW_WEEKS - 1 and len(signal.posts) >= MIN_POSTS
        popularity = signal.popularity[-1]
        if is_current and popularity >= low and (popularity > high or _is_rising(signal)):
            selected.append(signal)
    selected.sort(key=lambda signal: (-len(signal.posts) / signal.popularity[-1], signal.name))
    return [FinderAlarm(signal.name, signal.posts) for signal in selected]


def _is_rising(signal: Signal) -> bool:
    """Return whether the slope of the last three slices (14 days) is positive.

    A topic that first appeared in this slice counts as rising.
    """
    recent = signal.popularity[-3:]
    return len(recent) < 2 or bool(np.polyfit(range(len(recent)), recent, 1)[0] > 0)
