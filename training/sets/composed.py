"""Composed sentences with two brands of different sentiment, or a brand that the post is not about.

The public sets lack these. Brand names are invented at random, so that the heads learn the sentence
and not the brand.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from training.sets.samples import NEGATIVE, NEUTRAL, NOT_ABOUT, POSITIVE, LabelledTarget, Sample

_LABELS = {"negative": NEGATIVE, "neutral": NEUTRAL, "positive": POSITIVE}
_HAN = "安百川达恩芳冠海和恒华佳金景康乐丽美明宁青荣瑞森盛泰天维喜星雅一怡银优悦云泽真正之知中"
_SYLLABLES = (
    *("ba", "co", "da", "el", "fi", "gra", "ha", "jo", "ka", "lu", "mi", "no", "or", "pu", "ra"),
    *("so", "ti", "ve", "xa", "zen", "lon", "mar"),
)


@cache
def load_brand_phrases(language: str) -> dict[str, Any]:
    """Load the hand-written phrases of a language.

    Predicates and asides by label, joins of two clauses, and what comes before a predicate.
    """
    phrases_by_language = json.loads(
        Path(__file__).with_name("composed.json").read_text(encoding="utf-8")
    )
    phrases: dict[str, Any] = phrases_by_language[language]
    return phrases


def invent_brand_name(language: str, rng: random.Random) -> str:
    """Invent a brand name; one Chinese post in five has a brand in Latin letters."""
    if language == "zh" and rng.random() < 0.8:
        return "".join(rng.sample(_HAN, rng.choice((2, 2, 3))))
    name = "".join(rng.sample(_SYLLABLES, rng.choice((2, 2, 3))))
    return rng.choice((name.capitalize(), name, name.upper()))


def compose_brand_samples(count: int, seed: int) -> Iterator[Sample]:
    """Compose ``count`` samples, half in each language.

    Of ten, seven are of two brands, one of one, two with a brand that the post is not about.
    """
    rng = random.Random(seed)  # noqa: S311 - sampling, not a secret
    for index in range(count):
        language = ("zh", "en")[index % 2]
        draw = rng.random()
        if draw < 0.7:
            yield _compose_brand_opinions(language, rng, brands=2)
        elif draw < 0.8:
            yield _compose_brand_opinions(language, rng, brands=1)
        else:
            yield _compose_aside(language, rng)


def _compose_brand_opinions(language: str, rng: random.Random, brands: int) -> Sample:
    text = ""
    targets: list[LabelledTarget] = []
    labels: list[int] = []
    for position in range(brands):
        polarity = rng.choice(("negative", "positive", "negative", "positive", "neutral"))
        label = _LABELS[polarity]
        text += rng.choice(load_brand_phrases(language)["joins"]) if position else ""
        brand = invent_brand_name(language, rng)
        targets.append(LabelledTarget(((len(text), len(text) + len(brand)),), label))
        text += (
            brand
            + rng.choice(load_brand_phrases(language)["between"])
            + rng.choice(load_brand_phrases(language)["predicates"][polarity])
        )
        labels.append(label)
    polar = set(labels) - {NEUTRAL}
    return Sample(
        text, (polar or {NEUTRAL}).pop() if len(polar) < 2 else None, targets=tuple(targets)
    )


def _compose_aside(language: str, rng: random.Random) -> Sample:
    polarity = rng.choice(("negative", "positive"))
    before, after = rng.choice(load_brand_phrases(language)["asides"][polarity]).split("{}")
    brand = invent_brand_name(language, rng)
    text = before + brand + after
    targets = [LabelledTarget(((len(before), len(before) + len(brand)),), NOT_ABOUT)]
    labels = {_LABELS[polarity]}
    if rng.random() < 0.4:
        brand_sample = _compose_brand_opinions(language, rng, brands=1)
        text += "。" if language == "zh" else ". "
        (start, end) = brand_sample.targets[0].spans[0]
        label = brand_sample.targets[0].label
        targets.append(LabelledTarget(((start + len(text), end + len(text)),), label))
        text += brand_sample.text
        labels |= {label} - {NEUTRAL}
    return Sample(text, labels.pop() if len(labels) == 1 else None, targets=tuple(targets))
