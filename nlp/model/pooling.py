"""What the windows of one text say together: one set of logits a text, however long it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from folate.core.labels import ASPECTS, EMOTIONS, INTENTS, SENTIMENT_LABELS, TARGET_LABELS
from nlp.model.heads import HeadOutputs
from nlp.model.reader import AspectPrediction, SentimentProbabilities
from nlp.model.windows import TokenWindow
from nlp.text.clauses import TextSpan, split_clauses

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_ASPECT_PROBABILITY = 0.5  # an aspect at least this probable is reported


class PooledLogits:
    """Logits of one text over its windows.

    Those of the post, its emotion and its embedding are means by tokens, a target's by its own tokens. An intent counts where any
    window has it, an aspect as the window that is surest of it says.
    """

    def __init__(self, targets: int, hidden: int) -> None:
        self.weight, self.post, self.emotion, self.vector = (
            0,
            np.zeros(len(SENTIMENT_LABELS)),
            np.zeros(len(EMOTIONS)),
            np.zeros(hidden, np.float32),
        )
        self.target, self.target_token_counts = (
            np.zeros((targets, len(TARGET_LABELS))),
            np.zeros(targets),
        )
        self.intent, self.spoken = np.full(len(INTENTS), -np.inf), np.full(len(ASPECTS), -np.inf)
        self.polarity, self.surest = (
            np.zeros((len(ASPECTS), len(SENTIMENT_LABELS))),
            np.zeros(len(ASPECTS), int),
        )
        self.windows: list[tuple[Sequence[TextSpan], NDArray[np.float32]]] = []
        self.of = 1

    def add_window(
        self, window: TokenWindow, outputs: HeadOutputs, target_token_counts: NDArray[np.float32]
    ) -> None:
        """Add one window's outputs, as arrays (post (3,), target (k, 4) and so on), and how many of its tokens each target touches (k,)."""
        self.weight += window.weight
        self.of = window.window_count
        self.post += window.weight * outputs.post
        self.emotion += window.weight * outputs.emotion
        self.target += target_token_counts[:, None] * outputs.target
        self.target_token_counts += target_token_counts
        if len(window.ids) > 2:
            self.vector += window.weight * outputs.embedding
        self.intent = np.maximum(self.intent, outputs.intent)
        surer = outputs.spoken > self.spoken
        self.spoken[surer], self.polarity[surer], self.surest[surer] = (
            outputs.spoken[surer],
            outputs.polarity[surer],
            len(self.windows),
        )
        self.windows.append((window.offsets, outputs.attention))

    def mean_logits(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logits of the post or of its emotion, from their sums."""
        return sums / self.weight

    def mean_target_logits(self, position: int) -> NDArray[np.float64]:
        """Logits (4,) of one target that some token touches."""
        logits: NDArray[np.float64] = self.target[position] / self.target_token_counts[position]
        return logits

    @property
    def share_read(self) -> float:
        """The share of the text's windows that were read: 1 but for very long texts."""
        return min(1.0, len(self.windows) / self.of)

    def embedding(self) -> NDArray[np.float32]:
        """A unit vector (hidden,); zero for a text without a token."""
        return self.vector / max(float(np.linalg.norm(self.vector)), 1e-12)

    def predicted_aspects(self, text: str) -> tuple[AspectPrediction, ...]:
        """The aspects that the text speaks of, the surest first."""
        confidence = sigmoid(self.spoken)
        found = [
            int(index)
            for index in np.argsort(-confidence, kind="stable")
            if confidence[index] >= MIN_ASPECT_PROBABILITY
        ]
        if not found:
            return ()
        polarities = softmax_rows(self.polarity[found]).tolist()
        return tuple(
            AspectPrediction(
                ASPECTS[index], SentimentProbabilities(*chances), float(confidence[index]), *clause
            )
            for index, chances, clause in zip(
                found, polarities, self._clauses(split_clauses(text), found), strict=True
            )
        )

    def _clauses(self, spans: Sequence[TextSpan], found: Sequence[int]) -> list[TextSpan]:
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
