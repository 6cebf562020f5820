"""Progress bars on standard error, drawn with rich."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock, Timer
from time import monotonic
from typing import TYPE_CHECKING

from folate.core.progress import Progress, set_progress_display

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

DELAY = 2.0
"""Seconds until the bar of a piece of work appears."""
REDRAWS_PER_SECOND = 2


def enable_progress_bars() -> None:
    """Draw bars for all work of this thread, if standard error is a terminal."""
    set_progress_display(ProgressBars() if sys.stderr and sys.stderr.isatty() else None)


class ProgressBars:
    """Draws a bar for each piece of work that takes longer than DELAY, and erases it at the end."""

    def __init__(self) -> None:
        # started with the first bar that is shown, and stopped with the last one
        self._bars: Bars | None = None
        self._shown_tasks: set[TaskID] = set()
        self._lock = RLock()

    @contextmanager
    def track(self, description: str, total: int | None, unit: str | None) -> Iterator[Progress]:
        """Show one piece of work until the block ends; see `ProgressDisplay.track`."""
        work = _TrackedWork(self, description, total, unit)
        timer = Timer(DELAY, work.show)
        timer.daemon = True
        timer.start()
        try:
            yield work
        finally:
            timer.cancel()
            timer.join()
            work.hide()

    def add_bar(self, description: str, total: int | None, start_time: float) -> "TaskID":
        """Draw the bar of work that began at `start_time` (`time.monotonic`); return its id."""
        with self._lock:
            if self._bars is None:
                self._bars = _create_bars()
                self._bars.start()
            task = self._bars.add_task(description, total=total, count="")
            self._bars.tasks[-1].start_time = start_time
            self._shown_tasks.add(task)
            return task

    def update_bar(self, task: "TaskID", completed: int, count: str) -> None:
        """Set how many units of a task are done."""
        if self._bars is not None:
            self._bars.update(task, completed=completed, count=count)

    def remove_bar(self, task: "TaskID") -> None:
        """Erase a bar."""
        with self._lock:
            if self._bars is None:
                return
            self._bars.remove_task(task)
            self._shown_tasks.discard(task)
            if not self._shown_tasks:
                self._bars.stop()
                self._bars = None


class _TrackedWork:
    """One piece of work: how much of it is done, and its bar once it is shown."""

    def __init__(
        self, bars: ProgressBars, description: str, total: int | None, unit: str | None
    ) -> None:
        self._bars = bars
        self._description = description
        self._total = total
        self._unit = unit
        self._completed = 0
        self._start_time = monotonic()
        self._task: TaskID | None = None

    def advance(self, count: int) -> None:
        """Report that `count` more units are done."""
        self._completed += count
        self._update_bar()

    def show(self) -> None:
        """Draw the bar."""
        self._task = self._bars.add_bar(self._description, self._total, self._start_time)
        self._update_bar()

    def hide(self) -> None:
        """Erase the bar, if it was drawn."""
        if self._task is not None:
            self._bars.remove_bar(self._task)

    def _update_bar(self) -> None:
        if self._task is not None:
            count = _format_count(self._completed, self._total, self._unit)
            self._bars.update_bar(self._task, self._completed, count)


def _format_count(completed: int, total: int | None, unit: str | None) -> str:
    """Return the number of units that are done, such as "1,200/5,000 posts"."""
    if unit is None:
        return ""
    return f"{completed:,}{'' if total is None else f'/{total:,}'} {unit}s"


def _create_bars() -> "Bars":
    """Return rich's display: description, bar, count, elapsed and remaining time."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        refresh_per_second=REDRAWS_PER_SECOND,
    )
