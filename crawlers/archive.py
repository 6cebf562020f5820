"""What a crawl leaves behind, in one folder. Every line is written whole, so that a kill leaves usable files.

job.json        what was asked for: sources, manners, ids of threads that need no second reading
posts.jsonl     one `Post.to_json()` a line; authors are hashes
rejects.jsonl   source, query, url, reason and native id of what was dropped; never a name or a text
ledger.jsonl    rows of the table `crawls`, each again after every page of it: the last one counts
cache/          pages for other crawls to use for `cache_hours`, names and all
raw/            the pages as they were, names and all: `pages.warc.gz` (WARC/1.1, ISO 28500, one gzip member a record)
"""

import gzip
import json
import mmap
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO
from uuid import NAMESPACE_URL, uuid5

from crawlers.ledger import LedgerRow, ledger_row_to_json, parse_ledger
from crawlers.parse.page import DroppedItem, Page, RequestContext
from folate.core.errors import CrawlError, InputError
from folate.core.post import Post

JOB_FILE, POSTS_FILE, REJECTS_FILE, LEDGER_FILE, ARCHIVE_FILE, LOG_FILE = (
    "job.json",
    "posts.jsonl",
    "rejects.jsonl",
    "ledger.jsonl",
    "raw/pages.warc.gz",
    "scrapy.log",
)


REPEATED_POST_REASON = "seen before in this crawl"
ID_CONFLICT_REASON = "another post with this id"
PRIVATE_FOLDER_MODE = 0o700  # folders of pages with names are for their owner only
PRECISION_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}  # seconds


class SeenPosts:
    """The posts of one run by id, so that another post with the same id is not taken for the same."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[bytes, str | None, datetime, str]] = {}

    def add(self, post: Post) -> str | None:
        """Note a post. Returns None when its id is new, else SEEN or OTHER.

        It is another post when its text is another, its author (where both are told), or its time:
        one told as "3 days ago" may be off by its precision.
        """
        digest = blake2b(post.text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        sight = (digest, post.author, post.published_at, post.precision)
        first = self._first.setdefault(post.id, sight)
        if first is sight:
            return None
        same_author = first[1] == post.author or None in (first[1], post.author)
        apart = abs((first[2] - post.published_at).total_seconds())
        same_time = apart <= max(PRECISION_SECONDS[first[3]], PRECISION_SECONDS[post.precision])
        return (
            REPEATED_POST_REASON
            if first[0] == digest and same_author and same_time
            else ID_CONFLICT_REASON
        )


class CrawlWriter:
    """The open files of one crawl run."""

    def __init__(self, out: Path) -> None:
        (out / ARCHIVE_FILE).parent.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        if (out / POSTS_FILE).exists():
            raise CrawlError(f"wanted a new folder for this crawl, {out} already holds one.")
        self._files = {
            name: (out / name).open("ab", buffering=0)
            for name in (POSTS_FILE, REJECTS_FILE, LEDGER_FILE, ARCHIVE_FILE)
        }
        self._sightings = SeenPosts()

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def write_post(self, row: LedgerRow, url: str, post: Post) -> None:
        """Write a post, seen at `url`, once; its second sight in a run is counted as dropped.

        Another post with an id that is taken is dropped, too: that makes the row partial.
        """
        again = self._sightings.add(post)
        if again is None:
            row.posts += 1
            self._line(POSTS_FILE, post.to_json())
        elif again == ID_CONFLICT_REASON:
            row.problems["posts that share an id: only the first was kept"] += 1
            self.write_reject(
                row, url, DroppedItem(ID_CONFLICT_REASON, post.id.removeprefix(f"{post.source}:"))
            )
        else:
            row.dropped[again] += 1

    def write_reject(self, row: LedgerRow, url: str, dropped: DroppedItem) -> None:
        row.dropped[dropped.reason] += 1
        where = {
            "source": row.source,
            "query": row.query,
            "url": url,
            "reason": dropped.reason,
            "id": dropped.id,
        }
        self._line(REJECTS_FILE, json.dumps(where, ensure_ascii=False))

    def write_progress_row(self, row: LedgerRow) -> None:
        """Write how far a row has come: a kill leaves that in the ledger."""
        self._line(LEDGER_FILE, ledger_row_to_json(row.as_dict(finished=False)))

    def write_final_row(self, row: LedgerRow) -> None:
        self._line(LEDGER_FILE, ledger_row_to_json(row.as_dict()))

    def archive_page(
        self, page: Page, source: str, context: RequestContext, status: int = 200
    ) -> None:
        """Append the page to the archive, with what is needed to parse it again."""
        http = (
            f"HTTP/1.1 {status} \r\nContent-Type: {page.content_type}\r\n\r\n".encode(
                "latin-1", "replace"
            )
            + page.body
        )
        moment = page.fetched_at.isoformat().replace("+00:00", "Z")
        head = {
            "WARC-Type": "response",
            "WARC-Record-ID": f"<urn:uuid:{uuid5(NAMESPACE_URL, moment + page.url)}>",
            "WARC-Date": moment,
            "WARC-Target-URI": page.url,
            "Content-Type": "application/http; msgtype=response",
            "Folate-Source": json.dumps(source),
            "Folate-Context": json.dumps(dict(context)),
            "Content-Length": str(len(http)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self._files[ARCHIVE_FILE].write(
            gzip.compress(f"WARC/1.1\r\n{lines}\r\n".encode() + http + b"\r\n\r\n", compresslevel=6)
        )

    def _line(self, name: str, line: str) -> None:
        self._files[name].write(line.encode("utf-8", "replace") + b"\n")


def read_job(out: Path) -> dict[str, Any]:
    """What job.json says was asked for. Raises InputError."""
    path = out / JOB_FILE
    try:
        job = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"wanted JSON in {path}, got something else ({error}).") from error
    if not isinstance(job, dict) or not isinstance(job.get("crawl_id"), str):
        raise InputError(f"wanted a crawl's job in {path}, got JSON without its crawl_id.")
    sources = job.get("sources")
    if not isinstance(sources, list) or not all(map(_is_source, sources)):
        raise InputError(f"wanted the sources of a crawl in {path}, got none that can be read.")
    return job


def _is_source(table: Any) -> bool:
    """Whether an entry of job.json has what the ledger needs of a source."""
    return (
        isinstance(table, dict)
        and isinstance(table.get("name"), str)
        and isinstance(table.get("spider"), str)
        and all(
            isinstance(table.get(key), list) and all(isinstance(item, str) for item in table[key])
            for key in ("start", "queries")
        )
    )


def read_ledger(out: Path) -> tuple[dict[tuple[str, str], dict[str, Any]], int]:
    """The rows of ledger.jsonl by (source, query), and the number of broken lines; nothing without the file.

    Raises InputError when it can't be opened.
    """
    path = out / LEDGER_FILE
    return parse_ledger(_text(path, errors="replace")) if path.exists() else ({}, 0)


def _text(path: Path, errors: str = "strict") -> str:
    """A file of the crawl folder as text. Raises InputError."""
    try:
        return path.read_text(encoding="utf-8", errors=errors)
    except UnicodeDecodeError as error:
        where = f"byte {error.object[error.start]:#04x} at {error.start}"
        raise InputError(f"wanted {path} in UTF-8, got {where}.") from error
    except OSError as error:
        raise InputError(f"wanted to read {path}, got: {error.strerror}.") from error


def read_posts(out: Path, broken: Counter[str] | None = None) -> Iterator[Post]:
    """The posts of a crawl folder; nothing without the file. Raises InputError when it can't be opened.

    A last line cut by a kill is skipped. So are broken lines before it, which `broken` counts by file.
    """
    path = out / POSTS_FILE
    if not path.exists():
        return
    with _opened(path) as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                yield Post.from_json(line.decode())
            except (InputError, UnicodeDecodeError):
                if broken is not None:
                    broken[POSTS_FILE] += 1


def _opened(path: Path) -> BinaryIO:
    """A file of the crawl folder. Raises InputError."""
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"wanted to read {path}, got: {error.strerror}.") from error


def read_archive(
    out: Path, broken: Counter[str] | None = None
) -> Iterator[tuple[str, RequestContext, Page]]:
    """(source, context, page) of every page kept by a crawl, in the order of their fetching.

    A last record cut by a kill is skipped. So are broken records before it, which `broken` counts by file.
    Raises InputError when the archive is not there or can't be opened.
    """
    with _opened(out / ARCHIVE_FILE) as file:
        if not os.fstat(file.fileno()).st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as archive:
            start = 0
            while start < len(archive):
                member, end = _member(archive, start)
                record = _record(member) if member else None
                if record is not None:
                    yield record
                elif member is not TRUNCATED_MEMBER and broken is not None:
                    broken[ARCHIVE_FILE] += 1
                start = end


TRUNCATED_MEMBER = b""  # what a kill left of the last member
_GZIP = (
    b"\x1f\x8b\x08"  # a member begins with it (RFC 1952); inside of one it is there by chance only
)
_PIECE = 2**20  # bytes unpacked at once


def _member(archive: mmap.mmap, start: int) -> tuple[bytes | None, int]:
    """The gzip member that begins at `start`, unpacked, and where the next one does.

    None for a broken one, the next being where another record begins; CUT for one without an end.
    """
    unpacker, parts, at, broken = zlib.decompressobj(wbits=31), [], start, False
    try:
        while not unpacker.eof and at < len(archive):
            parts.append(unpacker.decompress(archive[at : at + _PIECE]))
            at += _PIECE
    except zlib.error:
        broken = True
    if unpacker.eof:
        return b"".join(parts), min(at, len(archive)) - len(unpacker.unused_data)
    following = archive.find(_GZIP, start + 1)
    while following >= 0 and not _begins_record(archive, following):
        following = archive.find(_GZIP, following + 1)
    if following >= 0:
        return None, following
    return None if broken else TRUNCATED_MEMBER, len(archive)


def _begins_record(archive: mmap.mmap, start: int) -> bool:
    try:
        return (
            zlib.decompressobj(wbits=31).decompress(archive[start : start + 2**10], 5) == b"WARC/"
        )
    except zlib.error:
        return False


def _record(member: bytes) -> tuple[str, RequestContext, Page] | None:
    """The page of one WARC record; None when it is none of ours."""
    head, _, http = member.partition(b"\r\n\r\n")
    answer, _, body = http.partition(b"\r\n\r\n")
    try:
        fields = dict(_fields(head.decode()))
        length = int(fields["content-length"]) - len(answer) - 4
        kind = answer.decode("latin-1").partition("Content-Type: ")[2].strip()
        moment = datetime.fromisoformat(fields["warc-date"])
        page = Page(fields["warc-target-uri"], body[:length], moment, kind)
        context = json.loads(fields["folate-context"])
        source = json.loads(fields["folate-source"])
    except (ValueError, KeyError, RecursionError):
        return None
    whole = 0 <= length <= len(body) and moment.tzinfo is not None
    return (source, context, page) if whole and _is_context(context) else None


def _is_context(context: Any) -> bool:
    return isinstance(context, dict) and {"role", "query"} <= context.keys()


def _fields(head: str) -> Iterator[tuple[str, str]]:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()
