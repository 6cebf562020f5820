"""A blind sample of what is said of a brand, for a person to judge: drawn by strata, shown without the model's answer, kept in `audits`.

A label belongs to a text and a brand, so that it outlives a post that is crawled again under the same words.
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

_POPULATION = """
SELECT p.id, p.text_hash, m.positive - m.negative AS score FROM ({rows}) m JOIN posts p ON p.id = m.id WHERE m.counted
QUALIFY row_number() OVER (PARTITION BY p.text_hash ORDER BY p.published_at, p.id) = 1 ORDER BY p.text_hash
""".strip()

_DRAWN = """
SELECT a.*, p.title, p.text, p.subject, p.id IS NOT NULL AS there FROM audits a LEFT JOIN posts p ON p.text_hash = a.text_hash
WHERE a.draw IN ({draws}) QUALIFY row_number() OVER (PARTITION BY a.draw, a.place ORDER BY p.id) = 1 ORDER BY a.draw, a.place
""".strip()

_STATUS = """
WITH judged AS (SELECT DISTINCT text_hash, brand, label FROM sentiments WHERE brand IS NOT NULL)
SELECT a.brand, count(DISTINCT a.draw) AS draws, count(*) AS drawn, count(a.label) AS labelled, count(a.reason) AS passed_over,
  count(*) FILTER (a.label IS NULL AND a.reason IS NULL) AS open, count(*) FILTER (a.label = s.label) AS agreed,
  count(*) FILTER (a.label IS NOT NULL AND s.label IS NOT NULL) AS compared
FROM audits a LEFT JOIN judged s ON s.text_hash = a.text_hash AND s.brand = a.brand GROUP BY a.brand
""".strip()


@dataclass(frozen=True, slots=True)
class AuditItem:
    """A drawn text: its row of `audits`, and what a person reads. `text` is None when no post has the text any more."""

    row: dict[str, Any]
    text: str | None
    subject: str | None

    @property
    def key(self) -> str:
        """Names the item in a file; starts with a letter, so that no spreadsheet takes it for a number."""
        return f"{self.row['draw']}:{self.row['place']}"

    @property
    def is_open(self) -> bool:
        return self.row["label"] is None and self.row["reason"] is None


def draw_audit_sample(
    project: Project, brand: str, weeks: Sequence[Week], sample_size: int, seed: int
) -> list[AuditItem]:
    """Draw a stratified random sample of the texts on `brand` in `weeks`, copies set aside: the stored one where the same was asked before.

    Raises ConfigError for a brand that the project does not have, NotFound when there is no text to draw from.
    """
    brands = [each.id for each in project.config.brands]
    if brand not in brands:
        raise ConfigError(
            f"wanted a brand of the project, got {brand!r}; {suggestion(brand, brands)}"
        )
    name = (
        "d"
        + blake2b(
            repr((brand, [str(week) for week in weeks], sample_size, seed)).encode(), digest_size=5
        ).hexdigest()
    )
    snapshot = project.store.snapshot()
    if found := load_audit_items(snapshot, [name]):
        return found
    zone = project.config.timezone
    population = snapshot.sql(
        _POPULATION.format(rows=queries.mentions_query([brand], weeks, zone))
    ).to_pylist()
    if not population:
        raise NotFound(
            f"no text on {brand!r} from {weeks[0]} to {weeks[-1]}: get posts of these weeks and run 'folate annotate' first."
        )
    scores = np.array([np.nan if text["score"] is None else text["score"] for text in population])
    order = stratified_sample_indices(
        scores, sample_size, np.random.Generator(np.random.PCG64(seed))
    )
    span = {"since": weeks[0].bounds(zone)[0], "until": weeks[-1].bounds(zone)[1]}
    chance = {"population": len(population), "probability": len(order) / len(population)}
    drawn = (
        {"draw": name, "brand": brand, "place": place}
        | span
        | chance
        | {key: population[at][key] for key in ("id", "text_hash")}
        for place, at in enumerate(order.tolist())
    )
    project.store.upsert("audits", list(drawn))
    return load_audit_items(project.store.snapshot(), [name])


def stratified_sample_indices(scores: Floats, sample_size: int, rng: np.random.Generator) -> Ints:
    """Draw at most `count` places of `scores` (n,), as random order has them, each as likely as any other.

    Places are sorted by score, those without one (NaN) last and ties at random, and cut into `count`
    strata of equal length; one is drawn from each, at the same distance from its begin (systematic
    sampling; Cochran 1977, chapter 8). So the sample has the spread of the scores, and no weights.
    """
    size = min(sample_size, len(scores))
    by_score = np.lexsort((rng.random(len(scores)), scores))
    step = len(scores) / size
    chosen = by_score[((np.arange(size) + rng.random()) * step).astype(np.int64)]
    return np.asarray(rng.permutation(chosen))


def load_audit_items(snapshot: Snapshot, draws: Iterable[str]) -> list[AuditItem]:
    """The stored items of these draws, each in the order in which it was drawn."""
    rows = snapshot.sql(_DRAWN.format(draws=queries.string_literals(draws))).to_pylist()
    return [_item(row) for row in rows]


def _item(row: dict[str, Any]) -> AuditItem:
    title, text, subject, there = (row.pop(name) for name in ("title", "text", "subject", "there"))
    return AuditItem(row, post_body(title, text) if there else None, subject)


def record_answers(
    store: Store, answers: Iterable[tuple[AuditItem, str | None, str | None]]
) -> None:
    """Keep what was said of items, in one commit: a label, or a reason to pass it over, or neither to open it again."""
    store.upsert(
        "audits", [item.row | {"label": label, "reason": reason} for item, label, reason in answers]
    )


def audit_status(project: Project) -> list[dict[str, Any]]:
    """A row a brand: what was drawn and labelled, and how often the model's answer is the person's, with its 95 % interval (Wilson)."""
    found = {row["brand"]: row for row in project.store.snapshot().sql(_STATUS).to_pylist()}
    brands = [brand.id for brand in project.config.brands]
    empty = dict.fromkeys(
        ("draws", "drawn", "labelled", "passed_over", "open", "agreed", "compared"), 0
    )
    return [
        _agreement({"brand": brand} | empty | found.get(brand, {}))
        for brand in [*brands, *sorted(found.keys() - set(brands))]
    ]


def _agreement(row: dict[str, Any]) -> dict[str, Any]:
    agreed, compared = row.pop("agreed"), row["compared"]
    low, high = wilson_interval(agreed, compared) if compared else (None, None)
    return row | {"agreement": agreed / compared if compared else None, "low": low, "high": high}
