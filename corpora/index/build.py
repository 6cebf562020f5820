"""Building a segment of the index from rows of documents, or from other segments."""

import zlib
from collections.abc import Mapping
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.index.folding import FoldedBodies, fold_bodies
from corpora.index.layout import ARRAYS, HAS_TAGS, HAS_WORDS, PARTS_OF_SPEECH
from corpora.index.lexicon import Lexicon
from corpora.index.sorting import run_bounds, sorted_distinct, stable_order
from corpora.index.strings import hash_texts, utf8_arrays
from nlp.text.markup import AlignedText

Arrays = dict[str, npt.NDArray[Any]]
_UNKNOWN_PART = PARTS_OF_SPEECH.index("X")
DOCUMENT_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        # keyed hash, or missing
        "author": pa.string(),
        "published_at": pa.timestamp("us", tz="UTC"),
        # days since 1970-01-01 in the time zone of the project
        "day": pa.int32(),
        "rating": pa.float64(),
        # title, line break and text, as published
        "body": pa.string(),
        # words with offsets in code points of the body as published; missing: not annotated
        "words": pa.list_(pa.string()),
        "starts": pa.list_(pa.int32()),
        "lengths": pa.list_(pa.int32()),
        # missing: not tagged
        "lemmas": pa.list_(pa.string()),
        "parts": pa.list_(pa.string()),
        # metadata as "field:value", such as "brand:kraft"
        "fields": pa.list_(pa.string()),
    }
)


class WrittenFile(NamedTuple):
    """A file as it was written, so that damage is noticed."""

    size_bytes: int
    # CRC-32
    checksum: int


def author_key(author: str | None, post_id: str) -> int:
    """Return the number of an author; a post without an author is by an author of its own."""
    name = f"post {post_id}" if author is None else f"author {author}"
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def build_segment(folder: Path, documents: pa.Table, lexicon: Lexicon) -> dict[str, WrittenFile]:
    """Write a segment of `documents` (DOCUMENT_SCHEMA, in any order) into an empty folder.

    New words are added to the lexicon, which the caller saves.
    """
    return write_segment(folder, index_documents(documents, lexicon))


def write_segment(folder: Path, contents: Arrays) -> dict[str, WrittenFile]:
    """Write what documents contain (`index_documents`), and the postings, into an empty folder."""
    files: dict[str, WrittenFile] = {}
    for arrays in (contents, _id_postings(contents), _pair_postings(contents)):
        files |= _write_arrays(folder, arrays)
    for arrays in (
        _number_postings(contents["words"], "word_keys", "word_key_offsets", "word_values"),
        _number_postings(contents["lemmas"], "lemma_keys", "lemma_offsets", "lemma_values"),
    ):
        files |= _write_arrays(folder, arrays)
    return files


def write_array(path: Path, array: npt.NDArray[Any]) -> WrittenFile:
    """Write an array as NumPy does, and return the size and the checksum of the file."""
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    head = header.getvalue()
    data = array.reshape(-1).view(np.uint8).data if array.size else b""
    with path.open("wb") as file:
        file.write(head)
        file.write(data)
    return WrittenFile(len(head) + len(data), zlib.crc32(data, zlib.crc32(head)))


def _write_arrays(folder: Path, arrays: Arrays) -> dict[str, WrittenFile]:
    files = {}
    for name, values in arrays.items():
        array = np.ascontiguousarray(values, ARRAYS[name])
        files[f"{name}.npy"] = write_array(folder / f"{name}.npy", array)
    return files


def index_documents(documents: pa.Table, lexicon: Lexicon) -> Arrays:
    """Return the arrays of documents (in any order) as a segment has them, but the postings.

    New words are added to the lexicon, which the caller saves.
    """
    by_moment = [("published_at", "ascending"), ("id", "ascending")]
    documents = documents.sort_by(by_moment).combine_chunks()
    texts = fold_bodies(documents["body"].combine_chunks())
    arrays = _document_arrays(documents)
    arrays |= {"char_offsets": texts.offsets, "characters": texts.plain, "folded": texts.folded}
    arrays |= _word_arrays(documents, texts, lexicon)
    return arrays | _field_arrays(documents["fields"].combine_chunks())


def _document_arrays(documents: pa.Table) -> Arrays:
    ids = documents["id"].combine_chunks()
    id_offsets, id_bytes = utf8_arrays(ids)
    has_words = documents["words"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    has_lemmas = documents["lemmas"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    ratings = documents["rating"].combine_chunks().to_numpy(zero_copy_only=False)
    published = documents["published_at"].combine_chunks().cast(pa.int64())
    return {
        "authors": _author_keys(documents["author"].combine_chunks(), ids),
        "published": published.to_numpy(),
        "days": documents["day"].combine_chunks().to_numpy(),
        "ratings": np.asarray(ratings, np.float32),
        "states": has_words * HAS_WORDS | (has_words & has_lemmas) * HAS_TAGS,
        "id_offsets": id_offsets,
        "id_bytes": id_bytes,
    }


def _author_keys(authors: pa.Array, ids: pa.Array) -> npt.NDArray[np.uint64]:
    encoded = authors.dictionary_encode()
    known_keys = [author_key(author, "") for author in encoded.dictionary.to_pylist()]
    is_known = authors.is_valid().to_numpy(zero_copy_only=False)
    keys = np.empty(len(authors), np.uint64)
    numbers = encoded.indices.drop_null().to_numpy()
    keys[is_known] = np.array(known_keys, np.uint64)[numbers]
    anonymous = np.flatnonzero(~is_known)
    post_ids = ids.take(pa.array(anonymous)).to_pylist()
    keys[anonymous] = np.array([author_key(None, post_id) for post_id in post_ids], np.uint64)
    return keys


def _word_arrays(documents: pa.Table, texts: FoldedBodies, lexicon: Lexicon) -> Arrays:
    lists = documents["words"].combine_chunks()
    counts = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    word_offsets = np.concatenate([[0], np.cumsum(counts)])
    starts, ends = _word_spans(documents, texts, word_offsets)
    first_words = np.searchsorted(starts, texts.sentences)
    sentence_documents = np.searchsorted(texts.offsets, texts.sentences, "right") - 1
    is_in_document = first_words < word_offsets[sentence_documents + 1]
    return {
        "word_offsets": word_offsets,
        "words": lexicon.add_array(lists.flatten()),
        "word_starts": starts,
        "word_lengths": ends - starts,
        "sentences": sorted_distinct(first_words[is_in_document]),
        "lemmas": _tag_numbers(documents["lemmas"], counts, lexicon),
        "parts": _part_numbers(documents["parts"], counts),
    }


def _word_spans(
    documents: pa.Table, texts: FoldedBodies, word_offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where words begin and end, as character positions."""
    starts = documents["starts"].combine_chunks().flatten().to_numpy().astype(np.int64)
    ends = starts + documents["lengths"].combine_chunks().flatten().to_numpy()
    for document, alignment in texts.alignments.items():
        words = slice(word_offsets[document], word_offsets[document + 1])
        starts[words], ends[words] = plain_spans(alignment, starts[words], ends[words])
    shifts = np.repeat(texts.offsets[:-1], np.diff(word_offsets))
    return starts + shifts, ends + shifts


def plain_spans(
    text: AlignedText, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the spans of the plain text for spans of the text as published."""
    if text.starts is None or text.ends is None:
        return starts, ends
    firsts = np.searchsorted(np.array(text.ends), starts, "right")
    lasts = np.searchsorted(np.array(text.starts), ends, "left")
    return firsts, np.maximum(firsts, lasts)


def _tag_numbers(
    lemmas: pa.ChunkedArray, counts: npt.NDArray[np.int64], lexicon: Lexicon
) -> npt.NDArray[np.uint32]:
    """Return the number of the lemma of each word, 0 where it has none."""
    lists = lemmas.combine_chunks()
    numbers = np.zeros(int(counts.sum()), np.uint32)
    is_tagged = np.repeat(lists.is_valid().to_numpy(zero_copy_only=False), counts)
    if is_tagged.any():
        numbers[is_tagged] = lexicon.add_array(lists.flatten().fill_null(""))
    return numbers


def _part_numbers(parts: pa.ChunkedArray, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the number of the part of speech of each word, 0 where it has none."""
    lists = parts.combine_chunks()
    numbers = np.zeros(int(counts.sum()), np.uint8)
    is_tagged = np.repeat(lists.is_valid().to_numpy(zero_copy_only=False), counts)
    if is_tagged.any():
        encoded = lists.flatten().fill_null("").dictionary_encode()
        known = {name: number for number, name in enumerate(PARTS_OF_SPEECH)}
        names = encoded.dictionary.to_pylist()
        table = np.array([known.get(name, _UNKNOWN_PART) for name in names], np.uint8)
        numbers[is_tagged] = table[encoded.indices.to_numpy()]
    return numbers


def _field_arrays(lists: pa.Array) -> Arrays:
    counts = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    encoded = lists.flatten().dictionary_encode()
    documents = np.repeat(np.arange(len(lists)), counts)
    return field_postings(encoded.dictionary, encoded.indices.to_numpy(), documents)


def field_postings(
    keys: pa.Array, numbers: npt.NDArray[np.integer], documents: npt.NDArray[np.integer]
) -> Arrays:
    """Return the arrays of metadata, given pairs of the number of a key and a document."""
    order = pa.compute.sort_indices(keys).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    document_bound = int(documents.max(initial=0)) + 1
    pairs = sorted_distinct(ranks[numbers] * document_bound + documents)
    key_ranks = pairs // document_bound
    bounds = run_bounds(key_ranks)
    used = key_ranks[bounds[:-1]]
    key_offsets, key_bytes = utf8_arrays(keys.take(pa.array(order[used])))
    return {
        "field_key_offsets": key_offsets,
        "field_key_bytes": key_bytes,
        "field_offsets": bounds,
        "field_values": pairs % document_bound,
    }


def _id_postings(contents: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    offsets = contents["id_offsets"]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(contents["id_bytes"])]
    hashes = hash_texts(pa.LargeStringArray.from_buffers(len(offsets) - 1, *buffers[1:]))
    order = np.argsort(hashes, kind="stable")
    return {"id_keys": hashes[order], "id_documents": order}


def _pair_postings(contents: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Return the postings of pairs of neighbouring characters."""
    folded = contents["folded"]
    if not len(folded):
        return dict.fromkeys(("pair_keys", "pair_values"), np.empty(0, np.int64)) | {
            "pair_offsets": np.zeros(1, np.int64)
        }
    distinct = np.flatnonzero(np.bincount(folded)).astype(np.uint32)
    ranks = np.zeros(int(distinct[-1]) + 1, np.uint32)
    ranks[distinct] = np.arange(len(distinct))
    first = ranks[folded]
    second = np.append(first[1:], 0).astype(np.uint32)
    order = stable_order(second, first)
    bounds = run_bounds(first[order], second[order])
    heads = order[bounds[:-1]]
    keys = distinct[first[heads]].astype(np.uint64) << np.uint64(32) | distinct[second[heads]]
    return {"pair_keys": keys, "pair_offsets": bounds, "pair_values": order}


def _number_postings(
    numbers: npt.NDArray[Any], keys_name: str, offsets_name: str, values_name: str
) -> Arrays:
    """Return the postings of words or lemmas; untagged words have no lemma."""
    is_lemmas = keys_name == "lemma_keys"
    order = stable_order(numbers)
    if is_lemmas:
        order = order[np.searchsorted(numbers[order], 1) :]
    bounds = run_bounds(numbers[order])
    return {keys_name: numbers[order[bounds[:-1]]], offsets_name: bounds, values_name: order}
