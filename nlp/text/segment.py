"""Segmentation of Chinese and English text into words, with offsets into the text as published."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from folate.core.text import HAN_RANGES
from nlp.text.chinese import default_chinese_segmenter
from nlp.text.longest_match import longest_match_pattern
from nlp.text.markup import MARKUP_RESIDUE, AlignedText
from nlp.text.normalize import FoldedText, fold_once, normalize_text
from nlp.text.patterns import (
    ASCII_EMOTICON,
    BRACKET_EMOTICON,
    EMOJI,
    EMOJI_CHARACTER,
    HANDLE,
    HASHTAG,
    URL,
    hashtag_text,
    split_hashtag_chain,
)

if TYPE_CHECKING:
    from nlp.text.batch_segment import BatchSegmenter
    from nlp.text.batches import FoldedBatch


class Token(NamedTuple):
    """A piece of a text, `text`, and the code points of the text that it spans."""

    text: str
    start: int
    end: int


class LocatedWords(NamedTuple):
    """The words of a text in order, and where each is in the text as published.

    The three lists are parallel: `words` in normal form, `starts` and `lengths` in code points.
    """

    words: list[str]
    starts: list[int]
    lengths: list[int]


class WordColumns(NamedTuple):
    """The words of texts in order: all words of the first text, then those of the next.

    Those of text i are offsets[i] to offsets[i + 1]. `numbers` are positions in `vocabulary`, and
    so are `hashtags`, of the words that are hashtags; starts count from the start of the text.
    """

    vocabulary: list[str]
    hashtags: list[int]
    numbers: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]


class Segmenter:
    """Cuts text into words: Chinese by a dictionary, the rest as spaCy's English tokenizer does.

    `whole_words` (brands, words that a person confirmed) are never cut, whatever the dictionary
    says; where two overlap, the one that begins first wins, and then the longer one. URLs, @names,
    hashtags, emoticons, emoji and numbers with their unit are one token each.
    """

    def __init__(self, whole_words: Iterable[str] = ()) -> None:
        words = list(filter(None, map(normalize_text, whole_words)))
        self._first_characters = {word[0] for word in words}
        patterns = [
            _unless_chinese(URL, HANDLE, HASHTAG),
            longest_match_pattern(words),
            _unless_chinese(BRACKET_EMOTICON, ASCII_EMOTICON, EMOJI),
        ]
        self._uncut = re.compile("|".join(filter(None, patterns)))

    def tokens(self, text: str | FoldedText) -> list[Token]:
        """Return all of a text but its white space as tokens, in order.

        Offsets count code points of the text as published, markup included.
        """
        text = fold_once(text)
        original = text.original
        spans = []
        start = 0
        for piece in self._cut(text.folded):
            end = start + len(piece)
            if piece and not piece.isspace():
                spans.append(text.plain.original_span(start, end))
            start = end
        if text.plain.starts is not None:
            spans = list(_fill_gaps(original, spans))
        return [Token(original[start:end], start, end) for start, end in spans]

    def locate_words(self, text: str | FoldedText) -> LocatedWords:
        """Return the normalised words of a text in order, and where each of them is.

        Punctuation, URLs, @names, markup and labels of the site are no words. Emoji and emoticons
        (`[怒]`) are, and a hashtag is one word, `#话题` for `#话题#`. Spans rise and don't overlap:
        of two words from one HTML entity, the second has no length.
        """
        text = fold_once(text)
        located = LocatedWords([], [], [])
        start = 0
        last_end = 0
        for piece in self._cut(text.folded):
            end = start + len(piece)
            word = _normal_word(piece)
            if word:
                first, last = text.plain.original_span(start, end)
                first = max(first, last_end)
                last_end = max(last, last_end)
                located.words.append(word)
                located.starts.append(first)
                located.lengths.append(last_end - first)
            start = end
        return located

    def locate_words_of_few(self, texts: Sequence[FoldedText]) -> WordColumns:
        """Return the words of a few texts as `locate_words` does, and without compiled code."""
        numbers: dict[str, int] = {}
        columns = LocatedWords([], [], [])
        offsets = [0]
        for text in texts:
            located = self.locate_words(text)
            columns.words.extend(located.words)
            columns.starts.extend(located.starts)
            columns.lengths.extend(located.lengths)
            offsets.append(len(columns.words))
        for word in columns.words:
            numbers.setdefault(word, len(numbers))
        return WordColumns(
            list(numbers),
            [number for word, number in numbers.items() if word[0] == "#"],
            np.array([numbers[word] for word in columns.words], np.int32),
            np.array(columns.starts, np.int64),
            np.array(columns.lengths, np.int64),
            np.array(offsets, np.int64),
        )

    def locate_words_of_batch(self, batch: "FoldedBatch") -> WordColumns:
        """Return the words of many texts as `locate_words` does, by compiled code."""
        columns = self._batch_segmenter.locate_words(batch)
        for index, text in enumerate(batch.texts):
            if text.plain.starts is not None:
                stretch = slice(*columns.offsets[index : index + 2])
                _move_to_published(text.plain, columns.starts[stretch], columns.lengths[stretch])
        return columns

    @cached_property
    def _batch_segmenter(self) -> "BatchSegmenter":
        from nlp.text.batch_segment import BatchSegmenter

        return BatchSegmenter(self._uncut, self._first_characters, _split_uncut, _piece_words)

    def words(self, text: str | FoldedText) -> list[str]:
        """Return the words of a text as `locate_words` does, without their places."""
        return self.locate_words(text).words

    def hashtags(self, text: str | FoldedText) -> list[str]:
        """Return the topics of `#话题#` and `#tag`, normalised and without signs, each once."""
        return topics_of_hashtags(self.words(text))

    def _cut(self, folded: str) -> list[str]:
        """Cut a folded text into tokens and the white space between them."""
        pieces: list[str] = []
        end = 0
        for match in self._uncut.finditer(folded):
            pieces += _cut_plain(folded[end : match.start()])
            pieces += split_hashtag_chain(match[0]) if match[0][0] == "#" else (match[0],)
            end = match.end()
        return pieces + _cut_plain(folded[end:])


def _move_to_published(plain: AlignedText, starts: Any, lengths: Any) -> None:
    """Change the places of words from those in the plain text to those in the published one."""
    last_end = 0
    for index, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        first, last = plain.original_span(start, start + length)
        first = max(first, last_end)
        last_end = max(last, last_end)
        starts[index] = first
        lengths[index] = last_end - first


def _split_uncut(piece: str) -> list[str]:
    """Return the pieces of what no dictionary cuts; none of an address, which is no word."""
    if piece[0] == "#":
        return split_hashtag_chain(piece)
    return [] if _ADDRESS.match(piece) else [piece]


def _piece_words(piece: str, is_spaced: bool) -> list[tuple[str, int, int]]:
    """Return the words of a piece: normal form, start in the piece and length."""
    words = []
    start = 0
    for part in _cut_english(piece) if is_spaced else (piece,):
        word = _normal_word(part)
        if word:
            words.append((word, start, len(part)))
        start += len(part)
    return words


def topics_of_hashtags(words: Iterable[str]) -> list[str]:
    """Return the topics of the hashtags among normalised words, without signs, each once.

    >>> topics_of_hashtags(["好吃", "#备孕", "#备孕"])
    ['备孕']
    """
    topics = [word[1:].strip() for word in words if word[0] == "#"]
    return list(filter(None, dict.fromkeys(topics)))


def _fill_gaps(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the spans and, as spans of their own, the markup between them.

    A span that begins before the end of the last one is dropped.
    """
    last_end = 0
    for start, end in [*spans, (len(text), len(text))]:
        gap = text[last_end:start]
        if gap.strip():
            gap_start = last_end + len(gap) - len(gap.lstrip())
            yield gap_start, gap_start + len(gap.strip())
        if end > start >= last_end:
            yield start, end
        last_end = max(last_end, end)


def _unless_chinese(*patterns: str) -> str:
    """Return an expression for any of the patterns, none of which begins with a Chinese character.

    The look-ahead makes the search pass quickly over Chinese text.
    """
    return f"(?![{HAN_RANGES}])(?:{'|'.join(patterns)})"


_UNITS = "%|‰|℃|°c|万亿|[万亿月日时点号多余]|[a-z]{1,3}(?![a-z0-9])"
_NUMBER = rf"\d{{4}}年|\d+(?:[.,:/~-]\d+)*(?:{_UNITS})?"
LETTER = rf"(?:[^\W_{HAN_RANGES}]|[\u0300-\u036f\u0900-\u0dff])"
"""Expression for a character of a word of a script with spaces, its combining signs included."""
# Words joined by signs; lengths are bounded against hostile input.
_SPACED_WORD = rf"{LETTER}{{1,64}}(?:[.'&/_+-]{LETTER}{{1,64}}){{0,4}}"
_REPEATED_SIGN = r"(?P<sign>[.—/~-])(?P=sign)+"
_NON_CHINESE = re.compile(
    _unless_chinese(r"\s+", _NUMBER, f"(?P<spaced>{_SPACED_WORD})", _REPEATED_SIGN)
)
_ADDRESS = re.compile(f"{URL}|{HANDLE}")
_HASHTAG = re.compile(HASHTAG)
_WORD_CONTENT = re.compile(rf"[^\W_]|{EMOJI_CHARACTER}|{ASCII_EMOTICON}")


def _cut_plain(text: str) -> list[str]:
    """Cut folded text that contains no URLs, whole words and the like."""
    cut_chinese = default_chinese_segmenter().cut
    pieces: list[str] = []
    end = 0
    for match in _NON_CHINESE.finditer(text):
        if match.start() > end:
            pieces += cut_chinese(text[end : match.start()])
        pieces += _cut_english(match[0]) if match.lastgroup == "spaced" else (match[0],)
        end = match.end()
    return pieces + cut_chinese(text[end:]) if end < len(text) else pieces


@lru_cache(maxsize=65536)
def _cut_english(chunk: str) -> tuple[str, ...]:
    """Cut a chunk without white space: letters and digits are one word, spaCy cuts the rest."""
    if chunk.isalnum():
        return (chunk,)
    language = _spacy_english()
    with language.memory_zone():  # else spaCy keeps every chunk for ever
        return tuple(token.text for token in language.tokenizer(chunk))


@lru_cache(maxsize=65536)
def _normal_word(piece: str) -> str | None:
    """Return the normal form of a piece, or None where the piece is no word."""
    is_word = _WORD_CONTENT.search(piece) and not _ADDRESS.match(piece)
    if not is_word or MARKUP_RESIDUE.fullmatch(piece):
        return None
    if _HASHTAG.fullmatch(piece):
        piece = f"#{hashtag_text(piece)}"
    return normalize_text(piece) or None


@cache
def _spacy_english() -> Any:
    from spacy.lang.en import English

    return English()
