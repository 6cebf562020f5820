"""Train a model from public sets: ``python -m training --data DIR --encoder DIR --out DIR``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from folate.cli.progress import enable_progress_bars


def main() -> None:
    """Train, calibrate and save the model."""
    enable_progress_bars()
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder of the public sets (training/sets/manifest.py names them)",
    )
    parser.add_argument(
        "--encoder",
        type=Path,
        required=True,
        help="a transformers folder, or one packed in 4-bit blocks",
    )
    parser.add_argument("--out", type=Path, required=True, help="where the model folder is written")
    parser.add_argument(
        "--work", type=Path, help="where checkpoints are kept and resumed from (default: OUT.work)"
    )
    parser.add_argument(
        "--layers", help="those of the encoder's layers to keep, as 0,1,2 (default: all)"
    )
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="budget of training time"
    )
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument(
        "--rate", type=float, default=1e-4, help="the highest learning rate of the last layer"
    )
    parser.add_argument(
        "--head-rate", type=float, default=1e-3, help="the highest learning rate of the heads"
    )
    parser.add_argument(
        "--start",
        type=_existing_file,
        help="checkpoint.pt of a finished run whose weights to start from (default: the encoder's)",
    )
    parser.add_argument(
        "--average",
        type=_existing_file,
        nargs="*",
        default=(),
        help="checkpoint.pt of finished runs to average its weights with",
    )
    options = parser.parse_args()

    # torch takes seconds to import, which --help does not need
    from training.calibrate import calibrate_and_save
    from training.expand import ensure_unpacked_encoder
    from training.run import train_model
    from training.sets.manifest import load_splits
    from training.train import TrainingSettings

    layers = [int(index) for index in options.layers.split(",")] if options.layers else None
    work = options.work or options.out.with_name(options.out.name + ".work")
    encoder = ensure_unpacked_encoder(options.encoder, work)
    setting_values = {
        name: getattr(options, name)
        for name in ("seed", "epochs", "minutes", "rate", "head_rate", "start")
    }
    settings = TrainingSettings(**setting_values)
    splits = load_splits(options.data)
    model, progress = train_model(
        splits,
        options.data,
        encoder,
        work,
        settings,
        layers=layers,
        averaged_checkpoints=options.average,
    )
    training_summary = progress.describe_training(settings) + (
        f"; the mean of its weights and those of {len(options.average)} other runs"
        if options.average
        else ""
    )
    calibration = calibrate_and_save(
        model, splits, encoder / "tokenizer.json", options.out, training_summary
    )
    print(f"{training_summary}; {calibration}", file=sys.stderr)


def _existing_file(argument: str) -> Path:
    """Return the path of an existing file, so that a missing one fails before hours of training."""
    if not Path(argument).is_file():
        raise argparse.ArgumentTypeError(
            f"should be the checkpoint.pt of a run, and there is no file {argument}"
        )
    return Path(argument)


if __name__ == "__main__":
    main()
