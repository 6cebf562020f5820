"""Labels that the text itself contradicts: "I love it, great quality" under negative, as shops get when stars and words are mixed up.

Confident learning (Northcutt et al. 2021, arXiv:1911.00068) in its simplest form: a label is dropped from training, never from a dev split,
where a model trained on the other parts of the same set gives it hardly any probability. That model is character TF-IDF with logistic
regression: it sees the words only, and can't have learnt the label by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.baselines import tfidf
from training.manifest import Split, key
from training.samples import Sample

PARTS = 3
LEAST = 0.05  # of probability: read by eye, of the labels under .03 nearly all are wrong, of those from .05 to .1 every other
REASON = "label contradicted by its own text"


def cleaned(split: Split, known: Sequence[str] | None = None) -> Split:
    """A set of reviews without the training samples whose label is doubted; other sets as they are: TF-IDF knows too little of them.

    ``known``: the digests of those, where they were found before.
    """
    if not split.source.reviews:
        return split
    doubted = (
        doubts(split.train)
        if known is None
        else [key(sample.text) in set(known) for sample in split.train]
    )
    kept = [sample for sample, doubt in zip(split.train, doubted, strict=True) if not doubt]
    return replace(
        split, train=kept, dropped=split.dropped | {REASON: len(split.train) - len(kept)}
    )


def doubts(samples: Sequence[Sample]) -> list[bool]:
    """Of each sample, whether the others make its label nearly impossible."""
    parts = np.array([int(key(sample.text)[8:16], 16) % PARTS for sample in samples])
    doubted = np.zeros(len(samples), bool)
    for part in range(PARTS):
        judge = tfidf(
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
            doubted[index] = row[sample.label] < LEAST
    return doubted.tolist()
