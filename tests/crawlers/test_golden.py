"""Saved pages and their posts, dropped items and links, as JSON lines in tests/golden/crawlers.

`python tests/crawlers/test_golden.py` writes the golden files again; review the difference before
committing it.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.parse import PARSERS
from crawlers.parse.page import Page, ParsedPage, SourceInfo

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "crawlers"
NOW = datetime(2026, 3, 12, 2, 30, 15, tzinfo=UTC)  # 10:30:15 in Shanghai
SITE = SourceInfo(
    "site", "forum", "Asia/Shanghai", "run", lambda source, native: f"hash of {native}"
)
THREAD = {"role": "thread", "query": "https://board.example/", "thread": "7"}
LIST = {"role": "list", "query": "麦片", "page": 1}
START = {"role": "start", "query": "https://shop.example/p/1/"}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "microdata.html": ("forum", "https://board.example/t/breakfast/7/", THREAD),
    "flaskbb.html": ("forum", "https://board.example/topic/3-oats", THREAD),
    "discuz.html": ("forum", "https://board.example/thread-900-1-1.html", THREAD),
    "phpbb.html": ("forum", "https://board.example/viewtopic.php?f=2&t=167", THREAD),
    "xenforo.html": ("forum", "https://board.example/threads/which-oats.230/", THREAD),
    "discourse.html": ("forum", "https://board.example/t/oats/7", THREAD),
    "forum_jsonld.html": ("forum", "https://board.example/discussion/5/", THREAD),
    "tieba.html": ("forum", "https://board.example/p/9119688421", THREAD),
    "weibo.json": ("microblog", "https://m.board.example/api/container/getIndex", LIST),
    "jsonld.html": ("reviews", "https://shop.example/p/1/", START),
    "reviews_microdata.html": ("reviews", "https://shop.example/p/2/", START),
    "jd.js": ("reviews", "https://shop.example/comments?callback=x", START),
    "oscar_en.html": ("reviews", "https://shop.example/catalogue/oats_1/reviews/", START),
    "oscar_zh.html": ("reviews", "https://shop.example/catalogue/oats_1/reviews/", START),
}


def parse_fixture(name: str) -> ParsedPage:
    spider, url, context = CASES[name]
    kind = "application/json" if name.endswith("json") else "text/html; charset=utf-8"
    return PARSERS[spider](
        Page(url, (HERE / "fixtures" / name).read_bytes(), NOW, kind), SITE, context
    )


def result_lines(parsed: ParsedPage) -> Iterator[str]:
    for post in parsed.posts:
        shown = json.loads(post.to_json())
        constant = {
            "source": "site",
            "kind": "forum",
            "crawl": "run",
            "fetched_at": NOW.isoformat(),
        }
        assert {key: shown.pop(key) for key in constant} == constant
        yield json.dumps({"post": shown}, ensure_ascii=False)
    for dropped in parsed.dropped:
        yield json.dumps({"dropped": dropped.reason, "id": dropped.id}, ensure_ascii=False)
    for link in parsed.links:
        yield json.dumps({"link": link.url, **link.context}, ensure_ascii=False)
    if parsed.reported_total is not None:
        yield json.dumps({"listed": len(parsed.listed_ids), "of": parsed.reported_total})


@pytest.mark.parametrize("name", CASES)
def test_page_gives_what_its_golden_file_says(name: str) -> None:
    assert (
        list(result_lines(parse_fixture(name)))
        == (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    )


@pytest.mark.parametrize("name", CASES)
def test_no_author_is_named(name: str) -> None:
    names = [
        "alder",
        "birch",
        "cedar",
        "黄樱",
        "山楂",
        "枇杷",
        "石榴",
        "rowan",
        "hazel",
        "linden",
        "maple",
        "糯米",
        "青团",
        "芋圆",
        "年糕",
        "豆沙",
        "艾草",
        "粽叶",
        "藕粉",
        "汤圆",
        "米糕",
        "quince",
        "medlar",
        "damson",
        "Juniper",
    ]
    written = "\n".join(post.to_json() for post in parse_with_hashes(name).posts)
    assert not [who for who in names if who in written]


def parse_with_hashes(name: str) -> ParsedPage:
    from folate.core.post import make_pseudonymizer

    spider, url, context = CASES[name]
    site = SourceInfo("site", "forum", "Asia/Shanghai", "run", make_pseudonymizer("salt"))
    return PARSERS[spider](
        Page(url, (HERE / "fixtures" / name).read_bytes(), NOW, ""), site, context
    )


if __name__ == "__main__":
    for case in CASES:
        (GOLDEN / f"{case}.jsonl").write_text(
            "".join(f"{line}\n" for line in result_lines(parse_fixture(case))), encoding="utf-8"
        )
