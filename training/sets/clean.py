"""Detection of labels that the text contradicts, as shops get when stars and words are mixed up.

An example is "I love it, great quality" under negative. Confident learning (Northcutt et al. 2021,
arXiv:1911.00068) in its simplest form: a label is dropped from training, never from a dev split,
where a model trained on the other parts of the same set gives it hardly any probability. That model
is character TF-IDF with logistic regression, which cannot have memorised the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.baselines import train_tfidf_baseline
from training.sets.manifest import DatasetSplit, text_digest
from training.sets.samples import Sample

FOLDS = 3

MIN_LABEL_PROBABILITY = 0.05
"""Labels of a lower probability are dropped.

By inspection, nearly all labels under .03 are wrong, and every other one from .05 to .1.
"""

DROP_REASON = "label contradicted by its own text"


def drop_contradicted_labels(
    split: DatasetSplit, contradicted_digests: Sequence[str] | None = None
) -> DatasetSplit:
    """Drop the training samples of a review set whose label is contradicted.

    Other sets are returned as they are: TF-IDF is too weak for them. ``contradicted_digests``: the
    digests of these samples, where they are known already.
    """
    if not split.source.reviews:
        return split
    contradicted = (
        find_contradicted_labels(split.train)
        if contradicted_digests is None
        else [text_digest(sample.text) in set(contradicted_digests) for sample in split.train]
    )
    remaining = [
        sample
        for sample, is_contradicted in zip(split.train, contradicted, strict=True)
        if not is_contradicted
    ]
    return replace(
        split,
        train=remaining,
        dropped_counts=split.dropped_counts | {DROP_REASON: len(split.train) - len(remaining)},
    )


def find_contradicted_labels(samples: Sequence[Sample]) -> list[bool]:
    """Return for each sample whether its text contradicts its label.

    It does where a model that is trained on the other folds of the set gives the label a
    probability under MIN_LABEL_PROBABILITY.
    """
    parts = np.array([int(text_digest(sample.text)[8:16], 16) % FOLDS for sample in samples])
    contradicted = np.zeros(len(samples), bool)
    for part in range(FOLDS):
        other_samples = [
            (sample.text, sample.label)
            for sample, other_part in zip(samples, parts, strict=True)
            if other_part != part
        ]
        classify = train_tfidf_baseline(other_samples, 3)
        labelled = [
            (index, samples[index])
            for index in np.flatnonzero(parts == part).tolist()
            if samples[index].label is not None
        ]
        probabilities = classify([sample.text for _, sample in labelled])
        for (index, sample), text_probabilities in zip(labelled, probabilities, strict=True):
            contradicted[index] = text_probabilities[sample.label] < MIN_LABEL_PROBABILITY
    return contradicted.tolist()
