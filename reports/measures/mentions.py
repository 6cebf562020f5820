"""The brand mentions of a window of weeks as numpy columns, with the labels of audits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from folate.core.labels import EMOTIONS, INTENTS, SENTIMENT_LABELS
from folate.core.weeks import Period
from nlp.stats.estimation import Floats, Ints, resampling_units
from reports import queries
from reports.context import ReportContext
from reports.figures import MAX_SAMPLE_POSTS

Keys = NDArray[np.uint64]
"""Digests of post ids."""

# an author is a hash already, in hexadecimal; an id in place of a missing author is hashed
_COLUMNS_QUERY = """
SELECT brand, week, source, id, coalesce(try_cast('0x' || author AS UBIGINT), \
md5_number_lower(author)) AS author,
  md5_number_lower(id) AS key, counted, rating, engagement, negative, neutral, positive
FROM ({rows})
""".strip()
_EMOTION_INTENT_QUERY = """
SELECT md5_number_lower(id) AS key, {columns} FROM judgements
WHERE id IN (SELECT id FROM posts WHERE published_at >= {start} AND published_at < {stop}) \
ORDER BY key
""".strip()


@dataclass(frozen=True)
class EmotionIntentScores:
    """Emotions and intents of posts behind the counted mentions of the last two weeks."""

    rows: NDArray[np.int64]
    """Indices of the mentions whose posts have any."""
    values: Floats
    """(rows, 10) probabilities of EMOTION_INTENT_MEASURES, NaN when missing."""


@dataclass(frozen=True)
class BrandMentions:
    """One element for each brand mention (post and brand), by brand, week and source.

    The order does not depend on that of the store.
    """

    brands: tuple[str, ...]
    weeks: tuple[Period, ...]
    """Oldest first; the last is the report's."""
    sources: tuple[str, ...]
    brand: Ints
    """Index into `brands`, as `week` and `source` are into theirs."""
    week: Ints
    source: Ints
    author: NDArray[np.uint64]
    """A post whose source shows no author is an author of its own."""
    counted: NDArray[np.bool_]
    """False for a copy of a text that the week already had on this brand."""
    rating: Floats
    """0 to 1, NaN when missing."""
    engagement: Floats
    """Likes, replies and reposts, NaN when the source shows none of them."""
    posteriors: Floats
    """(n, 3) negative, neutral, positive; NaN when not annotated."""
    audit_label: Ints
    """Label of an audit as an index into SENTIMENT_LABELS, -1 without one."""
    sample_post_ids: dict[tuple[int, int], tuple[str, ...]]
    """(brand, week) -> ids of at most MAX_SAMPLE_POSTS posts, drawn by their digest."""
    emotion_intent_scores: EmotionIntentScores | None = None
    annotation_models: Mapping[tuple[int, int], frozenset[str]] = field(default_factory=dict)
    """(brand, week) -> models that predicted its sentiment; empty where there is one throughout."""
    adapted_labels: Mapping[int, int] = field(default_factory=dict)
    """Brand -> labels that its sentiment is adapted to."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of brands, weeks and sources."""
        return len(self.brands), len(self.weeks), len(self.sources)

    @cached_property
    def cell(self) -> Ints:
        """Brand, week and source as one code, which the mentions are sorted by."""
        return (self.brand * len(self.weeks) + self.week) * len(self.sources) + self.source

    @cached_property
    def author_units(self) -> tuple[Ints, int]:
        """The resampling unit of each mention, and how many units there are."""
        return resampling_units(self.author)

    @cached_property
    def annotated(self) -> NDArray[np.bool_]:
        """Counted mentions with a predicted sentiment."""
        return self.counted & ~np.isnan(self.posteriors).any(axis=1)

    @cached_property
    def is_author_first(self) -> NDArray[np.bool_]:
        """True at one counted mention of each author, brand and week."""
        cell = self.brand * len(self.weeks) + self.week
        counted_rows = np.flatnonzero(self.counted)
        order = counted_rows[np.lexsort((self.author[counted_rows], cell[counted_rows]))]
        is_first = np.zeros(len(self.brand), dtype=bool)
        if len(order):
            differs = (np.diff(cell[order]) != 0) | (
                self.author[order[1:]] != self.author[order[:-1]]
            )
            is_first[order[np.concatenate(([True], differs))]] = True
        return is_first

    def has_mixed_models(self, brand: int, weeks: Sequence[int]) -> bool:
        """Return whether several models, or versions of one, predicted sentiment in these weeks.

        They can't be compared then.
        """
        models: set[str] = set()
        for week in weeks:
            models |= self.annotation_models.get((brand, week), frozenset())
        return len(models) > 1


def read_brand_mentions(context: ReportContext, weeks: Sequence[Period]) -> BrandMentions:
    """Read the mentions of all brands in `weeks`, oldest first."""
    brands = context.brand_ids
    query = context.mentions_query(weeks)
    table = context.table(_COLUMNS_QUERY.format(rows=query))
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    week_names = [str(week) for week in weeks]
    sources = sorted(set(columns["source"].unique().to_pylist()))
    brand = category_codes(columns["brand"], brands)
    week = category_codes(columns["week"], week_names)
    source = category_codes(columns["source"], sources)
    key = columns["key"].to_numpy()
    order = np.lexsort((key, (brand * len(weeks) + week) * len(sources) + source))
    brand = brand[order]
    week = week[order]
    key = key[order]
    counted = columns["counted"].to_numpy(zero_copy_only=False)[order]
    posteriors = [float_column(columns[name])[order] for name in SENTIMENT_LABELS]
    return BrandMentions(
        brands=tuple(brands),
        weeks=tuple(weeks),
        sources=tuple(sources),
        brand=brand,
        week=week,
        source=source[order],
        author=columns["author"].to_numpy()[order],
        counted=counted,
        rating=float_column(columns["rating"])[order],
        engagement=float_column(columns["engagement"])[order],
        posteriors=np.stack(posteriors, axis=1),
        audit_label=_read_audit_labels(context, brand, key),
        sample_post_ids=_sample_post_ids(columns["id"], order, brand, week, key),
        emotion_intent_scores=_read_emotion_intent_scores(context, weeks, counted, key),
        annotation_models=_read_annotation_models(context, query, week_names),
        adapted_labels=_read_adapted_labels(context),
    )


def category_codes(column: pa.Array, values: Sequence[str]) -> Ints:
    """Return the index in `values` of each value of a column."""
    encoded = column.dictionary_encode()
    index = {value: code for code, value in enumerate(values)}
    lookup = np.array([index[value] for value in encoded.dictionary.to_pylist()], dtype=np.int64)
    if not len(lookup):
        return np.empty(0, dtype=np.int64)
    return np.asarray(lookup[encoded.indices.to_numpy(zero_copy_only=False)])


def float_column(column: pa.Array) -> Floats:
    """Return a column as floats, NaN where missing."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _read_adapted_labels(context: ReportContext) -> dict[int, int]:
    labels = {row["brand"]: row["labels"] for row in context.rows(queries.ADAPTATIONS_QUERY)}
    return {
        index: labels[brand] for index, brand in enumerate(context.brand_ids) if brand in labels
    }


def _read_audit_labels(context: ReportContext, brand: Ints, key: Keys) -> Ints:
    """Return the label of each mention: that of its post, or of one with the same text.

    `brand` and `key` are of the mentions; -1 is for those without a label.
    """
    codes = np.full(len(brand), -1, dtype=np.int64)
    table = context.table(
        "SELECT brand, md5_number_lower(id) AS key, label "
        f"FROM ({queries.audit_labels_query(context.brand_ids)}) ORDER BY key"
    )
    for index, brand_id in enumerate(context.brand_ids):
        labelled = table.filter(pa.compute.equal(table["brand"], brand_id))
        if labelled.num_rows:
            label = category_codes(labelled["label"].combine_chunks(), SENTIMENT_LABELS)
            position, is_labelled = _find_keys(labelled["key"].to_numpy(), key)
            is_labelled &= brand == index
            codes[is_labelled] = label[position[is_labelled]]
    return codes


def _read_emotion_intent_scores(
    context: ReportContext, weeks: Sequence[Period], counted: NDArray[np.bool_], key: Keys
) -> EmotionIntentScores:
    """Read the scores of posts of the last two weeks; `counted` and `key` are of the mentions."""
    start, stop = queries.window_bounds(weeks[-2:], context.timezone)
    columns = ", ".join(EMOTIONS + INTENTS)
    table = context.table(_EMOTION_INTENT_QUERY.format(columns=columns, start=start, stop=stop))
    keys = table.column(0).to_numpy()
    values = np.stack([float_column(column) for column in table.columns[1:]], axis=1)
    position, has_scores = _find_keys(keys, key)
    rows = np.flatnonzero(has_scores & counted)
    return EmotionIntentScores(rows, values[position[rows]])


def _find_keys(sorted_keys: Keys, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the position of each of `keys` among the sorted ones, and whether it is among them."""
    position = np.searchsorted(sorted_keys, keys)
    is_present = position < len(sorted_keys)
    is_present[is_present] = sorted_keys[position[is_present]] == keys[is_present]
    return position, is_present


def _read_annotation_models(
    context: ReportContext, mentions: str, weeks: Sequence[str]
) -> dict[tuple[int, int], frozenset[str]]:
    """Return the models of each brand and week; nothing where the corpus has one model throughout.

    `mentions` is the SELECT of the mentions.
    """
    if len(context.rows(queries.SENTIMENT_MODELS_QUERY)) < 2:
        return {}
    models = {}
    for row in context.rows(queries.WEEKLY_MODELS_QUERY.format(rows=mentions)):
        cell = (context.brand_ids.index(row["brand"]), weeks.index(row["week"]))
        models[cell] = frozenset(row["models"])
    return models


def _sample_post_ids(
    ids: pa.Array, order: NDArray[np.int64], brand: Ints, week: Ints, key: Keys
) -> dict[tuple[int, int], tuple[str, ...]]:
    """Return the MAX_SAMPLE_POSTS ids of each brand and week whose digests are smallest.

    `order` leads from the mentions, which are sorted by brand and week, to `ids`.
    """
    is_start = (np.diff(brand, prepend=-1) != 0) | (np.diff(week, prepend=-1) != 0)
    starts = np.flatnonzero(is_start)
    samples = {}
    for start, stop in pairwise([*starts.tolist(), len(brand)]):
        smallest = np.argsort(key[start:stop], kind="stable")[:MAX_SAMPLE_POSTS]
        sample = ids.take(pa.array(order[start + smallest])).to_pylist()
        samples[int(brand[start]), int(week[start])] = tuple(sorted(sample))
    return samples
