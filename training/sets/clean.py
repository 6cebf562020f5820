"""Labels that the text itself contradicts: "I love it, great quality" under negative, as shops get when stars and words are mixed up.

Confident learning (Northcutt et al. 2021, arXiv:1911.00068) in its simplest form: a label is dropped from training, never from a dev split,
where a model trained on the other parts of the same set gives it hardly any probability. That model is character TF-IDF with logistic
regression: it sees the words only, and can't have learnt the label by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.baselines import train_tfidf_baseline
from training.sets.manifest import DatasetSplit, text_digest
from training.sets.samples import Sample

FOLDS = 3
MIN_LABEL_PROBABILITY = 0.05  # of probability: read by eye, of the labels under .03 nearly all are wrong, of those from .05 to .1 every other
DROP_REASON = "label contradicted by its own text"


def drop_contradicted_labels(
    split: DatasetSplit, contradicted_digests: Sequence[str] | None = None
) -> DatasetSplit:
    """A set of reviews without the training samples whose label is doubted; other sets as they are: TF-IDF knows too little of them.

    ``known``: the digests of those, where they were found before.
    """
    if not split.source.reviews:
        return split
    doubted = (
        find_contradicted_labels(split.train)
        if contradicted_digests is None
        else [text_digest(sample.text) in set(contradicted_digests) for sample in split.train]
    )
    kept = [sample for sample, doubt in zip(split.train, doubted, strict=True) if not doubt]
    return replace(
        split,
        train=kept,
        dropped_counts=split.dropped_counts | {DROP_REASON: len(split.train) - len(kept)},
    )


def find_contradicted_labels(samples: Sequence[Sample]) -> list[bool]:
    """Of each sample, whether the others make its label nearly impossible."""
    parts = np.array([int(text_digest(sample.text)[8:16], 16) % FOLDS for sample in samples])
    doubted = np.zeros(len(samples), bool)
    for part in range(FOLDS):
        judge = train_tfidf_baseline(
            [
                (sample.text, sample.label)
                for sample, its in zip(samples, parts, strict=True)
                if its != part
            ],
            3,
        )
        asked = [
            (index, samples[index])
            for index in np.flatnonzero(parts == part).tolist()
            if samples[index].label is not None
        ]
        chances = judge([sample.text for _, sample in asked])
        for (index, sample), row in zip(asked, chances, strict=True):
            doubted[index] = row[sample.label] < MIN_LABEL_PROBABILITY
    return doubted.tolist()
