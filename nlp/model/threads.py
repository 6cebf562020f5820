"""Parallel computation of batches with torch, each batch on one thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Batch = TypeVar("Batch")
Result = TypeVar("Result")
# Batches per thread that are computed or wait for the caller: bounds memory.
_MAX_PENDING_PER_THREAD = 2


def map_in_threads(
    work: Callable[[Batch], Result], batches: Iterable[Batch], n_threads: int = 0
) -> Iterator[Result]:
    """Apply ``work`` to each batch on ``n_threads`` threads (0: as many as torch has), in order.

    Torch's own threads share each product and spin while they wait for one another, which doubled
    the CPU time on two busy cores. Here each thread computes a batch alone.
    """
    n_threads = n_threads or torch.get_num_threads()
    if n_threads == 1:
        yield from map(work, batches)
        return
    with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        pending: deque[Future[Result]] = deque()
        for batch in batches:
            pending.append(pool.submit(work, batch))
            if len(pending) > _MAX_PENDING_PER_THREAD * n_threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
