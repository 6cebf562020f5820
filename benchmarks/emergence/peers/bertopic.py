"""BERTopic over time: one model of all posts of the window, its topics counted by week ("Dynamic Topic Modeling" of its documentation).

BERTopic raises no alarm by itself. One is counted for a topic with as many posts this week, and as many times its weekly mean, as
Folate asks of a term; best first by that ratio. Its posts are those of this week that the model puts into it.
"""

from collections import Counter, defaultdict

import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.models import fit, vectors
from benchmarks.emergence.peers.words import LEAST
from benchmarks.emergence.planting import WINDOW_WEEKS

GAIN = 2.0


def find(posts: pa.Table) -> Alarms:
    documents, weeks = posts["words"].to_pylist(), posts["week"].to_pylist()
    model = fit(documents, vectors(documents))
    now: dict[int, set[str]] = defaultdict(set)
    before: Counter[int] = Counter()
    for id_, week, topic in zip(posts["id"].to_pylist(), weeks, model.topic, strict=True):
        if week == WINDOW_WEEKS - 1:
            now[topic].add(id_)
        else:
            before[topic] += 1
    ratio = {
        topic: len(ids) / (max(before[topic], 0.5) / (WINDOW_WEEKS - 1))
        for topic, ids in now.items()
        if topic >= 0 and len(ids) >= LEAST
    }
    best = sorted(
        (topic for topic in ratio if ratio[topic] >= GAIN), key=lambda topic: (-ratio[topic], topic)
    )
    return [FinderAlarm(model.names[topic], frozenset(now[topic])) for topic in best]
