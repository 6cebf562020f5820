"""The names of what a model judges, in the order of its heads."""

SENTIMENT_LABELS = ("negative", "neutral", "positive")
TARGET_LABELS = (*SENTIMENT_LABELS, "not about it")

ASPECTS = (
    "taste", "quality", "price", "packaging", "service", "delivery", "after_sales", "safety", "health", "appearance", "performance",
    "comfort", "environment", "choice",
)  # fmt: skip
"""Of consumer goods and services; docs/models.md says what each takes in."""

EMOTIONS = ("happy", "angry", "sad", "fear", "surprise", "neutral")
"""Those of SMP2020-EWECT; a post has one."""

INTENTS = ("buy", "switch", "ask", "complain")
"""A post may have several, or none."""

UNREADABLE_PROBABILITIES = (0.3, 0.4, 0.3)
"""Probabilities of `LABELS` that a model gives a text with nothing to read: neutral, with low confidence."""
