"""POST to a server that answers well, badly, late or never."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from folate.delivery.ledger import Uncertain, Undelivered
from folate.delivery.webhook import ATTEMPTS, host, post
from folate.errors import ConfigError

Nap = Callable[[float], None]


def test_json_with_the_event_as_idempotency_key(hook: Any, nap: Nap) -> None:
    message = json.dumps({"id": "e1", "text": '叶酸 "quoted"\r\nX-Evil: 1'}, ensure_ascii=False)
    post(hook.address, "e1", message, token="t", sleep=nap)
    ((headers, body),) = hook.requests
    assert json.loads(body)["text"].startswith("叶酸")
    assert headers["Idempotency-Key"] == "e1"
    assert headers["Authorization"] == "Bearer t"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert "X-Evil" not in headers


def test_a_server_that_asks_to_come_back_is_asked_again_with_the_same_key(hook: Any) -> None:
    hook.answers = [503, 429, 204]
    pauses: list[float] = []
    post(hook.address, "e", "{}", sleep=pauses.append)
    assert {headers["Idempotency-Key"] for headers, _ in hook.requests} == {"e"}
    assert len(hook.requests) == 3
    assert 1 <= pauses[0] < pauses[1] <= 2.5


@pytest.mark.parametrize(("status", "asked"), [(500, ATTEMPTS), (404, 1), (302, 1)])
def test_other_answers_than_2xx_are_failures_and_no_redirect_is_followed(hook: Any, nap: Nap, status: int, asked: int) -> None:
    hook.answers = [status]
    with pytest.raises(Undelivered, match=rf"127\.0\.0\.1:\d+ answered {status}, wanted 2xx\.") as told:
        post(hook.address, "e", "{}", sleep=nap)
    assert len(hook.requests) == asked
    assert "secret" not in str(told.value)


def test_no_answer_after_the_message_was_sent_is_uncertain_and_not_repeated(hook: Any, nap: Nap) -> None:
    hook.answers = [0]
    with pytest.raises(Uncertain, match="did not answer"):
        post(hook.address, "e", "{}", sleep=nap)
    assert len(hook.requests) == 1


def test_silence_ends(nap: Nap) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Uncertain, match="it took too long"):
        post(f"http://127.0.0.1:{silent.getsockname()[1]}/", "e", "{}", sleep=nap, timeout=0.2)


def test_nobody_there_is_tried_again_and_then_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    pauses: list[float] = []
    with pytest.raises(Undelivered, match="can't be reached: Connection refused"):
        post(f"http://127.0.0.1:{port}/", "e", "{}", sleep=pauses.append)
    assert len(pauses) == ATTEMPTS - 1


@pytest.mark.parametrize("address", ["ftp://h/", "file:///etc/passwd", "http://", "http://[", "https://h:port/"])
def test_an_address_that_is_none_is_told_without_printing_it(address: str) -> None:
    with pytest.raises(ConfigError, match="wanted an http or https address") as told:
        host(address)
    assert address not in str(told.value)
