"""Once and not twice: claims, crashes, races."""

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


def statuses(ledger: Outbox) -> dict[tuple[str, str], str]:
    return {(one.event, one.channel): one.status for one in ledger.list_deliveries()}


def test_an_event_is_sent_once_on_each_channel_and_its_message_forgotten(ledger: Outbox) -> None:
    sent: list[str] = []
    for _ in range(3):
        for channel in ("file", "mail:a"):
            ledger.enqueue("e", channel, "words")
            deliver_event(ledger, "e", channel, lambda channel=channel: sent.append(channel))
    assert sent == ["file", "mail:a"]
    assert [(one.status, one.attempts, one.message) for one in ledger.list_deliveries()] == [
        ("sent", 1, None)
    ] * 2


def test_what_failed_is_tried_again_with_its_message_and_what_is_unknown_is_not(
    ledger: Outbox,
) -> None:
    def refuse() -> None:
        raise DeliveryFailed("refused.")

    def hang() -> None:
        raise DeliveryUnknown("no answer.")

    ledger.enqueue("e", "webhook", "words")
    assert deliver_event(ledger, "e", "webhook", refuse)
    assert (
        ledger.list_deliveries()[0].status,
        ledger.list_deliveries()[0].message,
        ledger.list_deliveries()[0].detail,
    ) == ("failed", "words", "refused.")
    assert deliver_event(ledger, "e", "webhook", hang)
    assert not deliver_event(ledger, "e", "webhook", hang)
    assert statuses(ledger) == {("e", "webhook"): "unknown"}
    assert deliver_event(ledger, "e", "webhook", lambda: None, (*UNDELIVERED_STATUSES, "unknown"))
    assert ledger.list_deliveries()[0].attempts == 3


def test_a_run_that_was_cut_off_between_sending_and_recording_leaves_it_unknown(
    tmp_path: Path,
) -> None:
    now = [1000.0]
    ledger = Outbox(tmp_path / "d.sqlite", clock=lambda: now[0])

    def cut_off() -> None:
        raise KeyboardInterrupt

    ledger.enqueue("e", "mail:a")
    with pytest.raises(KeyboardInterrupt):
        deliver_event(ledger, "e", "mail:a", cut_off)
    assert statuses(ledger) == {("e", "mail:a"): "sending"}
    assert not ledger.claim("e", "mail:a", RESENDABLE_STATUSES)  # another run may be at it
    now[0] += CLAIM_LEASE_SECONDS + 1
    assert statuses(ledger) == {("e", "mail:a"): "unknown"}
    assert not ledger.claim("e", "mail:a")
    assert ledger.claim("e", "mail:a", (*UNDELIVERED_STATUSES, "unknown"))


def test_settings_that_can_not_be_used_are_a_failure_with_a_reason(ledger: Outbox) -> None:
    def misconfigured() -> None:
        raise ConfigError("wanted a host, got none.")

    ledger.enqueue("e", "mail:a", "words")
    assert deliver_event(ledger, "e", "mail:a", misconfigured)
    assert [(one.status, one.detail) for one in ledger.list_deliveries()] == [
        ("failed", "wanted a host, got none.")
    ]


def test_of_many_runs_at_once_one_sends(tmp_path: Path) -> None:
    path, sent, start = tmp_path / "d.sqlite", [], threading.Barrier(8)

    def run(number: int) -> bool:
        ledger = Outbox(path)
        start.wait()
        ledger.enqueue("e", "webhook")
        return deliver_event(ledger, "e", "webhook", lambda: sent.append(number))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == 1
    assert len(sent) == 1


def test_what_was_never_noted_is_never_sent(ledger: Outbox) -> None:
    assert not deliver_event(ledger, "e", "file", lambda: pytest.fail("sent"))


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "d.sqlite").write_text(
        "not a database, and long enough to be taken for one by nobody"
    )
    with pytest.raises(DeliveryError, match="which says what was told to whom, got"):
        Outbox(tmp_path / "d.sqlite").list_deliveries()
