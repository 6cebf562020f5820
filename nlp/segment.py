"""Text to words, Chinese and English by one function, with offsets into the text as published."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from nlp.lexicon import longest
from nlp.normalize import fold, normalize
from nlp.spans import EMOJI, EMOJI_CHARACTER, EMOTICON, FACE, HAN, HASHTAG, NAME, URL, hashtags, topic

Piece = tuple[int, int, str | None]  # start, end, and what it is where that matters: "aside" or "tag"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text: `text` is what stands at code points `start` to `end` of it."""

    text: str
    start: int
    end: int


class Segmenter:
    """Cuts text into words, Chinese as jieba does and the rest as spaCy's English tokenizer does (`don't`: `do` `n't`).

    `words` (brands, words that a person confirmed) stay whole wherever they stand, whatever the dictionary thinks; where
    two overlap, the one that begins first and then the longer one. URLs, @names, hashtags, emoticons, emoji and numbers
    with their unit are one token each.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        own = longest(filter(None, map(normalize, words)))
        kinds = [f"(?P<aside>{URL}|{NAME})", f"(?P<tag>{HASHTAG})", EMOTICON, FACE, EMOJI]
        self._whole = re.compile("|".join([*kinds[:2], own, *kinds[2:]] if own else kinds))

    def tokens(self, text: str) -> list[Token]:
        """Every character of `text` but white space, in order; offsets count code points of `text`."""
        return [Token(text[start:end], start, end) for start, end, _ in self._pieces(fold(text))]

    def words(self, text: str) -> list[str]:
        """Normalised words in order, without punctuation, URLs and @names.

        Emoji and emoticons (`[怒]`) are words. A hashtag is one word, `#话题` for `#话题#`.
        """
        folded = fold(text)
        words = [_word(folded[start:end], kind) for start, end, kind in self._pieces(folded)]
        return [word for word in words if word]

    def hashtags(self, text: str) -> list[str]:
        """Topics of `#话题#` and `#tag`, normalised and without signs, each once."""
        return [normalize(found) for found in hashtags(fold(text))]

    def _pieces(self, folded: str) -> list[Piece]:
        pieces: list[Piece] = []
        done = 0
        for match in self._whole.finditer(folded):
            pieces += _between(folded, done, match.start())
            done = match.end()
            pieces.append((match.start(), done, match.lastgroup))
        pieces += _between(folded, done, len(folded))
        return pieces


_NUMBER = r"\d+(?:[.,:/~-]\d+)*(?:%|‰|℃|°c|万亿|[万亿年月日时点号]|[a-z]{1,3}(?![a-z0-9]))?"
_LETTER = rf"(?:[^\W_{HAN}]|[\u0300-\u036f\u0900-\u0dff])"
_SPACED = rf"{_LETTER}{{1,64}}(?:[.'&/_+-]{_LETTER}{{1,64}}){{0,4}}"  # bounded, for hostile input
_RUNS = re.compile(rf"(?P<space>\s+)|{_NUMBER}|(?P<spaced>{_SPACED})")
_WORTH = re.compile(rf"[^\W_]|{EMOJI_CHARACTER}|{FACE}")


def _between(folded: str, start: int, end: int) -> list[Piece]:
    """Pieces of `folded[start:end]`, where nothing stands that must stay whole."""
    pieces: list[Piece] = []
    done = start
    for match in _RUNS.finditer(folded, start, end):
        first = match.start()
        pieces += _chinese(folded, done, first)
        done = match.end()
        if match.lastgroup == "spaced":
            pieces += [(first + a, first + b, None) for a, b in _english(match[0])]
        elif match.lastgroup is None:
            pieces.append((first, done, None))
    pieces += _chinese(folded, done, end)
    return pieces


def _chinese(folded: str, start: int, end: int) -> list[Piece]:
    return [(start + a, start + b, None) for _, a, b in _jieba().tokenize(folded[start:end])] if start < end else []


@lru_cache(maxsize=65536)
def _english(chunk: str) -> tuple[tuple[int, int], ...]:
    """Spans of the words of a chunk without spaces. Letters alone are one word; spaCy cuts what has signs inside."""
    if chunk.isalnum():
        return ((0, len(chunk)),)
    language = _spacy()
    with language.memory_zone():  # spaCy would keep every chunk it ever saw
        return tuple((token.idx, token.idx + len(token)) for token in language.tokenizer(chunk))


@lru_cache(maxsize=65536)
def _word(folded: str, kind: str | None) -> str | None:
    """The normal form of a token, or None where it is no word."""
    if kind == "tag":
        folded = f"#{topic(folded)}"
    elif kind == "aside" or not _WORTH.search(folded):
        return None
    return normalize(folded) or None


@cache
def _jieba() -> Any:
    from rjieba import Jieba

    return Jieba()


@cache
def _spacy() -> Any:
    from spacy.lang.en import English

    return English()
