"""Once and not twice: claims, crashes, races."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from folate.core.errors import ConfigError, DeliveryError
from folate.delivery.outbox import EVERY, LEASE, OPEN, Ledger, Uncertain, Undelivered, deliver


def statuses(ledger: Ledger) -> dict[tuple[str, str], str]:
    return {(one.event, one.channel): one.status for one in ledger.deliveries()}


def test_an_event_is_sent_once_on_each_channel_and_its_message_forgotten(ledger: Ledger) -> None:
    sent: list[str] = []
    for _ in range(3):
        for channel in ("file", "mail:a"):
            ledger.note("e", channel, "words")
            deliver(ledger, "e", channel, lambda channel=channel: sent.append(channel))
    assert sent == ["file", "mail:a"]
    assert [(one.status, one.attempts, one.message) for one in ledger.deliveries()] == [
        ("sent", 1, None)
    ] * 2


def test_what_failed_is_tried_again_with_its_message_and_what_is_unknown_is_not(
    ledger: Ledger,
) -> None:
    def refuse() -> None:
        raise Undelivered("refused.")

    def hang() -> None:
        raise Uncertain("no answer.")

    ledger.note("e", "webhook", "words")
    assert deliver(ledger, "e", "webhook", refuse)
    assert (
        ledger.deliveries()[0].status,
        ledger.deliveries()[0].message,
        ledger.deliveries()[0].detail,
    ) == ("failed", "words", "refused.")
    assert deliver(ledger, "e", "webhook", hang)
    assert not deliver(ledger, "e", "webhook", hang)
    assert statuses(ledger) == {("e", "webhook"): "unknown"}
    assert deliver(ledger, "e", "webhook", lambda: None, (*OPEN, "unknown"))
    assert ledger.deliveries()[0].attempts == 3


def test_a_run_that_was_cut_off_between_sending_and_recording_leaves_it_unknown(
    tmp_path: Path,
) -> None:
    now = [1000.0]
    ledger = Ledger(tmp_path / "d.sqlite", clock=lambda: now[0])

    def cut_off() -> None:
        raise KeyboardInterrupt

    ledger.note("e", "mail:a")
    with pytest.raises(KeyboardInterrupt):
        deliver(ledger, "e", "mail:a", cut_off)
    assert statuses(ledger) == {("e", "mail:a"): "sending"}
    assert not ledger.claim("e", "mail:a", EVERY)  # another run may be at it
    now[0] += LEASE + 1
    assert statuses(ledger) == {("e", "mail:a"): "unknown"}
    assert not ledger.claim("e", "mail:a")
    assert ledger.claim("e", "mail:a", (*OPEN, "unknown"))


def test_settings_that_can_not_be_used_are_a_failure_with_a_reason(ledger: Ledger) -> None:
    def misconfigured() -> None:
        raise ConfigError("wanted a host, got none.")

    ledger.note("e", "mail:a", "words")
    assert deliver(ledger, "e", "mail:a", misconfigured)
    assert [(one.status, one.detail) for one in ledger.deliveries()] == [
        ("failed", "wanted a host, got none.")
    ]


def test_of_many_runs_at_once_one_sends(tmp_path: Path) -> None:
    path, sent, start = tmp_path / "d.sqlite", [], threading.Barrier(8)

    def run(number: int) -> bool:
        ledger = Ledger(path)
        start.wait()
        ledger.note("e", "webhook")
        return deliver(ledger, "e", "webhook", lambda: sent.append(number))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == 1
    assert len(sent) == 1


def test_what_was_never_noted_is_never_sent(ledger: Ledger) -> None:
    assert not deliver(ledger, "e", "file", lambda: pytest.fail("sent"))


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "d.sqlite").write_text(
        "not a database, and long enough to be taken for one by nobody"
    )
    with pytest.raises(DeliveryError, match="which says what was told to whom, got"):
        Ledger(tmp_path / "d.sqlite").deliveries()
