"""Import damaged files through the command line, in this process, and say what became of each: `python importer.py FIRST LAST`.

Prints a line of JSON for each seed from FIRST up to LAST, and at last one with the peak of memory in MB. Nine of ten cases stop
short of the store, which takes far longer than reading.
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

HANG = 300  # seconds; no case needs one


class HangError(BaseException):
    """A case did not end."""


def _count(_: Store, posts: Iterable[Post]) -> UpsertCounts:
    """What an empty store would say of posts, which are made ready for it but not kept."""
    ids: list[str] = []
    posts = iter(posts)
    while batch := list(islice(posts, 20_000)):
        posts_to_arrow(batch, datetime.now(UTC))
        ids += [post.id for post in batch]
    _count.ids = set(ids)  # type: ignore[attr-defined]
    return UpsertCounts(inserted=len(set(ids)), repeated=len(ids) - len(set(ids)))


def outcome(case: Case, project: Path, is_stored: bool) -> dict[str, Any]:
    """Import a case and compare what was said with what is known of it: `fault` is what is wrong, else None."""
    path = project / case.name
    path.write_bytes(case.content)
    out, err = io.StringIO(), io.StringIO()
    signal.alarm(HANG)
    try:
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch.object(Store, "upsert_posts", Store.upsert_posts if is_stored else _count),
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
    except Exception as error:  # noqa: BLE001  # whatever gets here is a traceback to the user
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {
            "fault": "traceback",
            "detail": f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {error}"[
                :200
            ],
        }
    except HangError:
        return {"fault": "hang", "detail": ""}
    finally:
        signal.alarm(0)
        path.unlink()
    return {
        "code": code,
        "fault": _fault(case, code, out.getvalue(), err.getvalue(), is_stored),
        "detail": err.getvalue()[-200:],
    }


def _fault(case: Case, code: int, out: str, err: str, is_stored: bool) -> str | None:
    complaints = [line for line in err.splitlines() if not line.startswith("note: ")]
    rows = [json.loads(line) for line in out.splitlines()]
    if code not in (0, 3):
        return f"exit code {code}"
    if code == 0 and (complaints or len(rows) != 1):
        return "words on standard error of a file that was read"
    if code == 3 and (
        len(complaints) != 1
        or not complaints[0].startswith("folate: ")
        or len(complaints[0]) > 5000
    ):
        return "not one sentence"
    if case.rows is not None:
        return _miscounted(case, rows, is_stored)
    return None


def _miscounted(case: Case, rows: list[dict[str, Any]], is_stored: bool) -> str | None:
    """What is wrong where it is known how many rows a file has, and which of them are good."""
    if not rows:
        return "refused, though its rows can be told"
    told = sum(rows[0][name] for name in ("added", "changed", "known", "repeated", "rejected"))
    if told != case.rows:
        return f"{told} rows told of {case.rows}"
    taken: set[str] = set() if is_stored else _count.ids  # type: ignore[attr-defined]
    lost = {f"s:{native}" for native in case.good} - taken
    return f"{len(lost)} good rows lost" if lost and not is_stored else None


def main(first: int, last: int) -> None:
    def hang(*_: Any) -> None:
        raise HangError

    signal.signal(signal.SIGALRM, hang)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, last):
            project = Path(folder) / str(seed // 500)
            if not project.exists():
                project.mkdir()
                (project / "folate.toml").write_text('name = "fuzz"\n', encoding="utf-8")
            case = import_case(seed)
            told = outcome(case, project, is_stored=seed % 10 == 0)
            print(json.dumps({"seed": seed, "name": case.name} | told), flush=True)
    print(json.dumps({"peak": peak_memory() // 1024}))


def peak_memory() -> int:
    """Return the most memory that this process held, in KB; unlike `ru_maxrss` not that of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
