"""Composed sentences for labels that public sets hardly have, from phrases of our own.

Several aspects in one text, intents and what only looks like them, fear and surprise in English;
also irony, emoticons, emoji, two languages and traditional characters.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from folate.core.labels import ASPECTS, EMOTIONS, INTENTS
from training.sets import composed
from training.sets.aspects import aspect_phrases, find_absent_aspects
from training.sets.composed import invent_brand_name
from training.sets.samples import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    LabelledAspect,
    LabelledTarget,
    Sample,
)

_POLARITY = {"negative": NEGATIVE, "neutral": NEUTRAL, "positive": POSITIVE}
_EMOTICONS = {
    NEGATIVE: ("", "", "", "[怒]", "[泪]", "😡", "👎", "[微笑]", "🙂", "[吐]", "[衰]", "😤"),
    NEUTRAL: ("", "", "", "🤔", "[思考]"),
    POSITIVE: ("", "", "", "[赞]", "[爱你]", "😍", "👍", "[哈哈]", "❤️", "[给力]", "🎉"),
}
_INTENTS = {intent: index for index, intent in enumerate(INTENTS)}

_LABEL_BY_INTENTS: dict[tuple[str, ...], int] = {("complain",): NEGATIVE, ("ask",): NEUTRAL}
"""Label of a composed text whose intents are exactly these."""


@cache
def _load_phrases(kind: str) -> dict[str, dict[str, list[str]]]:
    phrases: dict[str, dict[str, list[str]]] = json.loads(
        Path(__file__).with_name(f"{kind}.json").read_text(encoding="utf-8")
    )
    return phrases


def compose_task_samples(count: int, seed: int) -> Iterator[Sample]:
    """Compose ``count`` samples, half in each language.

    Of ten, five are of aspects, four of intents and one of emotions.
    """
    rng = random.Random(f"{seed}/sentences")  # noqa: S311 - sampling, not a secret
    for index in range(count):
        make = rng.choices((_compose_aspects, _compose_intents, _compose_emotion), (5, 4, 1))[0]
        yield make(("zh", "en")[index % 2], rng)


def _compose_aspects(language: str, rng: random.Random) -> Sample:
    """Compose one to three aspects, each with its own polarity, some of a named brand."""
    script = _script_converter(language, rng)
    phrases = aspect_phrases(language)
    text = _surrounding_text("starts", language, rng)
    labelled_aspects: list[LabelledAspect] = []
    targets: list[LabelledTarget] = []
    for position, index in enumerate(rng.sample(range(len(ASPECTS)), rng.choice((1, 1, 2, 2, 3)))):
        polarity = rng.choice(("negative", "positive", "negative", "positive", "neutral"))
        text += rng.choice(composed.load_brand_phrases(language)["joins"]) if position else ""
        mixed = language == "zh" and rng.random() < 0.05
        phrase = script(rng.choice((aspect_phrases("en") if mixed else phrases)[index][polarity]))
        start = len(text)
        if rng.random() < 0.3:
            brand = invent_brand_name(language, rng)
            before, between, after = _brand_frame(language, polarity, rng)
            targets.append(
                LabelledTarget(
                    ((start + len(before), start + len(before) + len(brand)),), _POLARITY[polarity]
                )
            )
            text += before + brand + between + phrase + after
        else:
            text += phrase
        labelled_aspects.append(LabelledAspect(index, _POLARITY[polarity], ((start, len(text)),)))
    labels = {aspect.label for aspect in labelled_aspects}
    polar_labels = labels - {NEUTRAL}
    label = (polar_labels or {NEUTRAL}).pop() if len(polar_labels) < 2 else None
    text += rng.choice(_EMOTICONS[label]) if label is not None else ""
    present = {aspect.index for aspect in labelled_aspects}
    absent = tuple(index for index in range(len(ASPECTS)) if index not in present)
    intents_by_label = {
        NEGATIVE: ((_INTENTS["complain"], True),),
        NEUTRAL: (),
        POSITIVE: ((_INTENTS["complain"], False),),
    }
    intents = intents_by_label[label] if label is not None else ()
    return Sample(
        text,
        label,
        targets=tuple(targets),
        aspects=tuple(labelled_aspects),
        absent_aspects=absent,
        intents=intents,
    )


def _brand_frame(language: str, polarity: str, rng: random.Random) -> tuple[str, str, str]:
    """Return the text before a brand, between it and the phrase, and after: sometimes a turn."""
    phrases = composed.load_brand_phrases(language)
    if polarity in phrases["turns"] and rng.random() < 0.3:
        before, between, after = rng.choice(phrases["turns"][polarity]).split("{}")
        return before, between, after
    return "", rng.choice(phrases["between"]), ""


def _compose_intents(language: str, rng: random.Random) -> Sample:
    """Fill in one template; every intent is known.

    A complaint is negative, a mere question neutral.
    """
    templates = _load_phrases("intents")[language]
    kinds = sorted(kind for kind in templates if kind not in ("products", "starts", "ends"))
    kind = rng.choices(kinds, [len(templates[kind]) ** 0.5 for kind in kinds])[0]
    sample_intents = kind.split()
    brand = invent_brand_name(language, rng)
    other_brand = invent_brand_name(language, rng)
    script = _script_converter(language, rng)
    template = script(rng.choice(templates[kind]))
    text = _surrounding_text("starts", language, rng)
    targets: list[LabelledTarget] = []
    label = _LABEL_BY_INTENTS.get(tuple(sample_intents))
    label_by_field = (
        {"{brand}": POSITIVE, "{other}": NEGATIVE}
        if sample_intents == ["switch", "complain"]
        else {}
    )
    for piece in _split_template(template):
        filled_piece = {
            "{brand}": brand,
            "{other}": other_brand,
            "{product}": rng.choice(templates["products"]),
        }.get(piece, piece)
        brand_label = label_by_field.get(piece, label) if piece in ("{brand}", "{other}") else None
        if brand_label is not None:
            targets.append(
                LabelledTarget(((len(text), len(text) + len(filled_piece)),), brand_label)
            )
        text += filled_piece
    text += _surrounding_text("ends", language, rng)
    intents = tuple((index, intent in sample_intents) for intent, index in _INTENTS.items())
    return Sample(
        text,
        label,
        targets=tuple(targets),
        absent_aspects=find_absent_aspects(text),
        intents=intents,
    )


def _split_template(template: str) -> Iterator[str]:
    """Split a template at its fields, and yield the fields among the pieces."""
    for position, piece in enumerate(template.replace("}", "{").split("{")):
        if piece:
            yield f"{{{piece}}}" if position % 2 else piece


def _compose_emotion(language: str, rng: random.Random) -> Sample:
    phrases = _load_phrases("emotions")[language]
    emotion = rng.choice(sorted(phrases))
    sentence = _script_converter(language, rng)(rng.choice(phrases[emotion]))
    text = (
        _surrounding_text("starts", language, rng)
        + sentence
        + _surrounding_text("ends", language, rng)
    )
    return Sample(
        text, None, emotion=EMOTIONS.index(emotion), absent_aspects=find_absent_aspects(text)
    )


def _surrounding_text(position: str, language: str, rng: random.Random) -> str:
    """Return what comes before or after a sentence: a word, a hashtag, mostly nothing."""
    return rng.choice(_load_phrases("intents")[language][position]).replace(
        "{brand}", invent_brand_name(language, rng)
    )


def _script_converter(language: str, rng: random.Random) -> Callable[[str], str]:
    """Return the conversion of a sentence: traditional characters for one Chinese one in ten."""
    return _traditional_converter().convert if language == "zh" and rng.random() < 0.1 else str


@cache
def _traditional_converter() -> Any:
    import opencc  # loads its dictionaries

    return opencc.OpenCC("s2t")
