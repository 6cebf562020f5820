"""Posts as columns of integers, in one fixed order, so that nothing after this depends on the order they came in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from folate.core.errors import InputError

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

COLUMNS = (
    "id",
    "author",
    "source",
    "published_at",
    "week",
    "language",
    "words",
    "hashtags",
    "cluster",
    "brands",
)
FetchTexts = Callable[[list[str]], list[str]]
"""The texts of posts by id: a window of them is too long to be held."""


@dataclass(frozen=True)
class EncodedLists:
    """A list of strings a row of the table, as codes into a sorted vocabulary; asked for by post of the stream, some posts at a time."""

    codes: Codes  # row `r` at codes[starts[r]:starts[r + 1]]
    starts: Ints
    order: Ints  # row of each post
    vocabulary: pa.Array

    def codes_between(self, first: int, last: int) -> tuple[Codes, Codes]:
        """The codes of the posts `first` to `last` - 1, one after another, and the post of each."""
        begin = self.starts[self.order[first:last]]
        sizes = self.starts[self.order[first:last] + 1] - begin
        ends = np.cumsum(sizes)
        at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + sizes, sizes)
        return self.codes[at], np.repeat(np.arange(first, last, dtype=np.int32), sizes)

    def strings_of(self, post: int) -> list[str]:
        """The strings of one post."""
        row = self.order[post]
        taken: list[str] = self.vocabulary.take(
            pa.array(self.codes[self.starts[row] : self.starts[row + 1]])
        ).to_pylist()
        return taken


@dataclass(frozen=True)
class PostStream:
    """The posts of a window, sorted by week, time and id. Arrays have one entry a post unless they say otherwise."""

    table: pa.Table  # as given
    order: Ints  # row of `table` of each post
    week_index: Codes  # 0 is the oldest; `weeks` - 1 is the week at hand
    n_weeks: int
    source_codes: Codes
    source_names: tuple[str, ...]  # by code, sorted
    author_codes: Codes  # one code for each distinct (source, author); a post without an author is a voice of its own
    n_authors: int
    n_anonymous_posts: int  # posts without an author
    is_original: Bools  # the earliest post of its cluster of near-duplicates in its week
    words: EncodedLists
    hashtags: EncodedLists
    fetch_texts: FetchTexts

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def week_offsets(self) -> list[int]:
        """The first post of each week, and the number of posts."""
        return [int(edge) for edge in np.searchsorted(self.week_index, np.arange(self.n_weeks + 1))]

    def column_values(self, column: str, posts: Ints) -> list[Any]:
        """Values of a column of `table` for some posts."""
        values: list[Any] = self.table[column].take(pa.array(self.order[posts])).to_pylist()
        return values

    def bodies(self, posts: Ints) -> list[str]:
        """The texts of some posts."""
        return self.fetch_texts(self.column_values("id", posts))

    def first_posts_by_author(self, posts: Sequence[int], max_posts: int) -> list[int]:
        """The earliest post of each voice among `posts` (in order of time), copies set aside; at most `most`."""
        originals = np.array([p for p in posts if self.is_original[p]], np.int64)
        return sorted(
            int(p) for p in originals[np.unique(self.author_codes[originals], return_index=True)[1]]
        )[:max_posts]

    def mentions_brand(self, brand: str) -> Bools:
        """Which posts mention a brand."""
        listed = self.table["brands"].combine_chunks()
        rows = pc.list_parent_indices(listed).to_numpy()[
            pc.equal(pc.list_flatten(listed), brand).to_numpy(zero_copy_only=False)
        ]
        found = np.zeros(self.table.num_rows, bool)
        found[rows] = True
        return found[self.order]


def encode_posts(
    table: pa.Table, n_weeks: int, fetch_texts: FetchTexts | None = None
) -> PostStream:
    """Sort and encode `table` (columns: `COLUMNS`; `week` from 0 to `weeks` - 1). Without `texts` a column `body` must hold them.

    Raises InputError when a column or a value that the method needs is missing.
    """
    _check(table, n_weeks)
    if fetch_texts is None:
        if "body" not in table.column_names:
            raise InputError(
                "wanted the texts of the posts, or a column 'body' that holds them, got neither."
            )
        fetch_texts = _column(table)
    order = (
        pc.sort_indices(
            table, [("week", "ascending"), ("published_at", "ascending"), ("id", "ascending")]
        )
        .to_numpy()
        .astype(np.int64)
    )
    part = table.select(["author", "source", "week", "cluster"]).take(pa.array(order))
    source, sources = _sorted_codes(part["source"])
    week = part["week"].to_numpy().astype(np.int32)
    voice, voices = _voices(part, source)
    return PostStream(
        table=table, order=order, week_index=week, n_weeks=n_weeks, source_codes=source, source_names=sources, author_codes=voice, n_authors=voices,
        n_anonymous_posts=part["author"].null_count, is_original=_first(part["cluster"], week),
        words=_lists(table["words"], order), hashtags=_lists(table["hashtags"], order), fetch_texts=fetch_texts,
    )  # fmt: skip


def _column(table: pa.Table) -> FetchTexts:
    return lambda ids: [
        body or ""
        for body in table["body"]
        .take(pc.index_in(pa.array(ids, pa.string()), table["id"]))
        .to_pylist()
    ]


def _check(table: pa.Table, weeks: int) -> None:
    missing = [c for c in COLUMNS if c not in table.column_names]
    if missing:
        raise InputError(
            f"wanted a stream with the columns {', '.join(COLUMNS)}; {', '.join(missing)} missing."
        )
    for column in ("id", "source", "published_at", "week", "cluster"):
        if table[column].null_count:
            raise InputError(
                f"wanted a value in {column!r} of every post, got {table[column].null_count} without one."
            )
    span = pc.min_max(table["week"]).as_py()
    if table.num_rows and not 0 <= span["min"] <= span["max"] < weeks:
        raise InputError(f"wanted weeks from 0 to {weeks - 1}, got {span['min']} to {span['max']}.")
    if pc.count_distinct(table["id"]).as_py() != table.num_rows:
        raise InputError(
            f"wanted one row a post, got {table.num_rows - pc.count_distinct(table['id']).as_py()} ids twice."
        )


def _sorted_codes(column: pa.ChunkedArray) -> tuple[Codes, tuple[str, ...]]:
    names = pc.unique(column).sort()
    return pc.index_in(column, names).to_numpy().astype(np.int32), tuple(names.to_pylist())


def _voices(part: pa.Table, source: Codes) -> tuple[Codes, int]:
    """An author's hash is per source already; the pair guards against imports whose author ids are not."""
    author = (
        pc.fill_null(pc.index_in(part["author"], pc.unique(part["author"].drop_null())), -1)
        .to_numpy()
        .astype(np.int64)
    )
    nameless = author < 0
    author[nameless] = author.max(initial=0) + 1 + np.arange(nameless.sum())
    codes = dense_codes(author * (source.max(initial=0) + 1) + source)
    return codes, int(codes.max(initial=-1)) + 1


def _first(cluster: pa.ChunkedArray, week: Codes) -> Bools:
    """True for the earliest post of each cluster in each week; the order of the rows is time."""
    codes = dense_codes(cluster)
    _, firsts = np.unique(
        codes.astype(np.int64) * (week.max(initial=0) + 1) + week, return_index=True
    )
    found = np.zeros(len(week), bool)
    found[firsts] = True
    return found


def sorted_unique(keys: Ints) -> Ints:
    """The distinct keys, sorted. numpy's own `unique` hashes integers first, which takes six times as long on long arrays."""
    keys = np.sort(keys)
    fresh = np.ones(len(keys), bool)
    fresh[1:] = keys[1:] != keys[:-1]
    return keys[fresh]


def dense_codes(values: pa.ChunkedArray | Ints) -> Codes:
    """Dense codes in order of first appearance."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)
    codes: Codes = pc.dictionary_encode(array).indices.to_numpy().astype(np.int32)
    return codes


def _lists(column: pa.ChunkedArray, order: Ints) -> EncodedLists:
    """`column` holds lists of strings, or of codes into dictionaries (each chunk may bring its own)."""
    chunks = [pc.fill_null(chunk, []) if chunk.null_count else chunk for chunk in column.chunks]
    flat = [pc.list_flatten(chunk) for chunk in chunks]
    coded = [
        part if pa.types.is_dictionary(part.type) else pc.dictionary_encode(part) for part in flat
    ]
    vocabulary = pc.unique(
        pa.chunked_array([part.dictionary for part in coded], pa.string())
    ).sort()
    codes = [
        pc.index_in(part.dictionary, vocabulary).to_numpy()[part.indices.to_numpy()]
        for part in coded
    ]
    sizes = [pc.list_value_length(chunk).to_numpy() for chunk in chunks]
    starts = np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes]), dtype=np.int64)
    return EncodedLists(np.concatenate([np.zeros(0, np.int32), *codes]), starts, order, vocabulary)
