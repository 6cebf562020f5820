"""Samples to batches of tensors, by length so that little is padding."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nlp.sentiment.clauses import clauses
from nlp.sentiment.heads import TargetRows, padded, target_rows
from nlp.sentiment.labels import LABELS, TARGET_LABELS
from nlp.training.manifest import Split
from nlp.training.samples import NEUTRAL, TWO_WAY, Sample

MAYBE_NEUTRAL = 0.1  # of what annotators with two choices called positive or negative: a third choice would have drawn some
_MOST = 128  # samples of a batch


@dataclass(frozen=True)
class Batch:
    """``post`` (n, 3) and ``target`` (m, 4): the probabilities to learn, rows of zeros where there is no label."""

    ids: Tensor
    mask: Tensor | None
    post: Tensor
    rows: TargetRows | None
    target: Tensor


def epoch(splits: Sequence[Split], composed: Sequence[Sample], seed: int, number: int) -> list[Sample]:
    """The samples of one epoch: large sets cut to their limit (another part each epoch), small ones repeated."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - sampling, not a secret
    chosen = list(composed)
    for split in splits:
        chosen += rng.sample(split.train, min(len(split.train), split.source.limit)) * split.source.repeat
    rng.shuffle(chosen)
    return chosen


Group = list[tuple[Sample, Any]]
"""Samples of one batch with their encodings."""


def groups(samples: Sequence[Sample], tokenizer: Any, tokens: int, longest: int, seed: str) -> list[Group]:
    """Batches to be, of about ``tokens`` tokens from texts cut at ``longest``: samples of like length together, in random order."""
    encoded = tokenizer.encode_batch([sample.text for sample in samples])
    for encoding in encoded:
        encoding.truncate(longest)
    order = sorted(range(len(samples)), key=lambda index: (len(encoded[index]), index))
    made: list[Group] = [[]]
    for index in order:
        if (len(made[-1]) + 1) * len(encoded[index]) > tokens or len(made[-1]) >= _MOST:
            made.append([])
        made[-1].append((samples[index], encoded[index]))
    random.Random(seed).shuffle(made)  # noqa: S311 - sampling, not a secret
    return made


def collate(group: Group) -> Batch:
    """One batch, padded to its longest text."""
    samples, encoded = [sample for sample, _ in group], [encoding for _, encoding in group]
    ids, mask = padded([encoding.ids for encoding in encoded])
    mentions = [[target.spans for target in sample.targets] for sample in samples]
    around = [clauses(sample.text, spans) for sample, spans in zip(samples, mentions, strict=True)]
    rows = target_rows([encoding.offsets for encoding in encoded], mentions, around)
    post = _wanted([(sample.label, sample.classes) for sample in samples], len(LABELS))
    target = _wanted([(target.label, sample.classes) for sample in samples for target in sample.targets], len(TARGET_LABELS))
    if rows is not None:  # a target beyond the cut has no token to be read from
        target *= rows.mention.sum(1, keepdim=True) > 0
    return Batch(ids, mask, post, rows, target)


def _wanted(labels: Sequence[tuple[int | None, tuple[int, ...]]], width: int) -> Tensor:
    """Label and the classes it was chosen from, as probabilities (n, width)."""
    wanted = torch.zeros(len(labels), width)
    for row, (label, classes) in enumerate(labels):
        if label is not None:
            wanted[row, label] = 1.0
            if classes == TWO_WAY:
                wanted[row, label], wanted[row, NEUTRAL] = 1 - MAYBE_NEUTRAL, MAYBE_NEUTRAL
    return wanted
