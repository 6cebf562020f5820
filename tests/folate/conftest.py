"""A web server and a mail server on loopback, small enough to see through."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from folate.delivery.outbox import Outbox


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    """The port of a server that runs in a thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Hook:
    """Answers each POST with the next of `answers` (the last one from then on); 0 closes without an answer."""

    address: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    seen = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            seen.requests.append((dict(self.headers), self.rfile.read(length)))
            status = seen.answers.pop(0) if len(seen.answers) > 1 else seen.answers[0]
            if status:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        seen.address = f"http://127.0.0.1:{port}/hook?key=secret"
        yield seen


@dataclass
class Mailbox:
    """What a mail server took, and how it behaves: a reply for a command replaces its own; an empty one hangs up."""

    port: int = 0
    replies: dict[str, bytes] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, command: str, usual: bytes) -> bool:
            reply = box.replies.get(command, usual)
            self.wfile.write(reply + b"\r\n" if reply else b"")
            return bool(reply)

        def handle(self) -> None:
            going = self.say("", b"220 loopback")
            while going and (line := self.rfile.readline()):
                box.commands.append(line.decode().strip())
                command = line.split()[0].decode().upper()
                if command == "DATA" and not box.replies.get("DATA", b"354").startswith(b"354"):
                    going = self.say("DATA", b"")
                elif command == "DATA" and (going := self.say("DATA", b"354 go on")):
                    mail = b"".join(iter(self.rfile.readline, b".\r\n"))
                    box.mails.append(mail)
                    going = self.say(".", b"250 taken")
                elif command == "EHLO":
                    going = self.say("EHLO", b"250-loopback\r\n250 AUTH PLAIN")
                elif command == "AUTH":
                    going = self.say("AUTH", b"235 welcome")
                elif command != "DATA":
                    going = (
                        self.say(command, b"221 bye" if command == "QUIT" else b"250 fine")
                        and command != "QUIT"
                    )

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    with serving(Server(("127.0.0.1", 0), Handler)) as port:
        box.port = port
        yield box


@pytest.fixture
def ledger(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "deliveries.sqlite")


@pytest.fixture
def nap() -> Callable[[float], None]:
    """A pause that takes no time."""
    return lambda _: None
