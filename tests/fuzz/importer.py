"""Import damaged files through the command line, in this process: `python importer.py FIRST LAST`.

It prints a line of JSON for each seed from FIRST to LAST - 1, and one with peak memory in MB.
Nine of ten cases end before the store, which takes far longer than reading.
"""

import io
import json
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.append(str(Path(__file__).parents[2]))  # after PYTHONPATH, which may name another checkout
sys.path.append(str(Path(__file__).parent))

from mutate import Case, import_case

from corpora.store.arrow import posts_to_arrow
from corpora.store.store import Store, UpsertCounts
from folate.cli import run_command
from folate.core.post import Post

# No case needs a second.
MAX_CASE_SECONDS = 300


class HangError(BaseException):
    """A case did not end in time."""


def _count_posts(_: Store, posts: Iterable[Post]) -> UpsertCounts:
    """Prepare posts for the store without writing them, and return the counts of an empty store."""
    ids: list[str] = []
    posts = iter(posts)
    while batch := list(islice(posts, 20_000)):
        posts_to_arrow(batch, datetime.now(UTC))
        ids += [post.id for post in batch]
    _count_posts.ids = set(ids)  # type: ignore[attr-defined]
    return UpsertCounts(inserted=len(set(ids)), repeated=len(ids) - len(set(ids)))


def import_file(case: Case, project: Path, is_stored: bool) -> dict[str, Any]:
    """Import a case and compare the output with what is known of it.

    `fault` in the result is what is wrong, or None.
    """
    path = project / case.name
    path.write_bytes(case.content)
    out, err = io.StringIO(), io.StringIO()
    signal.alarm(MAX_CASE_SECONDS)
    try:
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch.object(
                Store, "upsert_posts", Store.upsert_posts if is_stored else _count_posts
            ),
        ):
            code = run_command(
                [
                    "import",
                    str(path),
                    "--project",
                    str(project),
                    "--format",
                    "jsonl",
                    "--source",
                    "s",
                ]
            )
    # Any exception is a finding of this harness: to a user it would be a traceback. It is recorded
    # with its seed, and the next case runs.
    except Exception as error:  # noqa: BLE001
        frame = traceback.extract_tb(error.__traceback__)[-1]
        location = f"{Path(frame.filename).name}:{frame.lineno}"
        detail = f"{type(error).__name__} in {location}: {error}"
        return {"fault": "traceback", "detail": detail[:200]}
    except HangError:
        return {"fault": "hang", "detail": ""}
    finally:
        signal.alarm(0)
        path.unlink()
    return {
        "code": code,
        "fault": _find_fault(case, code, out.getvalue(), err.getvalue(), is_stored),
        "detail": err.getvalue()[-200:],
    }


def _find_fault(case: Case, code: int, out: str, err: str, is_stored: bool) -> str | None:
    error_lines = [line for line in err.splitlines() if not line.startswith("note: ")]
    rows = [json.loads(line) for line in out.splitlines()]
    if code not in (0, 3):
        return f"exit code {code}"
    if code == 0 and (error_lines or len(rows) != 1):
        return "words on standard error of a file that was read"
    if code == 3 and (
        len(error_lines) != 1
        or not error_lines[0].startswith("folate: ")
        or len(error_lines[0]) > 5000
    ):
        return "not one sentence"
    if case.rows is not None:
        return _find_miscount(case, rows, is_stored)
    return None


def _find_miscount(case: Case, rows: list[dict[str, Any]], is_stored: bool) -> str | None:
    """Return what is wrong with the counts, where the rows of a file are known."""
    if not rows:
        return "refused, though its rows can be told"
    counts = ("added", "changed", "known", "repeated", "rejected")
    counted = sum(rows[0][name] for name in counts)
    if counted != case.rows:
        return f"{counted} rows told of {case.rows}"
    imported: set[str] = set() if is_stored else _count_posts.ids  # type: ignore[attr-defined]
    lost = {f"s:{native}" for native in case.good} - imported
    return f"{len(lost)} good rows lost" if lost and not is_stored else None


def main(first: int, last: int) -> None:
    """Import the cases of the seeds `first` to `last` - 1."""

    def raise_hang(*_: Any) -> None:
        raise HangError

    signal.signal(signal.SIGALRM, raise_hang)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, last):
            project = Path(folder) / str(seed // 500)
            if not project.exists():
                project.mkdir()
                (project / "folate.toml").write_text('name = "fuzz"\n', encoding="utf-8")
            case = import_case(seed)
            result = import_file(case, project, is_stored=seed % 10 == 0)
            print(json.dumps({"seed": seed, "name": case.name} | result), flush=True)
    print(json.dumps({"peak": peak_memory() // 1024}))


def peak_memory() -> int:
    """Return the peak memory of this process in KB; `ru_maxrss` may be that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
