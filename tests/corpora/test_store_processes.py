"""Several processes at one store, and processes that die."""

import subprocess
import sys
from pathlib import Path

import corpora
from corpora.store.store import Store

ROOT = Path(corpora.__file__).parents[1]
POSTS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from corpora.store import store
from folate.core.post import Post

def posts(first, last):
    for n in range(first, last):
        moment = datetime(2026, 3, 1, tzinfo=UTC)
        yield Post(id=f"f:{n}", source="f", kind="forum", text=f"post {n}", published_at=moment)

root = Path(sys.argv[1])
"""
IMPORT = """
import sys
from pathlib import Path
from corpora.store import batches, store
from corpora.files import ImportOptions, read_post_file
from datetime import UTC, datetime

batches.POSTS_PER_COMMIT = 100  # several commits, so that the two meet
sys.stdin.readline()  # both start at once
options = ImportOptions(source="f", kind="forum", now=datetime(2026, 4, 1, tzinfo=UTC))
store.Store(Path(sys.argv[1])).upsert_posts(read_post_file(Path(sys.argv[2]), options))
"""
ACKNOWLEDGE = (
    POSTS
    + """
for first in range(0, 100_000, 20):
    store.Store(root).upsert_posts(posts(first, first + 20))
    print(first + 20, flush=True)
"""
)


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # our own code


def counts(root: Path) -> tuple[int, int]:
    """Rows, and distinct ids among them."""
    row = (
        Store(root)
        .snapshot()
        .sql("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM posts")
        .to_pylist()[0]
    )
    return row["n"], row["ids"]


def test_two_processes_importing_one_file_leave_each_post_once(tmp_path: Path) -> None:
    file, root = tmp_path / "posts.csv", tmp_path / "corpus"
    file.write_text(
        "id,text,published_at\n" + "".join(f"{n},post {n},2026-03-01\n" for n in range(300)),
        encoding="utf-8",
    )
    both = [start(IMPORT, root, file) for _ in range(2)]
    for process in both:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate()
        assert process.returncode == 0
    assert counts(root) == (300, 300)


def test_a_kill_loses_nothing_acknowledged(tmp_path: Path) -> None:
    root, acknowledged = tmp_path / "corpus", 0
    for acknowledgements in (2, 3):
        with start(ACKNOWLEDGE, root) as child:
            assert child.stdout
            for _ in range(acknowledgements):
                acknowledged = max(acknowledged, int(child.stdout.readline()))
            child.kill()  # in the middle of what comes next
            remaining_output = child.stdout.read().split()
        acknowledged = max([acknowledged, *map(int, remaining_output)])
        rows, ids = counts(root)
        assert rows == ids
        present = set(Store(root).snapshot().sql("SELECT id FROM posts").column("id").to_pylist())
        assert present >= {f"f:{n}" for n in range(acknowledged)}
    second_run = start(POSTS + "store.Store(root).upsert_posts(posts(0, 500))", root)
    second_run.communicate()
    assert second_run.returncode == 0
    assert counts(root) == (max(500, counts(root)[0]),) * 2
