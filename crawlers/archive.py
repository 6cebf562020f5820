"""The folder of one crawl: its job, posts, rejects, ledger and page archive.

Every line and every archive record is written with one write, so that a kill leaves usable files.

job.json        the request: sources, politeness, ids of threads that need not be fetched again
crawl.lock      locked by the process that runs the crawl, see `crawlers.process`
posts.jsonl     one `Post.to_json()` a line; authors are hashes
rejects.jsonl   source, query, url, reason and native id of each dropped item; no names, no texts
ledger.jsonl    rows of the table `crawls`, written again after every page: the last one counts
cache/          pages that other crawls may use for `cache_hours`, with names
raw/            the pages as received, with names: `pages.warc.gz`

The archive is WARC/1.1 (ISO 28500), one gzip member a record. `warcio` builds and parses the
records. Three things are done here, because warcio's own writer and iterator do not offer them:

* a record is compressed in memory and appended with one write; warcio's writer flushes it in parts;
* after a broken record the start of the next one is searched; warcio's iterator raises or ends;
* each member is parsed alone, so that one wrong Content-Length can't hide the records after it.
"""

import io
import json
import mmap
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParserException
from warcio.warcwriter import WARCWriter

from crawlers.ledger import LedgerRow, ledger_row_to_json, parse_ledger
from crawlers.parse.page import DroppedItem, Page, RequestContext
from folate.core.errors import CrawlError, InputError
from folate.core.post import Post

JOB_FILE = "job.json"
LOCK_FILE = "crawl.lock"
POSTS_FILE = "posts.jsonl"
REJECTS_FILE = "rejects.jsonl"
LEDGER_FILE = "ledger.jsonl"
ARCHIVE_FILE = "raw/pages.warc.gz"
LOG_FILE = "scrapy.log"

REPEATED_POST_REASON = "seen before in this crawl"
ID_CONFLICT_REASON = "another post with this id"
PRIVATE_FOLDER_MODE = 0o700  # pages contain names: only their owner may open the folders
PRECISION_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}

_GZIP_MAGIC = b"\x1f\x8b\x08"  # first bytes of a gzip member (RFC 1952); elsewhere by chance only
_GZIP_WBITS = 31  # zlib reads a gzip header and trailer
_CHUNK_BYTES = 2**20  # compressed bytes that are unpacked at once


class _PostFingerprint(NamedTuple):
    """What tells two posts with the same id apart."""

    text_digest: bytes
    author: str | None
    published_at: datetime
    precision: str


class SeenPosts:
    """The posts of one run by id, to recognize repeated posts and two posts that share an id."""

    def __init__(self) -> None:
        self._first_by_id: dict[str, _PostFingerprint] = {}

    def add(self, post: Post) -> str | None:
        """Record a post and compare it with an earlier one of the same id.

        Returns None when the id is new, else REPEATED_POST_REASON or ID_CONFLICT_REASON. It is a
        conflict when the texts differ, or the authors (where both are known), or the times by more
        than their precision: a time given as "3 days ago" may be off by a day.
        """
        digest = blake2b(post.text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        current = _PostFingerprint(digest, post.author, post.published_at, post.precision)
        first = self._first_by_id.setdefault(post.id, current)
        if first is current:
            return None
        return REPEATED_POST_REASON if _is_same_post(first, current) else ID_CONFLICT_REASON


def _is_same_post(first: _PostFingerprint, second: _PostFingerprint) -> bool:
    if first.text_digest != second.text_digest:
        return False
    if first.author != second.author and first.author is not None and second.author is not None:
        return False
    distance_seconds = abs((first.published_at - second.published_at).total_seconds())
    tolerance = max(PRECISION_SECONDS[first.precision], PRECISION_SECONDS[second.precision])
    return distance_seconds <= tolerance


class CrawlWriter:
    """The open output files of one crawl run."""

    def __init__(self, out: Path) -> None:
        (out / ARCHIVE_FILE).parent.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        if (out / POSTS_FILE).exists():
            raise CrawlError(f"wanted a new folder for this crawl, {out} already holds one.")
        self._files = {
            name: (out / name).open("ab", buffering=0)
            for name in (POSTS_FILE, REJECTS_FILE, LEDGER_FILE, ARCHIVE_FILE)
        }
        self._seen_posts = SeenPosts()

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()

    def write_post(self, row: LedgerRow, url: str, post: Post) -> None:
        """Write a post of the page at `url`, unless it repeats one of this run.

        A repeated post is counted as dropped. Another post with a used id is dropped, too, and
        makes the row partial.
        """
        repeat_reason = self._seen_posts.add(post)
        if repeat_reason is None:
            row.posts += 1
            self._write_line(POSTS_FILE, post.to_json())
        elif repeat_reason == ID_CONFLICT_REASON:
            row.problems["posts that share an id: only the first was kept"] += 1
            native_id = post.id.removeprefix(f"{post.source}:")
            self.write_reject(row, url, DroppedItem(ID_CONFLICT_REASON, native_id))
        else:
            row.dropped[repeat_reason] += 1

    def write_reject(self, row: LedgerRow, url: str, dropped: DroppedItem) -> None:
        """Count an item of the page at `url` as dropped and write why."""
        row.dropped[dropped.reason] += 1
        reject = {
            "source": row.source,
            "query": row.query,
            "url": url,
            "reason": dropped.reason,
            "id": dropped.id,
        }
        self._write_line(REJECTS_FILE, json.dumps(reject, ensure_ascii=False))

    def write_progress_row(self, row: LedgerRow) -> None:
        """Write the state of an unfinished row, for the case of a kill."""
        self._write_line(LEDGER_FILE, ledger_row_to_json(row.as_dict(finished=False)))

    def write_final_row(self, row: LedgerRow) -> None:
        """Write a finished row."""
        self._write_line(LEDGER_FILE, ledger_row_to_json(row.as_dict()))

    def archive_page(
        self, page: Page, source: str, context: RequestContext, status: int = 200
    ) -> None:
        """Append a page to the archive, with all that `crawlers.reparse` needs to parse it again.

        `source` is the name of the page's source, `context` that of its request, `status` the
        HTTP status of the answer.
        """
        record_bytes = _build_record(page, source, context, status)
        self._files[ARCHIVE_FILE].write(record_bytes)

    def _write_line(self, name: str, line: str) -> None:
        self._files[name].write(line.encode("utf-8", "replace") + b"\n")


def _build_record(page: Page, source: str, context: RequestContext, status: int) -> bytes:
    """Return the page as one gzip member that holds one WARC record of type `response`."""
    fetched_at = page.fetched_at.isoformat().replace("+00:00", "Z")
    content_type = page.content_type.encode("ascii", "replace").decode()
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version=WARCWriter.WARC_1_1)
    record = writer.create_warc_record(
        page.url,
        "response",
        payload=io.BytesIO(page.body),
        length=len(page.body),
        http_headers=StatusAndHeaders(f"{status} ", [("Content-Type", content_type)], "HTTP/1.1"),
        warc_headers_dict={
            "WARC-Record-ID": f"<urn:uuid:{uuid5(NAMESPACE_URL, fetched_at + page.url)}>",
            "WARC-Date": fetched_at,
            "Folate-Source": json.dumps(source),
            "Folate-Context": json.dumps(dict(context)),
        },
    )
    writer.write_record(record)
    return buffer.getvalue()


def read_job(out: Path) -> dict[str, Any]:
    """Return the content of job.json. Raises InputError."""
    path = out / JOB_FILE
    try:
        job = json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"wanted JSON in {path}, got something else ({error}).") from error
    if not isinstance(job, dict) or not isinstance(job.get("crawl_id"), str):
        raise InputError(f"wanted a crawl's job in {path}, got JSON without its crawl_id.")
    sources = job.get("sources")
    if not isinstance(sources, list) or not all(map(_is_source_table, sources)):
        raise InputError(f"wanted the sources of a crawl in {path}, got none that can be read.")
    return job


def _is_source_table(table: Any) -> bool:
    """Return whether an entry of job.json has the fields that the ledger needs."""
    if not isinstance(table, dict):
        return False
    if not isinstance(table.get("name"), str) or not isinstance(table.get("spider"), str):
        return False
    return _is_string_list(table.get("start")) and _is_string_list(table.get("queries"))


def _is_string_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def read_ledger(out: Path) -> tuple[dict[tuple[str, str], dict[str, Any]], int]:
    """Return the rows of ledger.jsonl by (source, query), and the number of broken lines.

    Returns no rows when there is no file. Raises InputError when it can't be opened.
    """
    path = out / LEDGER_FILE
    return parse_ledger(_read_text(path, errors="replace")) if path.exists() else ({}, 0)


def _read_text(path: Path, errors: str = "strict") -> str:
    """Return the text of a file. Raises InputError."""
    try:
        return path.read_text(encoding="utf-8", errors=errors)
    except UnicodeDecodeError as error:
        position = f"byte {error.object[error.start]:#04x} at {error.start}"
        raise InputError(f"wanted {path} in UTF-8, got {position}.") from error
    except OSError as error:
        raise InputError(f"wanted to read {path}, got: {error.strerror}.") from error


def read_posts(out: Path, broken: Counter[str] | None = None) -> Iterator[Post]:
    """Yield the posts of a crawl folder; none when there is no file of posts.

    A last line that a kill cut short is skipped. Broken lines before it are skipped, too, and
    counted in `broken` by file name. Raises InputError when the file can't be opened.
    """
    path = out / POSTS_FILE
    if not path.exists():
        return
    with _open_binary(path) as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                yield Post.from_json(line.decode())
            except (InputError, UnicodeDecodeError):
                if broken is not None:
                    broken[POSTS_FILE] += 1


def _open_binary(path: Path) -> BinaryIO:
    """Open a file for reading. Raises InputError."""
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"wanted to read {path}, got: {error.strerror}.") from error


def read_archive(
    out: Path, broken: Counter[str] | None = None
) -> Iterator[tuple[str, RequestContext, Page]]:
    """Yield (source, context, page) of every archived page, in the order of fetching.

    A last record that a kill cut short is skipped. Broken records before it are skipped, too, and
    counted in `broken` by file name. Raises InputError when there is no archive or it can't be
    opened.
    """
    with _open_binary(out / ARCHIVE_FILE) as file:
        if not os.fstat(file.fileno()).st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as archive:
            start = 0
            while start < len(archive):
                member = _unpack_member(archive, start)
                record = _parse_record(member.content) if member.content else None
                if record is not None:
                    yield record
                elif not member.truncated and broken is not None:
                    broken[ARCHIVE_FILE] += 1
                start = member.end


class _GzipMember(NamedTuple):
    """One gzip member of an archive."""

    # The unpacked bytes; None when the member is broken or truncated.
    content: bytes | None
    # Offset in the archive where the next record starts, or the archive's size.
    end: int
    # Whether the archive ends before the member does, as after a kill.
    truncated: bool = False


def _unpack_member(archive: mmap.mmap, start: int) -> _GzipMember:
    """Unpack the gzip member that starts at `start`; after a broken one, find the next record."""
    decompressor = zlib.decompressobj(wbits=_GZIP_WBITS)
    chunks = []
    offset = start
    broken = False
    try:
        while not decompressor.eof and offset < len(archive):
            chunks.append(decompressor.decompress(archive[offset : offset + _CHUNK_BYTES]))
            offset += _CHUNK_BYTES
    except zlib.error:
        broken = True
    if decompressor.eof:
        end = min(offset, len(archive)) - len(decompressor.unused_data)
        return _GzipMember(b"".join(chunks), end)
    next_start = archive.find(_GZIP_MAGIC, start + 1)
    while next_start >= 0 and not _starts_record(archive, next_start):
        next_start = archive.find(_GZIP_MAGIC, next_start + 1)
    if next_start >= 0:
        return _GzipMember(None, next_start)
    return _GzipMember(None, len(archive), truncated=not broken)


def _starts_record(archive: mmap.mmap, start: int) -> bool:
    decompressor = zlib.decompressobj(wbits=_GZIP_WBITS)
    try:
        return decompressor.decompress(archive[start : start + 2**10], 5) == b"WARC/"
    except zlib.error:
        return False


def _parse_record(member: bytes) -> tuple[str, RequestContext, Page] | None:
    """Return (source, context, page) of one WARC record; None when it is not one of a crawl."""
    loader = ArcWarcRecordLoader()
    try:
        record = loader.parse_record_stream(
            io.BytesIO(member), known_format="warc", no_record_parse=True
        )
        http_headers = loader.http_parser.parse(record.raw_stream)
        fields = {name.lower(): value for name, value in record.rec_headers.headers}
        length = int(fields["content-length"])
        fetched_at = datetime.fromisoformat(fields["warc-date"])
        url = fields["warc-target-uri"]
        context = json.loads(fields["folate-context"])
        source = json.loads(fields["folate-source"])
    except (
        ArchiveLoadFailed,
        StatusAndHeadersParserException,
        EOFError,
        ValueError,
        KeyError,
        RecursionError,
    ):
        return None
    body = record.raw_stream.read()
    is_complete = length >= 0 and record.raw_stream.tell() == length
    if not is_complete or fetched_at.tzinfo is None or not _is_request_context(context):
        return None
    return source, context, Page(url, body, fetched_at, http_headers.get_header("Content-Type", ""))


def _is_request_context(context: Any) -> bool:
    return isinstance(context, dict) and {"role", "query"} <= context.keys()
