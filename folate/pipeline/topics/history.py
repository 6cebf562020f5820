"""Topic history: the topics of earlier periods, and every stored state of one topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from corpora.store.snapshot import Snapshot
from folate.core.errors import NotFound
from folate.core.weeks import Period, Week, last_day
from nlp.topics import Topic


def load_earlier_topics(snapshot: Snapshot, period: Period) -> tuple[list[Topic], list[Topic]]:
    """Load the topics of the previous period and those of a period that overlaps this one.

    For a week, the previous period is the latest one that ended before it, and the overlapping one
    the latest that ended within it. For seven days, they are the latest period that ended earlier,
    and the week of their last day. Either list is empty when there is no such period.
    """
    end = last_day(period)
    stored = snapshot.sql("SELECT DISTINCT week FROM topics ORDER BY week").column("week")
    end_by_name = {name: last_day(name) for name in stored.to_pylist() if name != str(period)}
    if isinstance(period, Week):
        before = end - timedelta(weeks=1)
        earlier = [name for name, day in end_by_name.items() if day <= before]
        overlapping = [name for name, day in end_by_name.items() if before < day <= end]
    else:
        earlier = [name for name, day in end_by_name.items() if day < end]
        overlapping = [name for name in end_by_name if name == str(Week.from_date(end))]
    return (
        _load_latest_topics(snapshot, earlier, end_by_name),
        _load_latest_topics(snapshot, overlapping, end_by_name),
    )


def _load_latest_topics(
    snapshot: Snapshot, names: list[str], end_by_name: Mapping[str, Any]
) -> list[Topic]:
    """Load the topics of the period that ends last among those named."""
    latest = max(names, key=lambda name: (end_by_name[name], name), default="")
    rows = snapshot.sql("SELECT * FROM topics WHERE week = $week ORDER BY id", {"week": latest})
    return [Topic.from_row(row) for row in rows.to_pylist()]


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One period in the history of a topic."""

    week: str
    # The topic's own id, or that of the topic it merged into or that split off from it.
    id: str
    # A state of `nlp.topics.tracking` (new, weak, strong, fading, gone), merged into or split off.
    event: str
    posts: int
    authors: int
    score: float
    terms: tuple[str, ...]
    # Leading term -> log-odds against the weeks before, in standard errors.
    log_odds: Mapping[str, float]
    # Ids of the continued topics of the period before, when these are more than the topic itself.
    continues: tuple[str, ...]
    split_from: str | None


def topic_history(snapshot: Snapshot, topic_id: str) -> list[HistoryEntry]:
    """Return the history of a topic by period, oldest first.

    It includes the topics that it merged into or that split off from it. Raises NotFound when no
    topic has that id.
    """
    rows = snapshot.sql(
        "SELECT * FROM topics WHERE contains(id, $id) OR contains(detail, $id)", {"id": topic_id}
    ).to_pylist()
    topics = sorted(
        map(Topic.from_row, rows),
        key=lambda topic: (last_day(topic.week), topic.week, topic.id != topic_id, topic.id),
    )
    entries = [_history_entry(topic, topic_id) for topic in topics]
    history = [entry for entry in entries if entry is not None]
    if not any(entry.id == topic_id for entry in history):
        raise NotFound(
            f"wanted a topic that was found in some week, got {topic_id!r}: "
            f"{_describe_searches(snapshot)}; 'folate topics --format json' prints the ids."
        )
    return history


def _describe_searches(snapshot: Snapshot) -> str:
    searched = snapshot.sql("SELECT week FROM searches UNION SELECT week FROM topics ORDER BY week")
    weeks = searched.column("week").to_pylist()
    return f"topics were sought in {', '.join(weeks)}" if weeks else "topics were never sought"


def _history_entry(topic: Topic, topic_id: str) -> HistoryEntry | None:
    """Return the entry of a stored topic in the history of `topic_id`; None when unrelated."""
    detail: Mapping[str, Any] = topic.detail
    continues = tuple(detail.get("continues", ()))
    if topic.id == topic_id:
        event: str = topic.state
    elif topic_id in continues:
        event = "merged into"
    elif detail.get("split_from") == topic_id:
        event = "split off"
    else:
        return None
    return HistoryEntry(
        week=topic.week,
        id=topic.id,
        event=event,
        posts=topic.posts,
        authors=topic.authors,
        score=topic.score,
        terms=topic.terms,
        log_odds={term["term"]: term["log_odds_z"] for term in detail.get("terms", ())},
        continues=continues if set(continues) - {topic.id} else (),
        split_from=detail.get("split_from"),
    )
