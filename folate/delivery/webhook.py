"""Events posted as JSON to an http or https address."""

import random
import ssl
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from folate.delivery.ledger import Uncertain, Undelivered
from folate.errors import ConfigError

TIMEOUT = 15.0  # seconds, for each step of a connection
ATTEMPTS = 4
_FIRST_PAUSE = 1.0  # seconds; doubled each time
_LATER = (408, 425, 429)  # with 500 and above: the server asks to come back


def post(
    address: str, identifier: str, message: str, token: str = "", sleep: Callable[[float], None] = time.sleep, timeout: float = TIMEOUT
) -> None:  # fmt: skip
    """Post `message` (JSON) with `identifier` as Idempotency-Key (draft-ietf-httpapi-idempotency-key-header); no redirect is followed.

    A server that can't be reached or asks to come back (408, 425, 429, 5xx) is asked four times, with growing pauses. Raises
    Undelivered when it answered otherwise than 2xx or was not reached, Uncertain when no answer came after the message was sent.
    """
    for attempt in range(ATTEMPTS):
        problem, later = _once(address, identifier, message, token, timeout)
        if not problem:
            return
        if not later or attempt == ATTEMPTS - 1:
            raise Undelivered(problem)
        sleep(_FIRST_PAUSE * 2**attempt * (1 + random.random() / 4))  # noqa: S311  # many senders must not come back in step


def host(address: str) -> str:
    """What may be printed of an address: its path and query can be secrets. Raises ConfigError."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise ConfigError("wanted an http or https address as the webhook of [alerts], got one that can't be read.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("wanted an http or https address as the webhook of [alerts], got another.")
    return parts.hostname + (f":{port}" if port else "")


def _once(address: str, identifier: str, message: str, token: str, timeout: float) -> tuple[str, bool]:
    """What went wrong (nothing: empty), and whether to ask again."""
    connection = _connection(address, timeout)
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": identifier, "User-Agent": "Folate"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    parts = urlsplit(address)
    try:
        try:
            connection.connect()
        except OSError as error:
            return f"{host(address)} can't be reached: {_reason(error)}.", True
        try:
            connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), message.encode(), headers)
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            raise Uncertain(f"{host(address)} did not answer after it was sent the event: {_reason(error)}.") from error
    finally:
        connection.close()
    if 200 <= status < 300:
        return "", False
    return f"{host(address)} answered {status}, wanted 2xx.", status >= 500 or status in _LATER


def _connection(address: str, timeout: float) -> HTTPConnection:
    host(address)
    parts = urlsplit(address)
    name = str(parts.hostname)
    if parts.scheme == "https":
        return HTTPSConnection(name, parts.port, timeout=timeout, context=ssl.create_default_context())
    return HTTPConnection(name, parts.port, timeout=timeout)


def _reason(error: OSError | HTTPException) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
