"""Sentences made here, from phrases of our own, for the judgements that public sets hardly have: aspects beside each other, intents and
what only looks like them, fear and surprise in English. Beside them irony, emoticons, emoji, two languages and traditional characters.
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
_FACES = {
    NEGATIVE: ("", "", "", "[怒]", "[泪]", "😡", "👎", "[微笑]", "🙂", "[吐]", "[衰]", "😤"),
    NEUTRAL: ("", "", "", "🤔", "[思考]"),
    POSITIVE: ("", "", "", "[赞]", "[爱你]", "😍", "👍", "[哈哈]", "❤️", "[给力]", "🎉"),
}
_INTENTS = {intent: index for index, intent in enumerate(INTENTS)}


@cache
def _file(kind: str) -> dict[str, dict[str, list[str]]]:
    made: dict[str, dict[str, list[str]]] = json.loads(
        Path(__file__).with_name(f"{kind}.json").read_text(encoding="utf-8")
    )
    return made


def compose_task_samples(count: int, seed: int) -> Iterator[Sample]:
    """``count`` samples, half in each language: of ten, five of aspects, four of intents, one of emotions."""
    rng = random.Random(f"{seed}/sentences")  # noqa: S311 - sampling, not a secret
    for index in range(count):
        make = rng.choices((_aspects, _intents, _emotions), (5, 4, 1))[0]
        yield make(("zh", "en")[index % 2], rng)


def _aspects(language: str, rng: random.Random) -> Sample:
    """One to three aspects, each with a polarity of its own, some of a named brand."""
    script, its = _script(language, rng), aspect_phrases(language)
    text, spoken, targets = _around("starts", language, rng), [], []
    for position, index in enumerate(rng.sample(range(len(ASPECTS)), rng.choice((1, 1, 2, 2, 3)))):
        word = rng.choice(("negative", "positive", "negative", "positive", "neutral"))
        text += rng.choice(composed.load_brand_phrases(language)["joins"]) if position else ""
        mixed = language == "zh" and rng.random() < 0.05
        phrase = script(rng.choice((aspect_phrases("en") if mixed else its)[index][word]))
        start = len(text)
        if rng.random() < 0.3:
            brand = invent_brand_name(language, rng)
            before, between, after = _turned(language, word, rng)
            targets.append(
                LabelledTarget(
                    ((start + len(before), start + len(before) + len(brand)),), _POLARITY[word]
                )
            )
            text += before + brand + between + phrase + after
        else:
            text += phrase
        spoken.append(LabelledAspect(index, _POLARITY[word], ((start, len(text)),)))
    labels = {aspect.label for aspect in spoken}
    polar = labels - {NEUTRAL}
    label = (polar or {NEUTRAL}).pop() if len(polar) < 2 else None
    text += rng.choice(_FACES[label]) if label is not None else ""
    absent = tuple(
        index for index in range(len(ASPECTS)) if index not in {aspect.index for aspect in spoken}
    )
    complains = {
        NEGATIVE: ((_INTENTS["complain"], True),),
        NEUTRAL: (),
        POSITIVE: ((_INTENTS["complain"], False),),
    }
    intents = complains[label] if label is not None else ()
    return Sample(
        text,
        label,
        targets=tuple(targets),
        aspects=tuple(spoken),
        absent_aspects=absent,
        intents=intents,
    )


def _turned(language: str, word: str, rng: random.Random) -> tuple[str, str, str]:
    """What stands before a brand, between it and what is said of it, and after: now and then a change of mind."""
    its = composed.load_brand_phrases(language)
    if word in its["turns"] and rng.random() < 0.3:
        before, between, after = rng.choice(its["turns"][word]).split("{}")
        return before, between, after
    return "", rng.choice(its["between"]), ""


def _intents(language: str, rng: random.Random) -> Sample:
    """One template, its brands and product filled in; every intent is known. A complaint is negative, a mere question neutral."""
    its = _file("intents")[language]
    kinds = sorted(kind for kind in its if kind not in ("products", "starts", "ends"))
    kind = rng.choices(kinds, [len(its[kind]) ** 0.5 for kind in kinds])[0]
    has = kind.split()
    brand, other, template = (
        invent_brand_name(language, rng),
        invent_brand_name(language, rng),
        _script(language, rng)(rng.choice(its[kind])),
    )
    text, targets = _around("starts", language, rng), []
    label = NEGATIVE if has == ["complain"] else NEUTRAL if has == ["ask"] else None
    moved = {"{brand}": POSITIVE, "{other}": NEGATIVE} if has == ["switch", "complain"] else {}
    for piece in _pieces(template):
        filled = {"{brand}": brand, "{other}": other, "{product}": rng.choice(its["products"])}.get(
            piece, piece
        )
        judged = moved.get(piece, label) if piece in ("{brand}", "{other}") else None
        if judged is not None:
            targets.append(LabelledTarget(((len(text), len(text) + len(filled)),), judged))
        text += filled
    text += _around("ends", language, rng)
    intents = tuple((index, intent in has) for intent, index in _INTENTS.items())
    return Sample(
        text,
        label,
        targets=tuple(targets),
        absent_aspects=find_absent_aspects(text),
        intents=intents,
    )


def _pieces(template: str) -> Iterator[str]:
    """A template cut at its fields, the fields among the pieces."""
    for position, piece in enumerate(template.replace("}", "{").split("{")):
        if piece:
            yield f"{{{piece}}}" if position % 2 else piece


def _emotions(language: str, rng: random.Random) -> Sample:
    its = _file("emotions")[language]
    emotion = rng.choice(sorted(its))
    said = _script(language, rng)(rng.choice(its[emotion]))
    text = _around("starts", language, rng) + said + _around("ends", language, rng)
    return Sample(
        text, None, emotion=EMOTIONS.index(emotion), absent_aspects=find_absent_aspects(text)
    )


def _around(where: str, language: str, rng: random.Random) -> str:
    """What comes before or after a sentence: a word, a hashtag, an emoticon, mostly nothing."""
    return rng.choice(_file("intents")[language][where]).replace(
        "{brand}", invent_brand_name(language, rng)
    )


def _script(language: str, rng: random.Random) -> Callable[[str], str]:
    """Traditional characters for one Chinese sentence in ten."""
    return _traditional().convert if language == "zh" and rng.random() < 0.1 else str


@cache
def _traditional() -> Any:
    import opencc  # loads its dictionaries

    return opencc.OpenCC("s2t")
