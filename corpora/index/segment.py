"""A segment of the index, read from memory-mapped arrays (see `corpora.index.layout`)."""

import itertools
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.index.layout import ARRAYS, HAS_TAGS, HAS_WORDS
from corpora.index.strings import hash_texts

Positions = npt.NDArray[np.int64]
"""Document numbers, character positions or word positions."""

_EMPTY = np.empty(0, np.int64)


class Postings:
    """Keys, and the sorted values of each."""

    def __init__(
        self, keys: npt.NDArray[Any], offsets: npt.NDArray[Any], values: npt.NDArray[Any]
    ) -> None:
        self.keys = keys
        self.offsets = offsets
        self.values = values

    def count(self, key: int) -> int:
        """Return how many values a key has; 0 for an unknown key."""
        index = self._index(key)
        return 0 if index is None else int(self.offsets[index + 1] - self.offsets[index])

    def values_of(self, key: int) -> Positions:
        """Return the values of a key, in rising order."""
        index = self._index(key)
        if index is None:
            return _EMPTY
        values = self.values[self.offsets[index] : self.offsets[index + 1]]
        return np.asarray(values, np.int64)

    def count_range(self, first_key: int, last_key: int) -> int:
        """Return how many values all keys from `first_key` to `last_key` have."""
        low = int(np.searchsorted(self.keys, self.keys.dtype.type(first_key), "left"))
        high = int(np.searchsorted(self.keys, self.keys.dtype.type(last_key), "right"))
        return int(self.offsets[high] - self.offsets[low])

    def _index(self, key: int) -> int | None:
        if key < 0:
            return None
        index = int(np.searchsorted(self.keys, self.keys.dtype.type(key)))
        return index if index < len(self.keys) and int(self.keys[index]) == key else None


@dataclass(frozen=True)
class LiveCounts:
    """What the live documents of a segment have."""

    posts: int
    words: int
    # without the separators of documents
    characters: int
    # documents with words, and with lemmas and parts of speech
    with_words: int
    with_tags: int


class Segment:
    """Documents with their characters, words and metadata.

    `live` is false for documents that a newer segment replaces or that were deleted; None: all are
    live. Positions of documents that are not live must be left out of every answer.
    """

    def __init__(self, folder: Path, live: npt.NDArray[np.bool_] | None = None) -> None:
        self.folder = folder
        self.live = live
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def array(self, name: str) -> npt.NDArray[Any]:
        """Return the array of this name (`corpora.index.layout.ARRAYS`), memory-mapped."""
        if name not in self._arrays:
            array = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            assert array.dtype == ARRAYS[name]  # noqa: S101
            self._arrays[name] = array.view(np.ndarray)
        return self._arrays[name]

    def map_arrays(self) -> None:
        """Map all arrays into memory, so that the folder may be deleted."""
        for name in ARRAYS:
            self.array(name)

    @property
    def document_count(self) -> int:
        """The number of documents, those that are not live included."""
        return len(self.array("days"))

    @cached_property
    def live_documents(self) -> Positions:
        """The numbers of the live documents."""
        if self.live is None:
            return np.arange(self.document_count, dtype=np.int64)
        return np.flatnonzero(self.live)

    @cached_property
    def live_counts(self) -> "LiveCounts":
        """What the live documents have."""
        live = slice(None) if self.live is None else self.live
        posts = len(self.live_documents)
        return LiveCounts(
            posts=posts,
            words=int(np.diff(self.array("word_offsets"))[live].sum()),
            characters=int(np.diff(self.array("char_offsets"))[live].sum()) - posts,
            with_words=int(np.count_nonzero(self.has_words[live])),
            with_tags=int(np.count_nonzero(self.has_tags[live])),
        )

    @cached_property
    def pairs(self) -> Postings:
        """Character positions by the pair of characters that begins there."""
        return self._postings("pair_keys", "pair_offsets", "pair_values")

    @cached_property
    def words(self) -> Postings:
        """Word positions by the number of the word in the lexicon."""
        return self._postings("word_keys", "word_key_offsets", "word_values")

    @cached_property
    def lemmas(self) -> Postings:
        """Word positions by the number of the lemma in the lexicon; untagged words have none."""
        return self._postings("lemma_keys", "lemma_offsets", "lemma_values")

    @cached_property
    def fields(self) -> list[str]:
        """The keys of metadata, sorted: "source:weibo"."""
        return [self._field_key(number) for number in range(self._field_count)]

    def values_of_field(self, field: str) -> tuple[int, list[str]]:
        """Return the number of the first key of a field ("source"), and the values of all its keys.

        The keys of one field have consecutive numbers.
        """
        prefix = f"{field}:"
        numbers = range(self._field_count)
        first = bisect_left(numbers, prefix, key=self._field_key)
        # the code point after the colon
        end = bisect_left(numbers, f"{field};", key=self._field_key)
        keys = [self._field_key(number) for number in range(first, end)]
        return first, [key.removeprefix(prefix) for key in keys]

    def fields_from(self, prefix: str) -> list[str]:
        """Return the keys of metadata that begin with `prefix`."""
        keys = []
        first = bisect_left(range(self._field_count), prefix, key=self._field_key)
        for number in range(first, self._field_count):
            key = self._field_key(number)
            if not key.startswith(prefix):
                break
            keys.append(key)
        return keys

    @property
    def _field_count(self) -> int:
        return len(self.array("field_key_offsets")) - 1

    def _field_key(self, number: int) -> str:
        start, end = self.array("field_key_offsets")[number : number + 2]
        return self.array("field_key_bytes")[start:end].tobytes().decode("utf-8")

    def documents_with(self, key: str) -> Positions:
        """Return the documents with this key of metadata, such as "source:weibo"."""
        index = bisect_left(range(self._field_count), key, key=self._field_key)
        if index == self._field_count or self._field_key(index) != key:
            return _EMPTY
        offsets = self.array("field_offsets")
        return np.asarray(self.array("field_values")[offsets[index] : offsets[index + 1]], np.int64)

    def count_with(self, key: str) -> int:
        """Return how many live documents have this key of metadata."""
        documents = self.documents_with(key)
        return len(documents) if self.live is None else int(self.live[documents].sum())

    def documents_of_words(self, positions: Positions) -> Positions:
        """Return the document of each word position."""
        return np.searchsorted(self.array("word_offsets"), positions, "right") - 1

    def has_state(self, bit: int) -> npt.NDArray[np.bool_]:
        """Return for each document whether it has HAS_WORDS or HAS_TAGS."""
        flags: npt.NDArray[np.bool_] = (self.array("states") & bit) != 0
        return flags

    @cached_property
    def has_words(self) -> npt.NDArray[np.bool_]:
        """For each document whether its words are known (it was annotated)."""
        return self.has_state(HAS_WORDS)

    @cached_property
    def has_tags(self) -> npt.NDArray[np.bool_]:
        """For each document whether lemmas and parts of speech are known."""
        return self.has_state(HAS_TAGS)

    def ids(self, documents: Positions) -> list[str]:
        """Return the ids of posts, given their document numbers."""
        offsets = self.array("id_offsets")
        starts = offsets[documents]
        data, cuts = self._gather("id_bytes", starts, offsets[documents + 1])
        if data.isascii():
            text = data.decode("ascii")
            return [text[low:high] for low, high in itertools.pairwise(cuts)]
        return [data[low:high].decode("utf-8") for low, high in itertools.pairwise(cuts)]

    def documents_of_ids(self, ids: pa.Array) -> Positions:
        """Return the documents of the posts with these ids that the segment has, in rising order.

        Those that are not live are among them.
        """
        hashes = hash_texts(ids)
        keys = self.array("id_keys")
        lows = np.searchsorted(keys, hashes, "left")
        highs = np.searchsorted(keys, hashes, "right")
        found: list[int] = []
        for row in np.flatnonzero(highs > lows).tolist():
            documents = np.asarray(self.array("id_documents")[lows[row] : highs[row]], np.int64)
            wanted = ids[row].as_py()
            pairs = zip(documents.tolist(), self.ids(documents), strict=True)
            found += [document for document, post_id in pairs if post_id == wanted]
        return np.unique(np.array(found, np.int64))

    def texts(self, starts: Positions, ends: Positions) -> list[str]:
        """Return the plain text between character positions, for many spans at once."""
        return self._decode("characters", starts, ends)

    def folded_texts(self, starts: Positions, ends: Positions) -> list[str]:
        """Return the folded text between character positions, for many spans at once."""
        return self._decode("folded", starts, ends)

    def _decode(self, name: str, starts: Positions, ends: Positions) -> list[str]:
        data, cuts = self._gather(name, starts, ends)
        text = data.decode("utf-32-le")
        return [text[low:high] for low, high in itertools.pairwise(cuts)]

    def _gather(self, name: str, starts: Positions, ends: Positions) -> tuple[bytes, list[int]]:
        """Return the elements of stretches, one after the other, and where each begins."""
        lengths = ends - starts
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.repeat(starts - bounds[:-1], lengths)
        positions += np.arange(bounds[-1])
        return self.array(name)[positions].tobytes(), bounds.tolist()

    def _postings(self, keys: str, offsets: str, values: str) -> Postings:
        return Postings(self.array(keys), self.array(offsets), self.array(values))
