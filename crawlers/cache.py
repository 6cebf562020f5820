"""The page caches of crawl runs, `crawls/RUN/cache`, and their expiry.

A run writes to its own cache and reads those of other runs.
"""

import shutil
import time
from contextlib import suppress
from pathlib import Path

CACHE_FOLDER = "cache"
_LEGACY_CACHE_FOLDER = ".httpcache"  # earlier versions kept the pages of all runs in it


def list_cache_folders(crawls: Path) -> list[Path]:
    """Return the cache folders of the runs in `crawls`, the newest run first."""
    return sorted(crawls.glob(f"*/{CACHE_FOLDER}"), reverse=True)


def delete_expired_pages(crawls: Path, hours: float) -> int:
    """Delete cached pages fetched more than `hours` ago and return the number of deleted files.

    Empty folders are deleted when they are as old: a crawl may just have made a younger one.
    """
    if (crawls / _LEGACY_CACHE_FOLDER).is_dir():
        shutil.rmtree(crawls / _LEGACY_CACHE_FOLDER)
    min_mtime = time.time() - hours * 3600
    deleted = 0
    for cache in list_cache_folders(crawls):
        for path in sorted(cache.rglob("*"), reverse=True):  # files before their folder
            deleted += _delete_if_expired(path, min_mtime)
        _delete_if_expired(cache, min_mtime)
    return deleted


def _delete_if_expired(path: Path, min_mtime: float) -> bool:
    """Delete a file or empty folder changed before `min_mtime`; return whether it was a file."""
    is_folder = path.is_dir() and not path.is_symlink()
    with suppress(FileNotFoundError):  # another crawl deleted it
        if path.lstat().st_mtime >= min_mtime:
            return False
        if not is_folder:
            path.unlink()
            return True
        if not any(path.iterdir()):
            path.rmdir()
    return False
