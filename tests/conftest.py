"""Fixtures that tests of several packages share."""

import gc
from collections.abc import Iterator

import pytest


def pytest_unconfigure() -> None:
    """Clear the callbacks of the garbage collector.

    Hypothesis leaves one that keeps modules alive at exit, and duckdb then reports them as leaks.
    """
    gc.callbacks.clear()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Let torch use one thread: with matrices this small, a second thread only waits."""
    import torch  # most tests need none

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
