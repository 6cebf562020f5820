"""What a crawl leaves behind, in one folder. Every line is written whole, so that a kill leaves usable files.

job.json        what was asked for: sources, manners, ids of threads that need no second reading
posts.jsonl     one `Post.to_json()` a line; authors are hashes
rejects.jsonl   source, query, url, reason and native id of what was dropped; never a name or a text
ledger.jsonl    rows of the table `crawls`
raw/            the pages as they were, names and all: `pages.warc.gz` (WARC/1.1, ISO 28500, one gzip member a record)
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from crawlers.ledger import Row, to_json
from crawlers.parse.page import Context, Dropped, Page
from folate.errors import CrawlError, InputError
from folate.post import Post

JOB, POSTS, REJECTS, LEDGER, RAW, LOG = "job.json", "posts.jsonl", "rejects.jsonl", "ledger.jsonl", "raw/pages.warc.gz", "scrapy.log"


class Record:
    """The open files of one crawl run."""

    def __init__(self, out: Path) -> None:
        (out / RAW).parent.mkdir(parents=True, exist_ok=True)
        if (out / POSTS).exists():
            raise CrawlError(f"wanted a new folder for this crawl, {out} already holds one.")
        self._files = {name: (out / name).open("ab", buffering=0) for name in (POSTS, REJECTS, LEDGER, RAW)}
        self._seen: set[str] = set()

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def post(self, row: Row, post: Post) -> None:
        """Write a post once; its second sight in a run is counted as dropped."""
        if post.id in self._seen:
            row.dropped["seen before in this crawl"] += 1
            return
        self._seen.add(post.id)
        row.posts += 1
        self._line(POSTS, post.to_json())

    def reject(self, row: Row, page: Page, dropped: Dropped) -> None:
        row.dropped[dropped.reason] += 1
        where = {"source": row.source, "query": row.query, "url": page.url, "reason": dropped.reason, "id": dropped.id}
        self._line(REJECTS, json.dumps(where, ensure_ascii=False))

    def finish(self, row: Row) -> None:
        self._line(LEDGER, to_json(row.as_dict()))

    def keep(self, page: Page, source: str, context: Context, status: int = 200) -> None:
        """Append the page to the archive, with what is needed to parse it again."""
        http = f"HTTP/1.1 {status} \r\nContent-Type: {page.content_type}\r\n\r\n".encode("latin-1", "replace") + page.body
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
        self._files[RAW].write(gzip.compress(f"WARC/1.1\r\n{lines}\r\n".encode() + http + b"\r\n\r\n", compresslevel=6))

    def _line(self, name: str, line: str) -> None:
        self._files[name].write(line.encode("utf-8", "replace") + b"\n")


def read_posts(out: Path) -> Iterator[Post]:
    """The posts of a crawl folder. A last line cut by a kill is skipped. Raises InputError for any other broken line."""
    path = out / POSTS
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield Post.from_json(line.decode())
            except (InputError, UnicodeDecodeError) as error:
                raise InputError(f"{path} line {number}: {error}") from error


def read_raw(out: Path) -> Iterator[tuple[str, Context, Page]]:
    """(source, context, page) of every page kept by a crawl, in the order of their fetching. A cut last record is skipped."""
    path = out / RAW
    if not path.exists():
        return
    with gzip.open(path, "rb") as file:
        while True:
            try:
                record = _record(file)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                return
            if record is None:
                return
            yield record


def _record(file: gzip.GzipFile) -> tuple[str, Context, Page] | None:
    if not file.readline():
        return None
    head = dict(_fields(file))
    http = file.read(int(head["content-length"]))
    file.read(4)
    answer, _, body = http.partition(b"\r\n\r\n")
    kind = answer.decode("latin-1").partition("Content-Type: ")[2].strip()
    page = Page(head["warc-target-uri"], body, datetime.fromisoformat(head["warc-date"]), kind)
    context: dict[str, Any] = json.loads(head["folate-context"])
    return json.loads(head["folate-source"]), context, page


def _fields(file: gzip.GzipFile) -> Iterator[tuple[str, str]]:
    while line := file.readline().decode().strip():
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()
