"""Audits: stratified blind samples of texts about a brand, labelled by a person.

They are stored in the table `audits`. A label belongs to a text and a brand, so it stays valid for
a post that is crawled again with the same text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.errors import ConfigError, NotFound, suggestion
from folate.core.post import post_body
from folate.core.weeks import Week
from folate.pipeline.project import Project
from nlp.stats.estimation import Floats, Ints, wilson_interval
from reports import queries

_POPULATION_QUERY = """
SELECT p.id, p.text_hash, m.positive - m.negative AS score
FROM ({rows}) m JOIN posts p ON p.id = m.id WHERE m.counted
QUALIFY row_number() OVER (PARTITION BY p.text_hash ORDER BY p.published_at, p.id) = 1
ORDER BY p.text_hash
""".strip()

_ITEMS_QUERY = """
SELECT a.*, p.title, p.text, p.subject, p.id IS NOT NULL AS there
FROM audits a LEFT JOIN posts p ON p.text_hash = a.text_hash
WHERE a.draw IN ({draws})
QUALIFY row_number() OVER (PARTITION BY a.draw, a.place ORDER BY p.id) = 1
ORDER BY a.draw, a.place
""".strip()

_STATUS_QUERY = """
WITH judged AS (SELECT DISTINCT text_hash, brand, label FROM sentiments WHERE brand IS NOT NULL)
SELECT a.brand, count(DISTINCT a.draw) AS draws, count(*) AS drawn, count(a.label) AS labelled,
  count(a.reason) AS passed_over,
  count(*) FILTER (a.label IS NULL AND a.reason IS NULL) AS open,
  count(*) FILTER (a.label = s.label) AS agreed,
  count(*) FILTER (a.label IS NOT NULL AND s.label IS NOT NULL) AS compared
FROM audits a LEFT JOIN judged s ON s.text_hash = a.text_hash AND s.brand = a.brand
GROUP BY a.brand
""".strip()
_STATUS_COUNTS = ("draws", "drawn", "labelled", "passed_over", "open", "agreed", "compared")


@dataclass(frozen=True, slots=True)
class AuditItem:
    """A text that was drawn for an audit."""

    # the item's row of the table audits
    row: dict[str, Any]
    # the text to label; None when no post has it any more
    text: str | None
    # the product that the page of the post is about
    subject: str | None

    @property
    def key(self) -> str:
        """The item's name in a CSV; it starts with a letter, so it is never read as a number."""
        return f"{self.row['draw']}:{self.row['place']}"

    @property
    def is_open(self) -> bool:
        """Whether the item has neither a label nor a reason to skip it."""
        return self.row["label"] is None and self.row["reason"] is None


def draw_audit_sample(
    project: Project, brand: str, weeks: Sequence[Week], sample_size: int, seed: int
) -> list[AuditItem]:
    """Draw a stratified random sample of the texts about `brand` in `weeks`, without duplicates.

    The same arguments give the stored sample of the first call. Raises ConfigError for an unknown
    brand, NotFound when there is no text to draw from.
    """
    brands = [entry.id for entry in project.config.brands]
    if brand not in brands:
        raise ConfigError(
            f"wanted a brand of the project, got {brand!r}; {suggestion(brand, brands)}"
        )
    draw_id = _draw_id(brand, weeks, sample_size, seed)
    snapshot = project.store.snapshot()
    stored_items = load_audit_items(snapshot, [draw_id])
    if stored_items:
        return stored_items
    timezone = project.config.timezone
    mentions_query = queries.mentions_query([brand], weeks, timezone)
    population = snapshot.sql(_POPULATION_QUERY.format(rows=mentions_query)).to_pylist()
    if not population:
        raise NotFound(
            f"no text on {brand!r} from {weeks[0]} to {weeks[-1]}: "
            "get posts of these weeks and run 'folate annotate' first."
        )
    scores = [np.nan if post["score"] is None else post["score"] for post in population]
    generator = np.random.Generator(np.random.PCG64(seed))
    indices = stratified_sample_indices(np.array(scores), sample_size, generator).tolist()
    common = {
        "draw": draw_id,
        "brand": brand,
        "since": weeks[0].bounds(timezone)[0],
        "until": weeks[-1].bounds(timezone)[1],
        "population": len(population),
        "probability": len(indices) / len(population),
    }
    rows = []
    for place, index in enumerate(indices):
        post = population[index]
        rows.append(common | {"place": place, "id": post["id"], "text_hash": post["text_hash"]})
    project.store.upsert("audits", rows)
    return load_audit_items(project.store.snapshot(), [draw_id])


def _draw_id(brand: str, weeks: Sequence[Week], sample_size: int, seed: int) -> str:
    """Return the id of a draw, the same for the same arguments."""
    arguments = (brand, [str(week) for week in weeks], sample_size, seed)
    return "d" + blake2b(repr(arguments).encode(), digest_size=5).hexdigest()


def stratified_sample_indices(scores: Floats, sample_size: int, rng: np.random.Generator) -> Ints:
    """Draw at most `sample_size` indices of `scores` (n,) in random order, all equally likely.

    The indices are sorted by score, those without one (NaN) last and ties at random, and cut into
    `sample_size` strata of equal length; one is drawn from each, at the same distance from its
    start (systematic sampling; Cochran 1977, chapter 8). So the sample has the spread of the
    scores, and needs no weights.
    """
    size = min(sample_size, len(scores))
    by_score = np.lexsort((rng.random(len(scores)), scores))
    step = len(scores) / size
    sample = by_score[((np.arange(size) + rng.random()) * step).astype(np.int64)]
    return np.asarray(rng.permutation(sample))


def load_audit_items(snapshot: Snapshot, draws: Iterable[str]) -> list[AuditItem]:
    """Return the stored items of these draws, in the order in which they were drawn."""
    query = _ITEMS_QUERY.format(draws=queries.string_literals(draws))
    return [_make_item(row) for row in snapshot.sql(query).to_pylist()]


def _make_item(row: dict[str, Any]) -> AuditItem:
    title = row.pop("title")
    text = row.pop("text")
    subject = row.pop("subject")
    post_exists = row.pop("there")
    return AuditItem(row, post_body(title, text) if post_exists else None, subject)


def record_answers(
    store: Store, answers: Iterable[tuple[AuditItem, str | None, str | None]]
) -> None:
    """Store answers in one commit.

    An answer is an item with its label, or with the reason to skip it, or with neither: the item
    is then open again.
    """
    rows = [item.row | {"label": label, "reason": reason} for item, label, reason in answers]
    store.upsert("audits", rows)


def audit_status(project: Project) -> list[dict[str, Any]]:
    """Return one row per brand: counts, and how often the model's label equals the person's.

    The agreement has a 95 % Wilson interval.
    """
    query_rows = project.store.snapshot().sql(_STATUS_QUERY).to_pylist()
    counts_by_brand = {row["brand"]: row for row in query_rows}
    brands = [brand.id for brand in project.config.brands]
    no_counts = dict.fromkeys(_STATUS_COUNTS, 0)
    rows = []
    for brand in [*brands, *sorted(counts_by_brand.keys() - set(brands))]:
        counts = {"brand": brand} | no_counts | counts_by_brand.get(brand, {})
        rows.append(_add_agreement(counts))
    return rows


def _add_agreement(row: dict[str, Any]) -> dict[str, Any]:
    """Replace the count `agreed` by the agreement and its interval."""
    agreed = row.pop("agreed")
    compared = row["compared"]
    if not compared:
        return row | {"agreement": None, "low": None, "high": None}
    low, high = wilson_interval(agreed, compared)
    return row | {"agreement": agreed / compared, "low": low, "high": high}
