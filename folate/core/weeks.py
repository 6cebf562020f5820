"""Weeks in the project's time zone: ISO weeks, and seven days that end on any day."""

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
        """Parse `2026-W10`. Raises ConfigError for what is no week of that year."""
        match = _PATTERN.fullmatch(text.strip())
        if match and VALID_YEARS[0] <= int(match[1]) < VALID_YEARS[1]:
            week = cls(int(match[1]), int(match[2]))
            # 4 January is always in the first ISO week.
            day = date(week.year, 1, 4) + timedelta(weeks=week.number - 1)
            if week.number and cls.from_date(day) == week:
                return week
        raise ConfigError(f"wanted an ISO week such as 2026-W10, got {text!r}.")

    @classmethod
    def from_date(cls, day: date) -> "Week":
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @classmethod
    def from_datetime(cls, moment: datetime, timezone: str) -> "Week":
        """Return the week of an aware moment in `timezone` (an IANA name)."""
        return cls.from_date(moment.astimezone(ZoneInfo(timezone)).date())

    @property
    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    def bounds(self, timezone: str) -> tuple[datetime, datetime]:
        """Return the first moment of the week and the first after it, in UTC."""
        return _seven_day_bounds(self.monday, timezone)

    def __add__(self, weeks: int) -> "Week":
        return self.from_date(self.monday + timedelta(weeks=weeks))

    def __sub__(self, weeks: int) -> "Week":
        return self + -weeks

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02d}"


@dataclass(frozen=True, order=True, slots=True)
class SevenDays:
    """The seven days up to `last_day`, for daily questions. `str()` gives `2026-03-05`."""

    last_day: date

    @classmethod
    def parse(cls, text: str) -> "SevenDays":
        """Parse `2026-03-05`, the last day. Raises ConfigError outside VALID_YEARS."""
        try:
            day = date.fromisoformat(text.strip())
        except ValueError:
            day = date.min
        if not VALID_YEARS[0] <= day.year < VALID_YEARS[1]:
            raise ConfigError(
                f"wanted a day such as 2026-03-05, from {VALID_YEARS[0]} to {VALID_YEARS[1] - 1}, "
                f"got {text!r}."
            )
        return cls(day)

    def bounds(self, timezone: str) -> tuple[datetime, datetime]:
        """Return the first moment of the seven days and the first after them, in UTC."""
        return _seven_day_bounds(self.last_day - timedelta(days=6), timezone)

    def __sub__(self, weeks: int) -> "SevenDays":
        return SevenDays(self.last_day - timedelta(weeks=weeks))

    def __str__(self) -> str:
        return self.last_day.isoformat()


Period = Week | SevenDays
PeriodT = TypeVar("PeriodT", Week, SevenDays, Week | SevenDays)


def last_day(period: Period | str) -> date:
    """Return the last day of a period, or of its `str()`. Raises ConfigError for another text."""
    if isinstance(period, SevenDays):
        return period.last_day
    if isinstance(period, Week):
        return _last_day_of_week(period)
    try:
        if "W" in period:
            return _last_day_of_week(Week.parse(period))
        return date.fromisoformat(period)
    except ValueError as error:
        raise ConfigError(
            f"wanted an ISO week such as 2026-W10 or a day such as 2026-03-05, got {period!r}."
        ) from error


def _last_day_of_week(week: Week) -> date:
    return week.monday + timedelta(days=6)


def preceding_periods(period: PeriodT, count: int) -> list[PeriodT]:
    """Return the `count` weeks that precede `period`, the oldest first."""
    return [period - back for back in range(count, 0, -1)]


def _seven_day_bounds(first_day: date, timezone: str) -> tuple[datetime, datetime]:
    tz = ZoneInfo(timezone)
    start = datetime.combine(first_day, time(), tz)
    end = datetime.combine(first_day + timedelta(days=7), time(), tz)
    return start.astimezone(UTC), end.astimezone(UTC)
