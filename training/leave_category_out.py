"""How good the model is for goods it never saw: `python -m training.leave_category_out --category X` trains without one category of
online_shopping, and prints its accuracy on that category beside character TF-IDF with logistic regression trained on the same others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from folate.core.errors import ConfigError, suggestion
from training.sets import readers
from training.sets.manifest import (
    DATASET_SOURCES,
    SHOPPING_FILE,
    DatasetSource,
    DatasetSplit,
    han_digest,
    load_splits,
    text_digest,
)
from training.sets.samples import TWO_WAY, Sample

SHOPPING_SET = "online_shopping"

if TYPE_CHECKING:
    from training.scores import Score


def main() -> None:
    """Trains and prints."""
    parser = argparse.ArgumentParser(
        prog="python -m training.leave_category_out", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument(
        "--encoder",
        type=Path,
        required=True,
        help="a transformers folder, or one packed in 4-bit blocks",
    )
    parser.add_argument("--category", required=True, help="as the set names it, such as 水果")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="where the model folder is written; its checkpoints beside it",
    )
    parser.add_argument("--minutes", type=float, default=60, help="budget of training time")
    parser.add_argument(
        "--sets", help="the sets to learn from, as online_shopping,chnsenticorp (default: all)"
    )
    parser.add_argument(
        "--limit", type=int, default=1000, help="texts of the category asked at most"
    )
    options = parser.parse_args()

    from training.calibrate import (
        calibrate_and_save,  # torch takes seconds to import; --help need not
    )
    from training.expand import ensure_unpacked_encoder
    from training.run import train_model
    from training.train import TrainingSettings

    found, asked = hold_out_category(
        load_splits(options.data, select_sources(options.sets)),
        options.data,
        options.category,
        options.limit,
    )
    work = options.out.with_name(options.out.name + ".work")
    encoder = ensure_unpacked_encoder(options.encoder, work)
    settings = TrainingSettings(minutes=options.minutes)
    model, state = train_model(found, options.data, encoder, work, settings)
    calibrate_and_save(model, found, encoder / "tokenizer.json", options.out)
    for name, score in score_held_out_category(options.out, found, asked).items():
        print(
            f"{options.category}, left out: {name} {score.value:.3f} ({score.low:.3f} to {score.high:.3f}, n={score.n})"
        )
    print(state.describe_training(settings), file=sys.stderr)


def select_sources(names: str | None) -> tuple[DatasetSource, ...]:
    """The sources of some names, parted by commas; all for None. Raises ConfigError for a name that is none, or without the shop's."""
    known = {source.name: source for source in DATASET_SOURCES}
    wanted = names.split(",") if names else list(known)
    for name in wanted:
        if name not in known:
            raise ConfigError(f"no set {name!r}; {suggestion(name, sorted(known))}")
    if SHOPPING_SET not in wanted:
        raise ConfigError(
            f"wanted {SHOPPING_SET} among the sets, since its category is asked; got {', '.join(wanted)}."
        )
    return tuple(known[name] for name in wanted)


def hold_out_category(
    splits: Sequence[DatasetSplit], data: Path, category: str, limit: int
) -> tuple[list[DatasetSplit], list[Sample]]:
    """The splits without any text of a category, in any set, and at most ``limit`` texts of it, those of the smallest digests.

    Raises ConfigError for a category that the set does not have.
    """
    rows = list(readers.read_dataset_rows(data / SHOPPING_FILE))
    if category not in (names := {row["cat"] for row in rows}):
        raise ConfigError(
            f"no category {category!r} in {SHOPPING_FILE}; {suggestion(category, sorted(names))}"
        )
    labels = {"0": TWO_WAY[0], "1": TWO_WAY[1]}
    its = {
        text_digest(row["review"]): Sample(row["review"], labels[row["label"]], TWO_WAY)
        for row in rows
        if row["cat"] == category
    }
    bare = {han_digest(text.text) for text in its.values()}
    kept = [
        replace(
            split,
            train=[
                sample
                for sample in split.train
                if text_digest(sample.text) not in its and han_digest(sample.text) not in bare
            ],
        )
        for split in splits
    ]
    dev = [
        replace(split, dev=[sample for sample in split.dev if text_digest(sample.text) not in its])
        for split in kept
    ]
    return dev, [its[digest] for digest in sorted(its)[:limit]]


def score_held_out_category(
    folder: Path, splits: Sequence[DatasetSplit], samples: Sequence[Sample]
) -> dict[str, Score]:
    """Two-way accuracy of the model in ``folder`` and of TF-IDF that learnt from the rest of online_shopping."""
    from nlp.model import load_reader
    from training.baselines import train_tfidf_baseline
    from training.predictions import probability_array
    from training.scores import post_score

    texts = [sample.text for sample in samples]
    rest = next(split for split in splits if split.source.name == SHOPPING_SET)
    judge = train_tfidf_baseline([(sample.text, sample.label) for sample in rest.train], 3)
    chances = {
        "model": probability_array(
            [reading.post for reading in load_reader(str(folder)).read(texts)]
        ),
        "TF-IDF": judge(texts),
    }
    made = {name: post_score(name, samples, its) for name, its in chances.items()}
    return {name: score for name, score in made.items() if score is not None}


if __name__ == "__main__":
    main()
