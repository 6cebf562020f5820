"""Who says it: audience segments, found in what authors say of themselves.

`nlp/data/segments.toml` holds the built-in ones; a segment of the project with the same id takes the place of one.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from folate.core.config import AudienceSegment
from nlp.text.longest_match import longest_match_pattern
from nlp.text.normalize import fold_text, normalize_text

_FILE = Path(__file__).parents[1] / "data" / "segments.toml"
_REPOSTED = re.compile(r"//\s?@")  # from here on it is somebody else who speaks
_CLAUSE_END = re.compile(r"[,，。!?;；\n]|\.(?=\s|$)")


@dataclass(frozen=True)
class _BuiltIn:
    """A segment of the data file, its expressions compiled."""

    names: tuple[str, ...]
    words: tuple[str, ...]
    own: re.Pattern[str]
    evident: re.Pattern[str]


class SegmentDetector:
    """The project's segments, found by their plain terms, and the built-in ones whose id the project does not use."""

    def __init__(self, segments: Sequence[AudienceSegment] = ()) -> None:
        self._plain = {segment.id: _any_of(segment.terms) for segment in segments}
        self._built_in = {
            id_: segment for id_, segment in _built_in().items() if id_ not in self._plain
        }
        self._names = {segment.id: segment.names for segment in segments} | {
            id_: its.names for id_, its in self._built_in.items()
        }

    @property
    def segment_ids(self) -> tuple[str, ...]:
        """Every segment that can be found: the project's in the order of its file, then the built-in ones."""
        return tuple(self._names)

    def display_names(self, segment_id: str) -> tuple[str, ...]:
        """What is printed of a segment: Chinese, then English, for a built-in one. Raises KeyError when there is none of that id."""
        return self._names[segment_id]

    def find_segments(self, text: str) -> list[str]:
        """Ids of the segments that the author of a text says to belong to, in the order of `ids`."""
        said = fold_text(strip_reposts(text))
        plain = [id_ for id_, terms in self._plain.items() if terms and terms.search(said)]
        return plain + [id_ for id_, segment in self._built_in.items() if _speaks(said, segment)]


def strip_reposts(text: str) -> str:
    """A text without what it quotes of others behind `//@`.

    >>> own_words("转发 //@somebody: 我怀孕了")
    '转发 '
    """
    return _REPOSTED.split(text, maxsplit=1)[0]


def _any_of(terms: Sequence[str]) -> re.Pattern[str] | None:
    source = longest_match_pattern(filter(None, map(normalize_text, terms)))
    return re.compile(source) if source else None


def _speaks(said: str, segment: _BuiltIn) -> bool:
    if not any(word in said for word in segment.words):
        return False
    return _holds(said, segment.own, _guards()["supposed"]) or _holds(
        said, segment.evident, _guards()["supposed"], _guards()["others"]
    )


def _holds(said: str, pattern: re.Pattern[str], *unless: re.Pattern[str]) -> bool:
    """Whether some match of the pattern has none of `unless` before it in its clause."""
    for match in pattern.finditer(said):
        before = _CLAUSE_END.split(said[max(0, match.start() - 40) : match.start()])[-1]
        if not any(guard.search(before) for guard in unless):
            return True
    return False


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def _guards() -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(_file()[name]) for name in ("supposed", "others")}


@cache
def _built_in() -> Mapping[str, _BuiltIn]:
    """The segments of the data file by id."""
    return {
        entry["id"]: _BuiltIn(
            tuple(entry["names"]),
            tuple(entry["words"]),
            _compiled(entry["own"]),
            _compiled(entry["evident"]),
        )
        for entry in _file()["segments"]
    }


def _compiled(patterns: Sequence[str]) -> re.Pattern[str]:
    """One expression for all of `patterns`, each {frame} written out."""
    frame = re.compile(rf"\{{({'|'.join(_file()['frames'])})\}}")
    return re.compile(
        "|".join(
            frame.sub(lambda match: _file()["frames"][match[1]], pattern) for pattern in patterns
        )
    )
