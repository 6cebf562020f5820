"""Dates as people, sites and programs write them, in Chinese and English, as moments in UTC.

The grammar is our own: dateutil ignores an unknown time zone and takes 5/6 for May, dateparser
fills what is missing from today and needs milliseconds a date; neither parses 晚上12:30.

Hands on the two modes of reading (`parse_date` for a cell of a file, `find_date` for a text of a
page), the order of day and month, and the errors.
"""

from folate.core.dates.moments import AmbiguousDateOrderError, DateError, TimestampWithPrecision
from folate.core.dates.order import DateOrder, DateOrderEvidence, is_ambiguous_date
from folate.core.dates.reading import (
    MIN_POST_TIME,
    DateRejectReason,
    date_reject_reason,
    find_date,
    parse_date,
)

__all__ = [
    "MIN_POST_TIME",
    "AmbiguousDateOrderError",
    "DateError",
    "DateOrder",
    "DateOrderEvidence",
    "DateRejectReason",
    "TimestampWithPrecision",
    "date_reject_reason",
    "find_date",
    "is_ambiguous_date",
    "parse_date",
]
