"""The gate: scores on dev splits beside baselines, and speed beside transformers' BertModel.

``python -m training.evaluate --data DIR`` prints the table (without ``--data`` only sentences of
our own) and exits with 1 if a score is under its floor (``--floors``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from folate.cli.progress import enable_progress_bars
from nlp.model import load_reader
from training import words
from training.hard import score_hard_sentences
from training.predictions import (
    ScoreRow,
    calibration_error_lines,
    describe_name_alignment,
    predict_dev_sets,
    score_intents,
    score_rows,
)
from training.sets.manifest import load_splits
from training.speed import measure_speed


def main() -> int:
    """Print the table of scores; return the exit status."""
    enable_progress_bars()
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        help="folder of the public sets (default: only sentences of our own are scored)",
    )
    parser.add_argument("--model", default="", help="model folder (default: the one that ships)")
    parser.add_argument("--limit", type=int, default=500, help="dev texts of a set at most")
    parser.add_argument(
        "--own",
        type=Path,
        help="JSON lines of text and intent: sentences of our own, for want of an annotated set",
    )
    parser.add_argument(
        "--hard", type=Path, help="TSV of hard sentences of our own, which no training sees"
    )
    parser.add_argument(
        "--pairs",
        type=Path,
        help="TSV of zh and en: names of the same things, whose embeddings should be near",
    )
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--floors", type=Path, help="JSON of set -> lowest score allowed")
    parser.add_argument(
        "--pin",
        action="store_true",
        help="raise the floors to a little under the scores of this run",
    )
    parser.add_argument("--lower", action="store_true", help="with --pin: let floors fall too")
    options = parser.parse_args()

    reader = load_reader(options.model)
    evaluated_sets = (
        predict_dev_sets(
            reader, [split for split in load_splits(options.data) if split.dev], options.limit
        )
        if options.data
        else []
    )
    rows = list(score_rows(evaluated_sets, baselines=not options.no_baselines))
    rows += list(score_intents(reader, options.own)) if options.own else []
    rows += list(score_hard_sentences(reader, options.hard)) if options.hard else []
    rows += (
        [
            ScoreRow(word_score.score, word_score.language, True, word_score.baselines)
            for word_score in words.score_word_analysis(options.data)
        ]
        if options.data
        else []
    )
    print(format_score_table(rows))
    if options.pairs:
        print(describe_name_alignment(reader, options.pairs))
    if options.data:
        print("expected calibration error", *calibration_error_lines(evaluated_sets), sep="\n")
        print(*measure_speed(options.model), sep="\n")
    if options.floors is None:
        return 0
    floors: dict[str, float] = (
        json.loads(options.floors.read_text(encoding="utf-8")) if options.floors.is_file() else {}
    )
    if options.pin:
        pinned = raise_floors(rows, floors, allow_lower=options.lower)
        options.floors.write_text(
            json.dumps(pinned, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        return 0
    failures = describe_floor_failures(rows, floors)
    print("\n".join(failures), file=sys.stderr)
    return 1 if failures else 0


def format_score_table(rows: Sequence[ScoreRow]) -> str:
    """Format the scores as plain text, one score a line."""
    head = (
        f"{'set':48} {'lang':4} {'metric':12} {'n':>5} {'score':>6} {'95 % interval':>15}"
        f" {'neutral':>8}  baselines"
    )
    notes = (
        "* never trained on; neutral: the share of a two-way set's posts that is called neutral",
        "aspects: F1 of being spoken of (absent: nothing of a word list stands in the text;"
        " asap_sample: what annotators say), then",
        "the accuracy of the polarity of those found;"
        " emotion: macro F1 over the set's own emotions",
    )
    return "\n".join([head, *map(_format_score_row, rows), *notes])


def _format_score_row(row: ScoreRow) -> str:
    score = row.score
    marked_name = score.name + ("" if row.trained_on else " *")
    baselines = ", ".join(f"{name} {value:.3f}" for name, value in row.baselines.items()) or "-"
    neutral = "-" if row.neutral_share is None else f"{row.neutral_share:.3f}"
    figures = (
        f"{score.n:5} {score.value:6.3f} {f'{score.low:.3f} to {score.high:.3f}':>15} {neutral:>8}"
    )
    return f"{marked_name:48} {row.language:4} {score.metric:12} {figures}  {baselines}"


def describe_floor_failures(rows: Sequence[ScoreRow], floors: dict[str, float]) -> list[str]:
    """Return a sentence for each score under its floor and for each floor that was not measured."""
    values = {row.score.name: row.score.value for row in rows}
    missing = [
        f"{name} should be measured (its floor is {floor:.3f}) and was not."
        for name, floor in floors.items()
        if name not in values
    ]
    failures = [
        f"{name} should score {floors[name]:.3f} or more and scores {value:.3f}."
        for name, value in values.items()
        if value < floors.get(name, 0)
    ]
    return missing + failures


def raise_floors(
    rows: Sequence[ScoreRow], floors: dict[str, float], *, allow_lower: bool
) -> dict[str, float]:
    """Set floors .01 under the lower ends of the intervals; none falls unless ``allow_lower``."""
    pinned = {
        row.score.name: round(max(row.score.low - 0.01, 0), 3) for row in rows if row.score.n >= 100
    }
    return (
        pinned
        if allow_lower
        else floors | {name: max(floor, floors.get(name, 0)) for name, floor in pinned.items()}
    )


if __name__ == "__main__":
    sys.exit(main())
