"""Events appended to a file, one JSON object a line."""

import json
import os
from pathlib import Path

from folate.delivery.outbox import DeliveryFailed


def append_event(path: Path, event_id: str, message: str) -> None:
    """Append `message`, a JSON object whose `id` is `identifier`, unless the file has a line with that id. Raises Undelivered.

    So it may be called twice: the file itself says whether the event is in it. A line that a crash cut off stays; the next one
    begins anew.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            file.seek(0)
            text = file.read()
            if event_id in _ids(text):
                return
            file.write(
                (b"" if text.endswith(b"\n") or not text else b"\n") + message.encode() + b"\n"
            )
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DeliveryFailed(f"{path} can't be written: {error.strerror or error}.") from error


def _ids(text: bytes) -> set[str]:
    found = set()
    for line in text.splitlines():
        try:
            found.add(str(json.loads(line)["id"]))
        except (ValueError, KeyError, TypeError):
            continue  # a line that was cut off, or somebody else's
    return found
