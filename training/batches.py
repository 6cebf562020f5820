"""Samples to batches of tensors, by length so that little is padding."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from folate.core.labels import ASPECTS, EMOTIONS, INTENTS, SENTIMENT_LABELS, TARGET_LABELS
from nlp.model.heads import TargetRows, build_target_rows, pad_sequences, span_token_weights
from nlp.text.clauses import target_clauses
from training.sets.manifest import DatasetSplit
from training.sets.samples import NEUTRAL, TWO_WAY, Sample
from training.sets.weak import add_rule_labels

NEUTRAL_SMOOTHING = 0.1  # of what annotators with two choices called positive or negative: a third choice would have drawn some
RULE_LABEL_WEIGHT = 0.3  # what a label by rule weighs beside one by annotators
_MOST = 128  # samples of a batch


@dataclass(frozen=True)
class Batch:
    """What n texts of t tokens should be judged as, with zeros where there is no label.

    Probabilities: ``post`` (n, 3), ``target`` (m, 4), ``emotion`` (n, 6), ``polarity`` (n, a, 3). Yes or no beside its weight, the last
    axis: ``intent`` (n, 4, 2), ``spoken`` (n, a, 2). ``place`` (n, a, t) is 1 at the tokens of the clauses that speak of an aspect.
    """

    ids: Tensor
    mask: Tensor | None
    post: Tensor
    target_rows: TargetRows | None
    target: Tensor
    emotion: Tensor
    intent: Tensor
    spoken: Tensor
    polarity: Tensor
    place: Tensor

    def to(self, device: torch.device) -> Batch:
        its = {field.name: getattr(self, field.name) for field in fields(self)}
        return Batch(
            **{name: value if value is None else value.to(device) for name, value in its.items()}
        )


def draw_epoch_samples(
    splits: Sequence[DatasetSplit], composed: Sequence[Sample], seed: int, number: int
) -> list[Sample]:
    """The samples of one epoch: large sets cut to their limit (another part each epoch), small ones repeated."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - sampling, not a secret
    chosen = list(composed)
    for split in splits:
        some = rng.sample(split.train, min(len(split.train), split.source.limit))
        chosen += [
            add_rule_labels(sample, is_review=split.source.reviews) for sample in some
        ] * split.source.repeat
    rng.shuffle(chosen)
    return chosen


EncodedSamples = list[tuple[Sample, Any]]
"""Samples of one batch with their encodings."""


def group_by_length(
    samples: Sequence[Sample], tokenizer: Any, tokens: int, max_tokens: int, seed: str
) -> list[EncodedSamples]:
    """Batches to be, of about ``tokens`` tokens from texts cut at ``longest``: samples of like length together, in random order."""
    encoded = tokenizer.encode_batch([sample.text for sample in samples])
    for encoding in encoded:
        encoding.truncate(max_tokens)
    order = sorted(range(len(samples)), key=lambda index: (len(encoded[index]), index))
    made: list[EncodedSamples] = [[]]
    for index in order:
        if (len(made[-1]) + 1) * len(encoded[index]) > tokens or len(made[-1]) >= _MOST:
            made.append([])
        made[-1].append((samples[index], encoded[index]))
    random.Random(seed).shuffle(made)  # noqa: S311 - sampling, not a secret
    return made


def collate(group: EncodedSamples) -> Batch:
    """One batch, padded to its longest text."""
    samples, encoded = [sample for sample, _ in group], [encoding for _, encoding in group]
    ids, mask = pad_sequences([encoding.ids for encoding in encoded])
    mentions = [[target.spans for target in sample.targets] for sample in samples]
    around = [
        target_clauses(sample.text, spans) for sample, spans in zip(samples, mentions, strict=True)
    ]
    rows = build_target_rows([encoding.offsets for encoding in encoded], mentions, around)
    post = _wanted([(sample.label, sample.classes) for sample in samples], len(SENTIMENT_LABELS))
    target = _wanted(
        [(target.label, sample.classes) for sample in samples for target in sample.targets],
        len(TARGET_LABELS),
    )
    if rows is not None:  # a target beyond the cut has no token to be read from
        target *= rows.mention.sum(1, keepdim=True) > 0
    emotion = _wanted([(sample.emotion, ()) for sample in samples], len(EMOTIONS))
    return Batch(
        ids, mask, post, rows, target, emotion, _intents(samples), *_aspects(group, ids.shape[1])
    )


def _wanted(labels: Sequence[tuple[int | None, tuple[int, ...]]], width: int) -> Tensor:
    """Label and the classes it was chosen from, as probabilities (n, width)."""
    wanted = torch.zeros(len(labels), width)
    for row, (label, classes) in enumerate(labels):
        if label is not None:
            wanted[row, label] = 1.0
            if classes == TWO_WAY:
                wanted[row, label], wanted[row, NEUTRAL] = 1 - NEUTRAL_SMOOTHING, NEUTRAL_SMOOTHING
    return wanted


def _intents(samples: Sequence[Sample]) -> Tensor:
    wanted = torch.zeros(len(samples), len(INTENTS), 2)
    for row, sample in enumerate(samples):
        for index, has in sample.intents:
            wanted[row, index] = torch.tensor(
                (float(has), RULE_LABEL_WEIGHT if "intents" in sample.rule_labelled else 1.0)
            )
    return wanted


def _aspects(group: EncodedSamples, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """``spoken``, ``polarity`` and ``place`` of a batch. An aspect that is spoken of beyond the cut only is unknown."""
    spoken, polarity = (
        torch.zeros(len(group), len(ASPECTS), 2),
        torch.zeros(len(group), len(ASPECTS), len(SENTIMENT_LABELS)),
    )
    place = torch.zeros(len(group), len(ASPECTS), length)
    for row, (sample, encoding) in enumerate(group):
        weight = RULE_LABEL_WEIGHT if "aspects" in sample.rule_labelled else 1.0
        spoken[row, list(sample.absent_aspects), 1] = RULE_LABEL_WEIGHT
        around = target_clauses(sample.text, [aspect.spans for aspect in sample.aspects])
        for aspect, spans in zip(sample.aspects, around, strict=True):
            tokens = (
                torch.tensor(span_token_weights(encoding.offsets, spans, length)) if spans else None
            )
            if tokens is None or tokens.any():
                spoken[row, aspect.index] = torch.tensor((1.0, weight))
                if aspect.label is not None:
                    polarity[row, aspect.index, aspect.label] = weight
            if tokens is not None:
                place[row, aspect.index] = (tokens > 0).float()
    return spoken, polarity, place
