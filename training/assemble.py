"""Make a model folder of what a GPU run wrote: ``python -m training.assemble --parts DIR --data DIR --out DIR``.

Joins the parts of the weights, fits temperatures and thresholds on dev texts that training never saw, and
writes the folder that `nlp.model.load` reads.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from dataclasses import replace
from pathlib import Path

from nlp.model.checkpoint import TOKENIZER, WEIGHTS, load
from training.calibrate import finish
from training.manifest import Split, key
from training.names import exchanged
from training.sources import every_split, learnt

ASKED = 240
"""Dev texts of a set that calibration may use: half of them, those of the largest digests, are fitted on."""


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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        join(options.parts, folder, options.tokenizer)
        about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model, _, _ = load(folder)
        told = f"{options.told}; {about['training']}" if options.told else about["training"]
        calibration = finish(model, list(asked(options.data)), options.tokenizer, options.out, told)
    print(calibration)


def join(parts: Path, folder: Path, tokenizer: Path) -> None:
    """Join the parts of the weights in ``parts`` in the order of their numbers; raise FileNotFoundError without any."""
    found = sorted(parts.glob(f"{WEIGHTS}.*"), key=lambda part: int(part.suffix[1:]))
    if not found:
        raise FileNotFoundError(f"wanted {WEIGHTS}.0 and so on in {parts}, got none.")
    (folder / WEIGHTS).write_bytes(b"".join(part.read_bytes() for part in found))
    (folder / "config.json").write_bytes((parts / "config.json").read_bytes())
    (folder / TOKENIZER).write_bytes(tokenizer.read_bytes())


def asked(data: Path) -> list[Split]:
    """List the sets with their dev texts as the model reads them in use: names hidden."""
    sets = {each.source.name: each for each in learnt()}
    rng = random.Random(3)  # noqa: S311 - sampling, not a secret
    made = []
    for split in every_split(data):
        if split.source.name not in sets or not split.dev:
            continue
        dev = sorted(split.dev, key=lambda sample: key(sample.text))[:ASKED]
        if sets[split.source.name].named:
            dev = [exchanged(sample, rng) for sample in dev]
        made.append(replace(split, dev=dev))
    return made


if __name__ == "__main__":
    main()
