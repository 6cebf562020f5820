"""What a server's headers ask of a crawl."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from crawlers.ledger import utc_now
from crawlers.politeness import parse_retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (b"120", 120.0),
        (b" 0 ", 0.0),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        (None, None),
        (b"", None),
        (b"soon", None),
        (b"-5", None),
    ],
)
def test_retry_after(header: bytes | None, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds


def test_retry_after_a_date() -> None:
    told = parse_retry_after(
        format_datetime(utc_now() + timedelta(seconds=90), usegmt=True).encode()
    )
    assert told is not None
    assert 60 < told <= 90


@pytest.mark.parametrize("digits", ["²", "१२", "1²"])
def test_digits_that_are_no_number_of_seconds(digits: str) -> None:
    assert parse_retry_after(digits.encode("latin-1", "replace")) is None
