"""Progress of long work: how functions report it. What is drawn is up to the caller.

A function reports progress with `track_progress`, `track_items` or `show_elapsed_time`. Nothing is
drawn unless a program has chosen a display with `set_progress_display`, as the command line does
(`folate.cli.progress`).
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from operator import length_hint
from time import monotonic
from typing import Protocol, TypeVar

T = TypeVar("T")

ITEM_INTERVAL = 0.2
"""Seconds between two reports of `track_items`."""


class Progress(Protocol):
    """One piece of work that is being done."""

    def advance(self, count: int) -> None:
        """Report that `count` more units are done."""


class ProgressDisplay(Protocol):
    """Shows the progress of all work that is being done."""

    def track(
        self, description: str, total: int | None, unit: str | None
    ) -> AbstractContextManager[Progress]:
        """Show one piece of work until the block ends.

        `total` is its size in units, None when it is unknown. `unit` is one unit's name in the
        singular, None when only the elapsed time is shown.
        """


class _SilentProgress:
    """Progress that nobody watches."""

    def advance(self, count: int) -> None:
        pass


_SILENT = _SilentProgress()
_display: ContextVar[ProgressDisplay | None] = ContextVar("progress_display", default=None)


def set_progress_display(display: ProgressDisplay | None) -> None:
    """Show the progress of this thread's work on `display`, or nowhere when it is None."""
    _display.set(display)


def track_progress(
    description: str, total: int | None = None, unit: str | None = "post"
) -> AbstractContextManager[Progress]:
    """Return a block's progress, shown until the block ends; see `ProgressDisplay.track`."""
    display = _display.get()
    if display is None:
        return nullcontext(_SILENT)
    return display.track(description, total, unit)


def track_items(
    items: Iterable[T], description: str, total: int | None = None, unit: str = "post"
) -> Iterable[T]:
    """Return the items, reporting how many were taken, out of `total` or of their length."""
    if _display.get() is None:
        return items
    return _report_items(items, description, total or length_hint(items) or None, unit)


def _report_items(
    items: Iterable[T], description: str, total: int | None, unit: str
) -> Iterator[T]:
    """Yield the items, and report their number no more often than ITEM_INTERVAL."""
    with track_progress(description, total, unit) as progress:
        unreported = 0
        last_report = monotonic()
        for item in items:
            yield item
            unreported += 1
            if monotonic() - last_report > ITEM_INTERVAL:
                progress.advance(unreported)
                unreported = 0
                last_report = monotonic()


@contextmanager
def show_elapsed_time(description: str) -> Iterator[None]:
    """Show for how long the block has been running, where its end can't be foreseen."""
    with track_progress(description, unit=None):
        yield
