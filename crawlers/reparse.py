"""Parse a crawl's pages again, with today's parsers and without a request."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from crawlers.archive import ID_CONFLICT_REASON, SeenPosts, read_archive
from crawlers.parse import PARSERS
from crawlers.parse.page import SourceInfo
from crawlers.patience import ParseTimeoutError, cpu_limit
from folate.core.config import Source
from folate.core.post import Post, Pseudonymizer


def reparse_pages(
    folder: Path,
    sources: Sequence[Source],
    pseudonym: Pseudonymizer,
    timezone: str,
    dropped: Counter[str] | None = None,
) -> Iterator[Post]:
    """Posts of the pages kept in `folder`/raw, each once, those of sources that are not in `sources` left out.

    Dates that a page gives relatively are resolved against the time when it was fetched, as in the crawl itself.
    `dropped` counts broken records of the archive, pages that took too long, and posts whose id another post had before.
    Raises InputError when the pages are not there or can't be read.
    """
    dropped = Counter() if dropped is None else dropped
    known = {source.name: source for source in sources}
    sightings = SeenPosts()
    seen: set[str] = set()
    shortened: dict[str, Post] = {}  # long microblog posts whose whole text was never fetched
    for name, context, page in read_archive(folder, dropped):
        if name not in known:
            continue
        source = known[name]
        site = SourceInfo(name, source.kind, source.zone or timezone, folder.name, pseudonym)
        try:
            with cpu_limit():
                parsed = PARSERS[source.spider](page, site, context)
        except ParseTimeoutError:
            dropped["pages not read in time"] += 1
            continue
        beginnings = (
            Post.from_json(link.context["post"]) for link in parsed.links if "post" in link.context
        )
        shortened.update((post.id, post) for post in beginnings)
        for post in parsed.posts:
            seen.add(post.id)
            again = sightings.add(post)
            if again is None:
                yield post
            elif again == ID_CONFLICT_REASON:
                dropped[ID_CONFLICT_REASON] += 1
    yield from (post for key, post in shortened.items() if key not in seen)
