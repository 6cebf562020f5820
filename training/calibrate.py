"""Calibration of a trained model: temperatures, early-exit thresholds and the saved model folder.

Everything is fitted on dev texts that training never saw.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from folate.core.labels import TARGET_LABELS
from nlp.model.checkpoint import (
    DepthCalibration,
    EarlyExitCalibration,
    ModelCalibration,
    save_checkpoint,
)
from nlp.model.folate_reader import FolateReader, target_probabilities
from nlp.model.heads import MultiTaskModel
from nlp.model.pooling import PooledLogits, softmax
from nlp.text.language import MODEL_LANGUAGES, model_language, replace_surrogates
from training.sets.manifest import DatasetSplit, text_digest
from training.sets.samples import NEGATIVE, NEUTRAL, NOT_ABOUT, POSITIVE, Sample
from training.sets.weak import add_rule_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_NAME = "folate-small"
_TEMPERATURES = np.geomspace(0.5, 4, 121)
_SCALES = np.geomspace(0.25, 2, 31)
_SHIFTS = np.linspace(-3, 3, 61)
_LabelledLogits = tuple["NDArray[np.float64]", list[int]]
_EXIT_THRESHOLDS = np.linspace(0.5, 0.995, 100)
"""Probabilities tried as thresholds of early exit."""

_MAX_ACCURACY_LOSS = 0.002
"""Accuracy that early exit may lose, by language and head."""

_MAX_CALIBRATION_SAMPLES = 250
"""Dev samples of a set that calibration is fitted on, at most."""


def calibrate_and_save(
    model: MultiTaskModel,
    splits: Sequence[DatasetSplit],
    tokenizer: Path,
    out: Path,
    training_summary: str = "",
) -> ModelCalibration:
    """Save the model, fit its calibration on the saved weights, and save it again calibrated.

    ``training_summary``: how the model was trained, in words.
    """
    save_checkpoint(model, ModelCalibration(), name=MODEL_NAME, tokenizer=tokenizer, folder=out)
    calibration = fit_calibration(
        FolateReader(out, torch.float32), [split for split in splits if split.train]
    )
    save_checkpoint(
        model,
        calibration,
        name=MODEL_NAME,
        tokenizer=tokenizer,
        folder=out,
        training_summary=training_summary,
    )
    return calibration


@dataclass
class DevLogits:
    """Uncalibrated logits of dev texts at one depth, with the labels to fit on."""

    # by head and language: logits of the classes that annotators had, positions of the right ones
    labelled_logits: dict[tuple[str, str], list[_LabelledLogits]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # by language: the logit of an aspect, whether the text has it
    aspect_logits: dict[str, list[tuple[float, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # by head and language: logits of all classes, of posts and targets
    all_class_logits: dict[tuple[str, str], list[NDArray[np.float64]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # number of targets by label
    target_label_counts: Counter[int] = field(default_factory=Counter)

    def add_sample(self, sample: Sample, pooled: PooledLogits) -> None:
        """Add the pooled logits of one dev text with its labels.

        Aspects labelled by word lists are left out: they are good enough for training only.
        """
        language = model_language(sample.text)
        self.all_class_logits["post", language].append(pooled.mean_logits(pooled.post))
        self.all_class_logits["target", language] += [
            pooled.mean_target_logits(position)
            for position, token_count in enumerate(pooled.target_token_counts)
            if token_count
        ]
        if sample.label is not None:
            self.labelled_logits["post", language].append(
                _allowed_class_logits(pooled.mean_logits(pooled.post), sample.classes, sample.label)
            )
        if sample.emotion is not None:
            self.labelled_logits["emotion", language].append(
                (pooled.mean_logits(pooled.emotion), [sample.emotion])
            )
        for position, target in enumerate(sample.targets):
            if NEUTRAL in sample.classes:
                self.target_label_counts[
                    NEUTRAL if target.label == NOT_ABOUT else target.label
                ] += 1
            if pooled.target_token_counts[position]:
                self.labelled_logits["target", language].append(
                    _allowed_class_logits(
                        pooled.mean_target_logits(position), sample.classes, target.label
                    )
                )
        for aspect in () if "aspects" in sample.rule_labelled else sample.aspects:
            self.aspect_logits[language].append((float(pooled.spoken[aspect.index]), True))
            if aspect.label is not None:
                self.labelled_logits["polarity", language].append(
                    _allowed_class_logits(
                        pooled.polarity[aspect.index], sample.classes, aspect.label
                    )
                )
        for index in () if "aspects" in sample.rule_labelled else sample.absent_aspects:
            self.aspect_logits[language].append((float(pooled.spoken[index]), False))

    def calibration(self) -> DepthCalibration:
        """Fit the calibration of one depth; a language without texts keeps 1.

        Intents are not calibrated: fitted to labels by rule, they do worse on sentences of our own.
        """
        aspect_scaling = {
            language: fit_platt_scaling(self.aspect_logits[language])
            for language in MODEL_LANGUAGES
        }
        return DepthCalibration(
            self._fit_temperatures("post"),
            self._fit_temperatures("target"),
            self._fit_temperatures("emotion"),
            self._fit_temperatures("polarity"),
            aspect_scaling,
        )

    def _fit_temperatures(self, head: str) -> dict[str, float]:
        """Fit the temperature of a head in each language."""
        return {
            language: fit_temperature(self.labelled_logits[head, language])
            for language in MODEL_LANGUAGES
        }


def fit_calibration(reader: FolateReader, splits: Sequence[DatasetSplit]) -> ModelCalibration:
    """Fit the calibration of both depths, early exit and label prevalence on dev samples.

    The prevalences are those of the labels of targets; probabilities of brands are calibrated
    under them.
    """
    early = _collect_dev_logits(reader, splits, 0.0)
    late = _collect_dev_logits(reader, splits, math.inf)
    both_depths = (early, late)
    # add one: a class that the dev samples lack is rare, not impossible
    prior = tuple(
        round((late.target_label_counts[label] + 1) / (late.target_label_counts.total() + 3), 4)
        for label in (NEGATIVE, NEUTRAL, POSITIVE)
    )
    calibrations = (early.calibration(), late.calibration())
    thresholds: dict[str, float] = {}
    exit_logits: dict[str, dict[str, list[float]]] = {"post": {}, "target": {}}
    for language in MODEL_LANGUAGES:
        thresholds[language] = max(
            fit_exit_threshold(
                list(_early_and_late_answers((head, language), both_depths, calibrations))
            )
            for head in exit_logits
        )
        for head, by_language in exit_logits.items():
            by_language[language] = _fit_head_exit_logits(
                (head, language), both_depths, calibrations, thresholds[language]
            )
    early_exit = EarlyExitCalibration(exit_logits["post"], exit_logits["target"])
    return ModelCalibration(*calibrations, thresholds, early_exit, prior)


def _fit_head_exit_logits(
    head_and_language: tuple[str, str],
    both_depths: tuple[DevLogits, DevLogits],
    calibrations: tuple[DepthCalibration, DepthCalibration],
    threshold: float,
) -> list[float]:
    """Fit the scale and shifts of a head's early logits on those that exit early."""
    head, language = head_and_language
    if not both_depths[0].all_class_logits[head_and_language]:
        return list(getattr(EarlyExitCalibration(), head)[language])
    early, late = (
        np.stack(dev_logits.all_class_logits[head_and_language])
        / getattr(calibration, head)[language]
        for dev_logits, calibration in zip(both_depths, calibrations, strict=True)
    )
    probabilities = np.array([max(_class_probabilities(logits)) for logits in early])
    return fit_early_exit_logits(
        early[probabilities >= threshold], late[probabilities >= threshold]
    )


def _collect_dev_logits(
    reader: FolateReader, splits: Sequence[DatasetSplit], threshold: float
) -> DevLogits:
    """Collect uncalibrated logits of dev samples: early at ``threshold`` 0, late at infinity."""
    reader.exit_thresholds = dict.fromkeys(MODEL_LANGUAGES, threshold)
    dev_logits = DevLogits()
    for split in splits:
        samples = [
            add_rule_labels(sample, is_review=split.source.reviews)
            for sample in select_calibration_samples(split.dev)
        ]
        texts = [replace_surrogates(sample.text) for sample in samples]
        target_spans = [tuple(target.spans for target in sample.targets) for sample in samples]
        for sample, pooled in zip(samples, reader.pool_logits(texts, target_spans), strict=True):
            dev_logits.add_sample(sample, pooled)
    return dev_logits


def _early_and_late_answers(
    head_and_language: tuple[str, str],
    both_depths: tuple[DevLogits, DevLogits],
    calibrations: tuple[DepthCalibration, DepthCalibration],
) -> Iterator[tuple[float, bool, bool]]:
    """Yield the early depth's probability and whether the early and late predictions are right."""
    head, language = head_and_language
    temperatures = [getattr(calibration, head)[language] for calibration in calibrations]
    for pair in zip(
        *(logits.labelled_logits[head_and_language] for logits in both_depths), strict=True
    ):
        probabilities = [
            _class_probabilities(logits / temperature)
            for (logits, _), temperature in zip(pair, temperatures, strict=True)
        ]
        early_right, late_right = (
            int(np.argmax(depth_probabilities)) in right_positions
            for depth_probabilities, (_, right_positions) in zip(probabilities, pair, strict=True)
        )
        yield max(probabilities[0]), early_right, late_right


def _class_probabilities(logits: NDArray[np.float64]) -> Sequence[float]:
    """Return label probabilities of logits: of a post, of some of its classes, or of a target."""
    return target_probabilities(logits) if len(logits) == len(TARGET_LABELS) else softmax(logits)


def fit_exit_threshold(predictions: Sequence[tuple[float, bool, bool]]) -> float:
    """Return the lowest threshold of early exit that loses at most 0.002 of accuracy, else 1.1.

    ``predictions``: the early depth's probability, whether it is right, whether the late one is.
    """
    probabilities, early, late = (
        (np.array(column) for column in zip(*predictions, strict=True))
        if predictions
        else (np.zeros(0),) * 3
    )
    acceptable = (
        threshold
        for threshold in _EXIT_THRESHOLDS
        if np.where(probabilities >= threshold, early, late).sum()
        >= late.sum() - _MAX_ACCURACY_LOSS * len(late)
    )
    return round(float(next(acceptable, 1.1)), 3)


def fit_early_exit_logits(early: NDArray[np.float64], late: NDArray[np.float64]) -> list[float]:
    """Fit a scale and shifts under which early logits (n, k) best match late ones (n, k).

    The cross-entropy against the late probabilities is least, so that each label's mean probability
    is the same. Returns the scale, then the k shifts.
    """
    early_logits = torch.tensor(early)
    late_probabilities = torch.tensor(late).softmax(-1)
    scale = torch.ones(1, dtype=early_logits.dtype, requires_grad=True)
    shift = torch.zeros(early_logits.shape[1], dtype=early_logits.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([scale, shift], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        cross_entropy: Tensor = functional.cross_entropy(
            scale * early_logits + shift, late_probabilities
        )
        cross_entropy.backward()
        return cross_entropy.detach()

    if len(early):
        optimizer.step(loss)
    return [round(value, 4) for value in (*scale.tolist(), *shift.tolist())]


def select_calibration_samples(dev: Sequence[Sample]) -> list[Sample]:
    """Select the dev samples to fit calibration on: those of the largest digests.

    At most 250 and at most half of the set, so that every set weighs about the same; scores are
    measured on those of the smallest digests (`select_evaluation_samples`).
    """
    descending = sorted(dev, key=lambda sample: text_digest(sample.text))[::-1]
    return descending[: min(_MAX_CALIBRATION_SAMPLES, len(dev) // 2)]


def calibration_digests(split: DatasetSplit) -> set[str]:
    """Return the digests of the dev texts that calibration is fitted on; none without training."""
    return (
        {text_digest(sample.text) for sample in select_calibration_samples(split.dev)}
        if split.train
        else set()
    )


def select_evaluation_samples(samples: Sequence[Sample], count: int) -> list[Sample]:
    """Select at most ``count`` samples, the same ones each time: those of the smallest digests."""
    return sorted(samples, key=lambda sample: text_digest(sample.text))[:count]


def fit_temperature(rows: Sequence[_LabelledLogits]) -> float:
    """Fit the temperature of logits (k,) that minimises the mean negative log likelihood.

    Each row has its logits and the positions of the classes that count as right.
    """

    def loss(temperature: float) -> float:
        return sum(
            float(
                np.logaddexp.reduce(logits / temperature)
                - np.logaddexp.reduce(logits[right_positions] / temperature)
            )
            for logits, right_positions in rows
        )

    return round(float(min(_TEMPERATURES, key=loss)), 3) if rows else 1.0


def fit_platt_scaling(labelled_logits: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Fit the scale and shift of yes/no logits by negative log likelihood (Platt 1999)."""
    if len({right for _, right in labelled_logits}) < 2:
        return 1.0, 0.0
    logits = np.array([logit for logit, _ in labelled_logits])
    signs = np.array([1 if right else -1 for _, right in labelled_logits])

    def loss(pair: tuple[float, float]) -> float:
        return float(np.logaddexp(0, -signs * (pair[0] * logits + pair[1])).sum())

    scale, shift = min(((scale, shift) for scale in _SCALES for shift in _SHIFTS), key=loss)
    return round(float(scale), 3), round(float(shift), 3)


def _allowed_class_logits(
    logits: NDArray[np.float64], classes: tuple[int, ...], label: int
) -> _LabelledLogits:
    """Return the logits of the classes that annotators had, and the positions of the right ones."""
    allowed_classes = [
        index
        for index in (*classes, NOT_ABOUT)
        if index < len(logits) and (index != NOT_ABOUT or NEUTRAL in classes)
    ]
    # a prediction of "not about it" counts as neutral
    right_labels = {NEUTRAL, NOT_ABOUT} if label == NEUTRAL else {label}
    return logits[allowed_classes], [
        position for position, index in enumerate(allowed_classes) if index in right_labels
    ]
