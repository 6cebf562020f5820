"""The ledger of a crawl: one row for each (source, query or start address) that says whether it was read in full."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_TIMES = ("since", "until", "started_at", "finished_at")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Row:
    """What was asked, what came, and what stood in the way. `pages` counts answers that could be read."""

    crawl: str
    source: str
    query: str
    started_at: datetime = field(default_factory=now)
    requests: int = 0  # sent over the network, retries included, robots.txt not
    pages: int = 0
    lists: int = 0  # pages of lists asked for; `Source.pages` caps them
    posts: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)  # what could not be read: at least partial
    limits: Counter[str] = field(default_factory=Counter)  # where the reading stopped before the end: saturated

    @property
    def status(self) -> str:
        """`failed`: nothing could be read; `partial`: some pages not; `saturated`: the site or a cap ended it early; else `complete`."""
        if not self.pages:
            return "failed"
        return "partial" if self.problems else "saturated" if self.limits else "complete"

    @property
    def reason(self) -> str | None:
        reasons = {**self.problems, **self.limits}
        if reasons:
            return "; ".join(f"{reason} ({n} times)" if n > 1 else reason for reason, n in reasons.items())
        if not self.pages:
            return "no page was read"
        return None if self.requests else "all pages were in the cache, the site was not asked"

    def as_dict(self) -> dict[str, Any]:
        """A row of the table `crawls`."""
        return {
            "crawl": self.crawl,
            "source": self.source,
            "query": self.query,
            "since": None,
            "until": None,
            "status": self.status,
            "reason": self.reason,
            "requests": self.requests,
            "posts": self.posts,
            "dropped": json.dumps(dict(sorted(self.dropped.items())), ensure_ascii=False),
            "started_at": self.started_at,
            "finished_at": now(),
        }


def to_json(row: dict[str, Any]) -> str:
    """One line of ledger.jsonl."""
    return json.dumps({k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}, ensure_ascii=False)


def from_json(line: str) -> dict[str, Any]:
    """The inverse of `to_json`. Raises ValueError."""
    row = json.loads(line)
    return {k: datetime.fromisoformat(v) if k in _TIMES and v else v for k, v in row.items()}
