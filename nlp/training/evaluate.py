"""The gate: scores on dev splits beside baselines of the same run, and posts a second beside transformers' BertModel.

``python -m nlp.training.evaluate --data DIR`` prints the table and exits with 1 if a score is under its floor (``--floors``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from folate.progress import progress
from nlp.sentiment import Reader, load
from nlp.sentiment.reading import Probabilities
from nlp.training.baselines import Judge, lexical, tfidf
from nlp.training.calibrate import some
from nlp.training.manifest import Split, splits
from nlp.training.samples import THREE_WAY, Sample
from nlp.training.scores import Score, calibration_error, post_score, target_score
from nlp.training.speed import speed

Row = tuple[Score, str, dict[str, float]]
"""A score of ours, the language of its set, and what the baselines get on the same texts."""


def main() -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nlp.training.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--model", default="", help="model folder (default: the one that ships)")
    parser.add_argument("--limit", type=int, default=1500, help="dev texts of a set at most")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--floors", type=Path, help="JSON of set -> lowest score allowed")
    parser.add_argument("--pin", action="store_true", help="raise the floors to a little under the scores of this run")
    parser.add_argument("--lower", action="store_true", help="with --pin: let floors fall too")
    options = parser.parse_args()

    reader = load(options.model)
    found = [split for split in splits(options.data) if split.dev]
    rows = list(scores(reader, found, options.limit, baselines=not options.no_baselines))
    print(table(rows))
    print(f"\nexpected calibration error on three-way posts: {_calibration(reader, found, options.limit)}")
    for figure in speed(options.model):
        print(figure)
    if options.floors is None:
        return 0
    floors: dict[str, float] = json.loads(options.floors.read_text(encoding="utf-8")) if options.floors.is_file() else {}
    if options.pin:
        pinned = pin(rows, floors, lower=options.lower)
        options.floors.write_text(json.dumps(pinned, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    under = failures(rows, floors)
    print("\n".join(under), file=sys.stderr)
    return 1 if under else 0


def scores(reader: Reader, found: Sequence[Split], limit: int, *, baselines: bool) -> Iterator[Row]:
    """One row a set's posts, and one a set's targets."""
    judges: dict[str, tuple[str, Judge]] = {}
    for split in progress("evaluating", items=found, unit="set"):
        samples, spoken = some(split.dev, limit), split.source.language
        readings = reader.read([sample.text for sample in samples], [[target.spans for target in sample.targets] for sample in samples])
        post = post_score(split.source.name, samples, _array([reading.post for reading in readings]))
        target = target_score(split.source.name, samples, [_array(reading.targets) for reading in readings])
        beside: dict[str, float] = {}
        if post is not None and baselines:
            learnt = split.train or [sample for other in found if other.source.language == spoken for sample in other.train[:4000]]
            judges.setdefault(spoken, lexical(spoken))
            beside = _beside(samples, {"TF-IDF": tfidf(learnt), judges[spoken][0]: judges[spoken][1]})
        if post is not None:
            yield post, spoken, beside
        if target is not None:
            yield target, spoken, {}


def _beside(samples: Sequence[Sample], judges: dict[str, Judge]) -> dict[str, float]:
    labelled = [sample for sample in samples if sample.label is not None]
    made = {name: post_score(name, labelled, judge([sample.text for sample in labelled])) for name, judge in judges.items()}
    return {name: score.value for name, score in made.items() if score is not None}


def _array(rows: Sequence[Probabilities]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([(row.negative, row.neutral, row.positive) for row in rows]).reshape(-1, 3)


def _calibration(reader: Reader, found: Sequence[Split], limit: int) -> str:
    figures = []
    for spoken in ("zh", "en"):
        samples = [
            sample
            for split in found
            if split.source.language == spoken and split.train
            for sample in some(split.dev, limit)
            if sample.label is not None and sample.classes == THREE_WAY
        ]
        chances = _array([reading.post for reading in reader.read([sample.text for sample in samples])])
        figures.append(f"{spoken} {calibration_error([sample.label or 0 for sample in samples], chances):.3f} (n={len(samples)})")
    return ", ".join(figures)


def table(rows: Sequence[Row]) -> str:
    """Plain text: a line a score."""
    lines = [f"{'set':38} {'lang':4} {'metric':12} {'n':>5} {'score':>6} {'95 % interval':>15} {'TF-IDF':>7} {'lexicon':>16}"]
    for score, spoken, beside in rows:
        learnt = f"{beside['TF-IDF']:.3f}" if beside else "-"
        lexicon = next((f"{name} {value:.3f}" for name, value in beside.items() if name != "TF-IDF"), "-")
        interval = f"{score.low:.3f} to {score.high:.3f}"
        lines.append(
            f"{score.name:38} {spoken:4} {score.metric:12} {score.n:5} {score.value:6.3f} {interval:>15} {learnt:>7} {lexicon:>16}"
        )
    return "\n".join(lines)


def failures(rows: Sequence[Row], floors: dict[str, float]) -> list[str]:
    """A sentence for each floor that is not held, or whose set was not measured."""
    values = {score.name: score.value for score, *_ in rows}
    missing = [f"{name} should be measured (its floor is {floor:.3f}) and was not." for name, floor in floors.items() if name not in values]
    under = [
        f"{name} should score {floors[name]:.3f} or more and scores {value:.3f}."
        for name, value in values.items()
        if value < floors.get(name, 0)
    ]
    return missing + under


def pin(rows: Sequence[Row], floors: dict[str, float], *, lower: bool) -> dict[str, float]:
    """Floors a point under the lower ends of this run's intervals; none falls unless ``lower``."""
    made = {score.name: round(max(score.low - 0.01, 0), 3) for score, *_ in rows if score.n >= 100}
    return made if lower else floors | {name: max(floor, floors.get(name, 0)) for name, floor in made.items()}


if __name__ == "__main__":
    sys.exit(main())
