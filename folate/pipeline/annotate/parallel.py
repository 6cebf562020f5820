"""Annotation of texts in several processes, some batches ahead of the store, for large corpora."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from folate.core.config import Config
from nlp import annotate
from nlp.extract.brands import BrandLinker
from nlp.extract.segments import SegmentDetector
from nlp.text.segment import Segmenter

MIN_PARALLEL_POSTS = 20_000  # below, the processes take longer to start than they save
# Batches annotated and not yet stored: what the processes do while copies are looked for.
MAX_PENDING_BATCHES = 8
TextBatch = tuple[list[dict[str, Any]], list[str]]
"""Rows of posts, and their bodies."""

_Tools = tuple[Segmenter, BrandLinker, SegmentDetector]
_worker_tools: list[_Tools] = []  # of a worker process


@contextmanager
def annotate_batches(
    batches: Iterator[TextBatch],
    post_count: int,
    config: Config,
) -> Iterator[Iterator[tuple[Any, Any]]]:
    """Return the batches, each with the annotations of its bodies, in order.

    For at least `MIN_PARALLEL_POSTS` posts, processes begin with the first batches on entering the
    context.
    """
    if post_count < MIN_PARALLEL_POSTS:
        tools = _load_tools(config)
        yield ((rows, annotate.annotate_texts(bodies, *tools)) for rows, bodies in batches)
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
) -> Iterator[tuple[Any, Any]]:
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


def _annotate_in_worker(bodies: Sequence[str]) -> list[annotate.TextAnnotation]:
    return annotate.annotate_texts(bodies, *_worker_tools[0])
