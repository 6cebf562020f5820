"""Aspects of texts by a word list, for sets that annotate terms or nothing; training data only.

`aspects.json` has, by aspect and language, terms that name the aspect, and cues that may: a text
with a term has the aspect, one with neither does not, and for one with only cues it is unknown.
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
    "(?:[肉鱼虾鸡鸭面饭汤粥饺包糕茶奶酒果菜串排蟹笋菇蛋饼粉丸滑酱冰肚肠肝舌爪翅贝蚝瓜]"
    "|豆腐|咖啡|布丁|沙拉|披萨|寿司|刺身|甜品|烧烤|火锅|点心|小吃|主食|锅底|汉堡)$"
)
_LATIN = re.compile(r"[a-z]+(?:['-][a-z]+)*")
_TASTE = ASPECTS.index("taste")
_Span = tuple[int, int]


@cache
def aspect_lexicon() -> dict[str, dict[str, dict[str, list[str]]]]:
    """Load terms, cues, and phrases of each polarity, by aspect and language."""
    lexicon: dict[str, dict[str, dict[str, list[str]]]] = json.loads(
        Path(__file__).with_name("aspects.json").read_text(encoding="utf-8")
    )
    return lexicon


@cache
def _words_with_aspects(language: str) -> dict[str, list[tuple[int, bool]]]:
    """Return the listed words with their aspects, and whether each is a term rather than a cue."""
    aspects_by_word: dict[str, list[tuple[int, bool]]] = {}
    for index, name in enumerate(ASPECTS):
        for kind in ("terms", "cues"):
            for word in aspect_lexicon()[name][language][kind]:
                aspects_by_word.setdefault(word, []).append((index, kind == "terms"))
    return aspects_by_word


@cache
def _first_character_pattern() -> re.Pattern[str]:
    """Compile the first characters of the listed Chinese words."""
    return re.compile(
        f"[{''.join(sorted({re.escape(word[0]) for word in _words_with_aspects('zh')}))}]"
    )


def _find_listed_words(text: str) -> Iterator[tuple[int, bool, _Span]]:
    """Yield each listed word of a text: its aspect, whether it is a term, and its span.

    Latin words match as a whole, Chinese ones anywhere.
    """
    lower = text.lower() if len(text.lower()) == len(text) else text
    latin = [word.span() for word in _LATIN.finditer(lower)]
    latin_candidates: list[_Span] = []
    for first, (start, _) in enumerate(latin):
        latin_candidates += [(start, end) for _, end in latin[first : first + 3]]
    chinese_candidates: list[_Span] = []
    for match in _first_character_pattern().finditer(text):
        start = match.start()
        chinese_candidates += [(start, end) for end in range(start + 1, start + 7)]
    for language, spans in (("en", latin_candidates), ("zh", chinese_candidates)):
        words = _words_with_aspects(language)
        for start, end in spans:
            for index, is_term in words.get(lower[start:end], ()) if end <= len(text) else ():
                yield index, is_term, (start, end)


def aspect_term_spans(text: str) -> dict[int, tuple[_Span, ...]]:
    """Return the spans of the terms in a text, by aspect."""
    spans_by_aspect: dict[int, tuple[_Span, ...]] = {}
    for index, is_term, span in _find_listed_words(text):
        if is_term:
            spans_by_aspect[index] = (*spans_by_aspect.get(index, ()), span)
    return spans_by_aspect


def find_absent_aspects(text: str, present_aspects: Sequence[int] = ()) -> tuple[int, ...]:
    """Return the aspects, except ``present_aspects``, without a term or cue in the text."""
    possible = {index for index, _, _ in _find_listed_words(text)} | set(present_aspects)
    return tuple(index for index in range(len(ASPECTS)) if index not in possible)


def aspect_of_term(term: str) -> int | None:
    """Return the aspect of an annotated term: that of its longest listed word; taste for a dish."""
    hits: list[tuple[int, int]] = []
    for index, spans in aspect_term_spans(term).items():
        hits += [(end - start, -index) for start, end in spans]
    if hits:
        return -max(hits)[1]
    return _TASTE if _DISH.search(term) else None


def label_aspects_by_targets(sample: Sample) -> Sample:
    """Add the aspects of a sample's annotated terms.

    With only terms that no list has, all aspects are unknown.
    """
    targets_by_aspect: dict[int, list[LabelledTarget]] = {}
    has_unlisted_term = False
    for target in sample.targets:
        index = aspect_of_term(sample.text[slice(*target.spans[0])])
        if index is None:
            has_unlisted_term = True
        else:
            targets_by_aspect.setdefault(index, []).append(target)
    labelled_aspects = tuple(
        LabelledAspect(
            index, _shared_label([target.label for target in targets]), _all_spans(targets)
        )
        for index, targets in sorted(targets_by_aspect.items())
    )
    return replace(
        sample,
        aspects=labelled_aspects,
        absent_aspects=()
        if has_unlisted_term and not targets_by_aspect
        else find_absent_aspects(sample.text, list(targets_by_aspect)),
    )


def aspects_from_subjects(labels: Mapping[int, Sequence[int]]) -> tuple[LabelledAspect, ...]:
    """Return aspects with the labels that annotators gave them, without spans."""
    return tuple(
        LabelledAspect(index, _shared_label(aspect_labels))
        for index, aspect_labels in sorted(labels.items())
    )


def label_aspects_by_terms(
    sample: Sample, contrast_pattern: re.Pattern[str], max_characters: int = 60
) -> Sample:
    """Add the aspects that a sample's text has terms of.

    They get its polarity if it is short and ``contrast_pattern`` does not match.
    """
    label = (
        sample.label
        if len(sample.text) <= max_characters and not contrast_pattern.search(sample.text)
        else None
    )
    labelled_aspects = tuple(
        LabelledAspect(index, label, spans)
        for index, spans in sorted(aspect_term_spans(sample.text).items())
    )
    return replace(
        sample,
        aspects=labelled_aspects,
        absent_aspects=find_absent_aspects(sample.text),
        rule_labelled=(*sample.rule_labelled, "aspects"),
    )


def _shared_label(labels: Sequence[int]) -> int | None:
    return labels[0] if len(set(labels)) == 1 else None


def _all_spans(targets: Sequence[LabelledTarget]) -> tuple[_Span, ...]:
    return tuple(sorted({span for target in targets for span in target.spans}))


def aspect_phrases(language: str) -> list[dict[str, Any]]:
    """Return the phrases of a language by polarity, one entry for each of ASPECTS."""
    return [aspect_lexicon()[name][language] for name in ASPECTS]
