"""A bound on the time that one page is read for: a page may be made so that reading it takes years."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MAX_PARSE_SECONDS = 60.0  # seconds of CPU; 10 MB of nothing but links, 400,000, take 25


class ParseTimeoutError(Exception):
    """A page was read for longer than the limit."""


@contextmanager
def cpu_limit(seconds: float = MAX_PARSE_SECONDS) -> Iterator[None]:
    """Raise TooSlowError when the body takes more than `seconds` of CPU time.

    Python code and regular expressions can be interrupted so, a call into another library only once it
    returns. Signals reach the main thread only: in another one there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise ParseTimeoutError(f"wanted to read a page in {seconds:g} s, it took longer.")

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
