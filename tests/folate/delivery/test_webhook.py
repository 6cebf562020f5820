"""Webhooks: events posted to servers that answer well, badly, late or never."""

import json
import logging
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

import pytest

from folate.core.errors import ConfigError
from folate.delivery.outbox import DeliveryFailed, DeliveryUnknown
from folate.delivery.webhook import MAX_ATTEMPTS, post_event, validate_address
from tests.folate.conftest import run_server

Sleep = Callable[[float], None]


def test_json_with_the_event_as_idempotency_key(webhook_server: Any, sleep: Sleep) -> None:
    message = json.dumps({"id": "e1", "text": '叶酸 "quoted"\r\nX-Evil: 1'}, ensure_ascii=False)
    post_event(webhook_server.address, "e1", message, token="t", sleep=sleep)
    ((headers, body),) = webhook_server.requests
    assert json.loads(body)["text"].startswith("叶酸")
    assert headers["Idempotency-Key"] == "e1"
    assert headers["Authorization"] == "Bearer t"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert "X-Evil" not in headers


def test_a_server_that_asks_to_come_back_is_asked_again_with_the_same_key(
    webhook_server: Any,
) -> None:
    webhook_server.answers = [503, 429, 204]
    pauses: list[float] = []
    post_event(webhook_server.address, "e", "{}", sleep=pauses.append)
    assert {headers["Idempotency-Key"] for headers, _ in webhook_server.requests} == {"e"}
    assert len(webhook_server.requests) == 3
    assert 1 <= pauses[0] < pauses[1] <= 2.5


@pytest.mark.parametrize(("status", "attempts"), [(500, MAX_ATTEMPTS), (404, 1), (302, 1)])
def test_other_answers_than_2xx_are_failures_and_no_redirect_is_followed(
    webhook_server: Any, sleep: Sleep, status: int, attempts: int
) -> None:
    webhook_server.answers = [status]
    with pytest.raises(
        DeliveryFailed, match=rf"127\.0\.0\.1:\d+ answered {status}, wanted 2xx\."
    ) as raised:
        post_event(webhook_server.address, "e", "{}", sleep=sleep)
    assert len(webhook_server.requests) == attempts
    assert "secret" not in str(raised.value)


def test_no_answer_after_the_message_was_sent_is_uncertain_and_not_repeated(
    webhook_server: Any, sleep: Sleep
) -> None:
    webhook_server.answers = [0]
    with pytest.raises(DeliveryUnknown, match="did not answer"):
        post_event(webhook_server.address, "e", "{}", sleep=sleep)
    assert len(webhook_server.requests) == 1


def test_silence_ends(sleep: Sleep) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(DeliveryUnknown, match="it took too long"),
    ):
        post_event(
            f"http://127.0.0.1:{silent.getsockname()[1]}/", "e", "{}", sleep=sleep, timeout=0.2
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
    with pytest.raises(ConfigError, match="wanted an http or https address") as raised:
        validate_address(address)
    assert address not in str(raised.value)


@pytest.mark.parametrize("token", ["密", "a\r\nX-Evil: 1", "a b"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_repeated(
    webhook_server: Any, sleep: Sleep, token: str
) -> None:
    with pytest.raises(ConfigError, match="wanted a token") as raised:
        post_event(webhook_server.address, "e", "{}", token=token, sleep=sleep)
    assert token not in str(raised.value)
    assert webhook_server.requests == []


def serve_chunks(*chunks: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    """Return a server that reads a request and sends these bytes.

    With a pause between them, it repeats the last chunk until the connection is closed.
    """

    def serve(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(65_536)
            for chunk in chain(chunks, repeat(chunks[-1])) if pause else chunks:
                connection.sendall(chunk)
                time.sleep(pause)

    return serve


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (serve_chunks(b"not HTTP at all\r\n\r\n"), "did not answer"),
        (serve_chunks(b"HTTP/1.1 20"), "did not answer"),
        (serve_chunks(b""), "did not answer"),
        (serve_chunks(b"HTTP/1.1 103 Early Hints\r\n\r\n"), "did not answer"),
        (serve_chunks(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "did not answer"),
        (serve_chunks(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200), "did not answer"),
        (serve_chunks(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.01), "it took too long"),
        (serve_chunks(b"HTTP/1.1 200 O", b"K", pause=0.01), "it took too long"),
    ],
)
def test_an_answer_that_is_none_or_has_no_end_is_uncertain_and_ends(
    sleep: Sleep, serve: Callable[[socket.socket], None], reason: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(DeliveryUnknown, match=reason) as raised:
            post_event(
                f"http://127.0.0.1:{listener.getsockname()[1]}/",
                "e",
                "{}",
                sleep=sleep,
                timeout=0.2,
            )
        thread.join()
    assert str(raised.value).isprintable()


def test_an_endless_body_after_a_good_answer_is_not_waited_for(sleep: Sleep) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve = serve_chunks(b"HTTP/1.1 204 No Content\r\n\r\n", b"x" * 1000, pause=0.01)
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        post_event(f"http://127.0.0.1:{listener.getsockname()[1]}/", "e", "{}", sleep=sleep)
        thread.join()


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("http://[::1]/", ("::1", 80)),
        ("https://[2001:db8::8]/x", ("2001:db8::8", 443)),
        ("http://[::1]:81/", ("::1", 81)),
        ("https://example.org/", ("example.org", 443)),
    ],
)
def test_the_end_of_an_ipv6_address_is_no_port(
    address: str, endpoint: tuple[str, int], sleep: Sleep, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints: list[tuple[str, int]] = []

    def refuse_connection(endpoint: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        endpoints.append(endpoint)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse_connection)
    with pytest.raises(DeliveryFailed, match="can't be reached: Connection refused"):
        post_event(address, "e", "{}", sleep=sleep)
    assert endpoints == [endpoint] * MAX_ATTEMPTS


def test_an_ipv6_address_with_a_zone_is_not_reached_and_says_so() -> None:
    with pytest.raises(DeliveryFailed):
        post_event(
            "http://[fe80::1%25no-such-zone]/", "id", "{}", sleep=lambda _: None, timeout=1.0
        )


def test_only_the_final_status_counts(sleep: Sleep) -> None:
    interim_answer = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve = serve_chunks(interim_answer, b"HTTP/1.1 204 No Content\r\n\r\n")
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        post_event(f"http://127.0.0.1:{listener.getsockname()[1]}/", "e", "{}", sleep=sleep)
        thread.join()


def test_a_redirect_to_a_wrong_address_is_an_answer_like_any_other(
    webhook_server: Any, sleep: Sleep
) -> None:
    webhook_server.answers = [307]
    webhook_server.answer_headers["Location"] = "https://[:port/\x7f"
    with pytest.raises(DeliveryFailed, match="answered 307"):
        post_event(webhook_server.address, "e", "{}", sleep=sleep)
    assert len(webhook_server.requests) == 1


@pytest.mark.parametrize("target", ["/a/../b//c?x={y}|%7e&k=a%2fb", "/", "/?q", "/a;b='c'"])
def test_path_and_query_are_sent_as_they_are_configured(
    webhook_server: Any, sleep: Sleep, target: str
) -> None:
    server = webhook_server.address.removesuffix("/hook?key=secret")
    post_event(server + target, "e", "{}", sleep=sleep)
    assert webhook_server.targets == [target]
    ((headers, _),) = webhook_server.requests
    assert headers["Host"] == server.removeprefix("http://")


def test_proxies_of_the_environment_are_not_used(
    webhook_server: Any, sleep: Sleep, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    post_event(webhook_server.address, "e", "{}", sleep=sleep)
    assert len(webhook_server.requests) == 1


def test_the_address_is_not_logged(
    webhook_server: Any, sleep: Sleep, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        post_event(webhook_server.address, "e", "{}", token="t0ken", sleep=sleep)
    assert "secret" not in caplog.text
    assert "t0ken" not in caplog.text


def test_over_tls_the_certificate_is_checked_and_silence_ends(
    certificate_files: Any, sleep: Sleep, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_files.certificate, certificate_files.key)
    answer_chunks = [b"HTTP/1.1 200 OK\r\n\r\n"]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as secured:
                secured.recv(65_536)
                for chunk in answer_chunks:
                    secured.sendall(chunk)
                    time.sleep(0.01)

    with run_server(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        address = f"https://127.0.0.1:{port}/"
        with pytest.raises(DeliveryFailed, match=r"can't be reached: .*certificate"):
            post_event(address, "e", "{}", sleep=sleep)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate_files.certificate))
        post_event(address, "e", "{}", sleep=sleep)
        answer_chunks[:] = [b"HTTP/1.1 200 O", *[b"K"] * 500]
        with pytest.raises(DeliveryUnknown, match="it took too long"):
            post_event(address, "e", "{}", sleep=sleep, timeout=0.2)


def test_httpx_is_imported_only_to_send() -> None:
    code = "import sys, folate.delivery.webhook; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
