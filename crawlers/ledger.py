"""The ledger of a crawl: one row for each (source, query or start address) that says whether it was read in full."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import NoneType
from typing import Any

_TIMES = ("since", "until", "started_at", "finished_at")
_MAYBE = (str, NoneType)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "crawl": str,
    "source": str,
    "query": str,
    "since": _MAYBE,
    "until": _MAYBE,
    "status": str,
    "reason": _MAYBE,
    "requests": int,
    "posts": int,
    "dropped": str,
    "started_at": str,
    "finished_at": _MAYBE,
}  # of a line of ledger.jsonl; times are ISO 8601


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class LedgerRow:
    """What was asked, what came, and what stood in the way. `pages` counts answers that could be read."""

    crawl: str
    source: str
    query: str
    started_at: datetime = field(default_factory=utc_now)
    requests: int = 0  # sent over the network, retries included, robots.txt not
    pages: int = 0
    list_pages: int = 0  # pages of lists asked for; `Source.pages` caps them
    posts: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(
        default_factory=Counter
    )  # what could not be read: at least partial
    limits_reached: Counter[str] = field(
        default_factory=Counter
    )  # where the reading stopped before the end: saturated

    @property
    def status(self) -> str:
        """`failed`: nothing could be read; `partial`: some pages not; `saturated`: the site or a cap ended it early; else `complete`."""
        if not self.pages:
            return "failed"
        return "partial" if self.problems else "saturated" if self.limits_reached else "complete"

    @property
    def problem_summary(self) -> str | None:
        """What stood in the way; None when nothing did."""
        reasons = {**self.problems, **self.limits_reached}
        return (
            "; ".join(f"{reason} ({n} times)" if n > 1 else reason for reason, n in reasons.items())
            or None
        )

    @property
    def reason(self) -> str | None:
        if self.problem_summary:
            return self.problem_summary
        if not self.pages:
            return "no page was read"
        return None if self.requests else "all pages were in the cache, the site was not asked"

    def as_dict(self, finished: bool = True) -> dict[str, Any]:
        """A row of the table `crawls`; one that is not finished has no `finished_at`."""
        return {
            "crawl": self.crawl,
            "source": self.source,
            "query": self.query,
            "since": None,
            "until": None,
            "status": self.status,
            "reason": self.reason if finished else self.problem_summary,
            "requests": self.requests,
            "posts": self.posts,
            "dropped": json.dumps(dict(sorted(self.dropped.items())), ensure_ascii=False),
            "started_at": self.started_at,
            "finished_at": utc_now() if finished else None,
        }


def ledger_row_to_json(row: dict[str, Any]) -> str:
    """One line of ledger.jsonl."""
    return json.dumps(
        {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()},
        ensure_ascii=False,
    )


def ledger_row_from_json(line: str) -> dict[str, Any]:
    """The inverse of `to_json`. Raises ValueError for what is no row."""
    try:
        row = json.loads(line)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    if not isinstance(row, dict) or row.keys() != _TYPES.keys():
        raise ValueError("not a row of the ledger")
    for key, value in row.items():
        if not isinstance(value, _TYPES[key]) or isinstance(value, bool):
            raise ValueError(f"{key} is of another type")
        if isinstance(value, int) and not 0 <= value < 2**63:
            raise ValueError(f"{key} is no count")
    moments = {key: datetime.fromisoformat(row[key]) for key in _TIMES if row[key] is not None}
    if any(moment.tzinfo is None for moment in moments.values()):
        raise ValueError("a time without its zone")
    return row | moments


def mark_interrupted(row: dict[str, Any], problem: str) -> dict[str, Any]:
    """A row as it was last written, of a source that was not read to its end because of `problem`."""
    return row | {
        "status": "failed" if row["status"] == "failed" else "partial",
        "reason": "; ".join(filter(None, (row["reason"], problem))),
        "finished_at": row["finished_at"] or utc_now(),
    }


def parse_ledger(text: str) -> tuple[dict[tuple[str, str], dict[str, Any]], int]:
    """The rows of ledger.jsonl by (source, query), and how many lines are broken.

    A row is written again and again while its source is read: the last line has what came of it.
    What follows the last line break was cut by a kill.
    """
    rows, broken = {}, 0
    for line in text.split("\n")[:-1]:
        try:
            row = ledger_row_from_json(line)
        except ValueError:
            broken += 1
        else:
            rows[row["source"], row["query"]] = row
    return rows, broken
