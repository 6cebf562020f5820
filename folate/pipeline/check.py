"""The check of a project: which files are damaged, what is lost, and what to do."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from corpora.store.damage import Fault, find_store_faults
from folate.core.config import CONFIG_FILE, Config, load_config
from folate.core.errors import ConfigError, FolateError, InputError
from folate.core.post import Post
from folate.core.text import truncate_text
from folate.pipeline.crawl import INGESTED_MARKER
from folate.pipeline.project import Project
from reports.render.document import digests_match
from reports.render.index import is_report

ReadFile = Callable[[Path], None]
"""Reads a file; raises one of READ_ERRORS when it is damaged."""

READ_ERRORS = (
    OSError,
    ValueError,
    RecursionError,
    TypeError,
    KeyError,
    ConfigError,
    InputError,
)


def check_project(project: Project, deep: bool = False) -> list[Fault]:
    """Check the files of a project and return its faults. Nothing is changed.

    These are the project file, the store, the salt, crawls, rejects, reports, thresholds and
    deliveries. If `deep`, every page of every data file is read, else only what shows that a file
    is complete. Raises ConfigError when the folder has no project file.
    """
    return [
        *_check_config(project),
        *find_store_faults(project.store_folder, deep),
        *_check_salt(project),
        *_check_crawls(project),
        *_check_rejects(project),
        *_check_reports(project),
        *_check_thresholds(project),
        *_check_deliveries(project),
    ]


def faults_to_rows(faults: list[Fault]) -> list[dict[str, Any]]:
    """Return the faults as plain rows: file, what, lost, remedy."""
    return [
        {"file": str(fault.file), "what": fault.what, "lost": fault.lost, "remedy": fault.remedy}
        for fault in faults
    ]


def check_saved_queries(config: Config) -> None:
    """Check that every saved query can be parsed. Raises ConfigError.

    No other command does: a query that is broken must not keep posts from being read.
    """
    if not config.queries:
        return
    from corpora.query.fields import known_values
    from corpora.query.parse import check_saved

    try:
        check_saved(config.queries, known_values(config))
    except InputError as error:
        raise ConfigError(f"{CONFIG_FILE}: {error}") from error


def _check_config(project: Project) -> Iterator[Fault]:
    try:
        check_saved_queries(load_config(project.root))
    except ConfigError as error:
        if not project.config_file.exists():
            raise
        yield Fault(
            project.config_file,
            f"can't be used: {error}".rstrip("."),
            "nothing that is stored",
            "put right what it says",
        )


def _check_salt(project: Project) -> Iterator[Fault]:
    """Check the salt; a missing one is a fault only if authors were hashed with it."""
    path = project.root / ".salt"
    if not path.exists() and not project.has_hashed_authors():
        return  # load_or_create_salt would create one
    try:
        project.load_or_create_salt()
    except FolateError as error:
        lost = "that authors who are seen again are known to be the same"
        yield Fault(path, f"can't be used: {error}".rstrip("."), lost, "restore it from a backup")


def _check_crawls(project: Project) -> Iterator[Fault]:
    remedy = "restore it from a backup, or delete the folder and crawl again"
    for folder in _list_folders(project.crawls_folder):
        if (folder / INGESTED_MARKER).exists():
            lost = "nothing in the store, but it can't be parsed again"
        else:
            lost = "what this crawl had read and the store does not have"
        for name, read_file in (
            ("job.json", _read_json_object),
            ("ledger.jsonl", partial(_read_lines, _parse_object)),
            ("posts.jsonl", partial(_read_lines, Post.from_json)),
        ):
            path = folder / name
            if path.exists():
                damage = _find_damage(path, read_file)
            else:
                damage = "is missing" if name == "job.json" else None
            if damage:
                yield Fault(path, damage, lost, remedy)


def _check_rejects(project: Project) -> Iterator[Fault]:
    for path in sorted(project.rejects_folder.glob("*.jsonl")):
        damage = _find_damage(path, partial(_read_lines, _parse_object))
        if damage:
            lost = "why some rows of this file were rejected"
            yield Fault(path, damage, lost, "import the file again")


def _check_reports(project: Project) -> Iterator[Fault]:
    for path in sorted(project.reports_folder.glob("????-W??.json")):
        remedy = f"run 'folate report --week {path.stem}'"
        page = path.with_suffix(".html")
        damage = _find_damage(path, _read_report)
        if damage:
            yield Fault(path, damage, "the figures of this report as JSON", remedy)
            continue
        if not page.exists():
            yield Fault(page, "is missing", "the page of this report", remedy)
            continue
        damage = _find_damage(page, partial(_read_page, path))
        if damage:
            lost = "that the page and the figures beside it are one report"
            yield Fault(page, damage, lost, remedy)


def _check_thresholds(project: Project) -> Iterator[Fault]:
    path = project.thresholds_file
    if not path.exists():
        return
    damage = _find_damage(path, _read_json_object)
    if damage:
        yield Fault(
            path,
            damage,
            "the thresholds that were learnt",
            "restore it, or delete it to go back to the defaults",
        )


def _check_deliveries(project: Project) -> Iterator[Fault]:
    path = project.outbox_file
    if not path.exists():
        return
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as database:
            result = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        result = str(error)
    if result != "ok":
        yield Fault(
            path,
            f"is not a whole database ({truncate_text(result, 100)})",
            "what was sent to whom",
            "restore it from a backup, or delete it: then everything counts as not yet sent",
        )


def _list_folders(parent: Path) -> list[Path]:
    """Return the folders in `parent` that are not hidden; none if it does not exist."""
    try:
        entries = sorted(parent.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in entries if path.is_dir() and not path.name.startswith(".")]


def _find_damage(path: Path, read_file: ReadFile) -> str | None:
    """Return why a file can't be read, or None if it can."""
    try:
        read_file(path)
    except READ_ERRORS as error:
        if isinstance(error, OSError):
            reason = error.strerror
        else:
            reason = truncate_text(str(error).partition("\n")[0], 100)
        return f"can't be read ({reason or type(error).__name__})".replace(".)", ")")
    return None


def _read_json_object(path: Path) -> None:
    _parse_object(path.read_text(encoding="utf-8"))


def _parse_object(text: str) -> None:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"wanted a JSON object, got {type(value).__name__}")


def _read_report(path: Path) -> None:
    if not is_report(json.loads(path.read_text(encoding="utf-8"))):
        raise ValueError("it is not a report of this version")


def _read_page(figures_file: Path, page: Path) -> None:
    """Compare a page with its figures; pages of older versions have no digest to compare."""
    document = json.loads(figures_file.read_text(encoding="utf-8"))
    if "digests" in document and not digests_match(document, page.read_bytes()):
        raise ValueError(
            f"it was cut or changed, or was not written together with {figures_file.name}"
        )


def _read_lines(parse_line: Callable[[str], object], path: Path) -> None:
    """Parse each complete line; a last line without a line break was cut off by a kill."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                continue
            try:
                parse_line(line)
            except (ValueError, RecursionError, TypeError, InputError) as error:
                raise ValueError(f"line {number}: {error}") from error
