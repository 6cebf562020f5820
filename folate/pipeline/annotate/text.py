"""What needs no model is read of posts: language, words, brands, copies. Only of those that have not been read yet."""

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

TEXT_ANNOTATOR = "text"  # the annotator's name in the store
BATCH = 10_000  # posts in one commit a table
PostRows = list[dict[str, Any]]
T = TypeVar("T")


def text_version(project: Project) -> str:
    return f"{annotate.ANNOTATION_VERSION}+{project.vocabulary_digest()}"


def annotate_pending_texts(project: Project) -> Iterator[PostRows]:
    """Store language, words, hashtags, brand mentions and copies of the posts that have not been read with this vocabulary.

    Gives the rows (id, text_hash, title, text, subject) of each batch of posts as soon as it is stored. Raises StoreError.
    """
    store, config, version = project.store, project.config, text_version(project)
    total, linker = (
        store.count_pending_posts("texts", TEXT_ANNOTATOR, version),
        BrandLinker(config.brands),
    )
    if not total:
        return
    pending = store.pending_posts("texts", TEXT_ANNOTATOR, version, BATCH)
    with (
        annotate_batches(_bodies(pending), total, config.vocabulary, config.brands) as batches,
        track_progress("reading texts", total) as bar,
    ):
        for rows, readings in _seeking_copies(project, batches):
            made, ids = annotation_keys(rows, TEXT_ANNOTATOR, version), [row["id"] for row in rows]
            # last `texts`: a post counts as read once its row is there
            store.upsert(
                "mentions", list(_mention_rows(made, rows, readings, linker)), complete_ids=ids
            )
            store.upsert("comparisons", list(_comparison_rows(made, readings)), complete_ids=ids)
            store.upsert("texts", _text_table(made, readings))
            bar.advance(len(rows))
            yield rows


def _seeking_copies(project: Project, batches: Iterator[T]) -> Iterator[T]:
    """The batches; copies are sought when the first of several is stored, so that it need not wait for them.

    Never after the last one is stored: a run that was cut off seeks copies again only if a text is pending.
    """
    head = list(islice(batches, 2))
    yield from head[:-1]
    update_duplicates(project)
    yield from chain(head[-1:], batches)


def _bodies(pending: Iterator[pa.RecordBatch]) -> Iterator[TextBatch]:
    for posts in pending:
        rows = posts.select(["id", "text_hash", "title", "text", "subject"]).to_pylist()
        yield rows, [post_body(row["title"], row["text"]) for row in rows]


def annotation_keys(
    rows: Sequence[dict[str, Any]], annotator: str, version: str
) -> list[dict[str, str]]:
    """The columns that say which text an annotation is of and who made it."""
    return [
        {"id": row["id"], "text_hash": row["text_hash"], "annotator": annotator, "version": version}
        for row in rows
    ]


def _text_table(
    made: Sequence[dict[str, str]], readings: Sequence[annotate.TextAnnotation]
) -> pa.Table:
    """Rows of the table `texts`, by column: a table of many lists is made several times faster so than from dictionaries."""
    columns = {name: [key[name] for key in made] for name in made[0]}
    return pa.table(
        columns
        | {
            name: [getattr(text, name) for text in readings]
            for name in ("language", "words", "hashtags", "exact")
        }
    )


def _mention_rows(
    made: Sequence[dict[str, str]],
    rows: Sequence[dict[str, Any]],
    readings: Sequence[annotate.TextAnnotation],
    linker: BrandLinker,
) -> Iterator[dict[str, Any]]:
    """Brands that the text names, and the brand that the page is about where the text does not name it."""
    for key, row, text in zip(made, rows, readings, strict=True):
        for mention in text.mentions:
            yield key | {
                "brand": mention.brand,
                "start": mention.start,
                "end": mention.end,
                "via": "text",
            }
        named = {mention.brand for mention in text.mentions}
        about = {mention.brand for mention in linker.find_mentions(row["subject"] or "")}
        for brand in sorted(about - named):
            yield key | {"brand": brand, "start": None, "end": None, "via": "subject"}


def _comparison_rows(
    made: Sequence[dict[str, str]], readings: Sequence[annotate.TextAnnotation]
) -> Iterator[dict[str, Any]]:
    for key, text in zip(made, readings, strict=True):
        for comparison in text.comparisons:
            yield key | comparison._asdict()
