"""BERTopic over time: one model of all posts of the window, its topics counted by week.

See "Dynamic Topic Modeling" in BERTopic's documentation. BERTopic raises no alarm by itself: here
one is raised for a topic with as many posts this week, and as large a ratio to its weekly mean, as
Folate asks of a term. Its posts are those of this week that the model assigns to it.
"""

from collections import Counter, defaultdict

import pyarrow as pa

from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.peers.models import embed_documents, fit_topic_model
from benchmarks.emergence.peers.words import MIN_POSTS
from benchmarks.emergence.planting import WINDOW_WEEKS

# Posts of the week over the weekly mean before.
MIN_GAIN = 2.0


def find(posts: pa.Table) -> Alarms:
    """Return the rising topics among the posts of a brand, the highest ratio first."""
    documents = posts["words"].to_pylist()
    weeks = posts["week"].to_pylist()
    model = fit_topic_model(documents, embed_documents(documents))
    current: dict[int, set[str]] = defaultdict(set)
    before: Counter[int] = Counter()
    for post_id, week, topic in zip(posts["id"].to_pylist(), weeks, model.topic, strict=True):
        if week == WINDOW_WEEKS - 1:
            current[topic].add(post_id)
        else:
            before[topic] += 1
    ratio = {}
    for topic, post_ids in current.items():
        if topic >= 0 and len(post_ids) >= MIN_POSTS:
            ratio[topic] = len(post_ids) / (max(before[topic], 0.5) / (WINDOW_WEEKS - 1))
    rising = [topic for topic in ratio if ratio[topic] >= MIN_GAIN]
    rising.sort(key=lambda topic: (-ratio[topic], topic))
    return [FinderAlarm(model.names[topic], frozenset(current[topic])) for topic in rising]
