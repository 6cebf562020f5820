"""Annotation of texts in several processes, some batches ahead of the store, for large corpora."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, NamedTuple

import pyarrow as pa

from folate.core.config import Config
from nlp import annotate
from nlp.extract.brands import BrandLinker, Mention
from nlp.extract.comparisons import Comparison
from nlp.extract.segments import SegmentDetector
from nlp.text.segment import Segmenter

MIN_PARALLEL_POSTS = 20_000  # below, the processes take longer to start than they save
# Batches annotated and not yet stored: what the processes do while copies are looked for.
MAX_PENDING_BATCHES = 8
PostRows = list[dict[str, Any]]
TextBatch = tuple[PostRows, list[str]]
"""Rows of posts, and their bodies."""


class AnnotatedBatch(NamedTuple):
    """Annotations of the posts of a batch, one row or list a post."""

    texts: pa.Table
    """The columns of the table `texts` but those that say which text was annotated."""
    mentions: list[list[Mention]]
    comparisons: list[list[Comparison]]


_Tools = tuple[Segmenter, BrandLinker, SegmentDetector]
_worker_tools: list[_Tools] = []  # of a worker process


@contextmanager
def annotate_batches(
    batches: Iterator[TextBatch],
    post_count: int,
    config: Config,
) -> Iterator[Iterator[tuple[PostRows, AnnotatedBatch]]]:
    """Return the batches, each with the annotations of its bodies, in order.

    For at least `MIN_PARALLEL_POSTS` posts, processes begin with the first batches on entering the
    context.
    """
    if post_count < MIN_PARALLEL_POSTS:
        tools = _load_tools(config)
        yield ((rows, _annotate_batch(bodies, tools)) for rows, bodies in batches)
        return
    with ProcessPoolExecutor(
        os.cpu_count(), get_context("spawn"), _initialize_worker, (config,)
    ) as pool:
        pending: deque[tuple[Any, Future[Any]]] = deque()
        _submit_batches(pending, pool, batches)
        yield _collect_batches(pending, pool, batches)


def _collect_batches(
    pending: "deque[tuple[Any, Future[Any]]]",
    pool: ProcessPoolExecutor,
    batches: Iterator[TextBatch],
) -> Iterator[tuple[PostRows, AnnotatedBatch]]:
    while pending:
        rows, future = pending.popleft()
        annotations = future.result()
        _submit_batches(pending, pool, batches)
        yield rows, annotations


def _submit_batches(
    pending: "deque[tuple[Any, Future[Any]]]",
    pool: ProcessPoolExecutor,
    batches: Iterator[TextBatch],
) -> None:
    while len(pending) < MAX_PENDING_BATCHES:
        batch = next(batches, None)
        if batch is None:
            return
        pending.append((batch[0], pool.submit(_annotate_in_worker, batch[1])))


def _load_tools(config: Config) -> _Tools:
    segmenter = Segmenter(config.vocabulary)
    return segmenter, BrandLinker(config.brands), SegmentDetector(config.segments)


def _initialize_worker(config: Config) -> None:
    _worker_tools[:] = [_load_tools(config)]


def _annotate_in_worker(bodies: Sequence[str]) -> AnnotatedBatch:
    return _annotate_batch(bodies, _worker_tools[0])


def _annotate_batch(bodies: Sequence[str], tools: _Tools) -> AnnotatedBatch:
    """Annotate the bodies of posts, each distinct one once."""
    positions = {body: index for index, body in enumerate(dict.fromkeys(bodies))}
    columns = annotate.annotate_columns(list(positions), *tools)
    texts = _text_columns(columns)
    if len(positions) == len(bodies):
        return AnnotatedBatch(texts, columns.mentions, columns.comparisons)
    chosen = [positions[body] for body in bodies]
    return AnnotatedBatch(
        texts.take(chosen),
        [columns.mentions[index] for index in chosen],
        [columns.comparisons[index] for index in chosen],
    )


def _text_columns(columns: annotate.TextAnnotations) -> pa.Table:
    """Return the columns of the table `texts` that annotation fills."""
    words = columns.words
    offsets = pa.array(words.offsets, pa.int32())
    vocabulary = pa.array(words.vocabulary, pa.string())
    strings = pa.list_(pa.string())
    return pa.table(
        {
            "language": pa.array(columns.languages, pa.string()),
            "words": pa.ListArray.from_arrays(offsets, vocabulary.take(pa.array(words.numbers))),
            "starts": pa.ListArray.from_arrays(offsets, pa.array(words.starts, pa.int32())),
            "lengths": pa.ListArray.from_arrays(offsets, pa.array(words.lengths, pa.int32())),
            "hashtags": pa.array(columns.hashtags, strings),
            "segments": pa.array(columns.segments, strings),
            "exact": pa.array(columns.exact, pa.string()),
        }
    )
