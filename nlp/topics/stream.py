"""Posts of a window encoded as integer arrays in a fixed order, independent of the input order."""

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
_COLUMNS_WITHOUT_NULLS = ("id", "source", "published_at", "week", "cluster")
_SORT_ORDER = [("week", "ascending"), ("published_at", "ascending"), ("id", "ascending")]

FetchTexts = Callable[[list[str]], list[str]]
"""Post ids -> texts. The texts of a whole window take too much memory to be passed at once."""


@dataclass(frozen=True)
class EncodedLists:
    """A column of lists of strings, encoded as codes into a sorted vocabulary."""

    # The list of table row `r` is codes[starts[r]:starts[r + 1]].
    codes: Codes
    starts: Ints
    # Table row of each post of the stream.
    order: Ints
    vocabulary: pa.Array

    def codes_between(self, first: int, last: int) -> tuple[Codes, Codes]:
        """Return the codes of the posts `first` to `last` - 1 and, for each code, its post."""
        rows = self.order[first:last]
        list_starts = self.starts[rows]
        sizes = self.starts[rows + 1] - list_starts
        ends = np.cumsum(sizes)
        positions = np.arange(ends[-1] if len(ends) else 0)
        positions += np.repeat(list_starts - ends + sizes, sizes)
        posts = np.repeat(np.arange(first, last, dtype=np.int32), sizes)
        return self.codes[positions], posts

    def strings_of(self, post: int) -> list[str]:
        """Return the strings of one post."""
        row = self.order[post]
        codes = self.codes[self.starts[row] : self.starts[row + 1]]
        strings: list[str] = self.vocabulary.take(pa.array(codes)).to_pylist()
        return strings


@dataclass(frozen=True)
class PostStream:
    """The posts of a window, sorted by week, time and id.

    A post is identified by its position in this order. Arrays have one entry per post unless
    stated otherwise.
    """

    # The table as given.
    table: pa.Table
    # Row of `table` of each post.
    order: Ints
    # 0 is the oldest week, `n_weeks` - 1 the current one.
    week_index: Codes
    n_weeks: int
    source_codes: Codes
    # Sorted; the position is the code.
    source_names: tuple[str, ...]
    # One code for each pair of source and author, and for each post without an author.
    author_codes: Codes
    n_authors: int
    # Posts without an author.
    n_anonymous_posts: int
    # Whether the post is the earliest of its cluster of near-duplicates in its week.
    is_original: Bools
    words: EncodedLists
    hashtags: EncodedLists
    fetch_texts: FetchTexts

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def week_offsets(self) -> list[int]:
        """The first post of each week, then the number of posts."""
        return [int(edge) for edge in np.searchsorted(self.week_index, np.arange(self.n_weeks + 1))]

    def column_values(self, column: str, posts: Ints) -> list[Any]:
        """Return the values of a column of `table` for some posts."""
        values: list[Any] = self.table[column].take(pa.array(self.order[posts])).to_pylist()
        return values

    def bodies(self, posts: Ints) -> list[str]:
        """Return the texts of some posts."""
        return self.fetch_texts(self.column_values("id", posts))

    def first_posts_by_author(self, posts: Sequence[int], max_posts: int) -> list[int]:
        """Return the earliest original post of each author among `posts`, `max_posts` at most.

        `posts` are in order of time.
        """
        originals = np.array([post for post in posts if self.is_original[post]], np.int64)
        _, first_positions = np.unique(self.author_codes[originals], return_index=True)
        return sorted(int(post) for post in originals[first_positions])[:max_posts]

    def mentions_brand(self, brand: str) -> Bools:
        """Return whether each post mentions a brand, by its id."""
        brand_lists = self.table["brands"].combine_chunks()
        is_brand = pc.equal(pc.list_flatten(brand_lists), brand).to_numpy(zero_copy_only=False)
        rows = pc.list_parent_indices(brand_lists).to_numpy()[is_brand]
        is_mentioned = np.zeros(self.table.num_rows, bool)
        is_mentioned[rows] = True
        return is_mentioned[self.order]


def encode_posts(
    table: pa.Table, n_weeks: int, fetch_texts: FetchTexts | None = None
) -> PostStream:
    """Sort and encode a table of posts.

    `table` has the columns `COLUMNS`; `week` counts from 0 to `n_weeks` - 1. Without `fetch_texts`
    a column `body` must hold the texts. Raises InputError when a column or a required value is
    missing, a week is out of range or an id occurs twice.
    """
    _check_table(table, n_weeks)
    if fetch_texts is None:
        if "body" not in table.column_names:
            raise InputError(
                "wanted the texts of the posts, or a column 'body' that holds them, got neither."
            )
        fetch_texts = _texts_from_column(table)
    order = pc.sort_indices(table, _SORT_ORDER).to_numpy().astype(np.int64)
    ordered = table.select(["author", "source", "week", "cluster"]).take(pa.array(order))
    source_codes, source_names = _encode_sorted(ordered["source"])
    week_index = ordered["week"].to_numpy().astype(np.int32)
    author_codes, n_authors = _encode_authors(ordered, source_codes)
    return PostStream(
        table=table,
        order=order,
        week_index=week_index,
        n_weeks=n_weeks,
        source_codes=source_codes,
        source_names=source_names,
        author_codes=author_codes,
        n_authors=n_authors,
        n_anonymous_posts=ordered["author"].null_count,
        is_original=_first_in_cluster(ordered["cluster"], week_index),
        words=_encode_lists(table["words"], order),
        hashtags=_encode_lists(table["hashtags"], order),
        fetch_texts=fetch_texts,
    )


def _texts_from_column(table: pa.Table) -> FetchTexts:
    def fetch_bodies(ids: list[str]) -> list[str]:
        rows = pc.index_in(pa.array(ids, pa.string()), table["id"])
        return [body or "" for body in table["body"].take(rows).to_pylist()]

    return fetch_bodies


def _check_table(table: pa.Table, n_weeks: int) -> None:
    missing = [column for column in COLUMNS if column not in table.column_names]
    if missing:
        raise InputError(
            f"wanted a stream with the columns {', '.join(COLUMNS)}; {', '.join(missing)} missing."
        )
    for column in _COLUMNS_WITHOUT_NULLS:
        null_count = table[column].null_count
        if null_count:
            raise InputError(
                f"wanted a value in {column!r} of every post, got {null_count} without one."
            )
    weeks = pc.min_max(table["week"]).as_py()
    if table.num_rows and not 0 <= weeks["min"] <= weeks["max"] < n_weeks:
        raise InputError(
            f"wanted weeks from 0 to {n_weeks - 1}, got {weeks['min']} to {weeks['max']}."
        )
    repeated = table.num_rows - pc.count_distinct(table["id"]).as_py()
    if repeated:
        raise InputError(f"wanted one row a post, got {repeated} ids twice.")


def _encode_sorted(column: pa.ChunkedArray) -> tuple[Codes, tuple[str, ...]]:
    names = pc.unique(column).sort()
    return pc.index_in(column, names).to_numpy().astype(np.int32), tuple(names.to_pylist())


def _encode_authors(posts: pa.Table, source_codes: Codes) -> tuple[Codes, int]:
    """Return a code for each (source, author) or anonymous post, and the number of codes.

    Author hashes differ by source already; the pair guards against imports whose ids do not.
    """
    names = pc.unique(posts["author"].drop_null())
    authors = pc.fill_null(pc.index_in(posts["author"], names), -1).to_numpy().astype(np.int64)
    is_anonymous = authors < 0
    authors[is_anonymous] = authors.max(initial=0) + 1 + np.arange(is_anonymous.sum())
    codes = dense_codes(authors * (source_codes.max(initial=0) + 1) + source_codes)
    return codes, int(codes.max(initial=-1)) + 1


def _first_in_cluster(clusters: pa.ChunkedArray, week_index: Codes) -> Bools:
    """Return whether each post, in order of time, is the first of its cluster in its week."""
    codes = dense_codes(clusters).astype(np.int64)
    cluster_weeks = codes * (week_index.max(initial=0) + 1) + week_index
    _, first_positions = np.unique(cluster_weeks, return_index=True)
    is_first = np.zeros(len(week_index), bool)
    is_first[first_positions] = True
    return is_first


def sorted_unique(keys: Ints) -> Ints:
    """Return the distinct keys, sorted.

    `numpy.unique` hashes integers first, which takes six times as long on long arrays.
    """
    keys = np.sort(keys)
    is_new = np.ones(len(keys), bool)
    is_new[1:] = keys[1:] != keys[:-1]
    return keys[is_new]


def dense_codes(values: pa.ChunkedArray | Ints) -> Codes:
    """Return codes from 0 in order of first appearance."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)
    codes: Codes = pc.dictionary_encode(array).indices.to_numpy().astype(np.int32)
    return codes


def _encode_lists(column: pa.ChunkedArray, order: Ints) -> EncodedLists:
    """Encode lists of strings, or of dictionary codes (each chunk may have its own dictionary)."""
    chunks = [pc.fill_null(chunk, []) if chunk.null_count else chunk for chunk in column.chunks]
    encoded = [_dictionary_encode(pc.list_flatten(chunk)) for chunk in chunks]
    dictionaries = pa.chunked_array([array.dictionary for array in encoded], pa.string())
    vocabulary = pc.unique(dictionaries).sort()
    codes = [
        pc.index_in(array.dictionary, vocabulary).to_numpy()[array.indices.to_numpy()]
        for array in encoded
    ]
    sizes = [pc.list_value_length(chunk).to_numpy() for chunk in chunks]
    starts = np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes]), dtype=np.int64)
    return EncodedLists(np.concatenate([np.zeros(0, np.int32), *codes]), starts, order, vocabulary)


def _dictionary_encode(strings: pa.Array) -> pa.DictionaryArray:
    return strings if pa.types.is_dictionary(strings.type) else pc.dictionary_encode(strings)
