"""What each fast way of reading changes beside fp32 through all layers: the other precisions, and early exit in each.

``python -m training.modes --data DIR`` prints it over dev texts that calibration was not fitted on. A way is as good as the slow one
while macro F1 stays within half a point and shares within .3: much less than what weeks differ by.
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
from training.calibrate import calibration_digests
from training.predictions import EvaluatedSet, predict_dev_sets, probability_array
from training.scores import macro_f1
from training.sets.manifest import DatasetSplit, load_splits, text_digest
from training.sets.samples import NEUTRAL, NOT_ABOUT, THREE_WAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Chances = NDArray[np.float64]


def main() -> int:
    """Prints a line a way of reading; returns the exit status."""
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
    found = [_unfitted(split) for split in load_splits(options.data) if split.dev]
    exact = predict_dev_sets(
        FolateReader(options.model, torch.float32, depth="all"), found, options.limit
    )
    for dtype in supported_dtypes():
        for depth in DEPTHS:
            slow = (dtype, depth) == (torch.float32, "all")
            its = (
                exact
                if slow
                else predict_dev_sets(
                    FolateReader(options.model, dtype, depth=depth), found, options.limit
                )
            )
            for head, answers in (("posts", _posts), ("targets", _targets)):
                name = f"{PRECISION_NAMES[dtype]}, {depth}, {head}"
                print(
                    f"{name}: {describe_prediction_changes(*answers(exact), answers(its)[1])}",
                    flush=True,
                )
    return 0


def _unfitted(split: DatasetSplit) -> DatasetSplit:
    known = calibration_digests(split)
    return replace(
        split, dev=[sample for sample in split.dev if text_digest(sample.text) not in known]
    )


def describe_prediction_changes(
    labels: NDArray[np.int_], reference: Chances, approximate: Chances
) -> str:
    """How probabilities ``given`` (n, 3) differ from ``exact`` ones; ``right`` is the label, -1 where it is not one of three."""
    known = labels >= 0
    lost = [
        macro_f1(labels[known], chances[known].argmax(1)) for chances in (approximate, reference)
    ]
    shares = np.abs(approximate.mean(0) - reference.mean(0)).max()
    label_shift = np.abs(
        np.bincount(approximate.argmax(1), minlength=3)
        - np.bincount(reference.argmax(1), minlength=3)
    ).max() / len(labels)
    same = (approximate.argmax(1) == reference.argmax(1)).mean()
    return (
        f"macro F1 {100 * (lost[0] - lost[1]):+.2f} points (n={known.sum()}), largest difference of a share {100 * shares:.2f} points by"
        f" probabilities and {100 * label_shift:.2f} by labels, same label {100 * same:.1f} % (n={len(labels)})"
    )


def _posts(measured: Sequence[EvaluatedSet]) -> tuple[NDArray[np.int_], Chances]:
    samples = [sample for one in measured for sample in one.samples]
    right = [
        sample.label if sample.label is not None and sample.classes == THREE_WAY else -1
        for sample in samples
    ]
    return np.array(right), np.concatenate([one.post_probabilities for one in measured])


def _targets(measured: Sequence[EvaluatedSet]) -> tuple[NDArray[np.int_], Chances]:
    pairs = [
        (sample, reading)
        for one in measured
        for sample, reading in zip(one.samples, one.readings, strict=True)
    ]
    labels = [(target.label, sample.classes) for sample, _ in pairs for target in sample.targets]
    right = [
        (NEUTRAL if label == NOT_ABOUT else label) if classes == THREE_WAY else -1
        for label, classes in labels
    ]
    return np.array(right), probability_array(
        [its for _, reading in pairs for its in reading.targets]
    )


if __name__ == "__main__":
    raise SystemExit(main())
