"""The emerging topics of a week: the window goes from the store to nlp.topics, and what is found goes back."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.store import Snapshot
from folate.config import Config
from folate.errors import NotFound
from folate.pipeline.annotate import text_version
from folate.pipeline.workspace import Workspace
from folate.post import body
from folate.weeks import Week, trailing
from nlp.sentiment import load
from nlp.topics import Topic, discover

Embed = Callable[[list[str]], np.ndarray]

WINDOW = """
    SELECT p.id, p.author, p.source, p.published_at, p.title, p.text, t.language, t.words, t.hashtags,
           coalesce(d.cluster, p.id) AS cluster, coalesce(m.brands, []) AS brands
    FROM posts p
    JOIN texts t USING (id)
    LEFT JOIN duplicates d USING (id)
    LEFT JOIN (SELECT id, list(DISTINCT brand ORDER BY brand) AS brands FROM mentions GROUP BY id) m USING (id)
    WHERE p.published_at >= $since AND p.published_at < $until
    ORDER BY p.published_at, p.id
"""


@dataclass(frozen=True)
class Found:
    """Rows of the table `topics`, best first, and what the reader must know beside them."""

    rows: list[dict[str, Any]]
    notes: list[str]


def find_topics(workspace: Workspace, week: Week) -> Found:
    """Discover the topics of `week`, give those known from earlier weeks their ids, and store them.

    Raises NotFound when no post of the window has been annotated.
    """
    snapshot, config = workspace.store.snapshot(), workspace.config
    stream = window(snapshot, config, week)
    if not stream.num_rows and snapshot.sql("SELECT count(*) AS n FROM posts").column("n")[0].as_py():
        _require_annotations(snapshot, text_version(workspace))
    found = discover(stream, week, config, embed=_embed(config), previous=earlier(snapshot, week))
    rows = [topic_row(topic, week) for topic in found.topics]
    workspace.store.replace("topics", rows, {"week": str(week)})
    return Found(rows, list(found.notes))


def _embed(config: Config) -> Embed:
    """Sentence vectors; the model is loaded when the first terms need them."""

    def embed(texts: list[str]) -> np.ndarray:
        return load(config.nlp.model, config.nlp.threads).embed(texts)

    return embed


def window(snapshot: Snapshot, config: Config, week: Week) -> pa.Table:
    """The posts of `week` and of the baseline weeks before it, with their week's index: 0 is the oldest."""
    weeks = [*trailing(week, config.topics.baseline_weeks), week]
    starts = [each.bounds(config.timezone)[0] for each in weeks]
    table = snapshot.sql(WINDOW, {"since": starts[0], "until": week.bounds(config.timezone)[1]})
    moments = table.column("published_at").cast(pa.int64()).to_numpy()
    edges = np.array([int(start.timestamp() * 1e6) for start in starts])
    index = np.searchsorted(edges, moments, side="right") - 1
    bodies = [body(title, text) for title, text in zip(table.column("title").to_pylist(), table.column("text").to_pylist(), strict=True)]
    table = table.drop_columns(["title", "text"]).append_column("week", pa.array(index, pa.int32()))
    return table.append_column("body", pa.array(bodies, pa.string()))


def earlier(snapshot: Snapshot, week: Week) -> list[dict[str, Any]]:
    """The last stored row of each topic before `week`, with `detail` read."""
    query = "SELECT * FROM topics WHERE week < $week QUALIFY row_number() OVER (PARTITION BY id ORDER BY week DESC) = 1 ORDER BY id"
    return [row | {"detail": json.loads(row["detail"])} for row in snapshot.sql(query, {"week": str(week)}).to_pylist()]


def topic_row(topic: Topic, week: Week) -> dict[str, Any]:
    row = asdict(topic)
    return row | {"week": str(week), "detail": json.dumps(row["detail"], ensure_ascii=False, sort_keys=True)}


def _require_annotations(snapshot: Snapshot, version: str) -> None:
    if not snapshot.sql("SELECT count(*) AS n FROM texts WHERE version = $version", {"version": version}).column("n")[0].as_py():
        raise NotFound("wanted annotated posts, got posts that nobody has read yet: run 'folate annotate' first.")
