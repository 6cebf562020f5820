"""Names of the classes that a model predicts, in the order of its output heads."""

from typing import Literal

SentimentLabel = Literal["negative", "neutral", "positive"]

SENTIMENT_LABELS: tuple[SentimentLabel, ...] = ("negative", "neutral", "positive")

TARGET_LABELS = (*SENTIMENT_LABELS, "not about it")
"""Classes of the sentiment towards one mention: a text may name a brand without being about it."""

ASPECTS = (
    "taste",
    "quality",
    "price",
    "packaging",
    "service",
    "delivery",
    "after_sales",
    "safety",
    "health",
    "appearance",
    "performance",
    "comfort",
    "environment",
    "choice",
)
"""Aspects of consumer goods and services; docs/models.md defines each."""

EMOTIONS = ("happy", "angry", "sad", "fear", "surprise", "neutral")
"""Emotions of the SMP2020-EWECT data set; a post has exactly one."""

INTENTS = ("buy", "switch", "ask", "complain")
"""Intents of a post's author; a post may have several, or none."""

PARTS_OF_SPEECH = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
"""Universal parts of speech (https://universaldependencies.org/u/pos/)."""

UNREADABLE_PROBABILITIES = (0.3, 0.4, 0.3)
"""Probabilities of `SENTIMENT_LABELS` for a text without words: neutral, with low confidence."""
