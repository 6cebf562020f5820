"""Events posted as JSON to an http or https address."""

import random
import ssl
import time
from collections.abc import Callable
from http.client import HTTP_PORT, HTTPS_PORT, HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult

from folate.core.addresses import is_bearer_token, parse_web_address
from folate.core.errors import ConfigError
from folate.core.text import excerpt, printable_text
from folate.delivery.deadline import enforce_deadline
from folate.delivery.outbox import DeliveryFailed, DeliveryUnknown

TIMEOUT_SECONDS = 15.0  # seconds, for each step of a connection
MAX_ATTEMPTS = 4
_FIRST_PAUSE = 1.0  # seconds; doubled each time
_STEPS = 4  # timeouts that a server may take for its whole answer
_LATER = (408, 425, 429)  # with 500 and above: the server asks to come back


def post_event(
    address: str, event_id: str, message: str, token: str = "", sleep: Callable[[float], None] = time.sleep, timeout: float = TIMEOUT_SECONDS
) -> None:  # fmt: skip
    """Post `message` (JSON) with `identifier` as Idempotency-Key (draft-ietf-httpapi-idempotency-key-header); no redirect is followed.

    A server that can't be reached or asks to come back (408, 425, 429, 5xx) is asked four times, with growing pauses. Raises
    ConfigError for an address or token that can't be sent, Undelivered when the server answered otherwise than 2xx or was not reached,
    Uncertain when no final answer came after the message was sent.
    """
    parts = _parts(address)
    validate_token(token)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": event_id,
        "User-Agent": "Folate",
    }
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    for attempt in range(MAX_ATTEMPTS):
        problem, later = _once(parts, headers, message.encode(), timeout)
        if not problem:
            return
        if not later or attempt == MAX_ATTEMPTS - 1:
            raise DeliveryFailed(problem)
        sleep(_FIRST_PAUSE * 2**attempt * (1 + random.random() / 4))  # noqa: S311  # many senders must not come back in step


def webhook_host(address: str) -> str:
    """What may be printed of an address: its path and query can be secrets. Raises ConfigError."""
    return _parts(address).netloc


def validate_token(token: str) -> None:
    """Raises ConfigError for a bearer token that can't stand in a header; the message leaves it out."""
    if token and not is_bearer_token(token):
        raise ConfigError(
            "wanted a token of the webhook in visible ASCII on one line, got other characters."
        )


def _parts(address: str) -> SplitResult:
    try:
        return parse_web_address(address)
    except ValueError as error:
        raise ConfigError(
            f"wanted an http or https address as the webhook of [alerts], {error}, got another."
        ) from error


def _once(
    parts: SplitResult, headers: dict[str, str], body: bytes, timeout: float
) -> tuple[str, bool]:
    """What went wrong (nothing: empty), and whether to ask again."""
    connection = _connection(parts, timeout)
    try:
        try:
            connection.connect()
        except OSError as error:
            return f"{parts.netloc} can't be reached: {_reason(error)}.", True
        status = _answer(connection, parts, headers, body, _STEPS * timeout)
    finally:
        connection.close()
    if 200 <= status < 300:
        return "", False
    return f"{parts.netloc} answered {status}, wanted 2xx.", status >= 500 or status in _LATER


def _answer(
    connection: HTTPConnection,
    parts: SplitResult,
    headers: dict[str, str],
    body: bytes,
    longest: float,
) -> int:
    """The status of the answer; its body is not read. Nothing leaves before the last header is in place. Raises Uncertain."""
    connection.putrequest("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    for name, value in (headers | {"Content-Length": str(len(body))}).items():
        connection.putheader(name, value)
    with enforce_deadline(connection.sock, longest) as limit:
        try:
            connection.endheaders(body)
            status = connection.getresponse().status
            limit.raise_if_expired()  # what we cut off ourselves is no answer
        except (OSError, HTTPException) as error:
            why = "it took too long" if limit.expired else _reason(error)
            raise DeliveryUnknown(
                f"{parts.netloc} did not answer after it was sent the event: {why}."
            ) from error
    if status < 200:
        raise DeliveryUnknown(
            f"{parts.netloc} answered {status} and no more after it was sent the event."
        )
    return status


def _connection(parts: SplitResult, timeout: float) -> HTTPConnection:
    """A connection that is not open yet. Without a port http.client would take the end of an IPv6 address for one."""
    name = str(parts.hostname)
    if parts.scheme == "https":
        return HTTPSConnection(
            name, parts.port or HTTPS_PORT, timeout=timeout, context=ssl.create_default_context()
        )
    return HTTPConnection(name, parts.port or HTTP_PORT, timeout=timeout)


def _reason(error: OSError | HTTPException) -> str:
    """What the system said, on one line: a server's words in it are as hostile as any text from a network."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return excerpt(printable_text(" ".join(said.split()))).rstrip(".")
