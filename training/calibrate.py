"""From trained weights to a model folder: temperatures for each depth, head and language, and the thresholds of early exit, fitted on dev
texts that training never saw.
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
_GRID = np.geomspace(0.5, 4, 121)
_SCALES, _SHIFTS = np.geomspace(0.25, 2, 31), np.linspace(-3, 3, 61)
_Row = tuple["NDArray[np.float64]", list[int]]
_THRESHOLDS, _LOSS = np.linspace(0.5, 0.995, 100), 0.002  # tried; of accuracy, by language and head
_EACH = 250


def calibrate_and_save(
    model: MultiTaskModel,
    splits: Sequence[DatasetSplit],
    tokenizer: Path,
    out: Path,
    training_summary: str = "",
) -> ModelCalibration:
    """Packs the model into ``out``, fits the temperatures on what was packed, and packs it again with them.

    ``training``: how it was trained, in words.
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
class _Found:
    """What dev texts give to fit on: by head and language, logits with their labels, and those of posts and targets whole; by language,
    logits with whether an aspect is spoken of.
    """

    choices: dict[tuple[str, str], list[_Row]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))
    whole: dict[tuple[str, str], list[NDArray[np.float64]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    labels: Counter[int] = field(default_factory=Counter)

    def add(self, sample: Sample, total: PooledLogits) -> None:
        """One dev text. Aspects that only word lists found are left out: only training is content with those."""
        spoken = model_language(sample.text)
        self.whole["post", spoken].append(total.mean_logits(total.post))
        self.whole["target", spoken] += [
            total.mean_target_logits(position)
            for position, seen in enumerate(total.target_token_counts)
            if seen
        ]
        if sample.label is not None:
            self.choices["post", spoken].append(
                _row(total.mean_logits(total.post), sample.classes, sample.label)
            )
        if sample.emotion is not None:
            self.choices["emotion", spoken].append(
                (total.mean_logits(total.emotion), [sample.emotion])
            )
        for position, target in enumerate(sample.targets):
            if NEUTRAL in sample.classes:
                self.labels[NEUTRAL if target.label == NOT_ABOUT else target.label] += 1
            if total.target_token_counts[position]:
                self.choices["target", spoken].append(
                    _row(total.mean_target_logits(position), sample.classes, target.label)
                )
        for aspect in () if "aspects" in sample.rule_labelled else sample.aspects:
            self.answers[spoken].append((float(total.spoken[aspect.index]), True))
            if aspect.label is not None:
                self.choices["polarity", spoken].append(
                    _row(total.polarity[aspect.index], sample.classes, aspect.label)
                )
        for index in () if "aspects" in sample.rule_labelled else sample.absent_aspects:
            self.answers[spoken].append((float(total.spoken[index]), False))

    def calibration(self) -> DepthCalibration:
        """What gives the least negative log likelihood; a language without any text keeps 1.

        Intents are left as training has them: fitted to what the rules see, they do worse on sentences of our own.
        """
        post, target, emotion, polarity = (
            {spoken: fit_temperature(self.choices[head, spoken]) for spoken in MODEL_LANGUAGES}
            for head in ("post", "target", "emotion", "polarity")
        )
        return DepthCalibration(
            post,
            target,
            emotion,
            polarity,
            {spoken: fit_platt_scaling(self.answers[spoken]) for spoken in MODEL_LANGUAGES},
        )


def fit_calibration(reader: FolateReader, splits: Sequence[DatasetSplit]) -> ModelCalibration:
    """The calibration of each depth on the dev samples of ``splits``, from which probability early judgements may stand and how they then
    read, and the prevalences of the labels of targets in those samples, which the probabilities of brands are calibrated under.
    """
    early, late = (_found(reader, splits, threshold) for threshold in (0.0, math.inf))
    # add one: a class that the dev samples lack is rare, not impossible
    prior = tuple(
        round((late.labels[label] + 1) / (late.labels.total() + 3), 4)
        for label in (NEGATIVE, NEUTRAL, POSITIVE)
    )
    made = early.calibration(), late.calibration()
    exits = {
        spoken: max(
            fit_exit_threshold(list(_answers((head, spoken), (early, late), made)))
            for head in ("post", "target")
        )
        for spoken in MODEL_LANGUAGES
    }
    post, target = (
        {
            spoken: _standing((head, spoken), (early, late), made, exits[spoken])
            for spoken in MODEL_LANGUAGES
        }
        for head in ("post", "target")
    )
    return ModelCalibration(*made, exits, EarlyExitCalibration(post, target), prior)


def _standing(
    of: tuple[str, str],
    found: tuple[_Found, _Found],
    calibrations: tuple[DepthCalibration, DepthCalibration],
    threshold: float,
) -> list[float]:
    """The factor and the shifts of a head's early logits in a language, from those that are probable enough to stand."""
    head, spoken = of
    if not found[0].whole[of]:
        return list(getattr(EarlyExitCalibration(), head)[spoken])
    early, late = (
        np.stack(its.whole[of]) / getattr(cool, head)[spoken]
        for its, cool in zip(found, calibrations, strict=True)
    )
    chances = np.array([max(_chances(logits)) for logits in early])
    return fit_early_exit_logits(early[chances >= threshold], late[chances >= threshold])


def _found(reader: FolateReader, splits: Sequence[DatasetSplit], threshold: float) -> _Found:
    """The reader's uncalibrated logits of dev samples, all of the early depth (``threshold`` 0) or all of the late one (infinite)."""
    reader.exit_thresholds, found = dict.fromkeys(MODEL_LANGUAGES, threshold), _Found()
    for split in splits:
        samples = [
            add_rule_labels(sample, is_review=split.source.reviews)
            for sample in select_calibration_samples(split.dev)
        ]
        asked = [tuple(target.spans for target in sample.targets) for sample in samples]
        for sample, total in zip(
            samples,
            reader.pool_logits([replace_surrogates(sample.text) for sample in samples], asked),
            strict=True,
        ):
            found.add(sample, total)
    return found


def _answers(
    of: tuple[str, str],
    found: tuple[_Found, _Found],
    calibrations: tuple[DepthCalibration, DepthCalibration],
) -> Iterator[tuple[float, bool, bool]]:
    """Of each judgement of a head in a language how probable the early depth finds its own, and whether it and the late one's are right."""
    head, spoken = of
    cool = [getattr(its, head)[spoken] for its in calibrations]
    for pair in zip(*(its.choices[of] for its in found), strict=True):
        cooled = [logits / temperature for (logits, _), temperature in zip(pair, cool, strict=True)]
        chances = [_chances(logits) for logits in cooled]
        right = [
            int(np.argmax(its)) in wanted for its, (_, wanted) in zip(chances, pair, strict=True)
        ]
        yield max(chances[0]), right[0], right[1]


def _chances(logits: NDArray[np.float64]) -> Sequence[float]:
    """Probabilities of the labels of a post's logits, of some of its classes, or of a target's."""
    return target_probabilities(logits) if len(logits) == len(TARGET_LABELS) else softmax(logits)


def fit_exit_threshold(answers: Sequence[tuple[float, bool, bool]]) -> float:
    """The lowest probability from which early judgements may stand at a loss of ``_LOSS`` of accuracy; above 1 where none may.

    ``answers``: the early judgement's probability, whether it is right, whether the late one is.
    """
    chances, early, late = (
        (np.array(column) for column in zip(*answers, strict=True))
        if answers
        else (np.zeros(0),) * 3
    )
    enough = (
        least
        for least in _THRESHOLDS
        if np.where(chances >= least, early, late).sum() >= late.sum() - _LOSS * len(late)
    )
    return round(float(next(enough, 1.1)), 3)


def fit_early_exit_logits(early: NDArray[np.float64], late: NDArray[np.float64]) -> list[float]:
    """The factor, then the shifts, under which early logits (n, k) give the probabilities of late ones with the least cross-entropy: each
    label's mean probability is then the same.
    """
    given, wanted = torch.tensor(early), torch.tensor(late).softmax(-1)
    factor, shift = (
        torch.ones(1, dtype=given.dtype, requires_grad=True),
        torch.zeros(given.shape[1], dtype=given.dtype, requires_grad=True),
    )
    optimizer = torch.optim.LBFGS([factor, shift], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        entropy: Tensor = functional.cross_entropy(factor * given + shift, wanted)
        entropy.backward()
        return entropy.detach()

    if len(early):
        optimizer.step(loss)
    return [round(value, 4) for value in (*factor.tolist(), *shift.tolist())]


def select_calibration_samples(dev: Sequence[Sample]) -> list[Sample]:
    """The dev samples that calibration is fitted on: those of the largest digests, `_EACH` and half of the set at most.

    Every set weighs about the same; scores are of those of the smallest digests (``some``).
    """
    return sorted(dev, key=lambda sample: text_digest(sample.text))[::-1][
        : min(_EACH, len(dev) // 2)
    ]


def calibration_digests(split: DatasetSplit) -> set[str]:
    """The digests of those of a set's dev texts that calibration is fitted on: none of a set that is never trained on."""
    return (
        {text_digest(sample.text) for sample in select_calibration_samples(split.dev)}
        if split.train
        else set()
    )


def select_evaluation_samples(samples: Sequence[Sample], count: int) -> list[Sample]:
    """At most ``count`` samples, the same ones each time: those of the smallest digests."""
    return sorted(samples, key=lambda sample: text_digest(sample.text))[:count]


def fit_temperature(rows: Sequence[_Row]) -> float:
    """The temperature under which logits (k,) give their answers, each any of some classes, the least mean negative log likelihood."""

    def loss(temperature: float) -> float:
        return sum(
            float(
                np.logaddexp.reduce(logits / temperature)
                - np.logaddexp.reduce(logits[right] / temperature)
            )
            for logits, right in rows
        )

    return round(float(min(_GRID, key=loss)), 3) if rows else 1.0


def fit_platt_scaling(answers: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """The scale and the shift under which logits of yes give their answers the least negative log likelihood (Platt 1999)."""
    if len({right for _, right in answers}) < 2:
        return 1.0, 0.0
    logits, signs = (
        np.array([logit for logit, _ in answers]),
        np.array([1 if right else -1 for _, right in answers]),
    )

    def loss(pair: tuple[float, float]) -> float:
        return float(np.logaddexp(0, -signs * (pair[0] * logits + pair[1])).sum())

    scale, shift = min(((scale, shift) for scale in _SCALES for shift in _SHIFTS), key=loss)
    return round(float(scale), 3), round(float(shift), 3)


def _row(logits: NDArray[np.float64], classes: tuple[int, ...], label: int) -> _Row:
    """Logits of the classes that annotators could choose from, and where among them the right answer is."""
    chosen = [
        index
        for index in (*classes, NOT_ABOUT)
        if index < len(logits) and (index != NOT_ABOUT or NEUTRAL in classes)
    ]
    right = (
        {NEUTRAL, NOT_ABOUT} if label == NEUTRAL else {label}
    )  # reading counts what a text is not about as neutral
    return logits[chosen], [position for position, index in enumerate(chosen) if index in right]
