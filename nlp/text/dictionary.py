"""jieba's dictionary: rjieba (jieba in Rust), or jieba itself where rjieba can't be imported.

Both cut with the same dictionary, frequencies and rules, and a test holds them to the same words,
also where two ways to cut are equally probable but for rounding (好好|好 or 好|好好). Only
jieba knows no words with characters outside of U+4E00 to U+9FD5, of which there are hardly any
(𨱍头). Parts of speech are the same but for about one in a hundred strings that are no words.
"""

import logging
import re
from typing import Any, Protocol


class WordDictionary(Protocol):
    """A dictionary of words with frequencies and parts of speech."""

    def add_word(self, word: str, frequency: int, tag: str) -> object:
        """Set the frequency and the part of speech of a word; add the word if it is new."""

    def cut(self, text: str, hmm: bool) -> list[str]:
        """Cut a text into its most probable words; with `hmm`, guess unknown words too."""

    def tag(self, text: str) -> list[tuple[str, str]]:
        """Cut a text, guessing unknown words, and return the words with their parts of speech."""


def load_dictionary() -> WordDictionary:
    """Load a copy of jieba's dictionary that the caller may change."""
    try:
        from rjieba import Jieba
    except ImportError:
        return PythonDictionary()
    dictionary: WordDictionary = Jieba()
    return dictionary


class PythonDictionary:
    """jieba's dictionary in Python, with the results of rjieba."""

    def __init__(self) -> None:
        import jieba

        jieba.setLogLevel(logging.WARNING)
        self._tokenizer: Any = jieba.Tokenizer()
        self._tokenizer.initialize()
        # jieba counts words twice that are listed twice; rjieba doesn't, and rounding would differ
        self._tokenizer.total = sum(self._tokenizer.FREQ.values())
        self._tags: dict[str, str] = {}
        with self._tokenizer.get_dict_file() as lines:
            for line in lines:
                word, _, tag = line.decode("utf-8").strip().split(" ")
                self._tags[word] = tag

    def add_word(self, word: str, frequency: int, tag: str) -> None:
        """Set a word's frequency and part of speech.

        Unlike jieba's own method, this takes the old frequency off the sum of all, as rjieba does.
        """
        frequencies = self._tokenizer.FREQ
        self._tokenizer.total += frequency - frequencies.get(word, 0)
        frequencies[word] = frequency
        for length in range(1, len(word)):  # jieba looks words up by their prefixes
            frequencies.setdefault(word[:length], 0)
        self._tags[word] = tag

    def cut(self, text: str, hmm: bool) -> list[str]:
        """Cut a text into its most probable words; with `hmm`, guess unknown words too."""
        return list(self._tokenizer.cut(text, HMM=hmm))

    def tag(self, text: str) -> list[tuple[str, str]]:
        """Cut a text, guessing unknown words, and return the words with their parts of speech."""
        return [(word, self._word_tag(word)) for word in self.cut(text, hmm=True)]

    def _word_tag(self, word: str) -> str:
        if word in self._tags:
            return self._tags[word]
        alphanumerics = [c for c in word if c.isascii() and c.isalnum()]
        if alphanumerics:
            return "m" if all(map(str.isdecimal, alphanumerics)) else "eng"
        return _guess_tag(word) if _ALL_JIEBA_CHINESE.fullmatch(word) else "x"


def _guess_tag(word: str) -> str:
    """Return the part of speech with which the best path of jieba's hidden Markov model ends."""
    from jieba import posseg

    scores: dict[tuple[str, str], float] = {}
    for character in word:
        states = posseg.char_state_tab_P.get(character, posseg.trans_P)
        previous = scores
        scores = {}
        for state in states:
            if previous:
                score = max(
                    value + posseg.trans_P[before].get(state, _IMPOSSIBLE)
                    for before, value in previous.items()
                )
            else:
                score = posseg.start_P[state]
            scores[state] = score + posseg.emit_P[state].get(character, _IMPOSSIBLE)
    ends_of_words = [state for state in scores if state[0] in "ES"]
    return max(ends_of_words or scores, key=scores.__getitem__)[1]


_ALL_JIEBA_CHINESE = re.compile("[\u4e00-\u9fd5]+")
_IMPOSSIBLE = -3.14e100
