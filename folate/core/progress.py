"""Progress bars, on standard error, for whatever takes more than two seconds."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from tqdm import tqdm


def progress_bar(
    description: str,
    total: int | None = None,
    unit: str = "post",
    items: Iterable[Any] | None = None,
) -> "tqdm[Any]":
    """A bar that appears after two seconds and leaves no trace when standard error is not a terminal."""
    return tqdm(
        items,
        desc=description,
        total=total,
        unit=f" {unit}",
        delay=2,
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        dynamic_ncols=True,
        leave=False,
        mininterval=0.5,
    )


@contextmanager
def show_elapsed_time(description: str) -> Iterator[None]:
    """Says what is being done and for how long: for work of more than two seconds whose end can't be foreseen."""
    done = Event()
    with tqdm(
        desc=description,
        delay=2,
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        leave=False,
        bar_format="{desc}: {elapsed}",
    ) as bar:

        def tick() -> None:
            while not done.wait(0.5):
                bar.update()

        ticker = Thread(target=tick, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            done.set()
            ticker.join()
