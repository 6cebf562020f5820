"""The documents of an index, read from a snapshot of the store: posts, words and metadata."""

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpora.index.build import DOCUMENT_SCHEMA
from corpora.index.sorting import sorted_distinct
from corpora.store.snapshot import Snapshot
from folate.core.labels import INTENTS
from nlp.text.normalize import normalize_text

MIN_INTENT_PROBABILITY = 0.5
"""From which a post has an intent, as in the leads of reports."""

# Of one batch, so that a build needs little memory: its texts, and the segment made of them.
POSTS_PER_BATCH = 150_000
CHARACTERS_PER_BATCH = 16_000_000
_STREAMED_ROWS = 50_000
SCRATCH_PREFIX = "scratch-"

_POSTS = """
SELECT id, author, published_at, rating,
  date_diff('day', DATE '1970-01-01', timezone($zone, published_at)::DATE)::INTEGER AS day,
  CASE WHEN title <> '' THEN title || chr(10) || text ELSE text END AS body,
  ['source:' || source, 'kind:' || kind, 'place:' || place, if(verified, 'is:verified', NULL)]
    AS keys
FROM posts
""".strip()
_TEXTS = """
SELECT id, words, starts, lengths, list_concat(['lang:' || language],
  ['hashtag:' || hashtag FOR hashtag IN hashtags],
  ['segment:' || segment FOR segment IN segments]) AS keys
FROM texts
""".strip()
_TAGS = "SELECT id, lemmas, parts FROM word_tags"
_INTENT_KEYS = ", ".join(
    f"if({name} >= {MIN_INTENT_PROBABILITY}, 'intent:{name}', NULL)" for name in INTENTS
)
# an upper level finds its lower levels
_TAG_KEYS = """
flatten([['tag:' || array_to_string(string_split(tag, ' / ')[:depth], ' / ')
  FOR depth IN range(1, len(string_split(tag, ' / ')) + 1)] FOR tag IN tags])
""".strip()
_KEYS = f"""
SELECT id, ['brand:' || brand] AS keys FROM mentions
UNION ALL SELECT id, ['sentiment:' || label || coalesce('/' || brand, '')] FROM sentiments
UNION ALL SELECT id, ['aspect:' || aspect, 'aspect:' || aspect || '/' || label,
  'aspect:' || aspect || '/' || label || '/' || brand] FROM aspects
UNION ALL SELECT id, list_concat(['emotion:' || emotion, {_INTENT_KEYS}], {_TAG_KEYS})
  FROM judgements
UNION ALL SELECT unnest(evidence), ['topic:' || id] FROM topics
UNION ALL SELECT id, ['is:duplicate'] FROM duplicates
UNION ALL SELECT id, ['label:' || name, 'label:' || name || '/' || rater] FROM labels WHERE belongs
""".strip()
_QUERIES = {"posts": _POSTS, "texts": _TEXTS, "tags": _TAGS, "keys": _KEYS}
_SIZE = "SELECT count(*) AS posts, coalesce(sum(length(text)), 0)::BIGINT AS characters FROM posts"
_ANNOTATED_KEY = "is:annotated"
_TAGGED_KEY = "is:tagged"
_WORD_COLUMNS = ("words", "starts", "lengths")


def field_key(field: str, value: str) -> str:
    """Return the key of a value of metadata, as the index has it: "brand:kraft".

    Of values that are spelt in several ways (`normalize_text`), all have one key.
    """
    return f"{field}:{normalize_text(value)}"


def read_documents(snapshot: Snapshot, timezone: str, ids: Sequence[str]) -> pa.Table:
    """Return the documents (DOCUMENT_SCHEMA) of the posts with these ids, as far as they exist.

    Raises StoreError.
    """
    wanted = {"ids": list(ids)}
    tables = {}
    for name, query in _QUERIES.items():
        params: dict[str, Any] = wanted | ({"zone": timezone} if name == "posts" else {})
        selected = f"FROM ({query}) WHERE id IN (SELECT unnest($ids))"
        tables[name] = snapshot.sql(selected, params)
    return _join_documents(tables)


def read_all_documents(
    snapshot: Snapshot, timezone: str, scratch_folder: Path
) -> Iterator[pa.Table]:
    """Yield all documents (DOCUMENT_SCHEMA) in batches, in no order.

    Rows are first sorted into batches by their ids, in files in `scratch_folder`, so that memory is
    bounded and each table is read once. Raises StoreError.
    """
    size = snapshot.sql(_SIZE).to_pylist()[0]
    batches = max(
        math.ceil(size["posts"] / POSTS_PER_BATCH),
        math.ceil(size["characters"] / CHARACTERS_PER_BATCH),
    )
    if batches <= 1:
        if batches:
            yield _join_documents(_read_tables(snapshot, timezone))
        return
    with TemporaryDirectory(dir=scratch_folder, prefix=SCRATCH_PREFIX) as folder:
        for name, query in _QUERIES.items():
            params = {"zone": timezone} if name == "posts" else None
            _scatter(snapshot, query, params, Path(folder) / name, batches)
        for batch in range(batches):
            files = {name: Path(folder) / f"{name}.{batch}" for name in _QUERIES}
            yield _join_documents({name: _take_file(file) for name, file in files.items()})


def _read_tables(snapshot: Snapshot, timezone: str) -> dict[str, pa.Table]:
    return {
        name: snapshot.sql(query, {"zone": timezone} if name == "posts" else None)
        for name, query in _QUERIES.items()
    }


def _scatter(
    snapshot: Snapshot, query: str, params: dict[str, Any] | None, path: Path, count: int
) -> None:
    """Write the rows of a query into the files PATH.0, PATH.1, …, those of one id into one."""
    numbered = f"SELECT *, (hash(id) % {count})::INTEGER AS batch FROM ({query})"
    writers: list[pa.ipc.RecordBatchStreamWriter] = []
    try:
        for rows in snapshot.stream(numbered, params, _STREAMED_ROWS):
            table = pa.Table.from_batches([rows])
            numbers = table["batch"].to_numpy()
            table = table.drop_columns("batch")
            if not writers:
                writers += [pa.ipc.new_stream(f"{path}.{n}", table.schema) for n in range(count)]
            order = np.argsort(numbers, kind="stable")
            bounds = np.searchsorted(numbers[order], np.arange(count + 1))
            table = table.take(pa.array(order))
            for number, writer in enumerate(writers):
                start = int(bounds[number])
                writer.write_table(table.slice(start, int(bounds[number + 1]) - start))
    finally:
        for writer in writers:
            writer.close()


def _take_file(path: Path) -> pa.Table:
    """Return the rows of a file of `_scatter`, which is deleted; of none where it is missing."""
    if not path.exists():
        return _EMPTY_TABLES[path.stem]
    with pa.ipc.open_stream(path) as reader:
        table = reader.read_all()
    path.unlink()
    return table


_READ_SCHEMA = DOCUMENT_SCHEMA.append(pa.field("keys", pa.list_(pa.string())))
# not by `empty_table`, which imports pandas
_EMPTY_TABLES = {
    name: pa.Table.from_batches([], pa.schema(map(_READ_SCHEMA.field, columns)))
    for name, columns in {
        "posts": ("id", "author", "published_at", "rating", "day", "body", "keys"),
        "texts": ("id", "words", "starts", "lengths", "keys"),
        "tags": ("id", "lemmas", "parts"),
        "keys": ("id", "keys"),
    }.items()
}


def _join_documents(tables: dict[str, pa.Table]) -> pa.Table:
    """Join the tables of _QUERIES by id."""
    posts = tables["posts"]
    ids = posts["id"].combine_chunks()
    texts = _take_rows(tables["texts"], ids)
    columns = {name: posts[name] for name in posts.column_names}
    columns |= _valid_words(posts["body"], {name: texts[name] for name in _WORD_COLUMNS})
    columns |= _valid_tags(columns["words"], _take_rows(tables["tags"], ids))
    rows = np.arange(len(ids))
    other_rows = pc.index_in(tables["keys"]["id"], value_set=ids).fill_null(-1).to_numpy()
    key_lists = [(rows, posts["keys"]), (rows, texts["keys"]), (other_rows, tables["keys"]["keys"])]
    for mark, column in ((_ANNOTATED_KEY, "words"), (_TAGGED_KEY, "lemmas")):
        marked = np.flatnonzero(pc.is_valid(columns[column]).to_numpy(zero_copy_only=False))
        key_lists.append((marked, pa.array([[mark]] * len(marked), pa.list_(pa.string()))))
    columns["fields"] = _field_lists(key_lists, len(ids))
    arrays = [columns[field.name].cast(field.type) for field in DOCUMENT_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=DOCUMENT_SCHEMA)


def _take_rows(table: pa.Table, ids: pa.Array) -> dict[str, pa.Array]:
    """Return the columns of a table in the order of ids; missing where it has no row of one."""
    rows = pc.index_in(ids, value_set=table["id"].combine_chunks())
    return {
        name: table[name].combine_chunks().take(rows) for name in table.column_names if name != "id"
    }


def _valid_words(bodies: pa.Array, texts: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Make words missing where not each has a place in the body, behind the word before it."""
    counts = _list_lengths(texts["words"])
    is_valid = counts >= 0
    for name in ("starts", "lengths"):
        is_valid &= _list_lengths(texts[name]) == counts
    columns = {name: _keep_where(is_valid, values) for name, values in texts.items()}
    starts = columns["starts"].flatten().to_numpy(zero_copy_only=False)
    lengths = columns["lengths"].flatten().to_numpy(zero_copy_only=False)
    documents = np.repeat(np.flatnonzero(is_valid), counts[is_valid])
    body_lengths = pc.utf8_length(bodies).to_numpy()
    is_placed = (lengths >= 0) & (starts >= 0) & (starts + lengths <= body_lengths[documents])
    is_placed[1:] &= (starts[1:] >= starts[:-1]) | (documents[1:] != documents[:-1])
    if is_placed.all():
        return columns
    is_valid[documents[~is_placed]] = False
    return {name: _keep_where(is_valid, values) for name, values in columns.items()}


def _valid_tags(words: pa.Array, tags: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Make tags missing where not each word has one: they were made of other words."""
    counts = _list_lengths(words)
    is_valid = counts >= 0
    for name in ("lemmas", "parts"):
        is_valid &= _list_lengths(tags[name]) == counts
    return {name: _keep_where(is_valid, values) for name, values in tags.items()}


def _list_lengths(lists: pa.Array) -> npt.NDArray[np.int64]:
    """Return the length of each list, -1 for a missing one."""
    lengths: npt.NDArray[np.int64] = pc.fill_null(pc.list_value_length(lists), -1).to_numpy()
    return lengths.astype(np.int64)


def _keep_where(is_kept: npt.NDArray[np.bool_], values: pa.Array) -> pa.Array:
    """Return the values with those missing that are not kept."""
    if is_kept.all():
        return values
    rows = np.arange(len(values))
    return values.take(pa.array(rows, mask=~is_kept))


def _field_lists(
    key_lists: list[tuple[npt.NDArray[np.integer], pa.Array]], document_count: int
) -> pa.Array:
    """Return the sorted keys of metadata of each post, from lists of keys of numbers of posts.

    Missing keys, and those of number -1, are left out.
    """
    documents = []
    keys = []
    for rows, lists in key_lists:
        counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        documents.append(np.repeat(rows, counts))
        keys.append(pc.list_flatten(lists).cast(pa.string()))
    all_keys = pa.chunked_array(chain.from_iterable(map(_chunks, keys)), pa.string())
    encoded = all_keys.combine_chunks().dictionary_encode()
    names, numbers = _normal_keys(encoded.dictionary.to_pylist())
    key_numbers = pc.fill_null(encoded.indices, len(numbers)).to_numpy()
    key_numbers = np.append(numbers, -1)[key_numbers]
    document_numbers = np.concatenate(documents)
    is_known = (key_numbers >= 0) & (document_numbers >= 0)
    name_count = max(1, len(names))
    pairs = document_numbers[is_known].astype(np.int64) * name_count + key_numbers[is_known]
    pairs = sorted_distinct(pairs)
    offsets = np.searchsorted(pairs, np.arange(document_count + 1) * name_count)
    values = pa.array(names, pa.string()).take(pa.array(pairs % name_count))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _chunks(values: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return values.chunks if isinstance(values, pa.ChunkedArray) else [values]


def _normal_keys(keys: list[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the sorted normal forms of keys, and the number of that of each key."""
    normal_keys = []
    for key in keys:
        field, _, value = key.partition(":")
        normal_keys.append(field_key(field, value))
    names = sorted(set(normal_keys))
    number_by_name = {name: number for number, name in enumerate(names)}
    return names, np.array([number_by_name[key] for key in normal_keys], np.int64)
