"""The test project: two brands, posts about them, and a model small enough for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from folate.core.post import Post
from folate.pipeline.project import Project
from nlp.model import SentimentProbabilities, TextPrediction

TWO_BRANDS_TOML = """
name = "Test"
[[brands]]
id = "ours"
names = ["晨谷", "Morngrain"]
own = true
[[brands]]
id = "theirs"
names = ["暖禾"]
"""


def create_project(folder: Path, toml: str = TWO_BRANDS_TOML) -> Project:
    """Make a folder a project with this folate.toml; without it, one of two brands."""
    (folder / "folate.toml").write_text(toml, encoding="utf-8")
    return Project.open(folder)


def forum_posts(texts: Sequence[str]) -> list[Post]:
    """Return one post per text, all of 3 March 2026 (week 2026-W10), with the ids f:0, f:1 …"""
    return [
        Post(
            id=f"f:{number}",
            source="f",
            kind="forum",
            text=text,
            published_at=datetime(2026, 3, 3, number % 24, tzinfo=UTC),
        )
        for number, text in enumerate(texts)
    ]


class LexiconReader:
    """A reader that knows a few positive and negative words."""

    name = "lexicon"
    version = "1"

    def read(
        self, texts: Sequence[str], targets: Sequence[Sequence[object]] | None = None
    ) -> list[TextPrediction]:
        targets = targets or [[]] * len(texts)
        return [
            TextPrediction(_predict(text), tuple(_predict(text) for _ in spans))
            for text, spans in zip(texts, targets, strict=True)
        ]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.eye(384, dtype=np.float32)[[len(text) % 384 for text in texts]]


def _predict(text: str) -> SentimentProbabilities:
    positive = any(word in text for word in ("不错", "good"))
    negative = any(word in text for word in ("难", "太", "bad"))
    return SentimentProbabilities(
        negative=0.8 if negative else 0.1,
        neutral=0.1 if positive or negative else 0.8,
        positive=0.1 if negative or not positive else 0.8,
    )


def use_lexicon_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pipeline load the lexicon reader in place of a model."""
    for module in ("annotate.run", "topics.find"):
        monkeypatch.setattr(
            f"folate.pipeline.{module}.load_reader", lambda *_, **__: LexiconReader()
        )
