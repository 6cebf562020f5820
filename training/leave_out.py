"""How good the model is for goods it never saw: `python -m training.leave_out --category X` trains without one category of
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
from training import readers
from training.manifest import SHOPPING, SOURCES, Source, Split, han, key, splits
from training.samples import TWO_WAY, Sample

SHOP = "online_shopping"

if TYPE_CHECKING:
    from training.scores import Score


def main() -> None:
    """Trains and prints."""
    parser = argparse.ArgumentParser(prog="python -m training.leave_out", description=__doc__)
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

    from training.calibrate import finish  # torch takes seconds to import; --help need not
    from training.expand import expanded
    from training.run import run
    from training.train import Settings

    found, asked = without(
        splits(options.data, named(options.sets)), options.data, options.category, options.limit
    )
    work = options.out.with_name(options.out.name + ".work")
    encoder = expanded(options.encoder, work)
    settings = Settings(minutes=options.minutes)
    model, state = run(found, options.data, encoder, work, settings)
    finish(model, found, encoder / "tokenizer.json", options.out)
    for name, score in scores(options.out, found, asked).items():
        print(
            f"{options.category}, left out: {name} {score.value:.3f} ({score.low:.3f} to {score.high:.3f}, n={score.n})"
        )
    print(state.told(settings), file=sys.stderr)


def named(names: str | None) -> tuple[Source, ...]:
    """The sources of some names, parted by commas; all for None. Raises ConfigError for a name that is none, or without the shop's."""
    known = {source.name: source for source in SOURCES}
    wanted = names.split(",") if names else list(known)
    for name in wanted:
        if name not in known:
            raise ConfigError(f"no set {name!r}; {suggestion(name, sorted(known))}")
    if SHOP not in wanted:
        raise ConfigError(
            f"wanted {SHOP} among the sets, since its category is asked; got {', '.join(wanted)}."
        )
    return tuple(known[name] for name in wanted)


def without(
    found: Sequence[Split], data: Path, category: str, limit: int
) -> tuple[list[Split], list[Sample]]:
    """The splits without any text of a category, in any set, and at most ``limit`` texts of it, those of the smallest digests.

    Raises ConfigError for a category that the set does not have.
    """
    rows = list(readers.rows(data / SHOPPING))
    if category not in (names := {row["cat"] for row in rows}):
        raise ConfigError(
            f"no category {category!r} in {SHOPPING}; {suggestion(category, sorted(names))}"
        )
    labels = {"0": TWO_WAY[0], "1": TWO_WAY[1]}
    its = {
        key(row["review"]): Sample(row["review"], labels[row["label"]], TWO_WAY)
        for row in rows
        if row["cat"] == category
    }
    bare = {han(text.text) for text in its.values()}
    kept = [
        replace(
            split,
            train=[
                sample
                for sample in split.train
                if key(sample.text) not in its and han(sample.text) not in bare
            ],
        )
        for split in found
    ]
    dev = [
        replace(split, dev=[sample for sample in split.dev if key(sample.text) not in its])
        for split in kept
    ]
    return dev, [its[digest] for digest in sorted(its)[:limit]]


def scores(folder: Path, found: Sequence[Split], asked: Sequence[Sample]) -> dict[str, Score]:
    """Two-way accuracy of the model in ``folder`` and of TF-IDF that learnt from the rest of online_shopping."""
    from nlp.model import load
    from training.baselines import tfidf
    from training.measured import array
    from training.scores import post_score

    texts = [sample.text for sample in asked]
    rest = next(split for split in found if split.source.name == SHOP)
    judge = tfidf([(sample.text, sample.label) for sample in rest.train], 3)
    chances = {
        "model": array([reading.post for reading in load(str(folder)).read(texts)]),
        "TF-IDF": judge(texts),
    }
    made = {name: post_score(name, asked, its) for name, its in chances.items()}
    return {name: score for name, score in made.items() if score is not None}


if __name__ == "__main__":
    main()
