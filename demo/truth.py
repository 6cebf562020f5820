"""What there is to find on the demo web, one JSON object a line: for tests that ask whether a crawl found it all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.forum import Forum
from demo.generate import Post, World
from demo.shop import Shop

KINDS = {"forum": "forum", "gym": "forum", "microblog": "microblog", "shop": "review"}


def records(world: World, origin: str) -> Iterator[dict[str, Any]]:
    """One record a post: `id` is `site:number`, `time` is ISO 8601 with its offset, missing is null."""
    forums = {site: Forum(world, site) for site in ("forum", "gym")}
    shop = Shop(world)
    for post in world.posts:
        site = post.slot.site
        path = (
            f"/status/{post.number}"
            if site == "microblog"
            else shop.url(post)
            if site == "shop"
            else forums[site].url(post)
        )
        yield {**_record(post), "url": origin + path}


def _record(post: Post) -> dict[str, Any]:
    slot, site = post.slot, post.slot.site
    native = f"review-{post.number}" if site == "shop" else post.number  # as the pages print it
    return {
        "id": f"{site}:{native}",
        "source": site,
        "kind": KINDS[site],
        "author": slot.author.number,
        "time": slot.time.isoformat(),
        "language": slot.language,
        "title": post.title,
        "text": post.text,
        "thread": post.thread,
        "reposts_of": f"{site}:{post.reposts_of.number}" if post.reposts_of else None,
        "rating": post.rating,
        "likes": post.likes,
        "brand": slot.product.brand,
        "product": slot.product.zh,
        "sentiment": post.opinions.get(slot.product.brand),
        "opinions": post.opinions,
        "theme": slot.theme,
        "visible": post.visible,
    }


def write(world: World, origin: str, path: Path) -> None:
    """Write all records to `path`."""
    lines = (json.dumps(record, ensure_ascii=False) for record in records(world, origin))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
