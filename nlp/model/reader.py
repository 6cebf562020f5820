"""What a reader of sentiment gives, whatever model is behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from folate.core.labels import UNREADABLE_PROBABILITIES
from folate.core.text import HAN_RANGES, contains_chinese
from nlp.text.clauses import TextSpan
from nlp.text.language import identify_language
from nlp.text.patterns import KANA_RANGES, URL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SentimentProbabilities:
    """Calibrated probabilities of the three labels; they sum to 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def label(self) -> str:
        """The most probable label; neutral where it ties."""
        best = max(self.negative, self.neutral, self.positive)
        if self.neutral == best or self.negative == self.positive:
            return "neutral"
        return "positive" if self.positive == best else "negative"


MODEL_LANGUAGES = ("zh", "en")
UNIFORM_PRIOR = (1 / 3, 1 / 3, 1 / 3)
"""Prevalences of negative, neutral and positive where nothing better is known."""

FALLBACK_PROBABILITIES = SentimentProbabilities(*UNREADABLE_PROBABILITIES)
"""The answer for a text with nothing to read: neutral, with low confidence."""


@dataclass(frozen=True, slots=True)
class AspectPrediction:
    """An aspect that a post speaks of. ``confidence``: the calibrated probability that it does; ``start`` and ``end``: the clause that
    speaks of it most, in code points of the text.
    """

    name: str
    polarity: SentimentProbabilities
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextPrediction:
    """One post read: the post as a whole, each target asked about, in the order asked, and what else its model judges.

    A target that the post is not about is neutral: the post says nothing for or against it. ``aspects``: those spoken of, the surest
    first. ``emotion``: probabilities that sum to 1, by name. ``intent``: a probability each, by name. ``embedding``: what ``embed``
    gives. ``share_read``: less than 1 where a text was so long that the model read a sample of it (``nlp.model.windows``). Where
    there is nothing to read, or the model has no such head, these are empty and the embedding is None.
    """

    post: SentimentProbabilities
    targets: tuple[SentimentProbabilities, ...] = ()
    aspects: tuple[AspectPrediction, ...] = ()
    emotion: dict[str, float] = field(default_factory=dict)
    intent: dict[str, float] = field(default_factory=dict)
    embedding: NDArray[np.float32] | None = field(
        default=None, compare=False
    )  # arrays compare by element
    share_read: float = 1.0


TargetSpans = Sequence[Sequence[Sequence[TextSpan]]]
"""For each text its targets, each a list of (start, end) spans in code points of the text."""


class AspectDefinition(Protocol):
    """What a project's file says of an aspect (``folate.core.config.Aspect``)."""

    @property
    def id(self) -> str: ...

    @property
    def examples(self) -> tuple[str, ...]: ...


class Reader(Protocol):
    """A loaded model. ``name`` and ``version`` (a digest of its weights) go beside every annotation it makes."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        """One Reading a text. The same text with the same targets is computed once."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension), comparable by dot product across languages; zero for a text with no token."""
        ...


_NOT_WORDS = re.compile(rf"{URL}|[@＠][\w-]+", re.IGNORECASE)
_KANA = re.compile(f"[{KANA_RANGES}]")
_WORDS = re.compile(f"[a-zA-Z\u00c0-\u024f\uff21-\uff5a{HAN_RANGES}]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def is_readable(text: str) -> bool:
    """Whether a text has words to read: at least half of its letters Han or Latin, links and account names left out, and of a language
    that Folate reads.

    >>> readable("好吃"), readable("ok"), readable("😀😀"), readable("a.com/b"), readable("خدمة سيئة"), readable("es muy bueno")
    (True, True, False, False, False, False)
    """
    rest = _NOT_WORDS.sub(" ", text)
    letters = sum(map(str.isalpha, rest))
    if not letters or 2 * len(_WORDS.findall(rest)) < letters:
        return False
    return (
        (contains_chinese(rest) and not _KANA.search(rest)) or identify_language(text) != "other"
    )  # Han without kana is Chinese: no need to ask


def replace_surrogates(text: str) -> str:
    """The text with lone surrogates, which no tokenizer takes, replaced one by one: offsets stay."""
    return _SURROGATES.sub("\ufffd", text)


def model_language(text: str) -> str:
    """Which of `LANGUAGES` a text is judged in: ``zh`` where there is a Han character, else ``en``."""
    return "zh" if contains_chinese(text) else "en"
