"""Finding the emerging topics of a week or of seven days, and storing them."""

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
"""Texts -> sentence vectors."""

# Posts per batch that are in memory with their words as strings.
BATCH = 50_000
WINDOW_QUERY = f"""
    SELECT p.id, p.author, p.source, p.published_at, t.language, t.words, t.hashtags,
           coalesce(d.cluster, p.id) AS cluster, coalesce(m.brands, []) AS brands
    FROM posts p
    JOIN texts t USING (id)
    LEFT JOIN duplicates d USING (id)
    LEFT JOIN (
        SELECT id, list(DISTINCT brand ORDER BY brand) AS brands FROM mentions GROUP BY id
    ) m USING (id)
    WHERE p.published_at >= $since AND p.published_at < $until AND NOT {FUTURE_DATED_CONDITION}
"""
_FUTURE_DATED_QUERY = f"""
    SELECT p.source, count(*) AS posts
    FROM posts p
    WHERE p.published_at >= $since AND {FUTURE_DATED_CONDITION}
    GROUP BY ALL ORDER BY ALL
"""
_WINDOW_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "author": pa.string(),
        "source": pa.string(),
        "published_at": pa.timestamp("us", tz="UTC"),
        "language": pa.string(),
        "words": pa.list_(pa.dictionary(pa.int32(), pa.string())),
        "hashtags": pa.list_(pa.string()),
        "cluster": pa.string(),
        "brands": pa.list_(pa.string()),
        "week": pa.int32(),
    }
)


def find_topics(project: Project, period: Period) -> Discovery:
    """Find the topics of a period, give them the ids of earlier ones, and store them.

    The table `searches` records in which posts topics were searched, also when none was found.
    Raises NotFound when the period has posts and none of them has been annotated.
    """
    snapshot = project.store.snapshot()
    config = project.config
    with show_elapsed_time("seeking topics"):
        window = load_window(snapshot, config, period)
        if config.topics.baseline_weeks not in pc.unique(window["week"]).to_pylist():
            _require_annotations(snapshot, config, period)
        previous_topics, overlapping_topics = load_earlier_topics(snapshot, period)
        discovery = discover_topics(
            window,
            period,
            config.topics,
            config.watch,
            config.brands,
            embed=_lazy_embedder(config),
            previous_topics=previous_topics,
            overlapping_topics=overlapping_topics,
            find_segments=SegmentDetector(config.segments).find_segments,
            fetch_texts=_text_fetcher(snapshot),
        )
        discovery = replace(
            discovery,
            notes=(
                *discovery.notes,
                *_future_dated_notes(snapshot, config, period),
                *_unannotated_notes(snapshot, config, period),
            ),
            topics=rank_topics(add_context(discovery, snapshot, config, period)),
        )
    topic_rows = [topic.to_row() for topic in discovery.topics]
    project.store.replace("topics", topic_rows, {"week": str(period)})
    # Last, because it says that the topics of the period are stored, even if there are none.
    search_row = _search_row(snapshot, config, period, window, discovery)
    project.store.replace("searches", [search_row], {"week": str(period)})
    return discovery


def _search_row(
    snapshot: Snapshot, config: Config, period: Period, window: pa.Table, discovery: Discovery
) -> dict[str, Any]:
    """Return the row of the table `searches`, which tells "none found" from "not searched"."""
    weeks = pc.unique(window["week"]).to_pylist()
    baseline_weeks = [week for week in weeks if week < config.topics.baseline_weeks]
    return window_counts(snapshot, config, period, exclude_unread=True) | {
        "week": str(period),
        "baseline_weeks": len(baseline_weeks),
        "least_weeks": MIN_BASELINE_WEEKS,
        "wanted_weeks": config.topics.baseline_weeks,
        "topics": len(discovery.topics),
        "settings": settings_digest(config),
        "versions": json.dumps(snapshot.versions, sort_keys=True),
        "notes": list(discovery.notes),
    }


def _lazy_embedder(config: Config) -> EmbedTexts:
    """Return an encoder of texts whose model is loaded at the first call."""

    @cache
    def reader() -> Reader:
        return load_reader(config.nlp.model, config.nlp.threads)

    return lambda texts: reader().embed(texts)


def _text_fetcher(snapshot: Snapshot) -> Callable[[list[str]], list[str]]:
    """Return a function that fetches the texts of posts by id, in the order of the ids."""

    def fetch_texts(ids: list[str]) -> list[str]:
        rows = snapshot.sql(
            "SELECT id, title, text FROM posts WHERE id IN (SELECT unnest($ids))", {"ids": ids}
        ).to_pylist()
        text_by_id = {row["id"]: post_body(row["title"], row["text"]) for row in rows}
        return [text_by_id[post_id] for post_id in ids]

    return fetch_texts


def load_window(snapshot: Snapshot, config: Config, period: Period) -> pa.Table:
    """Load the posts of a period and of its baseline weeks, with a column `week`.

    `week` counts from 0, the oldest week of the baseline.
    """
    periods = [*preceding_periods(period, config.topics.baseline_weeks), period]
    starts = [period.bounds(config.timezone)[0] for period in periods]
    start_microseconds = np.array([int(start.timestamp() * 1e6) for start in starts])
    end = period.bounds(config.timezone)[1]
    batches = snapshot.stream(WINDOW_QUERY, {"since": starts[0], "until": end}, BATCH)
    return pa.Table.from_batches(
        [_encode_batch(batch, start_microseconds) for batch in batches], _WINDOW_SCHEMA
    )


def _encode_batch(batch: pa.RecordBatch, week_starts: np.ndarray) -> pa.RecordBatch:
    """Encode the words as dictionary codes, a tenth of the memory, and add the week's index.

    `week_starts` are in microseconds since 1970.
    """
    columns = {name: batch.column(name) for name in batch.schema.names}
    words = columns["words"]
    ends = np.cumsum(pc.fill_null(pc.list_value_length(words), 0).to_numpy(), dtype=np.int32)
    offsets = pa.array(np.append(np.int32(0), ends))
    columns["words"] = pa.ListArray.from_arrays(offsets, words.flatten().dictionary_encode())
    times = columns["published_at"].cast(pa.int64()).to_numpy()
    columns["week"] = pa.array(np.searchsorted(week_starts, times, side="right") - 1, pa.int32())
    return pa.RecordBatch.from_arrays(
        [columns[field.name].cast(field.type) for field in _WINDOW_SCHEMA], schema=_WINDOW_SCHEMA
    )


def _future_dated_notes(snapshot: Snapshot, config: Config, period: Period) -> Iterator[str]:
    """Yield, by source, how many posts are dated after they were fetched."""
    oldest = preceding_periods(period, config.topics.baseline_weeks)[0]
    since = oldest.bounds(config.timezone)[0]
    for row in snapshot.sql(_FUTURE_DATED_QUERY, {"since": since}).to_pylist():
        yield (
            f"{row['posts']} posts of {row['source']} are dated a day or more after they were "
            "fetched, and were left out."
        )


def _unannotated_notes(snapshot: Snapshot, config: Config, period: Period) -> Iterator[str]:
    """Yield how many posts of the period and of its baseline have not been annotated."""
    total = window_counts(snapshot, config, period, exclude_unread=False)
    annotated = window_counts(snapshot, config, period, exclude_unread=True)
    for name, where in (("posts", str(period)), ("baseline_posts", f"the weeks before {period}")):
        unannotated = total[name] - annotated[name]
        if unannotated:
            yield (
                f"{unannotated} of {total[name]} posts of {where} have not been read, "
                "and topics were not sought in them: 'folate annotate'."
            )


def _require_annotations(snapshot: Snapshot, config: Config, period: Period) -> None:
    """Raise NotFound when the period has posts and none of them has been annotated."""
    total = window_counts(snapshot, config, period, exclude_unread=False)["posts"]
    annotated = window_counts(snapshot, config, period, exclude_unread=True)["posts"]
    if total and not annotated:
        raise NotFound(
            f"wanted annotated posts of {period}, got {total} that nobody has read yet: "
            "run 'folate annotate' first."
        )
