"""Make a model folder: ``python -m training.assemble --parts DIR --data DIR --out DIR``.

Joins the parts of the weights that a GPU run wrote, fits temperatures and thresholds on dev texts
that training never saw, and writes the folder that `nlp.model.load_reader` reads.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from dataclasses import replace
from pathlib import Path

from nlp.model.checkpoint import TOKENIZER_FILE, WEIGHTS_FILE, load_checkpoint
from training.calibrate import calibrate_and_save
from training.sets.exchanged_names import replace_names
from training.sets.manifest import DatasetSplit, text_digest
from training.sets.sources import load_all_splits, training_sets

MAX_DEV_TEXTS = 240
"""Dev texts of a set for calibration: the half with the largest digests is fitted on."""


def main() -> None:
    """Write the model folder."""
    parser = argparse.ArgumentParser(prog="python -m training.assemble", description=__doc__)
    parser.add_argument(
        "--parts", type=Path, required=True, help="folder that `python -m training.gpu` wrote"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--tokenizer", type=Path, required=True, help="tokenizer.json of the pack")
    parser.add_argument("--out", type=Path, required=True, help="the model folder")
    parser.add_argument("--told", default="", help="how it was trained, in words, for its card")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary_name:
        folder = Path(temporary_name)
        join_weight_parts(options.parts, folder, options.tokenizer)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model, _, _ = load_checkpoint(folder)
        training_summary = (
            f"{options.told}; {config['training']}" if options.told else config["training"]
        )
        calibration = calibrate_and_save(
            model,
            list(load_calibration_splits(options.data)),
            options.tokenizer,
            options.out,
            training_summary,
        )
    print(calibration)


def join_weight_parts(parts: Path, folder: Path, tokenizer: Path) -> None:
    """Join the parts of the weights in ``parts`` in numerical order.

    Raises FileNotFoundError without any part.
    """
    weight_parts = sorted(parts.glob(f"{WEIGHTS_FILE}.*"), key=lambda part: int(part.suffix[1:]))
    if not weight_parts:
        raise FileNotFoundError(f"wanted {WEIGHTS_FILE}.0 and so on in {parts}, got none.")
    (folder / WEIGHTS_FILE).write_bytes(b"".join(part.read_bytes() for part in weight_parts))
    (folder / "config.json").write_bytes((parts / "config.json").read_bytes())
    (folder / TOKENIZER_FILE).write_bytes(tokenizer.read_bytes())


def load_calibration_splits(data: Path) -> list[DatasetSplit]:
    """Load the sets that have dev texts, with names hidden as the model sees them in use."""
    sets_by_name = {training_set.source.name: training_set for training_set in training_sets()}
    rng = random.Random(3)  # noqa: S311 - sampling, not a secret
    splits = []
    for split in load_all_splits(data):
        if split.source.name not in sets_by_name or not split.dev:
            continue
        dev = sorted(split.dev, key=lambda sample: text_digest(sample.text))[:MAX_DEV_TEXTS]
        if sets_by_name[split.source.name].has_names:
            dev = [replace_names(sample, rng) for sample in dev]
        splits.append(replace(split, dev=dev))
    return splits


if __name__ == "__main__":
    main()
