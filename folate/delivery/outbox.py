"""What was told to whom: an outbox in SQLite. An event is noted for its channels, claimed, sent, and what became of it recorded.

A claim is one atomic statement, so of two runs at once only one sends. A run that is cut off between sending and recording leaves
its claim behind: whether the message went is then unknown, and it is not sent again unless the channel can take it twice without
harm or a person asks for it. So a channel is served at most once; what certainly did not arrive is tried again.
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
CLAIM_LEASE_SECONDS = 900.0  # seconds: a claim older than that belongs to a run that was cut off; no send takes as long
_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    event TEXT NOT NULL, channel TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, changed REAL NOT NULL,
    detail TEXT NOT NULL DEFAULT '', message TEXT, PRIMARY KEY (event, channel)
) WITHOUT ROWID
"""
_CLAIM = """
UPDATE deliveries SET status = 'sending', attempts = attempts + 1, changed = :now, detail = ''
WHERE event = :event AND channel = :channel AND instr(:open, iif(status = 'sending' AND changed < :stale, 'unknown', status))
"""
UNDELIVERED_STATUSES: tuple[DeliveryStatus, ...] = (
    "waiting",
    "failed",
)  # it certainly has not arrived
RESENDABLE_STATUSES: tuple[DeliveryStatus, ...] = (*UNDELIVERED_STATUSES, "unknown", "sent")


class DeliveryFailed(DeliveryError):
    """It certainly did not arrive: it may be sent again."""


class DeliveryUnknown(DeliveryError):
    """It may have arrived: sending it again could tell it twice."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on one channel."""

    event: str
    channel: str
    status: DeliveryStatus
    attempts: int
    detail: str
    message: str | None  # what is to be sent; forgotten once it went


class Outbox:
    """The deliveries of a project. Several processes may use one at once. Raises DeliveryError when it can't be read or written."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock

    def enqueue(self, event: str, channel: str, message: str | None = None) -> None:
        """Make the event wait for the channel; nothing happens to one that is noted already."""
        with self._open() as database:
            database.execute(
                "INSERT OR IGNORE INTO deliveries (event, channel, status, changed, message) VALUES (?, ?, 'waiting', ?, ?)",
                (event, channel, self._clock(), message),
            )

    def claim(
        self,
        event: str,
        channel: str,
        allowed_statuses: tuple[DeliveryStatus, ...] = UNDELIVERED_STATUSES,
    ) -> bool:
        """Whether this run may send: true for one run when the delivery is noted and `standing` names its status."""
        now = self._clock()
        with self._open() as database:
            values = {
                "event": event,
                "channel": channel,
                "now": now,
                "stale": now - CLAIM_LEASE_SECONDS,
                "open": " ".join(allowed_statuses),
            }
            return database.execute(_CLAIM, values).rowcount == 1

    def record_outcome(
        self, event: str, channel: str, status: DeliveryStatus, detail: str = ""
    ) -> None:
        """Record what became of a claim. What was sent is no longer kept."""
        with self._open() as database:
            database.execute(
                "UPDATE deliveries SET status = ?1, changed = ?2, detail = ?3, message = iif(?1 = 'sent', NULL, message) "
                "WHERE event = ?4 AND channel = ?5",
                (status, self._clock(), detail, event, channel),
            )

    def list_deliveries(self, event_prefix: str = "") -> list[Delivery]:
        """Those whose event begins with `prefix`, by event and channel. A claim whose run was cut off is unknown."""
        query = (
            "SELECT event, channel, iif(status = 'sending' AND changed < ?, 'unknown', status), attempts, detail, message "
            "FROM deliveries WHERE substr(event, 1, ?) = ? ORDER BY event, channel"
        )
        with self._open() as database:
            rows = database.execute(
                query, (self._clock() - CLAIM_LEASE_SECONDS, len(event_prefix), event_prefix)
            ).fetchall()
        return [Delivery(*row) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
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
    """Send a noted event whose status is one of `standing`, and record what became of it. False when it is not this run's to send.

    Settings that can't be used are a failure like a refusal: nothing was sent, and the other deliveries go on.
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
