"""What the model is measured beside, in the same run: character TF-IDF with logistic regression, SnowNLP, cnsenti, VADER."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from folate.core.optional import import_optional
from training.sets.samples import NEGATIVE, NEUTRAL, POSITIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

BaselineClassifier = Callable[[Sequence[str]], "NDArray[np.float64]"]
"""Texts (n) to probabilities or scores (n, k) whose largest is the answer."""

_MOST = 24_000  # training texts, the shuffled first: more hardly help it


def train_tfidf_baseline(
    train: Sequence[tuple[str, int | None]], n_classes: int
) -> BaselineClassifier:
    """One to three characters, TF-IDF, logistic regression, trained on the texts of ``train`` that have a label under ``width``."""
    text, linear = (
        import_optional("sklearn.feature_extraction.text", "bench"),
        import_optional("sklearn.linear_model", "bench"),
    )
    labelled = [(words, label) for words, label in train if label is not None]
    random.Random(0).shuffle(labelled)  # noqa: S311 - sampling, not a secret; sets come in order of category and label
    del labelled[_MOST:]
    vectorizer = text.TfidfVectorizer(
        analyzer="char",
        ngram_range=(1, 3),
        min_df=2,
        max_features=200_000,
        sublinear_tf=True,
        dtype=np.float32,
    )
    model = linear.LogisticRegression(C=10, max_iter=200, class_weight="balanced")
    model.fit(
        vectorizer.fit_transform([words for words, _ in labelled]), [label for _, label in labelled]
    )

    def judge(texts: Sequence[str]) -> NDArray[np.float64]:
        chances = np.zeros((len(texts), n_classes))
        chances[:, model.classes_] = model.predict_proba(vectorizer.transform(texts))
        return chances

    return judge


def lexicon_baselines(language: str) -> dict[str, BaselineClassifier]:
    """The peers of a language that people reach for, by name."""
    return (
        {"SnowNLP": _snownlp(), "cnsenti": _cnsenti()} if language == "zh" else {"VADER": _vader()}
    )


def _snownlp() -> BaselineClassifier:
    """Two-way: it has no neutral."""
    snow = import_optional("snownlp", "bench")

    def judge(texts: Sequence[str]) -> NDArray[np.float64]:
        positive = np.array(
            [snow.SnowNLP(text).sentiments if text.strip() else 0.5 for text in texts]
        )
        return np.stack([1 - positive, np.zeros(len(texts)), positive], axis=1)

    return judge


def _cnsenti() -> BaselineClassifier:
    """Its counts of positive and negative words; as many of one as of the other is neutral."""
    counter = import_optional("cnsenti", "bench").Sentiment()

    def judge(texts: Sequence[str]) -> NDArray[np.float64]:
        counts = [counter.sentiment_count(text) for text in texts]
        return np.array([_around_zero(count["pos"] - count["neg"], 0.5) for count in counts])

    return judge


def _vader() -> BaselineClassifier:
    """Cut at its authors' +-0.05."""
    analyzer = import_optional(
        "vaderSentiment.vaderSentiment", "bench"
    ).SentimentIntensityAnalyzer()

    def judge(texts: Sequence[str]) -> NDArray[np.float64]:
        return np.array(
            [_around_zero(analyzer.polarity_scores(text)["compound"], 0.05) for text in texts]
        )

    return judge


def _around_zero(value: float, cut: float) -> list[float]:
    """Scores (3,) of a signed value: neutral up to ``cut`` either way."""
    made = [0.0, 0.0, 0.0]
    made[NEGATIVE], made[NEUTRAL], made[POSITIVE] = -value, cut, value
    return made
