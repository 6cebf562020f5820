"""Records of the commits of each table beside its Delta log, so that a lost log entry is noticed.

Delta takes a log whose last entry is missing or empty for a log that ended before it, and rows
would be lost without a message. So every commit is recorded in a file of its own, `commits.jsonl`,
by lines that are only ever appended: writers need no lock, and a truncated line is skipped. Log
entries without a record (a writer was killed between the two) are no fault.
"""

import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from os import scandir
from pathlib import Path

from folate.core.errors import StoreError

COMMITS_FILE = "commits.jsonl"
DELTA_LOG_FOLDER = "_delta_log"
# Faults of one log that are reported; a stray file can name any version.
_MAX_LOG_FAULTS = 100
_ENTRY_NAME = re.compile(r"(\d{20})\.json")
_CHECKPOINT_NAME = re.compile(r"(\d{20})\.checkpoint(\..*)?\.parquet")


# What a truncated line, or one of another program, raises.
_LINE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """The record of one commit."""

    # Size of its entry in the log.
    entry_bytes: int
    # Rows of the table after it; None where nobody counted.
    row_count: int | None = None


def damaged_file_error(file: Path, what: str, deep: bool = False) -> StoreError:
    """Return the error for a damaged file; its message is the path of the file, then `what`.

    `deep` says that only a deep check sees the damage.
    """
    check = "folate check --deep" if deep else "folate check"
    return StoreError(f"{file} {what}: run '{check}', which says what is lost and what to do.")


def log_entry_path(root: Path, name: str, version: int) -> Path:
    """Return the path of an entry of a table's log."""
    return root / name / DELTA_LOG_FOLDER / f"{version:020}.json"


def log_entry_sizes(root: Path, name: str) -> dict[int, int]:
    """Return the size in bytes of each entry of a table's log, by version; -1 for what is no file.

    Raises StoreError.
    """
    sizes = {}
    try:
        with scandir(root / name / DELTA_LOG_FOLDER) as files:
            for file in files:
                if match := _ENTRY_NAME.fullmatch(file.name):
                    sizes[int(match[1])] = file.stat().st_size if file.is_file() else -1
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise damaged_file_error(
            root / name / DELTA_LOG_FOLDER, f"can't be read ({error.strerror})"
        ) from error
    return sizes


def read_commit_records(root: Path) -> dict[str, dict[int, CommitRecord]]:
    """Return every recorded commit by table and version.

    Raises StoreError when the file can't be read.
    """
    try:
        return _parse_records((root / COMMITS_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise damaged_file_error(
            root / COMMITS_FILE, f"can't be read ({error.strerror})"
        ) from error


@lru_cache(maxsize=8)
def _parse_records(data: bytes) -> dict[str, dict[int, CommitRecord]]:
    """Parse the lines of a file, which is read many times; nobody changes the result."""
    commits: defaultdict[str, dict[int, CommitRecord]] = defaultdict(dict)
    for line in data.split(b"\n"):
        with suppress(*_LINE_ERRORS):
            values = json.loads(line)
            rows = values.get("rows")
            row_count = None if rows is None else int(rows)
            record = CommitRecord(int(values["size"]), row_count)
            commits[str(values["table"])][int(values["version"])] = record
    return dict(commits)


def record_commits(root: Path, name: str, rows: int) -> None:
    """Record every commit of a table that has no record; `rows` is its row count after the newest.

    On a full disk the commit stays valid, and its record is left out.
    """
    records = read_commit_records(root).get(name, {})
    sizes = log_entry_sizes(root, name)
    lines = ""
    for version in sorted(sizes.keys() - records.keys()):
        values = {"table": name, "version": version, "size": sizes[version]}
        if version == max(sizes):
            values["rows"] = rows
        lines += json.dumps(values) + "\n"
    with suppress(OSError), (root / COMMITS_FILE).open("ab") as file:
        file.write(lines.encode())


def check_log(root: Path, name: str) -> None:
    """Raise StoreError when the log of a table lacks an entry, or has a changed one."""
    for version, problem in find_log_faults(root, name):
        raise damaged_file_error(
            log_entry_path(root, name, version),
            f"{problem}, and the table {name!r} can't be read rightly without it",
        )
    if not log_entry_sizes(root, name) and _has_data_files(root / name):
        raise damaged_file_error(
            root / name / DELTA_LOG_FOLDER,
            f"is missing, and without it nobody knows which rows the table {name!r} has",
        )


def find_log_faults(root: Path, name: str) -> list[tuple[int, str]]:
    """Return the faults of a table's log as (version, what is wrong with its entry).

    Checked are entries that have a record or are followed by others.
    """
    # records first: a commit that comes between the two calls is then in both
    records = read_commit_records(root).get(name, {})
    sizes = log_entry_sizes(root, name)
    if not records and not sizes:
        return []
    # with a checkpoint, older entries may have been cleaned away
    first = min(sizes, default=0) if _has_checkpoint(root, name) else 0
    newest = max((*records, *sizes))
    faults = []
    for version in range(min(first, newest), newest + 1):
        if problem := _find_entry_problem(sizes.get(version), records.get(version)):
            faults.append((version, problem))
        if len(faults) == _MAX_LOG_FAULTS:
            break
    return faults


def _find_entry_problem(size: int | None, record: CommitRecord | None) -> str | None:
    """Return what is wrong with a log entry of this size (None: missing, -1: no file), or None."""
    if size is None:
        return "is missing"
    if size < 0:
        return "is no file"
    if not size:
        return "is empty"
    if record and record.entry_bytes != size:
        return f"has {size:,} bytes and was written with {record.entry_bytes:,}"
    return None


def _has_checkpoint(root: Path, name: str) -> bool:
    return any(
        _CHECKPOINT_NAME.fullmatch(file.name)
        for file in (root / name / DELTA_LOG_FOLDER).glob("*.checkpoint*.parquet")
    )


def _has_data_files(folder: Path) -> bool:
    return next(folder.rglob("*.parquet"), None) is not None
