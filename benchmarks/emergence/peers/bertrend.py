"""BERTrend's rule of weak signals (Boutaleb, Picault & Grosjean 2024, arXiv:2411.05930; settings of github.com/rte-france/BERTrend).

A BERTopic model a slice of seven days; a new topic is one of those before it when the cosine of their mean vectors is .7 or more.
Popularity p of a topic: p + n when the slice has n posts of it, else p exp(-.01 k^2), k slices after the last. Between the 10th and
the 90th percentile of all popularities of the window a topic is a weak signal when p rose (slope of the last 14 days > 0), above
a strong one, below noise. An alarm is a weak or strong signal with posts this week. BERTrend gives no order: best first by the
share of the popularity that came this week.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.models import fit, vectors
from benchmarks.emergence.peers.words import LEAST
from benchmarks.emergence.planting import WINDOW_WEEKS
from nlp.topics.stream import Floats

SIMILAR = 0.7
NEIGHBOURS = 5  # of UMAP, as BERTrend sets it
DECAY, POWER = 0.01, 2
LOW, HIGH = 10, 90  # percentiles
VANISHED = 1e-5  # popularities below it set no percentile


@dataclass
class Signal:
    """A topic over the slices."""

    name: str
    vector: Floats
    popularity: list[float] = field(default_factory=list)  # one a slice since it first appeared
    updated: int = 0  # slice
    posts: frozenset[str] = frozenset()  # of the last slice that had any


def find(posts: pa.Table) -> Alarms:
    documents, weeks = posts["words"].to_pylist(), np.array(posts["week"].to_pylist())
    embeddings, ids = vectors(documents), posts["id"].to_pylist()
    signals: list[Signal] = []
    for week in range(WINDOW_WEEKS):
        rows = np.flatnonzero(weeks == week)
        model = fit([documents[row] for row in rows], embeddings[rows], NEIGHBOURS)
        for topic in sorted(set(model.topic) - {-1}):
            members = rows[np.array(model.topic) == topic]
            _update(
                signals,
                week,
                model.names[topic],
                embeddings[members].mean(axis=0),
                frozenset(ids[row] for row in members),
            )
        for signal in signals:
            if signal.updated < week:
                signal.popularity.append(
                    signal.popularity[-1] * float(np.exp(-DECAY * (week - signal.updated) ** POWER))
                )
    return _alarms(signals)


def _update(
    signals: list[Signal], week: int, name: str, vector: Floats, posts: frozenset[str]
) -> None:
    """Adds a topic's posts to the signal that it is, or begins a new one."""
    vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
    cosines = [float(vector @ signal.vector) for signal in signals]
    if cosines and max(cosines) >= SIMILAR:
        signal = signals[int(np.argmax(cosines))]
    else:
        signal = Signal(name, vector)
        signals.append(signal)
    if signal.popularity and signal.updated == week:  # a second topic of this slice
        signal.popularity[-1] += len(posts)
        signal.posts |= posts
        return
    signal.popularity.append((signal.popularity[-1] if signal.popularity else 0.0) + len(posts))
    signal.updated, signal.posts = week, posts


def _alarms(signals: list[Signal]) -> Alarms:
    values = [p for signal in signals for p in signal.popularity if p > VANISHED]
    low, high = np.percentile(values, [LOW, HIGH]) if values else (0.0, 0.0)
    current = [
        s
        for s in signals
        if s.updated == WINDOW_WEEKS - 1
        and len(s.posts) >= LEAST
        and (_rising(s) or s.popularity[-1] > high)
    ]
    kept = sorted(
        (s for s in current if s.popularity[-1] >= low),
        key=lambda s: (-len(s.posts) / s.popularity[-1], s.name),
    )
    return [FinderAlarm(signal.name, signal.posts) for signal in kept]


def _rising(signal: Signal) -> bool:
    """The slope over the last three slices (14 days); a topic of this slice alone counts as rising."""
    recent = signal.popularity[-3:]
    return len(recent) < 2 or bool(np.polyfit(range(len(recent)), recent, 1)[0] > 0)
