"""Posts come in: from files and from crawls. Both can be repeated; neither adds a post twice."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from corpora.files import ImportOptions, Reject, read
from corpora.snapshot import Snapshot
from corpora.store import Upserted
from folate.config import Source
from folate.core.text import sentence
from folate.errors import ConfigError, InputError, NotFound
from folate.pipeline.workspace import Workspace
from folate.post import Post, pseudonyms
from folate.progress import progress

INGESTED = "ingested"  # an empty file in a crawl's folder


def import_file(
    workspace: Workspace, path: Path, mapping: dict[str, str], source: str | None, kind: str | None, rating_scale: float | None
) -> dict[str, Any]:
    """Read one file into the store, under `source` and as `kind`; without them as its rows say, else as reviews of the file's name.

    Returns counts: added, changed, known, repeated in the file, rejected; and unused columns.

    Rejected rows are written to rejects/FILE.jsonl. Raises InputError when the file can't be read at all.
    """
    decided = {name for name, value in (("source", source), ("kind", kind)) if value}
    options = ImportOptions(
        mapping=mapping, source=source or path.name.split(".")[0], kind=kind or "review", decided=frozenset(decided),
        rating_scale=rating_scale, zone=workspace.config.timezone, crawl=f"import:{path.name}", salt=workspace.project.salt(),
    )  # fmt: skip
    reading, reasons = read(path, options), Counter[str]()
    rejects = workspace.project.rejects / f"{path.name}.jsonl"
    rejects.parent.mkdir(exist_ok=True)
    aside = rejects.with_suffix(".part")  # an import that fails leaves the rejects of the last one
    with aside.open("w", encoding="utf-8", errors="replace") as out:
        done = workspace.store.upsert_posts(_without_rejects(progress("reading", items=reading, unit="row"), out, reasons))
    aside.replace(rejects)
    if not reasons:
        rejects.unlink()
    return {
        "file": path.name, "added": done.inserted, "changed": done.updated, "known": done.unchanged, "repeated": done.repeated,
        "rejected": reasons.total(), "reasons": _readable(reasons), "unused_columns": list(reading.ignored),
    }  # fmt: skip


def crawl(workspace: Workspace, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Crawl the sources of these names (all, when none is named), ingest what came, and return the ledger rows.

    The crawl's folder is the resume point: crawls that were cut off before they were ingested are ingested first.
    """
    from crawlers.run import crawl as run_spiders

    config = workspace.config
    sources = [config.source(name) for name in names] or list(config.sources)
    if not sources:
        raise ConfigError("wanted a [[sources]] table in folate.toml to crawl, got none; 'folate import' reads files instead.")
    resume(workspace)
    now, snapshot = datetime.now(UTC), workspace.store.snapshot()
    known = [thread for source in sources for thread in settled_threads(snapshot, source, now)]
    crawl_id = now.strftime("%Y%m%dT%H%M%S.%fZ")
    folder = workspace.project.crawls / crawl_id
    run_spiders(sources, config.crawl, folder, workspace.project.salt(), crawl_id, config.timezone, known)
    return ingest(workspace, folder)


def resume(workspace: Workspace) -> None:
    """Ingest every crawl folder that was written and, the machine having stopped, never ingested.

    Crawls that still run are left alone; a folder that can't be read is told on standard error and left for a person to look at.
    """
    from crawlers.run import is_running

    for folder in runs(workspace):
        if (folder / INGESTED).exists() or is_running(folder):
            continue
        try:
            ingest(workspace, folder)
        except (InputError, ValueError) as error:
            sys.stderr.write(sentence(f"folate: the crawl in {folder} was not ingested: {error}") + "\n")


def runs(workspace: Workspace) -> list[Path]:
    """The folders of the project's crawls, oldest first."""
    return sorted(job.parent for job in workspace.project.crawls.glob("*/job.json"))


def reparse(workspace: Workspace, run: str) -> Upserted:
    """Read the kept pages of one crawl again with today's parsers, and put their posts into the store.

    Pages of sources that the project no longer has are left out. Raises NotFound when there is no crawl of that name.
    """
    from crawlers.reparse import reparse as read_again

    folders = {folder.name: folder for folder in runs(workspace)}
    if run not in folders:
        raise NotFound(f"wanted the folder of a crawl, got {run!r}; possible: {', '.join(folders) or 'none, nothing was crawled yet'}.")
    config = workspace.config
    posts = read_again(folders[run], config.sources, pseudonyms(workspace.project.salt()), config.timezone)
    return workspace.store.upsert_posts(progress("reading again", items=posts))


def ingest(workspace: Workspace, folder: Path) -> list[dict[str, Any]]:
    """Put a crawl's posts and ledger into the store, then mark the folder as ingested."""
    from crawlers.run import ledger, read_posts

    workspace.store.upsert_posts(read_posts(folder))
    rows = ledger(folder)
    workspace.store.upsert("crawls", rows)
    (folder / INGESTED).touch()
    return rows


def settled_threads(snapshot: Snapshot, source: Source, now: datetime) -> list[str]:
    """Ids of threads that need no second reading: a crawl of the source was complete, and nobody has posted for `revisit_days`."""
    query = """
        SELECT thread FROM posts WHERE source = $source AND thread IS NOT NULL GROUP BY thread
        HAVING max(published_at) < $old
           AND max(fetched_at) <= (SELECT max(finished_at) FROM crawls WHERE source = $source AND status = 'complete')
        ORDER BY thread
    """
    rows = snapshot.sql(query, {"source": source.name, "old": now - timedelta(days=source.revisit_days)})
    threads: list[str] = rows.column("thread").to_pylist()
    return threads


def _without_rejects(items: Iterable[Post | Reject], out: TextIO, reasons: Counter[str]) -> Iterator[Post]:
    for item in items:
        if isinstance(item, Post):
            yield item
        else:
            reasons[item.reason] += 1
            out.write(json.dumps(asdict(item), ensure_ascii=False, default=str) + "\n")


def _readable(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
