"""From trained weights to a model folder: a temperature for each language and head, fitted on dev texts that training never saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from nlp.sentiment.heads import Model
from nlp.sentiment.packed import Calibration, save
from nlp.sentiment.reading import encodable, language
from nlp.sentiment.shipped import ShippedReader
from nlp.training.manifest import Split, key
from nlp.training.samples import NEGATIVE, NEUTRAL, NOT_ABOUT, POSITIVE, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "folate-small"
_GRID = np.geomspace(0.5, 4, 121)
_Row = tuple["NDArray[np.float64]", list[int]]
_EACH = 250  # dev texts of a set: every set weighs about the same


def finish(model: Model, splits: Sequence[Split], tokenizer: Path, out: Path) -> Calibration:
    """Packs the model into ``out``, fits the temperatures on what was packed, and packs it again with them."""
    save(model, Calibration(), NAME, tokenizer, out)
    calibration = fit(ShippedReader(out, torch.float32), [split for split in splits if split.train])
    save(model, calibration, NAME, tokenizer, out)
    return calibration


def fit(reader: ShippedReader, splits: Sequence[Split]) -> Calibration:
    """The temperatures of least negative log likelihood over the dev samples of ``splits``; a language without any keeps 1.

    With them the prevalences of the labels of targets in those samples, which the probabilities of brands are calibrated under.
    """
    rows: dict[tuple[str, str], list[_Row]] = {}
    labels: Counter[int] = Counter()
    for split in splits:
        samples = some(split.dev, _EACH)
        texts = [encodable(sample.text) for sample in samples]
        asked = [tuple(target.spans for target in sample.targets) for sample in samples]
        for sample, total in zip(samples, reader.totals(texts, asked), strict=True):
            spoken = language(sample.text)
            if sample.label is not None:
                rows.setdefault((spoken, "post"), []).append(_row(total.mean(total.post), sample.classes, sample.label))
            for position, target in enumerate(sample.targets):
                if NEUTRAL in sample.classes:
                    labels[NEUTRAL if target.label == NOT_ABOUT else target.label] += 1
                if total.seen[position]:
                    rows.setdefault((spoken, "target"), []).append(_row(total.target_mean(position), sample.classes, target.label))
    found = {where: coolest(its) for where, its in rows.items()}
    of_post, of_target = ({spoken: found.get((spoken, head), 1.0) for spoken in ("zh", "en")} for head in ("post", "target"))
    # add one: a class that the dev samples lack is rare, not impossible
    prior = tuple(round((labels[label] + 1) / (labels.total() + 3), 4) for label in (NEGATIVE, NEUTRAL, POSITIVE))
    return Calibration(of_post, of_target, prior)


def some(samples: Sequence[Sample], count: int) -> list[Sample]:
    """At most ``count`` samples, the same ones each time: those of the smallest digests."""
    return sorted(samples, key=lambda sample: key(sample.text))[:count]


def coolest(rows: Sequence[_Row]) -> float:
    """The temperature under which logits (k,) give their answers, each any of some classes, the least mean negative log likelihood."""

    def loss(temperature: float) -> float:
        return sum(
            float(np.logaddexp.reduce(logits / temperature) - np.logaddexp.reduce(logits[right] / temperature)) for logits, right in rows
        )

    return round(float(min(_GRID, key=loss)), 3)


def _row(logits: NDArray[np.float64], classes: tuple[int, ...], label: int) -> _Row:
    """Logits of the classes that annotators could choose from, and where among them the right answer is."""
    chosen = [index for index in (*classes, NOT_ABOUT) if index < len(logits) and (index != NOT_ABOUT or NEUTRAL in classes)]
    right = {NEUTRAL, NOT_ABOUT} if label == NEUTRAL else {label}  # reading counts what a text is not about as neutral
    return logits[chosen], [position for position, index in enumerate(chosen) if index in right]
