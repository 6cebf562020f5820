"""Posts are read: what needs no model first, then duplicates, then sentiment. Each step does only what is missing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from corpora.snapshot import Snapshot
from folate.pipeline.ahead import Batch, reading
from folate.pipeline.workspace import Workspace
from folate.post import body
from folate.progress import progress, waiting
from nlp import texts
from nlp.brands import Linker
from nlp.duplicates import clusters
from nlp.sentiment import Probabilities, Reader, Reading, load

TEXT = "text"  # the annotator's name in the store
SENTIMENT_BATCH = 1_000  # posts: results land within seconds, and that much at most is read again after a kill
Span = tuple[int, int]


def annotate(workspace: Workspace, sentiment: bool = True) -> dict[str, int]:
    """Read all that has not been read with this vocabulary and model. Returns how many rows each step wrote."""
    done = read_texts(workspace)
    if sentiment:
        done["sentiments"] = read_sentiments(workspace, load(workspace.config.nlp.model, workspace.config.nlp.threads))
    return done


def text_version(workspace: Workspace) -> str:
    return f"{texts.VERSION}+{workspace.vocabulary_digest()}"


def read_texts(workspace: Workspace) -> dict[str, int]:
    """Language, words, hashtags, brand mentions and copies of the posts that have not been read with this vocabulary."""
    store, config, version = workspace.store, workspace.config, text_version(workspace)
    total, linker = store.count_pending("texts", TEXT, version), Linker(config.brands)
    if not total:
        return {"texts": 0}
    with reading(_bodies(store.pending("texts", TEXT, version)), total, config.vocabulary, config.brands) as batches:
        copies = find_copies(workspace)  # before any text is stored: while one is pending, copies are sought again
        with progress("reading texts", total) as bar:
            for rows, readings in batches:
                made, ids = _made(rows, TEXT, version), [row["id"] for row in rows]
                # mentions first: a post counts as read once its row in `texts` is there
                store.upsert("mentions", list(_mention_rows(made, rows, readings, linker)), complete=ids)
                store.upsert("texts", _text_table(made, readings))
                bar.update(len(rows))
    return {"copies": copies, "texts": total}


def _bodies(pending: Iterator[pa.RecordBatch]) -> Iterator[Batch]:
    for posts in pending:
        rows = posts.select(["id", "text_hash", "title", "text", "subject"]).to_pylist()
        yield rows, [body(row["title"], row["text"]) for row in rows]


def _made(rows: Sequence[dict[str, Any]], annotator: str, version: str) -> list[dict[str, str]]:
    """The columns that say which text an annotation is of and who made it."""
    return [{"id": row["id"], "text_hash": row["text_hash"], "annotator": annotator, "version": version} for row in rows]


def _text_table(made: Sequence[dict[str, str]], readings: Sequence[texts.TextReading]) -> pa.Table:
    """Rows of the table `texts`, by column: a table of many lists is made several times faster so than from dictionaries."""
    columns = {name: [key[name] for key in made] for name in made[0]}
    return pa.table(columns | {name: [getattr(text, name) for text in readings] for name in ("language", "words", "hashtags", "exact")})


def _mention_rows(
    made: Sequence[dict[str, str]], rows: Sequence[dict[str, Any]], readings: Sequence[texts.TextReading], linker: Linker
) -> Iterator[dict[str, Any]]:
    """Brands that the text names, and the brand that the page is about where the text does not name it."""
    for key, row, text in zip(made, rows, readings, strict=True):
        for mention in text.mentions:
            yield key | {"brand": mention.brand, "start": mention.start, "end": mention.end, "via": "text"}
        named = {mention.brand for mention in text.mentions}
        about = {mention.brand for mention in linker.find(row["subject"] or "")}
        for brand in sorted(about - named):
            yield key | {"brand": brand, "start": None, "end": None, "via": "subject"}


def find_copies(workspace: Workspace) -> int:
    """Cluster exact and near duplicates over the whole corpus: a new post may copy an old one, or be older than its copies."""
    snapshot = workspace.store.snapshot()
    posts = snapshot.sql("SELECT id, title, text, published_at FROM posts ORDER BY id").to_pylist()
    bodies = [body(post["title"], post["text"]) for post in posts]
    with waiting("seeking copies"):
        copies = clusters([post["id"] for post in posts], bodies, [post["published_at"] for post in posts])
    rows = [{"id": id_, "cluster": cluster, "similarity": similarity} for id_, cluster, similarity in copies]
    workspace.store.replace("duplicates", rows, {})
    return len(rows)


def read_sentiments(workspace: Workspace, reader: Reader) -> int:
    """Sentiment of each post and of each brand in it. A brand the page is about gets the post's own sentiment."""
    store, read = workspace.store, (TEXT, text_version(workspace))
    version = f"{reader.version}+{read[1]}"
    total = store.count_pending("sentiments", reader.name, version, after=read)
    snapshot = None
    with progress("reading sentiment", total) as bar:
        for posts in store.pending("sentiments", reader.name, version, SENTIMENT_BATCH, after=read):
            snapshot = snapshot or store.snapshot()  # taken after the posts were: it has the mentions of all of them
            rows = posts.select(["id", "text_hash", "title", "text"]).to_pylist()
            mentions = _mentions(snapshot, posts.column("id"))
            spans = [[spans for spans in mentions[row["id"]].values() if spans] for row in rows]
            readings = reader.read([body(row["title"], row["text"]) for row in rows], spans)
            made = _made(rows, reader.name, version)
            sentiments = [s for key, r in zip(made, readings, strict=True) for s in _sentiment_rows(key, r, mentions[key["id"]])]
            store.upsert("sentiments", sentiments, complete=[row["id"] for row in rows])
            bar.update(len(rows))
    return total


def _mentions(snapshot: Snapshot, ids: pa.Array) -> "defaultdict[str, dict[str, list[Span]]]":
    """post id -> brand -> spans; no span when only the page names the brand."""
    found: defaultdict[str, dict[str, list[Span]]] = defaultdict(dict)
    query = 'SELECT id, brand, start, "end" FROM mentions WHERE id IN (SELECT unnest($ids)) ORDER BY id, brand, start'
    for row in snapshot.sql(query, {"ids": ids.to_pylist()}).to_pylist():
        spans = found[row["id"]].setdefault(row["brand"], [])
        if row["start"] is not None:
            spans.append((row["start"], row["end"]))
    return found


def _sentiment_rows(key: dict[str, str], reading: Reading, brands: dict[str, list[Span]]) -> Iterator[dict[str, Any]]:
    yield key | {"brand": None} | _probabilities(reading.post)
    targets = iter(reading.targets)
    for brand, spans in brands.items():
        yield key | {"brand": brand} | _probabilities(next(targets) if spans else reading.post)


def _probabilities(p: Probabilities) -> dict[str, Any]:
    return {"label": p.label, "negative": p.negative, "neutral": p.neutral, "positive": p.positive}
