"""Annotation of pending posts without a model: language, words, brands, comparisons and copies."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, TypeVar

import pyarrow as pa

from folate.core.post import post_body
from folate.core.progress import track_progress
from folate.pipeline.annotate.copies import update_duplicates
from folate.pipeline.annotate.parallel import PostRows as PostRows
from folate.pipeline.annotate.parallel import TextBatch, annotate_batches
from folate.pipeline.project import Project
from nlp import annotate
from nlp.extract.brands import BrandLinker, Mention
from nlp.extract.comparisons import Comparison

TEXT_ANNOTATOR = "text"  # the annotator's name in the store
BATCH = 10_000  # posts in one commit a table
_MAX_CACHED_SUBJECTS = 10_000
Batch = TypeVar("Batch")


def text_version(project: Project) -> str:
    """Return what the annotations of a text depend on besides the text, as the store keeps it."""
    vocabulary = project.vocabulary_digest()
    return f"{annotate.ANNOTATION_VERSION}+{vocabulary}"


def annotate_pending_texts(project: Project) -> Iterator[PostRows]:
    """Annotate the posts without annotations of this version, and store the annotations.

    Yields the rows (id, text_hash, title, text, subject) of each batch of posts once it is stored.
    Raises StoreError.
    """
    store = project.store
    config = project.config
    version = text_version(project)
    find_page_brands = _page_brand_finder(BrandLinker(config.brands))
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
            page_brands = [find_page_brands(row["subject"]) for row in rows]
            mentions = list(_mention_rows(keys, annotations.mentions, page_brands))
            store.upsert("mentions", mentions, complete_ids=ids)
            comparisons = list(_comparison_rows(keys, annotations.comparisons))
            store.upsert("comparisons", comparisons, complete_ids=ids)
            # `texts` is last: a post counts as annotated once its row is there.
            store.upsert("texts", _text_table(keys, annotations.texts))
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


def _text_table(keys: Sequence[dict[str, str]], texts: pa.Table) -> pa.Table:
    """Return the rows of the table `texts`."""
    columns = {name: pa.array([key[name] for key in keys], pa.string()) for name in keys[0]}
    return pa.table(columns | {name: texts[name] for name in texts.column_names})


def _page_brand_finder(linker: BrandLinker) -> Callable[[str | None], frozenset[str]]:
    """Return a function for the brands that the subject of a page names."""

    @lru_cache(maxsize=_MAX_CACHED_SUBJECTS)
    def find_page_brands(subject: str | None) -> frozenset[str]:
        return frozenset(mention.brand for mention in linker.find_mentions(subject or ""))

    return find_page_brands


def _mention_rows(
    keys: Sequence[dict[str, str]],
    mentions_by_post: Sequence[Sequence[Mention]],
    page_brands_by_post: Sequence[frozenset[str]],
) -> Iterator[dict[str, Any]]:
    """Yield the brands that each text names, and those that only its page is about."""
    for key, mentions, page_brands in zip(keys, mentions_by_post, page_brands_by_post, strict=True):
        for mention in mentions:
            yield key | mention._asdict() | {"via": "text"}
        for brand in sorted(page_brands - {mention.brand for mention in mentions}):
            yield key | {"brand": brand, "start": None, "end": None, "via": "subject"}


def _comparison_rows(
    keys: Sequence[dict[str, str]], comparisons_by_post: Sequence[Sequence[Comparison]]
) -> Iterator[dict[str, Any]]:
    for key, comparisons in zip(keys, comparisons_by_post, strict=True):
        for comparison in comparisons:
            yield key | comparison._asdict()
