"""The brand mentions of a window of weeks as numpy columns, read with one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpora.snapshot import Snapshot
from folate.weeks import Week
from nlp.statistics import Codes, Floats, resampling_units
from reports import queries
from reports.figures import SAMPLE

_COLUMNS = """
SELECT brand, week, source, id, md5_number_lower(author) AS author, md5_number_lower(id) AS key, counted, rating,
  negative, neutral, positive
FROM ({rows})
""".strip()


@dataclass(frozen=True)
class Mentions:
    """One element a brand mention (post x brand), in an order that does not depend on the store's."""

    brands: tuple[str, ...]
    weeks: tuple[Week, ...]  # oldest first; the last is the report's
    sources: tuple[str, ...]
    brand: Codes
    week: Codes
    source: Codes
    author: NDArray[np.uint64]  # a post whose source shows no author is an author of its own
    counted: NDArray[np.bool_]  # false for a copy of a text that this week already had on this brand
    rating: Floats  # 0..1, NaN when missing
    posteriors: Floats  # (n, 3) negative, neutral, positive; NaN when not annotated
    samples: dict[tuple[int, int], tuple[str, ...]]  # (brand, week) -> ids of at most SAMPLE posts, drawn by their digest

    @property
    def shape(self) -> tuple[int, int, int]:
        """Brands, weeks, sources."""
        return len(self.brands), len(self.weeks), len(self.sources)

    @cached_property
    def units(self) -> tuple[Codes, int]:
        """Resampling unit of each mention, and how many there are."""
        return resampling_units(self.author)

    @cached_property
    def new_author(self) -> NDArray[np.bool_]:
        """True at one counted mention of each author x brand x week."""
        cell = self.brand * len(self.weeks) + self.week
        chosen = np.flatnonzero(self.counted)
        order = chosen[np.lexsort((self.author[chosen], cell[chosen]))]
        first = np.zeros(len(self.brand), dtype=bool)
        if len(order):
            differs = (np.diff(cell[order]) != 0) | (self.author[order[1:]] != self.author[order[:-1]])
            first[order[np.concatenate(([True], differs))]] = True
        return first

    def last(self, weeks: int, sources: NDArray[np.bool_]) -> "Mentions":
        """The newest `weeks` weeks, on the sources where `sources` (sources,) only."""
        gone = len(self.weeks) - weeks
        keep = (self.week >= gone) & sources[self.source]
        columns = {name: getattr(self, name)[keep] for name in ("brand", "source", "author", "counted", "rating", "posteriors")}
        return Mentions(self.brands, self.weeks[gone:], self.sources, week=self.week[keep] - gone, samples={}, **columns)


def read(snapshot: Snapshot, brands: Sequence[str], weeks: Sequence[Week], zone: str) -> Mentions:
    """The mentions of `brands` in `weeks` (oldest first)."""
    table = snapshot.sql(_COLUMNS.format(rows=queries.mentions(brands, weeks, zone)))
    column = {name: table.column(name).combine_chunks() for name in table.column_names}
    sources = sorted(set(column["source"].unique().to_pylist()))
    brand, week = _codes(column["brand"], brands), _codes(column["week"], [str(week) for week in weeks])
    order = np.lexsort((column["key"].to_numpy(), week, brand))
    brand, week, ids = brand[order], week[order], column["id"].take(pa.array(order))
    posteriors = np.stack([_floats(column[name]) for name in ("negative", "neutral", "positive")], axis=1)
    return Mentions(
        tuple(brands), tuple(weeks), tuple(sources), brand, week, _codes(column["source"], sources)[order],
        column["author"].to_numpy()[order], column["counted"].to_numpy(zero_copy_only=False)[order], _floats(column["rating"])[order],
        posteriors[order], _samples(ids, brand, week),
    )  # fmt: skip


def _codes(column: pa.Array, values: Sequence[str]) -> Codes:
    """Index of each value in `values`."""
    encoded = column.dictionary_encode()
    place = {value: code for code, value in enumerate(values)}
    lookup = np.array([place[value] for value in encoded.dictionary.to_pylist()], dtype=np.int64)
    return np.asarray(lookup[encoded.indices.to_numpy(zero_copy_only=False)]) if len(lookup) else np.empty(0, dtype=np.int64)


def _floats(column: pa.Array) -> Floats:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _samples(ids: pa.Array, brand: Codes, week: Codes) -> dict[tuple[int, int], tuple[str, ...]]:
    """The first SAMPLE ids of each brand and week; rows are sorted by them and by a digest of the id."""
    starts = np.flatnonzero((np.diff(brand, prepend=-1) != 0) | (np.diff(week, prepend=-1) != 0))
    stops = np.minimum(np.append(starts[1:], len(brand)), starts + SAMPLE)
    return {
        (int(brand[start]), int(week[start])): tuple(sorted(ids[start:stop].to_pylist()))
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    }
