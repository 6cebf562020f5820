"""Aspects that a text speaks of, by a list of words: for sets that annotate terms or nothing, never for what the model answers.

`aspects.json` has, by aspect and language, terms that name the aspect, and cues that may: a text with a term speaks of it, one with
neither does not, one with only cues is left unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from folate.core.labels import ASPECTS
from training.sets.samples import LabelledAspect, LabelledTarget, Sample

_DISH = re.compile(
    "(?:[肉鱼虾鸡鸭面饭汤粥饺包糕茶奶酒果菜串排蟹笋菇蛋饼粉丸滑酱冰肚肠肝舌爪翅贝蚝瓜]|豆腐|咖啡|布丁|沙拉|披萨|寿司|刺身|甜品|烧烤|火锅|点心|小吃|主食|锅底|汉堡)$"
)
_LATIN = re.compile(r"[a-z]+(?:['-][a-z]+)*")
_TASTE = ASPECTS.index("taste")
_Span = tuple[int, int]


@cache
def aspect_lexicon() -> dict[str, dict[str, dict[str, list[str]]]]:
    """By aspect and language: terms, cues, and phrases of each polarity to compose sentences of."""
    made: dict[str, dict[str, dict[str, list[str]]]] = json.loads(
        Path(__file__).with_name("aspects.json").read_text(encoding="utf-8")
    )
    return made


@cache
def _words(language: str) -> dict[str, list[tuple[int, bool]]]:
    """The aspects that a listed word is about, and whether it is a term rather than a cue."""
    made: dict[str, list[tuple[int, bool]]] = {}
    for index, name in enumerate(ASPECTS):
        for kind in ("terms", "cues"):
            for word in aspect_lexicon()[name][language][kind]:
                made.setdefault(word, []).append((index, kind == "terms"))
    return made


@cache
def _first() -> re.Pattern[str]:
    """The characters that Chinese words of the list begin with."""
    return re.compile(f"[{''.join(sorted({re.escape(word[0]) for word in _words('zh')}))}]")


def _hits(text: str) -> Iterator[tuple[int, bool, _Span]]:
    """Every listed word of a text: its aspect, whether it is a term, and its place. Latin words are whole, others wherever they stand."""
    lower = text.lower() if len(text.lower()) == len(text) else text
    latin = [word.span() for word in _LATIN.finditer(lower)]
    runs = [
        (start, latin[last][1])
        for first, (start, _) in enumerate(latin)
        for last in range(first, min(first + 3, len(latin)))
    ]
    pieces = (
        (found.start(), end)
        for found in _first().finditer(text)
        for end in range(found.start() + 1, found.start() + 7)
    )
    for language, spans in (("en", runs), ("zh", pieces)):
        words = _words(language)
        for start, end in spans:
            for index, term in words.get(lower[start:end], ()) if end <= len(text) else ():
                yield index, term, (start, end)


def aspect_term_spans(text: str) -> dict[int, tuple[_Span, ...]]:
    """Where a text has terms, by aspect."""
    found: dict[int, tuple[_Span, ...]] = {}
    for index, term, span in _hits(text):
        if term:
            found[index] = (*found.get(index, ()), span)
    return found


def find_absent_aspects(text: str, present_aspects: Sequence[int] = ()) -> tuple[int, ...]:
    """The aspects, other than ``spoken``, that a text has neither a term nor a cue of."""
    hinted = {index for index, _, _ in _hits(text)} | set(present_aspects)
    return tuple(index for index in range(len(ASPECTS)) if index not in hinted)


def aspect_of_term(term: str) -> int | None:
    """The aspect that an annotated term is about: that of the longest word in it that is listed. A dish is about taste."""
    hits = [
        (end - start, -index)
        for index, spans in aspect_term_spans(term).items()
        for start, end in spans
    ]
    if hits:
        return -max(hits)[1]
    return _TASTE if _DISH.search(term) else None


def label_aspects_by_targets(sample: Sample) -> Sample:
    """The sample with the aspects that its annotated terms are about. A term that no list has leaves what it is about unknown."""
    found: dict[int, list[LabelledTarget]] = {}
    unknown = False
    for target in sample.targets:
        index = aspect_of_term(sample.text[slice(*target.spans[0])])
        if index is None:
            unknown = True
        else:
            found.setdefault(index, []).append(target)
    spoken = tuple(
        LabelledAspect(index, _agreed([its.label for its in targets]), _all(targets))
        for index, targets in sorted(found.items())
    )
    return replace(
        sample,
        aspects=spoken,
        absent_aspects=()
        if unknown and not found
        else find_absent_aspects(sample.text, list(found)),
    )


def aspects_from_subjects(labels: Mapping[int, Sequence[int]]) -> tuple[LabelledAspect, ...]:
    """Aspects with the labels that annotators gave them without saying where."""
    return tuple(LabelledAspect(index, _agreed(its)) for index, its in sorted(labels.items()))


def label_aspects_by_terms(
    sample: Sample, contrast_pattern: re.Pattern[str], max_characters: int = 60
) -> Sample:
    """The sample with the aspects that it has terms of; they have its polarity if it is short and has no word that ``mixed`` finds."""
    label = (
        sample.label
        if len(sample.text) <= max_characters and not contrast_pattern.search(sample.text)
        else None
    )
    spoken = tuple(
        LabelledAspect(index, label, spans)
        for index, spans in sorted(aspect_term_spans(sample.text).items())
    )
    return replace(
        sample,
        aspects=spoken,
        absent_aspects=find_absent_aspects(sample.text),
        rule_labelled=(*sample.rule_labelled, "aspects"),
    )


def _agreed(labels: Sequence[int]) -> int | None:
    return labels[0] if len(set(labels)) == 1 else None


def _all(targets: Sequence[LabelledTarget]) -> tuple[_Span, ...]:
    return tuple(sorted({span for target in targets for span in target.spans}))


def aspect_phrases(language: str) -> list[dict[str, Any]]:
    """The phrases of a language by polarity, an aspect each, in the order of ASPECTS."""
    return [aspect_lexicon()[name][language] for name in ASPECTS]
