"""The one meaning of "this text contains this term", in Python and as a regular expression for SQL.

Text and terms are compared folded (`nlp.text.normalize`): width, case and traditional characters
make no difference. A term that begins or ends with a Chinese character may begin or end anywhere
in the text. One that begins or ends with a letter of a script with spaces (Latin, Greek, Cyrillic)
or with a digit begins and ends at the boundary of a word: `oat` is in "喜欢oat" and in "oat-milk",
not in "boat" or "oath". As in names of brands, a digit may follow a letter and a letter a digit:
`iphone` is in "iphone15". Between two such words of a term the text may have white space and
hyphens; between a word and a Chinese character it may also have nothing.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from folate.core.text import HAN_RANGES, contains_chinese
from nlp.text.longest_match import SPACED_LETTERS
from nlp.text.normalize import FoldedText, fold_once, fold_text, normalize_text
from nlp.text.plurals import singularize


class TermMatch(NamedTuple):
    """One occurrence of a term, as the caller wrote the term, at code points `start` to `end`."""

    term: str
    start: int
    end: int


class TermShape(NamedTuple):
    """What a term asks of folded text: its pieces in order, gaps between them, and boundaries."""

    pieces: tuple[str, ...]
    # of each gap: whether it may be empty; gaps are of white space and hyphens
    optional_gaps: tuple[bool, ...]
    # no letter or digit may stand before the term
    starts_word: bool
    # no letter may stand after it
    ends_in_letter: bool
    # no digit may stand after it
    ends_in_digit: bool


class TermMatcher:
    """Finds which of many terms a text contains, and where.

    `terms` that differ only in what folding removes are reported as the first of them; terms
    without any character but white space are never found. With `plurals`, an English word of a
    term stands for its singular and its plural in -s (`nlp.text.plurals`).
    """

    def __init__(self, terms: Iterable[str], *, plurals: bool = False) -> None:
        self.terms: tuple[str, ...] = tuple(terms)
        self._plurals = plurals
        self._patterns_by_first: dict[str, list[tuple[str, re.Pattern[str]]]] = defaultdict(list)
        sources: set[str] = set()
        for term in self.terms:
            pieces = _term_pieces(term)
            source = _python_pattern(pieces, plurals)
            if pieces and source not in sources:
                sources.add(source)
                self._patterns_by_first[pieces[0][0]].append((term, re.compile(source)))
        self._possible_start = re.compile(_first_characters_pattern(self._patterns_by_first))

    def find(self, text: str | FoldedText) -> list[TermMatch]:
        """Return every occurrence of every term, by start and then by end, overlapping ones too.

        Offsets count code points of `text` as published, its markup included.
        """
        return sorted(self._occurrences(text), key=lambda match: (match.start, match.end))

    def matches(self, text: str | FoldedText) -> bool:
        """Return whether the text contains any of the terms."""
        return next(self._occurrences(text), None) is not None

    def contained_terms(self, text: str | FoldedText) -> list[str]:
        """Return the terms that the text contains, each once, in the order of `terms`."""
        contained = {match.term for match in self._occurrences(text)}
        return [term for term in dict.fromkeys(self.terms) if term in contained]

    def re2_pattern(self) -> str:
        """Return the RE2 expression that finds texts with any of the terms; see `re2_pattern`."""
        return re2_pattern(self.terms, plurals=self._plurals)

    def _occurrences(self, text: str | FoldedText) -> Iterator[TermMatch]:
        text = fold_once(text)
        for candidate in self._possible_start.finditer(text.folded):
            for term, pattern in self._patterns_by_first[candidate[0]]:
                match = pattern.match(text.folded, candidate.start())
                if match:
                    yield TermMatch(term, *text.plain.original_span(*match.span()))


def re2_pattern(terms: Sequence[str], *, plurals: bool = False) -> str:
    """Return a regular expression in RE2 syntax that finds any of the terms in unfolded text.

    It is for SQL (DuckDB's `regexp_matches`) over posts as they are stored, and has the meaning of
    `TermMatcher.matches` but for what RE2 can't fold: it spells out case, words in full width and
    variants of Chinese characters; markup, styled letters (𝐨𝐚𝐭) and words partly in full width are
    missed, and variants are taken character by character (干 also finds 乾). Finds nothing when
    there are no terms.
    """
    pieces_by_term = [pieces for pieces in map(_term_pieces, terms) if pieces]
    alternatives = dict.fromkeys(_re2_alternative(pieces, plurals) for pieces in pieces_by_term)
    return f"(?i){'|'.join(alternatives) or _RE2_NOTHING}"


def term_shape(term: str) -> TermShape:
    """Return what `TermMatcher` without plurals asks of a text for a term, for other engines.

    A term of nothing but white space and hyphens has no pieces.
    """
    pieces = _term_pieces(term)
    if not pieces:
        return TermShape((), (), False, False, False)
    gaps = [
        contains_chinese(left[-1]) or contains_chinese(right[0])
        for left, right in itertools.pairwise(pieces)
    ]
    last = pieces[-1][-1]
    ends_in_letter = bool(_LETTER.match(last))
    return TermShape(
        pieces=tuple(pieces),
        optional_gaps=tuple(gaps),
        starts_word=_is_word_character(pieces[0][0]),
        ends_in_letter=ends_in_letter,
        ends_in_digit=not ends_in_letter and last.isdecimal(),
    )


_LETTER = re.compile(f"[{SPACED_LETTERS}]")
_PIECE = re.compile(f"[{HAN_RANGES}]+|[^{HAN_RANGES}\\s-]+")
_NO_WORD_BEFORE = f"(?<![{SPACED_LETTERS}0-9])"
_RE2_NOTHING = r"[^\x{0}-\x{10FFFF}]"
_RE2_LETTERS = r"\p{Latin}\p{Greek}\p{Cyrillic}_"
_RE2_NO_WORD_BEFORE = rf"(?:^|[^{_RE2_LETTERS}\p{{Nd}}])"
_PYTHON_GAP = r"[\s-]"
_RE2_APOSTROPHE = "['’‘ʼ＇]"
_RE2_GAP = r"[\s\p{Zs}-]"
_ASCII_TO_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _term_pieces(term: str) -> list[str]:
    """Return the folded term in pieces: runs of Chinese characters, and words of all else."""
    return _PIECE.findall(normalize_text(term))


def _is_word_character(character: str) -> bool:
    return bool(_LETTER.match(character)) or character.isdecimal()


def _first_characters_pattern(characters: Iterable[str]) -> str:
    """Return an expression that finds where a term may start: passes over most of a text."""
    word_starts: list[str] = []
    other_starts: list[str] = []
    for character in characters:
        starts = word_starts if _is_word_character(character) else other_starts
        starts.append(re.escape(character))
    alternatives = []
    if word_starts:
        alternatives.append(f"{_NO_WORD_BEFORE}[{''.join(word_starts)}]")
    if other_starts:
        alternatives.append(f"[{''.join(other_starts)}]")
    return "|".join(alternatives) or "(?!)"


def _word_ending(piece: str, plurals: bool) -> tuple[str, str]:
    """Return the singular of a word and an expression for its ending: `s?` of an English noun."""
    if not plurals:
        return piece, ""
    singular = singularize(piece)
    has_plural = singularize(f"{singular}s") == singular
    return singular, "s?" if has_plural else ""


def _gap(left: str, right: str, characters: str) -> str:
    """Return how often a text may have the characters of a gap between two pieces of a term."""
    optional = contains_chinese(left[-1]) or contains_chinese(right[0])
    return f"{characters}*" if optional else f"{characters}+"


def _python_pattern(pieces: Sequence[str], plurals: bool) -> str:
    """Return the expression of one term over folded text."""
    source = ""
    for index, piece in enumerate(pieces):
        stem, ending = _word_ending(piece, plurals)
        gap = _gap(pieces[index - 1], piece, _PYTHON_GAP) if index else ""
        source += gap + re.escape(stem) + ending
    return _bounded(source, pieces, _NO_WORD_BEFORE, f"(?![{SPACED_LETTERS}])", "(?![0-9])")


def _re2_alternative(pieces: Sequence[str], plurals: bool) -> str:
    """Return the expression of one term over unfolded text, in RE2 syntax."""
    source = ""
    for index, piece in enumerate(pieces):
        stem, ending = _word_ending(piece, plurals)
        gap = _gap(pieces[index - 1], piece, _RE2_GAP) if index else ""
        source += gap + _re2_spellings(stem) + ending
    letter_after = rf"(?:$|[^{_RE2_LETTERS}])"
    return _bounded(source, pieces, _RE2_NO_WORD_BEFORE, letter_after, r"(?:$|[^\p{Nd}])")


def _bounded(
    source: str, pieces: Sequence[str], before: str, after_letter: str, after_digit: str
) -> str:
    """Add the boundaries of words that the first and the last character of a term ask for."""
    if not pieces:
        return source
    last = pieces[-1][-1]
    start = before if _is_word_character(pieces[0][0]) else ""
    if _LETTER.match(last):
        return start + source + after_letter
    return start + source + (after_digit if last.isdecimal() else "")


def _re2_spellings(piece: str) -> str:
    """Return an expression for a folded piece in every spelling that folds to it."""
    if piece.isascii():
        plain = re.escape(piece).replace("'", _RE2_APOSTROPHE)
        return f"(?:{plain}|{piece.translate(_ASCII_TO_FULL_WIDTH)})"
    return "".join(map(_character_class, piece))


def _character_class(character: str) -> str:
    if character == "'":
        return _RE2_APOSTROPHE
    variants = _chinese_variants().get(character, "")
    return f"[{character}{variants}]" if variants else re.escape(character)


@cache
def _chinese_variants() -> dict[str, str]:
    """Return simplified character -> the other characters that folding makes it of."""
    blocks = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x2F800, 0x2FA20))
    characters = [chr(code) for start, end in blocks for code in range(start, end)]
    simplified = fold_text("\n".join(characters)).split("\n")
    variants: dict[str, str] = defaultdict(str)
    for character, folded in zip(characters, simplified, strict=True):
        if folded != character:
            variants[folded] += character
    return dict(variants)
