"""Progress: reported by functions, drawn by the command line only."""

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from folate.cli import progress as bars
from folate.cli.progress import ProgressBars, enable_progress_bars
from folate.core import progress
from folate.core.progress import (
    Progress,
    set_progress_display,
    show_elapsed_time,
    track_items,
    track_progress,
)


class Recorder:
    """A display that remembers what was reported."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    @contextmanager
    def track(self, description: str, total: int | None, unit: str | None) -> Iterator[Progress]:
        self.events.append((description, total, unit))
        yield self
        self.events.append((description, "ended"))

    def advance(self, count: int) -> None:
        self.events.append((count,))


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    display = Recorder()
    set_progress_display(display)
    yield display
    set_progress_display(None)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """A stream that calls itself a terminal; pytest resets standard error before each test."""
    stderr = io.StringIO()
    stderr.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    yield stderr
    set_progress_display(None)


def test_without_a_display_the_items_are_handed_on_as_they_are() -> None:
    items = [1, 2, 3]
    assert track_items(items, "reading") is items
    with track_progress("reading", 3) as work:
        work.advance(3)


def test_work_and_items_are_reported(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "ITEM_INTERVAL", -1)
    with track_progress("reading", 30) as work:
        work.advance(10)
    assert list(track_items("ab", "parsing", unit="row")) == ["a", "b"]
    with show_elapsed_time("seeking"):
        pass
    assert recorder.events == [
        ("reading", 30, "post"), (10,), ("reading", "ended"),
        ("parsing", 2, "row"), (1,), (1,), ("parsing", "ended"),
        ("seeking", None, None), ("seeking", "ended"),
    ]  # fmt: skip


def test_quick_items_are_not_reported_one_by_one(recorder: Recorder) -> None:
    assert len(list(track_items(range(10_000), "reading"))) == 10_000
    assert len(recorder.events) < 100


def test_quick_work_leaves_no_trace_on_a_terminal(
    terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    enable_progress_bars()
    with track_progress("reading", 2) as work:
        work.advance(2)
    assert terminal.getvalue() == ""


def test_slow_work_has_a_bar_on_a_terminal_that_is_erased(
    terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(bars, "DELAY", 0)
    enable_progress_bars()
    with track_progress("reading", 2_000) as work, show_elapsed_time("seeking"):
        for _ in range(200):
            if "seeking" in terminal.getvalue() and "/2,000 posts" in terminal.getvalue():
                break
            work.advance(1)
            time.sleep(0.05)
    assert "/2,000 posts" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K\x1b[?25h\r")  # lines erased, cursor back


def test_there_are_no_bars_where_standard_error_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bars, "DELAY", 0)
    monkeypatch.setattr(ProgressBars, "track", None)
    enable_progress_bars()
    with show_elapsed_time("seeking"):
        pass
    assert capsys.readouterr().err == ""
