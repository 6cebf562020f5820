"""The posts of the demo web as a corpus, without crawling: for the notebooks and the documentation.

python -m demo.corpus FOLDER makes a project in an empty FOLDER.
"""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from corpora.store.store import Store
from demo.generate import DemoPost, generate_world
from folate.core.config import CONFIG_FILE
from folate.core.post import Post, PostKind
from folate.core.weeks import Week
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.project import Project

KINDS: dict[str, PostKind] = {
    "forum": "forum",
    "gym": "forum",
    "microblog": "microblog",
    "shop": "review",
}
WEEKS = [Week(2026, number) for number in range(1, 11)]
FAILED_CRAWL = ("microblog", Week(2026, 6))
"""The source and the week of the one crawl that failed."""

_TEMPLATE = Path(__file__).parent / "folate.toml.in"
_LABELS = ("negative", "neutral", "positive")


def make_corpus(folder: str | Path) -> Path:
    """Make a project of the demo's posts in `folder`, annotated without a model; return it.

    The sentiments are those that the posts were written with. A folder that has a project is left
    as it is.
    """
    root = Path(folder)
    if (root / CONFIG_FILE).exists():
        return root
    root.mkdir(parents=True, exist_ok=True)
    template = _TEMPLATE.read_text(encoding="utf-8")
    (root / CONFIG_FILE).write_text(template.replace("{url}", "https://demo.example"), "utf-8")
    project = Project.open(root)
    demo_posts = [post for post in generate_world().posts if post.visible and not _is_lost(post)]
    posts = list(map(_to_post, demo_posts))
    project.store.upsert_posts(posts)
    project.store.upsert("crawls", list(_ledger(project.config.timezone)))
    annotate_corpus(project, with_sentiment=False)
    _store_opinions(project.store, demo_posts, posts)
    return root


def _is_lost(post: DemoPost) -> bool:
    """Return whether the crawl that should have seen a post failed."""
    source, week = FAILED_CRAWL
    return post.slot.site == source and Week.from_date(post.time.date()) == week


def _to_post(post: DemoPost) -> Post:
    source = post.slot.site
    name = f"{source} {post.author.number}"
    return Post(
        id=f"{source}:{post.number}",
        source=source,
        kind=KINDS[source],
        title=post.title,
        text=post.text,
        author=blake2b(name.encode(), digest_size=8).hexdigest(),
        followers=post.author.followers,
        verified=post.author.verified,
        published_at=post.time,
        url=f"https://demo.example/{source}/{post.number}",
        likes=post.likes,
        rating=None if post.rating is None else post.rating / 5,
        place=post.place,
    )


def _ledger(timezone: str) -> Iterator[dict[str, Any]]:
    """Yield one crawl for each source and week; one failed."""
    for source in KINDS:
        for week in WEEKS:
            since, until = week.bounds(timezone)
            is_failed = (source, week) == FAILED_CRAWL
            yield {
                "crawl": f"{source}-{week}",
                "source": source,
                "query": "all",
                "since": since,
                "until": until,
                "status": "failed" if is_failed else "complete",
                "started_at": until,
                "finished_at": _later(until),
            }


def _later(moment: datetime) -> datetime:
    return moment + timedelta(hours=1)


def _store_opinions(store: Store, demo_posts: list[DemoPost], posts: list[Post]) -> None:
    rows = []
    for demo_post, post in zip(demo_posts, posts, strict=True):
        opinions = demo_post.opinions
        overall = next(iter(opinions.values()), "neutral")
        for brand, label in ((None, overall), *opinions.items()):
            row = {"id": post.id, "text_hash": post.text_hash, "brand": brand, "label": label}
            row |= {"annotator": "demo", "version": "1"}
            rows.append(row | {name: float(name == label) for name in _LABELS})
    store.upsert("sentiments", rows)


if __name__ == "__main__":
    make_corpus(sys.argv[1])
