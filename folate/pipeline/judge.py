"""The model's judgements of posts, stored a batch at a time: sentiment, aspects, emotion, intent, tags."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from corpora.snapshot import Snapshot
from folate.pipeline.tags import tagger
from folate.pipeline.texts import TEXT, made_by, text_version
from folate.pipeline.workspace import Workspace
from folate.post import body
from folate.progress import progress
from nlp.attribution import brands_of, stretches
from nlp.sentiment import AspectReading, Probabilities, Reader, Reading
from nlp.sentiment.clauses import Span
from nlp.tags import Tag, Tagger

BATCH = 1_000  # posts: results land within seconds, and that much at most is read again after a kill
Mentions = dict[str, list[Span]]  # of one post: brand -> spans, none where only the page names the brand
Spoken = tuple[AspectReading, list[str]]


def read_judgements(workspace: Workspace, reader: Reader) -> int:
    """Judge the posts that this model has not; how many there were. Raises ConfigError, StoreError."""
    store, read = workspace.store, (TEXT, text_version(workspace))
    tags = tagger(workspace, reader)
    version = f"{reader.version}+{tags.version}+{read[1]}"
    total = store.count_pending("judgements", reader.name, version, after=read)
    snapshot = None
    with progress("reading judgements", total) as bar:
        for posts in store.pending("judgements", reader.name, version, BATCH, after=read):
            snapshot = snapshot or store.snapshot()  # taken after the posts were: it has the mentions of all of them
            _judge(workspace, reader, tags, version, posts, _mentions(snapshot, posts.column("id")))
            bar.update(len(posts))
    return total


def _judge(workspace: Workspace, reader: Reader, tags: Tagger, version: str, posts: pa.RecordBatch, mentions: dict[str, Mentions]) -> None:
    rows = posts.select(["id", "text_hash", "title", "text"]).to_pylist()
    ids = [row["id"] for row in rows]
    spans = [[spans for spans in mentions[id_].values() if spans] for id_ in ids]
    bodies = [body(row["title"], row["text"]) for row in rows]
    readings = reader.read(bodies, spans)
    found = tags.tags(bodies, [reading.embedding for reading in readings])
    keys = made_by(rows, reader.name, version)
    spoken = _spoken(reader, bodies, readings, [mentions[id_] for id_ in ids])
    judged = [(key, reading, mentions[key["id"]]) for key, reading in zip(keys, readings, strict=True)]
    store = workspace.store
    store.upsert("sentiments", [row for one in judged for row in _sentiments(*one)], complete=ids)
    store.upsert("aspects", [row for key, its in zip(keys, spoken, strict=True) for row in _aspects(key, its)], complete=ids)
    # last: a post counts as judged once its row is there
    store.upsert("judgements", [_judgement(key, reading, its) for (key, reading, _), its in zip(judged, found, strict=True)])


def _mentions(snapshot: Snapshot, ids: pa.Array) -> "defaultdict[str, Mentions]":
    found: defaultdict[str, Mentions] = defaultdict(dict)
    query = 'SELECT id, brand, start, "end" FROM mentions WHERE id IN (SELECT unnest($ids)) ORDER BY id, brand, start'
    for row in snapshot.sql(query, {"ids": ids.to_pylist()}).to_pylist():
        spans = found[row["id"]].setdefault(row["brand"], [])
        if row["start"] is not None:
            spans.append((row["start"], row["end"]))
    return found


def _sentiments(key: dict[str, str], reading: Reading, brands: Mentions) -> Iterator[dict[str, Any]]:
    """Of the post and of each brand in it. A brand that only the page names gets the post's own."""
    yield key | {"brand": None} | _probabilities(reading.post)
    targets = iter(reading.targets)
    for brand, spans in brands.items():
        yield key | {"brand": brand} | _probabilities(next(targets) if spans else reading.post)


def _spoken(reader: Reader, bodies: Sequence[str], readings: Sequence[Reading], mentions: Sequence[Mentions]) -> list[list[Spoken]]:
    """The aspects of each post with the brands they are about, the surest last. Where clauses speak of different brands each part
    is read by itself: an aspect may be good of one brand and bad of the other.
    """
    parts = [stretches(text, its) if sum(map(bool, its.values())) > 1 else [] for text, its in zip(bodies, mentions, strict=True)]
    asked = [(row, *part) for row, its in enumerate(parts) if len(its) > 1 for part in its]
    again = reader.read([bodies[row][slice(*span)] for row, span, _ in asked])
    found: list[list[Spoken]] = [
        [] if len(part) > 1 else [(aspect, brands_of(aspect.start, aspect.end, its)) for aspect in reading.aspects]
        for part, reading, its in zip(parts, readings, mentions, strict=True)
    ]
    for (row, (start, _), brands), reading in zip(asked, again, strict=True):
        found[row] += [(replace(one, start=one.start + start, end=one.end + start), brands) for one in reading.aspects]
    return [sorted(its, key=lambda spoken: spoken[0].confidence) for its in found]


def _aspects(key: dict[str, str], spoken: Sequence[Spoken]) -> Iterator[dict[str, Any]]:
    """Rows of the table; of two with the same key the store keeps the last."""
    for aspect, brands in spoken:
        place = {"aspect": aspect.name, "confidence": aspect.confidence, "start": aspect.start, "end": aspect.end}
        about: list[str | None] = [*brands]
        for brand in about or [None]:
            yield key | {"brand": brand} | place | _probabilities(aspect.polarity)


def _judgement(key: dict[str, str], reading: Reading, tags: Sequence[Tag]) -> dict[str, Any]:
    emotion = max(reading.emotion, key=reading.emotion.__getitem__) if reading.emotion else None
    return key | {"emotion": emotion, "tags": [tag.tag for tag in tags]} | reading.emotion | reading.intent


def _probabilities(p: Probabilities) -> dict[str, Any]:
    return {"label": p.label, "negative": p.negative, "neutral": p.neutral, "positive": p.positive}
