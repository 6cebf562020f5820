"""The sentence vectors of a corpus beside its index, ready to be searched.

They are a copy of the table `embeddings` and may be deleted at any time. Distinct texts are in
parts (`corpora.index.vector_parts`), which never change; a later version adds a part of the new
texts only, and joins it with the parts before it that are not larger. Which post has which text is
in two arrays for one version of the store.
"""

import json
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpora.index.build import WrittenFile, write_array
from corpora.index.locking import locked_folder
from corpora.index.manifest import TableVersion, sync
from corpora.index.segment import Positions, Segment
from corpora.index.strings import hash_texts
from corpora.index.vector_parts import (
    Float16Rows,
    VectorPart,
    encode_part,
    load_array,
    write_part,
)
from corpora.store import commits
from corpora.store.snapshot import Snapshot
from folate.core.files import write_atomically
from folate.core.progress import show_elapsed_time

VECTORS_FOLDER = "vectors"
FORMAT_VERSION = 1
MANIFEST_FILE = "manifest.json"
MAX_PART_ROWS = 500_000
"""Texts of a part: building one takes 2 GB at most."""
NO_TEXT = -1
_MAX_LISTED_IDS = 20_000
_READ_TABLES = ("posts", "embeddings")

_KEY = "md5_number_lower(concat_ws(' ', text_hash, annotator, version))"
_OF_MODEL = "annotator = $annotator AND starts_with(version, $model || '+')"
_TEXTS_QUERY = f"SELECT id, {_KEY} AS key FROM embeddings WHERE {_OF_MODEL}"
_VECTORS_QUERY = f"SELECT {_KEY} AS key, vector FROM embeddings WHERE {_OF_MODEL}"
_MODELS_QUERY = """
SELECT annotator, array_to_string(string_split(version, '+')[:2], '+') AS model, count(*) AS posts
FROM embeddings GROUP BY annotator, model ORDER BY posts DESC, annotator, model
""".strip()

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class VectorModel:
    """What made vectors: those of one model can be compared."""

    annotator: str
    # the beginning of the version of its rows, before what the words depend on
    version: str


class CorpusVectors:
    """The vectors of one version of a corpus: parts of distinct texts, and the text of each post.

    The texts of all parts are numbered from 0, in order.
    """

    def __init__(self, parts: Sequence[VectorPart], id_hashes: Keys, texts: Positions) -> None:
        """Begin with parts, the sorted hashes of ids of posts, and the text of each post."""
        self.parts = tuple(parts)
        self._id_hashes = id_hashes
        self._texts = texts
        counts = [part.row_count for part in self.parts]
        self.offsets: Positions = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @property
    def post_count(self) -> int:
        """The number of posts that were embedded, those without words included."""
        return len(self._id_hashes)

    def texts_of(self, segment: Segment) -> Positions:
        """Return the text of each document of a segment, or NO_TEXT where it has no vector."""
        texts = np.full(segment.document_count, NO_TEXT, np.int64)
        if not len(self._id_hashes):
            return texts
        hashes = segment.array("id_keys")
        places = np.minimum(np.searchsorted(self._id_hashes, hashes), len(self._id_hashes) - 1)
        is_known = self._id_hashes[places] == hashes
        documents = segment.array("id_documents")[is_known]
        texts[documents] = self._texts[places[is_known]]
        has_vector = np.concatenate([part.has_vector for part in self.parts])
        texts[(texts >= 0) & ~has_vector[texts]] = NO_TEXT
        return texts

    def vector(self, text: int) -> npt.NDArray[np.float32]:
        """Return the vector of a text."""
        part = int(np.searchsorted(self.offsets, text, "right")) - 1
        row = text - int(self.offsets[part])
        vector: npt.NDArray[np.float32] = self.parts[part].vectors[row].astype(np.float32)
        return vector


@dataclass(frozen=True)
class _Manifest:
    """What the folder has: parts, and the posts of one version of the store."""

    model: VectorModel
    versions: Mapping[str, TableVersion]
    parts: tuple[str, ...]
    posts: str
    files: Mapping[str, WrittenFile]


class _Unusable(Exception):
    """The vectors in the folder are missing, damaged or of another kind."""


def stored_models(snapshot: Snapshot) -> dict[VectorModel, int]:
    """Return the models that made the vectors of a store, and of how many posts each."""
    rows = snapshot.sql(_MODELS_QUERY).to_pylist()
    return {VectorModel(row["annotator"], row["model"]): row["posts"] for row in rows}


def open_vectors(
    folder: Path, root: Path, snapshot: Snapshot, model: VectorModel, *, is_newest: bool
) -> CorpusVectors:
    """Return the vectors of a model at the version of a snapshot, of the store at `root`.

    If it is the newest one, what is in `folder` is brought up to date. Raises StoreError.
    """
    versions = _table_versions(root, snapshot)
    with (
        show_elapsed_time("preparing sentence vectors"),
        locked_folder(folder, "the vectors"),
    ):
        try:
            manifest = _read_manifest(folder)
            parts = [VectorPart.load(folder / name) for name in manifest.parts]
            if manifest.model == model and manifest.versions == versions:
                return CorpusVectors(parts, *_load_posts(folder, manifest.posts))
        except (_Unusable, OSError, ValueError):
            manifest = None
            parts = []
        if not is_newest:
            return _read_version(snapshot, model, parts)
        return _update(folder, snapshot, model, versions, manifest, parts)


def _read_version(
    snapshot: Snapshot, model: VectorModel, parts: Sequence[VectorPart]
) -> CorpusVectors:
    """Return vectors of an older version, for which nothing is written."""
    id_hashes, keys = _read_text_keys(snapshot, model)
    new_parts = [
        VectorPart(encode_part(*texts)) for texts in _read_new_texts(snapshot, model, parts, keys)
    ]
    all_parts = [*parts, *new_parts]
    return CorpusVectors(all_parts, id_hashes, _number_texts(all_parts, keys))


def _update(
    folder: Path,
    snapshot: Snapshot,
    model: VectorModel,
    versions: Mapping[str, TableVersion],
    manifest: _Manifest | None,
    parts: Sequence[VectorPart],
) -> CorpusVectors:
    """Write the vectors of a version, and return them."""
    id_hashes, keys = _read_text_keys(snapshot, model)
    names = list(manifest.parts) if manifest else []
    files = dict(manifest.files) if manifest else {}
    all_parts = list(parts)
    for new_keys, vectors in _read_new_texts(snapshot, model, parts, keys):
        joined_keys, joined_vectors = new_keys, vectors
        while all_parts and _is_joined(all_parts[-1], len(joined_keys)):
            last = all_parts.pop()
            is_used = np.isin(last.keys, keys)
            joined_keys, joined_vectors = _join_texts(
                [last.keys[is_used], joined_keys], [last.vectors[is_used], joined_vectors]
            )
            files = _without_folder(files, names.pop())
        name = f"part-{uuid4().hex}"
        (folder / name).mkdir()
        written = write_part(folder / name, encode_part(joined_keys, joined_vectors))
        files |= _sync_files(folder, name, written)
        names.append(name)
        all_parts.append(VectorPart.load(folder / name))
    texts = _number_texts(all_parts, keys)
    if manifest:
        files = _without_folder(files, manifest.posts)
    posts = f"posts-{uuid4().hex}"
    (folder / posts).mkdir()
    arrays = {"id_hashes": id_hashes, "texts": texts}
    written = {
        f"{name}.npy": write_array(folder / posts / f"{name}.npy", values)
        for name, values in arrays.items()
    }
    files |= _sync_files(folder, posts, written)
    _write_manifest(folder, _Manifest(model, versions, tuple(names), posts, files))
    _delete_unnamed(folder, {*names, posts})
    return CorpusVectors(all_parts, id_hashes, texts)


def _read_text_keys(snapshot: Snapshot, model: VectorModel) -> tuple[Keys, Keys]:
    """Return the sorted hashes of the ids of posts with a row, and the key of the text of each."""
    rows = snapshot.sql(_TEXTS_QUERY, _parameters(model))
    hashes = hash_texts(rows["id"].combine_chunks())
    keys: Keys = rows["key"].to_numpy()
    order = np.argsort(hashes, kind="stable")
    return hashes[order], keys[order]


def _read_new_texts(
    snapshot: Snapshot, model: VectorModel, parts: Sequence[VectorPart], keys: Keys
) -> Iterator[tuple[Keys, Float16Rows]]:
    """Yield keys and vectors of the texts that no part has, of a part at a time."""
    new_keys = np.setdiff1d(keys, _all_keys(parts))
    if not len(new_keys):
        return
    is_read = np.zeros(len(new_keys), bool)
    found_keys: list[Keys] = []
    found_vectors: list[Float16Rows] = []
    for rows in _stream_vectors(snapshot, model, new_keys):
        row_keys = rows["key"].to_numpy(zero_copy_only=False)
        places = np.minimum(np.searchsorted(new_keys, row_keys), len(new_keys) - 1)
        is_new = (new_keys[places] == row_keys) & ~is_read[places]
        _, first_rows = np.unique(row_keys, return_index=True)
        wanted = first_rows[is_new[first_rows]]
        is_read[places[wanted]] = True
        found_keys.append(row_keys[wanted])
        found_vectors.append(_decode_vectors(rows["vector"].take(pa.array(wanted))))
        if sum(map(len, found_keys)) >= MAX_PART_ROWS:
            yield _join_texts(found_keys, found_vectors)
            found_keys, found_vectors = [], []
    if any(map(len, found_keys)):
        yield _join_texts(found_keys, found_vectors)


def _stream_vectors(
    snapshot: Snapshot, model: VectorModel, new_keys: Keys
) -> Iterator[pa.RecordBatch]:
    """Yield rows with key and vector: all of them, or those of few keys."""
    if len(new_keys) > _MAX_LISTED_IDS:
        return snapshot.stream(_VECTORS_QUERY, _parameters(model), 50_000)
    listed = f"{_VECTORS_QUERY} AND {_KEY} IN (SELECT unnest($keys))"
    return snapshot.stream(listed, _parameters(model) | {"keys": new_keys.tolist()}, 50_000)


def _parameters(model: VectorModel) -> dict[str, object]:
    return {"annotator": model.annotator, "model": model.version}


def _decode_vectors(vectors: pa.Array) -> Float16Rows:
    """Return vectors (n, dimension); zero for a missing one."""
    size = pc.max(pc.binary_length(vectors)).as_py() or 0
    filled = vectors.fill_null(bytes(size)).cast(pa.large_binary())
    _, _, data = filled.buffers()
    if not size:
        return np.zeros((len(filled), 0), np.float16)
    return np.frombuffer(data, "<f2", size * len(filled) // 2).reshape(len(filled), size // 2)


def _join_texts(keys: Sequence[Keys], vectors: Sequence[Float16Rows]) -> tuple[Keys, Float16Rows]:
    """Join batches; one of which no text has a vector gets the dimension of the others."""
    dimension = max(batch.shape[1] for batch in vectors)
    rows = [
        batch if batch.shape[1] == dimension else np.zeros((len(batch), dimension), np.float16)
        for batch in vectors
    ]
    return np.concatenate(keys), np.concatenate(rows)


def _is_joined(part: VectorPart, row_count: int) -> bool:
    return part.row_count <= 2 * row_count and part.row_count + row_count <= MAX_PART_ROWS


def _all_keys(parts: Sequence[VectorPart]) -> Keys:
    return np.concatenate([np.empty(0, np.uint64), *(part.keys for part in parts)])


def _number_texts(parts: Sequence[VectorPart], keys: Keys) -> Positions:
    """Return the number of the text with each key."""
    known = _all_keys(parts)
    order = np.argsort(known, kind="stable")
    texts: Positions = order[np.searchsorted(known[order], keys)].astype(np.int64)
    return texts


def _load_posts(folder: Path, name: str) -> tuple[Keys, Positions]:
    return load_array(folder / name / "id_hashes.npy"), load_array(folder / name / "texts.npy")


def _table_versions(root: Path, snapshot: Snapshot) -> dict[str, TableVersion]:
    """Return the versions of the tables that vectors are read from."""
    versions = {}
    for name in _READ_TABLES:
        if name in snapshot.versions:
            number = snapshot.versions[name]
            entry = commits.log_entry_path(root, name, number)
            contents = entry.read_bytes() if entry.exists() else b""
            digest = blake2b(contents, digest_size=8).hexdigest()
            versions[name] = TableVersion(number, digest)
    return versions


def _sync_files(
    folder: Path, name: str, files: Mapping[str, WrittenFile]
) -> dict[str, WrittenFile]:
    """Make a new folder survive a loss of power; return its files by their path."""
    for file_name in files:
        sync(folder / name / file_name)
    sync(folder / name)
    return {f"{name}/{file_name}": file for file_name, file in files.items()}


def _without_folder(files: Mapping[str, WrittenFile], name: str) -> dict[str, WrittenFile]:
    return {path: file for path, file in files.items() if not path.startswith(f"{name}/")}


def _write_manifest(folder: Path, manifest: _Manifest) -> None:
    text = json.dumps({"format": FORMAT_VERSION, **asdict(manifest)})
    document = {"checksum": zlib.crc32(text.encode()), "contents": text}
    write_atomically(folder / MANIFEST_FILE, json.dumps(document) + "\n")


def _read_manifest(folder: Path) -> _Manifest:
    """Read the manifest, and check that every file has its size. Raises _Unusable."""
    try:
        document = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        contents = json.loads(document["contents"])
        is_whole = zlib.crc32(document["contents"].encode()) == document["checksum"]
        if not is_whole or contents.pop("format") != FORMAT_VERSION:
            raise _Unusable
        files = {path: WrittenFile(*file) for path, file in contents["files"].items()}
        manifest = _Manifest(
            VectorModel(**contents["model"]),
            {name: TableVersion(**version) for name, version in contents["versions"].items()},
            tuple(contents["parts"]),
            contents["posts"],
            files,
        )
        is_complete = all(
            (folder / path).stat().st_size == file.size_bytes for path, file in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _Unusable from error
    if not is_complete:
        raise _Unusable
    return manifest


def _delete_unnamed(folder: Path, names: set[str]) -> None:
    """Delete what the manifest does not name; who has it open can go on reading it."""
    for path in list(folder.iterdir()):
        if path.is_dir() and path.name not in names:
            shutil.rmtree(path)
