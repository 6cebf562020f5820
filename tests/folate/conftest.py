"""Fixtures: a web server and a mail server on loopback, and an empty outbox."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from folate.delivery.outbox import Outbox


@contextmanager
def run_server(server: socketserver.TCPServer) -> Iterator[int]:
    """Run a server in a thread; yields its port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class WebhookServer:
    """A server that answers each POST with the next of `answers`, and then always with the last.

    A status of 0 closes the connection without an answer.
    """

    address: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    # The headers and the body of each request.
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    # The path and query of each request.
    targets: list[str] = field(default_factory=list)
    # Headers of every answer, besides its length.
    answer_headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def webhook_server() -> Iterator[WebhookServer]:
    state = WebhookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            state.requests.append((dict(self.headers), self.rfile.read(length)))
            state.targets.append(self.path)
            status = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            if not status:
                return
            self.send_response(status)
            for name, value in state.answer_headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with run_server(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        state.address = f"http://127.0.0.1:{port}/hook?key=secret"
        yield state


@dataclass
class MailServer:
    """An SMTP server and the mails that it accepted.

    `replies` has replies by command that replace the usual ones; an empty one closes the
    connection. The command "" is the greeting, and "." the end of a mail's text.
    """

    port: int = 0
    replies: dict[str, bytes] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


_USUAL_REPLIES = {
    "EHLO": b"250-loopback\r\n250 AUTH PLAIN",
    "AUTH": b"235 welcome",
    "QUIT": b"221 bye",
}


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    state = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def reply(self, command: str, usual_reply: bytes) -> bool:
            """Send the reply for a command; return whether the connection stays open."""
            reply = state.replies.get(command, usual_reply)
            self.wfile.write(reply + b"\r\n" if reply else b"")
            return bool(reply)

        def receive_text(self) -> bool:
            if not self.reply("DATA", b"354 go on"):
                return False
            if not state.replies.get("DATA", b"354").startswith(b"354"):
                return True
            state.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            return self.reply(".", b"250 taken")

        def handle(self) -> None:
            is_open = self.reply("", b"220 loopback")
            while is_open and (line := self.rfile.readline()):
                state.commands.append(line.decode().strip())
                command = line.split()[0].decode().upper()
                if command == "DATA":
                    is_open = self.receive_text()
                else:
                    is_open = self.reply(command, _USUAL_REPLIES.get(command, b"250 fine"))
                    is_open = is_open and command != "QUIT"

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    with run_server(Server(("127.0.0.1", 0), Handler)) as port:
        state.port = port
        yield state


class CertificateFiles(NamedTuple):
    """PEM files of a self-signed certificate of 127.0.0.1 and of its private key."""

    certificate: Path
    key: Path


@pytest.fixture
def certificate_files(tmp_path: Path) -> CertificateFiles:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    address = x509.IPAddress(ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        subject_name=name,
        issuer_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    ).add_extension(x509.SubjectAlternativeName([address]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    files = CertificateFiles(tmp_path / "certificate.pem", tmp_path / "key.pem")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "deliveries.sqlite")


@pytest.fixture
def sleep() -> Callable[[float], None]:
    """A replacement of time.sleep that returns at once."""
    return lambda _: None
