"""Files that are whole or not there: written aside in the same folder, then renamed over the old one."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_ASIDE = ".part"  # how the name of a file that is being written ends


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write `data` (text as UTF-8) to `path`, whole or not at all. Raises OSError that names `path`, whose old content then stays."""
    with open_atomically(path) as file:
        file.write(data.encode("utf-8") if isinstance(data, str) else data)


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a file for bytes that takes the place of `path` when the block ends, and is deleted when the block raises.

    A link stays a link: what it leads to is replaced. The permissions of an old file are kept; its owner is whoever writes. What is
    no regular file (a pipe, a terminal) is written as it is. Raises OSError that names `path`.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
            return
        with _aside(Path(os.path.realpath(path))) as file:
            yield file
    except OSError as error:
        if error.filename is None:  # a full disk does not say which file it has no room for
            error.filename = str(path)
        raise


@contextmanager
def _aside(target: Path) -> Iterator[BinaryIO]:
    descriptor, name = tempfile.mkstemp(
        suffix=_ASIDE, prefix=f".{target.name[:60]}.", dir=target.parent
    )
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(_mode(target))
        aside.replace(target)
    except BaseException:  # also of somebody who interrupts: nothing half written may stay
        with suppress(OSError):
            aside.unlink()
        raise
    _settle(target.parent)


def _mode(target: Path) -> int:
    """The permissions of the old file; without one, those that any new file gets."""
    with suppress(FileNotFoundError):
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _settle(folder: Path) -> None:
    """See to it that the new name survives a loss of power, where a folder can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
