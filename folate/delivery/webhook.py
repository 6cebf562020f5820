"""Sends events as JSON to an HTTP or HTTPS address."""

import random
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from folate.core.addresses import is_bearer_token, parse_web_address
from folate.core.errors import ConfigError
from folate.core.text import excerpt, printable_text
from folate.delivery.deadline import Deadline, enforce_deadline
from folate.delivery.outbox import DeliveryFailed, DeliveryUnknown

if TYPE_CHECKING:  # imported when an event is sent: most commands have no webhook
    import httpx

TIMEOUT_SECONDS = 15.0  # for one operation on a connection
MAX_ATTEMPTS = 4
_FIRST_PAUSE_SECONDS = 1.0  # doubled after each attempt
_EXCHANGE_TIMEOUTS = 4  # limit for a request and its answer, in units of the timeout
_RETRY_STATUSES = (408, 425, 429)  # together with 500 and above


def post_event(
    address: str,
    event_id: str,
    message: str,
    *,
    token: str = "",
    sleep: Callable[[float], None] = time.sleep,
    timeout: float = TIMEOUT_SECONDS,
) -> None:
    """Post `message`, a JSON text, to `address` with the event's id as Idempotency-Key.

    The header is that of draft-ietf-httpapi-idempotency-key-header. `token` is sent as a bearer
    token if it is not empty; `timeout` is in seconds. Redirects are not followed, and proxies in
    the environment are not used. If the server cannot be reached or answers 408, 425, 429 or
    5xx, the event is posted up to MAX_ATTEMPTS times, with growing pauses.

    Raises ConfigError for an address or token that cannot be sent, DeliveryFailed if the server
    was not reached or did not answer 2xx, DeliveryUnknown if the event was sent and no final
    answer arrived. No error message contains the path or the query of the address.
    """
    address_parts = _parse_address(address)
    validate_token(token)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": event_id,
        "User-Agent": "Folate",
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            _post_once(address_parts, headers, message.encode(), timeout)
            return
        except _TemporaryFailure:
            if attempt == MAX_ATTEMPTS:
                raise
        # The random part spreads the retries of several senders.
        jitter = 1 + random.random() / 4  # noqa: S311
        sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * jitter)


def validate_address(address: str) -> None:
    """Raise ConfigError if `address` is no HTTP or HTTPS address; the message leaves it out."""
    _parse_address(address)


def validate_token(token: str) -> None:
    """Raise ConfigError if `token` cannot be sent in a header; the message leaves it out."""
    if token and not is_bearer_token(token):
        raise ConfigError(
            "wanted a token of the webhook in visible ASCII on one line, got other characters."
        )


class _TemporaryFailure(DeliveryFailed):
    """The event was not accepted, and a later attempt may succeed."""


class _ExchangeMonitor:
    """Follows one request by the trace events of httpcore and limits its duration.

    httpx limits each operation on a connection, not the exchange: a server that sends one byte
    at a time would keep it busy. It also does not say whether a failed request had been sent.
    """

    def __init__(self, seconds: float, exit_stack: ExitStack) -> None:
        self._seconds = seconds
        self._exit_stack = exit_stack
        self._stream: Any = None
        self.deadline = Deadline()
        self.request_started = False  # from then on, the server may have received the event

    def __call__(self, event_name: str, event_info: Mapping[str, Any]) -> None:
        if event_name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = event_info["return_value"]
        elif event_name == "http11.send_request_headers.started":
            connection = self._stream.get_extra_info("socket")
            self.deadline = self._exit_stack.enter_context(
                enforce_deadline(connection, self._seconds)
            )
            self.request_started = True


def _parse_address(address: str) -> SplitResult:
    try:
        return parse_web_address(address)
    except ValueError as error:
        raise ConfigError(
            f"wanted an http or https address as the webhook of [alerts], {error}, got another."
        ) from error


def _post_once(
    address_parts: SplitResult, headers: Mapping[str, str], body: bytes, timeout: float
) -> None:
    """Post the event once. Raises _TemporaryFailure, DeliveryFailed or DeliveryUnknown."""
    host = address_parts.netloc
    status = _request_status(address_parts, headers, body, timeout)
    if 200 <= status < 300:
        return
    problem = f"{host} answered {status}, wanted 2xx."
    if status >= 500 or status in _RETRY_STATUSES:
        raise _TemporaryFailure(problem)
    raise DeliveryFailed(problem)


def _request_status(
    address_parts: SplitResult, headers: Mapping[str, str], body: bytes, timeout: float
) -> int:
    """Send the request on a new connection and return the status of the answer.

    The body of the answer is not read. The transport is used without an httpx.Client, which
    would parse the target of a redirect and log the address.
    """
    import httpx

    host = address_parts.netloc
    with ExitStack() as exit_stack:
        monitor = _ExchangeMonitor(_EXCHANGE_TIMEOUTS * timeout, exit_stack)
        request = _build_request(address_parts, headers, body)
        request.extensions = {
            **request.extensions,
            "timeout": httpx.Timeout(timeout).as_dict(),
            "trace": monitor,
        }
        transport = exit_stack.enter_context(
            httpx.HTTPTransport(verify=ssl.create_default_context(), trust_env=False)
        )
        try:
            response = transport.handle_request(request)
            response.close()
            monitor.deadline.raise_if_expired()  # an answer cut off by us may be incomplete
        except (httpx.TransportError, OSError) as error:
            reason = "it took too long" if monitor.deadline.expired else _error_reason(error)
            if not monitor.request_started:
                raise _TemporaryFailure(f"{host} can't be reached: {reason}.") from error
            raise DeliveryUnknown(
                f"{host} did not answer after it was sent the event: {reason}."
            ) from error
    return response.status_code


def _build_request(
    address_parts: SplitResult, headers: Mapping[str, str], body: bytes
) -> "httpx.Request":
    """Create the request; its target is the path and query as they are configured."""
    import httpx

    target = address_parts.path or "/"
    if address_parts.query:
        target += f"?{address_parts.query}"
    server = f"{address_parts.scheme}://{address_parts.netloc}/"
    extensions = {"target": target.encode("ascii")}  # httpx.URL would normalize it
    return httpx.Request("POST", server, headers=headers, content=body, extensions=extensions)


def _error_reason(error: BaseException) -> str:
    """Return what the system or the server said, on one line and without control characters."""
    import httpx

    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "it took too long"
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        # httpx and httpcore wrap the error of the system, which has the reason.
        cause = cause.__cause__ or cause.__context__
    reason = getattr(cause, "strerror", None) or str(error) or type(error).__name__
    return excerpt(printable_text(" ".join(reason.split()))).rstrip(".")
