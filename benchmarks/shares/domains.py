"""What the model says of labelled texts that its training never saw, a set at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from folate.progress import progress
from nlp.sentiment import Reader, load, prior
from nlp.statistics import Codes, Floats
from nlp.training.calibrate import some
from nlp.training.manifest import Split, splits
from nlp.training.samples import NEUTRAL, NOT_ABOUT, TWO_WAY

FEWEST = 25  # labelled texts of each class that a set must have


@dataclass(frozen=True)
class Domain:
    """One set, of brands in posts (the model's head for targets) or of whole posts.

    Where annotators had two labels, the neutral posterior is 0: they were asked two-way, and so is the model.
    """

    name: str
    known: bool  # other texts of the set were trained on
    posteriors: Floats  # (n, 3) negative, neutral, positive
    labels: Codes  # (n,) their places


def domains(data: Path, model: str, limit: int, cache: Path | None) -> list[Domain]:
    """Every set under `data` with FEWEST texts of each of its classes, at most `limit` texts of one.

    `cache` keeps what the model said, for as long as model and limit stay the same.
    """
    reader = load(model)
    asked = json.dumps({"model": reader.version, "limit": limit})
    if cache and cache.exists() and str((stored := np.load(cache))["asked"]) == asked:
        names = json.loads(str(stored["names"]))
        return [Domain(name, known, stored[f"p{at}"], stored[f"l{at}"]) for at, (name, known) in enumerate(names)]
    found = [domain for split in progress("reading", items=splits(data), unit="set") for domain in _of(reader, split, limit)]
    if cache:
        arrays: dict[str, Any] = {f"p{at}": one.posteriors for at, one in enumerate(found)}
        arrays |= {f"l{at}": one.labels for at, one in enumerate(found)}
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, asked=asked, names=json.dumps([(one.name, one.known) for one in found]), **arrays)
    return found


def calibrated_under(model: str) -> Floats:
    """The prevalences (3,) that the report corrects from."""
    return np.array(prior(model))


def _of(reader: Reader, split: Split, limit: int) -> Iterator[Domain]:
    samples = some(split.dev, limit)
    if not samples:
        return
    readings = reader.read([sample.text for sample in samples], [[target.spans for target in sample.targets] for sample in samples])
    posts = [(reading.post, sample.label) for sample, reading in zip(samples, readings, strict=True) if sample.label is not None]
    targets = [
        (said, NEUTRAL if target.label == NOT_ABOUT else target.label)
        for sample, reading in zip(samples, readings, strict=True)
        for target, said in zip(sample.targets, reading.targets, strict=True)
    ]
    two_way = samples[0].classes == TWO_WAY
    for kind, pairs in (("posts", posts), ("targets", targets)):
        labels = np.array([label for _, label in pairs], dtype=np.int64)
        rows = np.array([(said.negative, said.neutral, said.positive) for said, _ in pairs]).reshape(-1, 3)
        if two_way:
            rows[:, NEUTRAL] = 0
            rows /= rows.sum(axis=1, keepdims=True)
        counts = np.bincount(labels, minlength=3)
        if counts[list(samples[0].classes)].min() >= FEWEST and (kind == "targets" or not targets):
            yield Domain(f"{split.source.name} {kind}", bool(split.train), rows, labels)
