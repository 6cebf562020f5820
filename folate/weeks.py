"""ISO weeks in the project's time zone. Every cut of time into weeks in Folate is made here."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from folate.errors import ConfigError
from folate.post import YEARS

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
        if match and YEARS[0] <= int(match[1]) < YEARS[1]:
            week = cls(int(match[1]), int(match[2]))
            if week.number and cls.of_date(date(week.year, 1, 4) + timedelta(weeks=week.number - 1)) == week:
                return week
        raise ConfigError(f"wanted an ISO week such as 2026-W10, got {text!r}.")

    @classmethod
    def of_date(cls, day: date) -> "Week":
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @classmethod
    def of(cls, moment: datetime, zone: str) -> "Week":
        """The week of an aware moment, as the clocks of `zone` (an IANA name) show it."""
        return cls.of_date(moment.astimezone(ZoneInfo(zone)).date())

    @property
    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    def bounds(self, zone: str) -> tuple[datetime, datetime]:
        """First moment of the week and first moment after it, in UTC."""
        start = datetime.combine(self.monday, time(), ZoneInfo(zone))
        end = datetime.combine(self.monday + timedelta(days=7), time(), ZoneInfo(zone))
        return start.astimezone(UTC), end.astimezone(UTC)

    def __add__(self, weeks: int) -> "Week":
        return self.of_date(self.monday + timedelta(weeks=weeks))

    def __sub__(self, weeks: int) -> "Week":
        return self + -weeks

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02d}"


def trailing(week: Week, count: int) -> list[Week]:
    """The `count` weeks before `week`, oldest first."""
    return [week - back for back in range(count, 0, -1)]
