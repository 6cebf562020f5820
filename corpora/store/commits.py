"""What is known of the commits of each table beside its Delta log, so that a lost entry of the log is noticed.

Delta takes a log whose last entry is missing or empty for a log that ended before it: rows would be gone without a word. So every
commit is noted in a file of its own, `commits.jsonl`, by lines that are only ever appended: writers need no lock, and a line that
was cut is passed over. Entries that nobody noted (a writer was killed between the two) are no fault.
"""

import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from os import scandir
from pathlib import Path

from folate.core.errors import StoreError

COMMITS_FILE = "commits.jsonl"
DELTA_LOG_FOLDER = "_delta_log"
_MOST_FAULTS = 100  # of one log that are told; a stray file can name any version
_ENTRY = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(\..*)?\.parquet")


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """One commit: the size of its entry in the log, and how many rows the table had after it (None where nobody counted)."""

    entry_bytes: int  # bytes
    row_count: int | None = None


def damaged_file_error(file: Path, what: str, deep: bool = False) -> StoreError:
    """Return the error for a damaged file: `what` goes on after its path. `deep`: only a deep check sees it."""
    check = "folate check --deep" if deep else "folate check"
    return StoreError(f"{file} {what}: run '{check}', which says what is lost and what to do.")


def log_entry_path(root: Path, name: str, version: int) -> Path:
    """Return the path of an entry of a table's log."""
    return root / name / DELTA_LOG_FOLDER / f"{version:020}.json"


def log_entry_sizes(root: Path, name: str) -> dict[int, int]:
    """Return the versions in a table's log and the size of each entry in bytes (-1 for what is no file). Raises StoreError."""
    found = {}
    try:
        with scandir(root / name / DELTA_LOG_FOLDER) as files:
            for file in files:
                if match := _ENTRY.fullmatch(file.name):
                    found[int(match[1])] = file.stat().st_size if file.is_file() else -1
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise damaged_file_error(
            root / name / DELTA_LOG_FOLDER, f"can't be read ({error.strerror})"
        ) from error
    return found


def read_commit_records(root: Path) -> dict[str, dict[int, CommitRecord]]:
    """Return every noted commit by table and version. Raises StoreError when the file can't be read."""
    commits: defaultdict[str, dict[int, CommitRecord]] = defaultdict(dict)
    try:
        lines = (root / COMMITS_FILE).read_bytes().split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise damaged_file_error(
            root / COMMITS_FILE, f"can't be read ({error.strerror})"
        ) from error
    for line in lines:
        with suppress(
            ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError
        ):  # cut, or not ours
            values = json.loads(line)
            rows = values.get("rows")
            noted_rows = None if rows is None else int(rows)
            commits[str(values["table"])][int(values["version"])] = CommitRecord(
                int(values["size"]), noted_rows
            )
    return dict(commits)


def record_commits(root: Path, name: str, rows: int) -> None:
    """Note every commit of a table that is not noted yet; `rows` is what the table has after the newest.

    A full disk keeps no commit from being taken: what can't be noted is left out.
    """
    known, present = read_commit_records(root).get(name, {}), log_entry_sizes(root, name)
    new = [version for version in sorted(present) if version not in known]
    lines = [
        {"table": name, "version": version, "size": present[version]}
        | ({"rows": rows} if version == max(present) else {})
        for version in new
    ]
    with suppress(OSError), (root / COMMITS_FILE).open("ab") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines).encode())


def check_log(root: Path, name: str) -> None:
    """Raise StoreError when the log of a table lacks an entry, or has one that is not as it was written."""
    for version, what in find_log_faults(root, name):
        raise damaged_file_error(
            log_entry_path(root, name, version),
            f"{what}, and the table {name!r} can't be read rightly without it",
        )
    if not log_entry_sizes(root, name) and _has_data(root / name):
        raise damaged_file_error(
            root / name / DELTA_LOG_FOLDER,
            f"is missing, and without it nobody knows which rows the table {name!r} has",
        )


def find_log_faults(root: Path, name: str) -> list[tuple[int, str]]:
    """Return what is wrong with the entries of a table's log, by version: those that were noted or are followed by others."""
    known = read_commit_records(root).get(
        name, {}
    )  # before the entries are listed: a commit that comes between is in both
    present = log_entry_sizes(root, name)
    if not known and not present:
        return []
    first = (
        min(present, default=0) if _checkpoints(root, name) else 0
    )  # older entries may have been cleaned away
    newest = max((*known, *present))
    found = []
    for version in range(min(first, newest), newest + 1):
        if version not in present:
            found.append((version, "is missing"))
        elif present[version] < 0:
            found.append((version, "is no file"))
        elif not present[version]:
            found.append((version, "is empty"))
        elif version in known and known[version].entry_bytes != present[version]:
            found.append(
                (
                    version,
                    f"has {present[version]:,} bytes and was written with {known[version].entry_bytes:,}",
                )
            )
        if len(found) == _MOST_FAULTS:
            break
    return found


def _checkpoints(root: Path, name: str) -> bool:
    return any(
        _CHECKPOINT.fullmatch(file.name)
        for file in (root / name / DELTA_LOG_FOLDER).glob("*.checkpoint*.parquet")
    )


def _has_data(folder: Path) -> bool:
    return next(folder.rglob("*.parquet"), None) is not None
