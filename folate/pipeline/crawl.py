"""Crawling: run the spiders, ingest finished crawls into the store, parse stored pages again."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from corpora.store.snapshot import Snapshot
from corpora.store.store import UpsertCounts
from folate.core.config import Source
from folate.core.errors import ConfigError, InputError, NotFound
from folate.core.post import make_pseudonymizer
from folate.core.progress import track_items
from folate.core.text import to_single_line
from folate.pipeline.project import Project
from folate.pipeline.rejects import format_reasons

INGESTED_MARKER = "ingested"
"""Name of the empty file that marks a crawl's folder as ingested."""

_SETTLED_THREADS_QUERY = """
    SELECT thread FROM posts WHERE source = $source AND thread IS NOT NULL GROUP BY thread
    HAVING max(published_at) < $old
       AND max(fetched_at) <= (
           SELECT max(finished_at) FROM crawls WHERE source = $source AND status = 'complete'
       )
    ORDER BY thread
"""


def crawl_sources(project: Project, source_names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Crawl the named sources (all without names), ingest their posts, and return the ledger rows.

    Crawls that were cut off before they were ingested are ingested first. Raises ConfigError when
    folate.toml has no source, or none of a given name.
    """
    from crawlers.process import run_crawl

    config = project.config
    sources = [config.find_source(name) for name in source_names] or list(config.sources)
    if not sources:
        raise ConfigError(
            "wanted a [[sources]] table in folate.toml to crawl, got none; "
            "'folate import' reads files instead."
        )
    ingest_pending_crawls(project)
    now = datetime.now(UTC)
    snapshot = project.store.snapshot()
    threads: list[str] = []
    for source in sources:
        threads += settled_threads(snapshot, source, now)
    crawl_id = now.strftime("%Y%m%dT%H%M%S.%fZ")
    folder = project.crawls_folder / crawl_id
    salt = project.load_or_create_salt()
    try:
        run_crawl(
            sources,
            config.crawl,
            folder,
            salt=salt,
            crawl_id=crawl_id,
            timezone=config.timezone,
            known_thread_ids=threads,
        )
    finally:
        expire_page_cache(project)
    return ingest_crawl(project, folder)


def ingest_pending_crawls(project: Project) -> None:
    """Ingest every crawl folder that was written but not ingested, such as after a power failure.

    Crawls that are still running are left alone. A folder that can't be read is reported on
    standard error and left as it is.
    """
    from crawlers.archive import JOB_FILE, LEDGER_FILE, POSTS_FILE
    from crawlers.process import is_crawl_running

    for folder in sorted(path for path in project.crawls_folder.glob("*") if path.is_dir()):
        started = any((folder / name).exists() for name in (JOB_FILE, LEDGER_FILE, POSTS_FILE))
        if not started or (folder / INGESTED_MARKER).exists() or is_crawl_running(folder):
            continue
        try:
            ingest_crawl(project, folder)
        except InputError as error:
            _warn(f"the crawl in {folder} was not ingested: {error}")


def crawl_folders(project: Project) -> list[Path]:
    """Return the folders of the project's crawls, oldest first."""
    return sorted(job.parent for job in project.crawls_folder.glob("*/job.json"))


def expire_page_cache(project: Project) -> int:
    """Delete cached pages older than `cache_hours`; return the number of deleted files."""
    from crawlers.cache import delete_expired_pages

    return delete_expired_pages(project.crawls_folder, project.config.crawl.cache_hours)


def reparse_crawl(project: Project, crawl_name: str) -> UpsertCounts:
    """Parse the stored pages of one crawl with the current parsers, and store their posts.

    Pages of sources that the project no longer has are left out. Broken posts, and posts that share
    their id with another one, are counted on standard error. Raises NotFound when there is no crawl
    of that name, InputError when it has no pages.
    """
    from crawlers.reparse import reparse_pages

    folders = {folder.name: folder for folder in crawl_folders(project)}
    if crawl_name not in folders:
        raise NotFound(
            f"wanted the folder of a crawl, got {crawl_name!r}; "
            f"possible: {', '.join(folders) or 'none, nothing was crawled yet'}."
        )
    config = project.config
    folder = folders[crawl_name]
    dropped = Counter[str]()
    pseudonymize = make_pseudonymizer(project.load_or_create_salt())
    posts = reparse_pages(folder, config.sources, pseudonymize, config.timezone, dropped)
    counts = project.store.upsert_posts(track_items(posts, "reading again"))
    if dropped:
        _warn(f"left out of the crawl in {folder}: {format_reasons(dropped)}.")
    return counts


def ingest_crawl(project: Project, folder: Path) -> list[dict[str, Any]]:
    """Store a crawl's posts and ledger, mark its folder as ingested, and return the ledger rows.

    Broken lines are counted in the ledger and on standard error. Raises InputError when the folder
    can't be read; it is then not marked.
    """
    from crawlers.process import finalize_ledger, read_posts

    ledger_rows = finalize_ledger(folder)
    broken_lines = Counter[str]()
    project.store.upsert_posts(read_posts(folder, broken_lines))
    project.store.upsert("crawls", ledger_rows)
    (folder / INGESTED_MARKER).touch()
    if broken_lines:
        reasons = format_reasons(broken_lines)
        _warn(f"broken lines were left out of the crawl in {folder}: {reasons}.")
    return ledger_rows


def settled_threads(snapshot: Snapshot, source: Source, now: datetime) -> list[str]:
    """Return the ids of threads that need no further visit.

    These are threads without a new post for `revisit_days` that were fetched before the end of the
    last complete crawl of their source.
    """
    old = now - timedelta(days=source.revisit_days)
    rows = snapshot.sql(_SETTLED_THREADS_QUERY, {"source": source.name, "old": old})
    threads: list[str] = rows.column("thread").to_pylist()
    return threads


def _warn(message: str) -> None:
    """Print one line to standard error."""
    sys.stderr.write(to_single_line(f"folate: {message}") + "\n")
