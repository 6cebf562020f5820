"""Everything that a project keeps, looked at: what is damaged, what is lost by it, and what to do."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from corpora.store.damage import Fault, find_store_faults
from folate.core.config import load_config
from folate.core.errors import ConfigError, FolateError, InputError
from folate.core.post import Post
from folate.core.text import truncate_text
from folate.pipeline.project import Project
from reports.render.document import digests_match
from reports.render.index import is_report

JSON_ERRORS = (OSError, ValueError, RecursionError)
_OBJECTS = (TypeError, KeyError)


def check_project(project: Project, deep: bool = False) -> list[Fault]:
    """Look at the project file, the store, the salt, crawls, rejects, reports, thresholds and deliveries of a project.

    Every page of every data file is read if `deep`, else only what tells that a file is whole. Nothing is changed.
    Raises ConfigError when the folder has no project file.
    """
    return [
        *_config(project),
        *find_store_faults(project.store_folder, deep),
        *_salt(project),
        *_crawls(project),
        *_rejects(project),
        *_reports(project),
        *_thresholds(project),
        *_deliveries(project),
    ]


def faults_to_rows(faults: list[Fault]) -> list[dict[str, Any]]:
    """Return the faults as plain rows: file, what, lost, remedy."""
    return [
        {"file": str(fault.file), "what": fault.what, "lost": fault.lost, "remedy": fault.remedy}
        for fault in faults
    ]


def _config(project: Project) -> Iterator[Fault]:
    try:
        load_config(project.root)
    except ConfigError as error:
        if not project.config_file.exists():
            raise
        yield Fault(
            project.config_file,
            f"can't be used: {error}".rstrip("."),
            "nothing that is stored",
            "put right what it says",
        )


def _salt(project: Project) -> Iterator[Fault]:
    """A salt that is missing is a fault only where authors were hashed with it; none is made here."""
    path = project.root / ".salt"
    if not path.exists() and not project.has_hashed_authors():
        return
    try:
        project.load_or_create_salt()
    except FolateError as error:
        lost = "that authors who are seen again are known to be the same"
        yield Fault(path, f"can't be used: {error}".rstrip("."), lost, "restore it from a backup")


def _crawls(project: Project) -> Iterator[Fault]:
    for folder in _folders(project.crawls_folder):
        ingested = (folder / "ingested").exists()
        remedy = "restore it from a backup, or delete the folder and crawl again"
        lost = (
            "nothing in the store, but it can't be parsed again"
            if ingested
            else "what this crawl had read and the store does not have"
        )
        for name, reads in (
            ("job.json", _is_object),
            ("ledger.jsonl", _lines_of(_object)),
            ("posts.jsonl", _lines_of(Post.from_json)),
        ):
            path = folder / name
            if name == "job.json" and not path.exists():
                yield Fault(path, "is missing", lost, remedy)
            elif path.exists() and (what := _wrong(path, reads)):
                yield Fault(path, what, lost, remedy)


def _rejects(project: Project) -> Iterator[Fault]:
    for path in sorted(project.rejects_folder.glob("*.jsonl")):
        if what := _wrong(path, _lines_of(_object)):
            yield Fault(
                path, what, "why some rows of this file were rejected", "import the file again"
            )


def _reports(project: Project) -> Iterator[Fault]:
    for path in sorted(project.reports_folder.glob("????-W??.json")):
        again = f"run 'folate report --week {path.stem}'"
        if what := _wrong(path, _report):
            yield Fault(path, what, "the figures of this report as JSON", again)
        elif not (page := path.with_suffix(".html")).exists():
            yield Fault(page, "is missing", "the page of this report", again)
        elif what := _wrong(page, partial(_page_of, path)):
            yield Fault(page, what, "that the page and the figures beside it are one report", again)


def _thresholds(project: Project) -> Iterator[Fault]:
    path = project.thresholds_file
    if path.exists() and (what := _wrong(path, _is_object)):
        yield Fault(
            path,
            what,
            "the thresholds that were learnt",
            "restore it, or delete it to go back to the defaults",
        )


def _deliveries(project: Project) -> Iterator[Fault]:
    path = project.outbox_file
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            answer = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        answer = str(error)
    if answer != "ok":
        remedy = "restore it from a backup, or delete it: then everything counts as not yet sent"
        yield Fault(
            path,
            f"is not a whole database ({truncate_text(answer, 100)})",
            "what was sent to whom",
            remedy,
        )


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(
            path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except (FileNotFoundError, NotADirectoryError):
        return []


def _wrong(path: Path, reads: Callable[[Path], None]) -> str | None:
    """What keeps `reads` from reading a file, or None."""
    try:
        reads(path)
    except (*JSON_ERRORS, *_OBJECTS, ConfigError, InputError) as error:
        why = (
            error.strerror
            if isinstance(error, OSError)
            else truncate_text(str(error).partition("\n")[0], 100)
        )
        return f"can't be read ({why or type(error).__name__})".replace(".)", ")")
    return None


def _is_object(path: Path) -> None:
    _object(path.read_text(encoding="utf-8"))


def _object(text: str) -> None:
    if not isinstance(value := json.loads(text), dict):
        raise ValueError(f"wanted a JSON object, got {type(value).__name__}")


def _report(path: Path) -> None:
    if not is_report(json.loads(path.read_text(encoding="utf-8"))):
        raise ValueError("it is not a report of this version")


def _page_of(figures: Path, page: Path) -> None:
    """A page that older versions wrote can't be compared with its figures."""
    document = json.loads(figures.read_text(encoding="utf-8"))
    if "digests" in document and not digests_match(document, page.read_bytes()):
        raise ValueError(f"it was cut or changed, or was not written together with {figures.name}")


def _lines_of(read: Callable[[str], object]) -> Callable[[Path], None]:
    """Reads a file line by line; what follows the last line break was cut when a run was killed, and is no fault."""

    def reads(path: Path) -> None:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.endswith("\n"):
                    try:
                        read(line)
                    except (ValueError, RecursionError, TypeError, InputError) as error:
                        raise ValueError(f"line {number}: {error}") from error

    return reads
