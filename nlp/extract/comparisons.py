"""Comparisons: who left one brand for another, and who prefers one to another.

Rules over linked brand mentions. Each rule of `nlp/data/comparisons.toml` is a pattern whose
placeholders give the direction, and the kind of relation that it states.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from nlp.extract.brands import Mention
from nlp.text.normalize import FoldedText, fold_once

KINDS = ("switch", "better")
_FILE = Path(__file__).parents[1] / "data" / "comparisons.toml"

# A mention is replaced in place by private-use characters: a rule sees one thing, offsets stay.
_HEAD = "\ue000"
_TAIL = "\ue001"
_MENTION = f"{_HEAD}{_TAIL}*"
_MENTIONS = rf"{_MENTION}(?: ?(?:和|跟|与|及|以及|、|/|&|and|or) ?(?:the )?{_MENTION}){{0,3}}"
_PLACEHOLDERS = {
    "brand": rf"\s?(?P<brand>{_MENTIONS})\s?",
    "other": rf"\s?(?P<other>{_MENTIONS})\s?",
    "either": rf"\s?{_MENTION}\s?",
    "head": _HEAD,
}

_SENTENCE = re.compile(r"(?:[^。!?;\n.]|\.(?!\s|$))+[。!?;\n.]*")
_CLAUSE_END = re.compile(r"[,。.!?;\n]")
_QUESTION = re.compile(r"(?:[吗么]|呢[?])|^[^,。.!;\n]*\?")
_PRESUPPOSITION = re.compile(r"为什么|为啥|怎么会|(?<![a-z])why(?![a-z])")
# Characters of a sentence before and after a match that are searched for what cancels it.
_CONTEXT_LENGTH = 60
_PRESUPPOSITION_LENGTH = 20


class Comparison(NamedTuple):
    """A directed relation between two brands, and the span of the words that state it."""

    brand: str
    """The brand moved to (kind "switch") or preferred (kind "better")."""
    other: str
    """The brand left, or the worse one."""
    kind: str
    start: int
    end: int


class _Rule(NamedTuple):
    """One row of the table of rules."""

    kind: str
    pattern: re.Pattern[str]
    unless_before: re.Pattern[str]


def find_comparisons(text: str | FoldedText, mentions: Sequence[Mention]) -> list[Comparison]:
    """Return the relations that a text states between brands it mentions, by their offsets.

    A relation is within a sentence, and counts once in it. What is denied, asked, wished or
    supposed is not stated; what is planned is.
    """
    if len({mention.brand for mention in mentions}) < 2:
        return []
    masked, brands_at = _mask_mentions(fold_once(text).folded_in_place(), mentions)
    comparisons: list[Comparison] = []
    for sentence in _SENTENCE.finditer(masked):
        if sentence[0].count(_HEAD) > 1:
            comparisons += _sentence_comparisons(masked, sentence.span(), brands_at)
    return sorted(comparisons, key=attrgetter("start", "end", "kind", "brand", "other"))


def _sentence_comparisons(
    masked: str, sentence: tuple[int, int], brands_at: Mapping[int, list[str]]
) -> Iterable[Comparison]:
    """Return the distinct relations of one sentence.

    Of two opposite ones in the same words, that of the earlier rule is returned.
    """
    distinct: dict[tuple[str, str, str], Comparison] = {}
    for comparison in _apply_rules(masked, sentence, brands_at):
        opposite = distinct.get((comparison.other, comparison.brand, comparison.kind))
        if not (opposite and _overlap(comparison, opposite)):
            key = (comparison.brand, comparison.other, comparison.kind)
            distinct.setdefault(key, comparison)
    return distinct.values()


def _mask_mentions(folded: str, mentions: Sequence[Mention]) -> tuple[str, dict[int, list[str]]]:
    """Replace the mentions in a text; return it and, by start offset, the brands named there.

    A mention inside of another one is dropped.
    """
    folded = folded.replace(_HEAD, " ").replace(_TAIL, " ")
    brands_at: dict[int, list[str]] = {}
    pieces: list[str] = []
    last_span = (0, 0)
    for brand, start, end in sorted(mentions, key=lambda mention: (mention.start, -mention.end)):
        if start >= last_span[1]:
            pieces += [folded[last_span[1] : start], _HEAD, _TAIL * (end - start - 1)]
            last_span = (start, end)
        if (start, end) == last_span:
            brands_at.setdefault(start, []).append(brand)
    return "".join([*pieces, folded[last_span[1] :]]), brands_at


def _apply_rules(
    masked: str, sentence: tuple[int, int], brands_at: Mapping[int, list[str]]
) -> Iterator[Comparison]:
    """Yield what the rules find in one sentence, rule by rule."""
    sentence_start, sentence_end = sentence
    for rule in _rules():
        for match in rule.pattern.finditer(masked, sentence_start, sentence_end):
            context_start = max(sentence_start, match.start() - _CONTEXT_LENGTH)
            cancelled = rule.unless_before.search(masked[context_start : match.start()])
            if not cancelled and not _is_question(masked, match, sentence_end):
                yield from _match_comparisons(rule.kind, match, brands_at)


def _match_comparisons(
    kind: str, match: re.Match[str], brands_at: Mapping[int, list[str]]
) -> Iterator[Comparison]:
    """Yield the relation of each brand with each other brand of one match."""
    span = _stripped_span(match)
    for brand in _brands_in_group(match, "brand", brands_at):
        for other in _brands_in_group(match, "other", brands_at):
            if brand != other:
                yield Comparison(brand, other, kind, *span)


def _is_question(masked: str, match: re.Match[str], sentence_end: int) -> bool:
    """Return whether the clause of a match asks for the relation; one that asks why states it."""
    after = masked[match.end() : min(sentence_end, match.end() + _CONTEXT_LENGTH)]
    clause_end = _CLAUSE_END.search(after)
    clause = after[: clause_end.end()] if clause_end else after
    if not _QUESTION.search(clause):
        return False
    before_start = max(0, match.start() - _PRESUPPOSITION_LENGTH)
    return not _PRESUPPOSITION.search(masked[before_start : match.end()])


def _brands_in_group(
    match: re.Match[str], group: str, brands_at: Mapping[int, list[str]]
) -> list[str]:
    brands: list[str] = []
    for offset in range(*match.span(group)):
        if match.string[offset] == _HEAD:
            brands += brands_at[offset]
    return brands


def _stripped_span(match: re.Match[str]) -> tuple[int, int]:
    """Return the span of a match without the spaces around it."""
    words = match[0]
    start = match.start() + len(words) - len(words.lstrip())
    end = match.end() - len(words) + len(words.rstrip())
    return start, end


def _overlap(first: Comparison, second: Comparison) -> bool:
    return first.start < second.end and second.start < first.end


@cache
def _rules() -> tuple[_Rule, ...]:
    """Compile the table of rules, the rules of each kind in the order of the file."""
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    words = _PLACEHOLDERS | table["words"]
    rules = []
    for kind in KINDS:
        unless_before = re.compile(_expand_words(table[kind]["unless"], words))
        patterns = [re.compile(_expand_words(rule, words)) for rule in table[kind]["rules"]]
        rules += [_Rule(kind, pattern, unless_before) for pattern in patterns]
    return tuple(rules)


def _expand_words(pattern: str, words: Mapping[str, Any]) -> str:
    """Replace each {word} of a pattern by its expression, the words in these expressions too."""
    word = re.compile(rf"\{{({'|'.join(words)})\}}")
    while word.search(pattern):
        pattern = word.sub(lambda match: words[match[1]], pattern)
    return pattern
