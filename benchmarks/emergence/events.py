"""Ten weeks of remembered news (`events.toml`) sought in a real stream: found at which rank, or missed and why.

    python -m benchmarks.emergence.events --stream FILE

Every week is run with the eight before it. Streams without authors count each post as an author's own; nothing is planted.
"""

import argparse
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path

import pyarrow as pa

from benchmarks.emergence.planting import POST_SCHEMA, WINDOW_WEEKS
from benchmarks.emergence.streams import annotate_posts, existing_file, read_dated_texts
from folate.core.config import Topics
from folate.core.weeks import Week
from nlp.text.duplicates import cluster_duplicates
from nlp.text.segment import Segmenter
from nlp.topics import Discovery, Topic, discover_topics

TIMEZONE = "Asia/Shanghai"
LENIENT_FALSE_TERMS = 1000.0  # false terms a week: lets everything near the threshold through, to tell how far below it an event stayed
MAX_TERMS_SHOWN = 6  # terms of a topic


@dataclass(frozen=True)
class NewsEvent:
    """News, the day it broke, and the words by which its topic is known."""

    name: str
    day: date
    words: tuple[str, ...]

    @property
    def week(self) -> Week:
        return Week.from_date(self.day)

    def is_mentioned(self, texts: Iterable[str]) -> bool:
        """Whether one of the texts holds one of the words."""
        return any(word.casefold() in text.casefold() for text in texts for word in self.words)

    def find_topic(self, topics: Sequence[Topic]) -> tuple[int, Topic] | None:
        """The first topic with one of the words among its terms, and its place, from 1."""
        return next(
            (
                (rank, topic)
                for rank, topic in enumerate(topics, 1)
                if self.is_mentioned(topic.terms)
            ),
            None,
        )


def main() -> None:
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
    posts, segmenter, hits = read_first_listings(parser.parse_args().stream), Segmenter(), 0
    columns = (
        "week",
        "event",
        "posts, usual",
        "found",
        "rank",
        "posts of the topic",
        "score, threshold",
        "terms",
    )
    print(f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", sep="\n")
    for event in load_events():
        table = event_window(posts, event.week, segmenter)
        result = discover_topics(table, event.week, Topics())
        hit = event.find_topic(result.topics)
        hits += bool(hit and not hit[1].flags)
        outcome = _found(*hit, result) if hit else _missed(event, table, result)
        print(f"| {event.week} | {event.name} | {_usual(event, table)} | {outcome} |", flush=True)
    print(f"\n{hits} of {len(load_events())} found without a flag.")


def read_first_listings(paths: Iterable[Path]) -> list[tuple[datetime, str]]:
    """The (time, text) rows in order of time; a text that is listed again on another day is one post, as it is in a store."""
    earliest: dict[str, datetime] = {}
    for at, text in sorted(row for path in paths for row in read_dated_texts(path)):
        earliest.setdefault(text, at)
    return sorted((at, text) for text, at in earliest.items())


def load_events() -> list[NewsEvent]:
    """Those of `events.toml`."""
    listed = tomllib.loads(
        files("benchmarks.emergence").joinpath("events.toml").read_text(encoding="utf-8")
    )["event"]
    return [NewsEvent(event["name"], event["day"], tuple(event["words"])) for event in listed]


def event_window(posts: list[tuple[datetime, str]], week: Week, segmenter: Segmenter) -> pa.Table:
    """The posts, in order of time, of a week and the eight before it, as discovery takes them."""
    start, end = (week - (WINDOW_WEEKS - 1)).bounds(TIMEZONE)[0], week.bounds(TIMEZONE)[1]
    chosen = annotate_posts(
        posts[bisect_left(posts, (start, "")) : bisect_left(posts, (end, ""))], segmenter
    )
    ids = [f"stream:{number}" for number in range(len(chosen))]
    copies = {
        id_: cluster
        for id_, cluster, _ in cluster_duplicates(
            ids, [raw.text for raw in chosen], [raw.published_at for raw in chosen]
        )
    }
    table = [
        {"id": id_, "source": "stream", "published_at": raw.published_at, "week": (raw.published_at - start).days // 7, "language": raw.language,
         "words": raw.words, "hashtags": raw.hashtags, "cluster": copies.get(id_, id_), "brands": (), "body": raw.text}
        for id_, raw in zip(ids, chosen, strict=True)
    ]  # fmt: skip
    return pa.Table.from_pylist(table, schema=POST_SCHEMA)


def _usual(event: NewsEvent, table: pa.Table) -> str:
    """Posts of the week that hold one of the words, and their mean over the weeks before."""
    weeks = [
        week
        for week, body in zip(table["week"].to_pylist(), table["body"].to_pylist(), strict=True)
        if event.is_mentioned([body])
    ]
    now = weeks.count(WINDOW_WEEKS - 1)
    return f"{now}, {(len(weeks) - now) / (WINDOW_WEEKS - 1):.1f}"


def _found(rank: int, topic: Topic, result: Discovery) -> str:
    state = ", ".join(topic.flags) or "yes"
    return f"{state} | {rank} of {len(result.topics)} | {topic.posts} | {_score(topic, result)} | {' '.join(topic.terms[:MAX_TERMS_SHOWN])}"


def _missed(event: NewsEvent, table: pa.Table, result: Discovery) -> str:
    """Why: the score of its best topic were the threshold lower, or that none of its words stands out at all; and what was found."""
    near = event.find_topic(
        discover_topics(
            table, event.week, replace(Topics(), false_terms=LENIENT_FALSE_TERMS)
        ).topics
    )
    instead = f"found instead: {', '.join(topic.label_zh for topic in result.topics) or 'nothing'}"
    if near is None:
        return f"no | - | - | -, {result.thresholds['']:.1f} | no word has the authors and the gain; {instead}"
    named = " ".join(term for term in near[1].terms if event.is_mentioned([term]))
    return f"no | - | - | {_score(near[1], result)} | {named}, below the threshold; {instead}"


def _score(topic: Topic, result: Discovery) -> str:
    return f"{topic.score:.1f}, {result.thresholds['']:.1f}"


if __name__ == "__main__":
    main()
