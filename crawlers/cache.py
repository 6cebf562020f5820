"""How long fetched pages stay on disk for other crawls. Each run keeps its own in `crawls/RUN/cache`, and goes with it."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

CACHE_FOLDER = "cache"  # folder of a run; another crawl reads it as long as its pages are fresh
_SHARED = ".httpcache"  # where earlier versions kept the pages of all runs


def list_cache_folders(crawls: Path) -> list[Path]:
    """Return the cache folders of the runs in `crawls`, the newest run first."""
    return sorted(crawls.glob(f"*/{CACHE_FOLDER}"), reverse=True)


def delete_expired_pages(crawls: Path, hours: float) -> int:
    """Delete cached pages that were fetched more than `hours` ago; return how many files that were.

    Empty folders go once they are as old: a crawl may just have made a younger one.
    """
    if (crawls / _SHARED).is_dir():
        shutil.rmtree(crawls / _SHARED)
    oldest = time.time() - hours * 3600
    deleted = 0
    for cache in list_cache_folders(crawls):
        for path in sorted(cache.rglob("*"), reverse=True):  # what a folder holds before it
            deleted += _expire(path, oldest)
        _expire(cache, oldest)
    return deleted


def _expire(path: Path, oldest: float) -> bool:
    """Delete a file, or an empty folder, last changed before `oldest`. True when it was a file."""
    folder = path.is_dir() and not path.is_symlink()
    with suppress(FileNotFoundError):  # another crawl was faster
        if path.lstat().st_mtime >= oldest:
            return False
        if not folder:
            path.unlink()
            return True
        if not any(path.iterdir()):
            path.rmdir()
    return False
