"""ISO weeks in the project's time zone. Every cut of time into weeks in Folate is made here."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from folate.core.errors import ConfigError
from folate.core.post import VALID_YEARS

_PATTERN = re.compile(r"(\d{4})-?W(\d{1,2})")


@dataclass(frozen=True, order=True, slots=True)
class Week:
    """An ISO 8601 week, Monday to Sunday. Ordered and hashable; `str()` gives `2026-W10`."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Week":
        """Read `2026-W10`. Raises ConfigError when it is not a week of that year."""
        match = _PATTERN.fullmatch(text.strip())
        if match and VALID_YEARS[0] <= int(match[1]) < VALID_YEARS[1]:
            week = cls(int(match[1]), int(match[2]))
            if (
                week.number
                and cls.from_date(date(week.year, 1, 4) + timedelta(weeks=week.number - 1)) == week
            ):
                return week
        raise ConfigError(f"wanted an ISO week such as 2026-W10, got {text!r}.")

    @classmethod
    def from_date(cls, day: date) -> "Week":
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @classmethod
    def from_datetime(cls, moment: datetime, timezone: str) -> "Week":
        """The week of an aware moment, as the clocks of `zone` (an IANA name) show it."""
        return cls.from_date(moment.astimezone(ZoneInfo(timezone)).date())

    @property
    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    def bounds(self, timezone: str) -> tuple[datetime, datetime]:
        """First moment of the week and first moment after it, in UTC."""
        return _bounds(self.monday, timezone)

    def __add__(self, weeks: int) -> "Week":
        return self.from_date(self.monday + timedelta(weeks=weeks))

    def __sub__(self, weeks: int) -> "Week":
        return self + -weeks

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02d}"


@dataclass(frozen=True, order=True, slots=True)
class SevenDays:
    """The seven days that end with `last`, for what is asked daily. `str()` gives `2026-03-05`."""

    last_day: date

    @classmethod
    def parse(cls, text: str) -> "SevenDays":
        """Read `2026-03-05`, their last day. Raises ConfigError when it is no day that posts can be from."""
        try:
            day = date.fromisoformat(text.strip())
        except ValueError:
            day = date.min
        if not VALID_YEARS[0] <= day.year < VALID_YEARS[1]:
            raise ConfigError(
                f"wanted a day such as 2026-03-05, from {VALID_YEARS[0]} to {VALID_YEARS[1] - 1}, got {text!r}."
            )
        return cls(day)

    def bounds(self, timezone: str) -> tuple[datetime, datetime]:
        """First moment of the seven days and first moment after them, in UTC."""
        return _bounds(self.last_day - timedelta(days=6), timezone)

    def __sub__(self, weeks: int) -> "SevenDays":
        return SevenDays(self.last_day - timedelta(weeks=weeks))

    def __str__(self) -> str:
        return self.last_day.isoformat()


Period = Week | SevenDays
PeriodT = TypeVar("PeriodT", Week, SevenDays, Week | SevenDays)


def last_day(period: Period | str) -> date:
    """The last day of a week or of seven days, or of what `str()` of one gave. Raises ConfigError when it is neither."""
    if isinstance(period, SevenDays):
        return period.last_day
    try:
        return (
            date.fromisoformat(period)
            if isinstance(period, str) and "W" not in period
            else _sunday(period)
        )
    except ValueError as error:
        raise ConfigError(
            f"wanted an ISO week such as 2026-W10 or a day such as 2026-03-05, got {period!r}."
        ) from error


def _sunday(week: Week | str) -> date:
    return (week if isinstance(week, Week) else Week.parse(week)).monday + timedelta(days=6)


def preceding_periods(period: PeriodT, count: int) -> list[PeriodT]:
    """The `count` weeks before `span`, oldest first; cut at the same weekday."""
    return [period - back for back in range(count, 0, -1)]


def _bounds(first: date, zone: str) -> tuple[datetime, datetime]:
    start, end = (
        datetime.combine(first + timedelta(days=days), time(), ZoneInfo(zone)) for days in (0, 7)
    )
    return start.astimezone(UTC), end.astimezone(UTC)
