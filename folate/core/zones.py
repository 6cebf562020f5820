"""Time zones as people and programs write them behind a clock: UTC+8, +0530, CST, (Asia/Shanghai)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

_REACH = timedelta(hours=-12), timedelta(hours=14)  # of the clocks in use
_CHINA = timezone(timedelta(hours=8))
_NORTH_AMERICAN = frozenset({"AST", "EST", "CST", "MST", "PST", "AKST", "HST"})
_AMERICA = ("America/", "US/", "Canada/", "Mexico/", "Pacific/Honolulu")
_GREATER_CHINA = frozenset({"Asia/Hong_Kong", "Hongkong", "Asia/Urumqi", "Asia/Kashgar"})
# Hours from UTC. What stands in the zone database today, where all zones that use it agree;
# CST, IST and the like mean something only within a zone that uses them.
_HOURS: Mapping[str, float] = {
    "ACDT": 10.5, "ACST": 9.5, "ADT": -3, "AEDT": 11, "AEST": 10, "AKDT": -8, "AKST": -9, "AWST": 8,
    "BST": 1, "CAT": 2, "CDT": -5, "CEST": 2, "CET": 1, "EAT": 3, "EDT": -4, "EEST": 3, "EET": 2,
    "EST": -5, "HKT": 8, "HST": -10, "JST": 9, "KST": 9, "MDT": -6, "MSK": 3, "MST": -7, "NDT": -2.5,
    "NZDT": 13, "NZST": 12, "PDT": -7, "PKT": 5, "PST": -8, "SAST": 2, "SGT": 8, "WEST": 1,
    "WET": 0, "WIB": 7,
}  # fmt: skip
_AMBIGUOUS = frozenset(
    {"AST", "CST", "GST", "IDT", "IST", "NST", "SST", "WAT", "WIT", "ECT", "BDT"}
)
_ELSEWHERE = {  # prefixes of zones whose people mean another offset than that of the table
    "BST": ("Asia/Dhaka", "Pacific/Bougainville"),
    "CDT": ("Asia/", "America/Havana", "Cuba"),
    "EDT": ("Australia/",),
    "EST": ("Australia/",),
    "MST": ("Asia/",),
    "PST": ("Asia/Karachi", "Pacific/Pitcairn"),
}
_LETTERS = {"ET": "America/New_York", "PT": "America/Los_Angeles"}
_KNOWN = frozenset(_HOURS) | _AMBIGUOUS | frozenset(_LETTERS)
_ZONE = re.compile(
    r"[ ,|]{0,2}[(\[]?(?:"
    r"(?P<utc>(?i:utc|gmt|z|ut))(?![A-Za-z])"
    r"(?: ?(?P<utc_sign>[+-]) ?(?P<utc_hours>\d{1,2})(?::?(?P<utc_minutes>\d{2}))?(?![\d:]))?"
    r"|(?P<sign>[+-])(?P<hours>\d{2}|\d(?=:))(?::?(?P<minutes>\d{2}))?(?![\d:])"
    r"|(?P<name>[A-Z][A-Za-z]{1,20}/[A-Za-z_+-]{2,30}(?:/[A-Za-z_]{2,30})?\d{0,2})"
    r"|(?P<letters>[A-Z]{2,5}|(?<![,|] )(?:[cpme][sd]t|[jki]st|bst|hkt|ces?t))(?![A-Za-z])"
    r"|(?P<china>(?i:(?:china standard|beijing) time)|中国标准时间|北京时间)"
    r"|(?P<words>(?:[A-Z][a-z]{2,20} ){1,3}(?:Standard|Daylight|Summer) Time"
    r"|(?:Eastern|Central|Mountain|Pacific) Time))[)\]]?",
    re.ASCII,
)
_COMMENT = re.compile(r" ?(?:\([^()]{0,60}\)|\[[^\[\]]{0,60}\]|[A-Z]{3,5}(?![A-Za-z]))", re.ASCII)
_OFFSET = re.compile(r" ?[+-] ?\d", re.ASCII)


class UnknownTimezoneError(ValueError):
    """A time zone is written that can't be told, or that no clock has."""


def timezone_at(text: str, start: int, project_timezone: str) -> tuple[tzinfo, int] | None:
    """Return the zone written in `text` from `start` on and where it ends; None when none is.

    `project_zone` (an IANA name) settles abbreviations that several zones use. Capitals that are
    no abbreviation of a zone are none. Raises UnknownZoneError for one that can't be told.
    """
    match = _ZONE.match(text, start)
    if not match:
        return None
    if (
        match["letters"]
        and match["letters"].upper() not in _KNOWN | _abbreviations(project_timezone).keys()
    ):
        return None
    zone = _zone(match, project_timezone)
    if match["utc"] and not match["utc_sign"] and _OFFSET.match(text, match.end("utc")):
        raise UnknownTimezoneError(f"no known offset: {match['utc']}{text[match.end('utc') :][:8]}")
    end = match.end()
    if match["utc_sign"] or match["sign"] or match["utc"]:
        while comment := _COMMENT.match(text, end):  # RFC 5322: (CST); Go: +0800 CST
            end = comment.end()
    return zone, end


def _zone(match: re.Match[str], project_zone: str) -> tzinfo:
    if match["utc"] and not match["utc_sign"]:
        return UTC
    if match["utc"]:
        return _offset(match["utc_sign"], match["utc_hours"], match["utc_minutes"])
    if match["sign"]:
        return _offset(match["sign"], match["hours"], match["minutes"])
    if match["china"]:
        return _CHINA
    if match["letters"]:
        return _abbreviated(match["letters"].upper(), project_zone)
    if match["name"] and match["name"] in _names():
        return ZoneInfo(match["name"])
    raise UnknownTimezoneError(f"no known time zone: {match[0].strip(' ,|()[]')}")


def _offset(sign: str, hours: str, minutes: str | None) -> tzinfo:
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    offset = -offset if sign == "-" else offset
    if not _REACH[0] <= offset <= _REACH[1] or int(minutes or 0) % 15:
        raise UnknownTimezoneError(f"no zone is {sign}{hours}:{minutes or '00'} from UTC")
    return timezone(offset)


def _abbreviated(letters: str, project_zone: str) -> tzinfo:
    own = _abbreviations(project_zone)
    if letters in own:
        return timezone(own[letters])
    if letters == "CST" and project_zone in _GREATER_CHINA:
        return _CHINA
    if letters == "CST" and own.keys() & _NORTH_AMERICAN and project_zone.startswith(_AMERICA):
        return timezone(timedelta(hours=-6))
    if letters in _LETTERS:
        return ZoneInfo(_LETTERS[letters])
    if letters in _HOURS and not project_zone.startswith(_ELSEWHERE.get(letters, ())):
        return timezone(timedelta(hours=_HOURS[letters]))
    raise UnknownTimezoneError(
        f"{letters} means several time zones, and none of them in {project_zone}"
    )


@lru_cache(maxsize=64)
def _abbreviations(project_zone: str) -> Mapping[str, timedelta]:
    """Abbreviations that the clocks of a zone show in winter and summer, with their offsets."""
    zone = ZoneInfo(project_zone)
    days = (datetime(2026, month, 1, tzinfo=zone) for month in (1, 7))
    return {str(day.tzname()): day.utcoffset() or timedelta() for day in days}


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
