"""Samples of training sets: texts with the labels that annotators gave them."""

from __future__ import annotations

from dataclasses import dataclass

NEGATIVE, NEUTRAL, POSITIVE, NOT_ABOUT = range(4)


@dataclass(frozen=True)
class LabelledTarget:
    """A target of sentiment: its spans, in code points of the text, and its label."""

    spans: tuple[tuple[int, int], ...]
    label: int


@dataclass(frozen=True)
class LabelledAspect:
    """An aspect of a text: its index, and its polarity and spans where they are known."""

    index: int
    label: int | None = None
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Sample:
    """One text of one set, with its labels."""

    text: str
    # label of the whole text; None where only targets are annotated
    label: int | None
    # labels that the annotators could choose from: sets of thumbs have no neutral
    classes: tuple[int, ...] = (NEGATIVE, NEUTRAL, POSITIVE)
    targets: tuple[LabelledTarget, ...] = ()
    emotion: int | None = None
    # aspects in neither of these two are unknown
    aspects: tuple[LabelledAspect, ...] = ()
    absent_aspects: tuple[int, ...] = ()
    # index of an intent and whether the text has it; intents that are not named are unknown
    intents: tuple[tuple[int, bool], ...] = ()
    # fields that were filled by rules: "aspects", "intents"
    rule_labelled: tuple[str, ...] = ()


TWO_WAY = (NEGATIVE, POSITIVE)
THREE_WAY = (NEGATIVE, NEUTRAL, POSITIVE)
