"""Damaged crawl folders, the page archive, the lock, and the expiry of cached pages."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.archive import (
    ARCHIVE_FILE,
    ID_CONFLICT_REASON,
    JOB_FILE,
    LEDGER_FILE,
    LOCK_FILE,
    POSTS_FILE,
    REJECTS_FILE,
    REPEATED_POST_REASON,
    CrawlWriter,
    SeenPosts,
    read_archive,
    read_job,
    read_posts,
)
from crawlers.cache import CACHE_FOLDER, delete_expired_pages, list_cache_folders
from crawlers.ledger import LedgerRow, ledger_row_from_json, ledger_row_to_json
from crawlers.parse import PARSERS
from crawlers.parse.page import Page, ParsedPage, RequestContext, SourceInfo
from crawlers.patience import ParseTimeoutError, cpu_limit
from crawlers.process import finalize_ledger, is_crawl_running
from crawlers.reparse import reparse_pages
from folate.core.config import Source
from folate.core.errors import InputError
from folate.core.post import Post

NOW = datetime(2026, 3, 12, 2, 30, tzinfo=UTC)
SOURCES = ("board", "shop")
HANDWRITTEN_ARCHIVE = Path(__file__).parent / "archives" / "before-warcio.warc.gz"


def make_post(native: str = "1", **fields: Any) -> Post:
    defaults = {"text": "太甜了", "author": "a" * 16, "published_at": NOW}
    return Post(id=f"board:{native}", source="board", kind="forum", **(defaults | fields))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of two sources, the first with three posts on three pages."""
    source = {"spider": "forum", "queries": []}
    job = {
        "crawl_id": "run",
        "sources": [
            source | {"name": name, "start": [f"https://{name}.example/"]} for name in SOURCES
        ],
    }
    (tmp_path / JOB_FILE).write_text(json.dumps(job), encoding="utf-8")
    writer = CrawlWriter(tmp_path)
    rows = [
        LedgerRow("run", name, f"https://{name}.example/", requests=3, pages=3) for name in SOURCES
    ]
    for number in (1, 2, 3):
        address = f"https://board.example/t/x/{number}/"
        body = (
            '<div itemscope itemtype="http://schema.org/DiscussionForumPosting" id="p%d">'
            '<time itemprop="datePublished" datetime="2026-03-01"></time>'
            '<div itemprop="text">words</div></div>'
        )
        page = Page(address, (body % number).encode(), NOW, "text/html; charset=utf-8")
        writer.archive_page(
            page,
            "board",
            {"role": "thread", "query": "https://board.example/", "thread": str(number)},
        )
        writer.write_post(rows[0], address, make_post(str(number)))
        writer.write_progress_row(rows[0])
    for row in rows:
        writer.write_final_row(row)
    writer.close()
    return tmp_path


def final_statuses(folder: Path) -> dict[str, tuple[str, str | None, int]]:
    return {
        row["source"]: (row["status"], row["reason"], row["posts"])
        for row in finalize_ledger(folder)
    }


def test_of_a_row_written_again_and_again_the_last_counts(folder: Path) -> None:
    assert len((folder / LEDGER_FILE).read_text(encoding="utf-8").splitlines()) == 5
    assert final_statuses(folder) == {"board": ("complete", None, 3), "shop": ("complete", None, 0)}
    assert len((folder / LEDGER_FILE).read_text(encoding="utf-8").splitlines()) == 2


def test_a_row_that_was_never_finished_keeps_what_it_had_come_to(folder: Path) -> None:
    lines = (folder / LEDGER_FILE).read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / LEDGER_FILE).write_text("".join(lines[:2]) + lines[2][:50], encoding="utf-8")
    expected = {
        "board": ("partial", "the crawl was cut off", 2),
        "shop": ("failed", "the crawl was cut off", 0),
    }
    assert final_statuses(folder) == expected
    assert final_statuses(folder) == expected  # and says so once


@pytest.mark.parametrize(
    "line",
    [
        "[1]",
        "{",
        "null",
        "{}",
        '{"crawl": 1}',
        "[" * 100_000,
        "\udcff",
        '{"crawl": "run", "source": "board"}',
        "9" * 5000,
    ],
)
def test_a_broken_row_is_counted_and_the_others_stay(folder: Path, line: str) -> None:
    good = (folder / LEDGER_FILE).read_bytes()
    (folder / LEDGER_FILE).write_bytes(line.encode("utf-8", "surrogateescape") + b"\n" + good)
    reason = "broken lines in ledger.jsonl: 1"
    assert final_statuses(folder) == {
        "board": ("partial", reason, 3),
        "shop": ("partial", reason, 0),
    }


@pytest.mark.parametrize(
    "line",
    [b"{broken", b"\xff\xfe", b"[1]", b"null", b"[" * 100_000, b'{"id": 1}', b"9" * 5000, b""],
)
def test_posts_before_and_after_a_broken_line_are_read(folder: Path, line: bytes) -> None:
    first, second, third = (folder / POSTS_FILE).read_bytes().splitlines(keepends=True)
    (folder / POSTS_FILE).write_bytes(first + line + b"\n" + second + third[:-5])
    broken: Counter[str] = Counter()
    assert [item.id for item in read_posts(folder, broken)] == ["board:1", "board:2"]
    assert broken == {POSTS_FILE: 1}
    reason = "broken lines in posts.jsonl: 1"
    assert [row[:2] for row in final_statuses(folder).values()] == [("partial", reason)] * 2
    assert [row[:2] for row in final_statuses(folder).values()] == [("partial", reason)] * 2


@pytest.mark.parametrize(
    "job",
    [
        b"",
        b"{}",
        b"[]",
        b"{",
        b"\xff",
        b'{"crawl_id": "run"}',
        b'{"crawl_id": "run", "sources": [1]}',
        b"[" * 100_000,
    ],
)
def test_a_job_that_tells_nothing_is_answered_in_a_sentence(folder: Path, job: bytes) -> None:
    (folder / JOB_FILE).write_bytes(job)
    with pytest.raises(InputError, match=r"job\.json"):
        finalize_ledger(folder)


@pytest.mark.parametrize("name", [JOB_FILE, POSTS_FILE, LEDGER_FILE])
def test_a_folder_where_a_file_should_be_is_told(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(InputError, match=name):
        finalize_ledger(folder)


@pytest.mark.parametrize("name", [POSTS_FILE, LEDGER_FILE, REJECTS_FILE, ARCHIVE_FILE])
def test_a_missing_file_is_an_empty_one(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert set(final_statuses(folder)) == set(SOURCES)


def reparsed_ids(folder: Path, dropped: Counter[str] | None = None) -> list[str]:
    sources = [Source(name="board", spider="forum", start=("https://board.example/",))]
    return [
        item.id
        for item in reparse_pages(folder, sources, lambda source, native: "x", "UTC", dropped)
    ]


def test_kept_pages_before_and_after_a_broken_one_are_read(folder: Path) -> None:
    raw = bytearray((folder / ARCHIVE_FILE).read_bytes())
    assert reparsed_ids(folder) == ["board:1", "board:2", "board:3"]
    second = raw.index(b"\x1f\x8b\x08", 1)
    raw[second + 30 : second + 60] = bytes(30)
    (folder / ARCHIVE_FILE).write_bytes(raw)
    dropped: Counter[str] = Counter()
    assert reparsed_ids(folder, dropped) == ["board:1", "board:3"]
    assert dropped == {ARCHIVE_FILE: 1}


def test_a_page_that_would_be_read_for_years_is_given_up() -> None:
    with pytest.raises(ParseTimeoutError, match=r"in 0\.2 s"), cpu_limit(0.2):
        re.match(r"(a+)+$", "a" * 60 + "b")
    with cpu_limit(0.2):
        pass
    assert sum(range(10**7)) > 0  # no alarm is left over


def test_kept_pages_after_one_that_takes_too_long_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse_page = PARSERS["forum"]

    def slow(page: Page, site: SourceInfo, context: RequestContext) -> ParsedPage:
        if context["thread"] == "2":
            raise ParseTimeoutError
        return parse_page(page, site, context)

    monkeypatch.setitem(PARSERS, "forum", slow)
    dropped: Counter[str] = Counter()
    assert reparsed_ids(folder, dropped) == ["board:1", "board:3"]
    assert dropped == {"pages not read in time": 1}


def test_half_a_record_between_whole_ones_is_counted(folder: Path) -> None:
    raw = (folder / ARCHIVE_FILE).read_bytes()
    second = raw.index(b"\x1f\x8b\x08", 1)
    (folder / ARCHIVE_FILE).write_bytes(raw[: second // 2] + raw[second:])
    dropped: Counter[str] = Counter()
    assert reparsed_ids(folder, dropped) == ["board:2", "board:3"]
    assert dropped == {ARCHIVE_FILE: 1}


@settings(deadline=None, derandomize=True, max_examples=60)
@given(where=st.floats(0, 1), size=st.integers(1, 200), filler=st.binary(max_size=40))
def test_no_damage_to_the_archive_raises(
    tmp_path_factory: pytest.TempPathFactory, where: float, size: int, filler: bytes
) -> None:
    run = tmp_path_factory.mktemp("run")
    writer = CrawlWriter(run)
    for number in range(3):
        page = Page(f"https://x.example/{number}", b"words" * 40, NOW, "text/html")
        writer.archive_page(page, "board", {"role": "thread", "query": "q"})
    writer.close()
    raw = (run / ARCHIVE_FILE).read_bytes()
    offset = int(where * len(raw))
    (run / ARCHIVE_FILE).write_bytes(raw[:offset] + filler + raw[offset + size :])
    urls = [page.url for _, _, page in read_archive(run)]
    assert set(urls) <= {f"https://x.example/{number}" for number in range(3)}


def test_an_archive_cut_anywhere_in_its_last_record_loses_that_record_only(folder: Path) -> None:
    archive_bytes = (folder / ARCHIVE_FILE).read_bytes()
    last_start = archive_bytes.rindex(b"\x1f\x8b\x08")
    for size in range(last_start, len(archive_bytes)):
        (folder / ARCHIVE_FILE).write_bytes(archive_bytes[:size])
        dropped: Counter[str] = Counter()
        assert reparsed_ids(folder, dropped) == ["board:1", "board:2"]
        assert not dropped


def test_an_archive_written_before_warcio_was_used_is_read(folder: Path) -> None:
    shutil.copy(HANDWRITTEN_ARCHIVE, folder / ARCHIVE_FILE)
    pages = list(read_archive(folder))
    assert [(source, context["thread"]) for source, context, _ in pages] == [
        ("board", "1"),
        ("board", "2"),
        ("board", "3"),
    ]
    assert pages[1][1]["note"] == "论坛"
    second, third = pages[1][2], pages[2][2]
    assert second.url == "https://board.example/t/x/2/?q=燕麦"
    assert second.fetched_at == datetime(2026, 3, 12, 2, 30, 2, 123, tzinfo=UTC)
    assert second.content_type == "text/html; charset=gb18030"
    assert b"datePublished" in second.body
    assert "晨谷 words 2" in second.text
    assert third.content_type == ""
    assert reparsed_ids(folder) == ["board:1", "board:2", "board:3"]


def test_pages_of_an_older_archive_come_back_equal_from_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "old" / "raw").mkdir(parents=True)
    shutil.copy(HANDWRITTEN_ARCHIVE, tmp_path / "old" / ARCHIVE_FILE)
    pages = list(read_archive(tmp_path / "old"))
    writer = CrawlWriter(tmp_path / "new")
    for source, context, page in pages:
        writer.archive_page(page, source, context)
    writer.close()
    assert list(read_archive(tmp_path / "new")) == pages


@pytest.mark.parametrize("command", ["check", "index"])
def test_other_tools_read_the_archive(folder: Path, command: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "warcio.cli", command, str(folder / ARCHIVE_FILE)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    if command == "index":
        entries = [json.loads(line) for line in result.stdout.splitlines()]
        assert [entry["warc-target-uri"] for entry in entries] == [
            f"https://board.example/t/x/{number}/" for number in (1, 2, 3)
        ]


def test_a_crawl_runs_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    assert not is_crawl_running(tmp_path)
    assert not is_crawl_running(tmp_path / "nowhere")
    with FileLock(tmp_path / LOCK_FILE):
        assert is_crawl_running(tmp_path)
    assert not is_crawl_running(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK_FILE]


@pytest.mark.parametrize("damage", ["gone", "folder", "empty", "text"])
def test_an_archive_that_cannot_be_read_is_told_or_has_nothing(folder: Path, damage: str) -> None:
    (folder / ARCHIVE_FILE).unlink()
    if damage == "folder":
        (folder / ARCHIVE_FILE).mkdir()
    elif damage in ("empty", "text"):
        (folder / ARCHIVE_FILE).write_text("words" if damage == "text" else "", encoding="utf-8")
    dropped: Counter[str] = Counter()
    if damage in ("gone", "folder"):
        with pytest.raises(InputError, match="pages"):
            reparsed_ids(folder, dropped)
    else:
        assert reparsed_ids(folder, dropped) == []
        assert dropped == ({ARCHIVE_FILE: 1} if damage == "text" else {})


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (make_post(), REPEATED_POST_REASON),
        (make_post(likes=5, title="Oats"), REPEATED_POST_REASON),
        (make_post(author=None), REPEATED_POST_REASON),
        (make_post(published_at=NOW + timedelta(hours=5), precision="day"), REPEATED_POST_REASON),
        (make_post("2"), None),
        (make_post(text="太淡了"), ID_CONFLICT_REASON),
        (make_post(author="b" * 16), ID_CONFLICT_REASON),
        (make_post(published_at=NOW + timedelta(minutes=5)), ID_CONFLICT_REASON),
        (make_post(published_at=NOW + timedelta(days=2), precision="day"), ID_CONFLICT_REASON),
    ],
)
def test_another_post_with_the_same_id_is_not_the_same_post(
    second: Post, expected: str | None
) -> None:
    seen_posts = SeenPosts()
    assert seen_posts.add(make_post()) is None
    assert seen_posts.add(second) == expected


def test_posts_that_share_an_id_make_the_row_partial(tmp_path: Path) -> None:
    writer = CrawlWriter(tmp_path)
    row = LedgerRow("run", "board", "q", requests=2, pages=2)
    for item in (make_post(), make_post(), make_post(text="another"), make_post(text="a third")):
        writer.write_post(row, "https://board.example/t/1", item)
    writer.close()
    assert (row.posts, row.dropped) == (1, {REPEATED_POST_REASON: 1, ID_CONFLICT_REASON: 2})
    assert (row.status, row.reason) == (
        "partial",
        "posts that share an id: only the first was kept (2 times)",
    )
    rejects = [
        json.loads(line)
        for line in (tmp_path / REJECTS_FILE).read_text(encoding="utf-8").splitlines()
    ]
    assert [(item["reason"], item["id"]) for item in rejects] == [(ID_CONFLICT_REASON, "1")] * 2


@settings(deadline=None, derandomize=True)
@given(
    line=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    )
)
def test_a_line_of_the_ledger_is_a_row_or_a_value_error(line: Any) -> None:
    row = LedgerRow("run", "board", "q").as_dict()
    assert ledger_row_from_json(ledger_row_to_json(row)) == row
    for text in (json.dumps(line), json.dumps(dict.fromkeys(row, line))):
        try:
            assert ledger_row_from_json(text).keys() == row.keys()
        except ValueError:
            continue


def test_a_job_is_read_as_it_was_written(folder: Path) -> None:
    assert [source["name"] for source in read_job(folder)["sources"]] == list(SOURCES)


def test_cached_pages_expire_in_every_run(tmp_path: Path) -> None:
    expired = time.time() - 13 * 3600
    for run, mtime in (("1", expired), ("2", None)):
        entry = tmp_path / run / CACHE_FOLDER / "board" / "ab"
        entry.mkdir(parents=True)
        (entry / "response_body").write_text("a name", encoding="utf-8")
        (tmp_path / run / POSTS_FILE).write_text("", encoding="utf-8")
        for path in (
            entry / "response_body",
            entry,
            entry.parent,
            entry.parent.parent,
            tmp_path / run / POSTS_FILE,
        ):
            if mtime:
                os.utime(path, (mtime, mtime))
    (tmp_path / ".httpcache" / "board").mkdir(parents=True)  # of an earlier version
    (tmp_path / ".httpcache" / "board" / "response_body").write_text("a name", encoding="utf-8")
    assert delete_expired_pages(tmp_path, 12.0) == 1
    remaining = sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert remaining == [
        f"1/{POSTS_FILE}",
        f"2/{CACHE_FOLDER}/board/ab/response_body",
        f"2/{POSTS_FILE}",
    ]
    assert [folder.parent.name for folder in list_cache_folders(tmp_path)] == ["2", "1"]
    assert delete_expired_pages(tmp_path / "nowhere", 12.0) == 0
