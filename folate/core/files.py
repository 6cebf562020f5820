"""Atomic writing of files: a temporary file in the same folder, renamed over the old one."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Suffix of a file that is being written.
_TEMPORARY_SUFFIX = ".part"
# Characters of the target's name in that of the temporary file.
_MAX_PREFIX_LENGTH = 60


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write `data` (text as UTF-8) to `path`, whole or not at all.

    Raises OSError with the name of `path`, whose old content is then unchanged.
    """
    with open_atomically(path) as file:
        file.write(data.encode("utf-8") if isinstance(data, str) else data)


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file that replaces `path` when the block ends, or is deleted when it raises.

    The target of a symbolic link is replaced, not the link. The permissions of an old file are
    preserved, its owner is not. A path that is no regular file (a pipe, a terminal) is written
    directly. Raises OSError with the name of `path`.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
            return
        with _open_temporary(Path(os.path.realpath(path))) as file:
            yield file
    except OSError as error:
        # the error of a full disk has no file name; that of a folder that is missing or can't be
        # written has the name of the temporary file
        if error.filename is None or str(error.filename).endswith(_TEMPORARY_SUFFIX):
            error.filename = str(path)
        raise


@contextmanager
def _open_temporary(target: Path) -> Iterator[BinaryIO]:
    descriptor, name = tempfile.mkstemp(
        suffix=_TEMPORARY_SUFFIX,
        prefix=f".{target.name[:_MAX_PREFIX_LENGTH]}.",
        dir=target.parent,
    )
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_file_permissions(target))
        temporary.replace(target)
    except BaseException:  # KeyboardInterrupt too: remove the partial file, then raise again
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _file_permissions(target: Path) -> int:
    """Return the permissions of the old file, or those of a new file under the umask."""
    with suppress(FileNotFoundError):
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a loss of power, where the system can sync a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
