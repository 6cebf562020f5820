"""Batches side by side on several threads."""

from collections.abc import Iterator

import pytest
import torch

from nlp.model.threads import map_in_threads


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_results_come_in_order_and_each_batch_has_one_thread() -> None:
    results = list(map_in_threads(lambda batch: (batch, torch.get_num_threads()), range(40)))
    assert results == [(batch, 1) for batch in range(40)]
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_few_batches_are_drawn_ahead_of_the_caller() -> None:
    drawn: list[int] = []

    def batches() -> Iterator[int]:
        for batch in range(100):
            drawn.append(batch)
            yield batch

    next(map_in_threads(str, batches()))
    assert len(drawn) < 10


@pytest.mark.usefixtures("three_threads")
def test_an_error_of_a_batch_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_in_threads(lambda batch: 1 // batch, [2, 1, 0, 3]))


@pytest.mark.usefixtures("one_thread")
def test_with_one_thread_a_batch_is_computed_when_it_is_wanted() -> None:
    done: list[int] = []
    results = map_in_threads(done.append, [1, 2])
    assert done == []
    next(results)
    assert done == [1]
