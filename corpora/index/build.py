"""Building a segment of the index from rows of documents."""

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.index.layout import (
    ARRAYS,
    FIELDS_FILE,
    HAS_TAGS,
    HAS_WORDS,
    PARTS_OF_SPEECH,
    SEPARATOR,
)
from corpora.index.lexicon import Lexicon
from nlp.text.normalize import FoldedText, fold_once
from nlp.text.sentences import sentence_starts

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


def author_key(author: str | None, post_id: str) -> int:
    """Return the number of an author; a post without an author is by an author of its own."""
    name = f"post {post_id}" if author is None else f"author {author}"
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def build_segment(folder: Path, documents: pa.Table, lexicon: Lexicon) -> None:
    """Write a segment of `documents` (DOCUMENT_SCHEMA, in any order) into an empty folder.

    New words are added to the lexicon, which the caller saves.
    """
    documents = documents.sort_by([("published_at", "ascending"), ("id", "ascending")])
    rows = documents.to_pylist()
    arrays = _document_arrays(rows)
    texts = [fold_once(row["body"]) for row in rows]
    arrays |= _character_arrays(texts)
    arrays |= _word_arrays(rows, texts, arrays["char_offsets"], lexicon)
    fields, field_arrays = _field_arrays([row["fields"] or () for row in rows])
    arrays |= field_arrays
    for name, dtype in ARRAYS.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(arrays[name], dtype))
    (folder / FIELDS_FILE).write_text(json.dumps(fields, ensure_ascii=False), encoding="utf-8")


def _document_arrays(rows: Sequence[dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    ids = [row["id"].encode() for row in rows]
    states = []
    for row in rows:
        has_words = HAS_WORDS if row["words"] is not None else 0
        has_tags = HAS_TAGS if has_words and row["lemmas"] is not None else 0
        states.append(has_words | has_tags)
    ratings = [np.nan if row["rating"] is None else row["rating"] for row in rows]
    times = [int(row["published_at"].timestamp() * 1_000_000) for row in rows]
    return {
        "authors": np.array([author_key(row["author"], row["id"]) for row in rows], np.uint64),
        "published": np.array(times, np.int64),
        "days": np.array([row["day"] for row in rows], np.int32),
        "ratings": np.array(ratings, np.float32),
        "states": np.array(states, np.uint8),
        "id_offsets": _offsets(map(len, ids)),
        "id_bytes": np.frombuffer(b"".join(ids), np.uint8),
    }


def _character_arrays(texts: Sequence[FoldedText]) -> dict[str, npt.NDArray[Any]]:
    separator = chr(SEPARATOR)
    characters = _code_points("".join(text.plain.text + separator for text in texts))
    folded = _code_points("".join(text.folded + separator for text in texts))
    following = np.append(folded[1:], SEPARATOR).astype(np.uint64)
    pairs = folded.astype(np.uint64) << np.uint64(32) | following
    keys, offsets, values = _postings(pairs)
    return {
        "char_offsets": _offsets(len(text.folded) + 1 for text in texts),
        "characters": characters,
        "folded": folded,
        "pair_keys": keys,
        "pair_offsets": offsets,
        "pair_values": values,
    }


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _word_arrays(
    rows: Sequence[dict[str, Any]],
    texts: Sequence[FoldedText],
    char_offsets: npt.NDArray[Any],
    lexicon: Lexicon,
) -> dict[str, npt.NDArray[Any]]:
    words: list[str] = []
    lemmas: list[str] = []
    parts: list[int] = []
    starts: list[int] = []
    lengths: list[int] = []
    counts: list[int] = []
    sentences: list[int] = []
    for row, text, base in zip(rows, texts, char_offsets.tolist(), strict=False):
        row_words = row["words"] or []
        row_starts = []
        for start, length in zip(row["starts"] or [], row["lengths"] or [], strict=True):
            plain_start, plain_end = plain_span(text, start, start + length)
            row_starts.append(plain_start)
            starts.append(base + plain_start)
            lengths.append(plain_end - plain_start)
        first_words = np.searchsorted(row_starts, sentence_starts(text.folded))
        inside = np.unique(first_words[first_words < len(row_words)])
        sentences += (len(words) + inside).tolist()
        words += row_words
        lemmas += row["lemmas"] if row["lemmas"] is not None else [""] * len(row_words)
        parts += [
            PARTS_OF_SPEECH.index(part or "") for part in row["parts"] or [""] * len(row_words)
        ]
        counts.append(len(row_words))
    word_ids = lexicon.add(words)
    lemma_ids = lexicon.add(lemmas)
    word_keys, word_key_offsets, word_values = _postings(word_ids)
    lemma_keys, lemma_offsets, lemma_values = _postings(lemma_ids)
    return {
        "word_offsets": _offsets(counts),
        "words": word_ids,
        "word_starts": np.array(starts, np.uint32),
        "word_lengths": np.array(lengths, np.uint32),
        "word_keys": word_keys,
        "word_key_offsets": word_key_offsets,
        "word_values": word_values,
        "sentences": np.array(sentences, np.uint32),
        "lemmas": lemma_ids,
        "parts": np.array(parts, np.uint8),
        "lemma_keys": lemma_keys,
        "lemma_offsets": lemma_offsets,
        "lemma_values": lemma_values,
    }


def plain_span(text: FoldedText, start: int, end: int) -> tuple[int, int]:
    """Return the span of the plain text for a span of the text as published."""
    if text.plain.starts is None or text.plain.ends is None:
        return start, end
    first = int(np.searchsorted(text.plain.ends, start, "right"))
    last = int(np.searchsorted(text.plain.starts, end, "left"))
    return first, last


def _field_arrays(
    fields_by_document: Sequence[Sequence[str]],
) -> tuple[list[str], dict[str, npt.NDArray[Any]]]:
    documents_by_key: dict[str, list[int]] = {}
    for document, keys in enumerate(fields_by_document):
        for key in dict.fromkeys(keys):
            documents_by_key.setdefault(key, []).append(document)
    names = sorted(documents_by_key)
    values = [document for name in names for document in documents_by_key[name]]
    return names, {
        "field_offsets": _offsets(len(documents_by_key[name]) for name in names),
        "field_values": np.array(values, np.uint32),
    }


def _offsets(counts: Iterable[int]) -> npt.NDArray[np.int64]:
    """Return the running total of counts, from 0."""
    return np.concatenate([[0], np.cumsum(np.fromiter(counts, np.int64))]).astype(np.int64)


def _postings(
    values: npt.NDArray[Any],
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Return the sorted distinct values, offsets, and the positions of each in rising order."""
    order = np.argsort(values, kind="stable").astype(np.uint32)
    keys, counts = np.unique(values, return_counts=True)
    return keys, _offsets(counts.tolist()), order
