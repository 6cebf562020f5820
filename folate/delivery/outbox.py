"""The outbox: an SQLite table of which event was sent on which channel, and with what outcome.

An event is enqueued for its channels, claimed, sent, and its outcome recorded. A claim is one
atomic statement, so of two concurrent runs only one sends. If a run is interrupted between sending
and recording, its claim remains and the outcome is unknown: the event is not sent again unless
the channel tolerates duplicates or a person asks for it. Delivery is therefore at most once; what
certainly failed is tried again.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from folate.core.errors import ConfigError, DeliveryError

DeliveryStatus = Literal["waiting", "sending", "sent", "failed", "unknown"]
# An older claim belongs to an interrupted run: no sender takes as long.
CLAIM_LEASE_SECONDS = 900.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    event TEXT NOT NULL, channel TEXT NOT NULL, status TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, changed REAL NOT NULL,
    detail TEXT NOT NULL DEFAULT '', message TEXT, PRIMARY KEY (event, channel)
) WITHOUT ROWID
"""
_ENQUEUE = """
INSERT OR IGNORE INTO deliveries (event, channel, status, changed, message)
VALUES (?, ?, 'waiting', ?, ?)
"""
_CLAIM = """
UPDATE deliveries SET status = 'sending', attempts = attempts + 1, changed = :now, detail = ''
WHERE event = :event AND channel = :channel
  AND instr(:open, iif(status = 'sending' AND changed < :stale, 'unknown', status))
"""
_RECORD_OUTCOME = """
UPDATE deliveries SET status = ?1, changed = ?2, detail = ?3,
  message = iif(?1 = 'sent', NULL, message)
WHERE event = ?4 AND channel = ?5
"""
_LIST = """
SELECT event, channel, iif(status = 'sending' AND changed < ?, 'unknown', status), attempts,
  detail, message
FROM deliveries WHERE substr(event, 1, ?) = ? ORDER BY event, channel
"""
# Statuses of a delivery that has certainly not arrived.
UNDELIVERED_STATUSES: tuple[DeliveryStatus, ...] = ("waiting", "failed")
# Statuses of a delivery that a person may ask to repeat.
RESENDABLE_STATUSES: tuple[DeliveryStatus, ...] = (*UNDELIVERED_STATUSES, "unknown", "sent")


class DeliveryFailed(DeliveryError):
    """The message was certainly not accepted, so it may be sent again."""


class DeliveryUnknown(DeliveryError):
    """Outcome unknown: the message may have been accepted, so a retry could duplicate it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The state of one event on one channel."""

    event: str
    channel: str
    status: DeliveryStatus
    attempts: int
    # Why the last attempt failed; empty otherwise.
    detail: str
    # What is to be sent; None once it was sent.
    message: str | None


class Outbox:
    """The deliveries of a project, in an SQLite file that several processes may use at once.

    Every method raises DeliveryError if the file cannot be read or written.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def enqueue(self, event: str, channel: str, message: str | None = None) -> None:
        """Record that the event waits for the channel, unless it is recorded already."""
        with self._connect() as database:
            database.execute(_ENQUEUE, (event, channel, self._clock(), message))

    def claim(
        self,
        event: str,
        channel: str,
        allowed_statuses: tuple[DeliveryStatus, ...] = UNDELIVERED_STATUSES,
    ) -> bool:
        """Reserve a delivery for this run; return whether this run may send it.

        That is so for exactly one run, and only if the delivery is enqueued and its status is
        among `allowed_statuses`.
        """
        now = self._clock()
        values = {
            "event": event,
            "channel": channel,
            "now": now,
            "stale": now - CLAIM_LEASE_SECONDS,
            "open": " ".join(allowed_statuses),
        }
        with self._connect() as database:
            return database.execute(_CLAIM, values).rowcount == 1

    def record_outcome(
        self, event: str, channel: str, status: DeliveryStatus, detail: str = ""
    ) -> None:
        """Record the outcome of a claimed delivery; the message of a sent one is deleted."""
        with self._connect() as database:
            database.execute(_RECORD_OUTCOME, (status, self._clock(), detail, event, channel))

    def list_deliveries(self, event_prefix: str = "") -> list[Delivery]:
        """Return the deliveries of events that begin with the prefix, by event and channel.

        The status of a claim that was never completed is unknown.
        """
        oldest_claim = self._clock() - CLAIM_LEASE_SECONDS
        with self._connect() as database:
            parameters = (oldest_claim, len(event_prefix), event_prefix)
            rows = database.execute(_LIST, parameters).fetchall()
        return [Delivery(*row) for row in rows]

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """Open the database for one transaction, creating its table if need be."""
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
                database.execute(_SCHEMA)
                yield database
        except sqlite3.Error as error:
            raise DeliveryError(
                f"wanted to keep {self._path}, which says what was told to whom, got: {error}."
            ) from error


def deliver_event(
    outbox: Outbox,
    event: str,
    channel: str,
    send: Callable[[], None],
    allowed_statuses: tuple[DeliveryStatus, ...] = UNDELIVERED_STATUSES,
) -> bool:
    """Send an enqueued event and record the outcome; return whether this run was to send it.

    `send` is called if the status of the event is among `allowed_statuses` and no other run has
    claimed it. If it raises DeliveryFailed, DeliveryUnknown or ConfigError, that is recorded and
    not raised: unusable settings of one channel do not keep the others from being served.
    """
    if not outbox.claim(event, channel, allowed_statuses):
        return False
    try:
        send()
    except (DeliveryFailed, ConfigError) as error:
        outbox.record_outcome(event, channel, "failed", str(error))
    except DeliveryUnknown as error:
        outbox.record_outcome(event, channel, "unknown", str(error))
    else:
        outbox.record_outcome(event, channel, "sent")
    return True
