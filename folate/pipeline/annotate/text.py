"""Annotation of pending posts without a model: language, words, brands, comparisons and copies."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

import pyarrow as pa

from folate.core.post import post_body
from folate.core.progress import track_progress
from folate.pipeline.annotate.copies import update_duplicates
from folate.pipeline.annotate.parallel import TextBatch, annotate_batches
from folate.pipeline.project import Project
from nlp import annotate
from nlp.extract.brands import BrandLinker
from nlp.text.dictionary import dictionary_version

_TEXT_FIELDS = ("language", "words", "starts", "lengths", "hashtags", "segments", "exact")
TEXT_ANNOTATOR = "text"  # the annotator's name in the store
BATCH = 10_000  # posts in one commit a table
PostRows = list[dict[str, Any]]
Batch = TypeVar("Batch")


def text_version(project: Project) -> str:
    """Return what the annotations of a text depend on besides the text, as the store keeps it."""
    vocabulary = project.vocabulary_digest()
    return f"{annotate.ANNOTATION_VERSION}{dictionary_version()}+{vocabulary}"


def annotate_pending_texts(project: Project) -> Iterator[PostRows]:
    """Annotate the posts without annotations of this version, and store the annotations.

    Yields the rows (id, text_hash, title, text, subject) of each batch of posts once it is stored.
    Raises StoreError.
    """
    store = project.store
    config = project.config
    version = text_version(project)
    linker = BrandLinker(config.brands)
    total = store.count_pending_posts("texts", TEXT_ANNOTATOR, version)
    if not total:
        return
    pending = store.pending_posts("texts", TEXT_ANNOTATOR, version, BATCH)
    with (
        annotate_batches(_text_batches(pending), total, config) as batches,
        track_progress("reading texts", total) as progress,
    ):
        for rows, annotations in _update_duplicates_between(project, batches):
            keys = annotation_keys(rows, TEXT_ANNOTATOR, version)
            ids = [row["id"] for row in rows]
            mentions = list(_mention_rows(keys, rows, annotations, linker))
            store.upsert("mentions", mentions, complete_ids=ids)
            comparisons = list(_comparison_rows(keys, annotations))
            store.upsert("comparisons", comparisons, complete_ids=ids)
            # `texts` is last: a post counts as annotated once its row is there.
            store.upsert("texts", _text_table(keys, annotations))
            progress.advance(len(rows))
            yield rows


def _update_duplicates_between(project: Project, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches, and look for copies when the first of several is stored.

    So the first batch need not wait for the copies. They are never looked for after the last one is
    stored: a run that was cut off looks for copies again only while a text is pending.
    """
    first_batches = list(islice(batches, 2))
    yield from first_batches[:-1]
    update_duplicates(project)
    yield from chain(first_batches[-1:], batches)


def _text_batches(pending: Iterator[pa.RecordBatch]) -> Iterator[TextBatch]:
    """Yield the rows of each batch of posts, and their bodies."""
    for posts in pending:
        rows = posts.select(["id", "text_hash", "title", "text", "subject"]).to_pylist()
        yield rows, [post_body(row["title"], row["text"]) for row in rows]


def annotation_keys(
    rows: Sequence[dict[str, Any]], annotator: str, version: str
) -> list[dict[str, str]]:
    """Return for each post the columns that say which text was annotated and by what."""
    return [
        {"id": row["id"], "text_hash": row["text_hash"], "annotator": annotator, "version": version}
        for row in rows
    ]


def _text_table(
    keys: Sequence[dict[str, str]], annotations: Sequence[annotate.TextAnnotation]
) -> pa.Table:
    """Return the rows of the table `texts`.

    A table with many lists is built several times faster by column than from dictionaries.
    """
    columns: dict[str, list[Any]] = {name: [key[name] for key in keys] for name in keys[0]}
    for name in _TEXT_FIELDS:
        columns[name] = [getattr(annotation, name) for annotation in annotations]
    return pa.table(columns)


def _mention_rows(
    keys: Sequence[dict[str, str]],
    rows: Sequence[dict[str, Any]],
    annotations: Sequence[annotate.TextAnnotation],
    linker: BrandLinker,
) -> Iterator[dict[str, Any]]:
    """Yield the brands that each text names, and those that only its page is about."""
    for key, row, annotation in zip(keys, rows, annotations, strict=True):
        for mention in annotation.mentions:
            yield key | mention._asdict() | {"via": "text"}
        text_brands = {mention.brand for mention in annotation.mentions}
        page_brands = {mention.brand for mention in linker.find_mentions(row["subject"] or "")}
        for brand in sorted(page_brands - text_brands):
            yield key | {"brand": brand, "start": None, "end": None, "via": "subject"}


def _comparison_rows(
    keys: Sequence[dict[str, str]], annotations: Sequence[annotate.TextAnnotation]
) -> Iterator[dict[str, Any]]:
    for key, annotation in zip(keys, annotations, strict=True):
        for comparison in annotation.comparisons:
            yield key | comparison._asdict()
