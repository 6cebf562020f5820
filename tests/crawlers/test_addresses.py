"""Which addresses open threads and boards, and which page comes next."""

from datetime import UTC, datetime

import pytest

from crawlers.parse.forum import board_id, thread_id
from crawlers.parse.markup import next_page
from crawlers.parse.microblog import search_url, turn
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
        ("/forum/1-food?page=2", None),
        ("/forum-4-2.html", None),
        ("/faq/", None),
    ],
)
def test_boards(path: str, number: str | None) -> None:
    assert board_id(f"https://board.example{path}") == number


@pytest.mark.parametrize(
    ("markup", "wanted"),
    [
        ('<link rel="next" href="/a/2/">', "/a/2/"),
        ('<div class="pager"><a href="?page=1">1</a><a href="?page=3">下一页&gt;</a></div>', "/a/?page=3"),
        ('<div class="pg"><a class="nxt" href="/a-2.html"></a></div>', "/a-2.html"),
        ('<ul class="pagination"><li><a href="?page=1">vorige</a></li><li><a href="?page=3">3</a></li></ul>', "/a/?page=3"),
        ('<ul class="pagination"><li><a href="?page=1">1</a></li></ul>', None),
        ('<p><a href="?page=3">»</a></p>', None),
        ('<div class="pager"><a href="javascript:next()">»</a></div>', None),
    ],
)
def test_next_page(markup: str, wanted: str | None) -> None:
    found = next_page(Page("https://board.example/a/?page=2", markup.encode(), NOW, "text/html"))
    assert found == (wanted and f"https://board.example{wanted}")


def test_session_ids_are_left_out() -> None:
    page = Page("https://board.example/", b"", NOW)
    assert page.absolute("viewtopic.php?f=2&t=1&sid=c613f07a94d24ae130f878df2f758925#p3") == "https://board.example/viewtopic.php?f=2&t=1"
    assert page.absolute("/search?s=麦片&p=2") == "https://board.example/search?s=麦片&p=2"


def test_searches() -> None:
    first = search_url("https://m.board.example/x/", "麦片 甜", 1)
    assert first == (
        "https://m.board.example/api/container/getIndex?containerid=100103type%3D1%26q%3D%E9%BA%A6%E7%89%87%20%E7%94%9C&page_type=searchall&page=1"
    )
    assert turn("https://m.board.example/api/container/getIndex?containerid=1076031&page=4", 5).endswith("containerid=1076031&page=5")
