"""What a crawl's folder still gives when it is damaged, and when pages of it expire."""

import json
import os
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.archive import (
    JOB,
    LEDGER,
    OTHER,
    POSTS,
    RAW,
    REJECTS,
    SEEN,
    Record,
    Sightings,
    read_job,
    read_posts,
    read_raw,
)  # fmt: skip
from crawlers.cache import CACHE, caches, expire
from crawlers.ledger import Row, from_json, to_json
from crawlers.parse import READERS
from crawlers.parse.page import Context, Page, Parsed, Site
from crawlers.patience import TooSlowError, cpu_limit
from crawlers.process import ledger
from crawlers.reparse import reparse
from folate.core.config import Source
from folate.core.errors import InputError
from folate.core.post import Post

NOW = datetime(2026, 3, 12, 2, 30, tzinfo=UTC)
SOURCES = ("board", "shop")


def post(native: str = "1", **fields: Any) -> Post:
    given = {"text": "太甜了", "author": "a" * 16, "published_at": NOW} | fields
    return Post(id=f"board:{native}", source="board", kind="forum", **given)


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
    (tmp_path / JOB).write_text(json.dumps(job), encoding="utf-8")
    record = Record(tmp_path)
    rows = [Row("run", name, f"https://{name}.example/", requests=3, pages=3) for name in SOURCES]
    for number in (1, 2, 3):
        address = f"https://board.example/t/x/{number}/"
        body = (
            '<div itemscope itemtype="http://schema.org/DiscussionForumPosting" id="p%d">'
            '<time itemprop="datePublished" datetime="2026-03-01"></time><div itemprop="text">words</div></div>'
        )
        page = Page(address, (body % number).encode(), NOW, "text/html; charset=utf-8")
        record.keep(
            page,
            "board",
            {"role": "thread", "query": "https://board.example/", "thread": str(number)},
        )
        record.post(rows[0], address, post(str(number)))
        record.note(rows[0])
    for row in rows:
        record.finish(row)
    record.close()
    return tmp_path


def statuses(folder: Path) -> dict[str, tuple[str, str | None, int]]:
    return {row["source"]: (row["status"], row["reason"], row["posts"]) for row in ledger(folder)}


def test_of_a_row_written_again_and_again_the_last_counts(folder: Path) -> None:
    assert len((folder / LEDGER).read_text(encoding="utf-8").splitlines()) == 5
    assert statuses(folder) == {"board": ("complete", None, 3), "shop": ("complete", None, 0)}
    assert len((folder / LEDGER).read_text(encoding="utf-8").splitlines()) == 2


def test_a_row_that_was_never_finished_keeps_what_it_had_come_to(folder: Path) -> None:
    lines = (folder / LEDGER).read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / LEDGER).write_text("".join(lines[:2]) + lines[2][:50], encoding="utf-8")
    wanted = {
        "board": ("partial", "the crawl was cut off", 2),
        "shop": ("failed", "the crawl was cut off", 0),
    }
    assert statuses(folder) == wanted
    assert statuses(folder) == wanted  # and says so once


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
    good = (folder / LEDGER).read_bytes()
    (folder / LEDGER).write_bytes(line.encode("utf-8", "surrogateescape") + b"\n" + good)
    reason = "broken lines in ledger.jsonl: 1"
    assert statuses(folder) == {"board": ("partial", reason, 3), "shop": ("partial", reason, 0)}


@pytest.mark.parametrize(
    "line",
    [b"{broken", b"\xff\xfe", b"[1]", b"null", b"[" * 100_000, b'{"id": 1}', b"9" * 5000, b""],
)
def test_posts_before_and_after_a_broken_line_are_read(folder: Path, line: bytes) -> None:
    first, second, third = (folder / POSTS).read_bytes().splitlines(keepends=True)
    (folder / POSTS).write_bytes(first + line + b"\n" + second + third[:-5])
    broken: Counter[str] = Counter()
    assert [item.id for item in read_posts(folder, broken)] == ["board:1", "board:2"]
    assert broken == {POSTS: 1}
    reason = "broken lines in posts.jsonl: 1"
    assert [row[:2] for row in statuses(folder).values()] == [("partial", reason)] * 2
    assert [row[:2] for row in statuses(folder).values()] == [("partial", reason)] * 2


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
    (folder / JOB).write_bytes(job)
    with pytest.raises(InputError, match=r"job\.json"):
        ledger(folder)


@pytest.mark.parametrize("name", [JOB, POSTS, LEDGER])
def test_a_folder_where_a_file_should_be_is_told(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(InputError, match=name):
        ledger(folder)


@pytest.mark.parametrize("name", [POSTS, LEDGER, REJECTS, RAW])
def test_a_missing_file_is_an_empty_one(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert set(statuses(folder)) == set(SOURCES)


def again(folder: Path, dropped: Counter[str] | None = None) -> list[str]:
    sources = [Source(name="board", spider="forum", start=("https://board.example/",))]
    return [
        item.id for item in reparse(folder, sources, lambda source, native: "x", "UTC", dropped)
    ]


def test_kept_pages_before_and_after_a_broken_one_are_read(folder: Path) -> None:
    raw = bytearray((folder / RAW).read_bytes())
    assert again(folder) == ["board:1", "board:2", "board:3"]
    second = raw.index(b"\x1f\x8b\x08", 1)
    raw[second + 30 : second + 60] = bytes(30)
    (folder / RAW).write_bytes(raw)
    dropped: Counter[str] = Counter()
    assert again(folder, dropped) == ["board:1", "board:3"]
    assert dropped == {RAW: 1}


def test_a_page_that_would_be_read_for_years_is_given_up() -> None:
    with pytest.raises(TooSlowError, match=r"in 0\.2 s"), cpu_limit(0.2):
        re.match(r"(a+)+$", "a" * 60 + "b")
    with cpu_limit(0.2):
        pass
    assert sum(range(10**7)) > 0  # no alarm is left over


def test_kept_pages_after_one_that_takes_too_long_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = READERS["forum"]

    def slow(page: Page, site: Site, context: Context) -> Parsed:
        if context["thread"] == "2":
            raise TooSlowError
        return read(page, site, context)

    monkeypatch.setitem(READERS, "forum", slow)
    dropped: Counter[str] = Counter()
    assert again(folder, dropped) == ["board:1", "board:3"]
    assert dropped == {"pages not read in time": 1}


def test_half_a_record_between_whole_ones_is_counted(folder: Path) -> None:
    raw = (folder / RAW).read_bytes()
    second = raw.index(b"\x1f\x8b\x08", 1)
    (folder / RAW).write_bytes(raw[: second // 2] + raw[second:])
    dropped: Counter[str] = Counter()
    assert again(folder, dropped) == ["board:2", "board:3"]
    assert dropped == {RAW: 1}


@settings(deadline=None, derandomize=True, max_examples=60)
@given(where=st.floats(0, 1), size=st.integers(1, 200), filler=st.binary(max_size=40))
def test_no_damage_to_the_archive_raises(
    tmp_path_factory: pytest.TempPathFactory, where: float, size: int, filler: bytes
) -> None:
    run = tmp_path_factory.mktemp("run")
    record = Record(run)
    for number in range(3):
        page = Page(f"https://x.example/{number}", b"words" * 40, NOW, "text/html")
        record.keep(page, "board", {"role": "thread", "query": "q"})
    record.close()
    raw = (run / RAW).read_bytes()
    at = int(where * len(raw))
    (run / RAW).write_bytes(raw[:at] + filler + raw[at + size :])
    urls = [page.url for _, _, page in read_raw(run)]
    assert set(urls) <= {f"https://x.example/{number}" for number in range(3)}


@pytest.mark.parametrize("damage", ["gone", "folder", "empty", "text"])
def test_an_archive_that_cannot_be_read_is_told_or_has_nothing(folder: Path, damage: str) -> None:
    (folder / RAW).unlink()
    if damage == "folder":
        (folder / RAW).mkdir()
    elif damage in ("empty", "text"):
        (folder / RAW).write_text("words" if damage == "text" else "", encoding="utf-8")
    dropped: Counter[str] = Counter()
    if damage in ("gone", "folder"):
        with pytest.raises(InputError, match="pages"):
            again(folder, dropped)
    else:
        assert again(folder, dropped) == []
        assert dropped == ({RAW: 1} if damage == "text" else {})


@pytest.mark.parametrize(
    ("second", "wanted"),
    [
        (post(), SEEN),
        (post(likes=5, title="Oats"), SEEN),
        (post(author=None), SEEN),
        (post(published_at=NOW + timedelta(hours=5), precision="day"), SEEN),
        (post("2"), None),
        (post(text="太淡了"), OTHER),
        (post(author="b" * 16), OTHER),
        (post(published_at=NOW + timedelta(minutes=5)), OTHER),
        (post(published_at=NOW + timedelta(days=2), precision="day"), OTHER),
    ],
)
def test_another_post_with_the_same_id_is_not_the_same_post(
    second: Post, wanted: str | None
) -> None:
    sightings = Sightings()
    assert sightings.add(post()) is None
    assert sightings.add(second) == wanted


def test_posts_that_share_an_id_make_the_row_partial(tmp_path: Path) -> None:
    record, row = Record(tmp_path), Row("run", "board", "q", requests=2, pages=2)
    for item in (post(), post(), post(text="another"), post(text="a third")):
        record.post(row, "https://board.example/t/1", item)
    record.close()
    assert (row.posts, row.dropped) == (1, {SEEN: 1, OTHER: 2})
    assert (row.status, row.reason) == (
        "partial",
        "posts that share an id: only the first was kept (2 times)",
    )
    rejects = [
        json.loads(line) for line in (tmp_path / REJECTS).read_text(encoding="utf-8").splitlines()
    ]
    assert [(item["reason"], item["id"]) for item in rejects] == [(OTHER, "1")] * 2


@settings(deadline=None, derandomize=True)
@given(
    line=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_a_line_of_the_ledger_is_a_row_or_a_value_error(line: Any) -> None:
    row = Row("run", "board", "q").as_dict()
    assert from_json(to_json(row)) == row
    for text in (json.dumps(line), json.dumps(dict.fromkeys(row, line))):
        try:
            assert from_json(text).keys() == row.keys()
        except ValueError:
            continue


def test_a_job_is_read_as_it_was_written(folder: Path) -> None:
    assert [source["name"] for source in read_job(folder)["sources"]] == list(SOURCES)


def test_cached_pages_expire_in_every_run(tmp_path: Path) -> None:
    old = time.time() - 13 * 3600
    for run, moment in (("1", old), ("2", None)):
        entry = tmp_path / run / CACHE / "board" / "ab"
        entry.mkdir(parents=True)
        (entry / "response_body").write_text("a name", encoding="utf-8")
        (tmp_path / run / POSTS).write_text("", encoding="utf-8")
        for path in (
            entry / "response_body",
            entry,
            entry.parent,
            entry.parent.parent,
            tmp_path / run / POSTS,
        ):
            if moment:
                os.utime(path, (moment, moment))
    (tmp_path / ".httpcache" / "board").mkdir(parents=True)  # of an earlier version
    (tmp_path / ".httpcache" / "board" / "response_body").write_text("a name", encoding="utf-8")
    assert expire(tmp_path, 12.0) == 1
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == [f"1/{POSTS}", f"2/{CACHE}/board/ab/response_body", f"2/{POSTS}"]
    assert [folder.parent.name for folder in caches(tmp_path)] == ["2", "1"]
    assert expire(tmp_path / "nowhere", 12.0) == 0
