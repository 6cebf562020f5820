"""Ten weeks of remembered news (`events.toml`) sought in a real stream: found, or missed and why.

    python -m benchmarks.emergence.events --stream FILE

Every week is run with the eight before it. In a stream without authors each post counts as one by
an author of its own. Nothing is planted.
"""

import argparse
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from benchmarks.emergence.planting import POST_SCHEMA, WINDOW_WEEKS
from benchmarks.emergence.streams import annotate_posts, existing_file, read_dated_texts
from folate.core.config import Topics
from folate.core.weeks import Week
from nlp.text.duplicates import cluster_duplicates
from nlp.text.segment import Segmenter
from nlp.topics import Discovery, Topic, discover_topics

TIMEZONE = "Asia/Shanghai"
# False terms per week at which everything near the usual threshold passes, to show how far below
# it an event stayed.
LENIENT_FALSE_TERMS = 1000.0
# Terms of a topic that are printed.
MAX_TERMS_SHOWN = 6
_COLUMNS = (
    "week",
    "event",
    "posts, usual",
    "found",
    "rank",
    "posts of the topic",
    "score, threshold",
    "terms",
)


class RankedTopic(NamedTuple):
    """A topic and its rank in the list of topics, from 1."""

    rank: int
    topic: Topic


@dataclass(frozen=True)
class NewsEvent:
    """An event, the day of its news, and the words that identify its topic."""

    name: str
    day: date
    words: tuple[str, ...]

    @property
    def week(self) -> Week:
        return Week.from_date(self.day)

    def is_mentioned(self, texts: Iterable[str]) -> bool:
        """Return whether one of the texts contains one of the words."""
        return any(word.casefold() in text.casefold() for text in texts for word in self.words)

    def find_topic(self, topics: Sequence[Topic]) -> RankedTopic | None:
        """Return the first topic with one of the words among its terms."""
        for rank, topic in enumerate(topics, 1):
            if self.is_mentioned(topic.terms):
                return RankedTopic(rank, topic)
        return None


def main() -> None:
    """Print a Markdown table with a row per event."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.emergence.events", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--stream",
        type=existing_file,
        action="append",
        required=True,
        help="CSV or TSV of dated posts of those years",
    )
    posts = read_first_listings(parser.parse_args().stream)
    segmenter = Segmenter()
    n_found = 0
    print(f"| {' | '.join(_COLUMNS)} |")
    print("|---" * len(_COLUMNS) + "|")
    for event in load_events():
        window = event_window(posts, event.week, segmenter)
        discovery = discover_topics(window, event.week, Topics())
        hit = event.find_topic(discovery.topics)
        if hit is None:
            outcome = _describe_missed_event(event, window, discovery)
        else:
            outcome = _describe_found_event(hit, discovery)
            n_found += not hit.topic.flags
        posts_and_usual = _count_mentions(event, window)
        print(f"| {event.week} | {event.name} | {posts_and_usual} | {outcome} |", flush=True)
    print(f"\n{n_found} of {len(load_events())} found without a flag.")


def read_first_listings(paths: Iterable[Path]) -> list[tuple[datetime, str]]:
    """Read the (time, text) rows of some streams, in order of time.

    A text that is listed again on another day is one post, as it is in a store.
    """
    earliest: dict[str, datetime] = {}
    for published_at, text in sorted(row for path in paths for row in read_dated_texts(path)):
        earliest.setdefault(text, published_at)
    return sorted((published_at, text) for text, published_at in earliest.items())


def load_events() -> list[NewsEvent]:
    """Load the events of `events.toml`."""
    text = files("benchmarks.emergence").joinpath("events.toml").read_text(encoding="utf-8")
    return [
        NewsEvent(event["name"], event["day"], tuple(event["words"]))
        for event in tomllib.loads(text)["event"]
    ]


def event_window(posts: list[tuple[datetime, str]], week: Week, segmenter: Segmenter) -> pa.Table:
    """Return the posts of a week and of the eight before it as a table for topic discovery.

    `posts` are in order of time.
    """
    start = (week - (WINDOW_WEEKS - 1)).bounds(TIMEZONE)[0]
    end = week.bounds(TIMEZONE)[1]
    in_window = posts[bisect_left(posts, (start, "")) : bisect_left(posts, (end, ""))]
    annotated = annotate_posts(in_window, segmenter)
    ids = [f"stream:{number}" for number in range(len(annotated))]
    clusters = cluster_duplicates(
        ids, [raw.text for raw in annotated], [raw.published_at for raw in annotated]
    )
    cluster_by_id = {post_id: cluster for post_id, cluster, _ in clusters}
    rows = [
        {
            "id": post_id,
            "source": "stream",
            "published_at": raw.published_at,
            "week": (raw.published_at - start).days // 7,
            "language": raw.language,
            "words": raw.words,
            "hashtags": raw.hashtags,
            "cluster": cluster_by_id.get(post_id, post_id),
            "brands": (),
            "body": raw.text,
        }
        for post_id, raw in zip(ids, annotated, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=POST_SCHEMA)


def _count_mentions(event: NewsEvent, window: pa.Table) -> str:
    """Return the posts of the week with one of the words, and their mean in the weeks before."""
    bodies = window["body"].to_pylist()
    weeks = [
        week
        for week, body in zip(window["week"].to_pylist(), bodies, strict=True)
        if event.is_mentioned([body])
    ]
    current = weeks.count(WINDOW_WEEKS - 1)
    return f"{current}, {(len(weeks) - current) / (WINDOW_WEEKS - 1):.1f}"


def _describe_found_event(hit: RankedTopic, discovery: Discovery) -> str:
    """Return the cells of an event that was found: flags or yes, rank, posts, score and terms."""
    topic = hit.topic
    cells = [
        ", ".join(topic.flags) or "yes",
        f"{hit.rank} of {len(discovery.topics)}",
        str(topic.posts),
        _score_and_threshold(topic, discovery),
        " ".join(topic.terms[:MAX_TERMS_SHOWN]),
    ]
    return " | ".join(cells)


def _describe_missed_event(event: NewsEvent, window: pa.Table, discovery: Discovery) -> str:
    """Return the cells of an event that was missed: its score, the reason, and what was found.

    The score is that of its best topic with a lower threshold, if there is one.
    """
    lenient = replace(Topics(), false_terms=LENIENT_FALSE_TERMS)
    hit = event.find_topic(discover_topics(window, event.week, lenient).topics)
    labels = ", ".join(topic.label_zh for topic in discovery.topics)
    instead = f"found instead: {labels or 'nothing'}"
    if hit is None:
        score = f"-, {discovery.thresholds['']:.1f}"
        reason = "no word has the authors and the gain"
    else:
        score = _score_and_threshold(hit.topic, discovery)
        terms = " ".join(term for term in hit.topic.terms if event.is_mentioned([term]))
        reason = f"{terms}, below the threshold"
    return f"no | - | - | {score} | {reason}; {instead}"


def _score_and_threshold(topic: Topic, discovery: Discovery) -> str:
    return f"{topic.score:.1f}, {discovery.thresholds['']:.1f}"


if __name__ == "__main__":
    main()
