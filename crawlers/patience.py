"""A limit on the CPU time of parsing one page: a hostile page may take years to parse."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MAX_PARSE_SECONDS = 60.0  # of CPU time; 10 MB of 400,000 links take 25


class ParseTimeoutError(Exception):
    """Parsing a page took longer than the limit."""


@contextmanager
def cpu_limit(seconds: float = MAX_PARSE_SECONDS) -> Iterator[None]:
    """Raise ParseTimeoutError when the block takes more than `seconds` of CPU time.

    Python code and regular expressions are interrupted, a call into another library only when it
    returns. Signals reach the main thread only: in another thread there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise ParseTimeoutError(f"wanted to read a page in {seconds:g} s, it took longer.")

    previous_handler = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous_handler)
