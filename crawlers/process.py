"""Run a crawl in a process of its own: reactors can't be restarted, and a crash must not take the caller with it."""

import asyncio
import fcntl
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

from crawlers.archive import (
    JOB_FILE,
    LEDGER_FILE,
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


def run_crawl(
    sources: Sequence[Source],
    crawling: CrawlConfig,
    out: Path,
    salt: str,
    crawl_id: str,
    timezone: str,
    known_thread_ids: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Crawl `sources` into the new folder `out` (see `crawlers.archive`) and return the rows of its ledger.

    `salt` keys the author hashes, `zone` (IANA) is that of sources without one, `known` holds the ids of threads that
    need not be read again. A source that can't be read gives a `failed` row; the others go on. Raises ConfigError for a
    spider that does not exist, CrawlError when `out` already holds a crawl.
    """
    for source in sources:
        _check(source)
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
    with _locked(out, job):
        return _crawl(out, job | {"salt": salt})


def is_crawl_running(out: Path) -> bool:
    """Whether a process, this one too, is at work on the crawl in `out`; one that was killed is not."""
    try:
        with (out / JOB_FILE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none, or one that can't be read: nobody works on it
        return False
    return False


@contextmanager
def _locked(out: Path, job: dict[str, Any]) -> Iterator[None]:
    """Write job.json, which is there whole or not at all, and locked from its first moment until the crawl ends."""
    fresh = out / f"{JOB_FILE}.new"
    with fresh.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump(job, file, ensure_ascii=False, indent=1)
        file.flush()
        fresh.replace(out / JOB_FILE)
        yield


def _crawl(out: Path, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the child to its end. `job` is what job.json holds and the salt, which is written to no file."""
    with (out / LOG_FILE).open(
        "ab"
    ) as log:  # -P: nothing of the folder that we stand in is imported
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "crawlers.process"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    assert child.stdin is not None  # noqa: S101
    try:
        with (
            suppress(BrokenPipeError),
            child.stdin as pipe,
        ):  # broken when the child died at once; its exit code will tell
            pipe.write(json.dumps(job).encode() + b"\n")
            pipe.flush()
            _follow(child, out / POSTS_FILE)
    finally:  # an interrupted crawl has a ledger, too
        child.terminate()
        rows = finalize_ledger(
            out, f"the crawl process ended with code {child.wait()}, see {LOG_FILE}"
        )
    return rows


def _check(source: Source) -> None:
    """Raises ConfigError for a source that no spider can begin with."""
    where = f"source {source.name!r}"
    if source.spider not in PARSERS:
        raise ConfigError(
            f"{where}: no spider {source.spider!r}; {suggestion(source.spider, PARSERS)}"
        )
    for url in source.start:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{where}: wanted a start address with http or https, got {url!r}.")
        try:
            parts = urlsplit(url)
            host = parts.hostname and (parts.port or True)
        except ValueError:
            host = None
        if not host:
            raise ConfigError(f"{where}: wanted a start address with a host, got {url!r}.")
        if "@" in parts.netloc:  # not repeated: it may hold a password
            raise ConfigError(f"{where}: wanted a start address without a login, got one with it.")
    if not source.start:
        raise ConfigError(f"{where}: wanted at least one start address, got none.")


def _follow(child: "subprocess.Popen[bytes]", posts: Path) -> None:
    """Show the posts as they are written, until the child ends."""
    offset, ended = 0, False
    with track_progress("crawl") as bar:
        while not ended:
            ended = child.poll() is not None
            if posts.exists():
                with posts.open("rb") as file:
                    file.seek(offset)
                    new = file.read()
                offset += len(new)
                bar.advance(new.count(b"\n"))
            time.sleep(0.1)


def finalize_ledger(out: Path, problem: str = "the crawl was cut off") -> list[dict[str, Any]]:
    """The ledger of a crawl folder, completed by `problem` for every row that was not read to its end.

    Where posts or rows are broken, the ledger says that, too. Raises InputError when the folder
    has no job.json that tells what was asked for, or holds files that can't be opened.
    """
    job = read_job(out)
    written, lines = read_ledger(out)
    broken: Counter[str] = Counter()
    posts = Counter(post.source for post in read_posts(out, broken))
    if lines:
        broken[LEDGER_FILE] = lines
    for row in written.values():
        posts[row["source"]] -= row["posts"]
    rows = []
    for source, query in _asked(job):
        if (source, query) in written:
            row = written[source, query]
        else:  # what its source has more than the other rows tell is its
            count = max(0, posts[source])
            posts[source] -= count
            row = LedgerRow(job["crawl_id"], source, query, posts=count, pages=count).as_dict(
                finished=False
            )
        rows.append(row if row["finished_at"] else mark_interrupted(row, problem))
    for name, count in broken.items():
        told = f"broken lines in {name}: {count}"
        rows = [
            row if told in (row["reason"] or "") else mark_interrupted(row, told) for row in rows
        ]
    write_atomically(out / LEDGER_FILE, "".join(ledger_row_to_json(row) + "\n" for row in rows))
    return rows


def _asked(job: dict[str, Any]) -> list[tuple[str, str]]:
    """(source, query) of every row that the ledger of a job has."""
    pairs = [
        (source["name"], query)
        for source in job["sources"]
        for query in (source["spider"] == "microblog" and source["queries"]) or source["start"]
    ]
    return list(dict.fromkeys(pairs))  # an address may stand twice among the starts


def main() -> None:
    """The child: reads the job, one line of JSON, from standard input, and ends when its other end is closed."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sources = [_source(table) for table in job["sources"]]
    out = Path(job["out"])
    crawling = CrawlConfig(**job["crawling"])
    delete_expired_pages(out.parent, crawling.cache_hours)
    record = CrawlWriter(out)
    try:
        _run(sources, crawling, record, out, job)
    finally:
        record.close()


def _end_with_parent() -> None:
    """A parent that was killed must not leave a crawler behind that goes on asking."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _source(table: dict[str, Any]) -> Source:
    """A source as JSON carries it: tuples come back as lists."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    return Source(**values)


def _run(
    sources: Sequence[Source],
    crawling: CrawlConfig,
    record: CrawlWriter,
    out: Path,
    job: dict[str, Any],
) -> None:
    """All sources at once, those of one site one after another, so that its delay holds."""
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

    own = out / CACHE_FOLDER
    own.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
    folders = [own, *(folder for folder in list_cache_folders(out.parent) if folder != own)]
    runner = AsyncCrawlerRunner()
    pseudonym = make_pseudonymizer(job["salt"])
    locks: dict[str, asyncio.Lock] = {}

    async def one(source: Source) -> None:
        async with AsyncExitStack() as stack:
            for name in sorted({site_from_url(url) for url in source.start}):
                await stack.enter_async_context(locks.setdefault(name, asyncio.Lock()))
            site = SourceInfo(
                source.name, source.kind, source.zone or job["zone"], job["crawl_id"], pseudonym
            )
            crawler = Crawler(SPIDERS[source.spider], scrapy_settings(source, crawling, folders))
            await runner.crawl(crawler, source=source, site=site, record=record, known=job["known"])

    async def everything(_: Any) -> None:
        for outcome in await asyncio.gather(*map(one, sources), return_exceptions=True):
            if outcome is not None:
                logging.getLogger(__name__).error("a source could not be crawled: %r", outcome)

    react(deferred_f_from_coro_f(everything))


if __name__ == "__main__":
    main()
