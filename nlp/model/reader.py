"""The interface of every model: records of predictions, and the protocol of a reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from folate.core.labels import UNREADABLE_PROBABILITIES
from nlp.text.clauses import TextSpan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SentimentProbabilities:
    """Calibrated probabilities of the three sentiment labels; they sum to 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def label(self) -> str:
        """The most probable label; neutral in case of a tie."""
        highest = max(self.negative, self.neutral, self.positive)
        if self.neutral == highest or self.negative == self.positive:
            return "neutral"
        return "positive" if self.positive == highest else "negative"


UNIFORM_PRIOR = (1 / 3, 1 / 3, 1 / 3)
"""Prevalences of negative, neutral and positive for a model whose prior is unknown."""

FALLBACK_PROBABILITIES = SentimentProbabilities(*UNREADABLE_PROBABILITIES)
"""Prediction for a text without words: neutral, with low confidence."""


@dataclass(frozen=True, slots=True)
class AspectPrediction:
    """An aspect that a post mentions, with the sentiment towards it."""

    name: str
    polarity: SentimentProbabilities
    # Calibrated probability that the post mentions the aspect.
    confidence: float
    # The clause with the strongest mention, in code points of the text.
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextPrediction:
    """Model output for one text.

    Where the text has no words, or the model no such head, the fields with a default are empty.
    """

    # Sentiment of the text as a whole.
    post: SentimentProbabilities
    # Sentiment towards each target of the request, in its order. A target that the text is not
    # about is neutral.
    targets: tuple[SentimentProbabilities, ...] = ()
    # Aspects that the text mentions, the most probable first.
    aspects: tuple[AspectPrediction, ...] = ()
    # Probabilities of the emotions by name; they sum to 1.
    emotion: dict[str, float] = field(default_factory=dict)
    # Probability of each intent by name.
    intent: dict[str, float] = field(default_factory=dict)
    # Unit vector, as `Reader.embed` returns it. Not compared: arrays compare by element.
    embedding: NDArray[np.float32] | None = field(default=None, compare=False)
    # Less than 1 where the model processed a sample of a very long text (`nlp.model.windows`).
    share_read: float = 1.0


TargetSpans = Sequence[Sequence[Sequence[TextSpan]]]
"""For each text, its targets, each a list of (start, end) spans in code points of the text."""


class AspectDefinition(Protocol):
    """An aspect that a project defines by examples (`folate.core.config.CustomAspect`)."""

    @property
    def id(self) -> str: ...

    @property
    def examples(self) -> tuple[str, ...]: ...


class Reader(Protocol):
    """A loaded model. Annotations are stored with its name and version, a digest of the weights."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        """Predict for each text and its targets; equal texts with equal targets only once."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts as unit vectors (n, dimension), comparable by dot product across languages.

        The vector of a text without tokens is zero.
        """
        ...
