"""An end to conversations with servers that keep a connection busy: a timeout of a socket begins anew with every byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass
class Deadline:
    """Whether the time was up before the block ended."""

    expired: bool = False

    def raise_if_expired(self) -> None:
        """Raises TimeoutError when the time was up: what came until then may be half of an answer."""
        if self.expired:
            raise TimeoutError


@contextmanager
def enforce_deadline(connection: socket.socket, seconds: float) -> Iterator[Deadline]:
    """Hang up after `seconds`, when the block still runs; whatever waits for the server then ends with an error."""
    limit = Deadline()

    def hang_up() -> None:
        limit.expired = True
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(
                connection, socket.SHUT_RDWR
            )  # not that of TLS, which would go on in the clear

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield limit
    finally:
        timer.cancel()
