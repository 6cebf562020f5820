"""Which addresses open threads and boards, and which page comes next."""

from datetime import UTC, datetime

import pytest

from crawlers.parse.forum import board_id, thread_id
from crawlers.parse.markup import next_page_url
from crawlers.parse.microblog import search_url, with_page_number
from crawlers.parse.page import Page

NOW = datetime(2026, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/t/some-slug/12/", "12"),
        ("/topic/12-some-slug", "12"),
        ("/topic/12/some-slug", "12"),
        ("/d/12-some-slug", "12"),
        ("/threads/some-slug.12/", "12"),
        ("/thread-12-1-1.html", "12"),
        ("/forum.php?mod=viewthread&tid=12&extra=page%3D1", "12"),
        ("/viewtopic.php?f=2&t=12", "12"),
        ("/showthread.php?t=12", "12"),
        ("/p/9119688421", "9119688421"),
        ("/index.php?threads/some-slug.12/", "12"),
        ("/index.php?threads/12/", "12"),
        ("/index.php?/topic/12-some-slug/", "12"),
        ("/index.php/topic/12-some-slug/", "12"),
        ("/index.php?p=/discussion/12/some-slug", "12"),
        ("/forum.php?tid=12&mod=viewthread", "12"),
        ("/forum.php?extra=page%3D3&tid=12&page=1&mod=viewthread", "12"),
        ("/viewthread.php?tid=12", "12"),
        ("/viewtopic.php?t=12&f=2", "12"),
        ("/viewtopic.php?sid=c613f07a&sk=t&sd=a&start=0&t=12", "12"),
        ("/viewtopic.php?id=12", "12"),
        ("/showthread.php?12-some-slug", "12"),
        ("/showthread.php?s=abc&t=12", "12"),
        ("/showthread.php/12-some-slug", "12"),
        ("/showthread.php?tid=12", "12"),
        ("/threads/12-some-slug", "12"),
        ("/thread-12.html", "12"),
        ("/index.php?topic=12.0", "12"),
        ("/index.php?PHPSESSID=abc;topic=12.0", "12"),
        ("/index.php/topic,12.0.html", "12"),
        ("/read.php?tid=12", "12"),
        ("/index.php?topic=12.15", None),
        ("/index.php?topic=12.msg99", None),
        ("/index.php?action=printpage;topic=12.0", None),
        ("/index.php?threads/some-slug.12/page-2", None),
        ("/index.php?threads/some-slug.12/&page=2", None),
        ("/index.php/topic,12.15.html", None),
        ("/forum.php?mod=viewthread&page=2&tid=12", None),
        ("/forum.php?mod=viewthread&tid=12&authorid=7", None),
        ("/forum.php?mod=post&action=reply&tid=12", None),
        ("/viewtopic.php?start=10&t=12", None),
        ("/viewtopic.php?p=99", None),
        ("/showthread.php?p=99", None),
        ("/showthread.php?t=12&goto=newpost", None),
        ("/showthread.php?tid=12&pid=99", None),
        ("/showthread.php?t=12&page=2", None),
        ("/t/some-slug/12/3/", None),
        ("/t/some-slug/12/last/", None),
        ("/topic/12?page=2", None),
        ("/topic/12/some-slug/3", None),
        ("/thread-12-2-1.html", None),
        ("/viewtopic.php?f=2&t=12&start=10", None),
        ("/forum.php?mod=viewthread&tid=12&page=2", None),
        ("/u/name/12/", None),
        ("/p/12", None),
    ],
)
def test_threads(path: str, number: str | None) -> None:
    assert thread_id(f"https://board.example{path}") == number


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/c/food/4/", "4"),
        ("/forum/1-food", "1"),
        ("/category/1-life", "1"),
        ("/category/1/life", "1"),
        ("/forums/food.4/", "4"),
        ("/forum-4-1.html", "4"),
        ("/forum.php?mod=forumdisplay&fid=4", "4"),
        ("/viewforum.php?f=4", "4"),
        ("/index.php?forums/food.4/", "4"),
        ("/index.php?/forum/4-food/", "4"),
        ("/forum.php?fid=4&mod=forumdisplay", "4"),
        ("/forumdisplay.php?4-food", "4"),
        ("/forumdisplay.php?fid=4", "4"),
        ("/viewforum.php?sid=c613f07a&f=4", "4"),
        ("/viewforum.php?id=4", "4"),
        ("/index.php?board=4.0", "4"),
        ("/index.php/board,4.0.html", "4"),
        ("/index.php?board=4.20", None),
        ("/index.php?forums/food.4/page-2", None),
        ("/forum.php?mod=forumdisplay&fid=4&page=2", None),
        ("/forum.php?mod=forumdisplay&fid=4&filter=digest", None),
        ("/viewforum.php?f=4&start=25", None),
        ("/forum/1-food?page=2", None),
        ("/forum-4-2.html", None),
        ("/faq/", None),
    ],
)
def test_boards(path: str, number: str | None) -> None:
    assert board_id(f"https://board.example{path}") == number


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<link rel="next" href="/a/2/">', "/a/2/"),
        (
            '<div class="pager"><a href="?page=1">1</a><a href="?page=3">下一页&gt;</a></div>',
            "/a/?page=3",
        ),
        ('<div class="pg"><a class="nxt" href="/a-2.html"></a></div>', "/a-2.html"),
        (
            '<ul class="pagination"><li><a href="?page=1">vorige</a></li><li><a href="?page=3">3'
            "</a></li></ul>",
            "/a/?page=3",
        ),
        ('<ul class="pagination"><li><a href="?page=1">1</a></li></ul>', None),
        ('<p><a href="?page=3">»</a></p>', None),
        ('<div class="pager"><a href="javascript:next()">»</a></div>', None),
    ],
)
def test_next_page(markup: str, expected: str | None) -> None:
    found = next_page_url(
        Page("https://board.example/a/?page=2", markup.encode(), NOW, "text/html")
    )
    assert found == (expected and f"https://board.example{expected}")


def test_session_ids_are_left_out() -> None:
    page = Page("https://board.example/", b"", NOW)
    assert (
        page.absolute_url("viewtopic.php?f=2&t=1&sid=c613f07a94d24ae130f878df2f758925#p3")
        == "https://board.example/viewtopic.php?f=2&t=1"
    )
    assert page.absolute_url("/search?s=麦片&p=2") == "https://board.example/search?s=麦片&p=2"


def test_searches() -> None:
    first = search_url("https://m.board.example/x/", "麦片 甜", 1)
    assert first == (
        "https://m.board.example/api/container/getIndex?containerid"
        "=100103type%3D1%26q%3D%E9%BA%A6%E7%89%87%20%E7%94%9C&page_type=searchall&page=1"
    )
    assert with_page_number(
        "https://m.board.example/api/container/getIndex?containerid=1076031&page=4", 5
    ).endswith("containerid=1076031&page=5")
