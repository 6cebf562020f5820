"""Baselines measured in the same run as the model: TF-IDF, SnowNLP, cnsenti and VADER."""

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

_MAX_TRAINING_TEXTS = 24_000
"""Training texts of the TF-IDF baseline, sampled: more hardly help it."""


def train_tfidf_baseline(
    train: Sequence[tuple[str, int | None]], n_classes: int
) -> BaselineClassifier:
    """Train logistic regression on TF-IDF of one to three characters.

    ``train``: texts and labels below ``n_classes``; those without a label are ignored.
    """
    text = import_optional("sklearn.feature_extraction.text", "bench")
    linear = import_optional("sklearn.linear_model", "bench")
    labelled = [(document, label) for document, label in train if label is not None]
    # sets come in order of category and label
    random.Random(0).shuffle(labelled)  # noqa: S311 - sampling, not a secret
    del labelled[_MAX_TRAINING_TEXTS:]
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
        vectorizer.fit_transform([document for document, _ in labelled]),
        [label for _, label in labelled],
    )

    def classify(texts: Sequence[str]) -> NDArray[np.float64]:
        probabilities = np.zeros((len(texts), n_classes))
        probabilities[:, model.classes_] = model.predict_proba(vectorizer.transform(texts))
        return probabilities

    return classify


def lexicon_baselines(language: str) -> dict[str, BaselineClassifier]:
    """Return the common lexicon-based classifiers of a language, by name."""
    return (
        {"SnowNLP": _snownlp_classifier(), "cnsenti": _cnsenti_classifier()}
        if language == "zh"
        else {"VADER": _vader_classifier()}
    )


def _snownlp_classifier() -> BaselineClassifier:
    """Return SnowNLP's classifier, which has no neutral."""
    snownlp = import_optional("snownlp", "bench")

    def classify(texts: Sequence[str]) -> NDArray[np.float64]:
        positive = np.array(
            [snownlp.SnowNLP(text).sentiments if text.strip() else 0.5 for text in texts]
        )
        return np.stack([1 - positive, np.zeros(len(texts)), positive], axis=1)

    return classify


def _cnsenti_classifier() -> BaselineClassifier:
    """Return cnsenti's classifier: equal counts of positive and negative words are neutral."""
    counter = import_optional("cnsenti", "bench").Sentiment()

    def classify(texts: Sequence[str]) -> NDArray[np.float64]:
        counts = [counter.sentiment_count(text) for text in texts]
        return np.array(
            [_scores_of_signed_value(count["pos"] - count["neg"], 0.5) for count in counts]
        )

    return classify


def _vader_classifier() -> BaselineClassifier:
    """Return VADER's classifier, cut at its authors' +-0.05."""
    analyzer = import_optional(
        "vaderSentiment.vaderSentiment", "bench"
    ).SentimentIntensityAnalyzer()

    def classify(texts: Sequence[str]) -> NDArray[np.float64]:
        return np.array(
            [
                _scores_of_signed_value(analyzer.polarity_scores(text)["compound"], 0.05)
                for text in texts
            ]
        )

    return classify


def _scores_of_signed_value(value: float, cut: float) -> list[float]:
    """Return scores (3,) of a signed value: neutral up to ``cut`` either way."""
    scores = [0.0, 0.0, 0.0]
    scores[NEGATIVE] = -value
    scores[NEUTRAL] = cut
    scores[POSITIVE] = value
    return scores
