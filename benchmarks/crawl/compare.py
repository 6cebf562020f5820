"""Compare a crawl with the true content of its server.

    python benchmarks/crawl/compare.py CRAWL_FOLDER TRUTH.jsonl SOURCE

TRUTH has one object a line: kind (thread, post, review, …), id (`post:12`), parent, author, time
(UTC), title, text, rating and rating_max, visible. Prints one line a check and exits with 1 when
one fails.
"""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crawlers.archive import read_archive, read_posts
from folate.core.post import Post

Truth = dict[str, Any]
KINDS = ("thread", "post", "review")
PRECISION_DURATIONS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


def main(folder: Path, truth_file: Path, source: str) -> int:
    """Print all checks of one source's crawl and return 1 when one fails, else 0."""
    with truth_file.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    truth = {bare_id(row["id"]): row for row in rows if row["kind"] in KINDS}
    source_posts = [post for post in read_posts(folder) if post.source == source]
    posts = {post.id.partition(":")[2]: post for post in source_posts}
    visible_ids = {key for key, row in truth.items() if row["visible"]}
    matched_pairs = [(posts[key], truth[key]) for key in sorted(visible_ids & posts.keys())]
    pages = Counter(page.url for name, _, page in read_archive(folder) if name == source)
    failures = [
        print_check("visible posts found", len(visible_ids & posts.keys()), len(visible_ids)),
        print_check("posts that should not be there", len(posts.keys() - visible_ids), 0),
        print_check("ids written twice", len(source_posts) - len(posts), 0),
        print_check("pages fetched twice", sum(count - 1 for count in pages.values()), 0),
        *(
            print_check(
                name, sum(is_same(post, row) for post, row in matched_pairs), len(matched_pairs)
            )
            for name, is_same in CHECKS.items()
        ),
        print_check(
            "authors that are one hash each",
            count_one_to_one((row["author"], post.author) for post, row in matched_pairs),
            len({row["author"] for _, row in matched_pairs}),
        ),
    ]
    print(f"{len(pages)} pages")
    return int(any(failures))


def print_check(name: str, actual: int, expected: int) -> bool:
    """Print a check and return whether it failed."""
    print(f"{'ok ' if actual == expected else 'BAD'} {name}: {actual} (wanted {expected})")
    return actual != expected


def bare_id(site_id: str) -> str:
    """Return an id without the kind or source before it."""
    return site_id.rpartition(":")[2]


def comparable_text(text: str | None) -> str:
    """Return a text without spaces, quotes and marks of Markdown."""
    return re.sub(r"[\s*_`#>“”\"'‘’…]+", "", text or "")


def count_one_to_one(pairs: Iterable[tuple[str, str | None]]) -> int:
    """Return the number of names with exactly one hash, which no other name has."""
    hashes: dict[str, set[str | None]] = defaultdict(set)
    names: dict[str | None, set[str]] = defaultdict(set)
    for name, hashed in pairs:
        hashes[name].add(hashed)
        names[hashed].add(name)
    count = 0
    for name_hashes in hashes.values():
        if len(name_hashes) == 1 and None not in name_hashes:
            count += len(names[next(iter(name_hashes))]) == 1
    return count


def same_time(post: Post, row: Truth) -> bool:
    """Return whether the times agree within the post's precision."""
    delay = datetime.fromisoformat(row["time"]) - post.published_at
    return timedelta(0) <= delay < PRECISION_DURATIONS[post.precision]


def same_rating(post: Post, row: Truth) -> bool:
    """Return whether the ratings agree as shares of the best rating."""
    if not row.get("rating"):
        return post.rating is None
    return post.rating is not None and abs(post.rating - row["rating"] / row["rating_max"]) < 0.001


CHECKS: dict[str, Callable[[Post, Truth], bool]] = {
    "time": same_time,
    "text": lambda post, row: comparable_text(post.text) == comparable_text(row["text"]),
    "title": lambda post, row: comparable_text(post.title) == comparable_text(row["title"]),
    "answers the opening post": lambda post, row: (
        row["kind"] == "review"
        or (post.parent or ":").partition(":")[2] == bare_id(row["parent"] or "")
    ),
    "rating": same_rating,
    "product": lambda post, row: (
        comparable_text(post.subject) == comparable_text(row.get("product"))
    ),
}

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
