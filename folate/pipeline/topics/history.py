"""The lives of topics, from the store: which ones a span goes on from, and all that is stored of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from corpora.store.snapshot import Snapshot
from folate.core.errors import NotFound
from folate.core.weeks import Period, Week, last_day
from nlp.topics import Topic


def load_earlier_topics(snapshot: Snapshot, period: Period) -> tuple[list[Topic], list[Topic]]:
    """The topics of the last span before `span` that topics were sought in, and those of days or the week that it shares days with."""
    end, stored = (
        last_day(period),
        snapshot.sql("SELECT DISTINCT week FROM topics ORDER BY week").column("week").to_pylist(),
    )
    days = {name: last_day(name) for name in stored if name != str(period)}
    if isinstance(period, Week):
        earlier = [name for name in days if days[name] <= end - timedelta(weeks=1)]
        shared = [name for name in days if end - timedelta(weeks=1) < days[name] <= end]
    else:
        earlier = [name for name in days if days[name] < end]
        shared = [name for name in days if name == str(Week.from_date(end))]
    latest = [
        max(names, key=lambda name: (days[name], name), default="") for names in (earlier, shared)
    ]
    found = [
        snapshot.sql(
            "SELECT * FROM topics WHERE week = $week ORDER BY id", {"week": name}
        ).to_pylist()
        for name in latest
    ]
    return [Topic.from_row(row) for row in found[0]], [Topic.from_row(row) for row in found[1]]


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One span in the life of a topic."""

    week: str
    id: str  # the topic's own, or that of the one it merged into or that split off
    event: str  # new, weak, strong, fading, gone; merged into, split off
    posts: int
    authors: int
    score: float
    terms: tuple[str, ...]
    log_odds: Mapping[
        str, float
    ]  # z of each of the leading terms: how much more it is said than in the weeks before
    continues: tuple[str, ...]  # topics of the span before that it goes on, when more than itself
    split_from: str | None


def topic_history(snapshot: Snapshot, topic_id: str) -> list[HistoryEntry]:
    """The life of a topic by span, oldest first, with the topics that it merged into or that split off from it.

    Raises NotFound when no topic has that id.
    """
    rows = snapshot.sql(
        "SELECT * FROM topics WHERE contains(id, $id) OR contains(detail, $id)", {"id": topic_id}
    ).to_pylist()
    topics = sorted(
        map(Topic.from_row, rows),
        key=lambda topic: (last_day(topic.week), topic.week, topic.id != topic_id, topic.id),
    )
    told = [chapter for topic in topics if (chapter := _chapter(topic, topic_id))]
    if not any(chapter.id == topic_id for chapter in told):
        sought = (
            snapshot.sql("SELECT week FROM searches UNION SELECT week FROM topics ORDER BY week")
            .column("week")
            .to_pylist()
        )
        where = (
            f"topics were sought in {', '.join(sought)}" if sought else "topics were never sought"
        )
        raise NotFound(
            f"wanted a topic that was found in some week, got {topic_id!r}: {where}; 'folate topics --format json' prints the ids."
        )
    return told


def _chapter(topic: Topic, identifier: str) -> HistoryEntry | None:
    """What a stored topic says of the one asked for; None when it only happens to hold those characters."""
    detail: Mapping[str, Any] = topic.detail
    continues = tuple(detail.get("continues", ()))
    merged, split = (
        identifier in continues and topic.id != identifier,
        detail.get("split_from") == identifier,
    )
    if topic.id != identifier and not (merged or split):
        return None
    event = topic.state if topic.id == identifier else "merged into" if merged else "split off"
    return HistoryEntry(
        week=topic.week, id=topic.id, event=event, posts=topic.posts, authors=topic.authors, score=topic.score, terms=topic.terms,
        log_odds={said["term"]: said["log_odds_z"] for said in detail.get("terms", ())},
        continues=continues if set(continues) - {topic.id} else (), split_from=detail.get("split_from"),
    )  # fmt: skip
