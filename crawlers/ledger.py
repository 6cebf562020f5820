"""The ledger of a crawl: one row per source and query, or start address, with its completeness."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import NoneType
from typing import Any

_TIME_FIELDS = ("since", "until", "started_at", "finished_at")
_OPTIONAL_STR = (str, NoneType)
# Types of the fields of a line of ledger.jsonl; times are ISO 8601.
_FIELD_TYPES: dict[str, type | tuple[type, ...]] = {
    "crawl": str,
    "source": str,
    "query": str,
    "since": _OPTIONAL_STR,
    "until": _OPTIONAL_STR,
    "status": str,
    "reason": _OPTIONAL_STR,
    "requests": int,
    "posts": int,
    "dropped": str,
    "started_at": str,
    "finished_at": _OPTIONAL_STR,
}


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass
class LedgerRow:
    """The progress of one query, or start address, of one source."""

    crawl: str
    source: str
    query: str
    started_at: datetime = field(default_factory=utc_now)
    # Requests sent over the network, with retries, without those for robots.txt.
    requests: int = 0
    # Pages that could be parsed.
    pages: int = 0
    # Requested pages of lists, which `Source.pages` caps.
    list_pages: int = 0
    # Written posts.
    posts: int = 0
    # Items that did not become posts, by reason.
    dropped: Counter[str] = field(default_factory=Counter)
    # What could not be read, by reason: the row is at best `partial`.
    problems: Counter[str] = field(default_factory=Counter)
    # Caps and limits that ended the reading early, by reason: the row is at best `saturated`.
    limits_reached: Counter[str] = field(default_factory=Counter)

    @property
    def status(self) -> str:
        """Return how complete the row is.

        `failed`: nothing could be read; `partial`: some pages could not; `saturated`: the site or
        a cap ended the reading early; else `complete`.
        """
        if not self.pages:
            return "failed"
        if self.problems:
            return "partial"
        return "saturated" if self.limits_reached else "complete"

    @property
    def problem_summary(self) -> str | None:
        """Return the problems and reached limits as one text; None when there are none."""
        counts = {**self.problems, **self.limits_reached}
        reasons = [f"{key} ({n} times)" if n > 1 else key for key, n in counts.items()]
        return "; ".join(reasons) or None

    @property
    def reason(self) -> str | None:
        """Return the reason of the status; None for a row that was crawled without problems."""
        if self.problem_summary:
            return self.problem_summary
        if not self.pages:
            return "no page was read"
        return None if self.requests else "all pages were in the cache, the site was not asked"

    def as_dict(self, finished: bool = True) -> dict[str, Any]:
        """Return the row of the table `crawls`; an unfinished one has no `finished_at`."""
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
    """Return a row as one line of ledger.jsonl."""
    values = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
    return json.dumps(values, ensure_ascii=False)


def ledger_row_from_json(line: str) -> dict[str, Any]:
    """Parse a line of ledger.jsonl. Raises ValueError when it is not a row."""
    try:
        row = json.loads(line)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    if not isinstance(row, dict) or row.keys() != _FIELD_TYPES.keys():
        raise ValueError("not a row of the ledger")
    for key, value in row.items():
        if not isinstance(value, _FIELD_TYPES[key]) or isinstance(value, bool):
            raise ValueError(f"{key} is of another type")
        if isinstance(value, int) and not 0 <= value < 2**63:
            raise ValueError(f"{key} is no count")
    times = {key: datetime.fromisoformat(row[key]) for key in _TIME_FIELDS if row[key] is not None}
    if any(time.tzinfo is None for time in times.values()):
        raise ValueError("a time without its zone")
    return row | times


def mark_interrupted(row: dict[str, Any], problem: str) -> dict[str, Any]:
    """Return a written row with the status and reason of one that `problem` cut short."""
    return row | {
        "status": "failed" if row["status"] == "failed" else "partial",
        "reason": "; ".join(filter(None, (row["reason"], problem))),
        "finished_at": row["finished_at"] or utc_now(),
    }


def parse_ledger(text: str) -> tuple[dict[tuple[str, str], dict[str, Any]], int]:
    """Return the rows of ledger.jsonl by (source, query), and the number of broken lines.

    A row is written after every page: the last line of each counts. What follows the last line
    break was cut short by a kill.
    """
    rows = {}
    broken = 0
    for line in text.split("\n")[:-1]:
        try:
            row = ledger_row_from_json(line)
        except ValueError:
            broken += 1
        else:
            rows[row["source"], row["query"]] = row
    return rows, broken
