"""Who left one brand for another, and who holds one to be better: rules over linked brand mentions.

`nlp/data/comparisons.toml` is the table of rules: a pattern, whose places say the direction, and the kind that it tells.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from nlp.extract.brands import Mention
from nlp.text.normalize import fold_text

KINDS = ("switch", "better")
_FILE = Path(__file__).parents[1] / "data" / "comparisons.toml"

# A mention is written over in place, by characters that no text has: so a rule sees it as one thing, and offsets hold.
_HEAD, _TAIL = "\ue000", "\ue001"
_ONE = f"{_HEAD}{_TAIL}*"
_SEVERAL = rf"{_ONE}(?: ?(?:和|跟|与|及|以及|、|/|&|and|or) ?(?:the )?{_ONE}){{0,3}}"
_PLACES = {
    "brand": rf"\s?(?P<brand>{_SEVERAL})\s?",
    "other": rf"\s?(?P<other>{_SEVERAL})\s?",
    "either": rf"\s?{_ONE}\s?",
    "head": _HEAD,
}

_SENTENCE = re.compile(r"(?:[^。!?;\n.]|\.(?!\s|$))+[。!?;\n.]*")
_AROUND = 60  # characters of a sentence that are looked at before and after a match
_CLAUSE_END = re.compile(r"[,。.!?;\n]")
_ASKED = re.compile(r"(?:[吗么]|呢[?])|^[^,。.!;\n]*\?")
_PRESUPPOSED = re.compile(r"为什么|为啥|怎么会|(?<![a-z])why(?![a-z])")


class Comparison(NamedTuple):
    """`brand` is the one moved to (kind "switch") or preferred ("better"), `other` the one left or worse.

    `start` and `end` span the words that say it, in code points of the text.
    """

    brand: str
    other: str
    kind: str
    start: int
    end: int


class _Rule(NamedTuple):
    kind: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str]


def find_comparisons(text: str, mentions: Sequence[Mention]) -> list[Comparison]:
    """The directed relations that a text states between brands it mentions, in order of their place.

    Within a sentence, and each once in it; what is denied, asked, wished or supposed is not stated; what is planned is.
    """
    if len({mention.brand for mention in mentions}) < 2:
        return []
    text, brands = _masked(fold_text(text), mentions)
    found: list[Comparison] = []
    for sentence in _SENTENCE.finditer(text):
        if sentence[0].count(_HEAD) > 1:
            here: dict[tuple[str, str, str], Comparison] = {}
            for new in _stated(text, sentence.span(), brands):
                opposite = here.get((new.other, new.brand, new.kind))
                if not (opposite and _overlap(new, opposite)):
                    here.setdefault((new.brand, new.other, new.kind), new)
            found += here.values()
    return sorted(found, key=lambda its: (its.start, its.end, its.kind, its.brand, its.other))


def _masked(folded: str, mentions: Sequence[Mention]) -> tuple[str, dict[int, list[str]]]:
    """The text with its mentions written over, and the brands named at each place; a mention inside of another is passed over."""
    folded = folded.replace(_HEAD, " ").replace(_TAIL, " ")
    brands: dict[int, list[str]] = {}
    parts, last = [], (0, 0)
    for brand, *span in sorted(mentions, key=lambda its: (its.start, -its.end)):
        if span[0] >= last[1]:
            parts += [folded[last[1] : span[0]], _HEAD, _TAIL * (span[1] - span[0] - 1)]
            last = (span[0], span[1])
        if tuple(span) == last:
            brands.setdefault(span[0], []).append(brand)
    return "".join([*parts, folded[last[1] :]]), brands


def _stated(
    text: str, sentence: tuple[int, int], brands: Mapping[int, list[str]]
) -> Iterator[Comparison]:
    """What the rules find in one sentence, rule by rule."""
    for kind, pattern, unless in _rules():
        for match in pattern.finditer(text, *sentence):
            if unless.search(
                text[max(sentence[0], match.start() - _AROUND) : match.start()]
            ) or _asked(text, match, sentence[1]):
                continue
            for brand in _named(match, "brand", brands):
                for other in _named(match, "other", brands):
                    if brand != other:
                        yield Comparison(brand, other, kind, *_stripped(match))


def _asked(text: str, match: re.Match[str], end: int) -> bool:
    """Whether the clause of a match is a question; one that asks why takes the relation for granted."""
    rest = text[match.end() : min(end, match.end() + _AROUND)]
    mark = _CLAUSE_END.search(rest)
    clause = rest[: mark.end()] if mark else rest
    return bool(_ASKED.search(clause)) and not _PRESUPPOSED.search(
        text[max(0, match.start() - 20) : match.end()]
    )


def _named(match: re.Match[str], place: str, brands: Mapping[int, list[str]]) -> list[str]:
    heads = (at for at in range(*match.span(place)) if match.string[at] == _HEAD)
    return [brand for at in heads for brand in brands[at]]


def _stripped(match: re.Match[str]) -> tuple[int, int]:
    """The span of a match without the spaces around it."""
    words = match[0]
    return match.start() + len(words) - len(words.lstrip()), match.end() - len(words) + len(
        words.rstrip()
    )


def _overlap(one: Comparison, two: Comparison) -> bool:
    """Whether they are read from the same words: then the earlier rule holds."""
    return one.start < two.end and two.start < one.end


@cache
def _rules() -> tuple[_Rule, ...]:
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    words = _PLACES | table["words"]
    return tuple(
        _Rule(
            kind,
            re.compile(_expanded(rule, words)),
            re.compile(_expanded(table[kind]["unless"], words)),
        )
        for kind in KINDS
        for rule in table[kind]["rules"]
    )


def _expanded(pattern: str, words: Mapping[str, Any]) -> str:
    """A pattern with each {word} written out, the words inside of words too."""
    word = re.compile(rf"\{{({'|'.join(words)})\}}")
    while word.search(pattern):
        pattern = word.sub(lambda match: words[match[1]], pattern)
    return pattern
