"""Pooling of the outputs of a text's windows into one set of logits."""

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

MIN_ASPECT_PROBABILITY = 0.5
"""Probability from which an aspect is predicted."""


class PooledLogits:
    """Logits of one text over its windows.

    Sentiment, emotion and embedding of the text are means weighted by tokens, those of a target by
    its own tokens. An intent has its largest logit over the windows, an aspect the outputs of the
    window with its largest logit.
    """

    def __init__(self, targets: int, hidden: int) -> None:
        # Sums over the windows, weighted by their tokens.
        self.weight = 0
        self.post = np.zeros(len(SENTIMENT_LABELS))
        self.emotion = np.zeros(len(EMOTIONS))
        self.vector = np.zeros(hidden, np.float32)
        # Sums weighted by the tokens of each target.
        self.target = np.zeros((targets, len(TARGET_LABELS)))
        self.target_token_counts = np.zeros(targets)
        # Maxima over the windows.
        self.intent = np.full(len(INTENTS), -np.inf)
        self.spoken = np.full(len(ASPECTS), -np.inf)
        # Outputs of the best window of each aspect, and its index.
        self.polarity = np.zeros((len(ASPECTS), len(SENTIMENT_LABELS)))
        self.best_window = np.zeros(len(ASPECTS), int)
        # Offsets of the tokens, and attention of the aspects, of each window.
        self.windows: list[tuple[Sequence[TextSpan], NDArray[np.float32]]] = []
        self.window_count = 1

    def add_window(
        self, window: TokenWindow, outputs: HeadOutputs, target_token_counts: NDArray[np.float32]
    ) -> None:
        """Add the outputs of one window, as arrays without the dimension of the batch.

        ``target_token_counts`` (k,) are the tokens of the window in each target.
        """
        self.weight += window.weight
        self.window_count = window.window_count
        self.post += window.weight * outputs.post
        self.emotion += window.weight * outputs.emotion
        self.target += target_token_counts[:, None] * outputs.target
        self.target_token_counts += target_token_counts
        if len(window.ids) > 2:
            self.vector += window.weight * outputs.embedding
        self.intent = np.maximum(self.intent, outputs.intent)
        is_better = outputs.spoken > self.spoken
        self.spoken[is_better] = outputs.spoken[is_better]
        self.polarity[is_better] = outputs.polarity[is_better]
        self.best_window[is_better] = len(self.windows)
        self.windows.append((window.offsets, outputs.attention))

    def mean_logits(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return mean logits, given the sums `post` or `emotion`."""
        return sums / self.weight

    def mean_target_logits(self, position: int) -> NDArray[np.float64]:
        """Return the mean logits (4,) of a target that has a token."""
        logits: NDArray[np.float64] = self.target[position] / self.target_token_counts[position]
        return logits

    @property
    def share_read(self) -> float:
        """The share of the windows that were added: 1 except for very long texts."""
        return min(1.0, len(self.windows) / self.window_count)

    def embedding(self) -> NDArray[np.float32]:
        """Return a unit vector (hidden,); zero for a text without a token."""
        return self.vector / max(float(np.linalg.norm(self.vector)), 1e-12)

    def predicted_aspects(self, text: str) -> tuple[AspectPrediction, ...]:
        """Return the aspects that the text mentions, the most probable first."""
        confidence = sigmoid(self.spoken)
        by_confidence = np.argsort(-confidence, kind="stable")
        aspect_indices = by_confidence[confidence[by_confidence] >= MIN_ASPECT_PROBABILITY].tolist()
        if not aspect_indices:
            return ()
        polarities = softmax_rows(self.polarity[aspect_indices]).tolist()
        clauses = self._attended_clauses(split_clauses(text), aspect_indices)
        aspects = []
        for index, polarity, (start, end) in zip(aspect_indices, polarities, clauses, strict=True):
            probabilities = SentimentProbabilities(*polarity)
            aspects.append(
                AspectPrediction(
                    ASPECTS[index], probabilities, float(confidence[index]), start, end
                )
            )
        return tuple(aspects)

    def _attended_clauses(
        self, clauses: Sequence[TextSpan], aspect_indices: Sequence[int]
    ) -> list[TextSpan]:
        """Return for each aspect the clause with most of its attention in its best window."""
        clause_starts = np.array([start for start, _ in clauses])
        # For each window: which of its tokens are not special, and the clauses of these.
        token_clauses: dict[int, tuple[NDArray[np.bool_], NDArray[np.intp]]] = {}
        attended = []
        for aspect_index in aspect_indices:
            window_index = int(self.best_window[aspect_index])
            offsets, attention = self.windows[window_index]
            if window_index not in token_clauses:
                starts, ends = np.array(offsets).T
                is_text_token = ends > starts
                following = np.searchsorted(clause_starts, starts[is_text_token], side="right")
                token_clauses[window_index] = is_text_token, np.maximum(following - 1, 0)
            is_text_token, clause_indices = token_clauses[window_index]
            weights = attention[aspect_index, : len(is_text_token)][is_text_token]
            sums = np.bincount(clause_indices, weights=weights, minlength=len(clauses))
            attended.append(clauses[int(sums.argmax())])
        return attended


def softmax(logits: NDArray[np.floating]) -> list[float]:
    """Compute the probabilities of logits (k,)."""
    exponentials = np.exp(logits - logits.max())
    probabilities: list[float] = (exponentials / exponentials.sum()).tolist()
    return probabilities


def softmax_rows(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute the probabilities of logits (n, k), row by row."""
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    sums = exponentials.sum(1, keepdims=True)
    probabilities: NDArray[np.float64] = (exponentials / sums).astype(np.float64)
    return probabilities


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the logistic function, elementwise."""
    probabilities: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    return probabilities
