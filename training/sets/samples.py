"""What a training set gives: texts with the labels that its annotators gave them."""

from __future__ import annotations

from dataclasses import dataclass

NEGATIVE, NEUTRAL, POSITIVE, NOT_ABOUT = range(4)


@dataclass(frozen=True)
class LabelledTarget:
    """What a judgement is about: its spans in code points of the text, and its label."""

    spans: tuple[tuple[int, int], ...]
    label: int


@dataclass(frozen=True)
class LabelledAspect:
    """An aspect that a text speaks of: its index, its polarity if that is known, and where, if that is known."""

    index: int
    label: int | None = None
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Sample:
    """One text of one set.

    ``label`` is None where the set judges targets only. ``classes`` are the labels its annotators could choose from: a set of stars or
    of thumbs knows no neutral, and says nothing about it. Of aspects those in neither ``aspects`` nor ``absent`` are unknown, of intents
    those that ``intents`` (index and whether the post has it) does not name; ``weak`` names those of its fields
    that rules filled.
    """

    text: str
    label: int | None
    classes: tuple[int, ...] = (NEGATIVE, NEUTRAL, POSITIVE)
    targets: tuple[LabelledTarget, ...] = ()
    emotion: int | None = None
    aspects: tuple[LabelledAspect, ...] = ()
    absent_aspects: tuple[int, ...] = ()
    intents: tuple[tuple[int, bool], ...] = ()
    rule_labelled: tuple[str, ...] = ()


TWO_WAY = (NEGATIVE, POSITIVE)
THREE_WAY = (NEGATIVE, NEUTRAL, POSITIVE)
