"""Parsing the archived pages of a crawl again, with the current parsers, without requests."""

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
    """Yield every post of the archived pages in the crawl folder `folder` once.

    Pages of sources that are not in `sources` are skipped. Relative dates are resolved against the
    time when the page was fetched, as in the crawl itself. `dropped` counts broken records of the
    archive, pages that took too long, and posts with the id of another post. Raises InputError when
    there is no archive or it can't be read.
    """
    dropped = Counter() if dropped is None else dropped
    sources_by_name = {source.name: source for source in sources}
    seen_posts = SeenPosts()
    parsed_ids: set[str] = set()
    # The start of long microblog posts by id, in case that their full text was never fetched.
    truncated_posts: dict[str, Post] = {}
    for name, context, page in read_archive(folder, dropped):
        if name not in sources_by_name:
            continue
        source = sources_by_name[name]
        source_info = SourceInfo(name, source.kind, source.zone or timezone, folder.name, pseudonym)
        try:
            with cpu_limit():
                parsed = PARSERS[source.spider](page, source_info, context)
        except ParseTimeoutError:
            dropped["pages not read in time"] += 1
            continue
        for link in parsed.links:
            if "post" in link.context:
                truncated_post = Post.from_json(link.context["post"])
                truncated_posts[truncated_post.id] = truncated_post
        for post in parsed.posts:
            parsed_ids.add(post.id)
            repeat_reason = seen_posts.add(post)
            if repeat_reason is None:
                yield post
            elif repeat_reason == ID_CONFLICT_REASON:
                dropped[ID_CONFLICT_REASON] += 1
    for post_id, post in truncated_posts.items():
        if post_id not in parsed_ids:
            yield post
