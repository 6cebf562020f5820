"""Audience segments: who writes, by what authors say of themselves.

`nlp/data/segments.toml` has the built-in segments, as expressions with guards; a segment of the
project replaces the built-in one with its id. Its terms match as all terms of users do
(`nlp.text.term_matcher`).
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from folate.core.config import AudienceSegment
from nlp.text.normalize import FoldedText, fold_once
from nlp.text.term_matcher import TermMatcher

_FILE = Path(__file__).parents[1] / "data" / "segments.toml"
_REPOSTED = re.compile(r"//\s?@")  # what follows is by another author
_GUARD_LENGTH = 40  # characters before a match that are searched for guards
_CLAUSE_END = re.compile(r"[,，。!?;；\n]|\.(?=\s|$)")


@dataclass(frozen=True)
class _BuiltInSegment:
    """A segment of the data file, with its expressions compiled."""

    names: tuple[str, ...]
    words: tuple[str, ...]
    """Words of which a text must contain one: a cheap test before the expressions."""
    own: re.Pattern[str]
    """Expressions in the first person."""
    evident: re.Pattern[str]
    """Forms that people use of themselves; not counted behind words for other people."""


class SegmentDetector:
    """Finds the project's segments by their terms, and built-in ones by their expressions."""

    def __init__(self, segments: Sequence[AudienceSegment] = ()) -> None:
        self._project_matchers = {segment.id: TermMatcher(segment.terms) for segment in segments}
        self._built_in = {
            id_: segment
            for id_, segment in _built_in_segments().items()
            if id_ not in self._project_matchers
        }
        self._words_by_first: dict[str, list[tuple[str, str]]] = {}
        for id_, segment in self._built_in.items():
            for word in segment.words:
                self._words_by_first.setdefault(word[0], []).append((word, id_))
        self._any_word = re.compile(_any_of(self._words_by_first))
        self._names = {segment.id: segment.names for segment in segments} | {
            id_: segment.names for id_, segment in self._built_in.items()
        }

    @property
    def segment_ids(self) -> tuple[str, ...]:
        """Return the ids of all segments: the project's in the order of its file come first."""
        return tuple(self._names)

    def display_names(self, segment_id: str) -> tuple[str, ...]:
        """Return the names of a segment for display: Chinese, then English, for a built-in one.

        Raises KeyError where no segment has the id.
        """
        return self._names[segment_id]

    def find_segments(self, text: str | FoldedText) -> list[str]:
        """Return the ids of the segments of the author of a text, in the order of `segment_ids`."""
        own_text = _fold_own_text(text)
        folded = own_text.folded_in_place()
        segment_ids = []
        for segment_id, matcher in self._project_matchers.items():
            if matcher.matches(own_text):
                segment_ids.append(segment_id)
        likely_ids = self._built_in_with_a_word(folded)
        if likely_ids:
            segment_ids += [
                segment_id
                for segment_id, segment in self._built_in.items()
                if segment_id in likely_ids and _describes_author(folded, segment)
            ]
        return segment_ids

    def _built_in_with_a_word(self, folded: str) -> set[str]:
        """Return the built-in segments of which the text has a word."""
        segment_ids: set[str] = set()
        for match in self._any_word.finditer(folded):
            start = match.start()
            for word, segment_id in self._words_by_first[folded[start]]:
                if folded.startswith(word, start):
                    segment_ids.add(segment_id)
        return segment_ids


def _any_of(words_by_first: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """Return an expression that is empty where a word begins, and passes quickly over all else."""
    first_characters = re.escape("".join(sorted(words_by_first)))
    words = [word for entries in words_by_first.values() for word, _ in entries]
    alternatives = "|".join(map(re.escape, words))
    return f"(?=[{first_characters}])(?={alternatives})" if words else "(?!)"


def _fold_own_text(text: str | FoldedText) -> FoldedText:
    """Fold a text without what it quotes of others; a folded text that quotes nothing stays."""
    original = text.original if isinstance(text, FoldedText) else text
    if "//" not in original:
        return fold_once(text)
    own = strip_reposts(original)
    return fold_once(own if len(own) < len(original) else text)


def strip_reposts(text: str) -> str:
    """Return a text without what it quotes of others behind `//@`.

    >>> strip_reposts("转发 //@somebody: 我怀孕了")
    '转发 '
    """
    return _REPOSTED.split(text, maxsplit=1)[0]


def _describes_author(folded: str, segment: _BuiltInSegment) -> bool:
    """Return whether the author of a text says to belong to a built-in segment."""
    supposed = _guards()["supposed"]
    about_others = _guards()["others"]
    return _matches_unguarded(folded, segment.own, supposed) or _matches_unguarded(
        folded, segment.evident, supposed, about_others
    )


def _matches_unguarded(folded: str, pattern: re.Pattern[str], *guards: re.Pattern[str]) -> bool:
    """Return whether a match of the pattern has none of the guards before it in its clause."""
    for match in pattern.finditer(folded):
        before = _CLAUSE_END.split(folded[max(0, match.start() - _GUARD_LENGTH) : match.start()])[
            -1
        ]
        if not any(guard.search(before) for guard in guards):
            return True
    return False


@cache
def _segment_table() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def _guards() -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(_segment_table()[name]) for name in ("supposed", "others")}


@cache
def _built_in_segments() -> Mapping[str, _BuiltInSegment]:
    """Return the segments of the data file by id."""
    return {
        entry["id"]: _BuiltInSegment(
            tuple(entry["names"]),
            tuple(entry["words"]),
            _compile_patterns(entry["own"]),
            _compile_patterns(entry["evident"]),
        )
        for entry in _segment_table()["segments"]
    }


def _compile_patterns(patterns: Sequence[str]) -> re.Pattern[str]:
    """Return one expression for all of the patterns, with each {frame} replaced."""
    frame = re.compile(rf"\{{({'|'.join(_segment_table()['frames'])})\}}")
    return re.compile(
        "|".join(
            frame.sub(lambda match: _segment_table()["frames"][match[1]], pattern)
            for pattern in patterns
        )
    )
