"""Aspects that a project adds by examples: clauses near them in the embedding space, judged as targets.

Cosines of raw sentence vectors say how much alike two clauses are in length, tone and language more than in matter. So vectors are
whitened first (Su et al. 2021, arXiv:2103.15316) by the mean and covariance of clauses of our own about many things: of 26 clauses about
three made-up aspects, 21 are then nearer to the others of theirs than 95 % of those clauses are; without it 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nlp.model.reader import (
    AspectDefinition,
    AspectPrediction,
    Reader,
    TargetSpans,
    TextPrediction,
    is_readable,
)
from nlp.model.windows import MAX_CHARACTERS_READ, sample_text_parts
from nlp.text.clauses import TextSpan, split_clauses

if TYPE_CHECKING:
    from numpy.typing import NDArray

BACKGROUND_FILE = Path(__file__).with_name("background.txt")
_SHRINK = 0.2  # of the mean variance, added to each direction's
_STEPS, _RIDGE = 50, 1e-3
_PRIOR = 0.1  # the share of clauses that speak of an aspect, before one is read


class WhiteningTransform:
    """Sentence vectors seen from the middle of a background, with every direction of it equally wide."""

    def __init__(self, background: NDArray[np.float32]) -> None:
        self.mean = background.mean(0)
        variances, directions = np.linalg.eigh(np.cov((background - self.mean).T))
        self.matrix = directions / np.sqrt(variances + _SHRINK * variances.mean())

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors (n, hidden) to whitened unit vectors."""
        turned = (vectors - self.mean) @ self.matrix
        units: NDArray[np.float32] = (
            turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
        ).astype(np.float32)
        return units


class _Aspect(NamedTuple):
    """``examples`` (k, hidden) are whitened; ``scale`` and ``shift`` turn the largest cosine with them into a logit."""

    id: str
    examples: NDArray[np.float32]
    scale: float
    shift: float


class CustomAspectReader:
    """A Reader whose readings also have a project's own aspects.

    A clause speaks of an aspect as its largest cosine with an example says, by a logistic curve fitted to the examples, each beside the
    others, and to clauses about other things. With so few examples the confidence is rough.
    """

    def __init__(self, reader: Reader, aspects: Sequence[AspectDefinition]) -> None:
        self.reader, self.name, self.version = reader, reader.name, reader.version
        background = reader.embed(BACKGROUND_FILE.read_text(encoding="utf-8").splitlines())
        self.whitened = WhiteningTransform(background)
        others = self.whitened(background)
        self.aspects = [
            _fitted(aspect.id, self.whitened(reader.embed(aspect.examples)), others)
            for aspect in aspects
        ]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``nlp.model.reader.Reader``."""
        return self.reader.embed(texts)

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        """See ``nlp.model.reader.Reader``."""
        readings = self.reader.read(texts, targets)
        places = [
            (number, span)
            for number, text in enumerate(texts)
            if is_readable(text)
            for span in _clauses(text)
        ]
        vectors = self.whitened(
            self.embed([texts[number][slice(*span)] for number, span in places])
        )
        found: dict[int, list[tuple[str, float, TextSpan]]] = {}
        for aspect in self.aspects:
            chances = 1 / (
                1
                + np.exp(
                    -aspect.scale * (vectors @ aspect.examples.T).max(1, initial=-1.0)
                    - aspect.shift
                )
            )
            best: dict[int, tuple[float, TextSpan]] = {}
            for (number, span), chance in zip(places, chances.tolist(), strict=True):
                if chance >= 0.5 and chance > best.get(number, (0.0, span))[0]:
                    best[number] = (chance, span)
            for number, (chance, span) in best.items():
                found.setdefault(number, []).append((aspect.id, chance, span))
        return self._joined(texts, readings, found)

    def _joined(
        self,
        texts: Sequence[str],
        readings: list[TextPrediction],
        found: dict[int, list[tuple[str, float, TextSpan]]],
    ) -> list[TextPrediction]:
        """The readings with what was found, its polarity that of its clause as a target."""
        numbers = sorted(found)
        judged = self.reader.read(
            [texts[number] for number in numbers],
            [[[span] for _, _, span in found[number]] for number in numbers],
        )
        for number, reading in zip(numbers, judged, strict=True):
            own = [
                AspectPrediction(name, polarity, chance, *span)
                for (name, chance, span), polarity in zip(
                    found[number], reading.targets, strict=True
                )
            ]
            aspects = sorted(
                (*readings[number].aspects, *own), key=lambda aspect: -aspect.confidence
            )
            readings[number] = replace(readings[number], aspects=tuple(aspects))
        return readings


def _clauses(text: str) -> list[TextSpan]:
    """The clauses of a text, of a very long one a sample evenly over it, of `CHARACTERS` code points together at most."""
    clauses = split_clauses(text)
    left = MAX_CHARACTERS_READ
    chosen = []
    for number in sample_text_parts(len(clauses), len(text)):
        start, end = clauses[number]
        end = min(end, start + left)
        left -= end - start
        if end > start:
            chosen.append((start, end))
    return chosen


def _fitted(name: str, examples: NDArray[np.float32], others: NDArray[np.float32]) -> _Aspect:
    """Platt's logistic curve (1999), with his smoothed answers, by Newton's method."""
    near = examples @ examples.T - 3 * np.eye(
        len(examples), dtype=np.float32
    )  # each example beside the others only
    cosines = np.concatenate([near.max(1), (others @ examples.T).max(1)]).astype(float)
    yes, no = len(examples), len(others)
    wanted = np.repeat([(yes + 1) / (yes + 2), 1 / (no + 2)], [yes, no])
    shares = np.repeat([_PRIOR / yes, (1 - _PRIOR) / no], [yes, no]) * (yes + no)
    inputs = np.stack([cosines, np.ones_like(cosines)], axis=1)
    weights = np.zeros(2)
    for _ in range(_STEPS):
        chances = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        curve = inputs.T @ (inputs * (shares * chances * (1 - chances))[:, None]) + _RIDGE * np.eye(
            2
        )
        weights -= np.linalg.solve(
            curve, inputs.T @ (shares * (chances - wanted)) + _RIDGE * weights
        )
    return _Aspect(name, examples, float(weights[0]), float(weights[1]))
