"""A project with made-up posts for the benchmark, annotated without a model."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from folate.core.labels import SENTIMENT_LABELS
from folate.core.post import Post
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.project import Project

PROJECT_TOML = """
name = "bench"
[[brands]]
id = "ours"
names = ["晨谷", "Morngrain"]
own = true
[[brands]]
id = "theirs"
names = ["暖禾", "Warmfield"]
"""
BATCH = 100_000
"""Posts that are written at once."""


def create_project(folder: Path, posts: Iterable[Post]) -> int:
    """Write posts into a new project and annotate them; sentiments are drawn at random.

    Returns the number of posts.
    """
    folder.mkdir(parents=True)
    (folder / "folate.toml").write_text(PROJECT_TOML, encoding="utf-8")
    project = Project.open(folder)
    count = 0
    for batch in _batches(iter(posts)):
        project.store.upsert_posts(batch)
        count += len(batch)
    annotate_corpus(project, with_sentiment=False)
    add_random_sentiments(project)
    return count


def add_random_sentiments(project: Project, seed: int = 7) -> None:
    """Give each post without a sentiment one at random, as only their number matters."""
    rnd = np.random.default_rng(seed)
    pending = project.store.pending_posts("sentiments", "bench", "1", BATCH)
    for posts in pending:
        labels = rnd.integers(0, len(SENTIMENT_LABELS), len(posts))
        columns = {
            "id": posts["id"],
            "text_hash": posts["text_hash"],
            "annotator": ["bench"] * len(posts),
            "version": ["1"] * len(posts),
            "brand": pa.nulls(len(posts), pa.string()),
            "label": [SENTIMENT_LABELS[label] for label in labels],
        }
        for number, label in enumerate(SENTIMENT_LABELS):
            columns[label] = (labels == number).astype(np.float32)
        project.store.upsert("sentiments", pa.table(columns))


def _batches(posts: Iterator[Post]) -> Iterator[list[Post]]:
    while batch := list(islice(posts, BATCH)):
        yield batch
