"""What the ledger of crawls says of weeks and days: whether all posts could be seen."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from corpora.query.syntax import And, Filter, Node, Or
from corpora.store.snapshot import Snapshot
from nlp.text.normalize import normalize_text

Coverage = Literal["complete", "saturated", "partial", "failed", "unrecorded", "none"]

DEFINITION = (
    "what the ledger of crawls says of the period: complete; saturated (a source showed no more "
    "than its limit); partial (a query failed, or stopped before the end of the period); failed "
    "(every query did); unrecorded (no crawl of it, such as imported posts); none (no crawl and no "
    "post of any source)"
)

GAPS: frozenset[Coverage] = frozenset({"partial", "failed", "none"})
"""Coverages of periods whose rates are not known."""

_EPOCH = date(1970, 1, 1)
# The newest crawl of each query that touches a period decides, as in reports.
_CRAWLS_QUERY = """
    SELECT source, query, status, since, coalesce(until, finished_at) AS reached
    FROM crawls ORDER BY started_at DESC, crawl DESC
"""


@dataclass(frozen=True)
class Period:
    """Days from the first to before the end, in days since 1970-01-01."""

    first: int
    end: int


class Ledger:
    """The crawls of a corpus, the newest first."""

    def __init__(self, snapshot: Snapshot, timezone: str) -> None:
        self._crawls: list[dict[str, Any]] = snapshot.sql(_CRAWLS_QUERY).to_pylist()
        self._timezone = ZoneInfo(timezone)

    def coverage(self, period: Period, sources: frozenset[str] | None) -> Coverage:
        """Return the coverage of a period by crawls of sources (folded names), None for all."""
        start, end = self._moment(period.first), self._moment(period.end)
        newest: dict[tuple[str, str], str] = {}
        for crawl in self._crawls:
            if sources is not None and normalize_text(crawl["source"]) not in sources:
                continue
            if crawl["since"] is not None and crawl["since"] >= end:
                continue
            if crawl["reached"] is not None and crawl["reached"] < start:
                continue
            key = (crawl["source"], crawl["query"])
            newest.setdefault(key, _status(crawl, end))
        return _joint_status(list(newest.values()))

    def _moment(self, day: int) -> datetime:
        local = datetime.combine(_EPOCH + timedelta(days=day), time(), self._timezone)
        return local.astimezone(UTC)


def required_sources(tree: Node) -> frozenset[str] | None:
    """Return the sources (folded names) that a query is restricted to, None if it is not."""
    match tree:
        case Filter(field="source", operator="=", value=value):
            return frozenset({normalize_text(value)})
        case And(items):
            return _first_known(map(required_sources, items))
        case Or(items):
            parts = [required_sources(item) for item in items]
            known = [part for part in parts if part is not None]
            return frozenset().union(*known) if len(known) == len(parts) else None
    return None


def _first_known(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    return next((part for part in parts if part is not None), None)


def _status(crawl: dict[str, Any], end: datetime) -> str:
    is_early = crawl["reached"] is not None and crawl["reached"] < end
    if crawl["status"] == "complete" and is_early:
        return "partial"
    status: str = crawl["status"]
    return status


def _joint_status(statuses: Sequence[str]) -> Coverage:
    counts: defaultdict[str, int] = defaultdict(int)
    for status in statuses:
        counts[status] += 1
    if not statuses:
        return "unrecorded"
    if counts["failed"] == len(statuses):
        return "failed"
    if counts["failed"] or counts["partial"]:
        return "partial"
    return "saturated" if counts["saturated"] else "complete"
