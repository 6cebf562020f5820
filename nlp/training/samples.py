"""What a training set gives: texts with the labels that its annotators gave them."""

from __future__ import annotations

from dataclasses import dataclass

NEGATIVE, NEUTRAL, POSITIVE, NOT_ABOUT = range(4)


@dataclass(frozen=True)
class Target:
    """What a judgement is about: its spans in code points of the text, and its label."""

    spans: tuple[tuple[int, int], ...]
    label: int


@dataclass(frozen=True)
class Sample:
    """One text of one set.

    ``label`` is None where the set judges targets only. ``classes`` are the labels its annotators could choose from: a set of stars or
    of thumbs knows no neutral, and says nothing about it.
    """

    text: str
    label: int | None
    classes: tuple[int, ...] = (NEGATIVE, NEUTRAL, POSITIVE)
    targets: tuple[Target, ...] = ()


TWO_WAY = (NEGATIVE, POSITIVE)
THREE_WAY = (NEGATIVE, NEUTRAL, POSITIVE)
