"""What a page tells of when its posts were published, and which of them are dropped for it."""

import json
from datetime import UTC, datetime

import pytest

from crawlers.parse import PARSERS
from crawlers.parse.page import Page, ParsedPage, SourceInfo

NOW = datetime(2026, 3, 12, 2, 30, 15, tzinfo=UTC)  # 10:30:15 in Shanghai
SITE = SourceInfo(
    "site", "forum", "Asia/Shanghai", "run", lambda source, native: f"hash of {native}"
)
THREAD = {"role": "thread", "query": "https://board.example/", "thread": "7"}
LIST = {"role": "list", "query": "麦片", "page": 1}


def parse_thread(*dates: str, likes: str = "") -> ParsedPage:
    posts = "".join(
        f'<div itemscope itemtype="https://schema.org/Comment" id="post-{n}"><span '
        f'itemprop="datePublished">{date}</span>'
        f'<span itemprop="upvoteCount">{likes}</span><div itemprop="text">text {n}</div></div>'
        for n, date in enumerate(dates, 1)
    )
    page = Page(
        "https://board.example/topic/7",
        f"<html><body>{posts}</body></html>".encode(),
        NOW,
        "text/html; charset=utf-8",
    )
    return PARSERS["forum"](page, SITE, THREAD)


def dates_and_reasons(parsed: ParsedPage) -> list[str]:
    return [post.published_at.isoformat()[:16] for post in parsed.posts] + [
        dropped.reason for dropped in parsed.dropped
    ]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("1 year, 2 months ago", "2025-01-11T16:00"),
        ("2 weeks, 3 days ago", "2026-02-22T16:00"),
        ("1 day, 3 hours ago", "2026-03-10T23:00"),
        ("1天3小时前", "2026-03-10T23:00"),
        ("1.5 hours ago", "2026-03-12T01:00"),
        ("3.0 weeks ago", "2026-02-18T16:00"),
        ("两天前", "2026-03-09T16:00"),
        ("2026-03-08 23:30 UTC+8", "2026-03-08T15:30"),
        ("Sun Mar 08 2026 23:30:00 GMT+0800 (China Standard Time)", "2026-03-08T15:30"),
        ("2026-03-08 12:30 (UTC-5)", "2026-03-08T17:30"),
        ("1772944200", "2026-03-08T04:30"),
        ("3月13日", "2025-03-12T16:00"),
        ("2026-03-08 12:30 IST", "unreadable date"),
        ("03-04-2026, 12:30 PM", "unreadable date"),
        ("2026-03-13 10:31", "date in the future"),
        ("2026-03-13 10:30", "2026-03-13T02:30"),
        ("0001-01-01T00:00:00Z", "date too early"),
        ("1989-12-31", "date too early"),
        ("by nobody", "no date"),
    ],
)
def test_a_date_of_a_thread(date: str, expected: str) -> None:
    assert dates_and_reasons(parse_thread(date)) == [expected]


def test_the_dates_of_a_page_settle_one_another() -> None:
    parsed = parse_thread("03-04-2026, 12:30 PM", "02-21-2026, 12:30 PM")
    assert dates_and_reasons(parsed) == ["2026-03-04T04:30", "2026-02-21T04:30"]
    assert dates_and_reasons(parse_thread("03-04-2026", "02-21-2026", "21-02-2026")) == [
        "2026-02-20T16:00",
        "2026-02-20T16:00",
        "unreadable date",
    ]


def test_a_count_that_can_not_be_read_is_missing() -> None:
    assert [
        parse_thread("2026-03-08", likes=likes).posts[0].likes for likes in ("1.2万", "赞", "none")
    ] == [12000, None, None]


def test_microblogs_and_reviews_follow_the_same_rules() -> None:
    dates = [
        "Sun Mar 08 12:30:00 +0800 2026",
        "Mon Mar 09 12:30:00 +0800 2027",
        "Sun Mar 08 12:30:00 IST 2026",
        "",
    ]
    cards = [
        {"mblog": {"id": str(n), "text": "t", "user": {"id": 1}, "created_at": date}}
        for n, date in enumerate(dates)
    ]
    page = Page(
        "https://m.example/api",
        json.dumps({"ok": 1, "data": {"cards": cards}}).encode(),
        NOW,
        "application/json",
    )
    expected = ["2026-03-08T04:30", "date in the future", "unreadable date", "no date"]
    assert dates_and_reasons(PARSERS["microblog"](page, SITE, LIST)) == expected

    days = ["02/01/2026", "13/01/2026", "13/01/2027"]
    reviews = [
        {"@type": "Review", "reviewBody": f"good {n}", "datePublished": day}
        for n, day in enumerate(days)
    ]
    body = f'<script type="application/ld+json">{json.dumps(reviews)}</script>'
    page = Page("https://shop.example/p/1", body.encode(), NOW, "text/html")
    parsed = PARSERS["reviews"](page, SITE, {"role": "start", "query": "https://shop.example/p/1"})
    assert dates_and_reasons(parsed) == [
        "2026-01-01T16:00",
        "2026-01-12T16:00",
        "date in the future",
    ]
