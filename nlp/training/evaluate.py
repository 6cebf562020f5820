"""The gate: scores on dev splits beside baselines of the same run, and posts a second beside transformers' BertModel.

``python -m nlp.training.evaluate --data DIR`` prints the table and exits with 1 if a score is under its floor (``--floors``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folate.progress import progress
from nlp.sentiment import Reader, load
from nlp.sentiment.reading import Probabilities
from nlp.training.baselines import lexical, tfidf
from nlp.training.calibrate import some
from nlp.training.manifest import Source, Split, splits
from nlp.training.samples import NEUTRAL, THREE_WAY, TWO_WAY, Sample
from nlp.training.scores import Score, calibration_error, post_score, target_score
from nlp.training.speed import speed

Chances = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """What a reader said of the dev samples of one set: posts (n, 3), and targets (k, 3) a sample."""

    split: Split
    samples: list[Sample]
    posts: Chances
    targets: list[Chances]


@dataclass(frozen=True)
class Row:
    """A score, its set, and on the same texts: what the baselines get, and the share of a two-way set's posts that is called neutral."""

    score: Score
    source: Source
    beside: dict[str, float]
    neutral: float | None = None


def main() -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nlp.training.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--model", default="", help="model folder (default: the one that ships)")
    parser.add_argument("--limit", type=int, default=500, help="dev texts of a set at most")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--floors", type=Path, help="JSON of set -> lowest score allowed")
    parser.add_argument("--pin", action="store_true", help="raise the floors to a little under the scores of this run")
    parser.add_argument("--lower", action="store_true", help="with --pin: let floors fall too")
    options = parser.parse_args()

    reader = load(options.model)
    measured = measure(reader, [split for split in splits(options.data) if split.dev], options.limit)
    made = list(rows(measured, baselines=not options.no_baselines))
    print(table(made))
    print(f"expected calibration error of three-way posts: {calibration(measured)}")
    for figure in speed(options.model):
        print(figure)
    if options.floors is None:
        return 0
    floors: dict[str, float] = json.loads(options.floors.read_text(encoding="utf-8")) if options.floors.is_file() else {}
    if options.pin:
        pinned = pin(made, floors, lower=options.lower)
        options.floors.write_text(json.dumps(pinned, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    under = failures(made, floors)
    print("\n".join(under), file=sys.stderr)
    return 1 if under else 0


def measure(reader: Reader, found: Sequence[Split], limit: int) -> list[Measured]:
    """Everything that the table is made of, read once."""
    made = []
    for split in progress("reading", items=found, unit="set"):
        samples = some(split.dev, limit)
        readings = reader.read([sample.text for sample in samples], [[target.spans for target in sample.targets] for sample in samples])
        made.append(Measured(split, samples, _array([one.post for one in readings]), [_array(one.targets) for one in readings]))
    return made


def rows(measured: Sequence[Measured], *, baselines: bool) -> Iterator[Row]:
    """One row for each set's posts and one for each set's targets."""
    for one in progress("comparing", items=measured, unit="set"):
        source = one.split.source
        post, target = post_score(source.name, one.samples, one.posts), target_score(source.name, one.samples, one.targets)
        if post is not None:
            two_way = one.samples[0].classes == TWO_WAY
            neutral = float((one.posts.argmax(1) == NEUTRAL).mean()) if two_way else None
            yield Row(post, source, _beside(one, measured) if baselines else {}, neutral)
        if target is not None:
            yield Row(target, source, {})


def _beside(one: Measured, measured: Sequence[Measured]) -> dict[str, float]:
    """The baselines on the labelled posts of one set; for a set never trained on, TF-IDF learns from all others of its language."""
    spoken = one.split.source.language
    others = [sample for other in measured if other.split.source.language == spoken for sample in other.split.train[:4000]]
    name, peer = lexical(spoken)
    judges = {"TF-IDF": tfidf(one.split.train or others), name: peer}
    labelled = [sample for sample in one.samples if sample.label is not None]
    made = {name: post_score(name, labelled, judge([sample.text for sample in labelled])) for name, judge in judges.items()}
    return {name: score.value for name, score in made.items() if score is not None}


def _array(answers: Sequence[Probabilities]) -> Chances:
    return np.array([(answer.negative, answer.neutral, answer.positive) for answer in answers]).reshape(-1, 3)


def calibration(measured: Sequence[Measured]) -> str:
    """The calibration error of each language over the posts of its three-way sets that training knew, and of those it did not."""
    figures = []
    for spoken in ("zh", "en"):
        for known, name in ((True, "sets trained on"), (False, "other sets")):
            chosen = [one for one in measured if one.split.source.language == spoken and bool(one.split.train) == known]
            pairs = [
                (sample.label, row)
                for one in chosen
                for sample, row in zip(one.samples, one.posts, strict=True)
                if sample.label is not None and sample.classes == THREE_WAY
            ]
            if pairs:
                error = calibration_error([label for label, _ in pairs], np.array([row for _, row in pairs]))
                figures.append(f"{spoken}, {name}: {error:.3f} (n={len(pairs)})")
    return "; ".join(figures)


def table(made: Sequence[Row]) -> str:
    """Plain text: a line a score."""
    head = f"{'set':37} {'lang':4} {'metric':12} {'n':>5} {'score':>6} {'95 % interval':>15} {'TF-IDF':>7} {'lexicon':>14} {'neutral':>8}"
    return "\n".join(
        [head, *map(_line, made), "* a set never trained on; neutral: the share of a two-way set's posts that is called neutral"]
    )


def _line(row: Row) -> str:
    score, marked = row.score, row.score.name + ("" if row.source.train else " *")
    learnt = f"{row.beside['TF-IDF']:.3f}" if row.beside else "-"
    lexicon = next((f"{name} {value:.3f}" for name, value in row.beside.items() if name != "TF-IDF"), "-")
    neutral = "-" if row.neutral is None else f"{row.neutral:.3f}"
    figures = f"{score.n:5} {score.value:6.3f} {f'{score.low:.3f} to {score.high:.3f}':>15} {learnt:>7} {lexicon:>14} {neutral:>8}"
    return f"{marked:37} {row.source.language:4} {score.metric:12} {figures}"


def failures(made: Sequence[Row], floors: dict[str, float]) -> list[str]:
    """A sentence for each floor that is not held, or whose set was not measured."""
    values = {row.score.name: row.score.value for row in made}
    missing = [f"{name} should be measured (its floor is {floor:.3f}) and was not." for name, floor in floors.items() if name not in values]
    under = [
        f"{name} should score {floors[name]:.3f} or more and scores {value:.3f}."
        for name, value in values.items()
        if value < floors.get(name, 0)
    ]
    return missing + under


def pin(made: Sequence[Row], floors: dict[str, float], *, lower: bool) -> dict[str, float]:
    """Floors a point under the lower ends of this run's intervals; none falls unless ``lower``."""
    pinned = {row.score.name: round(max(row.score.low - 0.01, 0), 3) for row in made if row.score.n >= 100}
    return pinned if lower else floors | {name: max(floor, floors.get(name, 0)) for name, floor in pinned.items()}


if __name__ == "__main__":
    sys.exit(main())
