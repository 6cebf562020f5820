"""The emerging topics of a week or of seven days: the window goes from the store to nlp.topics, and what is found goes back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpora.snapshot import Snapshot
from folate.config import Config
from folate.errors import NotFound
from folate.pipeline.workspace import Workspace
from folate.post import body
from folate.progress import waiting
from folate.weeks import Span, Week, last_day, trailing
from nlp.audience import Audience
from nlp.sentiment import Reader, load
from nlp.topics import Discovery, Topic, context, discover, ranked

Embed = Callable[[list[str]], np.ndarray]

BATCH = 50_000  # posts that are held with their words spelled out
SKEWED = "coalesce(p.published_at > p.fetched_at + INTERVAL 1 DAY, false)"  # no post is published after it was fetched
WINDOW = f"""
    SELECT p.id, p.author, p.source, p.published_at, t.language, t.words, t.hashtags,
           coalesce(d.cluster, p.id) AS cluster, coalesce(m.brands, []) AS brands
    FROM posts p
    JOIN texts t USING (id)
    LEFT JOIN duplicates d USING (id)
    LEFT JOIN (SELECT id, list(DISTINCT brand ORDER BY brand) AS brands FROM mentions GROUP BY id) m USING (id)
    WHERE p.published_at >= $since AND p.published_at < $until AND NOT {SKEWED}
"""
_SKEWED_POSTS = f"SELECT p.source, count(*) AS posts FROM posts p WHERE p.published_at >= $since AND {SKEWED} GROUP BY ALL ORDER BY ALL"
_JUDGED = f"""
    SELECT p.id, coalesce(p.author, p.id) AS author, s.negative, s.positive, coalesce(m.brands, []) AS brands,
           CASE WHEN j.id IS NOT NULL THEN coalesce(a.aspects, []) END AS aspects,
           CASE WHEN j.buy IS NOT NULL THEN list_filter(list_value(
               CASE WHEN j.buy >= 0.5 THEN 'buy' END, CASE WHEN j.switch >= 0.5 THEN 'switch' END,
               CASE WHEN j.ask >= 0.5 THEN 'ask' END, CASE WHEN j.complain >= 0.5 THEN 'complain' END), lambda x: x IS NOT NULL) END AS intents
    FROM posts p
    JOIN texts t USING (id)
    LEFT JOIN sentiments s ON s.id = p.id AND s.brand IS NULL
    LEFT JOIN judgements j ON j.id = p.id
    LEFT JOIN (SELECT id, list(DISTINCT aspect) AS aspects FROM aspects GROUP BY id) a ON a.id = p.id
    LEFT JOIN (SELECT id, list(DISTINCT brand) AS brands FROM mentions GROUP BY id) m ON m.id = p.id
    LEFT JOIN duplicates d ON d.id = p.id
    WHERE p.published_at >= $since AND p.published_at < $until AND coalesce(d.cluster, p.id) = p.id AND NOT {SKEWED}
"""
_SCHEMA = pa.schema({
    "id": pa.string(), "author": pa.string(), "source": pa.string(), "published_at": pa.timestamp("us", tz="UTC"), "language": pa.string(),
    "words": pa.list_(pa.dictionary(pa.int32(), pa.string())), "hashtags": pa.list_(pa.string()), "cluster": pa.string(),
    "brands": pa.list_(pa.string()), "week": pa.int32(),
})  # fmt: skip


def find_topics(workspace: Workspace, span: Span) -> Discovery:
    """Discover the topics of `span`, give those known from earlier ones their ids, and store them.

    Raises NotFound when no post of the window has been annotated.
    """
    snapshot, config = workspace.store.snapshot(), workspace.config
    with waiting("seeking topics"):
        stream = window(snapshot, config, span)
        if not stream.num_rows:
            _require_annotations(snapshot)
        previous, running = known(snapshot, span)
        found = discover(
            stream, span, config.topics, config.watch, config.brands, embed=_embed(config), previous=previous, running=running,
            segments=Audience(config.segments).find, bodies=_bodies(snapshot),
        )  # fmt: skip
        found = replace(
            found, notes=(*found.notes, *_skewed(snapshot, config, span)), topics=ranked(_judged(found, snapshot, config, span))
        )
    workspace.store.replace("topics", [topic.to_row() for topic in found.topics], {"week": str(span)})
    return found


def _embed(config: Config) -> Embed:
    """Sentence vectors; the model is loaded once, when the first terms need them."""

    @cache
    def reader() -> Reader:
        return load(config.nlp.model, config.nlp.threads)

    return lambda texts: reader().embed(texts)


def _bodies(snapshot: Snapshot) -> Callable[[list[str]], list[str]]:
    def texts(ids: list[str]) -> list[str]:
        rows = snapshot.sql("SELECT id, title, text FROM posts WHERE id IN (SELECT unnest($ids))", {"ids": ids}).to_pylist()
        found = {row["id"]: body(row["title"], row["text"]) for row in rows}
        return [found[id_] for id_ in ids]

    return texts


def window(snapshot: Snapshot, config: Config, span: Span) -> pa.Table:
    """The posts of `span` and of the baseline weeks before it, with their week's index: 0 is the oldest."""
    spans = [*trailing(span, config.topics.baseline_weeks), span]
    starts = [each.bounds(config.timezone)[0] for each in spans]
    edges = np.array([int(start.timestamp() * 1e6) for start in starts])
    batches = snapshot.stream(WINDOW, {"since": starts[0], "until": span.bounds(config.timezone)[1]}, BATCH)
    return pa.Table.from_batches([_coded(batch, edges) for batch in batches], _SCHEMA)


def _coded(batch: pa.RecordBatch, edges: np.ndarray) -> pa.RecordBatch:
    """The batch with its words as codes, which take a tenth of the memory, and the index of its week."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    words = columns["words"]
    ends = np.cumsum(pc.fill_null(pc.list_value_length(words), 0).to_numpy(), dtype=np.int32)
    columns["words"] = pa.ListArray.from_arrays(pa.array(np.append(np.int32(0), ends)), words.flatten().dictionary_encode())
    moments = columns["published_at"].cast(pa.int64()).to_numpy()
    columns["week"] = pa.array(np.searchsorted(edges, moments, side="right") - 1, pa.int32())
    return pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in _SCHEMA], schema=_SCHEMA)


def known(snapshot: Snapshot, span: Span) -> tuple[list[Topic], list[Topic]]:
    """The topics of the last span before `span` that topics were sought in, and those of days or the week that it shares days with."""
    end, stored = last_day(span), snapshot.sql("SELECT DISTINCT week FROM topics ORDER BY week").column("week").to_pylist()
    days = {name: last_day(name) for name in stored if name != str(span)}
    if isinstance(span, Week):
        earlier = [name for name in days if days[name] <= end - timedelta(weeks=1)]
        shared = [name for name in days if end - timedelta(weeks=1) < days[name] <= end]
    else:
        earlier = [name for name in days if days[name] < end]
        shared = [name for name in days if name == str(Week.of_date(end))]
    latest = [max(names, key=lambda name: (days[name], name), default="") for names in (earlier, shared)]
    found = [snapshot.sql("SELECT * FROM topics WHERE week = $week ORDER BY id", {"week": name}).to_pylist() for name in latest]
    return [Topic.from_row(row) for row in found[0]], [Topic.from_row(row) for row in found[1]]


def _judged(found: Discovery, snapshot: Snapshot, config: Config, span: Span) -> Iterator[Topic]:
    """The topics with what their authors feel, ask and compare, against the week's other authors."""
    since, until = span.bounds(config.timezone)
    rows = snapshot.sql(_JUDGED, {"since": since, "until": until}) if found.topics else None
    for topic in found.topics:
        if rows is None or topic.state == "gone":
            yield topic
            continue
        inside, outside = context.sides(rows, pa.array(found.members[topic.id], pa.string()))
        told = {
            "sentiment": context.sentiment(inside, outside), "goes_with": context.odds(inside, outside, "brands"),
            "aspects": context.shares(inside, outside, "aspects"), "intents": context.shares(inside, outside, "intents"),
        }  # fmt: skip
        yield replace(topic, detail={**topic.detail, **told})


def _skewed(snapshot: Snapshot, config: Config, span: Span) -> Iterator[str]:
    since = trailing(span, config.topics.baseline_weeks)[0].bounds(config.timezone)[0]
    for row in snapshot.sql(_SKEWED_POSTS, {"since": since}).to_pylist():
        yield f"{row['posts']} posts of {row['source']} are dated a day or more after they were fetched, and were left out."


def _require_annotations(snapshot: Snapshot) -> None:
    counts = snapshot.sql("SELECT (SELECT count(*) FROM posts) AS posts, (SELECT count(*) FROM texts) AS texts").to_pylist()[0]
    if counts["posts"] and not counts["texts"]:
        raise NotFound("wanted annotated posts, got posts that nobody has read yet: run 'folate annotate' first.")


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """One span in the life of a topic."""

    week: str
    id: str  # the topic's own, or that of the one it merged into or that split off
    event: str  # new, weak, strong, fading, gone; merged into, split off
    posts: int
    authors: int
    score: float
    terms: tuple[str, ...]
    continues: tuple[str, ...]  # topics of the span before that it goes on, when more than itself
    split_from: str | None


def history(snapshot: Snapshot, identifier: str) -> list[Chapter]:
    """The life of a topic by span, oldest first, with the topics that it merged into or that split off from it.

    Raises NotFound when no topic has that id.
    """
    rows = snapshot.sql("SELECT * FROM topics WHERE contains(id, $id) OR contains(detail, $id)", {"id": identifier}).to_pylist()
    topics = sorted(map(Topic.from_row, rows), key=lambda topic: (last_day(topic.week), topic.week, topic.id != identifier, topic.id))
    told = [chapter for topic in topics if (chapter := _chapter(topic, identifier))]
    if not any(chapter.id == identifier for chapter in told):
        raise NotFound(f"wanted a topic that was found in some week, got {identifier!r}: 'folate topics --format json' prints the ids.")
    return told


def _chapter(topic: Topic, identifier: str) -> Chapter | None:
    """What a stored topic says of the one asked for; None when it only happens to hold those characters."""
    detail: Mapping[str, Any] = topic.detail
    continues = tuple(detail.get("continues", ()))
    merged, split = identifier in continues and topic.id != identifier, detail.get("split_from") == identifier
    if topic.id != identifier and not (merged or split):
        return None
    event = topic.state if topic.id == identifier else "merged into" if merged else "split off"
    return Chapter(
        week=topic.week, id=topic.id, event=event, posts=topic.posts, authors=topic.authors, score=topic.score, terms=topic.terms,
        continues=continues if set(continues) - {topic.id} else (), split_from=detail.get("split_from"),
    )  # fmt: skip
