"""Merging of small segments into larger ones, from their arrays, without reading the store.

Segments are in tiers: each has TIER_FACTOR times as many posts as the one below. So a post is
copied once in every tier, and an index has few segments whatever the number of its commits.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpora.index.build import Arrays, field_postings
from corpora.index.documents import CHARACTERS_PER_BATCH, POSTS_PER_BATCH
from corpora.index.manifest import SegmentEntry
from corpora.index.segment import Segment
from corpora.index.writing import IndexWriter, read_dead

TIER_FACTOR = 8
MAX_DEAD_SHARE = 0.3
"""Of the documents of a segment: with more that are not live it is written again."""

MAX_QUICK_POSTS = 20_000
"""Posts of a merge that a refresh does at once; larger ones wait for the background."""

_MAX_WAITING_SEGMENTS = 2 * TIER_FACTOR
_DOCUMENT_ARRAYS = ("authors", "published", "days", "ratings", "states")


def find_merge(entries: Sequence[SegmentEntry], folder: Path) -> list[SegmentEntry]:
    """Return the segments to merge next into one, the smallest first; none where all is well."""
    tiers: defaultdict[int, list[SegmentEntry]] = defaultdict(list)
    for entry in entries:
        tiers[_tier(entry)].append(entry)
    for _, tier in sorted(tiers.items()):
        if len(tier) >= TIER_FACTOR and (chosen := _within_bounds(tier, folder)):
            return chosen
    for entry in entries:
        if entry.dead_documents > MAX_DEAD_SHARE * entry.documents:
            return [entry]
    return []


def is_quick(entries: Sequence[SegmentEntry]) -> bool:
    """Return whether a merge is done by a refresh: it is small, or has waited for long."""
    posts = sum(map(_live_count, entries))
    return posts <= MAX_QUICK_POSTS or len(entries) >= _MAX_WAITING_SEGMENTS


def merge_entries(writer: IndexWriter, folder: Path, entries: Sequence[SegmentEntry]) -> None:
    """Put one segment in the place of several."""
    segments = [Segment(folder / entry.name) for entry in entries]
    dead = [read_dead(folder, entry) for entry in entries]
    contents = merge_contents(segments, dead)
    for entry in entries:
        writer.remove_segment(entry.name)
    writer.add_contents(contents)


def _tier(entry: SegmentEntry) -> int:
    tier = 0
    while TIER_FACTOR ** (tier + 1) <= _live_count(entry):
        tier += 1
    return tier


def _live_count(entry: SegmentEntry) -> int:
    return entry.documents - entry.dead_documents


def _within_bounds(entries: Sequence[SegmentEntry], folder: Path) -> list[SegmentEntry]:
    """Return those segments of a tier that together are no larger than one may be."""
    posts = characters = 0
    chosen = []
    for entry in entries:
        posts += _live_count(entry)
        characters += len(Segment(folder / entry.name).array("folded"))
        if posts > POSTS_PER_BATCH or characters > CHARACTERS_PER_BATCH:
            break
        chosen.append(entry)
    return chosen if len(chosen) > 1 else []


def merge_contents(segments: Sequence[Segment], dead: Sequence[npt.NDArray[Any]]) -> Arrays:
    """Return what the live documents of segments contain, in the order of one segment."""
    joined = _join_contents(segments)
    counts = np.cumsum([0, *(segment.document_count for segment in segments)])
    is_live = np.ones(int(counts[-1]), bool)
    for first, documents in zip(counts[:-1].tolist(), dead, strict=True):
        is_live[first + documents.astype(np.int64)] = False
    ids = _id_strings(joined)
    moments = pa.table({"moment": joined["published"], "id": ids})
    order = pc.sort_indices(moments, [("moment", "ascending"), ("id", "ascending")]).to_numpy()
    order = order[is_live[order]].astype(np.int64)
    return _take_documents(joined, order) | _merge_fields(segments, counts, order)


def _join_contents(segments: Sequence[Segment]) -> Arrays:
    """Return the arrays of segments, one after the other."""
    joined = {
        name: np.concatenate([segment.array(name) for segment in segments])
        for name in (*_DOCUMENT_ARRAYS, "id_bytes", "characters", "folded", "words", "lemmas",
                     "parts", "word_lengths")
    }  # fmt: skip
    for name in ("id_offsets", "char_offsets", "word_offsets"):
        counts = [np.diff(segment.array(name)) for segment in segments]
        joined[name] = np.cumsum(np.concatenate([[0], *counts]))
    char_shift = word_shift = 0
    starts = []
    sentences = []
    for segment in segments:
        starts.append(segment.array("word_starts").astype(np.int64) + char_shift)
        sentences.append(segment.array("sentences").astype(np.int64) + word_shift)
        char_shift += len(segment.array("folded"))
        word_shift += len(segment.array("words"))
    joined["word_starts"] = np.concatenate(starts)
    joined["sentences"] = np.concatenate(sentences)
    return joined


def _id_strings(contents: Arrays) -> pa.Array:
    offsets = np.ascontiguousarray(contents["id_offsets"], np.int64)
    data = np.ascontiguousarray(contents["id_bytes"])
    buffers = (pa.py_buffer(offsets), pa.py_buffer(data))
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, *buffers)


def _take_documents(contents: Arrays, order: npt.NDArray[np.int64]) -> Arrays:
    """Return the arrays of documents, all but those of metadata, in another order."""
    taken = {name: contents[name][order] for name in _DOCUMENT_ARRAYS}
    taken["id_offsets"], id_rows = _take_stretches(contents["id_offsets"], order)
    taken["id_bytes"] = contents["id_bytes"][id_rows]
    taken["char_offsets"], rows = _take_stretches(contents["char_offsets"], order)
    for name in ("characters", "folded"):
        taken[name] = contents[name][rows]
    taken["word_offsets"], rows = _take_stretches(contents["word_offsets"], order)
    for name in ("words", "lemmas", "parts", "word_lengths"):
        taken[name] = contents[name][rows]
    shifts = taken["char_offsets"][:-1] - contents["char_offsets"][:-1][order]
    word_shifts = np.repeat(shifts, np.diff(taken["word_offsets"]))
    taken["word_starts"] = contents["word_starts"][rows] + word_shifts
    begins_sentence = np.zeros(len(contents["words"]), bool)
    begins_sentence[contents["sentences"]] = True
    taken["sentences"] = np.flatnonzero(begins_sentence[rows])
    return taken


def _take_stretches(
    offsets: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the offsets of stretches in another order, and the row of each value in them."""
    lengths = np.diff(offsets)[order]
    new_offsets = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.arange(new_offsets[-1]) + np.repeat(offsets[:-1][order] - new_offsets[:-1], lengths)
    return new_offsets, rows


def _merge_fields(
    segments: Sequence[Segment], counts: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
) -> Arrays:
    """Return the arrays of metadata of documents that are numbered by `order`."""
    new_numbers = np.full(int(counts[-1]), -1, np.int64)
    new_numbers[order] = np.arange(len(order))
    keys: list[str] = []
    numbers = [np.empty(0, np.int64)]
    documents = [np.empty(0, np.int64)]
    for segment, first in zip(segments, counts[:-1].tolist(), strict=True):
        key_counts = np.diff(segment.array("field_offsets"))
        numbers.append(np.repeat(np.arange(len(key_counts)) + len(keys), key_counts))
        documents.append(new_numbers[segment.array("field_values").astype(np.int64) + first])
        keys += segment.fields
    encoded = pa.array(keys, pa.string()).dictionary_encode()
    all_documents = np.concatenate(documents)
    is_live = all_documents >= 0
    key_numbers = encoded.indices.to_numpy()[np.concatenate(numbers)[is_live]]
    return field_postings(encoded.dictionary, key_numbers, all_documents[is_live])
