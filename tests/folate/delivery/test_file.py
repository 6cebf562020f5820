"""Lines of JSON: one an event, whatever happened to the file."""

import json
from pathlib import Path

import pytest

from folate.delivery.file import append_event
from folate.delivery.outbox import DeliveryFailed


def test_a_line_is_appended_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "alerts.jsonl"
    for _ in range(2):
        append_event(path, "a", '{"id": "a"}')
    append_event(path, "b", '{"id": "b", "text": "叶酸\\n"}')
    assert [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()] == [
        "a",
        "b",
    ]


def test_a_line_that_was_cut_off_spoils_neither_the_next_nor_itself(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b'{"id": "a"}\n{"id": "b", "te')
    append_event(path, "b", '{"id": "b"}')
    assert path.read_bytes().splitlines()[2] == b'{"id": "b"}'


def test_a_folder_in_its_place_is_a_failure_to_deliver(tmp_path: Path) -> None:
    with pytest.raises(DeliveryFailed, match="can't be written"):
        append_event(tmp_path, "a", "{}")
