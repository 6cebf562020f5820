"""Batches of posts: how many go into one commit."""

from collections.abc import Iterable, Iterator
from operator import attrgetter

import pyarrow as pa
import pyarrow.compute as pc

from folate.core.post import Post

# Posts of one commit, at most.
POSTS_PER_COMMIT = 20_000
# Characters in all fields of one commit: planning it needs some ten times as many bytes.
MAX_BATCH_CHARACTERS = 16 * 2**20
# Partitions written in one commit: each has a Parquet writer of some 0.5 MB.
MAX_PARTITIONS_PER_COMMIT = 200

_FIELDS_OF_ANY_LENGTH = attrgetter(
    "id", "url", "thread", "parent", "crawl", "title", "text", "language", "subject", "place"
)


def batch_posts(posts: Iterable[Post]) -> Iterator[list[Post]]:
    """Yield posts in lists of at most `POSTS_PER_COMMIT`.

    A list ends with the post with which it exceeds `MAX_BATCH_CHARACTERS`.
    """
    batch: list[Post] = []
    characters = 0
    for post in posts:
        batch.append(post)
        characters += sum(len(value) for value in _FIELDS_OF_ANY_LENGTH(post) if value)
        if len(batch) == POSTS_PER_COMMIT or characters > MAX_BATCH_CHARACTERS:
            yield batch
            batch = []
            characters = 0
    if batch:
        yield batch


def split_by_partitions(posts: pa.Table) -> Iterator[pa.Table]:
    """Split rows of posts into tables of at most `MAX_PARTITIONS_PER_COMMIT` partitions.

    Rows of one id stay together and in their order: a post is in the partition of its first row
    (see `corpora.store.merge.plan_posts`).
    """
    partitions = pc.binary_join_element_wise(posts["source"], posts["month"], "/")
    if pc.count_distinct(partitions).as_py() <= MAX_PARTITIONS_PER_COMMIT:
        yield posts
        return
    partition_by_id: dict[str, int] = {}
    number_by_partition: dict[tuple[str, str], int] = {}
    columns = (posts[name].to_pylist() for name in ("id", "source", "month"))
    group_numbers = []
    for post_id, source, month in zip(*columns, strict=True):
        number = number_by_partition.setdefault((source, month), len(number_by_partition))
        partition = partition_by_id.setdefault(post_id, number)
        group_numbers.append(partition // MAX_PARTITIONS_PER_COMMIT)
    group_column = pa.array(group_numbers, pa.int64())
    for group in range(len(number_by_partition) // MAX_PARTITIONS_PER_COMMIT + 1):
        yield posts.filter(pc.equal(group_column, group))
