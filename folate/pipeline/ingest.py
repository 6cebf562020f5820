"""Posts come in: from files and from crawls. Both can be repeated; neither adds a post twice."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from corpora.files import ImportOptions, Reject, read_post_file
from corpora.store.snapshot import Snapshot
from corpora.store.store import UpsertCounts
from folate.core.config import Source
from folate.core.dates import DateOrder
from folate.core.encoding import require_encoding
from folate.core.errors import ConfigError, InputError, NotFound
from folate.core.post import Post, make_pseudonymizer
from folate.core.progress import progress_bar
from folate.core.text import to_single_line
from folate.pipeline.project import Project
from folate.pipeline.rejects import RejectsWriter

INGESTED_MARKER = "ingested"  # an empty file in a crawl's folder


def import_file(
    project: Project,
    path: Path,
    mapping: dict[str, str],
    source: str | None,
    kind: str | None,
    rating_scale: float | None,
    encoding: str | None = None,
    date_order: DateOrder | None = None,
    sheet: str | None = None,
) -> dict[str, Any]:
    """Read one file into the store, under `source` and as `kind`; without them as its rows say, else as reviews of the file's name.

    `order` tells month and day apart in dates like 3/8/2026; without it the file's other dates do, or such a date is rejected. Of a
    workbook one sheet is read: that of the name `sheet`, else the first.

    Returns counts: added, changed, known, repeated in the file, rejected; unused columns; `unread_fields`: values that could not be
    read and are missing in the posts, by field and reason; `dates`: the order of day and month, and what shows it; sheets that
    were not read; `notes`: sentences on what a person who looks at the file may not expect; and as `problem` why the file can't be
    read to its end (its rows up to there are taken).

    Rejected rows are written to rejects/FILE.jsonl (see `Rejects`). Raises InputError when the file can't be read at all, and
    ConfigError when `encoding` names none.
    """
    decided = {name for name, value in (("source", source), ("kind", kind)) if value}
    options = ImportOptions(
        mapping=mapping, source=source or path.name.split(".")[0], kind=kind or "review", overridden_fields=frozenset(decided),
        rating_scale=rating_scale, date_order=date_order, timezone=project.config.timezone, crawl=f"import:{path.name}", salt=project.paths.load_or_create_salt(),
        encoding=require_encoding(encoding) if encoding else None, sheet=sheet,
    )  # fmt: skip
    reading, reasons = read_post_file(path, options), Counter[str]()
    problems: list[str] = []
    with RejectsWriter(project.paths.rejects_folder, path.name) as rejects:
        rows = _until_broken(progress_bar("reading", items=reading, unit="row"), problems)
        done = project.store.upsert_posts(_without_rejects(rows, rejects, reasons))
    notes = reading.notes() + rejects.notes()
    if not reasons and not problems and done == UpsertCounts():
        notes.append("it has no rows below the header")
    return {
        "file": path.name, "added": done.inserted, "changed": done.updated, "known": done.unchanged, "repeated": done.repeated,
        "rejected": reasons.total(), "reasons": _readable(reasons), "unused_columns": list(reading.unused_columns),
        "unread_fields": _readable(reading.unread_values), "dates": reading.date_order_note, "unread_sheets": list(reading.unread_sheets),
        "notes": notes, "problem": next(iter(problems), None),
    }  # fmt: skip


def crawl_sources(project: Project, source_names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Crawl the sources of these names (all, when none is named), ingest what came, and return the ledger rows.

    The crawl's folder is the resume point: crawls that were cut off before they were ingested are ingested first.
    """
    from crawlers.process import run_crawl as run_spiders

    config = project.config
    sources = [config.find_source(name) for name in source_names] or list(config.sources)
    if not sources:
        raise ConfigError(
            "wanted a [[sources]] table in folate.toml to crawl, got none; 'folate import' reads files instead."
        )
    ingest_pending_crawls(project)
    now, snapshot = datetime.now(UTC), project.store.snapshot()
    known = [thread for source in sources for thread in settled_threads(snapshot, source, now)]
    crawl_id = now.strftime("%Y%m%dT%H%M%S.%fZ")
    folder = project.paths.crawls_folder / crawl_id
    try:
        run_spiders(
            sources,
            config.crawl,
            folder,
            salt=project.paths.load_or_create_salt(),
            crawl_id=crawl_id,
            timezone=config.timezone,
            known_thread_ids=known,
        )
    finally:
        expire_page_cache(project)
    return ingest_crawl(project, folder)


def ingest_pending_crawls(project: Project) -> None:
    """Ingest every crawl folder that was written and, the machine having stopped, never ingested.

    Crawls that still run are left alone; a folder that can't be read is told on standard error and left for a person to look at.
    """
    from crawlers.archive import JOB_FILE, LEDGER_FILE, POSTS_FILE
    from crawlers.process import is_crawl_running

    for folder in sorted(path for path in project.paths.crawls_folder.glob("*") if path.is_dir()):
        started = any((folder / name).exists() for name in (JOB_FILE, LEDGER_FILE, POSTS_FILE))
        if not started or (folder / INGESTED_MARKER).exists() or is_crawl_running(folder):
            continue
        try:
            ingest_crawl(project, folder)
        except InputError as error:
            sys.stderr.write(
                to_single_line(f"folate: the crawl in {folder} was not ingested: {error}") + "\n"
            )


def crawl_folders(project: Project) -> list[Path]:
    """The folders of the project's crawls, oldest first."""
    return sorted(job.parent for job in project.paths.crawls_folder.glob("*/job.json"))


def expire_page_cache(project: Project) -> int:
    """Delete the pages that crawls kept for one another for longer than `cache_hours`; return how many files."""
    from crawlers.cache import delete_expired_pages as delete

    return delete(project.paths.crawls_folder, project.config.crawl.cache_hours)


def reparse_crawl(project: Project, crawl_name: str) -> UpsertCounts:
    """Read the kept pages of one crawl again with today's parsers, and put their posts into the store.

    Pages of sources that the project no longer has are left out. What is broken, or shares its id with another
    post, is counted on standard error. Raises NotFound when there is no crawl of that name, InputError when it
    has no pages.
    """
    from crawlers.reparse import reparse_pages as read_again

    folders = {folder.name: folder for folder in crawl_folders(project)}
    if crawl_name not in folders:
        raise NotFound(
            f"wanted the folder of a crawl, got {crawl_name!r}; possible: {', '.join(folders) or 'none, nothing was crawled yet'}."
        )
    config, dropped = project.config, Counter[str]()
    pseudonym = make_pseudonymizer(project.paths.load_or_create_salt())
    posts = read_again(folders[crawl_name], config.sources, pseudonym, config.timezone, dropped)
    done = project.store.upsert_posts(progress_bar("reading again", items=posts))
    if dropped:
        sys.stderr.write(
            to_single_line(
                f"folate: left out of the crawl in {folders[crawl_name]}: {_readable(dropped)}."
            )
            + "\n"
        )
    return done


def ingest_crawl(project: Project, folder: Path) -> list[dict[str, Any]]:
    """Put a crawl's posts and ledger into the store, then mark the folder as ingested.

    Broken lines are counted in the ledger and on standard error. Raises InputError when the folder
    can't be read; nothing is then marked.
    """
    from crawlers.process import finalize_ledger, read_posts

    rows, broken = finalize_ledger(folder), Counter[str]()
    project.store.upsert_posts(read_posts(folder, broken))
    project.store.upsert("crawls", rows)
    (folder / INGESTED_MARKER).touch()
    if broken:
        sys.stderr.write(
            to_single_line(
                f"folate: broken lines were left out of the crawl in {folder}: {_readable(broken)}."
            )
            + "\n"
        )
    return rows


def settled_threads(snapshot: Snapshot, source: Source, now: datetime) -> list[str]:
    """Ids of threads that need no second reading: a crawl of the source was complete, and nobody has posted for `revisit_days`."""
    query = """
        SELECT thread FROM posts WHERE source = $source AND thread IS NOT NULL GROUP BY thread
        HAVING max(published_at) < $old
           AND max(fetched_at) <= (SELECT max(finished_at) FROM crawls WHERE source = $source AND status = 'complete')
        ORDER BY thread
    """
    rows = snapshot.sql(
        query, {"source": source.name, "old": now - timedelta(days=source.revisit_days)}
    )
    threads: list[str] = rows.column("thread").to_pylist()
    return threads


def _until_broken(rows: Iterable[Post | Reject], problems: list[str]) -> Iterator[Post | Reject]:
    """The rows of a file up to where it can't be read any more; why goes to `problems`."""
    try:
        yield from rows
    except InputError as error:
        problems.append(str(error))


def _without_rejects(
    items: Iterable[Post | Reject], rejects: RejectsWriter, reasons: Counter[str]
) -> Iterator[Post]:
    """The posts among `items`; the others are counted in `reasons` and kept in `rejects`."""
    for item in items:
        if isinstance(item, Post):
            yield item
        else:
            reasons[item.reason] += 1
            rejects.write(item)


def _readable(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
