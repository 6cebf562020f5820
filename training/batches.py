"""Batches of tensors made of samples, grouped by length so that little is padding."""

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

NEUTRAL_SMOOTHING = 0.1
"""Probability of neutral for labels from annotators who could not choose it."""

RULE_LABEL_WEIGHT = 0.3
"""Weight of a label by rule, beside 1 for one by annotators."""

_MAX_SAMPLES = 128
"""Samples of a batch at most."""


@dataclass(frozen=True)
class Batch:
    """The inputs and labels of n texts of t tokens, with zeros where there is no label.

    Probabilities: ``post`` (n, 3), ``target`` (m, 4), ``emotion`` (n, 6), ``polarity`` (n, a, 3).
    Yes or no with its weight, on the last axis: ``intent`` (n, 4, 2), ``spoken`` (n, a, 2), whether
    the text has an aspect. ``place`` (n, a, t) is 1 at the tokens of the clauses about an aspect.
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
        """Return the batch with its tensors on ``device``."""
        moved = {}
        for field in fields(self):
            value = getattr(self, field.name)
            moved[field.name] = None if value is None else value.to(device)
        return Batch(**moved)


def draw_epoch_samples(
    splits: Sequence[DatasetSplit], composed: Sequence[Sample], seed: int, number: int
) -> list[Sample]:
    """Draw the samples of one epoch: a new part of each large set, small sets repeated."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - sampling, not a secret
    chosen = list(composed)
    for split in splits:
        set_samples = rng.sample(split.train, min(len(split.train), split.source.limit))
        chosen += [
            add_rule_labels(sample, is_review=split.source.reviews) for sample in set_samples
        ] * split.source.repeat
    rng.shuffle(chosen)
    return chosen


EncodedSamples = list[tuple[Sample, Any]]
"""Samples of one batch with their encodings."""


def group_by_length(
    samples: Sequence[Sample], tokenizer: Any, tokens: int, max_tokens: int, seed: str
) -> list[EncodedSamples]:
    """Group samples into batches of about ``tokens`` tokens, of similar length, in random order.

    Texts are cut at ``max_tokens`` tokens.
    """
    encoded = tokenizer.encode_batch([sample.text for sample in samples])
    for encoding in encoded:
        encoding.truncate(max_tokens)
    order = sorted(range(len(samples)), key=lambda index: (len(encoded[index]), index))
    batches: list[EncodedSamples] = [[]]
    for index in order:
        if (len(batches[-1]) + 1) * len(encoded[index]) > tokens or len(
            batches[-1]
        ) >= _MAX_SAMPLES:
            batches.append([])
        batches[-1].append((samples[index], encoded[index]))
    random.Random(seed).shuffle(batches)  # noqa: S311 - sampling, not a secret
    return batches


def collate(group: EncodedSamples) -> Batch:
    """Make one batch, padded to its longest text."""
    samples = [sample for sample, _ in group]
    encoded = [encoding for _, encoding in group]
    ids, mask = pad_sequences([encoding.ids for encoding in encoded])
    mentions = [[target.spans for target in sample.targets] for sample in samples]
    clauses = [
        target_clauses(sample.text, spans) for sample, spans in zip(samples, mentions, strict=True)
    ]
    rows = build_target_rows([encoding.offsets for encoding in encoded], mentions, clauses)
    post = _label_probabilities(
        [(sample.label, sample.classes) for sample in samples], len(SENTIMENT_LABELS)
    )
    target = _label_probabilities(
        [(target.label, sample.classes) for sample in samples for target in sample.targets],
        len(TARGET_LABELS),
    )
    # a target after the cut has no token
    if rows is not None:
        target *= rows.mention.sum(1, keepdim=True) > 0
    emotion = _label_probabilities([(sample.emotion, ()) for sample in samples], len(EMOTIONS))
    return Batch(
        ids,
        mask,
        post,
        rows,
        target,
        emotion,
        _intent_tensor(samples),
        *_aspect_tensors(group, ids.shape[1]),
    )


def _label_probabilities(
    labels: Sequence[tuple[int | None, tuple[int, ...]]], width: int
) -> Tensor:
    """Convert labels and the classes they were chosen from to probabilities (n, width)."""
    probabilities = torch.zeros(len(labels), width)
    for row, (label, classes) in enumerate(labels):
        if label is not None:
            probabilities[row, label] = 1.0
            if classes == TWO_WAY:
                probabilities[row, label] = 1 - NEUTRAL_SMOOTHING
                probabilities[row, NEUTRAL] = NEUTRAL_SMOOTHING
    return probabilities


def _intent_tensor(samples: Sequence[Sample]) -> Tensor:
    answers_and_weights = torch.zeros(len(samples), len(INTENTS), 2)
    for row, sample in enumerate(samples):
        for index, has_intent in sample.intents:
            answers_and_weights[row, index] = torch.tensor(
                (float(has_intent), RULE_LABEL_WEIGHT if "intents" in sample.rule_labelled else 1.0)
            )
    return answers_and_weights


def _aspect_tensors(group: EncodedSamples, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``spoken``, ``polarity`` and ``place`` of a batch.

    An aspect mentioned only after the cut of the text is unknown.
    """
    spoken = torch.zeros(len(group), len(ASPECTS), 2)
    polarity = torch.zeros(len(group), len(ASPECTS), len(SENTIMENT_LABELS))
    place = torch.zeros(len(group), len(ASPECTS), length)
    for row, (sample, encoding) in enumerate(group):
        weight = RULE_LABEL_WEIGHT if "aspects" in sample.rule_labelled else 1.0
        spoken[row, list(sample.absent_aspects), 1] = RULE_LABEL_WEIGHT
        clauses = target_clauses(sample.text, [aspect.spans for aspect in sample.aspects])
        for aspect, spans in zip(sample.aspects, clauses, strict=True):
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
