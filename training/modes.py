"""Differences of the faster modes from fp32 through all layers: other precisions and early exit.

``python -m training.modes --data DIR`` prints them over dev texts that calibration was not fitted
on. A mode is as good as the slow one while macro F1 stays within half a point and shares within .3:
much less than the difference between weeks.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from nlp.model import DEFAULT_MODEL_FOLDER, DEPTHS
from nlp.model.cpu import PRECISION_NAMES, supported_dtypes
from nlp.model.folate_reader import FolateReader
from nlp.model.reader import SentimentProbabilities
from training.calibrate import calibration_digests
from training.predictions import EvaluatedSet, predict_dev_sets, probability_array
from training.scores import macro_f1
from training.sets.manifest import DatasetSplit, load_splits, text_digest
from training.sets.samples import NEUTRAL, NOT_ABOUT, THREE_WAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Probabilities = NDArray[np.float64]


def main() -> int:
    """Print a line for each mode; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.modes", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_MODEL_FOLDER,
        help="model folder (default: the one that ships)",
    )
    parser.add_argument("--limit", type=int, default=60, help="dev texts of a set at most")
    options = parser.parse_args()
    splits = [_without_fitted_texts(split) for split in load_splits(options.data) if split.dev]
    reference = predict_dev_sets(
        FolateReader(options.model, torch.float32, depth="all"), splits, options.limit
    )
    for dtype in supported_dtypes():
        for depth in DEPTHS:
            slow = (dtype, depth) == (torch.float32, "all")
            approximate = (
                reference
                if slow
                else predict_dev_sets(
                    FolateReader(options.model, dtype, depth=depth), splits, options.limit
                )
            )
            for head, answers in (("posts", _post_predictions), ("targets", _target_predictions)):
                name = f"{PRECISION_NAMES[dtype]}, {depth}, {head}"
                changes = describe_prediction_changes(*answers(reference), answers(approximate)[1])
                print(f"{name}: {changes}", flush=True)
    return 0


def _without_fitted_texts(split: DatasetSplit) -> DatasetSplit:
    fitted_digests = calibration_digests(split)
    return replace(
        split,
        dev=[sample for sample in split.dev if text_digest(sample.text) not in fitted_digests],
    )


def describe_prediction_changes(
    labels: NDArray[np.int_], reference: Probabilities, approximate: Probabilities
) -> str:
    """Describe how approximate probabilities (n, 3) differ from reference ones.

    ``labels``: the right label, -1 where annotators did not have all three.
    """
    is_labelled = labels >= 0
    f1_scores = [
        macro_f1(labels[is_labelled], probabilities[is_labelled].argmax(1))
        for probabilities in (approximate, reference)
    ]
    shares = np.abs(approximate.mean(0) - reference.mean(0)).max()
    label_shift = np.abs(
        np.bincount(approximate.argmax(1), minlength=3)
        - np.bincount(reference.argmax(1), minlength=3)
    ).max() / len(labels)
    same_share = (approximate.argmax(1) == reference.argmax(1)).mean()
    return (
        f"macro F1 {100 * (f1_scores[0] - f1_scores[1]):+.2f} points (n={is_labelled.sum()}),"
        f" largest difference of a share {100 * shares:.2f} points by"
        f" probabilities and {100 * label_shift:.2f} by labels,"
        f" same label {100 * same_share:.1f} % (n={len(labels)})"
    )


def _post_predictions(
    evaluated_sets: Sequence[EvaluatedSet],
) -> tuple[NDArray[np.int_], Probabilities]:
    samples = [sample for evaluated_set in evaluated_sets for sample in evaluated_set.samples]
    labels = [
        sample.label if sample.label is not None and sample.classes == THREE_WAY else -1
        for sample in samples
    ]
    return np.array(labels), np.concatenate(
        [evaluated_set.post_probabilities for evaluated_set in evaluated_sets]
    )


def _target_predictions(
    evaluated_sets: Sequence[EvaluatedSet],
) -> tuple[NDArray[np.int_], Probabilities]:
    labels: list[int] = []
    predictions: list[SentimentProbabilities] = []
    for evaluated_set in evaluated_sets:
        for sample, reading in zip(evaluated_set.samples, evaluated_set.readings, strict=True):
            predictions += reading.targets
            for target in sample.targets:
                label = NEUTRAL if target.label == NOT_ABOUT else target.label
                labels.append(label if sample.classes == THREE_WAY else -1)
    return np.array(labels), probability_array(predictions)


if __name__ == "__main__":
    raise SystemExit(main())
