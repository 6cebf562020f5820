"""Texts are read in processes of their own, some batches ahead of the store, where a corpus is large enough to be worth it."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from folate.core.config import Brand
from nlp import annotate
from nlp.extract.brands import BrandLinker
from nlp.text.segment import Segmenter

MIN_PARALLEL_POSTS = 20_000  # posts: below, the processes take longer to start than they save
MAX_PENDING_BATCHES = (
    8  # batches read and waiting to be stored: what the processes can read while copies are sought
)
TextBatch = tuple[list[dict[str, Any]], list[str]]  # rows of posts, and their bodies

_equipment: list[Any] = []  # of a process of its own: its segmenter and linker, made once


@contextmanager
def annotate_batches(
    batches: Iterator[TextBatch],
    post_count: int,
    vocabulary: Sequence[str],
    brands: Sequence[Brand],
) -> Iterator[Iterator[tuple[Any, Any]]]:
    """The batches, each with the readings of its bodies, in order. For many posts the first ones are being read from here on."""
    if post_count < MIN_PARALLEL_POSTS:
        segmenter, linker = Segmenter(vocabulary), BrandLinker(brands)
        yield (
            (rows, annotate.annotate_texts(bodies, segmenter, linker)) for rows, bodies in batches
        )
        return
    with ProcessPoolExecutor(
        os.cpu_count(), get_context("spawn"), _equip, (list(vocabulary), list(brands))
    ) as pool:
        waiting: deque[tuple[Any, Future[Any]]] = deque()
        _fill(waiting, pool, batches)
        yield _drain(waiting, pool, batches)


def _drain(
    waiting: "deque[tuple[Any, Future[Any]]]",
    pool: ProcessPoolExecutor,
    batches: Iterator[TextBatch],
) -> Iterator[tuple[Any, Any]]:
    while waiting:
        rows, future = waiting.popleft()
        readings = future.result()
        _fill(waiting, pool, batches)
        yield rows, readings


def _fill(
    waiting: "deque[tuple[Any, Future[Any]]]",
    pool: ProcessPoolExecutor,
    batches: Iterator[TextBatch],
) -> None:
    while len(waiting) < MAX_PENDING_BATCHES:
        batch = next(batches, None)
        if batch is None:
            return
        waiting.append((batch[0], pool.submit(_annotate, batch[1])))


def _equip(words: Sequence[str], brands: Sequence[Brand]) -> None:
    _equipment[:] = [Segmenter(words), BrandLinker(brands)]


def _annotate(bodies: Sequence[str]) -> list[annotate.TextAnnotation]:
    return annotate.annotate_texts(bodies, *_equipment)
