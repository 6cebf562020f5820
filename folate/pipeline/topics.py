"""The emerging topics of a week: the window goes from the store to nlp.topics, and what is found goes back."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa

from corpora.snapshot import Snapshot
from folate.config import Config
from folate.errors import NotFound
from folate.pipeline.workspace import Workspace
from folate.post import body
from folate.progress import waiting
from folate.weeks import Week, trailing
from nlp.sentiment import Reader, load
from nlp.topics import Discovery, Topic, discover

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


def find_topics(workspace: Workspace, week: Week) -> Discovery:
    """Discover the topics of `week`, give those known from earlier weeks their ids, and store them.

    Raises NotFound when no post of the window has been annotated.
    """
    snapshot, config = workspace.store.snapshot(), workspace.config
    stream = window(snapshot, config, week)
    if not stream.num_rows:
        _require_annotations(snapshot)
    with waiting("seeking topics"):
        known = before(snapshot, week)
        found = discover(stream, week, config.topics, config.watch, config.brands, _embed(config), known, config.segments)
    workspace.store.replace("topics", [topic.to_row() for topic in found.topics], {"week": str(week)})
    return found


def _embed(config: Config) -> Embed:
    """Sentence vectors; the model is loaded once, when the first terms need them."""

    @cache
    def reader() -> Reader:
        return load(config.nlp.model, config.nlp.threads)

    return lambda texts: reader().embed(texts)


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


def before(snapshot: Snapshot, week: Week) -> list[Topic]:
    """The topics of the last week before `week` that topics were sought in."""
    query = "SELECT * FROM topics WHERE week = (SELECT max(week) FROM topics WHERE week < $week) ORDER BY id"
    return [Topic.from_row(row) for row in snapshot.sql(query, {"week": str(week)}).to_pylist()]


def _require_annotations(snapshot: Snapshot) -> None:
    counts = snapshot.sql("SELECT (SELECT count(*) FROM posts) AS posts, (SELECT count(*) FROM texts) AS texts").to_pylist()[0]
    if counts["posts"] and not counts["texts"]:
        raise NotFound("wanted annotated posts, got posts that nobody has read yet: run 'folate annotate' first.")
