"""Time zones as people and programs write them behind a clock: UTC+8, +0530, CST."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

# Offsets of the clocks in use.
_MIN_OFFSET = timedelta(hours=-12)
_MAX_OFFSET = timedelta(hours=14)
_CHINA = timezone(timedelta(hours=8))
_NORTH_AMERICAN = frozenset({"AST", "EST", "CST", "MST", "PST", "AKST", "HST"})
_AMERICAN_PREFIXES = ("America/", "US/", "Canada/", "Mexico/", "Pacific/Honolulu")
# Zones around China whose clocks have another abbreviation, and whose people mean China by CST.
_GREATER_CHINA = frozenset({"Asia/Hong_Kong", "Hongkong", "Asia/Urumqi", "Asia/Kashgar"})
# Hours from UTC of the abbreviations on which all zones of the zone database agree today.
# CST, IST and the like mean something only within a zone that uses them.
_OFFSET_HOURS: Mapping[str, float] = {
    "ACDT": 10.5,
    "ACST": 9.5,
    "ADT": -3,
    "AEDT": 11,
    "AEST": 10,
    "AKDT": -8,
    "AKST": -9,
    "AWST": 8,
    "BST": 1,
    "CAT": 2,
    "CDT": -5,
    "CEST": 2,
    "CET": 1,
    "EAT": 3,
    "EDT": -4,
    "EEST": 3,
    "EET": 2,
    "EST": -5,
    "HKT": 8,
    "HST": -10,
    "JST": 9,
    "KST": 9,
    "MDT": -6,
    "MSK": 3,
    "MST": -7,
    "NDT": -2.5,
    "NZDT": 13,
    "NZST": 12,
    "PDT": -7,
    "PKT": 5,
    "PST": -8,
    "SAST": 2,
    "SGT": 8,
    "WEST": 1,
    "WET": 0,
    "WIB": 7,
}
_AMBIGUOUS = frozenset(
    {"AST", "CST", "GST", "IDT", "IST", "NST", "SST", "WAT", "WIT", "ECT", "BDT"}
)
# Prefixes of zones whose people mean another offset than that of the table.
_EXCEPTIONS = {
    "BST": ("Asia/Dhaka", "Pacific/Bougainville"),
    "CDT": ("Asia/", "America/Havana", "Cuba"),
    "EDT": ("Australia/",),
    "EST": ("Australia/",),
    "MST": ("Asia/",),
    "PST": ("Asia/Karachi", "Pacific/Pitcairn"),
}
# Abbreviations that are the same in winter and summer.
_SEASONLESS = {"ET": "America/New_York", "PT": "America/Los_Angeles"}
_ABBREVIATIONS = frozenset(_OFFSET_HOURS) | _AMBIGUOUS | frozenset(_SEASONLESS)
_ZONE_REGEX = re.compile(
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
# What may follow an offset: (CST) in mail (RFC 5322), CST in the logs of Go.
_COMMENT_REGEX = re.compile(
    r" ?(?:\([^()]{0,60}\)|\[[^\[\]]{0,60}\]|[A-Z]{3,5}(?![A-Za-z]))", re.ASCII
)
_OFFSET_REGEX = re.compile(r" ?[+-] ?\d", re.ASCII)


class UnknownTimezoneError(ValueError):
    """A time zone that can't be resolved, or an offset that no clock has."""


def timezone_at(text: str, start: int, project_timezone: str) -> tuple[tzinfo, int] | None:
    """Return the zone written in `text` at `start` and where it ends; None without one.

    `project_timezone` (an IANA name) resolves abbreviations that several zones use. Capitals that
    are no abbreviation of a zone are none. Raises UnknownTimezoneError for an unknown zone.
    """
    match = _ZONE_REGEX.match(text, start)
    if not match:
        return None
    if match["letters"]:
        letters = match["letters"].upper()
        if letters not in _ABBREVIATIONS and letters not in _offsets_in_zone(project_timezone):
            return None
    zone = _resolve_zone(match, project_timezone)
    if match["utc"] and not match["utc_sign"] and _OFFSET_REGEX.match(text, match.end("utc")):
        raise UnknownTimezoneError(f"no known offset: {match['utc']}{text[match.end('utc') :][:8]}")
    end = match.end()
    if match["utc_sign"] or match["sign"] or match["utc"]:
        while comment := _COMMENT_REGEX.match(text, end):
            end = comment.end()
    return zone, end


def _resolve_zone(match: re.Match[str], project_timezone: str) -> tzinfo:
    if match["utc"] and not match["utc_sign"]:
        return UTC
    if match["utc"]:
        return _fixed_offset(match["utc_sign"], match["utc_hours"], match["utc_minutes"])
    if match["sign"]:
        return _fixed_offset(match["sign"], match["hours"], match["minutes"])
    if match["china"]:
        return _CHINA
    if match["letters"]:
        return _resolve_abbreviation(match["letters"].upper(), project_timezone)
    if match["name"] and match["name"] in _iana_names():
        return ZoneInfo(match["name"])
    raise UnknownTimezoneError(f"no known time zone: {match[0].strip(' ,|()[]')}")


def _fixed_offset(sign: str, hours: str, minutes: str | None) -> tzinfo:
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    offset = -offset if sign == "-" else offset
    if not _MIN_OFFSET <= offset <= _MAX_OFFSET or int(minutes or 0) % 15:
        raise UnknownTimezoneError(f"no zone is {sign}{hours}:{minutes or '00'} from UTC")
    return timezone(offset)


def _resolve_abbreviation(letters: str, project_timezone: str) -> tzinfo:
    """Return the zone of CST and the like: as in the project's zone, else where all agree."""
    project_offsets = _offsets_in_zone(project_timezone)
    if letters in project_offsets:
        return timezone(project_offsets[letters])
    if letters == "CST" and project_timezone in _GREATER_CHINA:
        return _CHINA
    is_north_american = project_offsets.keys() & _NORTH_AMERICAN
    if letters == "CST" and is_north_american and project_timezone.startswith(_AMERICAN_PREFIXES):
        return timezone(timedelta(hours=-6))
    if letters in _SEASONLESS:
        return ZoneInfo(_SEASONLESS[letters])
    is_exception = project_timezone.startswith(_EXCEPTIONS.get(letters, ()))
    if letters in _OFFSET_HOURS and not is_exception:
        return timezone(timedelta(hours=_OFFSET_HOURS[letters]))
    raise UnknownTimezoneError(
        f"{letters} means several time zones, and none of them in {project_timezone}"
    )


@lru_cache(maxsize=64)
def _offsets_in_zone(project_timezone: str) -> Mapping[str, timedelta]:
    """Return the abbreviations of a zone's clocks in winter and summer, with their offsets."""
    zone = ZoneInfo(project_timezone)
    days = [datetime(2026, month, 1, tzinfo=zone) for month in (1, 7)]
    return {str(day.tzname()): day.utcoffset() or timedelta() for day in days}


@cache
def _iana_names() -> frozenset[str]:
    return frozenset(available_timezones())
