"""Samples to batches of tensors, by length so that little is padding."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nlp.sentiment.clauses import clauses
from nlp.sentiment.heads import LABELS, TARGET_LABELS, TargetRows, padded, target_rows
from nlp.training.manifest import Split
from nlp.training.samples import NOT_ABOUT, TWO_WAY, Sample

_IGNORE = -100
_MOST = 128  # samples of a batch


@dataclass(frozen=True)
class Batch:
    """``post`` (n,) and ``target`` (m,) labels, -100 where there is none; ``*_open`` are true at the classes annotators could choose."""

    ids: Tensor
    mask: Tensor | None
    post: Tensor
    post_open: Tensor
    rows: TargetRows | None
    target: Tensor
    target_open: Tensor


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
    targets = [target for sample in samples for target in sample.targets]
    mentions = [[target.spans for target in sample.targets] for sample in samples]
    around = [clauses(sample.text, spans) for sample, spans in zip(samples, mentions, strict=True)]
    rows = target_rows([encoding.offsets for encoding in encoded], mentions, around)
    labels = [target.label for target in targets]
    if rows is not None:  # a target beyond the cut has no token to be read from
        labels = [label if seen else _IGNORE for label, seen in zip(labels, rows.mention.sum(1).tolist(), strict=True)]
    return Batch(
        ids,
        mask,
        torch.tensor([_IGNORE if sample.label is None else sample.label for sample in samples]),
        _open([sample.classes for sample in samples], len(LABELS)),
        rows,
        torch.tensor(labels, dtype=torch.long),
        _open([_target_classes(sample) for sample in samples for _ in sample.targets], len(TARGET_LABELS)),
    )


def _target_classes(sample: Sample) -> tuple[int, ...]:
    return TWO_WAY if sample.classes == TWO_WAY else (*sample.classes, NOT_ABOUT)


def _open(classes: Sequence[tuple[int, ...]], width: int) -> Tensor:
    opened = torch.zeros(len(classes), width, dtype=torch.bool)
    for row, its in enumerate(classes):
        opened[row, list(its)] = True
    return opened
