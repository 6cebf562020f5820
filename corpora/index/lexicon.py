"""The lexicon of an index: every word and lemma once, with a number.

Numbers are given in the order in which words are first seen and never change: all segments share
them, so counts of several segments add up.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


class Lexicon:
    """Words and their numbers, in memory."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        self._words = list(words)
        self._ids = {word: number for number, word in enumerate(self._words)}

    def __len__(self) -> int:
        return len(self._words)

    def id(self, word: str) -> int:
        """Return the number of a word, or -1."""
        return self._ids.get(word, -1)

    def add(self, words: Iterable[str]) -> npt.NDArray[np.uint32]:
        """Return the numbers of words; new words get the next numbers."""
        numbers = []
        for word in words:
            number = self._ids.setdefault(word, len(self._words))
            if number == len(self._words):
                self._words.append(word)
            numbers.append(number)
        return np.array(numbers, np.uint32)

    def strings(self, ids: npt.NDArray[np.integer]) -> list[str]:
        """Return the words with these numbers."""
        return [self._words[number] for number in ids.tolist()]

    def matching(self, pattern: str) -> npt.NDArray[np.bool_]:
        """Return for each word whether an RE2 expression matches all of it.

        Raises pyarrow.ArrowInvalid for an invalid expression.
        """
        mask = pc.match_substring_regex(pa.array(self._words, pa.string()), f"^(?:{pattern})$")
        values: npt.NDArray[np.bool_] = mask.to_numpy(zero_copy_only=False).astype(bool)
        return values

    def save(self, path: Path) -> None:
        """Write the lexicon to a file."""
        table = pa.table({"word": pa.array(self._words, pa.string())})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    @classmethod
    def load(cls, path: Path) -> "Lexicon":
        """Read a lexicon that `save` wrote."""
        with pa.memory_map(str(path)) as source:
            return cls(pa.ipc.open_file(source).read_all()["word"].to_pylist())
