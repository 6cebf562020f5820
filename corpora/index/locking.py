"""The lock of a derived folder: one process at a time changes it."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock

from folate.core.errors import StoreError
from folate.core.progress import show_elapsed_time

LOCK_FILE = "lock"


@contextmanager
def locked_folder(folder: Path, contents: str, waiting: str = "") -> Iterator[None]:
    """Let no other process change a folder during the block; create the folder if need be.

    `contents` names what is in it, for messages; `waiting` is the progress that is shown until the
    lock is free. Raises StoreError where the folder can't be written, also in the block.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_FILE)
        with show_elapsed_time(waiting) if waiting else nullcontext():
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
    except OSError as error:
        raise StoreError(
            f"{contents} in {folder} can't be written ({error.strerror or error}): see that the "
            "disk has room and may be written to, then run it again."
        ) from error
