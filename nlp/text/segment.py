"""Text to words, Chinese and English by one function, with offsets into the text as published."""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from folate.core.text import HAN_RANGES
from nlp.text.chinese import default_chinese_segmenter
from nlp.text.longest_match import longest_match_pattern
from nlp.text.markup import MARKUP_RESIDUE, strip_markup, strip_markup_aligned
from nlp.text.normalize import fold_text, normalize_text
from nlp.text.patterns import (
    ASCII_EMOTICON,
    BRACKET_EMOTICON,
    EMOJI,
    EMOJI_CHARACTER,
    HANDLE,
    HASHTAG,
    URL,
    extract_hashtags,
    hashtag_text,
    split_hashtag_chain,
)


class Token(NamedTuple):
    """A piece of a text: `text` is what stands at code points `start` to `end` of it."""

    text: str
    start: int
    end: int


class Segmenter:
    """Cuts text into words, Chinese by a dictionary and the rest as spaCy's English tokenizer does (`don't`: `do` `n't`).

    `words` (brands, words that a person confirmed) stay whole wherever they stand, whatever the dictionary thinks; where
    two overlap, the one that begins first and then the longer one. URLs, @names, hashtags, emoticons, emoji and numbers
    with their unit are one token each.
    """

    def __init__(self, whole_words: Iterable[str] = ()) -> None:
        own = longest_match_pattern(filter(None, map(normalize_text, whole_words)))
        self._whole = re.compile(
            "|".join(
                filter(
                    None,
                    [
                        _sign(URL, HANDLE, HASHTAG),
                        own,
                        _sign(BRACKET_EMOTICON, ASCII_EMOTICON, EMOJI),
                    ],
                )
            )
        )

    def tokens(self, text: str) -> list[Token]:
        """Every character of `text` but white space, in order; offsets count code points of `text`."""
        plain = strip_markup_aligned(text)
        pieces = self._pieces(fold_text(plain.text))
        ends = accumulate(map(len, pieces))
        inside = (
            (end - len(piece), end)
            for piece, end in zip(pieces, ends, strict=True)
            if piece and not piece.isspace()
        )
        spans = [plain.original_span(*span) for span in inside]
        return [
            Token(text[start:end], start, end)
            for start, end in (spans if plain.text is text else _filled(text, spans))
        ]

    def words(self, text: str) -> list[str]:
        """Normalised words in order, without punctuation, URLs and @names.

        Emoji and emoticons (`[怒]`) are words. A hashtag is one word, `#话题` for `#话题#`. Markup and labels of the site are none.
        """
        return [word for word in map(_word, self._pieces(fold_text(strip_markup(text)))) if word]

    def hashtags(self, text: str) -> list[str]:
        """Topics of `#话题#` and `#tag`, normalised and without signs, each once."""
        return [normalize_text(found) for found in extract_hashtags(fold_text(strip_markup(text)))]

    def _pieces(self, folded: str) -> list[str]:
        """Strings that make up `folded` when joined: tokens, and the spaces between them."""
        pieces: list[str] = []
        done = 0
        for match in self._whole.finditer(folded):
            pieces += _between(folded[done : match.start()])
            pieces += split_hashtag_chain(match[0]) if match[0][0] == "#" else (match[0],)
            done = match.end()
        return pieces + _between(folded[done:])


def _filled(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans, of which none begins before the last one ends, and what stands between them: markup."""
    done = 0
    for start, end in [*spans, (len(text), len(text))]:
        between = text[done:start]
        if between.strip():
            first = done + len(between) - len(between.lstrip())
            yield first, first + len(between.strip())
        if end > start >= done:
            yield start, end
        done = max(done, end)


def _sign(*sources: str) -> str:
    """One of the expressions, none of which begins with a Chinese character: one look passes over most of a Chinese text."""
    return f"(?![{HAN_RANGES}])(?:{'|'.join(sources)})"


_NUMBER = (
    r"\d{4}年|\d+(?:[.,:/~-]\d+)*(?:%|‰|℃|°c|万亿|[万亿月日时点号多余]|[a-z]{1,3}(?![a-z0-9]))?"
)
_LETTER = rf"(?:[^\W_{HAN_RANGES}]|[\u0300-\u036f\u0900-\u0dff])"
_SPACED = rf"{_LETTER}{{1,64}}(?:[.'&/_+-]{_LETTER}{{1,64}}){{0,4}}"  # bounded, for hostile input
_REPEATED = r"(?P<sign>[.—/~-])(?P=sign)+"
_RUNS = re.compile(_sign(r"\s+", _NUMBER, f"(?P<spaced>{_SPACED})", _REPEATED))
_ASIDE = re.compile(f"{URL}|{HANDLE}")
_TAG = re.compile(HASHTAG)
_WORTH = re.compile(rf"[^\W_]|{EMOJI_CHARACTER}|{ASCII_EMOTICON}")


def _between(text: str) -> list[str]:
    """Pieces of text in which nothing stands that must stay whole."""
    cut = default_chinese_segmenter().cut
    pieces: list[str] = []
    done = 0
    for match in _RUNS.finditer(text):
        if match.start() > done:
            pieces += cut(text[done : match.start()])
        pieces += _english(match[0]) if match.lastgroup == "spaced" else (match[0],)
        done = match.end()
    return pieces + cut(text[done:]) if done < len(text) else pieces


@lru_cache(maxsize=65536)
def _english(chunk: str) -> tuple[str, ...]:
    """The words of a chunk without spaces. Letters alone are one word; spaCy cuts what has signs inside."""
    if chunk.isalnum():
        return (chunk,)
    language = _spacy()
    with language.memory_zone():  # spaCy would keep every chunk it ever saw
        return tuple(token.text for token in language.tokenizer(chunk))


@lru_cache(maxsize=65536)
def _word(piece: str) -> str | None:
    """The normal form of a piece, or None where it is no word."""
    if _ASIDE.match(piece) or not _WORTH.search(piece) or MARKUP_RESIDUE.fullmatch(piece):
        return None
    return normalize_text(f"#{hashtag_text(piece)}" if _TAG.fullmatch(piece) else piece) or None


@cache
def _spacy() -> Any:
    from spacy.lang.en import English

    return English()
