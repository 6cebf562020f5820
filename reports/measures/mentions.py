"""The brand mentions of a window of weeks as numpy columns, with what people said of those that were audited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpora.store.snapshot import Snapshot
from folate.core.weeks import Period
from nlp.stats.estimation import Floats, Ints, resampling_units
from reports import queries
from reports.figures import MAX_SAMPLE_POSTS

SENTIMENT_LABELS = ("negative", "neutral", "positive")
_COLUMNS = """
SELECT brand, week, source, id, coalesce(try_cast('0x' || author AS UBIGINT), md5_number_lower(author)) AS author,
  md5_number_lower(id) AS key, counted, rating, engagement, negative, neutral, positive
FROM ({rows})
""".strip()  # an author is a hash already, as hexadecimal digits; only the id in place of a missing one must be hashed
_JUDGED = """
SELECT md5_number_lower(id) AS key, {columns} FROM judgements
WHERE id IN (SELECT id FROM posts WHERE published_at >= {start} AND published_at < {stop}) ORDER BY key
""".strip()


@dataclass(frozen=True)
class EmotionIntentScores:
    """Emotions and intents of the posts behind the counted mentions of the last two weeks."""

    rows: NDArray[np.int64]  # of the mentions whose posts were judged
    values: Floats  # (rows, 10) probabilities of queries.JUDGED, NaN when missing


@dataclass(frozen=True)
class BrandMentions:
    """One element a brand mention (post x brand), by brand, week and source, in an order that does not depend on the store's."""

    brands: tuple[str, ...]
    weeks: tuple[Period, ...]  # oldest first; the last is the report's
    sources: tuple[str, ...]
    brand: Ints
    week: Ints
    source: Ints
    author: NDArray[np.uint64]  # a post whose source shows no author is an author of its own
    counted: NDArray[
        np.bool_
    ]  # false for a copy of a text that this week already had on this brand
    rating: Floats  # 0..1, NaN when missing
    engagement: Floats  # likes + replies + reposts, NaN when the source shows none of them
    posteriors: Floats  # (n, 3) negative, neutral, positive; NaN when not annotated
    audit_label: Ints  # what a person said in an audit: place in LABELS, -1 where nobody did
    sample_post_ids: dict[
        tuple[int, int], tuple[str, ...]
    ]  # (brand, week) -> ids of at most SAMPLE posts, drawn by their digest
    emotion_intent_scores: EmotionIntentScores | None = None
    annotation_models: Mapping[tuple[int, int], frozenset[str]] = field(
        default_factory=dict
    )  # who annotated, where it was not one model throughout
    adapted_labels: Mapping[int, int] = field(
        default_factory=dict
    )  # labels of people that a brand, by its place, is adapted to

    @property
    def shape(self) -> tuple[int, int, int]:
        """Brands, weeks, sources."""
        return len(self.brands), len(self.weeks), len(self.sources)

    @cached_property
    def cell(self) -> Ints:
        """Brand, week and source in one code, which the rows are sorted by."""
        return (self.brand * len(self.weeks) + self.week) * len(self.sources) + self.source

    @cached_property
    def author_units(self) -> tuple[Ints, int]:
        """Resampling unit of each mention, and how many there are."""
        return resampling_units(self.author)

    @cached_property
    def annotated(self) -> NDArray[np.bool_]:
        """Counted mentions whose sentiment was read."""
        return self.counted & ~np.isnan(self.posteriors).any(axis=1)

    @cached_property
    def is_author_first(self) -> NDArray[np.bool_]:
        """True at one counted mention of each author x brand x week."""
        cell = self.brand * len(self.weeks) + self.week
        chosen = np.flatnonzero(self.counted)
        order = chosen[np.lexsort((self.author[chosen], cell[chosen]))]
        first = np.zeros(len(self.brand), dtype=bool)
        if len(order):
            differs = (np.diff(cell[order]) != 0) | (
                self.author[order[1:]] != self.author[order[:-1]]
            )
            first[order[np.concatenate(([True], differs))]] = True
        return first

    def has_mixed_models(self, brand: int, weeks: Sequence[int]) -> bool:
        """Whether more than one model, or version of one, read the brand's posts of these weeks: they can't be compared then."""
        return (
            len(
                frozenset().union(
                    *(self.annotation_models.get((brand, week), frozenset()) for week in weeks)
                )
            )
            > 1
        )


def read(
    snapshot: Snapshot, brands: Sequence[str], weeks: Sequence[Period], timezone: str
) -> BrandMentions:
    """The mentions of `brands` in `weeks` (oldest first)."""
    rows = queries.mentions_query(brands, weeks, timezone)
    table = snapshot.sql(_COLUMNS.format(rows=rows))
    column = {name: table.column(name).combine_chunks() for name in table.column_names}
    names, sources = (
        [str(week) for week in weeks],
        sorted(set(column["source"].unique().to_pylist())),
    )
    brand, week, source = (
        category_codes(column["brand"], brands),
        category_codes(column["week"], names),
        category_codes(column["source"], sources),
    )
    order = np.lexsort(
        (column["key"].to_numpy(), (brand * len(weeks) + week) * len(sources) + source)
    )
    brand, week, key = brand[order], week[order], column["key"].to_numpy()[order]
    number = {
        name: float_column(column[name])[order]
        for name in ("rating", "engagement", *SENTIMENT_LABELS)
    }
    counted = column["counted"].to_numpy(zero_copy_only=False)[order]
    return BrandMentions(
        tuple(brands), tuple(weeks), tuple(sources), brand, week, source[order], author=column["author"].to_numpy()[order],
        counted=counted, rating=number["rating"], engagement=number["engagement"],
        posteriors=np.stack([number[name] for name in SENTIMENT_LABELS], axis=1), audit_label=_labels(snapshot, brands, brand, key),
        sample_post_ids=_samples(column["id"], order, brand, week, key),
        emotion_intent_scores=_judged(snapshot, weeks, timezone, counted, key), annotation_models=_models(snapshot, rows, brands, names),
        adapted_labels=_adapted_labels(snapshot, brands),
    )  # fmt: skip


def _adapted_labels(snapshot: Snapshot, brands: Sequence[str]) -> dict[int, int]:
    rows = snapshot.sql(queries.ADAPTATIONS_QUERY).to_pylist()
    labels = {row["brand"]: row["labels"] for row in rows}
    return {place: labels[brand] for place, brand in enumerate(brands) if brand in labels}


def category_codes(column: pa.Array, values: Sequence[str]) -> Ints:
    """Index of each value in `values`."""
    encoded = column.dictionary_encode()
    place = {value: code for code, value in enumerate(values)}
    lookup = np.array([place[value] for value in encoded.dictionary.to_pylist()], dtype=np.int64)
    return (
        np.asarray(lookup[encoded.indices.to_numpy(zero_copy_only=False)])
        if len(lookup)
        else np.empty(0, dtype=np.int64)
    )


def float_column(column: pa.Array) -> Floats:
    """Numbers of a column, NaN where missing."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _labels(
    snapshot: Snapshot, brands: Sequence[str], brand: Ints, key: NDArray[np.uint64]
) -> Ints:
    """The audited label of each mention: of the post that was drawn, or of one of the same text where that is gone."""
    found = np.full(len(brand), -1, dtype=np.int64)
    labels = snapshot.sql(
        f"SELECT brand, md5_number_lower(id) AS key, label FROM ({queries.audit_labels_query(brands)}) ORDER BY key"
    )
    for code, name in enumerate(brands):
        own = labels.filter(pa.compute.equal(labels["brand"], name))
        if own.num_rows:
            keys, said = (
                own["key"].to_numpy(),
                category_codes(own["label"].combine_chunks(), SENTIMENT_LABELS),
            )
            place, here = _found(keys, key)
            here &= brand == code
            found[here] = said[place[here]]
    return found


def _judged(
    snapshot: Snapshot,
    weeks: Sequence[Period],
    zone: str,
    counted: NDArray[np.bool_],
    key: NDArray[np.uint64],
) -> EmotionIntentScores:
    """`counted` and `key` are of the mentions; only posts of the last two weeks are asked for."""
    start, stop = queries.window_bounds(weeks[-2:], zone)
    columns = ", ".join(queries.EMOTIONS + queries.INTENTS)
    table = snapshot.sql(_JUDGED.format(columns=columns, start=start, stop=stop))
    keys, values = (
        table.column(0).to_numpy(),
        np.stack([float_column(column) for column in table.columns[1:]], axis=1),
    )
    place, here = _found(keys, key)
    rows = np.flatnonzero(here & counted)
    return EmotionIntentScores(rows, values[place[rows]])


def _found(
    keys: NDArray[np.uint64], wanted: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where each of `wanted` stands among the sorted `keys`, and whether it does."""
    place = np.searchsorted(keys, wanted)
    here = place < len(keys)
    here[here] = keys[place[here]] == wanted[here]
    return place, here


def _models(
    snapshot: Snapshot, rows: str, brands: Sequence[str], weeks: Sequence[str]
) -> dict[tuple[int, int], frozenset[str]]:
    """Who annotated each brand and week; not asked post by post where the corpus knows one model only."""
    if snapshot.sql(queries.SENTIMENT_MODELS_QUERY).num_rows < 2:
        return {}
    found = snapshot.sql(queries.WEEKLY_MODELS_QUERY.format(rows=rows)).to_pylist()
    return {
        (brands.index(row["brand"]), weeks.index(row["week"])): frozenset(row["models"])
        for row in found
    }


def _samples(
    ids: pa.Array, order: NDArray[np.int64], brand: Ints, week: Ints, key: NDArray[np.uint64]
) -> dict[tuple[int, int], tuple[str, ...]]:
    """The SAMPLE ids of each brand and week whose digests are smallest; `order` leads from rows, sorted by brand and week, to `ids`."""
    starts = np.flatnonzero((np.diff(brand, prepend=-1) != 0) | (np.diff(week, prepend=-1) != 0))
    found = {}
    for start, stop in pairwise([*starts.tolist(), len(brand)]):
        chosen = order[start + np.argsort(key[start:stop], kind="stable")[:MAX_SAMPLE_POSTS]]
        found[int(brand[start]), int(week[start])] = tuple(
            sorted(ids.take(pa.array(chosen)).to_pylist())
        )
    return found
