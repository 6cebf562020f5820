"""Run a crawl in a process of its own.

A reactor can't be restarted, and a crash of the crawl must not end the caller.
"""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from crawlers.archive import (
    JOB_FILE,
    LEDGER_FILE,
    LOCK_FILE,
    LOG_FILE,
    POSTS_FILE,
    PRIVATE_FOLDER_MODE,
    CrawlWriter,
    read_job,
    read_ledger,
    read_posts,
)
from crawlers.cache import CACHE_FOLDER, delete_expired_pages, list_cache_folders
from crawlers.ledger import LedgerRow, ledger_row_to_json, mark_interrupted
from crawlers.parse import PARSERS
from crawlers.parse.page import SourceInfo
from folate.core.config import CrawlConfig, Source
from folate.core.errors import ConfigError, CrawlError, suggestion
from folate.core.files import write_atomically
from folate.core.post import make_pseudonymizer
from folate.core.progress import track_progress

__all__ = ["finalize_ledger", "is_crawl_running", "read_posts", "run_crawl"]

LOCK_CHECK_SECONDS = 0.1  # longer than another check of the same lock takes
FOLLOW_INTERVAL_SECONDS = 0.1  # between two looks at the file of posts


def run_crawl(
    sources: Sequence[Source],
    crawling: CrawlConfig,
    out: Path,
    *,
    salt: str,
    crawl_id: str,
    timezone: str,
    known_thread_ids: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Crawl `sources` into the new folder `out` (see `crawlers.archive`); return its ledger rows.

    `salt` is the key of the author hashes. `timezone` (an IANA name) is that of sources without
    one. Threads with an id in `known_thread_ids` are not fetched again. A source that can't be
    read gives a row with the status `failed`, and the other sources go on.

    Raises ConfigError for a spider that does not exist or an unusable start address, CrawlError
    when `out` already holds a crawl.
    """
    for source in sources:
        _check_source(source)
    if (out / POSTS_FILE).exists():
        raise CrawlError(f"wanted a new folder for this crawl, {out} already holds one.")
    out.mkdir(parents=True, exist_ok=True)
    job = {
        "sources": [asdict(source) for source in sources],
        "crawling": asdict(crawling),
        "out": str(out.resolve()),
        "crawl_id": crawl_id,
        "zone": timezone,
        "known": sorted(known_thread_ids),
    }
    with _write_locked_job(out, job):
        return _run_child(out, job | {"salt": salt})


def is_crawl_running(out: Path) -> bool:
    """Return whether a process, this one included, works on the crawl in `out`.

    The kernel frees the lock of a process that was killed, so its crawl is not running.
    """
    if not (out / LOCK_FILE).exists():
        return False
    lock = FileLock(out / LOCK_FILE)
    try:
        with lock.acquire(timeout=LOCK_CHECK_SECONDS, poll_interval=LOCK_CHECK_SECONDS / 4):
            return False
    except Timeout:
        return True
    except OSError:  # it can't be opened: nobody works on it
        return False


@contextmanager
def _write_locked_job(out: Path, job: dict[str, Any]) -> Iterator[None]:
    """Lock the folder of a crawl, then write its job.json in full; hold the lock until the end."""
    with FileLock(out / LOCK_FILE):
        write_atomically(out / JOB_FILE, json.dumps(job, ensure_ascii=False, indent=1))
        yield


def _run_child(out: Path, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the child process to its end and return the rows of the ledger.

    `job` is the content of job.json with the salt, which is written to no file.
    """
    # -P: nothing of the current folder is imported
    with (out / LOG_FILE).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "crawlers.process"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    assert child.stdin is not None  # noqa: S101
    try:
        # The pipe is broken when the child ended at once; its exit code says so below.
        with suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(json.dumps(job).encode() + b"\n")
            pipe.flush()
            _show_progress(child, out / POSTS_FILE)
    finally:  # an interrupted crawl has a ledger, too
        child.terminate()
        rows = finalize_ledger(
            out, f"the crawl process ended with code {child.wait()}, see {LOG_FILE}"
        )
    return rows


def _check_source(source: Source) -> None:
    """Check that a spider can start with a source. Raises ConfigError."""
    label = f"source {source.name!r}"
    if source.spider not in PARSERS:
        raise ConfigError(
            f"{label}: no spider {source.spider!r}; {suggestion(source.spider, PARSERS)}"
        )
    for url in source.start:
        _check_start_url(label, url)
    if not source.start:
        raise ConfigError(f"{label}: wanted at least one start address, got none.")


def _check_start_url(label: str, url: str) -> None:
    """Check one start address of the source that `label` names. Raises ConfigError."""
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{label}: wanted a start address with http or https, got {url!r}.")
    try:
        url_parts = urlsplit(url)
        has_host = bool(url_parts.hostname) and (url_parts.port is None or url_parts.port >= 0)
    except ValueError:  # of a port that is no number, too
        has_host = False
    if not has_host:
        raise ConfigError(f"{label}: wanted a start address with a host, got {url!r}.")
    if "@" in url_parts.netloc:  # the address is not repeated: it may contain a password
        raise ConfigError(f"{label}: wanted a start address without a login, got one with it.")


def _show_progress(child: "subprocess.Popen[bytes]", posts_path: Path) -> None:
    """Count the posts on a progress bar as they are written, until the child ends."""
    offset = 0
    ended = False
    with track_progress("crawl") as progress:
        while not ended:
            ended = child.poll() is not None
            if posts_path.exists():
                with posts_path.open("rb") as file:
                    file.seek(offset)
                    new_bytes = file.read()
                offset += len(new_bytes)
                progress.advance(new_bytes.count(b"\n"))
            time.sleep(FOLLOW_INTERVAL_SECONDS)


def finalize_ledger(out: Path, problem: str = "the crawl was cut off") -> list[dict[str, Any]]:
    """Complete the ledger of a crawl folder and return its rows.

    Every row that was not finished gets `problem` as its reason; broken lines of posts and rows
    are added to the reasons, too. Raises InputError when the folder has no usable job.json, or
    holds files that can't be opened.
    """
    job = read_job(out)
    written_rows, broken_row_count = read_ledger(out)
    broken: Counter[str] = Counter()
    unclaimed_posts = Counter(post.source for post in read_posts(out, broken))
    if broken_row_count:
        broken[LEDGER_FILE] = broken_row_count
    for row in written_rows.values():
        unclaimed_posts[row["source"]] -= row["posts"]
    rows = []
    for source, query in _list_requested_rows(job):
        if (source, query) in written_rows:
            row = written_rows[source, query]
        else:  # no row was written: it gets the posts of its source that no other row counts
            post_count = max(0, unclaimed_posts[source])
            unclaimed_posts[source] -= post_count
            row = LedgerRow(
                job["crawl_id"], source, query, posts=post_count, pages=post_count
            ).as_dict(finished=False)
        rows.append(row if row["finished_at"] else mark_interrupted(row, problem))
    for name, line_count in broken.items():
        rows = [_add_problem(row, f"broken lines in {name}: {line_count}") for row in rows]
    write_atomically(out / LEDGER_FILE, "".join(ledger_row_to_json(row) + "\n" for row in rows))
    return rows


def _add_problem(row: dict[str, Any], problem: str) -> dict[str, Any]:
    """Return a row of the ledger with a problem in its reason, once."""
    return row if problem in (row["reason"] or "") else mark_interrupted(row, problem)


def _list_requested_rows(job: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (source, query) of every row of a job's ledger; an address may be given twice."""
    pairs = []
    for source in job["sources"]:
        queries = source["queries"] if source["spider"] == "microblog" else []
        pairs += [(source["name"], query) for query in queries or source["start"]]
    return list(dict.fromkeys(pairs))


def main() -> None:
    """Run the child process: read the job, one line of JSON, from standard input and crawl.

    The process ends when the other end of its standard input is closed.
    """
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sources = [_source_from_json(table) for table in job["sources"]]
    out = Path(job["out"])
    crawling = CrawlConfig(**job["crawling"])
    delete_expired_pages(out.parent, crawling.cache_hours)
    writer = CrawlWriter(out)
    try:
        _run_spiders(sources, crawling, writer, out, job)
    finally:
        writer.close()


def _end_with_parent() -> None:
    """End this process when its parent does, so that no crawler goes on without one."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _source_from_json(table: dict[str, Any]) -> Source:
    """Build a source from its JSON, where tuples are lists."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    return Source(**values)


def _run_spiders(
    sources: Sequence[Source],
    crawling: CrawlConfig,
    writer: CrawlWriter,
    out: Path,
    job: dict[str, Any],
) -> None:
    """Crawl all sources at once, but those of one site one after another, to keep its delay."""
    from scrapy.crawler import AsyncCrawlerRunner, Crawler
    from scrapy.utils.defer import deferred_f_from_coro_f
    from scrapy.utils.log import configure_logging
    from scrapy.utils.reactor import install_reactor

    from crawlers.politeness import site_from_url
    from crawlers.settings import scrapy_settings
    from crawlers.spiders import SPIDERS

    configure_logging({"LOG_LEVEL": "INFO"})
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    from twisted.internet.task import react  # binds the reactor when imported

    own_cache = out / CACHE_FOLDER
    own_cache.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
    other_caches = [folder for folder in list_cache_folders(out.parent) if folder != own_cache]
    caches = [own_cache, *other_caches]
    runner = AsyncCrawlerRunner()
    pseudonym = make_pseudonymizer(job["salt"])
    site_locks: dict[str, asyncio.Lock] = {}

    async def crawl_source(source: Source) -> None:
        async with AsyncExitStack() as stack:
            for site in sorted({site_from_url(url) for url in source.start}):
                await stack.enter_async_context(site_locks.setdefault(site, asyncio.Lock()))
            source_info = SourceInfo(
                source.name, source.kind, source.zone or job["zone"], job["crawl_id"], pseudonym
            )
            crawler = Crawler(SPIDERS[source.spider], scrapy_settings(source, crawling, caches))
            await runner.crawl(
                crawler,
                source=source,
                source_info=source_info,
                writer=writer,
                known_thread_ids=job["known"],
            )

    async def crawl_all_sources(_: Any) -> None:
        outcomes = await asyncio.gather(*map(crawl_source, sources), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                logging.getLogger(__name__).error("a source could not be crawled: %r", outcome)

    react(deferred_f_from_coro_f(crawl_all_sources))


if __name__ == "__main__":
    main()
