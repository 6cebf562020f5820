"""Accuracy on unseen goods: ``python -m training.leave_category_out --category X``.

Trains without one category of online_shopping, and prints the accuracy on that category beside
character TF-IDF with logistic regression trained on the same other texts.
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
    """Train without the category and print the accuracy on it."""
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

    # torch takes seconds to import, which --help does not need
    from training.calibrate import calibrate_and_save
    from training.expand import ensure_unpacked_encoder
    from training.run import train_model
    from training.train import TrainingSettings

    splits, held_out_samples = hold_out_category(
        load_splits(options.data, select_sources(options.sets)),
        options.data,
        options.category,
        options.limit,
    )
    work = options.out.with_name(options.out.name + ".work")
    encoder = ensure_unpacked_encoder(options.encoder, work)
    settings = TrainingSettings(minutes=options.minutes)
    model, progress = train_model(splits, options.data, encoder, work, settings)
    calibrate_and_save(model, splits, encoder / "tokenizer.json", options.out)
    for name, score in score_held_out_category(options.out, splits, held_out_samples).items():
        print(
            f"{options.category}, left out: {name} {score.value:.3f}"
            f" ({score.low:.3f} to {score.high:.3f}, n={score.n})"
        )
    print(progress.describe_training(settings), file=sys.stderr)


def select_sources(names: str | None) -> tuple[DatasetSource, ...]:
    """Return the sources of comma-separated names; all for None.

    Raises ConfigError for an unknown name, or if online_shopping is missing.
    """
    sources_by_name = {source.name: source for source in DATASET_SOURCES}
    selected_names = names.split(",") if names else list(sources_by_name)
    for name in selected_names:
        if name not in sources_by_name:
            raise ConfigError(f"no set {name!r}; {suggestion(name, sorted(sources_by_name))}")
    if SHOPPING_SET not in selected_names:
        raise ConfigError(
            f"wanted {SHOPPING_SET} among the sets, since its category is asked;"
            f" got {', '.join(selected_names)}."
        )
    return tuple(sources_by_name[name] for name in selected_names)


def hold_out_category(
    splits: Sequence[DatasetSplit], data: Path, category: str, limit: int
) -> tuple[list[DatasetSplit], list[Sample]]:
    """Remove every text of a category from all splits, and return texts of it to measure on.

    These are at most ``limit`` texts, those of the smallest digests. Raises ConfigError for a
    category that the set does not have.
    """
    rows = list(readers.read_dataset_rows(data / SHOPPING_FILE))
    if category not in (names := {row["cat"] for row in rows}):
        raise ConfigError(
            f"no category {category!r} in {SHOPPING_FILE}; {suggestion(category, sorted(names))}"
        )
    labels = {"0": TWO_WAY[0], "1": TWO_WAY[1]}
    category_samples = {
        text_digest(row["review"]): Sample(row["review"], labels[row["label"]], TWO_WAY)
        for row in rows
        if row["cat"] == category
    }
    han_digests = {han_digest(text.text) for text in category_samples.values()}
    remaining = []
    for split in splits:
        dev = [sample for sample in split.dev if text_digest(sample.text) not in category_samples]
        train = [
            sample
            for sample in split.train
            if text_digest(sample.text) not in category_samples
            and han_digest(sample.text) not in han_digests
        ]
        remaining.append(replace(split, train=train, dev=dev))
    return remaining, [category_samples[digest] for digest in sorted(category_samples)[:limit]]


def score_held_out_category(
    folder: Path, splits: Sequence[DatasetSplit], samples: Sequence[Sample]
) -> dict[str, Score]:
    """Return the two-way accuracy of the model in ``folder`` and of TF-IDF on ``samples``."""
    from nlp.model import load_reader
    from training.baselines import train_tfidf_baseline
    from training.predictions import probability_array
    from training.scores import post_score

    texts = [sample.text for sample in samples]
    shopping_split = next(split for split in splits if split.source.name == SHOPPING_SET)
    classify = train_tfidf_baseline(
        [(sample.text, sample.label) for sample in shopping_split.train], 3
    )
    probabilities = {
        "model": probability_array(
            [reading.post for reading in load_reader(str(folder)).read(texts)]
        ),
        "TF-IDF": classify(texts),
    }
    scores = {
        name: post_score(name, samples, set_probabilities)
        for name, set_probabilities in probabilities.items()
    }
    return {name: score for name, score in scores.items() if score is not None}


if __name__ == "__main__":
    main()
