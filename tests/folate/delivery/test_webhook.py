"""POST to a server that answers well, badly, late or never."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

import pytest

from folate.core.addresses import parse_web_address
from folate.core.errors import ConfigError
from folate.delivery.outbox import DeliveryFailed, DeliveryUnknown
from folate.delivery.webhook import MAX_ATTEMPTS, _connection, post_event, webhook_host

Nap = Callable[[float], None]


def test_json_with_the_event_as_idempotency_key(hook: Any, nap: Nap) -> None:
    message = json.dumps({"id": "e1", "text": '叶酸 "quoted"\r\nX-Evil: 1'}, ensure_ascii=False)
    post_event(hook.address, "e1", message, token="t", sleep=nap)
    ((headers, body),) = hook.requests
    assert json.loads(body)["text"].startswith("叶酸")
    assert headers["Idempotency-Key"] == "e1"
    assert headers["Authorization"] == "Bearer t"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert "X-Evil" not in headers


def test_a_server_that_asks_to_come_back_is_asked_again_with_the_same_key(hook: Any) -> None:
    hook.answers = [503, 429, 204]
    pauses: list[float] = []
    post_event(hook.address, "e", "{}", sleep=pauses.append)
    assert {headers["Idempotency-Key"] for headers, _ in hook.requests} == {"e"}
    assert len(hook.requests) == 3
    assert 1 <= pauses[0] < pauses[1] <= 2.5


@pytest.mark.parametrize(("status", "asked"), [(500, MAX_ATTEMPTS), (404, 1), (302, 1)])
def test_other_answers_than_2xx_are_failures_and_no_redirect_is_followed(
    hook: Any, nap: Nap, status: int, asked: int
) -> None:
    hook.answers = [status]
    with pytest.raises(
        DeliveryFailed, match=rf"127\.0\.0\.1:\d+ answered {status}, wanted 2xx\."
    ) as told:
        post_event(hook.address, "e", "{}", sleep=nap)
    assert len(hook.requests) == asked
    assert "secret" not in str(told.value)


def test_no_answer_after_the_message_was_sent_is_uncertain_and_not_repeated(
    hook: Any, nap: Nap
) -> None:
    hook.answers = [0]
    with pytest.raises(DeliveryUnknown, match="did not answer"):
        post_event(hook.address, "e", "{}", sleep=nap)
    assert len(hook.requests) == 1


def test_silence_ends(nap: Nap) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(DeliveryUnknown, match="it took too long"),
    ):
        post_event(
            f"http://127.0.0.1:{silent.getsockname()[1]}/", "e", "{}", sleep=nap, timeout=0.2
        )


def test_nobody_there_is_tried_again_and_then_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    pauses: list[float] = []
    with pytest.raises(DeliveryFailed, match="can't be reached: Connection refused"):
        post_event(f"http://127.0.0.1:{port}/", "e", "{}", sleep=pauses.append)
    assert len(pauses) == MAX_ATTEMPTS - 1


@pytest.mark.parametrize(
    "address", ["ftp://h/", "file:///etc/passwd", "http://", "http://[", "https://h:port/"]
)
def test_an_address_that_is_none_is_told_without_printing_it(address: str) -> None:
    with pytest.raises(ConfigError, match="wanted an http or https address") as told:
        webhook_host(address)
    assert address not in str(told.value)


@pytest.mark.parametrize("token", ["密", "a\r\nX-Evil: 1", "a b"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_repeated(
    hook: Any, nap: Nap, token: str
) -> None:
    with pytest.raises(ConfigError, match="wanted a token") as told:
        post_event(hook.address, "e", "{}", token=token, sleep=nap)
    assert token not in str(told.value)
    assert hook.requests == []


def answering(*parts: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    """A server that reads what it is sent and gives these bytes, the last again and again until it is hung up on."""

    def serve(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(65_536)
            for part in chain(parts, repeat(parts[-1])) if pause else parts:
                connection.sendall(part)
                time.sleep(pause)

    return serve


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (answering(b"not HTTP at all\r\n\r\n"), "did not answer"),
        (answering(b"HTTP/1.1 20"), "did not answer"),
        (answering(b""), "did not answer"),
        (answering(b"HTTP/1.1 103 Early Hints\r\n\r\n"), "answered 103 and no more"),
        (answering(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200), "did not answer"),
        (answering(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.01), "it took too long"),
        (answering(b"HTTP/1.1 200 O", b"K", pause=0.01), "it took too long"),
    ],
)
def test_an_answer_that_is_none_or_has_no_end_is_uncertain_and_ends(
    nap: Nap, serve: Callable[[socket.socket], None], why: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(DeliveryUnknown, match=why) as told:
            post_event(
                f"http://127.0.0.1:{listener.getsockname()[1]}/", "e", "{}", sleep=nap, timeout=0.2
            )
        thread.join()
    assert str(told.value).isprintable()


def test_an_endless_body_after_a_good_answer_is_not_waited_for(nap: Nap) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve = answering(b"HTTP/1.1 204 No Content\r\n\r\n", b"x" * 1000, pause=0.01)
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        post_event(f"http://127.0.0.1:{listener.getsockname()[1]}/", "e", "{}", sleep=nap)
        thread.join()


@pytest.mark.parametrize(
    ("address", "port"),
    [("http://[::1]/", 80), ("https://[2001:db8::8]/x", 443), ("http://[::1]:81/", 81)],
)
def test_the_end_of_an_ipv6_address_is_no_port(address: str, port: int) -> None:
    connection = _connection(parse_web_address(address), 1.0)
    assert (f"[{connection.host}]", connection.port) == (
        address.split("/")[2].rpartition("]")[0] + "]",
        port,
    )


def test_an_ipv6_address_with_a_zone_is_not_reached_and_says_so() -> None:
    with pytest.raises(DeliveryFailed):
        post_event(
            "http://[fe80::1%25no-such-zone]/", "id", "{}", sleep=lambda _: None, timeout=1.0
        )
