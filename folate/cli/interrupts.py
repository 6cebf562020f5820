"""Ctrl-C that stops at once, also while compiled code runs."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

GRACE_SECONDS = 0.15
"""Seconds that Python has to react to Ctrl-C, and to clean up, before the process is ended."""

INTERRUPTED = 130


@contextmanager
def prompt_interrupts() -> Iterator[None]:
    """End the process soon after Ctrl-C, whatever it is doing within the block.

    Python raises KeyboardInterrupt only when the present call of compiled code returns, which may
    be seconds later. Only for blocks that can be ended anywhere without damage. Does nothing
    outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    previous = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    is_finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(receiver, is_finished), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_finished.set()
        signal.set_wakeup_fd(previous)
        # ends the wait of the watcher
        sender.close()
        watcher.join()
        receiver.close()


def _watch(receiver: socket.socket, is_finished: threading.Event) -> None:
    """Wait for the number of a signal; nothing more to read means that the block has ended."""
    while received := receiver.recv(1):
        if received[0] == signal.SIGINT and not is_finished.wait(GRACE_SECONDS):
            sys.stderr.write("folate: interrupted.\n")
            sys.stderr.flush()
            os._exit(INTERRUPTED)
