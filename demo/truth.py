"""What there is to find on the demo web, one JSON object a line: for tests that ask whether a crawl found it all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.forum import Forum
from demo.generate import DemoPost, World
from demo.shop import Shop

SITE_KINDS = {"forum": "forum", "gym": "forum", "microblog": "microblog", "shop": "review"}


def truth_records(world: World, origin: str) -> Iterator[dict[str, Any]]:
    """One record a post: `id` is `site:number`, `time` is ISO 8601 with its offset, missing is null."""
    forums = {site: Forum(world, site) for site in ("forum", "gym")}
    shop = Shop(world)
    for post in world.posts:
        site = post.slot.site
        path = (
            f"/status/{post.number}"
            if site == "microblog"
            else shop.review_path(post)
            if site == "shop"
            else forums[site].post_path(post)
        )
        yield {**_record(post), "url": origin + path}


def _record(post: DemoPost) -> dict[str, Any]:
    slot, site = post.slot, post.slot.site
    native = f"review-{post.number}" if site == "shop" else post.number  # as the pages print it
    return {
        "id": f"{site}:{native}",
        "source": site,
        "kind": SITE_KINDS[site],
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


def write_truth(world: World, origin: str, path: Path) -> None:
    """Write all records to `path`."""
    lines = (json.dumps(record, ensure_ascii=False) for record in truth_records(world, origin))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
