"""Segmentation of Chinese characters into words.

jieba's dictionary with learnt frequencies, and a learnt rule that joins pieces the dictionary
leaves apart. `python -m training.segmenter` learns both from segmented Weibo posts.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from folate.core.text import HAN_RANGES
from nlp.text.dictionary import load_dictionary

SEGMENTER_FOLDER = Path(__file__).parents[1] / "models" / "segmenter"
WORDS_FILE = "words.txt"
JOINS_FILE = "joins.txt"
_ALL_CHINESE = re.compile(f"[{HAN_RANGES}]+")


class ChineseSegmenter:
    """Cuts text into the most probable words of a dictionary, then joins what belongs together.

    `word_frequencies` replace or complete those of jieba's dictionary. `join_weights` are the
    weights of the features of two neighbouring pieces (`join_features`).
    """

    def __init__(
        self, word_frequencies: Mapping[str, int], join_weights: Mapping[str, int]
    ) -> None:
        self._dictionary = load_dictionary()
        self._join_weights = join_weights
        self._cached_is_one_word = lru_cache(maxsize=1 << 17)(self._is_one_word)
        for word, frequency in word_frequencies.items():
            self.set_frequency(word, frequency)

    def set_frequency(self, word: str, frequency: int) -> None:
        """Set the frequency of a word, which need not be in the dictionary yet."""
        self._dictionary.add_word(word, frequency, "")

    def cut_by_dictionary(self, text: str) -> list[str]:
        """Cut a text into words of the dictionary, and single characters where it has none."""
        return self._dictionary.cut(text, False)

    def cut(self, text: str) -> list[str]:
        """Cut a text into words; joined, they are the text again."""
        pieces = self.cut_by_dictionary(text)
        # No loop in Python for the search: most texts have nothing to join.
        joins_next = [*map(self._cached_is_one_word, pieces, pieces[1:])]
        if True not in joins_next:
            return pieces
        words = pieces[:1]
        for is_joined, piece in zip(joins_next, pieces[1:], strict=True):
            if is_joined:
                words[-1] += piece
            else:
                words.append(piece)
        return words

    def _is_one_word(self, left: str, right: str) -> bool:
        """Return whether two neighbouring pieces, one of them a single character, are one word."""
        if min(len(left), len(right)) > 1:
            return False
        if not (_ALL_CHINESE.fullmatch(left) and _ALL_CHINESE.fullmatch(right)):
            return False
        weights = (self._join_weights.get(feature, 0) for feature in join_features(left, right))
        return sum(weights) > 0


def join_features(left: str, right: str) -> list[str]:
    """Return the features of two neighbouring pieces that decide whether they are one word.

    They are the pieces, the characters where they meet and where they end, and their lengths.
    """
    lengths = f"{min(len(left), 3)}{min(len(right), 3)}"
    return [
        lengths,
        f"{left}_{right}",
        f"{left[-1]}+{right[0]}",
        f"{left[-2:]}_{len(left) > 1:d}",
        f"_{right[:2]}{len(right) > 1:d}",
        f"{left[-1]}{lengths}",
        f"{lengths}{right[0]}",
        f"<{left[0]}{lengths}",
        f">{right[-1]}{lengths}",
    ]


@cache
def default_chinese_segmenter() -> ChineseSegmenter:
    """Load the segmenter that ships with Folate."""
    word_frequencies = read_weights(SEGMENTER_FOLDER / WORDS_FILE)
    join_weights = read_weights(SEGMENTER_FOLDER / JOINS_FILE)
    return ChineseSegmenter(word_frequencies, join_weights)


def read_weights(path: Path) -> dict[str, int]:
    """Read a file with a name, a space and a whole number on each line."""
    weights = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, weight = line.rpartition(" ")
        weights[name] = int(weight)
    return weights
