"""Chinese characters to words: jieba's dictionary with learnt weights, and a learnt rule for what it leaves in pieces.

`python -m training.segmenter` makes both from segmented Weibo posts.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from folate.core.text import HAN_RANGES

SEGMENTER_FOLDER = Path(__file__).parents[1] / "models" / "segmenter"
WORDS_FILE, JOINS_FILE = "words.txt", "joins.txt"
_ALL_HAN = re.compile(f"[{HAN_RANGES}]+")


class ChineseSegmenter:
    """Cuts text into the most probable words of a dictionary (rjieba, which is jieba in Rust), then joins what belongs together.

    `words`: frequencies that replace or complete those of jieba's dictionary. `joins`: weights of features of two neighbouring pieces.
    """

    def __init__(
        self, word_frequencies: Mapping[str, int], join_weights: Mapping[str, int]
    ) -> None:
        from rjieba import Jieba

        self._jieba: Any = Jieba()
        self._joins = join_weights
        self._joined = lru_cache(maxsize=1 << 17)(self._join)
        for word, frequency in word_frequencies.items():
            self.set_frequency(word, frequency)

    def set_frequency(self, word: str, frequency: int) -> None:
        """Give a word of the dictionary, or a new one, this frequency."""
        self._jieba.add_word(word, frequency, "")

    def cut_by_dictionary(self, text: str) -> list[str]:
        """Words of the dictionary that make up `text` when joined, and single characters where it has none."""
        return self._jieba.cut(text, False)  # type: ignore[no-any-return]

    def cut(self, text: str) -> list[str]:
        """Words that make up `text` when joined."""
        pieces = self.cut_by_dictionary(text)
        joined = [
            *map(self._joined, pieces, pieces[1:])
        ]  # no loop of Python's own: most texts have nothing to join
        if True not in joined:
            return pieces
        words = pieces[:1]
        for join, right in zip(joined, pieces[1:], strict=True):
            if join:
                words[-1] += right
            else:
                words.append(right)
        return words

    def _join(self, left: str, right: str) -> bool:
        """Whether two neighbouring pieces, of which one is a single character, are one word."""
        if min(len(left), len(right)) > 1 or not (
            _ALL_HAN.fullmatch(left) and _ALL_HAN.fullmatch(right)
        ):
            return False
        return sum(self._joins.get(feature, 0) for feature in join_features(left, right)) > 0


def join_features(left: str, right: str) -> list[str]:
    """What the rule looks at: the pieces, the characters where they meet and where they end, and their lengths."""
    size = f"{min(len(left), 3)}{min(len(right), 3)}"
    return [
        size,
        f"{left}_{right}",
        f"{left[-1]}+{right[0]}",
        f"{left[-2:]}_{len(left) > 1:d}",
        f"_{right[:2]}{len(right) > 1:d}",
        f"{left[-1]}{size}",
        f"{size}{right[0]}",
        f"<{left[0]}{size}",
        f">{right[-1]}{size}",
    ]


@cache
def default_chinese_segmenter() -> ChineseSegmenter:
    """The cutter that ships with Folate."""
    return ChineseSegmenter(
        read_weights(SEGMENTER_FOLDER / WORDS_FILE), read_weights(SEGMENTER_FOLDER / JOINS_FILE)
    )


def read_weights(path: Path) -> dict[str, int]:
    """Lines of a name, a space and a whole number."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: int(weight) for name, _, weight in (line.rpartition(" ") for line in lines)}
