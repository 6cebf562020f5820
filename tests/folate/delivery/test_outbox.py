"""The outbox: each event is sent once, whatever fails, crashes or runs concurrently."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from folate.core.errors import ConfigError, DeliveryError
from folate.delivery.outbox import (
    CLAIM_LEASE_SECONDS,
    RESENDABLE_STATUSES,
    UNDELIVERED_STATUSES,
    DeliveryFailed,
    DeliveryUnknown,
    Outbox,
    deliver_event,
)


def read_statuses(outbox: Outbox) -> dict[tuple[str, str], str]:
    return {
        (delivery.event, delivery.channel): delivery.status for delivery in outbox.list_deliveries()
    }


def test_an_event_is_sent_once_on_each_channel_and_its_message_forgotten(outbox: Outbox) -> None:
    sent: list[str] = []
    for _ in range(3):
        for channel in ("file", "mail:a"):
            outbox.enqueue("e", channel, "words")
            deliver_event(outbox, "e", channel, lambda channel=channel: sent.append(channel))
    assert sent == ["file", "mail:a"]
    assert [
        (delivery.status, delivery.attempts, delivery.message)
        for delivery in outbox.list_deliveries()
    ] == [("sent", 1, None)] * 2


def test_what_failed_is_tried_again_with_its_message_and_what_is_unknown_is_not(
    outbox: Outbox,
) -> None:
    def refuse() -> None:
        raise DeliveryFailed("refused.")

    def hang() -> None:
        raise DeliveryUnknown("no answer.")

    outbox.enqueue("e", "webhook", "words")
    assert deliver_event(outbox, "e", "webhook", refuse)
    assert (
        outbox.list_deliveries()[0].status,
        outbox.list_deliveries()[0].message,
        outbox.list_deliveries()[0].detail,
    ) == ("failed", "words", "refused.")
    assert deliver_event(outbox, "e", "webhook", hang)
    assert not deliver_event(outbox, "e", "webhook", hang)
    assert read_statuses(outbox) == {("e", "webhook"): "unknown"}
    assert deliver_event(outbox, "e", "webhook", lambda: None, (*UNDELIVERED_STATUSES, "unknown"))
    assert outbox.list_deliveries()[0].attempts == 3


def test_a_run_that_was_cut_off_between_sending_and_recording_leaves_it_unknown(
    tmp_path: Path,
) -> None:
    now = [1000.0]
    outbox = Outbox(tmp_path / "d.sqlite", clock=lambda: now[0])

    def cut_off() -> None:
        raise KeyboardInterrupt

    outbox.enqueue("e", "mail:a")
    with pytest.raises(KeyboardInterrupt):
        deliver_event(outbox, "e", "mail:a", cut_off)
    assert read_statuses(outbox) == {("e", "mail:a"): "sending"}
    assert not outbox.claim("e", "mail:a", RESENDABLE_STATUSES)  # another run may be at it
    now[0] += CLAIM_LEASE_SECONDS + 1
    assert read_statuses(outbox) == {("e", "mail:a"): "unknown"}
    assert not outbox.claim("e", "mail:a")
    assert outbox.claim("e", "mail:a", (*UNDELIVERED_STATUSES, "unknown"))


def test_settings_that_can_not_be_used_are_a_failure_with_a_reason(outbox: Outbox) -> None:
    def misconfigured() -> None:
        raise ConfigError("wanted a host, got none.")

    outbox.enqueue("e", "mail:a", "words")
    assert deliver_event(outbox, "e", "mail:a", misconfigured)
    assert [(delivery.status, delivery.detail) for delivery in outbox.list_deliveries()] == [
        ("failed", "wanted a host, got none.")
    ]


def test_of_many_runs_at_once_one_sends(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite"
    senders: list[int] = []
    barrier = threading.Barrier(8)

    def run(number: int) -> bool:
        outbox = Outbox(path)
        barrier.wait()
        outbox.enqueue("e", "webhook")
        return deliver_event(outbox, "e", "webhook", lambda: senders.append(number))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == 1
    assert len(senders) == 1


def test_what_was_never_noted_is_never_sent(outbox: Outbox) -> None:
    assert not deliver_event(outbox, "e", "file", lambda: pytest.fail("sent"))


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "d.sqlite").write_text(
        "not a database, and long enough to be taken for delivery by nobody"
    )
    with pytest.raises(DeliveryError, match="which says what was told to whom, got"):
        Outbox(tmp_path / "d.sqlite").list_deliveries()
