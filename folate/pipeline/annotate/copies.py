"""Duplicate detection: each post is compared once with the originals found so far.

The state is in `copies.parquet` beside the store, with one row per compared post; the results are
in the table `duplicates`. The file may be deleted at any time: all posts are then compared again.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.post import post_body
from folate.core.progress import track_progress
from folate.pipeline.project import Project
from nlp.annotate import MIN_COMPILED_TEXTS
from nlp.text.duplicates import (
    DUPLICATES_VERSION,
    SAMPLE_TEXTS,
    SIGNATURE_BYTES,
    OriginalIndex,
    common_trigrams,
    stripped_digest,
)
from nlp.text.normalize import strip_for_duplicates

BATCH = 10_000
"""Posts whose texts are in memory at once."""

CHECKPOINT_FRACTION = 0.1
"""The state is written after this share of the compared posts was added, at least BATCH."""

MAX_CORPUS_GROWTH = 2
"""Growth of the corpus since the common trigrams were counted after which they are counted again.

All posts are then compared again.
"""

_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "text_hash": pa.string(),
        # of the stripped text
        "digest": pa.string(),
        # the post whose text it duplicates, or its own id; null for a text without letters and
        # digits
        "original": pa.string(),
        # with the text of the original
        "similarity": pa.float32(),
        # of an original only
        "signature": pa.binary(SIGNATURE_BYTES),
    }
)
_POSTS_QUERY = "SELECT id, text_hash FROM posts ORDER BY published_at, id"
_PENDING_TEXTS_QUERY = """
SELECT id, text_hash, title, text FROM posts
WHERE id IN (SELECT unnest($ids)) ORDER BY published_at, id
""".strip()
_TEXTS_QUERY = "SELECT id, title, text FROM posts WHERE id IN (SELECT unnest($ids))"
_SAMPLE_QUERY = f"SELECT title, text FROM posts ORDER BY md5(id), id LIMIT {SAMPLE_TEXTS}"


class _OriginalMatch(NamedTuple):
    """The original of a text, and the similarity to it."""

    post_id: str | None
    similarity: float


def update_duplicates(project: Project) -> None:
    """Compare the posts that were not compared yet, and update the table `duplicates`.

    A run that was interrupted continues from the last checkpoint. Raises StoreError.
    """
    store = project.store
    snapshot = store.snapshot()
    posts = snapshot.sql(_POSTS_QUERY)
    index = _DuplicateIndex(project.duplicates_file, posts, snapshot)
    pending_ids = _select_pending(posts, index.rows)["id"].to_pylist()
    with track_progress("seeking copies", len(pending_ids)) as progress:
        unwritten_count = 0
        parameters = {"ids": pending_ids}
        batches = snapshot.stream(_PENDING_TEXTS_QUERY, parameters, BATCH) if pending_ids else ()
        for batch in batches:
            index.add_posts(batch.to_pylist())
            unwritten_count += len(batch)
            if unwritten_count >= max(BATCH, CHECKPOINT_FRACTION * len(index.rows)):
                index.write()
                unwritten_count = 0
            progress.advance(len(batch))
    if unwritten_count or index.has_dropped_rows:
        index.write()
    stored = snapshot.sql("SELECT id, cluster, similarity FROM duplicates")
    _store_changes(store, stored, _duplicate_rows(index.rows, posts))


class _DuplicateIndex:
    """The compared posts, as rows of _SCHEMA, and an index of the originals among them."""

    def __init__(self, path: Path, posts: pa.Table, snapshot: Snapshot) -> None:
        self._path = path
        self._snapshot = snapshot
        stored, metadata = _read_state(path)
        if metadata is None or _has_outgrown(len(posts), metadata["posts"]):
            sample = _stripped_bodies(snapshot.sql(_SAMPLE_QUERY).to_pylist())
            stored = _SCHEMA.empty_table()
            metadata = {"posts": len(posts), "common": common_trigrams(sample).tolist()}
        self._metadata = metadata
        self.rows = _select_current(stored, posts)
        self.has_dropped_rows = len(self.rows) < len(stored)
        originals = self.rows.filter(pc.is_valid(self.rows["signature"]))
        signature_bytes = b"".join(originals["signature"].to_pylist())
        # ids of the originals, by their number in the index
        self._original_ids: list[str] = originals["id"].to_pylist()
        self._originals = OriginalIndex(
            np.array(metadata["common"], np.uint64),
            np.frombuffer(signature_bytes, np.uint8).reshape(-1, SIGNATURE_BYTES),
            self._load_texts,
        )
        self._matches: dict[str, _OriginalMatch] = {}
        columns = [self.rows[name].to_pylist() for name in ("digest", "original", "similarity")]
        for digest, original, similarity in zip(*columns, strict=True):
            self._matches[digest] = _OriginalMatch(original, similarity)

    def add_posts(self, posts: Sequence[dict[str, Any]]) -> None:
        """Compare posts, the earliest first, and append their rows."""
        texts = _stripped_bodies(posts)
        digests = [stripped_digest(text) for text in texts]
        earlier_original_count = len(self._original_ids)
        self._match_new_texts(posts, texts, digests)
        new_signatures = zip(
            self._original_ids[earlier_original_count:],
            self._originals.signatures[earlier_original_count:],
            strict=True,
        )
        signatures = {post_id: bytes(signature) for post_id, signature in new_signatures}
        no_match = _OriginalMatch(None, 0.0)
        rows = []
        for post, digest in zip(posts, digests, strict=True):
            match = self._matches.get(digest, no_match)
            row = {
                "id": post["id"],
                "text_hash": post["text_hash"],
                "digest": digest,
                "original": match.post_id,
                "similarity": match.similarity,
                "signature": signatures.get(post["id"]),
            }
            rows.append(row)
        self.rows = pa.concat_tables([self.rows, pa.Table.from_pylist(rows, _SCHEMA)])

    def _match_new_texts(
        self, posts: Sequence[dict[str, Any]], texts: Sequence[str], digests: Sequence[str]
    ) -> None:
        """Find the originals of texts that were not seen before; a new text becomes an original."""
        first_indices: dict[str, int] = {}
        for index, digest in enumerate(digests):
            if texts[index] and digest not in self._matches:
                first_indices.setdefault(digest, index)
        indices = list(first_indices.values())
        matches = self._originals.match_or_add([texts[index] for index in indices])
        for index, (number, similarity) in zip(indices, matches, strict=True):
            if number == len(self._original_ids):
                self._original_ids.append(posts[index]["id"])
            self._matches[digests[index]] = _OriginalMatch(self._original_ids[number], similarity)

    def write(self) -> None:
        """Replace the file atomically."""
        metadata = {"version": DUPLICATES_VERSION} | self._metadata
        rows = self.rows.replace_schema_metadata({"folate": json.dumps(metadata)})
        temporary_file = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        pq.write_table(rows, temporary_file, compression="zstd")
        temporary_file.replace(self._path)

    def _load_texts(self, numbers: Sequence[int]) -> list[str]:
        """Return the stripped texts of originals, given their numbers."""
        ids = [self._original_ids[number] for number in numbers]
        rows = self._snapshot.sql(_TEXTS_QUERY, {"ids": ids}).to_pylist()
        texts = dict(zip([row["id"] for row in rows], _stripped_bodies(rows), strict=True))
        return [texts[id_] for id_ in ids]


def _stripped_bodies(posts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return title and text of each post without what does not distinguish two texts."""
    bodies = [post_body(post["title"], post["text"]) for post in posts]
    if len(bodies) < MIN_COMPILED_TEXTS:
        return list(map(strip_for_duplicates, bodies))
    from nlp.text.batches import fold_texts

    return fold_texts(bodies).stripped


def _has_outgrown(post_count: int, sampled_post_count: int) -> bool:
    """Return whether the corpus has grown so much that common trigrams are counted again."""
    return post_count > MAX_CORPUS_GROWTH * max(sampled_post_count, SAMPLE_TEXTS)


def _read_state(path: Path) -> tuple[pa.Table, dict[str, Any] | None]:
    """Return the rows and the metadata of the file.

    The metadata is None when the file is missing, damaged or of another version: it can be derived
    from the store again.
    """
    try:
        stored = pq.read_table(path)
        metadata = json.loads((stored.schema.metadata or {}).get(b"folate", b"{}"))
    except (OSError, ValueError, RecursionError, pa.ArrowException):
        return _SCHEMA.empty_table(), None
    if not _is_current(metadata) or stored.schema.remove_metadata() != _SCHEMA:
        return _SCHEMA.empty_table(), None
    return stored.replace_schema_metadata(None), metadata


def _is_current(metadata: Any) -> bool:
    """Return whether the metadata of a file is complete and of this version."""
    if not isinstance(metadata, dict) or metadata.get("version") != DUPLICATES_VERSION:
        return False
    common = metadata.get("common")
    if type(metadata.get("posts")) is not int or not isinstance(common, list):
        return False
    return all(type(trigram) is int and 0 <= trigram < 2**64 for trigram in common)


def _select_current(rows: pa.Table, posts: pa.Table) -> pa.Table:
    """Return the rows whose post, and whose original, still has the text that was compared."""
    rows = rows.filter(pc.is_in(_text_keys(rows), _text_keys(posts)))
    has_original = pc.is_in(rows["original"], _to_array(rows["id"]))
    return rows.filter(pc.or_(pc.is_null(rows["original"]), has_original))


def _select_pending(posts: pa.Table, rows: pa.Table) -> pa.Table:
    """Return the posts that have no row."""
    return posts.filter(pc.invert(pc.is_in(_text_keys(posts), _text_keys(rows))))


def _text_keys(rows: pa.Table) -> pa.Array:
    """Return the id and the text's hash of each row, joined to one string."""
    ids = _to_array(rows["id"])
    return pc.binary_join_element_wise(ids, _to_array(rows["text_hash"]), "\n")


def _duplicate_rows(rows: pa.Table, posts: pa.Table) -> pa.Table:
    """Return the rows of the table `duplicates`.

    These are the posts of each cluster but the earliest, which gives the cluster its name.
    """
    positions = pc.index_in(rows["id"], _to_array(posts["id"]))
    rows = (
        rows.append_column("position", positions)
        .filter(pc.is_valid(rows["original"]))
        .sort_by("position")
    )
    ids = _to_array(rows["id"])
    originals = _to_array(rows["original"])
    clusters = originals.dictionary_encode().indices.to_numpy()
    earliest = np.unique(clusters, return_index=True)[1][clusters]
    similarity = rows["similarity"].to_numpy()
    is_original = pc.equal(ids, originals).to_numpy(zero_copy_only=False)
    # an original may itself duplicate an older post that was compared later
    similarity = np.where(is_original, similarity[earliest], similarity)
    duplicates = pa.table(
        {
            "id": ids,
            "cluster": ids.take(pa.array(earliest)),
            "similarity": pa.array(similarity, pa.float32()),
        }
    )
    return duplicates.filter(pc.not_equal(duplicates["id"], duplicates["cluster"]))


def _store_changes(store: Store, stored: pa.Table, duplicates: pa.Table) -> None:
    """Write the rows that differ from the stored table, and delete those that are gone."""
    positions = pc.index_in(duplicates["id"], _to_array(stored["id"]))
    is_unchanged = pa.array(np.ones(len(duplicates), bool))
    for column in ("cluster", "similarity"):
        stored_values = stored[column].combine_chunks().take(positions)
        is_equal = pc.equal(duplicates[column].combine_chunks(), stored_values)
        is_unchanged = pc.and_(is_unchanged, pc.fill_null(is_equal, False))
    is_gone = pc.invert(pc.is_in(stored["id"], _to_array(duplicates["id"])))
    store.upsert(
        "duplicates",
        duplicates.filter(pc.invert(is_unchanged)),
        complete_ids=stored["id"].filter(is_gone).to_pylist(),
    )


def _to_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a string column as one array."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
