"""What the windows of one text say together: one set of logits a text, however long it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from folate.core.labels import ASPECTS, EMOTIONS, INTENTS, LABELS, TARGET_LABELS
from nlp.model.heads import Outputs
from nlp.model.reader import AspectReading, Probabilities
from nlp.model.windows import Window
from nlp.text.clauses import Span, split

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPOKEN = 0.5  # an aspect at least this probable is reported


class Total:
    """Logits of one text over its windows.

    Those of the post, its emotion and its embedding are means by tokens, a target's by its own tokens. An intent counts where any
    window has it, an aspect as the window that is surest of it says.
    """

    def __init__(self, targets: int, hidden: int) -> None:
        self.weight, self.post, self.emotion, self.vector = (
            0,
            np.zeros(len(LABELS)),
            np.zeros(len(EMOTIONS)),
            np.zeros(hidden, np.float32),
        )
        self.target, self.seen = np.zeros((targets, len(TARGET_LABELS))), np.zeros(targets)
        self.intent, self.spoken = np.full(len(INTENTS), -np.inf), np.full(len(ASPECTS), -np.inf)
        self.polarity, self.surest = (
            np.zeros((len(ASPECTS), len(LABELS))),
            np.zeros(len(ASPECTS), int),
        )
        self.windows: list[tuple[Sequence[Span], NDArray[np.float32]]] = []
        self.of = 1

    def add(self, part: Window, out: Outputs, seen: NDArray[np.float32]) -> None:
        """Add one window's outputs, as arrays (post (3,), target (k, 4) and so on), and how many of its tokens each target touches (k,)."""
        self.weight += part.weight
        self.of = part.of
        self.post += part.weight * out.post
        self.emotion += part.weight * out.emotion
        self.target += seen[:, None] * out.target
        self.seen += seen
        if len(part.ids) > 2:
            self.vector += part.weight * out.embedding
        self.intent = np.maximum(self.intent, out.intent)
        surer = out.spoken > self.spoken
        self.spoken[surer], self.polarity[surer], self.surest[surer] = (
            out.spoken[surer],
            out.polarity[surer],
            len(self.windows),
        )
        self.windows.append((part.offsets, out.attention))

    def mean(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logits of the post or of its emotion, from their sums."""
        return sums / self.weight

    def target_mean(self, position: int) -> NDArray[np.float64]:
        """Logits (4,) of one target that some token touches."""
        logits: NDArray[np.float64] = self.target[position] / self.seen[position]
        return logits

    @property
    def share_read(self) -> float:
        """The share of the text's windows that were read: 1 but for very long texts."""
        return min(1.0, len(self.windows) / self.of)

    def embedding(self) -> NDArray[np.float32]:
        """A unit vector (hidden,); zero for a text without a token."""
        return self.vector / max(float(np.linalg.norm(self.vector)), 1e-12)

    def aspects(self, text: str) -> tuple[AspectReading, ...]:
        """The aspects that the text speaks of, the surest first."""
        confidence = sigmoid(self.spoken)
        found = [
            int(index)
            for index in np.argsort(-confidence, kind="stable")
            if confidence[index] >= SPOKEN
        ]
        if not found:
            return ()
        polarities = softmax_rows(self.polarity[found]).tolist()
        return tuple(
            AspectReading(
                ASPECTS[index], Probabilities(*chances), float(confidence[index]), *clause
            )
            for index, chances, clause in zip(
                found, polarities, self._clauses(split(text), found), strict=True
            )
        )

    def _clauses(self, spans: Sequence[Span], found: Sequence[int]) -> list[Span]:
        """Of each aspect found the one of ``spans`` whose tokens it attends to most, in the window that is surest of it."""
        firsts = np.array([start for start, _ in spans])
        homes: dict[
            int, tuple[NDArray[np.bool_], NDArray[np.intp]]
        ] = {}  # of a window: its real tokens, and their clauses
        clauses = []
        for index in found:
            window = int(self.surest[index])
            offsets, attention = self.windows[window]
            if window not in homes:
                starts, ends = np.array(offsets).T
                real = ends > starts
                homes[window] = (
                    real,
                    np.maximum(np.searchsorted(firsts, starts[real], side="right") - 1, 0),
                )
            real, clause = homes[window]
            weights = attention[index, : len(real)][real]
            clauses.append(
                spans[int(np.bincount(clause, weights=weights, minlength=len(spans)).argmax())]
            )
        return clauses


def softmax(logits: NDArray[np.floating]) -> list[float]:
    """Probabilities of logits (k,)."""
    powers = np.exp(logits - logits.max())
    probabilities: list[float] = (powers / powers.sum()).tolist()
    return probabilities


def softmax_rows(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities of logits (n, k), row by row."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    chances: NDArray[np.float64] = (powers / powers.sum(1, keepdims=True)).astype(np.float64)
    return chances


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of yes, elementwise."""
    chances: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    return chances
