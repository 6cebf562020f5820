"""The emerging topics of a week or of seven days: the window goes from the store to nlp.topics, and what is found goes back."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.errors import NotFound
from folate.core.post import post_body
from folate.core.progress import show_elapsed_time
from folate.core.weeks import Period, preceding_periods
from folate.pipeline.project import Project
from folate.pipeline.topics.context import add_context
from folate.pipeline.topics.history import load_earlier_topics
from nlp.extract.segments import SegmentDetector
from nlp.model import Reader, load_reader
from nlp.topics import MIN_BASELINE_WEEKS, Discovery, discover_topics, rank_topics
from reports.queries import FUTURE_DATED_CONDITION
from reports.sections.topic_search import settings_digest, window_counts

EmbedTexts = Callable[[list[str]], np.ndarray]

BATCH = 50_000  # posts that are held with their words spelled out
WINDOW_QUERY = f"""
    SELECT p.id, p.author, p.source, p.published_at, t.language, t.words, t.hashtags,
           coalesce(d.cluster, p.id) AS cluster, coalesce(m.brands, []) AS brands
    FROM posts p
    JOIN texts t USING (id)
    LEFT JOIN duplicates d USING (id)
    LEFT JOIN (SELECT id, list(DISTINCT brand ORDER BY brand) AS brands FROM mentions GROUP BY id) m USING (id)
    WHERE p.published_at >= $since AND p.published_at < $until AND NOT {FUTURE_DATED_CONDITION}
"""
_SKEWED_POSTS = f"SELECT p.source, count(*) AS posts FROM posts p WHERE p.published_at >= $since AND {FUTURE_DATED_CONDITION} GROUP BY ALL ORDER BY ALL"
_SCHEMA = pa.schema({
    "id": pa.string(), "author": pa.string(), "source": pa.string(), "published_at": pa.timestamp("us", tz="UTC"), "language": pa.string(),
    "words": pa.list_(pa.dictionary(pa.int32(), pa.string())), "hashtags": pa.list_(pa.string()), "cluster": pa.string(),
    "brands": pa.list_(pa.string()), "week": pa.int32(),
})  # fmt: skip


def find_topics(project: Project, period: Period) -> Discovery:
    """Discover the topics of `span`, give those known from earlier ones their ids, and store them.

    The table `searches` keeps in which posts they were sought, also when none was found. Raises NotFound when the span has posts and
    none of them has been annotated.
    """
    snapshot, config = project.store.snapshot(), project.config
    with show_elapsed_time("seeking topics"):
        stream = load_window(snapshot, config, period)
        if (
            config.topics.baseline_weeks not in pc.unique(stream["week"]).to_pylist()
        ):  # nothing of the span itself
            _require_annotations(snapshot, config, period)
        previous, running = load_earlier_topics(snapshot, period)
        found = discover_topics(
            stream, period, config.topics, config.watch, config.brands, embed=_embed(config), previous_topics=previous, overlapping_topics=running,
            find_segments=SegmentDetector(config.segments).find_segments, fetch_texts=_bodies(snapshot),
        )  # fmt: skip
        notes = (
            *found.notes,
            *_skewed(snapshot, config, period),
            *_unread(snapshot, config, period),
        )
        found = replace(
            found, notes=notes, topics=rank_topics(add_context(found, snapshot, config, period))
        )
    project.store.replace(
        "topics", [topic.to_row() for topic in found.topics], {"week": str(period)}
    )
    row = _search(snapshot, config, period, stream, found)
    project.store.replace(
        "searches", [row], {"week": str(period)}
    )  # last: it says that the topics are there, were it none
    return found


def _search(
    snapshot: Snapshot, config: Config, span: Period, stream: pa.Table, found: Discovery
) -> dict[str, Any]:
    """The row of the table `searches`: in which posts topics were sought, so that none found can be told from none sought."""
    before = {
        week
        for week in pc.unique(stream["week"]).to_pylist()
        if week < config.topics.baseline_weeks
    }
    return window_counts(snapshot, config, span, exclude_unread=True) | {
        "week": str(span), "baseline_weeks": len(before), "least_weeks": MIN_BASELINE_WEEKS, "wanted_weeks": config.topics.baseline_weeks,
        "topics": len(found.topics), "settings": settings_digest(config), "versions": json.dumps(snapshot.versions, sort_keys=True),
        "notes": list(found.notes),
    }  # fmt: skip


def _embed(config: Config) -> EmbedTexts:
    """Sentence vectors; the model is loaded once, when the first terms need them."""

    @cache
    def reader() -> Reader:
        return load_reader(config.nlp.model, config.nlp.threads)

    return lambda texts: reader().embed(texts)


def _bodies(snapshot: Snapshot) -> Callable[[list[str]], list[str]]:
    def texts(ids: list[str]) -> list[str]:
        rows = snapshot.sql(
            "SELECT id, title, text FROM posts WHERE id IN (SELECT unnest($ids))", {"ids": ids}
        ).to_pylist()
        found = {row["id"]: post_body(row["title"], row["text"]) for row in rows}
        return [found[id_] for id_ in ids]

    return texts


def load_window(snapshot: Snapshot, config: Config, period: Period) -> pa.Table:
    """The posts of `span` and of the baseline weeks before it, with their week's index: 0 is the oldest."""
    spans = [*preceding_periods(period, config.topics.baseline_weeks), period]
    starts = [each.bounds(config.timezone)[0] for each in spans]
    edges = np.array([int(start.timestamp() * 1e6) for start in starts])
    batches = snapshot.stream(
        WINDOW_QUERY, {"since": starts[0], "until": period.bounds(config.timezone)[1]}, BATCH
    )
    return pa.Table.from_batches([_coded(batch, edges) for batch in batches], _SCHEMA)


def _coded(batch: pa.RecordBatch, edges: np.ndarray) -> pa.RecordBatch:
    """The batch with its words as codes, which take a tenth of the memory, and the index of its week."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    words = columns["words"]
    ends = np.cumsum(pc.fill_null(pc.list_value_length(words), 0).to_numpy(), dtype=np.int32)
    columns["words"] = pa.ListArray.from_arrays(
        pa.array(np.append(np.int32(0), ends)), words.flatten().dictionary_encode()
    )
    moments = columns["published_at"].cast(pa.int64()).to_numpy()
    columns["week"] = pa.array(np.searchsorted(edges, moments, side="right") - 1, pa.int32())
    return pa.RecordBatch.from_arrays(
        [columns[field.name].cast(field.type) for field in _SCHEMA], schema=_SCHEMA
    )


def _skewed(snapshot: Snapshot, config: Config, span: Period) -> Iterator[str]:
    since = preceding_periods(span, config.topics.baseline_weeks)[0].bounds(config.timezone)[0]
    for row in snapshot.sql(_SKEWED_POSTS, {"since": since}).to_pylist():
        yield f"{row['posts']} posts of {row['source']} are dated a day or more after they were fetched, and were left out."


def _unread(snapshot: Snapshot, config: Config, span: Period) -> Iterator[str]:
    every, read = (window_counts(snapshot, config, span, read_only) for read_only in (False, True))
    for name, where in (("posts", str(span)), ("baseline_posts", f"the weeks before {span}")):
        if unread := every[name] - read[name]:
            yield f"{unread} of {every[name]} posts of {where} have not been read, and topics were not sought in them: 'folate annotate'."


def _require_annotations(snapshot: Snapshot, config: Config, span: Period) -> None:
    every, read = (
        window_counts(snapshot, config, span, read_only)["posts"] for read_only in (False, True)
    )
    if every and not read:
        raise NotFound(
            f"wanted annotated posts of {span}, got {every} that nobody has read yet: run 'folate annotate' first."
        )
