"""The context that the sections of one report share: its snapshot, its week, and its figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa

from corpora.store.snapshot import QueryParameters, Snapshot
from folate.core.config import Config
from folate.core.weeks import Period, last_day, preceding_periods
from reports import queries
from reports.figures import Figure, versions_json

TRAILING_WEEKS = 8
"""Weeks before the report's that it is compared with, and that trends begin with."""

RECENT_WEEKS = 4
"""Weeks that aspects, words and people are measured over: one week of most brands is too thin."""

RELATION_WEEKS = TRAILING_WEEKS + 1
"""Weeks that comparisons of brands are counted over: they are rarer than aspects."""

Interval = tuple[float | None, float | None]
NO_INTERVAL: Interval = (None, None)


@dataclass(frozen=True)
class ReportContext:
    """One report: its snapshot, its configuration and its week, and how complete the week is."""

    snapshot: Snapshot
    config: Config
    week: Period

    reader_version: str = ""
    """Version of `texts` that folate.toml asks for; posts without it are unread. Empty: any."""

    flags: tuple[str, ...] = ()
    """Flags of counts: "partial", "incomplete" where the week or one of its sources is."""

    partly_read_weeks: frozenset[str] = frozenset()
    """Names of the weeks some of whose posts are not annotated by `reader_version`."""

    unread_weeks: frozenset[str] = frozenset()
    """Names of the weeks without any annotated post: no figure of them is known."""

    @property
    def timezone(self) -> str:
        """The IANA time zone that weeks are cut in."""
        return self.config.timezone

    @property
    def brand_ids(self) -> tuple[str, ...]:
        """The brands of folate.toml, in its order."""
        return tuple(brand.id for brand in self.config.brands)

    @property
    def own_brand_id(self) -> str | None:
        """The brand of our own; None where folate.toml names none."""
        return self.config.own_brand.id if self.config.own_brand else None

    @cached_property
    def versions(self) -> str:
        """The table versions behind all figures, as JSON."""
        return versions_json(self.snapshot.versions)

    @property
    def is_week_unread(self) -> bool:
        """Whether no post of the report's week is annotated."""
        return str(self.week) in self.unread_weeks

    @property
    def is_week_partly_read(self) -> bool:
        """Whether some posts of the report's week are not annotated."""
        return str(self.week) in self.partly_read_weeks

    def last_weeks(self, count: int) -> list[Period]:
        """Return the `count` weeks that end with the report's, oldest first."""
        return [*preceding_periods(self.week, count - 1), self.week]

    def table(self, query: str, parameters: QueryParameters | None = None) -> pa.Table:
        """Run one SELECT on the snapshot and return an Arrow table."""
        return self.snapshot.sql(query, parameters)

    def rows(self, query: str, parameters: QueryParameters | None = None) -> list[dict[str, Any]]:
        """Run one SELECT on the snapshot and return its rows as dictionaries."""
        rows: list[dict[str, Any]] = self.table(query, parameters).to_pylist()
        return rows

    def mentions_query(
        self, weeks: Sequence[queries.NamedPeriod], brands: Sequence[str] | None = None
    ) -> str:
        """Return the SELECT of the mentions of `brands` (by default all of them) in `weeks`."""
        return queries.mentions_query(
            self.brand_ids if brands is None else brands, weeks, self.timezone
        )

    def week_posts_query(self) -> str:
        """Return the SELECT of all posts of the report's week."""
        return queries.week_posts_query(self.week, self.timezone)

    def figure(
        self,
        measure: str,
        value: float | None,
        *,
        n: int,
        query: str,
        brand: str | None = None,
        subject: str | None = None,
        interval: Interval = NO_INTERVAL,
        posts: Iterable[str] = (),
        flags: tuple[str, ...] = (),
        week: Period | None = None,
    ) -> Figure:
        """Make a figure of the report's week (or of `week`), with the versions of its snapshot.

        `n` counts the observations behind `value`, `query` is the SELECT that gives it or the rows
        that it is computed from, and `posts` are ids of posts behind it.
        Raises NoEvidence for an undefined measure or an empty query.
        """
        return Figure(
            measure=measure,
            week=str(week or self.week),
            brand=brand,
            subject=subject,
            value=value,
            low=interval[0],
            high=interval[1],
            n=n,
            query=query,
            versions=self.versions,
            posts=tuple(posts),
            flags=flags,
        )

    def has_campaign(self, brand: str, weeks: Sequence[Period]) -> bool:
        """Return whether a campaign of the brand runs on any day of `weeks`."""
        for campaign in self.config.campaign:
            if (campaign.brand or self.own_brand_id) != brand:
                continue
            for week in weeks:
                week_end = last_day(week)
                if campaign.start <= week_end and week_end - timedelta(days=6) <= campaign.end:
                    return True
        return False
