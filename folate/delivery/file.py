"""Appends events to a file of JSON lines."""

import json
import os
from pathlib import Path

from folate.delivery.outbox import DeliveryFailed


def append_event(path: Path, event_id: str, message: str) -> None:
    """Append `message`, a JSON object with the id `event_id`, unless the file has that id already.

    The call can therefore be repeated. A line that was cut off by a crash is kept, and the next
    message starts on a new line. Raises DeliveryFailed if the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            file.seek(0)
            content = file.read()
            if event_id in _parse_event_ids(content):
                return
            separator = b"\n" if content and not content.endswith(b"\n") else b""
            file.write(separator + message.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DeliveryFailed(f"{path} can't be written: {error.strerror or error}.") from error


def _parse_event_ids(content: bytes) -> set[str]:
    """Return the ids of all lines that are JSON objects with an id; other lines are ignored."""
    event_ids = set()
    for line in content.splitlines():
        try:
            event_ids.add(str(json.loads(line)["id"]))
        except (ValueError, KeyError, TypeError):
            continue
    return event_ids
