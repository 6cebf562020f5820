"""Copies of posts: each post is compared once, with the originals of a derived file, and the table `duplicates` says what was found.

`copies.parquet` beside the store has one row a post that was compared. It can be deleted at any time: all posts are compared anew then.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.post import post_body
from folate.core.progress import track_progress
from folate.pipeline.project import Project
from nlp.text.duplicates import (
    DUPLICATES_VERSION,
    SAMPLE_TEXTS,
    SIGNATURE_BYTES,
    OriginalIndex,
    common_trigrams,
    stripped_digest,
)
from nlp.text.normalize import strip_for_duplicates

BATCH = 10_000  # posts whose texts are in hand at once
CHECKPOINT_FRACTION = 0.1  # of the posts compared so far: as many again are compared between two writings of the file, and at least `BATCH`
MAX_CORPUS_GROWTH = 2  # times as many posts as said which 3-grams are common: then they are asked again, and all posts are compared anew
_SCHEMA = pa.schema({
    "id": pa.string(),
    "text_hash": pa.string(),
    "digest": pa.string(),  # of the stripped text
    "original": pa.string(),  # the post whose text it copies, itself where it copies none; missing for a text of signs alone
    "similarity": pa.float32(),  # with that text
    "signature": pa.binary(SIGNATURE_BYTES),  # of an original
})  # fmt: skip
_POSTS = "SELECT id, text_hash FROM posts ORDER BY published_at, id"
_TEXTS = "SELECT id, text_hash, title, text FROM posts WHERE id IN (SELECT unnest($ids)) ORDER BY published_at, id"
_SAMPLE = f"SELECT title, text FROM posts ORDER BY md5(id), id LIMIT {SAMPLE_TEXTS}"


def update_duplicates(project: Project) -> None:
    """Compare the posts that have not been compared, and bring the table `duplicates` up to date. Raises StoreError.

    A run that was cut off goes on with what the last writing of the file holds.
    """
    store, path = project.store, project.duplicates_file
    snapshot = store.snapshot()
    posts = snapshot.sql(_POSTS)
    index = _Index(path, posts, snapshot)
    pending = _without(posts, index.rows)["id"].to_pylist()
    with track_progress("seeking copies", len(pending)) as bar:
        unwritten = 0
        for batch in snapshot.stream(_TEXTS, {"ids": pending}, BATCH) if pending else ():
            index.add(batch.to_pylist())
            unwritten += len(batch)
            if unwritten >= max(BATCH, CHECKPOINT_FRACTION * len(index.rows)):
                index.write()
                unwritten = 0
            bar.advance(len(batch))
    if unwritten or index.shrunk:
        index.write()
    _show(
        store,
        snapshot.sql("SELECT id, cluster, similarity FROM duplicates"),
        _copies(index.rows, posts),
    )


class _Index:
    """The posts that were compared, as rows of `_SCHEMA`, and the originals among them."""

    def __init__(self, path: Path, posts: pa.Table, snapshot: Snapshot) -> None:
        self._path = path
        stored, about = _read(path)
        if about is None or len(posts) > MAX_CORPUS_GROWTH * max(about["posts"], SAMPLE_TEXTS):
            sample = [
                strip_for_duplicates(post_body(row["title"], row["text"]))
                for row in snapshot.sql(_SAMPLE).to_pylist()
            ]
            stored, about = (
                _SCHEMA.empty_table(),
                {"posts": len(posts), "common": common_trigrams(sample).tolist()},
            )
        self._about = about
        self.rows = _standing(stored, posts)
        self.shrunk = len(self.rows) < len(stored)
        self._snapshot = snapshot
        own = self.rows.filter(pc.is_valid(self.rows["signature"]))
        signatures = np.frombuffer(b"".join(own["signature"].to_pylist()), np.uint8).reshape(
            -1, SIGNATURE_BYTES
        )
        self._ids: list[str] = own["id"].to_pylist()  # of the originals, by number
        self._originals = OriginalIndex(
            np.array(about["common"], np.uint64), signatures, self._texts
        )
        columns = (self.rows[name].to_pylist() for name in ("digest", "original", "similarity"))
        self._placed: dict[str, tuple[str | None, float]] = {
            digest: (original, similarity)
            for digest, original, similarity in zip(*columns, strict=True)
        }

    def add(self, posts: Sequence[dict[str, Any]]) -> None:
        """Compare posts, the earliest first."""
        stripped = [strip_for_duplicates(post_body(post["title"], post["text"])) for post in posts]
        digests = list(map(stripped_digest, stripped))
        new = {
            digest: row
            for row, digest in reversed(list(enumerate(digests)))
            if stripped[row] and digest not in self._placed
        }
        distinct = sorted(new.values())
        before = len(self._ids)
        for row, (number, similarity) in zip(
            distinct, self._originals.match_or_add([stripped[row] for row in distinct]), strict=True
        ):
            if number == len(self._ids):
                self._ids.append(posts[row]["id"])
            self._placed[digests[row]] = self._ids[number], similarity
        signatures = dict(
            zip(self._ids[before:], map(bytes, self._originals.signatures[before:]), strict=True)
        )
        rows = [
            {"id": post["id"], "text_hash": post["text_hash"], "digest": digest, "original": original, "similarity": similarity,
             "signature": signatures.get(post["id"])}
            for post, digest in zip(posts, digests, strict=True)
            for original, similarity in [self._placed.get(digest, (None, 0.0))]
        ]  # fmt: skip
        self.rows = pa.concat_tables([self.rows, pa.Table.from_pylist(rows, _SCHEMA)])

    def write(self) -> None:
        """Replace the file, whole or not at all."""
        about = {"version": DUPLICATES_VERSION} | self._about
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        pq.write_table(
            self.rows.replace_schema_metadata({"folate": json.dumps(about)}),
            aside,
            compression="zstd",
        )
        aside.replace(self._path)

    def _texts(self, numbers: Sequence[int]) -> list[str]:
        """The stripped texts of some originals."""
        ids = [self._ids[number] for number in numbers]
        found = self._snapshot.sql(
            "SELECT id, title, text FROM posts WHERE id IN (SELECT unnest($ids))", {"ids": ids}
        ).to_pylist()
        texts = {
            row["id"]: strip_for_duplicates(post_body(row["title"], row["text"])) for row in found
        }
        return [texts[id_] for id_ in ids]


def _read(path: Path) -> tuple[pa.Table, dict[str, Any] | None]:
    """The rows of the file and what it says of itself; None where it is missing, damaged or of another version: it is derived."""
    try:
        stored = pq.read_table(path)
        about: dict[str, Any] = json.loads((stored.schema.metadata or {}).get(b"folate", b"{}"))
    except (OSError, ValueError, RecursionError, pa.ArrowException):
        return _SCHEMA.empty_table(), None
    if not _is_current(about) or stored.schema.remove_metadata() != _SCHEMA:
        return _SCHEMA.empty_table(), None
    return stored.replace_schema_metadata(None), about


def _is_current(about: Any) -> bool:
    """Whether what a file says of itself is of this version and whole."""
    if (
        not isinstance(about, dict)
        or about.get("version") != DUPLICATES_VERSION
        or type(about.get("posts")) is not int
    ):
        return False
    common = about.get("common")
    return isinstance(common, list) and all(
        type(gram) is int and 0 <= gram < 2**64 for gram in common
    )


def _standing(rows: pa.Table, posts: pa.Table) -> pa.Table:
    """The rows whose post and whose original are posts with the text that was compared."""
    rows = rows.filter(pc.is_in(_keys(rows), _keys(posts)))
    return rows.filter(
        pc.or_(pc.is_null(rows["original"]), pc.is_in(rows["original"], _strings(rows["id"])))
    )


def _without(posts: pa.Table, rows: pa.Table) -> pa.Table:
    """The posts that have no row."""
    return posts.filter(pc.invert(pc.is_in(_keys(posts), _keys(rows))))


def _keys(rows: pa.Table) -> pa.Array:
    return pc.binary_join_element_wise(_strings(rows["id"]), _strings(rows["text_hash"]), "\n")


def _copies(rows: pa.Table, posts: pa.Table) -> pa.Table:
    """Rows of the table `duplicates`: the posts of each cluster but the earliest, which names it."""
    moments = pc.index_in(rows["id"], _strings(posts["id"]))
    rows = (
        rows.append_column("moment", moments)
        .filter(pc.is_valid(rows["original"]))
        .sort_by("moment")
    )
    ids, originals = _strings(rows["id"]), _strings(rows["original"])
    clusters = originals.dictionary_encode().indices.to_numpy()
    earliest = np.unique(clusters, return_index=True)[1][clusters]
    similarity = rows["similarity"].to_numpy()
    own = pc.equal(ids, originals).to_numpy(zero_copy_only=False)
    similarity = np.where(
        own, similarity[earliest], similarity
    )  # an original that an older post turned out to copy
    found = pa.table(
        {
            "id": ids,
            "cluster": ids.take(pa.array(earliest)),
            "similarity": pa.array(similarity, pa.float32()),
        }
    )
    return found.filter(pc.not_equal(found["id"], found["cluster"]))


def _show(store: Store, stored: pa.Table, copies: pa.Table) -> None:
    """Write what differs from the stored table."""
    at = pc.index_in(copies["id"], _strings(stored["id"]))
    same = pa.array(np.ones(len(copies), bool))
    for column in ("cluster", "similarity"):
        same = pc.and_(
            same,
            pc.fill_null(
                pc.equal(copies[column].combine_chunks(), stored[column].combine_chunks().take(at)),
                False,
            ),
        )
    gone = stored["id"].filter(pc.invert(pc.is_in(stored["id"], _strings(copies["id"]))))
    store.upsert("duplicates", copies.filter(pc.invert(same)), complete_ids=gone.to_pylist())


def _strings(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
