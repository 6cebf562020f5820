"""Crawls through the command line: posts are stored once, and interrupted crawls ingested."""

import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from crawlers.archive import LOCK_FILE
from folate.cli import run_command
from folate.core.config import Source
from folate.core.post import Post
from folate.pipeline.crawl import (
    INGESTED_MARKER,
    crawl_folders,
    ingest_pending_crawls,
    settled_threads,
)
from folate.pipeline.project import Project

REVIEW = {"@type": "Review", "datePublished": "2026-03-02", "reviewRating": {"ratingValue": 4}}
REVIEWS = [
    REVIEW | {"@id": "#r1", "author": "quince", "reviewBody": "好吃"},
    REVIEW | {"@id": "#r2", "author": "medlar", "reviewBody": "Fine."},
]
PRODUCT = {
    "@context": "https://schema.org",
    "@type": "Product",
    "name": "晨谷 燕麦",
    "review": REVIEWS,
}
SOURCE = """
[[sources]]
name = "{name}"
spider = "reviews"
kind = "review"
start = ["{url}"]
delay = 0
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A shop of one page on loopback."""
    pages = tmp_path / "web"
    (pages / "shop").mkdir(parents=True)
    page = f'<title>Oats</title><script type="application/ld+json">{json.dumps(PRODUCT)}</script>'
    (pages / "shop" / "index.html").write_text(page, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Quiet(*args, directory=str(pages)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def write_project(folder: Path, **starts: str) -> Path:
    sources = "".join(SOURCE.format(name=name, url=url) for name, url in starts.items())
    folder.mkdir()
    (folder / "folate.toml").write_text(
        f'name = "shop watch"\n[crawl]\nretries = 0\n{sources}', encoding="utf-8"
    )
    return folder


def closed_port() -> int:
    with socket.socket() as bound_socket:
        bound_socket.bind(("127.0.0.1", 0))
        return int(bound_socket.getsockname()[1])


def test_a_crawl_lands_in_the_store_once_and_a_dead_source_is_told(tmp_path, address, capsys):
    project = write_project(
        tmp_path / "project", shop=f"{address}/shop/", dead=f"http://127.0.0.1:{closed_port()}/"
    )
    assert run_command(["crawl", "--project", str(project), "--format", "json"]) == 6
    rows = {row["source"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["shop"]["status"], rows["shop"]["posts"], rows["dead"]["status"]) == (
        "complete",
        2,
        "failed",
    )
    assert rows["dead"]["reason"]
    run_command(["crawl", "shop", "--project", str(project)])
    run_command(["export", "posts", "--project", str(project)])
    posts = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")
    ]
    assert [(post["text"], post["rating"], post["subject"]) for post in posts] == [
        ("好吃", 0.8, "晨谷 燕麦"),
        ("Fine.", 0.8, "晨谷 燕麦"),
    ]
    assert len({post["author"] for post in posts}) == 2
    assert not any(name in json.dumps(posts) for name in ("quince", "medlar"))


def test_a_crawl_that_was_never_ingested_is_taken_up(tmp_path, address, capsys):
    project = write_project(tmp_path / "project", shop=f"{address}/shop/")
    run_command(["crawl", "--project", str(project)])
    (folder,) = (path.parent for path in (project / "crawls").glob("*/job.json"))
    shutil.rmtree(project / "corpus")
    (folder / INGESTED_MARKER).unlink()
    (folder / "ledger.jsonl").unlink()  # as when the machine stopped before the sources ended
    assert run_command(["crawl", "--project", str(project)]) == 0
    store = Project.open(project).store.snapshot()
    assert store.sql("SELECT count(*) AS n FROM posts").to_pylist() == [{"n": 2}]
    crawls = store.sql("SELECT status, reason FROM crawls ORDER BY crawl").to_pylist()
    cached = "all pages were in the cache, the site was not asked"
    assert crawls == [
        {"status": "partial", "reason": "the crawl was cut off"},
        {"status": "complete", "reason": cached},
    ]


def test_a_crawl_that_runs_or_cannot_be_read_does_not_stop_the_next(tmp_path, address, capsys):
    project = write_project(tmp_path / "project", shop=f"{address}/shop/")
    for name, job in (("1-broken", "{"), ("2-live", "{}")):
        (project / "crawls" / name).mkdir(parents=True)
        (project / "crawls" / name / "job.json").write_text(job)
    with FileLock(project / "crawls" / "2-live" / LOCK_FILE):
        assert run_command(["crawl", "--project", str(project)]) == 0
    stderr = [line for line in capsys.readouterr().err.splitlines() if line.startswith("folate:")]
    assert len(stderr) == 1
    assert "1-broken was not ingested: " in stderr[0]
    assert [
        folder.name
        for folder in (project / "crawls").iterdir()
        if (folder / INGESTED_MARKER).exists()
    ] == [crawl_folders(Project.open(project))[-1].name]


def test_kept_pages_are_read_again(tmp_path, address, capsys):
    project = write_project(tmp_path / "project", shop=f"{address}/shop/")
    run_command(["crawl", "--project", str(project)])
    (folder,) = crawl_folders(Project.open(project))
    before = (
        Project.open(project)
        .store.snapshot()
        .sql("SELECT id, author, text FROM posts ORDER BY id")
        .to_pylist()
    )
    shutil.rmtree(project / "corpus")
    for counts in ({"added": 2, "changed": 0, "known": 0}, {"added": 0, "changed": 0, "known": 2}):
        capsys.readouterr()
        assert (
            run_command(["reparse", folder.name, "--project", str(project), "--format", "json"])
            == 0
        )
        assert json.loads(capsys.readouterr().out) == [{"run": folder.name, **counts}]
    assert (
        Project.open(project)
        .store.snapshot()
        .sql("SELECT id, author, text FROM posts ORDER BY id")
        .to_pylist()
        == before
    )


@pytest.mark.parametrize("name", ["yesterday", "..", "../crawls/20260101", ""])
def test_a_run_that_is_not_there_is_answered_with_those_that_are(tmp_path, capsys, name):
    project = write_project(tmp_path / "project")
    assert run_command(["reparse", name, "--project", str(project)]) == 5
    assert "none, nothing was crawled yet" in capsys.readouterr().err
    (project / "crawls" / "20260101").mkdir(parents=True)
    (project / "crawls" / "20260101" / "job.json").write_text("{}")
    assert run_command(["reparse", name, "--project", str(project)]) == 5
    assert (
        capsys.readouterr().err
        == f"folate: wanted the folder of a crawl, got {name!r}; possible: 20260101.\n"
    )


def test_threads_are_settled_when_old_and_read_by_a_complete_crawl(tmp_path):
    project = Project.open(write_project(tmp_path / "project"))
    now = datetime(2026, 3, 30, tzinfo=UTC)
    source = Source(name="forum", spider="forum", start=(), revisit_days=14)

    def add(thread: str, age: int, fetched: int) -> None:
        published, fetched_at = now - timedelta(days=age), now - timedelta(days=fetched)
        post = Post(
            id=f"forum:{thread}{age}",
            source="forum",
            kind="forum",
            text="x",
            thread=thread,
            published_at=published,
            fetched_at=fetched_at,
        )
        project.store.upsert_posts([post])

    add("forum:thread:old", 40, 10)
    add("forum:thread:young", 40, 10)
    add("forum:thread:young", 3, 2)
    add("forum:thread:later", 40, 1)  # first seen after the complete crawl, perhaps in part
    assert settled_threads(project.store.snapshot(), source, now) == []
    row = {
        "crawl": "c",
        "source": "forum",
        "query": "q",
        "status": "partial",
        "finished_at": now - timedelta(days=5),
    }
    project.store.upsert("crawls", [row])
    assert settled_threads(project.store.snapshot(), source, now) == []
    project.store.upsert("crawls", [row | {"status": "complete"}])
    assert settled_threads(project.store.snapshot(), source, now) == ["forum:thread:old"]


def damage_job(folder: Path) -> None:
    (folder / "job.json").write_text("{}")


def damage_encoding(folder: Path) -> None:
    (folder / "job.json").write_bytes(b"\xff\xfe")


def lose_job(folder: Path) -> None:
    (folder / "job.json").unlink()


def make_job_a_folder(folder: Path) -> None:
    (folder / "job.json").unlink()
    (folder / "job.json").mkdir()


def make_posts_a_folder(folder: Path) -> None:
    (folder / "posts.jsonl").unlink()
    (folder / "posts.jsonl").mkdir()


def make_ledger_a_folder(folder: Path) -> None:
    (folder / "ledger.jsonl").unlink()
    (folder / "ledger.jsonl").mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        damage_job,
        damage_encoding,
        lose_job,
        make_job_a_folder,
        make_posts_a_folder,
        make_ledger_a_folder,
    ],
)
def test_a_folder_that_cannot_be_read_is_told_and_left(tmp_path, capsys, damage):
    project = Project.open(write_project(tmp_path / "project"))
    folders = [
        write_run(project.crawls_folder / name, name) for name in ("1-good", "2-broken", "3-good")
    ]
    damage(folders[1])
    before = sorted(path.name for path in folders[1].iterdir())
    ingest_pending_crawls(project)
    (stderr,) = capsys.readouterr().err.splitlines()
    assert stderr.startswith(f"folate: the crawl in {folders[1]} was not ingested: wanted ")
    assert sorted(path.name for path in folders[1].iterdir()) == before
    posts = project.store.snapshot().sql("SELECT crawl FROM posts ORDER BY crawl").to_pylist()
    assert [row["crawl"] for row in posts] == ["1-good", "3-good"]


def test_the_good_lines_of_a_damaged_folder_are_ingested_and_the_broken_counted(tmp_path, capsys):
    project = Project.open(write_project(tmp_path / "project"))
    folder = write_run(project.crawls_folder / "run", "run")
    good = (folder / "posts.jsonl").read_text(encoding="utf-8")
    (folder / "posts.jsonl").write_text("{broken\n" + good + "[1]\n", encoding="utf-8")
    (folder / "ledger.jsonl").write_text("[1]\n", encoding="utf-8")
    ingest_pending_crawls(project)
    assert (
        capsys.readouterr().err
        == f"folate: broken lines were left out of the crawl in {folder}: posts.jsonl 2.\n"
    )
    snapshot = project.store.snapshot()
    assert snapshot.sql("SELECT count(*) AS n FROM posts").to_pylist() == [{"n": 1}]
    reason = (
        "the crawl was cut off; broken lines in posts.jsonl: 2; broken lines in ledger.jsonl: 1"
    )
    assert snapshot.sql("SELECT status, reason FROM crawls").to_pylist() == [
        {"status": "partial", "reason": reason}
    ]
    assert (folder / INGESTED_MARKER).exists()


def write_run(folder: Path, crawl: str) -> Path:
    """A crawl of one post that was never ingested."""
    folder.mkdir(parents=True)
    source = {
        "name": "board",
        "spider": "forum",
        "start": ["https://board.example/"],
        "queries": [],
    }
    (folder / "job.json").write_text(
        json.dumps({"crawl_id": crawl, "sources": [source]}), encoding="utf-8"
    )
    when = datetime(2026, 3, 2, tzinfo=UTC)
    post = Post(
        id=f"board:{crawl}", source="board", kind="forum", text="x", published_at=when, crawl=crawl
    )
    (folder / "posts.jsonl").write_text(post.to_json() + "\n", encoding="utf-8")
    (folder / "ledger.jsonl").write_text("", encoding="utf-8")
    return folder


@pytest.mark.parametrize("damage", ["gone", "folder"])
def test_pages_that_are_not_there_cannot_be_read_again(tmp_path, capsys, damage):
    project = write_project(tmp_path / "project")
    (project / ".salt").write_text("0123456789abcdef" * 4, encoding="ascii")
    folder = write_run(project / "crawls" / "run", "run")
    if damage == "folder":
        (folder / "raw" / "pages.warc.gz").mkdir(parents=True)
    assert run_command(["reparse", "run", "--project", str(project)]) == 3
    assert capsys.readouterr().err.startswith("folate: wanted to read ")


@pytest.mark.parametrize("command", ["status", "compact"])
def test_pages_kept_for_other_crawls_are_deleted_when_they_are_old(tmp_path, capsys, command):
    project = write_project(tmp_path / "project")
    page = project / "crawls" / "run" / "cache" / "board" / "response_body"
    page.parent.mkdir(parents=True)
    page.write_text("a name", encoding="utf-8")
    assert run_command([command, "--project", str(project)]) == 0
    assert page.exists()
    old = datetime.now(UTC).timestamp() - 13 * 3600
    os.utime(page, (old, old))
    assert run_command([command, "--project", str(project)]) == 0
    assert not page.exists()
