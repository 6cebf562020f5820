"""The lexicon of an index: every word and lemma once, with a number.

Numbers are given in the order in which words are first seen and never change: all segments share
them, so counts of several segments add up. On a disk a lexicon is one file, or several that follow
each other: words that are new go into a new one.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpora.index.strings import hash_texts, number_array, string_array

_SCHEMA = pa.schema(
    {
        "word": pa.string(),
        # of all words of the file in rising order, and the place in the file of each
        "hash": pa.uint64(),
        "place": pa.uint32(),
    }
)


class _Part:
    """Words of one file, and their numbers; they are found by their hashes."""

    def __init__(self, words: pa.Array, hashes: npt.NDArray[np.uint64], places: pa.Array) -> None:
        self.words = words
        self._hashes = hashes
        self._places = places

    @classmethod
    def of_words(cls, words: pa.Array) -> "_Part":
        hashes = hash_texts(words)
        order = np.argsort(hashes, kind="stable")
        return cls(words, hashes[order], order.astype(np.uint32))

    @classmethod
    def of_table(cls, table: pa.Table) -> "_Part":
        words, hashes, places = (table[name].combine_chunks() for name in _SCHEMA.names)
        return cls(words, number_array(hashes, np.uint64), number_array(places, np.uint32))

    def to_table(self) -> pa.Table:
        return pa.table([self.words, self._hashes, self._places], schema=_SCHEMA)

    def find_one(self, word: str, hashed: np.uint64) -> int:
        """Return the place of one word in this part, or -1."""
        row = int(np.searchsorted(self._hashes, hashed))
        while row < len(self._hashes) and self._hashes[row] == hashed:
            place = int(self._places[row])
            if self.words[place].as_py() == word:
                return place
            # words of one hash follow each other
            row += 1
        return -1

    def find(self, words: pa.Array, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return the place of each word in this part, or -1."""
        found = np.full(len(words), -1, np.int64)
        places = np.searchsorted(self._hashes, hashes)
        candidates = np.flatnonzero(places < len(self._hashes))
        while len(candidates):
            candidates = candidates[self._hashes[places[candidates]] == hashes[candidates]]
            words_here = self.words.take(pa.array(self._places[places[candidates]]))
            is_equal = pc.equal(words_here, words.take(pa.array(candidates)))
            is_same = is_equal.to_numpy(zero_copy_only=False).astype(bool)
            found[candidates[is_same]] = self._places[places[candidates[is_same]]]
            # words of one hash follow each other
            candidates = candidates[~is_same]
            places[candidates] += 1
            candidates = candidates[places[candidates] < len(self._hashes)]
        return found


class Lexicon:
    """Words and their numbers. Those of files stay in the files, which are memory-mapped."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        self._parts: list[_Part] = []
        # number of the first word of each part, and of the first new word
        self._bounds = [0]
        self._new_words: list[str] = []
        self._new_ids: dict[str, int] = {}
        self._strings: pa.ChunkedArray | None = None
        if words:
            self.add(words)

    def __len__(self) -> int:
        return self._bounds[-1] + len(self._new_words)

    @property
    def new_word_count(self) -> int:
        """The number of words that are in no file yet."""
        return len(self._new_words)

    def id(self, word: str) -> int:
        """Return the number of a word, or -1."""
        hashed = hash_texts(string_array(word))[0]
        for part, bound in zip(self._parts, self._bounds, strict=False):
            place = part.find_one(word, hashed)
            if place >= 0:
                return place + bound
        return self._new_ids.get(word, -1)

    def ids(self, words: pa.Array) -> npt.NDArray[np.int64]:
        """Return the numbers of words, -1 for unknown ones."""
        numbers = np.full(len(words), -1, np.int64)
        if self._parts:
            hashes = hash_texts(words)
            for part, bound in zip(self._parts, self._bounds, strict=False):
                rows = np.flatnonzero(numbers < 0)
                places = part.find(words.take(pa.array(rows)), hashes[rows])
                numbers[rows] = np.where(places < 0, -1, places + bound)
        if self._new_ids:
            rows = np.flatnonzero(numbers < 0)
            new_ids = self._new_ids
            numbers[rows] = [new_ids.get(word, -1) for word in words.take(rows).to_pylist()]
        return numbers

    def add(self, words: Iterable[str]) -> npt.NDArray[np.uint32]:
        """Return the numbers of words; new words get the next numbers."""
        return self.add_array(pa.array(list(words), pa.string()))

    def add_array(self, words: pa.Array) -> npt.NDArray[np.uint32]:
        """Return the numbers of an Arrow array of words; new words get the next numbers."""
        encoded = words.dictionary_encode()
        distinct = encoded.dictionary
        numbers = self.ids(distinct)
        unknown = np.flatnonzero(numbers < 0)
        if len(unknown):
            new_words = distinct.take(pa.array(unknown)).to_pylist()
            first = len(self)
            numbers[unknown] = np.arange(first, first + len(new_words))
            self._new_words += new_words
            self._new_ids.update(zip(new_words, range(first, len(self)), strict=True))
            self._strings = None
        rows = encoded.indices.to_numpy(zero_copy_only=False)
        result: npt.NDArray[np.uint32] = numbers.astype(np.uint32)[rows]
        return result

    def strings(self, ids: npt.NDArray[np.integer]) -> list[str]:
        """Return the words with these numbers."""
        words: list[str] = self._all_words().take(pa.array(ids)).to_pylist()
        return words

    def matching(self, pattern: str) -> npt.NDArray[np.bool_]:
        """Return for each word whether an RE2 expression matches all of it.

        Raises pyarrow.ArrowInvalid for an invalid expression.
        """
        mask = pc.match_substring_regex(self._all_words(), f"^(?:{pattern})$")
        values: npt.NDArray[np.bool_] = mask.to_numpy().astype(bool)
        return values

    def _all_words(self) -> pa.ChunkedArray:
        """Return all words in the order of their numbers."""
        if self._strings is None:
            chunks = [part.words for part in self._parts]
            chunks.append(pa.array(self._new_words, pa.string()))
            self._strings = pa.chunked_array(chunks, pa.string())
        return self._strings

    def save(self, path: Path) -> None:
        """Write all words to a file."""
        _write_part(_Part.of_words(self._all_words().combine_chunks()), path)

    def save_new_words(self, path: Path) -> None:
        """Write the words that are in no file yet to one that follows the others."""
        _write_part(_Part.of_words(pa.array(self._new_words, pa.string())), path)

    @classmethod
    def load(cls, *paths: Path) -> "Lexicon":
        """Read a lexicon that `save` wrote, and the files of `save_new_words` that follow it."""
        lexicon = cls()
        for path in paths:
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
            part = _Part.of_table(table)
            lexicon._parts.append(part)
            lexicon._bounds.append(lexicon._bounds[-1] + len(part.words))
        return lexicon


def _write_part(part: _Part, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        writer.write_table(part.to_table())
