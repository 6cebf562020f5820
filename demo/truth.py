"""The posts of the demo web as JSON lines, to check whether a crawl finds all of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.forum import Forum
from demo.generate import DemoPost, World
from demo.shop import Shop

SITE_KINDS = {"forum": "forum", "gym": "forum", "microblog": "microblog", "shop": "review"}


def truth_records(world: World, origin: str) -> Iterator[dict[str, Any]]:
    """Yield a record for each post; `id` is `site:number`, `time` is ISO 8601 with its offset."""
    forums = {site: Forum(world, site) for site in ("forum", "gym")}
    shop = Shop(world)
    for post in world.posts:
        site = post.slot.site
        if site == "microblog":
            path = f"/status/{post.number}"
        elif site == "shop":
            path = shop.review_path(post)
        else:
            path = forums[site].post_path(post)
        yield {**_post_record(post), "url": origin + path}


def _post_record(post: DemoPost) -> dict[str, Any]:
    slot = post.slot
    site = slot.site
    # As the pages show it.
    native_id = f"review-{post.number}" if site == "shop" else post.number
    return {
        "id": f"{site}:{native_id}",
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
