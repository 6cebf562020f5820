"""What the model is measured beside, in the same run: character TF-IDF with logistic regression, SnowNLP, VADER."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from folate.optional import require
from nlp.training.samples import NEGATIVE, NEUTRAL, POSITIVE, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

Judge = Callable[[Sequence[str]], "NDArray[np.float64]"]
"""Texts (n) to probabilities or scores (n, 3) whose largest is the answer."""

_MOST = 24_000  # training texts, as many as the model's largest set gives an epoch


def tfidf(train: Sequence[Sample]) -> Judge:
    """One to three characters, TF-IDF, logistic regression, trained on the labelled posts of ``train``."""
    text, linear = require("sklearn.feature_extraction.text", "bench"), require("sklearn.linear_model", "bench")
    labelled = [(sample.text, sample.label) for sample in train if sample.label is not None][:_MOST]
    vectorizer = text.TfidfVectorizer(
        analyzer="char", ngram_range=(1, 3), min_df=2, max_features=200_000, sublinear_tf=True, dtype=np.float32
    )
    model = linear.LogisticRegression(C=10, max_iter=200, class_weight="balanced")
    model.fit(vectorizer.fit_transform([text for text, _ in labelled]), [label for _, label in labelled])

    def judge(texts: Sequence[str]) -> NDArray[np.float64]:
        chances = np.zeros((len(texts), 3))
        chances[:, model.classes_] = model.predict_proba(vectorizer.transform(texts))
        return chances

    return judge


def lexical(language: str) -> tuple[str, Judge]:
    """The peer of a language that people reach for: SnowNLP, two-way, for Chinese; VADER for English, cut at its authors' +-0.05."""
    return ("SnowNLP", _snownlp()) if language == "zh" else ("VADER", _vader())


def _snownlp() -> Judge:
    snow = require("snownlp", "bench")

    def judge(texts: Sequence[str]) -> NDArray[np.float64]:
        positive = np.array([snow.SnowNLP(text).sentiments if text.strip() else 0.5 for text in texts])
        return np.stack([1 - positive, np.zeros(len(texts)), positive], axis=1)

    return judge


def _vader() -> Judge:
    analyzer = require("vaderSentiment.vaderSentiment", "bench").SentimentIntensityAnalyzer()

    def judge(texts: Sequence[str]) -> NDArray[np.float64]:
        compound = np.array([analyzer.polarity_scores(text)["compound"] for text in texts])
        made = np.zeros((len(texts), 3))
        made[:, NEGATIVE], made[:, NEUTRAL], made[:, POSITIVE] = -compound, 0.05, compound
        return made

    return judge
