"""A time limit for a whole exchange with a server.

The timeout of a socket is of no use for that: it starts anew with every byte that arrives.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass
class Deadline:
    """The state of a time limit: whether it passed before the exchange ended."""

    expired: bool = False

    def raise_if_expired(self) -> None:
        """Raise TimeoutError if the limit has passed: what was received may be incomplete."""
        if self.expired:
            raise TimeoutError


@contextmanager
def enforce_deadline(connection: socket.socket, seconds: float) -> Iterator[Deadline]:
    """Shut `connection` down if the block still runs after `seconds`.

    A call in the block that waits for the server then fails with an OSError.
    """
    deadline = Deadline()

    def shut_down() -> None:
        deadline.expired = True
        with suppress(OSError):  # the connection may be closed already
            # Not SSLSocket.shutdown, after which the exchange would go on without encryption.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
